/*
 * tests/contract/snaplayers.c - rules of layers and stacks: states, keys, what hides what,
 * views, writable mounts, usage, list, remove.
 */
#include "tests/contract/snapshotter.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <slipway/map.h>

static const int not_found[] = { SW_E_NOT_FOUND, 0 };
static const int exists[] = { SW_E_EXISTS, 0 };
static const int invalid[] = { SW_E_INVALID, 0 };

static void
check_keys(struct snap *s)
{
        static const char *const bad[] = { "",   ".",       "..",  "../x", "a/b",
                                           "-x", ".hidden", "a b", "a\nb" };
        sw_auto(sw_str) lengthy = sw_alloc(130);
        sw_auto(sw_str) longest = sw_alloc(129);
        unsigned wrong = 0;
        sw_err *err;

        memset(lengthy, 'x', 129);
        memset(longest, 'y', 128);
        for (size_t i = 0; i <= SW_COUNT(bad); i++) {
                const char *key = i < SW_COUNT(bad) ? bad[i] : lengthy;

                err = s->ops->prepare(s->store, s->ctx, key, NOTHING);
                wrong += sw_err_code(err) != SW_E_INVALID;
                sw_err_free(err);
                err = s->ops->prepare(s->store, s->ctx, "fine", STACK(key));
                wrong += sw_err_code(err) != SW_E_INVALID &&
                         sw_err_code(err) != SW_E_NOT_FOUND;
                sw_err_free(err);
                err = s->ops->remove(s->store, s->ctx, key);
                wrong += sw_err_code(err) != SW_E_INVALID;
                sw_err_free(err);
        }
        contract_check(s->c, wrong == 0, "keys that cannot be one are refused",
                       "%u accepted", wrong);
        contract_ok(s->c, s->ops->prepare(s->store, s->ctx, longest, NOTHING),
                    "a key of 128 characters can be prepared");
        contract_ok(s->c, s->ops->commit(s->store, s->ctx, longest),
                    "a key of 128 characters can be committed");
        snap_paths(s, STACK(longest), "", "a key of 128 characters can be viewed");
        contract_refused(s->c, s->ops->prepare(s->store, s->ctx, "-", NOTHING), invalid,
                         "a key that is '-' is refused in order");
}

static void
check_states(struct snap *s)
{
        struct sw_snapshot_mount m = { .size = sizeof(m) };
        struct sw_snapshot_usage u;
        struct snap_writer w;
        sw_err *err;

        contract_refused(s->c, s->ops->commit(s->store, s->ctx, "none"), not_found,
                         "commit of what was not prepared is refused");
        contract_refused(s->c, s->ops->mount(s->store, s->ctx, "none", &m), not_found,
                         "mount of what was not prepared is refused");
        contract_refused(s->c, s->ops->write(s->store, s->ctx, "none", &w.ops, &w.w),
                         not_found, "write of what was not prepared is refused");
        contract_refused(s->c, s->ops->usage(s->store, s->ctx, "none", &u), not_found,
                         "usage of what was not prepared is refused");
        contract_refused(s->c, s->ops->view(s->store, s->ctx, STACK("none"), &m), not_found,
                         "a view of what is not there is refused");
        contract_refused(s->c, s->ops->prepare(s->store, s->ctx, "on-none", STACK("none")),
                         not_found, "prepare on what is not there is refused");
        contract_ok(s->c, s->ops->remove(s->store, s->ctx, "none"),
                    "remove of what is not there is fine");
        if (!snap_prepare(s, "one", NOTHING))
                return;
        contract_refused(s->c, s->ops->prepare(s->store, s->ctx, "one", NOTHING), exists,
                         "a key is not prepared twice");
        contract_refused(s->c, s->ops->view(s->store, s->ctx, STACK("one"), &m), not_found,
                         "an active layer is in no view");
        contract_refused(s->c, s->ops->prepare(s->store, s->ctx, "on-one", STACK("one")),
                         not_found, "an active layer is below no other");
        if (!snap_commit(s, "one"))
                return;
        contract_refused(s->c, s->ops->prepare(s->store, s->ctx, "one", NOTHING), exists,
                         "a committed key is not prepared again");
        contract_refused(s->c, s->ops->commit(s->store, s->ctx, "one"), NULL,
                         "commit is not repeated");
        err = s->ops->write(s->store, s->ctx, "one", &w.ops, &w.w);
        contract_refused(s->c, err, NULL, "a committed layer is not written");
        contract_refused(s->c, s->ops->mount(s->store, s->ctx, "one", &m), NULL,
                         "a committed layer is not mounted");
        contract_ok(s->c, s->ops->remove(s->store, s->ctx, "one"),
                    "a layer can be removed");
        contract_refused(s->c, s->ops->view(s->store, s->ctx, STACK("one"), &m), not_found,
                         "what was removed is not there");
        contract_ok(s->c, s->ops->prepare(s->store, s->ctx, "one", NOTHING),
                    "a key that was removed can be prepared");
        contract_ok(s->c, s->ops->remove(s->store, s->ctx, "one"),
                    "an active layer can be removed");
}

/* Layers used by the next checks:
 *      base  d/ d/a d/b e/ e/x f
 *      hide  d/ without d/a (whiteout); e/ opaque with e/y; f is a directory with f/z
 *      gone  without d and f */
static bool
make_layers(struct snap *s)
{
        struct snap_writer w;

        if (!snap_prepare(s, "base", NOTHING) || !snap_write(s, "base", &w))
                return false;
        TELL(&w, mkdir, "", META(0711, 5));
        TELL(&w, mkdir, "d", META(0755, 10));
        TELL(&w, data, "d/a", META(0644, 11), "a", 1);
        TELL(&w, data, "d/b", META(0644, 12), "b", 1);
        TELL(&w, mkdir, "e", META(0755, 13));
        TELL(&w, data, "e/x", META(0644, 14), "x", 1);
        TELL(&w, data, "f", META(0644, 15), "f", 1);
        if (!snap_finish(s, &w) || !snap_commit(s, "base") ||
            !snap_prepare(s, "hide", STACK("base")) || !snap_write(s, "hide", &w))
                return false;
        TELL(&w, mkdir, "d", META(0700, 20));
        TELL(&w, whiteout, "d/a");
        TELL(&w, mkdir, "e", META(0755, 21));
        TELL(&w, opaque, "e");
        TELL(&w, data, "e/y", META(0644, 22), "y", 1);
        TELL(&w, mkdir, "f", META(0755, 23));
        TELL(&w, data, "f/z", META(0644, 24), "z", 1);
        if (!snap_finish(s, &w) || !snap_commit(s, "hide") ||
            !snap_prepare(s, "gone", STACK("base", "hide")) || !snap_write(s, "gone", &w))
                return false;
        TELL(&w, whiteout, "d");
        TELL(&w, whiteout, "f");
        return snap_finish(s, &w) && snap_commit(s, "gone");
}

static void
check_stacks(struct snap *s)
{
        struct snap_writer w;

        if (!make_layers(s))
                return;
        snap_paths(s, NOTHING, "", "the tree of no layers is empty");
        snap_paths(s, STACK("base"), "d e f d/a d/b e/x", "one layer is a tree");
        snap_paths(s, STACK("base", "hide"), "d e f d/b e/y f/z",
                   "directories are joined, whiteouts and opaque directories hide");
        snap_paths(s, STACK("base", "hide", "gone"), "e e/y", "whiteouts hide directories");
        snap_paths(s, STACK("hide"), "d e f e/y f/z",
                   "whiteouts of what is not there are not seen");
        snap_paths(s, STACK("hide", "base"), "d e f d/a d/b e/x e/y",
                   "layers are stacked in any order");
        snap_paths(s, STACK("base", "gone", "hide"), "d e f e/y f/z",
                   "a directory over a whiteout does not bring back what is below");
        snap_paths(s, STACK("gone"), "", "a layer of whiteouts alone is an empty tree");
        snap_paths(s, STACK("base", "gone", "base"), "d e f d/a d/b e/x",
                   "a layer may be in a stack twice");
        if (!snap_prepare(s, "opaque-root", STACK("base")) ||
            !snap_write(s, "opaque-root", &w))
                return;
        TELL(&w, opaque, "");
        TELL(&w, data, "new", META(0644, 1), "n", 1);
        if (!snap_finish(s, &w) || !snap_commit(s, "opaque-root"))
                return;
        snap_paths(s, STACK("base", "opaque-root"), "new",
                   "an opaque root hides everything");
        snap_paths(s, STACK("base", "opaque-root", "hide"), "d e f new e/y f/z",
                   "an opaque root hides nothing above it");
}

static void
check_metadata(struct snap *s)
{
        sw_auto(sw_str) tree = snap_tree(s, STACK("base", "hide"));
        sw_auto(sw_str) want = sw_asprintf("d 40700 %u:%u 0.000000020", (unsigned) snap_uid,
                                           (unsigned) snap_gid);
        sw_auto(sw_str) root = sw_asprintf(". 40711 %u:%u 0.000000005", (unsigned) snap_uid,
                                           (unsigned) snap_gid);

        contract_check(s->c, tree && strstr(tree, want),
                       "a joined directory has the metadata of the upper one", "%s",
                       tree ? tree : "");
        contract_check(s->c, tree && strncmp(tree, root, strlen(root)) == 0,
                       "a root that was not told looks as the one below", "%s",
                       tree ? tree : "");
}

static void
check_readonly(struct snap *s)
{
        struct sw_snapshot_mount m, n;

        if (!snap_view(s, STACK("base"), &m))
                return;
        if (m.treefd >= 0) {
                contract_check(s->c, mkdirat(m.treefd, "new", 0755) < 0 && errno == EROFS,
                               "a view is read-only", "%s", strerror(errno));
                struct stat a, b;
                contract_check(s->c,
                               fstatat(m.treefd, "d", &a, 0) == 0 &&
                                       fstatat(m.dirfd, "d", &b, 0) == 0 &&
                                       a.st_ino == b.st_ino && a.st_dev == b.st_dev,
                               "dirfd and treefd are the same directory", NULL);
        }
        if (snap_view(s, STACK("base"), &n)) {
                snap_same(s, snap_manifest(m.dirfd), snap_manifest(n.dirfd),
                          "a stack can be viewed twice at once");
                (void) snap_unmount(s, &n);
        }
        (void) snap_unmount(s, &m);
}

/* What is changed through a mount is in the layer, and nowhere else. */
static void
check_mount(struct snap *s)
{
        struct sw_snapshot_mount m;

        if (!snap_prepare(s, "mounted", STACK("base")) || !snap_mount(s, "mounted", &m))
                return;
        char *below = snap_tree(s, STACK("base"));
        contract_check(s->c,
                       unlinkat(m.dirfd, "d/a", 0) == 0 &&
                               mkdirat(m.dirfd, "new", 0755) == 0 &&
                               mkdirat(m.dirfd, "new/in", 0755) == 0 &&
                               renameat(m.dirfd, "f", m.dirfd, "new/f") == 0 &&
                               unlinkat(m.dirfd, "e/x", 0) == 0 &&
                               unlinkat(m.dirfd, "e", AT_REMOVEDIR) == 0 &&
                               mkdirat(m.dirfd, "e", 0750) == 0,
                       "a mounted layer can be written", "%s", strerror(errno));
        char *seen = snap_manifest(m.dirfd);
        (void) snap_unmount(s, &m);
        if (snap_mount(s, "mounted", &m)) {
                snap_same(s, sw_strdup(seen), snap_manifest(m.dirfd),
                          "a layer can be mounted again");
                (void) snap_unmount(s, &m);
        }
        if (snap_commit(s, "mounted"))
                snap_same(s, seen, snap_tree(s, STACK("base", "mounted")),
                          "what was written through a mount is in the layer");
        else
                free(seen);
        snap_same(s, below, snap_tree(s, STACK("base")), "layers below stay as they are");
        snap_paths(s, STACK("mounted"), "d e new new/f new/in",
                   "a layer has only what was changed");
        if (snap_simple(s, "other", NOTHING))
                snap_paths(s, STACK("other", "mounted"), "d e new other new/f new/in",
                           "a layer can be put on other layers");
        /* "new" was made where there was none: what another layer has in one stays */
        struct snap_writer w;
        if (!snap_prepare(s, "has-new", NOTHING) || !snap_write(s, "has-new", &w))
                return;
        TELL(&w, mkdir, "new", META(0755, 1));
        TELL(&w, data, "new/kept", META(0644, 1), "k", 1);
        if (snap_finish(s, &w) && snap_commit(s, "has-new"))
                snap_paths(s, STACK("has-new", "mounted"), "d e new new/f new/in new/kept",
                           "a directory that was made where there was none joins another "
                           "layer's");
}

static void
check_mount_then_write(struct snap *s)
{
        struct sw_snapshot_mount m;
        struct snap_writer w;

        if (!snap_prepare(s, "both", STACK("base")) || !snap_mount(s, "both", &m))
                return;
        contract_check(s->c, unlinkat(m.dirfd, "d/a", 0) == 0, "a file can be removed",
                       NULL);
        (void) snap_unmount(s, &m);
        if (!snap_write(s, "both", &w))
                return;
        TELL(&w, mkdir, "d", META(0755, 9));
        TELL(&w, data, "d/c", META(0644, 9), "c", 1);
        TELL(&w, whiteout, "e");
        if (!snap_finish(s, &w) || !snap_mount(s, "both", &m))
                return;
        contract_check(s->c, unlinkat(m.dirfd, "f", 0) == 0, "a file can be removed later",
                       "%s", strerror(errno));
        (void) snap_unmount(s, &m);
        if (snap_commit(s, "both"))
                snap_paths(s, STACK("base", "both"), "d d/b d/c",
                           "a layer may be mounted, then written, then mounted");
}

/* What a command leaves as it was is no part of its layer. */
static void
check_untouched(struct snap *s)
{
        struct sw_snapshot_mount m;
        struct stat st;

        if (!snap_prepare(s, "untouched", STACK("base")) || !snap_mount(s, "untouched", &m))
                return;
        const bool done = fstatat(m.dirfd, "d", &st, 0) == 0 &&
                          mkdirat(m.dirfd, "d/tmp", 0755) == 0 &&
                          mkdirat(m.dirfd, "d/tmp/deep", 0755) == 0 &&
                          unlinkat(m.dirfd, "d/tmp/deep", AT_REMOVEDIR) == 0 &&
                          unlinkat(m.dirfd, "d/tmp", AT_REMOVEDIR) == 0;
        const struct timespec times[2] = { st.st_atim, st.st_mtim };
        contract_check(s->c, done && utimensat(m.dirfd, "d", times, 0) == 0,
                       "something can be made and removed", "%s", strerror(errno));
        (void) snap_unmount(s, &m);
        if (snap_commit(s, "untouched"))
                snap_paths(s, STACK("untouched"), "",
                           "a directory that was left as it was is not in the layer");
}

static bool
mount_root(struct snap *s, const char *key, struct sw_snapshot_mount *m)
{
        *m = (struct sw_snapshot_mount){ .size = sizeof(*m), .dirfd = -1, .treefd = -1 };
        sw_err *err = s->ops->mount_root(s->store, s->ctx, key, m);

        contract_ok(s->c, err, "mount_root works");
        return m->dirfd >= 0;
}

/* What containers mount on is there, but where a layer says otherwise; and in no layer. */
static void
check_root(struct snap *s)
{
        static const char *const places[] = { "proc", "sys", "dev", "etc/hosts",
                                              "etc/resolv.conf" };
        struct sw_snapshot_mount m;
        struct snap_writer w;
        struct stat st;
        size_t n = 0;

        if (!snap_prepare(s, "root", STACK("base")) || !mount_root(s, "root", &m))
                return;
        for (size_t i = 0; i < SW_COUNT(places); i++)
                n += fstatat(m.dirfd, places[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                     (S_ISDIR(st.st_mode) ? (st.st_mode & 07777) == 0755
                                          : S_ISREG(st.st_mode) && st.st_size == 0);
        contract_check(s->c, n == SW_COUNT(places) && faccessat(m.dirfd, "f", F_OK, 0) == 0,
                       "a container's root has places to mount on", "%zu of %zu", n,
                       SW_COUNT(places));
        int fd = openat(m.dirfd, "etc/made", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        contract_check(s->c, fd >= 0, "beside them something can be made", "%s",
                       strerror(errno));
        (void) close(fd);
        (void) snap_unmount(s, &m);
        if (snap_commit(s, "root"))
                snap_paths(s, STACK("root"), "etc etc/made",
                           "places to mount on are no part of the layer");
        if (!snap_prepare(s, "file-etc", NOTHING) || !snap_write(s, "file-etc", &w))
                return;
        TELL(&w, data, "etc", META(0600, 1), "x", 1);
        if (!snap_finish(s, &w) || !snap_commit(s, "file-etc") ||
            !snap_prepare(s, "over-file", STACK("file-etc")) ||
            !mount_root(s, "over-file", &m))
                return;
        contract_check(s->c, fstatat(m.dirfd, "etc", &st, 0) == 0 && S_ISREG(st.st_mode),
                       "what a layer has is not hidden by them", NULL);
        (void) snap_unmount(s, &m);
}

struct seen {
        unsigned active, committed, other;
};

static bool
note_seen(void *arg, const char *key, bool committed)
{
        struct seen *n = arg;

        if (strcmp(key, "l-active") == 0 && !committed)
                n->active++;
        else if (strcmp(key, "l-committed") == 0 && committed)
                n->committed++;
        else
                n->other++;
        return true;
}

static bool
note_one(void *arg, const char *key, bool committed)
{
        (void) key;
        (void) committed;
        ++*(unsigned *) arg;
        return false;
}

static void
check_list(struct contract *c)
{
        struct snap s;
        struct seen n = { 0 };
        unsigned calls = 0;

        if (!snap_open(&s, c, "list"))
                return;
        if (snap_prepare(&s, "l-active", NOTHING) &&
            snap_simple(&s, "l-committed", NOTHING) &&
            snap_simple(&s, "l-removed", NOTHING)) {
                contract_ok(c, s.ops->remove(s.store, s.ctx, "l-removed"), "remove works");
                snap_reopen(&s);
                contract_ok(c, s.ops->list(s.store, s.ctx, note_seen, &n), "list works");
                contract_check(c, n.active == 1 && n.committed == 1 && n.other == 0,
                               "list tells every layer once, and its state",
                               "%u, %u, %u others", n.active, n.committed, n.other);
                contract_ok(c, s.ops->list(s.store, s.ctx, note_one, &calls), "list works");
                contract_check(c, calls == 1, "list ends when it is told to", "%u calls",
                               calls);
                snap_paths(&s, STACK("l-committed"), "l-committed",
                           "layers are there after a close");
        }
        snap_close(&s);
}

/* ---- usage -----------------------------------------------------------------------------
 */

struct sum {
        struct snap *s;
        int64_t bytes;
};

static bool
add_usage(void *arg, const char *key, bool committed)
{
        struct sum *sum = arg;
        struct sw_snapshot_usage u = { 0 };

        (void) committed;
        sw_err *err = sum->s->ops->usage(sum->s->store, sum->s->ctx, key, &u);
        if (err) /* a success of each is not worth a line */
                contract_ok(sum->s->c, err, "usage of a layer that is listed");
        sum->bytes += u.bytes;
        return true;
}

static int64_t du_bytes; /* nftw has no argument */
static sw_map *du_seen;

static int
add_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
        const uint64_t id[2] = { st->st_dev, st->st_ino };

        (void) path;
        (void) flag;
        (void) ftw;
        if (sw_map_set_bytes(du_seen, id, sizeof(id), du_seen))
                du_bytes += (int64_t) st->st_blocks * 512;
        return 0;
}

/* Catches: what is counted twice, or not at all. */
void
snap_check_usage(struct snap *s)
{
        struct sum sum = { .s = s };

        contract_ok(s->c, s->ops->list(s->store, s->ctx, add_usage, &sum), "list works");
        (void) add_usage(&sum, "", true);
        s->ops->close(s->self, s->store); /* what only lives as long as the store is gone */
        s->store = NULL;
        du_bytes = 0;
        du_seen = sw_map_new(NULL);
        (void) nftw(s->path, add_file, 16, FTW_PHYS);
        sw_map_free(du_seen);
        contract_check(
                s->c, sum.bytes == du_bytes,
                "usage of all layers and of the rest is what du(1) says of the store",
                "%lld, not %lld", (long long) sum.bytes, (long long) du_bytes);
        snap_reopen(s);
}

static void
check_high(struct contract *c)
{
        enum { HEIGHT = 600 };
        struct snap s;
        const char *keys[HEIGHT];
        bool ok = true;
        size_t n;

        if (!snap_open(&s, c, "high"))
                return;
        for (n = 0; n < HEIGHT && ok; n++) {
                struct snap_writer w;
                char data[16];

                keys[n] = sw_asprintf("layer-%zu", n);
                const struct sw_stack below = { keys, n };
                ok = snap_prepare(&s, keys[n], &below) && snap_write(&s, keys[n], &w);
                if (!ok)
                        continue;
                (void) snprintf(data, sizeof(data), "%zu", n);
                TELL(&w, mkdir, "d", META(0755, (int64_t) n));
                if (n == HEIGHT - 1)
                        TELL(&w, whiteout, "d/0");
                else
                        TELL(&w, data, n % 2 ? "d/odd" : data, META(0644, (int64_t) n),
                             data, strlen(data));
                if (n % 2 == 0 && n != HEIGHT - 1) {
                        sw_auto(sw_str) path = sw_asprintf("d/%s", data);

                        TELL(&w, whiteout, data);
                        TELL(&w, data, path, META(0644, (int64_t) n), data, strlen(data));
                }
                ok = snap_finish(&s, &w) && snap_commit(&s, keys[n]);
        }
        const struct sw_stack all = { keys, n };
        sw_auto(sw_str) tree = ok ? snap_tree(&s, &all) : NULL;
        size_t lines = 0;
        for (const char *p = tree; p && (p = strchr(p, '\n')); p++)
                lines++;
        /* the root, d, odd, and the even ones but 0 */
        contract_check(c, lines == 2 + 1 + HEIGHT / 2 - 1,
                       "a stack of 600 layers has everything that is in them",
                       "%zu entries", lines);
        struct sw_snapshot_mount m;
        if (ok && snap_prepare(&s, "top", &all) && snap_mount(&s, "top", &m)) {
                contract_check(c,
                               unlinkat(m.dirfd, "d/2", 0) == 0 &&
                                       mkdirat(m.dirfd, "n", 0700) == 0,
                               "a layer on 600 others can be written", "%s",
                               strerror(errno));
                (void) snap_unmount(&s, &m);
        }
        snap_check_usage(&s);
        while (n-- > 0)
                free((char *) (uintptr_t) keys[n]);
        snap_close(&s);
}

void
snap_check_layers(struct contract *c)
{
        struct snap s;

        if (!snap_open(&s, c, "layers"))
                return;
        check_keys(&s);
        check_states(&s);
        check_stacks(&s);
        check_metadata(&s);
        check_readonly(&s);
        check_mount(&s);
        check_mount_then_write(&s);
        check_untouched(&s);
        if (SW_OPS_HAS(s.ops, struct sw_snapshotter_ops, mount_root))
                check_root(&s);
        snap_check_usage(&s);
        snap_close(&s);
        check_list(c);
        if (!c->quick)
                check_high(c);
}
