/*
 * core/solver/story_warn.c - warnings of a story: what is written once and never changes,
 * so that batches borrow it.
 *
 * A vertex's story is shared by the jobs that hold the vertex, while what a frontend has to
 * say of one is for its own job alone: such warnings stand in a record that is no step,
 * each with the digest of its vertex.
 * Thread: any; under story->lock.
 */
#include <string.h>

#include <slipway/time.h>

#include "core/solver/solver.h"
#include "core/solver/story_impl.h"

#define DETAIL_MAX 64            /* lines */
#define DATA_MAX   (1024 * 1024) /* bytes of a source; a longer one is left out */

struct sw__story_vertex *
sw__story_warnings(struct sw__story_job *j)
{
        struct sw__story_vertex *v =
                sw__story_vertex_new(j->story, &(sw_digest){ .b = { 0 } }, NULL, 0);

        v->silent = true;
        sw__story_join(j, v, NULL, NULL);
        return v;
}

void
sw__story_warning_free(struct warning *w)
{
        sw_strlist_release(&w->detail);
        free((void *) w->told.text);
        free((void *) w->told.url);
        free((void *) w->source.file);
        free((void *) w->source.language);
        free(w->data);
        free(w);
}

static void
copy_source(struct warning *w, const struct sw_err_source *from)
{
        w->source = *from;
        w->source.file = sw__story_cut(from->file ? from->file : "");
        w->source.language = from->language ? sw__story_cut(from->language) : NULL;
        w->source.data = NULL;
        w->told.source = &w->source;
        if (!from->data || from->len > DATA_MAX) {
                w->source.len = 0;
                return;
        }
        w->source.data = w->data = sw_alloc(from->len + 1);
        memcpy(w->data, from->data, from->len);
}

static struct warning *
copy_warning(const struct sw_progress_warning *from)
{
        struct warning *w = sw_new(struct warning);

        w->told = (struct sw_progress_warning){ .vertex = from->vertex,
                                                .timestamp = sw_time_now(),
                                                .text = sw__story_cut(from->text),
                                                .url = from->url ? sw__story_cut(from->url)
                                                                 : NULL,
                                                .level = from->level };
        for (const char *const *d = from->detail; d && *d && w->detail.n < DETAIL_MAX; d++)
                sw_strlist_take(&w->detail, sw__story_cut(*d));
        if (w->detail.n) {
                sw_strlist_take(&w->detail, NULL);
                w->told.detail = (const char *const *) w->detail.v;
        }
        if (from->source)
                copy_source(w, from->source);
        return w;
}

/* Many warnings are about one text, which is kept once. */
static void
share_data_locked(const struct sw__story_vertex *v, struct warning *w)
{
        for (size_t i = 0; w->data && i < v->warnings.n; i++) {
                const struct warning *o = v->warnings.v[i];

                if (!o->data || o->source.len != w->source.len ||
                    memcmp(o->data, w->data, w->source.len) != 0)
                        continue;
                free(w->data);
                w->data = NULL;
                w->source.data = o->data;
        }
}

void
sw__story_warn(struct sw__story_vertex *v, const struct sw_progress_warning *from)
{
        struct warning *w = copy_warning(from);

        pthread_mutex_lock(&v->story->lock);
        if (v->warnings.n < WARNINGS_MAX) {
                share_data_locked(v, w);
                w->seq = sw__story_touch_locked(v, FOR_ALL);
                sw_array_push(&v->warnings, w);
                w = NULL;
        }
        pthread_mutex_unlock(&v->story->lock);
        if (w)
                sw__story_warning_free(w);
}
