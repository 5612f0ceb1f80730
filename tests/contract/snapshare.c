/*
 * tests/contract/snapshare.c - files that layers have in common (share of the layer writer,
 * slipway/layer.h): the trees are those of copies, what is shared cannot be changed by way
 * of one of them, and disk usage adds up whoever goes first.
 */
#include "tests/contract/snapshotter.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const int invalid[] = { SW_E_INVALID, 0 };

enum { DIRS = 40, FILES = 400 };

static const char *
path_of(unsigned i, char out[32])
{
        (void) snprintf(out, 32, "d%u/f%u", i % DIRS, i);
        return out;
}

static bool
begin(struct snap *s, const char *key, struct snap_writer *w)
{
        if (!snap_prepare(s, key, NOTHING) || !snap_write(s, key, w))
                return false;
        for (unsigned i = 0; i < DIRS; i++) { /* more than a writer may keep open */
                char path[32];

                (void) snprintf(path, sizeof(path), "d%u", i);
                TELL(w, mkdir, path, META(0755, 5));
        }
        return true;
}

static bool
end(struct snap *s, const char *key, struct snap_writer *w)
{
        return snap_finish(s, w) && snap_commit(s, key);
}

/* Every file told; @other: a directory whose files are different. */
static void
tell_all(struct snap_writer *w, unsigned other)
{
        for (unsigned i = 0; i < FILES; i++) {
                char path[32];
                const char *data = i % DIRS == other ? "other" : "data";

                TELL(w, data, path_of(i, path), META(0640, 7), data, strlen(data));
        }
}

struct sharer {
        struct snap_writer w;
        const char *from;
        unsigned first, step, other, shared;
};

/* Share what is not in the directory @other, and tell that. */
static void *
share_some(void *arg)
{
        struct sharer *t = arg;

        for (unsigned i = t->first; i < FILES; i += t->step) {
                char path[32];
                bool done = false;

                (void) path_of(i, path);
                if (i % DIRS != t->other)
                        TELL(&t->w, share, path, META(0640, 7), 4, t->from, &done);
                else
                        TELL(&t->w, data, path, META(0640, 7), "other", 5);
                t->shared += done;
                if (i % DIRS != t->other && !done)
                        TELL(&t->w, data, path, META(0640, 7), "data", 4);
        }
        return NULL;
}

/* A layer @key that has all files of @from but those of a directory; returns how many it
 * shares. */
static unsigned
make_sharer(struct snap *s, const char *key, const char *from, unsigned other)
{
        enum { THREADS = 4 };
        struct snap_writer w;
        struct sharer t[THREADS];
        pthread_t threads[THREADS];
        unsigned shared = 0;

        if (!begin(s, key, &w))
                return 0;
        for (unsigned i = 0; i < THREADS; i++) {
                t[i] = (struct sharer){
                        .w = w, .from = from, .first = i, .step = THREADS, .other = other
                };
                if (pthread_create(&threads[i], NULL, share_some, &t[i]) != 0)
                        abort();
        }
        for (unsigned i = 0; i < THREADS; i++) {
                (void) pthread_join(threads[i], NULL);
                shared += t[i].shared;
                if (t[i].w.err)
                        contract_ok(s->c, t[i].w.err, "several threads can share files");
        }
        return end(s, key, &w) ? shared : 0;
}

/* Catches: a file that is changed in one layer and so in all. */
static void
check_changes(struct snap *s, const char *from)
{
        struct snap_writer w;
        bool done = false;

        if (!begin(s, "s-changes", &w))
                return;
        TELL(&w, share, "d1/f1", META(0640, 7), 4, from, &done);
        TELL(&w, share, "d2/f2", META(0640, 7), 4, from, &done);
        TELL(&w, share, "d2/f2", META(0640, 7), 4, from, &done); /* told again */
        if (!w.err && done) {
                contract_refused(s->c, w.ops->xattr(w.w, "d1/f1", "user.x", "y", 1),
                                 invalid, "what is shared gets no attributes");
                contract_refused(s->c,
                                 w.ops->hardlink(w.w, "d1/again", "d1/f1", META(0640, 7)),
                                 invalid, "what is shared gets no other name");
        }
        TELL(&w, data, "d1/f1", META(0600, 9), "mine", 4);
        TELL(&w, xattr, "d1/f1", "user.x", "y", 1);
        TELL(&w, hardlink, "d1/again", "d1/f1", META(0600, 9));
        (void) end(s, "s-changes", &w);
}

static void
check_refusals(struct snap *s, const char *from)
{
        static const struct {
                const char *path, *what;
                mode_t mode;
                int64_t mtime, len;
        } bad[] = {
                { "d0/none", "what is not there", 0640, 7, 4 },
                { "d0/f0", "another mode", 0644, 7, 4 },
                { "d0/f0", "another time", 0640, 8, 4 },
                { "d0/f0", "another size", 0640, 7, 5 },
                { "d0/l", "a symlink", 0777, 7, 4 },
                { "x/f0", "in what is no directory there", 0640, 7, 4 },
        };
        struct snap_writer w;
        bool done = true;

        if (!begin(s, "s-refused", &w))
                return;
        TELL(&w, mkdir, "x", META(0755, 5));
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                done = false;
                TELL(&w, share, bad[i].path, META(bad[i].mode, bad[i].mtime), bad[i].len,
                     from, &done);
                contract_check(s->c, !done, "only a file that is the same is shared",
                               "%s was", bad[i].what);
        }
        (void) end(s, "s-refused", &w);
        if (!begin(s, "s-gone", &w))
                return;
        done = false;
        TELL(&w, share, "d0/f0", META(0640, 7), 4, "no-such-layer", &done);
        contract_check(s->c, !done, "nothing is shared with a layer that is not there",
                       NULL);
        TELL(&w, data, "d0/f0", META(0640, 7), "data", 4);
        (void) end(s, "s-gone", &w);
}

static uint64_t
stamp_of(struct snap *s, const char *key)
{
        struct sw_snapshot_usage u = { 0 };
        uint64_t stamp = 0;

        contract_ok(s->c, s->ops->usage(s->store, s->ctx, key, &u), "usage of a sharer");
        const bool can = SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, usage_stamp);
        contract_check(s->c, can || !u.stamp, "a stamp that is set can be asked for", NULL);
        if (u.stamp && can)
                contract_ok(s->c, s->ops->usage_stamp(s->store, s->ctx, key, &stamp),
                            "what usage depends on can be asked for");
        contract_check(s->c, u.stamp == stamp, "usage() and usage_stamp() agree", NULL);
        return u.stamp;
}

/* Layers go, the first, one in between, the last: usage adds up, trees stay. */
static void
check_going(struct snap *s)
{
        static const char *const going[] = { "s-first", "s-2", "s-side", "s-3" };

        for (size_t i = 0; i < SW_COUNT(going); i++) {
                const uint64_t before = stamp_of(s, "s-4");

                contract_ok(s->c, s->ops->remove(s->store, s->ctx, going[i]),
                            "a layer whose files are shared can go");
                contract_check(s->c, before != stamp_of(s, "s-4"),
                               "usage of what is left says that it may have changed", NULL);
                snap_check_usage(s);
                snap_same(s, snap_tree(s, STACK("s-copy")), snap_tree(s, STACK("s-4")),
                          "a tree stays as it is when one goes that it shares files with");
        }
        contract_check(s->c, stamp_of(s, "s-4") == 0,
                       "usage of the one that is left does not change any more", NULL);
}

static void
check_share(struct snap *s)
{
        struct snap_writer w;

        if (!begin(s, "s-first", &w))
                return;
        if (!SW_OPS_HAS(w.ops, struct sw_layer_ops, share)) {
                w.ops->abandon(w.w);
                return;
        }
        tell_all(&w, DIRS);
        TELL(&w, symlink, "d0/l", META(0777, 7), "data");
        TELL(&w, symlink, "x", META(0777, 7), "d0");
        if (!end(s, "s-first", &w) || !begin(s, "s-copy", &w))
                return;
        tell_all(&w, 3);
        if (!end(s, "s-copy", &w))
                return;
        sw_auto(sw_str) first = snap_tree(s, STACK("s-first"));
        const unsigned n = make_sharer(s, "s-2", "s-first", 3);
        contract_check(s->c, n == FILES - FILES / DIRS, "files are shared", "%u of %d", n,
                       FILES);
        (void) make_sharer(s, "s-side", "s-first", 5); /* two of one */
        (void) make_sharer(s, "s-3", "s-2", 3);
        (void) make_sharer(s, "s-4", "s-3", 3);
        snap_same(s, snap_tree(s, STACK("s-copy")), snap_tree(s, STACK("s-2")),
                  "a tree with shared files is that of copies");
        snap_same(s, snap_tree(s, STACK("s-first", "s-copy")),
                  snap_tree(s, STACK("s-first", "s-4")),
                  "also above the one that it shares them with");
        check_changes(s, "s-first");
        check_refusals(s, "s-first");
        snap_same(s, sw_steal(first), snap_tree(s, STACK("s-first")),
                  "the layer that files are shared with stays as it is");
        snap_check_usage(s);
        check_going(s);
}

void
snap_check_share(struct contract *c)
{
        struct snap s;

        if (!snap_open(&s, c, "share"))
                return;
        check_share(&s);
        snap_close(&s);
}
