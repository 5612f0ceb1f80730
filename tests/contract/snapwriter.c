/*
 * tests/contract/snapwriter.c - rules of the layer writer of a snapshotter
 * (slipway/layer.h): what it refuses, what replaces what, metadata, odd names, hostile
 * links, several threads.
 */
#include "tests/contract/snapshotter.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static const int invalid[] = { SW_E_INVALID, 0 };
static const int not_found[] = { SW_E_NOT_FOUND, 0 };
static const int io[] = { SW_E_IO, 0 };

static bool
begin(struct snap *s, const char *key, const struct sw_stack *lower, struct snap_writer *w)
{
        return snap_prepare(s, key, lower) && snap_write(s, key, w);
}

static bool
end(struct snap *s, const char *key, struct snap_writer *w)
{
        return snap_finish(s, w) && snap_commit(s, key);
}

/* A file of @len bytes that are all @c. */
static int
make_file(char c, size_t len)
{
        char name[] = "/tmp/slipway-contract-file-XXXXXX", block[4096];
        int fd = mkostemp(name, O_CLOEXEC);

        (void) unlink(name);
        memset(block, c, sizeof(block));
        while (len > 0) {
                const size_t n = len < sizeof(block) ? len : sizeof(block);

                if (write(fd, block, n) != (ssize_t) n)
                        return -1;
                len -= n;
        }
        return fd;
}

/* What stream() reads: @left bytes that are all @c, in uneven pieces. */
struct flow {
        char c;
        int64_t left;
        int64_t fail_at; /* SW_E_REMOTE when so many are left */
        unsigned calls;
};

static sw_err *
flow_read(void *arg, void *p, size_t n, size_t *got)
{
        struct flow *f = arg;
        const size_t piece = 1 + f->calls++ * 7919 % 300000;

        if (f->left <= f->fail_at)
                return sw_err_new(SW_E_REMOTE, "the other side is gone");
        n = n < piece ? n : piece;
        n = (int64_t) n < f->left ? n : (size_t) f->left;
        memset(p, f->c, n);
        f->left -= (int64_t) n;
        *got = n;
        return SW_OK;
}

static bool
has_stream(const struct snap_writer *w)
{
        return SW_OPS_HAS(w->ops, struct sw_layer_ops, stream);
}

/* ---- what is refused ------------------------------------------------------------------
 */

static void
check_paths(struct snap *s, struct snap_writer *w)
{
        static const char *const bad[] = { "/d",  "d/", "d//x",   "./d",
                                           "d/.", "..", "d/../x", "d/x/.." };
        unsigned wrong = 0;

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_err *err = w->ops->mkdir(w->w, bad[i], META(0755, 1));

                wrong += sw_err_code(err) != SW_E_INVALID;
                sw_err_free(err);
                err = w->ops->data(w->w, bad[i], META(0644, 1), "x", 1);
                wrong += sw_err_code(err) != SW_E_INVALID;
                sw_err_free(err);
        }
        contract_check(s->c, wrong == 0, "paths that are not clean are refused",
                       "%u were not", wrong);
        contract_refused(s->c, w->ops->data(w->w, "", META(0644, 1), "x", 1), invalid,
                         "the root cannot be a file");
        contract_refused(s->c, w->ops->whiteout(w->w, ""), invalid,
                         "the root cannot be gone");
        contract_refused(s->c, w->ops->data(w->w, "none/x", META(0644, 1), "x", 1),
                         not_found, "a parent has to be told first");
        contract_refused(s->c, w->ops->data(w->w, "f/x", META(0644, 1), "x", 1), not_found,
                         "a file is nobody's parent");
        contract_refused(s->c, w->ops->data(w->w, "l/x", META(0644, 1), "x", 1), not_found,
                         "a symlink is nobody's parent");
        contract_refused(s->c, w->ops->opaque(w->w, "none"), not_found,
                         "only what was told can be opaque");
}

static void
check_refusals(struct snap *s)
{
        struct snap_writer w;
        sw_auto(sw_fd) fd = make_file('x', 10);

        if (!begin(s, "w-refuse", NOTHING, &w))
                return;
        TELL(&w, mkdir, "d", META(0755, 1));
        TELL(&w, data, "f", META(0644, 1), "f", 1);
        TELL(&w, symlink, "l", META(0777, 1), "d");
        if (!w.err) {
                check_paths(s, &w);
                contract_refused(s->c,
                                 w.ops->node(w.w, "n", META(0600, 1), S_IFCHR,
                                             makedev(0, 0)),
                                 invalid, "the device of whiteouts is refused");
                contract_refused(s->c, w.ops->node(w.w, "n", META(0600, 1), S_IFREG, 0),
                                 invalid, "a node is no file");
                contract_refused(s->c, w.ops->hardlink(w.w, "h", "d", META(0755, 1)), NULL,
                                 "a directory has one name");
                contract_refused(s->c, w.ops->hardlink(w.w, "h", "none", META(0644, 1)),
                                 NULL, "a hard link needs what it is to");
                contract_refused(s->c,
                                 w.ops->xattr(w.w, "f", "trusted.overlay.opaque", "y", 1),
                                 invalid, "attributes of trusted.overlay.* are refused");
                contract_refused(s->c,
                                 w.ops->xattr(w.w, "d", "user.overlay.opaque", "y", 1),
                                 invalid, "attributes of user.overlay.* are refused");
                contract_refused(s->c, w.ops->file(w.w, "s", META(0644, 1), fd, 0, 11), io,
                                 "a file that ends early is an error");
                contract_refused(s->c, w.ops->symlink(w.w, "e", META(0777, 1), ""), invalid,
                                 "a symlink leads somewhere");
        }
        w.ops->abandon(w.w);
        contract_ok(s->c, w.err, "a writer goes on after what it refused");
        contract_ok(s->c, s->ops->remove(s->store, s->ctx, "w-refuse"),
                    "a layer whose writer was abandoned can be removed");
}

/* ---- what replaces what ---------------------------------------------------------------
 */

static void
check_replacing(struct snap *s)
{
        struct snap_writer w;

        if (!begin(s, "w-below", NOTHING, &w))
                return;
        for (const char *d = "abc"; *d; d++) {
                const char dir[2] = { *d, 0 };
                const char sub[4] = { *d, '/', 's', 0 };
                const char file[6] = { *d, '/', 's', '/', 'f', 0 };

                TELL(&w, mkdir, dir, META(0755, 1));
                TELL(&w, mkdir, sub, META(0755, 1));
                TELL(&w, data, file, META(0644, 1), "f", 1);
        }
        TELL(&w, data, "x", META(0644, 1), "x", 1);
        if (!end(s, "w-below", &w) || !begin(s, "w-over", STACK("w-below"), &w))
                return;
        TELL(&w, mkdir, "t", META(0755, 1)); /* a tree of this layer, replaced by a file */
        TELL(&w, mkdir, "t/s", META(0755, 1));
        TELL(&w, data, "t/s/f", META(0644, 1), "f", 1);
        TELL(&w, data, "t", META(0644, 1), "t", 1);
        TELL(&w, data, "t", META(0644, 1), "tt", 2); /* a file by a file */
        TELL(&w, data, "u", META(0644, 1), "u", 1);  /* a file by a directory */
        TELL(&w, mkdir, "u", META(0755, 1));
        TELL(&w, data, "u/in", META(0644, 1), "i", 1);
        TELL(&w, mkdir, "u", META(0700, 2)); /* told again: joined */
        TELL(&w, symlink, "v", META(0777, 1), "u");
        TELL(&w, mkdir, "v", META(0755, 1));
        TELL(&w, data, "v/in", META(0644, 1), "i", 1);
        TELL(&w, symlink, "a", META(0777, 1), "u"); /* what is below, by a link, */
        TELL(&w, data, "b", META(0644, 1), "b", 1); /* a file, */
        TELL(&w, whiteout, "c");                    /* nothing, */
        TELL(&w, mkdir, "c", META(0755, 1));        /* and an empty directory */
        TELL(&w, mkdir, "x", META(0755, 1));
        TELL(&w, whiteout, "y"); /* of what is not there; then something is */
        TELL(&w, data, "y", META(0644, 1), "y", 1);
        if (!end(s, "w-over", &w))
                return;
        snap_paths(s, STACK("w-below", "w-over"), "a b c t u v x y u/in v/in",
                   "what is told replaces what is below, and what was told before");
        snap_paths(s, STACK("w-over"), "a b c t u v x y u/in v/in",
                   "a layer that replaces can be looked at alone");
}

/* ---- streams --------------------------------------------------------------------------
 */

static const int remote[] = { SW_E_REMOTE, 0 };

static void
check_stream_refusals(struct snap *s, struct snap_writer *w)
{
        struct flow early = { .c = 'x', .left = 99, .fail_at = -1 };
        struct flow broken = { .c = 'x', .left = 600000, .fail_at = 300000 };

        contract_refused(s->c,
                         w->ops->stream(w->w, "early", META(0644, 1), flow_read, &early,
                                        100),
                         io, "a stream that ends early is an error");
        contract_refused(s->c,
                         w->ops->stream(w->w, "broken", META(0644, 1), flow_read, &broken,
                                        600000),
                         remote, "an error of what a stream reads is told");
        contract_refused(s->c,
                         w->ops->stream(w->w, "none/x", META(0644, 1), flow_read, &early,
                                        1),
                         not_found, "a stream needs a parent, too");
        contract_refused(s->c,
                         w->ops->stream(w->w, "../x", META(0644, 1), flow_read, &early, 1),
                         invalid, "a stream to a path that is not clean is refused");
}

/* A streamed file is the same as one told by descriptor. */
static void
check_stream(struct snap *s)
{
        enum { SIZE = 3000001 };
        struct flow f = { .c = 'q', .left = SIZE + 5, .fail_at = -1 };
        struct flow empty = { .fail_at = -1 };
        struct snap_writer w;
        sw_auto(sw_fd) fd = make_file('q', SIZE);

        if (!begin(s, "w-filed", NOTHING, &w))
                return;
        TELL(&w, mkdir, "d", META(0755, 5));
        TELL(&w, file, "d/f", META(04755, 7), fd, 0, SIZE);
        TELL(&w, xattr, "d/f", "user.k", "v", 1);
        TELL(&w, data, "d/none", META(0600, 8), "", 0);
        if (!end(s, "w-filed", &w) || !begin(s, "w-streamed", NOTHING, &w))
                return;
        if (!has_stream(&w)) {
                w.ops->abandon(w.w);
                return;
        }
        TELL(&w, mkdir, "d", META(0755, 5));
        TELL(&w, mkdir, "d/f", META(0755, 5)); /* in the way */
        TELL(&w, data, "d/f/in", META(0644, 5), "x", 1);
        TELL(&w, stream, "d/f", META(04755, 7), flow_read, &f, SIZE);
        TELL(&w, xattr, "d/f", "user.k", "v", 1);
        TELL(&w, stream, "d/none", META(0600, 8), flow_read, &empty, 0);
        contract_check(s->c, w.err || (f.left == 5 && !empty.calls),
                       "a stream is read no further than its length", "%lld are left",
                       (long long) f.left);
        if (end(s, "w-streamed", &w))
                snap_same(s, snap_tree(s, STACK("w-filed")),
                          snap_tree(s, STACK("w-streamed")),
                          "a streamed file is like one from a descriptor");
        if (!begin(s, "w-nostream", NOTHING, &w))
                return;
        check_stream_refusals(s, &w);
        w.ops->abandon(w.w);
        contract_ok(s->c, s->ops->remove(s->store, s->ctx, "w-nostream"),
                    "a layer whose stream failed can be removed");
}

/* A command has left links in the layer; the writer must not go through them. */
static void
check_hostile(struct snap *s)
{
        struct sw_snapshot_mount m;
        struct snap_writer w;
        struct stat st;
        sw_auto(sw_str) outside = sw_asprintf("%s/outside", s->c->workdir);

        if (mkdir(outside, 0700) < 0 || !snap_prepare(s, "w-hostile", NOTHING) ||
            !snap_mount(s, "w-hostile", &m))
                return;
        const bool made = mkdirat(m.dirfd, "d", 0755) == 0 &&
                          symlinkat(outside, m.dirfd, "d/out") == 0 &&
                          symlinkat(outside, m.dirfd, "top") == 0 &&
                          symlinkat("../../../../..", m.dirfd, "d/up") == 0;
        contract_check(s->c, made, "links can be made in a mounted layer", "%s",
                       strerror(errno));
        (void) snap_unmount(s, &m);
        if (!snap_write(s, "w-hostile", &w))
                return;
        TELL(&w, mkdir, "top", META(0700, 1));
        TELL(&w, data, "top/f", META(0600, 1), "f", 1);
        TELL(&w, xattr, "top", "user.x", "y", 1);
        TELL(&w, mkdir, "d", META(0700, 1));
        TELL(&w, mkdir, "d/out", META(0700, 1));
        TELL(&w, data, "d/out/f", META(0600, 1), "f", 1);
        TELL(&w, data, "d/up", META(0600, 1), "f", 1);
        if (!end(s, "w-hostile", &w))
                return;
        snap_paths(s, STACK("w-hostile"), "d top d/out d/up top/f d/out/f",
                   "links are replaced, not followed");
        sw_auto(sw_str) leaked = sw_asprintf("%s/f", outside);
        contract_check(s->c, lstat(leaked, &st) < 0, "nothing is written outside", NULL);
}

/* ---- metadata and contents ------------------------------------------------------------
 */

static void
expect(struct snap *s, const char *tree, const char *line, const char *rule)
{
        const char *at = tree ? strstr(tree, line) : NULL;

        contract_check(s->c, at && (at == tree || at[-1] == '\n'), rule, "no \"%s\" in: %s",
                       line, tree ? tree : "(none)");
}

static void
check_meta_kept(struct snap *s)
{
        struct snap_writer w;
        const unsigned u = (unsigned) snap_uid, g = (unsigned) snap_gid;
        sw_auto(sw_fd) fd = make_file('r', 100000);

        if (!begin(s, "w-meta", NOTHING, &w))
                return;
        TELL(&w, mkdir, "d", META(01777, 1500000000));
        TELL(&w, data, "d/zero", META(0, 3), "", 0);
        TELL(&w, data, "d/old", META(0666, -1), "o", 1);
        TELL(&w, file, "d/suid", META(06755, 7), fd, 99990, 10);
        TELL(&w, file, "d/none", META(0600, 7), fd, 50, 0);
        TELL(&w, mkdir, "d/ro", META(0500, 9));
        TELL(&w, data, "d/ro/f", META(0400, 9), "f", 1);
        TELL(&w, node, "d/fifo", META(0622, 11), S_IFIFO, 0);
        TELL(&w, node, "d/sock", META(0777, 12), S_IFSOCK, 0);
        TELL(&w, symlink, "d/l", META(0777, 13), "../x y");
        TELL(&w, hardlink, "d/again", "d/old", META(0666, -1));
        TELL(&w, xattr, "d", "user.dir", "d", 1);
        TELL(&w, xattr, "d/old", "user.empty", "", 0);
        if (s->root) {
                const struct sw_layer_meta other = { 0640, 12, 34, 5 };

                TELL(&w, data, "d/owned", &other, "x", 1);
                TELL(&w, node, "d/null", META(0666, 14), S_IFCHR, makedev(1, 3));
                /* cap_net_raw=ep */
                TELL(&w, xattr, "d/suid", "security.capability",
                     "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
        }
        if (!end(s, "w-meta", &w))
                return;
        sw_auto(sw_str) tree = snap_tree(s, STACK("w-meta"));
#define EXPECT(rule, ...)                                                                  \
        do {                                                                               \
                sw_auto(sw_str) line = sw_asprintf(__VA_ARGS__);                           \
                expect(s, tree, line, rule);                                               \
        } while (0)
        EXPECT("a directory keeps its time while it is filled",
               "d 41777 %u:%u 1.500000000 user.dir=", u, g);
        EXPECT("mode 0 is a mode", "d/zero 100000 %u:%u 0.000000003 0 ", u, g);
        EXPECT("times before 1970 are kept", "d/again 100666 %u:%u -1.999999999 1 ", u, g);
        EXPECT("a range of a file", "d/suid 106755 %u:%u 0.000000007 10 ", u, g);
        EXPECT("an empty range of a file", "d/none 100600 %u:%u 0.000000007 0 ", u, g);
        EXPECT("a directory without write permission can be filled",
               "d/ro/f 100400 %u:%u 0.000000009 1 ", u, g);
        EXPECT("a directory without write permission", "d/ro 40500 %u:%u 0.000000009", u,
               g);
        EXPECT("a FIFO", "d/fifo 10622 %u:%u 0.000000011", u, g);
        EXPECT("a socket", "d/sock 140777 %u:%u 0.000000012", u, g);
        EXPECT("a symlink", "d/l 120777 %u:%u 0.000000013 -> ../x y", u, g);
        EXPECT("a hard link", "d/old 100666 %u:%u -1.999999999 1 = d/again", u, g);
        if (s->root) {
                expect(s, tree, "d/owned 100640 12:34 0.000000005", "an owner");
                EXPECT("a device", "d/null 20666 %u:%u 0.000000014 1:3", u, g);
                contract_check(s->c, tree && strstr(tree, " security.capability="),
                               "capabilities of a file with an owner's bits", "%s", tree);
        }
#undef EXPECT
}

static void
check_names(struct snap *s)
{
        struct snap_writer w;
        sw_auto(sw_str) lengthy = sw_alloc(256);
        struct sw_snapshot_mount m;

        memset(lengthy, 'n', 255);
        if (!begin(s, "w-names", NOTHING, &w))
                return;
        TELL(&w, data, "new\nline", META(0644, 1), "x", 1);
        TELL(&w, data, "\xff\xfe \x01", META(0644, 1), "x", 1);
        TELL(&w, data, "a:b,c=d\\e", META(0644, 1), "x", 1);
        TELL(&w, data, "...", META(0644, 1), "x", 1);
        TELL(&w, data, ".wh.x", META(0644, 1), "x", 1);
        TELL(&w, data, lengthy, META(0644, 1), "x", 1);
        if (!end(s, "w-names", &w) || !snap_view(s, STACK("w-names"), &m))
                return;
        struct stat st;
        contract_check(s->c,
                       fstatat(m.dirfd, "new\nline", &st, 0) == 0 &&
                               fstatat(m.dirfd, "\xff\xfe \x01", &st, 0) == 0 &&
                               fstatat(m.dirfd, "a:b,c=d\\e", &st, 0) == 0 &&
                               fstatat(m.dirfd, "...", &st, 0) == 0 &&
                               fstatat(m.dirfd, ".wh.x", &st, 0) == 0 &&
                               fstatat(m.dirfd, lengthy, &st, 0) == 0,
                       "names of any bytes are kept", "%s", strerror(errno));
        (void) snap_unmount(s, &m);
}

/* Longer than PATH_MAX: kept, or refused as too long. */
static void
check_deep(struct snap *s)
{
        enum { DEPTH = 40 };
        sw_auto(sw_buf) deep = SW_BUF_INIT;
        sw_auto(sw_str) name = sw_alloc(251);
        struct snap_writer w;

        memset(name, 'n', 250);
        if (!begin(s, "w-deep", NOTHING, &w))
                return;
        for (int i = 0; i < DEPTH; i++) {
                sw_buf_addf(&deep, "%s%s", i ? "/" : "", name);
                TELL(&w, mkdir, deep.data, META(0755, i));
        }
        sw_buf_adds(&deep, "/f");
        TELL(&w, data, deep.data, META(0644, 1), "x", 1);
        if (sw_err_code(w.err) == SW_E_LIMIT) {
                sw_err_free(w.err);
                w.ops->abandon(w.w);
                contract_check(s->c, true, "paths longer than PATH_MAX are refused as such",
                               NULL);
                return;
        }
        if (!end(s, "w-deep", &w))
                return;
        sw_auto(sw_str) tree = snap_tree(s, STACK("w-deep"));
        contract_check(s->c, tree && strstr(tree, "/f 100644"),
                       "paths longer than PATH_MAX are kept", NULL);
        sw_auto(sw_str) calls = snap_calls(s, NOTHING, STACK("w-deep"));
        contract_check(s->c, calls && strstr(calls, "/f\""), "and told by a diff", NULL);
}

/* ---- threads --------------------------------------------------------------------------
 */

enum { THREADS = 6, FILES = 60, DIRS = 40 };

struct teller {
        struct snap_writer w; /* with an error of its own */
        unsigned n;
};

static void *
tell_files(void *arg)
{
        struct teller *t = arg;

        for (unsigned i = 0; i < FILES; i++) {
                char path[64];

                (void) snprintf(path, sizeof(path), "d%u/t%u-%u", i % DIRS, t->n, i);
                if (i % 3 == 0 && has_stream(&t->w)) {
                        struct flow f = { .c = 's', .left = 9, .fail_at = -1 };

                        TELL(&t->w, stream, path, META(0644, 1), flow_read, &f, 9);
                        continue;
                }
                TELL(&t->w, data, path, META(0644, 1), path, strlen(path));
                TELL(&t->w, xattr, path, "user.n", "x", 1);
        }
        return NULL;
}

static void
check_threads(struct snap *s)
{
        struct snap_writer w;
        struct teller t[THREADS];
        pthread_t threads[THREADS];

        if (!begin(s, "w-threads", NOTHING, &w))
                return;
        for (unsigned i = 0; i < DIRS; i++) { /* more than a writer may keep open */
                char path[16];

                (void) snprintf(path, sizeof(path), "d%u", i);
                TELL(&w, mkdir, path, META(0755, 5));
        }
        for (unsigned i = 0; i < THREADS; i++) {
                t[i] = (struct teller){ .w = w, .n = i };
                if (pthread_create(&threads[i], NULL, tell_files, &t[i]) != 0)
                        abort();
        }
        for (unsigned i = 0; i < THREADS; i++) {
                (void) pthread_join(threads[i], NULL);
                if (t[i].w.err)
                        contract_ok(s->c, t[i].w.err, "several threads can tell files");
        }
        if (!end(s, "w-threads", &w))
                return;
        sw_auto(sw_str) tree = snap_tree(s, STACK("w-threads"));
        unsigned files = 0, dirs = 0;
        for (const char *p = tree; p && *p; p += strcspn(p, "\n") + 1) {
                const char *space = strchr(p, ' ');

                files += strncmp(space, " 100644 ", 8) == 0;
                dirs += strncmp(space, " 40755 ", 7) == 0 &&
                        strstr(p, " 0.000000005") != NULL;
        }
        contract_check(s->c, files == THREADS * FILES && dirs >= DIRS,
                       "what several threads tell is there, and times of directories stay",
                       "%u files, %u directories", files, dirs);
}

void
snap_check_writer(struct contract *c)
{
        struct snap s;

        if (!snap_open(&s, c, "writer"))
                return;
        check_refusals(&s);
        check_replacing(&s);
        check_stream(&s);
        check_hostile(&s);
        check_meta_kept(&s);
        check_names(&s);
        check_deep(&s);
        check_threads(&s);
        snap_close(&s);
}
