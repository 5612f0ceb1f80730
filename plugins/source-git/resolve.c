/*
 * plugins/source-git/resolve.c - what a ref stands for now: the same for all that one
 * client asks for, which is one build, though the branch may move meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/time.h>

#include "plugins/source-git/run.h"

enum { MAX_LIST = 4 * 1024 * 1024 };
#define MAX_MEMORY (INT64_C(2) << 30)
#define FRESH_NS   (600 * SW_NS_PER_SEC)

static sw_err *
ask(const struct runner *r, int cwd_fd, struct resolved *out)
{
        const char *ref = r->spec->ref;
        const bool head = !*ref || strcmp(ref, "HEAD") == 0;
        sw_auto(sw_str) peeled = sw_asprintf("%s^{}", ref);
        const char *const by_name[] = { "ls-remote", "--quiet", "--end-of-options",
                                        "origin",    ref,       peeled,
                                        NULL };
        const char *const by_head[] = { "ls-remote", "--quiet",
                                        "--symref",  "--end-of-options",
                                        "origin",    "HEAD",
                                        NULL };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const struct run q = {
                .args = head ? by_head : by_name,
                .reach = RUN_REMOTE,
                .cwd_fd = cwd_fd,
                .git_dir = "/dev/null", /* not one that the directory may be in */
                .out = &text,
                .limit = MAX_LIST,
                .memory = MAX_MEMORY,
        };
        sw_err *err = git_run(r, &q);

        if (err)
                return sw_err_wrap(err, "failed to fetch remote %s", r->spec->remote.url);
        if (memchr(text.data, '\0', text.len))
                return sw_err_new(SW_E_REMOTE, "git ls-remote: zero bytes are in it");
        return resolved_read(text.data, head ? "" : ref, out);
}

/* ---- what was answered ---- */

/* An answer, or one that is waited for. */
struct answer {
        pthread_mutex_t asking; /* held by who asks; guards the rest but for users */
        unsigned users;         /* under the plugin's lock */
        struct resolved what;   /* ref NULL: there is no answer yet */
        int64_t at;             /* monotonic */
};

static void
answer_free(void *p)
{
        struct answer *a = p;

        pthread_mutex_destroy(&a->asking);
        free(a->what.ref);
        free(a);
}

void
resolve_init(struct git *plugin)
{
        pthread_mutex_init(&plugin->lock, NULL);
        plugin->answers = sw_map_new(answer_free);
}

void
resolve_end(struct git *plugin)
{
        sw_map_free(plugin->answers);
        pthread_mutex_destroy(&plugin->lock);
}

static void
forget_old_locked(struct git *plugin)
{
        const int64_t now = sw_time_mono();
        struct sw_map_iter it = SW_MAP_ITER(plugin->answers);

        while (sw_map_next(&it)) {
                const struct answer *a = it.value;

                if (a->users == 0 && (!a->what.ref || now - a->at >= FRESH_NS))
                        (void) sw_map_remove_bytes(plugin->answers, it.key, it.keylen);
        }
}

/* The place for the answer to what this client asks. */
static struct answer *
answer_take(const struct runner *r)
{
        struct git *plugin = r->plugin;
        sw_auto(sw_str) key = sw_asprintf("%s %s#%s", sw_session_id(r->session),
                                          r->spec->remote.url, r->spec->ref);

        pthread_mutex_lock(&plugin->lock);
        forget_old_locked(plugin);
        struct answer *a = sw_map_get(plugin->answers, key);
        if (!a) {
                a = sw_new(struct answer);
                pthread_mutex_init(&a->asking, NULL);
                (void) sw_map_set(plugin->answers, key, a);
        }
        a->users++;
        pthread_mutex_unlock(&plugin->lock);
        return a;
}

static void
answer_give(struct git *plugin, struct answer *a)
{
        pthread_mutex_lock(&plugin->lock);
        a->users--;
        pthread_mutex_unlock(&plugin->lock);
}

/* Ask, unless somebody else did for the same client. */
static sw_err *
ask_once(const struct runner *r, int cwd_fd, struct resolved *out)
{
        if (!r->session)
                return ask(r, cwd_fd, out);
        struct answer *a = answer_take(r);
        sw_err *err = sw_ctx_lock(r->ctx, &a->asking);

        if (!err) {
                if (a->what.ref && sw_time_mono() - a->at >= FRESH_NS)
                        sw_str_clear(&a->what.ref);
                if (!a->what.ref) {
                        err = ask(r, cwd_fd, &a->what);
                        a->at = sw_time_mono();
                }
                if (!err) {
                        *out = a->what;
                        out->ref = sw_strdup(a->what.ref);
                }
                pthread_mutex_unlock(&a->asking);
        }
        answer_give(r->plugin, a);
        return err;
}

sw_err *
resolve_ref(const struct runner *r, int cwd_fd, struct resolved *out)
{
        const struct spec *s = r->spec;
        sw_err *err = SW_OK;

        if (ref_is_commit(s->ref)) {
                (void) snprintf(out->sha, sizeof(out->sha), "%s", s->ref);
                out->ref = sw_strdup(s->ref);
        } else {
                err = ask_once(r, cwd_fd, out);
        }
        return err ? err : check_checksum(s, out->sha, out->commit);
}
