/*
 * core/engine/history.h - the history from the inside.
 *
 *      history       created (8 bytes, big endian: ns since the epoch), id
 *                    -> protobuf slipway.store.v1.Build, in the metadata ("history")
 *      <root>/history/<id>   the story: zstd frames one after the other, in each of which
 *                    there are parts: four bytes for the length, the low one first, and a
 *                    protobuf slipway.store.v1.StoryPart; locked (flock) by who writes it
 *
 *      history.c        records: list, find, pin, remove
 *      historykeep.c    the record and the story of a build that runs
 *      historyold.c     what is dropped with time
 *      story.c          parts of stories: pack and unpack
 *      storyread.c      a story from its file
 *
 * Nothing here waits for the disk: a power failure may take the last records, and no more.
 * A record that is not complete is that of a build that runs while its story is locked, and
 * of one that was interrupted otherwise; the file is made and locked before the record is.
 *
 * Thread: any, but for a keeper, which is its build's.
 */
#ifndef SLIPWAY_CORE_ENGINE_HISTORY_H
#define SLIPWAY_CORE_ENGINE_HISTORY_H

#include <slipway/history.h>

#include "core/store/record.h"
#include "core/store/root.h"
#include "proto/pbuf.h"

struct sw_history {
        sw_root *root;
        sw_log *log; /* may be NULL */
        int dir;     /* <root>/history, or -1: there is none (yet) */
};

/** sw__history_new - of an open root, which is borrowed. @make: the directory, too. */
SW_API sw_history *sw__history_new(sw_root *root, sw_log *log, bool make);
SW_API void sw__history_free(sw_history *h);
SW_DEFINE_AUTOPTR(sw_history, sw__history_free)

/* ---- Records ---- */

typedef Slipway__Store__V1__Build sw__built;
static inline void
sw__built_free(sw__built *b)
{
        slipway__store__v1__build__free_unpacked(b, NULL);
}
SW_DEFINE_AUTOPTR(sw__built, sw__built_free)

enum { SW__BUILT_MAX = 4 << 20, SW__BUILT_KEY_MAX = 8 + 128 };

/** sw__built_decode - one that makes sense, or NULL: as if it were not there. @alloc: as
 * for sw__pb_unpack(). */
SW_API sw__built *sw__built_decode(ProtobufCAllocator *alloc, const void *p, size_t n);
/** sw__built_key - its key, into @out; returns how long it is. */
SW_API size_t sw__built_key(const sw__built *b, char out[SW__BUILT_KEY_MAX]);
SW_API int64_t sw__built_time(const Google__Protobuf__Timestamp *t); /* ns; NULL: 0 */

/** sw__history_lock - the story of the build @id, unless somebody writes it: -1 then; a
 *  missing one is -2. */
SW_API int sw__history_lock(const sw_history *h, const char *id);

/** sw__history_drop_old - what is beyond @max_entries and older than @max_age (ns). */
SW_API void sw__history_drop_old(sw_history *h, int64_t max_entries, int64_t max_age);

/* ---- Writing ---- */

struct sw_build;
struct sw__keeper;

/** sw__keeper_new - the record of @b is begun. NULL: no history is kept, or it cannot be
 *  (which was logged). */
SW_API struct sw__keeper *sw__keeper_new(struct sw_build *b);
/** sw__keeper_take - more of its story. NULL is fine, here and below. */
void sw__keeper_take(struct sw__keeper *k, const struct sw_progress_batch *b);
/** sw__keeper_timeout - ns after which sw__keeper_flush() is due; -1: when there is more.
 */
int64_t sw__keeper_timeout(const struct sw__keeper *k);
void sw__keeper_flush(struct sw__keeper *k);
/** sw__keeper_end - the build is over: complete the record. */
SW_API void sw__keeper_end(struct sw__keeper *k, struct sw_build *b);
/** sw__keeper_free - one that was not ended leaves no record. */
SW_API void sw__keeper_free(struct sw__keeper *k);

/* ---- Parts of stories ---- */

/* One part, one frame once unpacked, and all that is kept of a story. */
enum {
        SW__STORY_PART_MAX = 8 << 20,
        SW__STORY_FRAME_MAX = 16 << 20,
        SW__STORY_MAX = 32 << 20,
        SW__STORY_TEXT_MAX = 256 << 10, /* of a text in which a mistake is */
};

/** sw__storypart_add - append one. A batch that makes more than SW__STORY_PART_MAX is left
 *  out. */
SW_API void sw__storypart_add(const struct sw_progress_batch *b, sw_buf *out);
/** sw__storypart_take - the part that begins at @p. @a: everything in @out lives there.
 *  Returns how many bytes it took; 0: there is no sound one. */
SW_API size_t sw__storypart_take(const char *p, size_t n, struct sw__pb_arena *a,
                                 struct sw_progress_batch *out);

/** sw__storyframe_add - append @parts as a frame of the file. */
SW_API void sw__storyframe_add(const sw_buf *parts, sw_buf *out);
/** sw__storyframe_take - the frame that begins at @p, unpacked into the empty @out. Returns
 *  how many bytes it took; 0: there is no sound one. */
SW_API size_t sw__storyframe_take(const char *p, size_t n, sw_buf *out);

/** sw__story_read - the story whose file has the bytes in @file, which are given: for
 *  tests. */
SW_API sw_history_story *sw__story_read(sw_buf *file);

#endif
