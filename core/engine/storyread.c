/*
 * core/engine/storyread.c - a story from its file, part by part.
 *
 * The file may be growing, or have been cut off: what can be read of it is told.
 * Thread: one per story.
 */
#include <fcntl.h>
#include <string.h>

#include "core/engine/history.h"

struct sw_history_story {
        sw_buf file, frame;
        size_t file_at, frame_at;
        struct sw__pb_arena arena;
        bool damaged;
};

sw_history_story *
sw__story_read(sw_buf *file)
{
        sw_history_story *s = sw_new(sw_history_story);

        s->file = *file;
        sw_buf_init(file);
        sw_buf_init(&s->frame);
        sw__pb_arena_init(&s->arena);
        return s;
}

sw_err *
sw_history_story_open(sw_history *h, const char *id, sw_history_story **out)
{
        sw_auto(sw_buf) file = SW_BUF_INIT;
        sw_err *err = sw_id_check("build id", id);

        if (!err && h->dir < 0)
                err = sw_err_new(SW_E_NOT_FOUND, "no story is kept of the build %s", id);
        if (!err)
                err = sw_buf_read_file(&file, h->dir, id, SW__STORY_MAX);
        if (err)
                return sw_err_wrap(err, "story of the build");
        *out = sw__story_read(&file);
        return SW_OK;
}

/* The next frame becomes the one that is read; false: there is none. */
static bool
next_frame(sw_history_story *s)
{
        const size_t left = s->file.len - s->file_at;
        size_t n;

        if (!left)
                return false;
        sw_buf_clear(&s->frame);
        s->frame_at = 0;
        n = sw__storyframe_take(s->file.data + s->file_at, left, &s->frame);
        s->file_at += n;
        s->damaged = n == 0;
        return n > 0;
}

bool
sw_history_story_next(sw_history_story *s, struct sw_progress_batch *out)
{
        size_t n;

        *out = (struct sw_progress_batch){ .n_vertices = 0 };
        while (!s->damaged && s->frame_at == s->frame.len)
                if (!next_frame(s))
                        return false;
        if (s->damaged)
                return false;
        sw__pb_arena_clear(&s->arena);
        n = sw__storypart_take(s->frame.data + s->frame_at, s->frame.len - s->frame_at,
                               &s->arena, out);
        s->frame_at += n;
        s->damaged = n == 0;
        return n > 0;
}

bool
sw_history_story_damaged(const sw_history_story *s)
{
        return s->damaged;
}

void
sw_history_story_free(sw_history_story *s)
{
        if (!s)
                return;
        sw_buf_release(&s->file);
        sw_buf_release(&s->frame);
        sw__pb_arena_release(&s->arena);
        free(s);
}
