/*
 * tests/contract/snapshotter.c - the rules of snapshotters (slipway/snapshotter.h): the
 * suite, and what its parts share.
 *
 * Rules are checked by what can be seen from outside: results of calls, and trees as views
 * show them. Nothing here knows how a snapshotter keeps its layers.
 */
#include "tests/contract/snapshotter.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <slipway/path.h>

uid_t snap_uid;
gid_t snap_gid;

/* Whether owners and devices can be set: not by everybody who is root in a namespace. */
static bool
can_set_owners(int dirfd)
{
        const bool can = mknodat(dirfd, "trial", S_IFCHR | 0600, makedev(1, 3)) == 0 &&
                         fchownat(dirfd, "trial", 12, 34, 0) == 0;

        (void) unlinkat(dirfd, "trial", 0);
        return can;
}

bool
snap_open(struct snap *s, struct contract *c, const char *name)
{
        const struct sw_ops_hdr *ops;
        void *self;
        sw_err *err =
                sw_host_lookup(c->host, SW_KIND_SNAPSHOTTER, c->info->name, &ops, &self);

        *s = (struct snap){ .c = c, .dirfd = -1 };
        s->path = sw_asprintf("%s/%s", c->workdir, name);
        snap_uid = geteuid();
        snap_gid = getegid();
        if (!err && mkdir(s->path, 0700) < 0)
                err = sw_err_sys(SW_E_IO, errno, "make %s", s->path);
        if (!err) {
                s->dirfd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                s->root = can_set_owners(s->dirfd);
                s->ops = (const struct sw_snapshotter_ops *) ops;
                s->self = self;
                s->ctx = sw_ctx_new(NULL, NULL, NULL, NULL, c->info->name);
                err = s->ops->open(self, s->ctx, s->dirfd, &s->store);
        }
        if (err) {
                contract_ok(c, err, "a store can be opened on an empty directory");
                s->store = NULL;
                snap_close(s);
                return false;
        }
        return true;
}

void
snap_reopen(struct snap *s)
{
        if (s->store)
                s->ops->close(s->self, s->store);
        s->store = NULL;
        contract_ok(s->c, s->ops->open(s->self, s->ctx, s->dirfd, &s->store),
                    "a store can be opened again");
        if (!s->store) {
                fprintf(stderr, "slipway-contract: without a store there is no going on\n");
                exit(1);
        }
}

void
snap_close(struct snap *s)
{
        if (s->store)
                s->ops->close(s->self, s->store);
        sw_ctx_free(s->ctx);
        if (s->dirfd >= 0)
                (void) close(s->dirfd);
        free(s->path);
}

/* A failure that is not expected is a broken rule; there is no line for a success. */
static bool
must(struct snap *s, sw_err *err, const char *what)
{
        if (!err)
                return true;
        contract_ok(s->c, err, what);
        return false;
}

bool
snap_prepare(struct snap *s, const char *key, const struct sw_stack *lower)
{
        return must(s, s->ops->prepare(s->store, s->ctx, key, lower), "prepare works");
}

bool
snap_commit(struct snap *s, const char *key)
{
        return must(s, s->ops->commit(s->store, s->ctx, key), "commit works");
}

bool
snap_view(struct snap *s, const struct sw_stack *st, struct sw_snapshot_mount *m)
{
        *m = (struct sw_snapshot_mount){ .size = sizeof(*m), .dirfd = -1, .treefd = -1 };
        return must(s, s->ops->view(s->store, s->ctx, st, m), "view works");
}

bool
snap_mount(struct snap *s, const char *key, struct sw_snapshot_mount *m)
{
        *m = (struct sw_snapshot_mount){ .size = sizeof(*m), .dirfd = -1, .treefd = -1 };
        return must(s, s->ops->mount(s->store, s->ctx, key, m), "mount works");
}

bool
snap_unmount(struct snap *s, struct sw_snapshot_mount *m)
{
        return must(s, s->ops->unmount(s->store, m), "unmount works");
}

bool
snap_write(struct snap *s, const char *key, struct snap_writer *w)
{
        w->err = SW_OK;
        return must(s, s->ops->write(s->store, s->ctx, key, &w->ops, &w->w),
                    "write gives a layer writer");
}

bool
snap_finish(struct snap *s, struct snap_writer *w)
{
        if (w->err) {
                w->ops->abandon(w->w);
                return must(s, w->err, "the layer writer takes what it is told");
        }
        return must(s, w->ops->finish(w->w), "finish works");
}

bool
snap_simple(struct snap *s, const char *key, const struct sw_stack *lower)
{
        struct snap_writer w;

        if (!snap_prepare(s, key, lower) || !snap_write(s, key, &w))
                return false;
        TELL(&w, data, key, META(0644, 1), key, strlen(key));
        return snap_finish(s, &w) && snap_commit(s, key);
}

/* What lookups tell is what is mounted; there is no line for a success. */
static void
check_looked(struct snap *s, const struct sw_stack *st, const char *manifest)
{
        struct stat none;
        void *look;

        if (!must(s, s->ops->look(s->store, s->ctx, st, &look), "look works"))
                return;
        sw_auto(sw_str) looked = snap_looked(s->ops, look);
        sw_err *err = s->ops->look_stat(look, "not/there", &none);
        s->ops->look_close(look);
        if (sw_err_code(err) != SW_E_NOT_FOUND)
                contract_check(s->c, false, "what is not there is not found by a lookup",
                               "%s", sw_err_message(err));
        sw_err_free(err);
        if (strcmp(looked, manifest) != 0)
                snap_same(s, sw_strdup(manifest), sw_strdup(looked),
                          "lookups tell what a view shows");
}

char *
snap_tree(struct snap *s, const struct sw_stack *st)
{
        struct sw_snapshot_mount m;

        if (!snap_view(s, st, &m))
                return NULL;
        char *manifest = snap_manifest(m.dirfd);
        (void) snap_unmount(s, &m);
        if (SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, look))
                check_looked(s, st, manifest);
        return manifest;
}

void
snap_same(struct snap *s, char *a, char *b, const char *rule)
{
        const char *x = a ? a : "(none)", *y = b ? b : "(none)";

        while (*x && *y && strncmp(x, y, strcspn(x, "\n") + 1) == 0) {
                x += strcspn(x, "\n") + 1;
                y += strcspn(y, "\n") + 1;
        }
        contract_check(s->c, a && b && strcmp(a, b) == 0, rule,
                       "\"%.*s\" instead of \"%.*s\"", (int) strcspn(y, "\n"), y,
                       (int) strcspn(x, "\n"), x);
        free(a);
        free(b);
}

void
snap_paths(struct snap *s, const struct sw_stack *st, const char *paths, const char *rule)
{
        sw_auto(sw_str) tree = snap_tree(s, st);
        sw_auto(sw_buf) seen = SW_BUF_INIT;

        for (const char *p = tree; p && *p; p += strcspn(p, "\n") + 1) {
                const size_t n = strcspn(p, " ");

                if (n == 1 && *p == '.')
                        continue;
                sw_buf_addf(&seen, "%s%.*s", seen.len ? " " : "", (int) n, p);
        }
        contract_check(s->c, strcmp(seen.data, paths) == 0, rule, "%s instead of %s",
                       seen.data, paths);
}

char *
snap_calls(struct snap *s, const struct sw_stack *lower, const struct sw_stack *upper)
{
        sw_buf text = SW_BUF_INIT;

        if (!must(s, s->ops->diff(s->store, s->ctx, lower, upper, &snap_recorder, &text),
                  "diff works")) {
                sw_buf_release(&text);
                return NULL;
        }
        return text.len ? sw_buf_detach(&text) : sw_strdup("");
}

bool
snap_apply(struct snap *s, const char *key, const struct sw_stack *on,
           const struct sw_stack *lower, const struct sw_stack *upper)
{
        struct snap_writer w;

        if (!snap_prepare(s, key, on) || !snap_write(s, key, &w))
                return false;
        w.err = s->ops->diff(s->store, s->ctx, lower, upper, w.ops, w.w);
        return snap_finish(s, &w) && snap_commit(s, key);
}

static bool
never_called(void *arg, const char *key, bool committed)
{
        (void) key;
        (void) committed;
        *(bool *) arg = true;
        return true;
}

static bool
check_probe(struct contract *c)
{
        const struct sw_ops_hdr *hdr;
        void *self;
        sw_auto(sw_str) path = sw_asprintf("%s/probe", c->workdir);
        sw_err *err =
                sw_host_lookup(c->host, SW_KIND_SNAPSHOTTER, c->info->name, &hdr, &self);
        const struct sw_snapshotter_ops *ops = (const struct sw_snapshotter_ops *) hdr;

        if (!err && mkdir(path, 0700) < 0)
                err = sw_err_sys(SW_E_IO, errno, "make %s", path);
        sw_auto(sw_fd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const unsigned before = contract_count_fds();
        if (!err)
                err = ops->probe(self, NULL, fd);
        if (err && sw_err_code(err) == SW_E_UNSUPPORTED) {
                static const int codes[] = { SW_E_UNSUPPORTED, 0 };

                printf("# %s\n", sw_err_message(err));
                contract_refused(c, err, codes, "says why it does not work here");
                return false;
        }
        contract_ok(c, err, "probe finds that it works here");
        contract_check(c, rmdir(path) == 0, "probe leaves nothing behind", NULL);
        contract_check(c, contract_count_fds() == before, "probe keeps no descriptor",
                       NULL);
        return !err;
}

void
contract_snapshotter(struct contract *c)
{
        struct snap s;
        bool called = false;

        if (!check_probe(c) || !snap_open(&s, c, "empty"))
                return;
        contract_ok(c, s.ops->list(s.store, s.ctx, never_called, &called),
                    "a new store can be listed");
        contract_check(c, !called, "a new store has no layers", NULL);
        snap_close(&s);
        const unsigned before = contract_count_fds();
        snap_check_layers(c);
        snap_check_writer(c);
        snap_check_share(c);
        snap_check_diff(c);
        snap_check_faults(c);
        contract_check(c, contract_count_fds() == before, "keeps no descriptor after close",
                       "%u instead of %u", contract_count_fds(), before);
}
