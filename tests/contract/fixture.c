/*
 * tests/contract/fixture.c - trees, refs and targets that suites hand to plugins.
 */
#include "tests/contract/contract.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <slipway/digest.h>
#include <slipway/path.h>

struct fixture_tree {
        int dirfd;
        char *name;
};

/* A fixture that cannot be made is a broken machine, not a broken plugin. */
static void
must(bool done, const char *what)
{
        if (done)
                return;
        fprintf(stderr, "slipway-contract: cannot make the fixture: %s: %s\n", what,
                strerror(errno));
        exit(1);
}

static void
put_file(int dirfd, const char *path, mode_t mode, const char *data, size_t n)
{
        sw_auto(sw_fd) fd =
                openat(dirfd, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        must(fd >= 0, path);
        must(write(fd, data, n) == (ssize_t) n, path);
        must(fchmod(fd, mode) == 0, path);
}

/* The same times in every run, so that artefacts can be compared. */
static void
settle_times(int dirfd, const char *const *paths, size_t n)
{
        const struct timespec t[2] = { { .tv_sec = 1700000000 }, { .tv_sec = 1700000000 } };

        for (size_t i = 0; i < n; i++)
                must(utimensat(dirfd, paths[i], t, AT_SYMLINK_NOFOLLOW) == 0, paths[i]);
}

static void
fill_tree(int dirfd)
{
        static const char *const all[] = {
                "plain",
                "empty",
                "set-id",
                "sub/large",
                "sub/deep/leaf",
                "sub/deep",
                "link-relative",
                "link-absent",
                "link-root",
                "sub/hard",
                "sub",
                "private",
                "name with \xc3\xbc and \n",
                ".",
        };
        sw_auto(sw_str) large = sw_alloc(1 << 20);

        must(mkdirat(dirfd, "sub", 0755) == 0, "sub");
        must(mkdirat(dirfd, "sub/deep", 0700) == 0, "sub/deep");
        must(mkdirat(dirfd, "private", 01777) == 0, "private");
        must(fchmodat(dirfd, "private", 01777, 0) == 0, "private");
        put_file(dirfd, "plain", 0644, "hello\n", 6);
        put_file(dirfd, "empty", 0600, "", 0);
        put_file(dirfd, "set-id", 04755, "x", 1);
        put_file(dirfd, "sub/large", 0644, large, 1 << 20);
        put_file(dirfd, "sub/deep/leaf", 0400, "leaf", 4);
        put_file(dirfd, all[12], 0644, "odd", 3);
        must(symlinkat("sub/large", dirfd, "link-relative") == 0, "link-relative");
        must(symlinkat("nowhere", dirfd, "link-absent") == 0, "link-absent");
        must(symlinkat("/etc/passwd", dirfd, "link-root") == 0, "link-root");
        must(linkat(dirfd, "plain", dirfd, "sub/hard", 0) == 0, "sub/hard");
        settle_times(dirfd, all, SW_COUNT(all));
}

struct fixture_tree *
fixture_tree_new(struct contract *c, const char *name)
{
        struct fixture_tree *t = sw_new(struct fixture_tree);
        sw_auto(sw_str) path = sw_asprintf("%s/%s", c->workdir, name);

        must(mkdir(path, 0755) == 0 && chmod(path, 0755) == 0, path);
        t->name = sw_strdup(name);
        t->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(t->dirfd >= 0, path);
        fill_tree(t->dirfd);
        return t;
}

void
fixture_tree_free(struct fixture_tree *t)
{
        close(t->dirfd);
        free(t->name);
        free(t);
}

static void
add_content(sw_hasher *h, int dirfd, const char *name)
{
        sw_auto(sw_fd) fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char block[65536];
        ssize_t n;

        must(fd >= 0, name);
        while ((n = read(fd, block, sizeof(block))) > 0)
                sw_hasher_add(h, block, (size_t) n);
        must(n == 0, name);
}

static void
add_entry(sw_hasher *h, int dirfd, const char *name)
{
        struct stat st;
        char target[4096];
        sw_auto(sw_buf) line = SW_BUF_INIT;

        must(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0, name);
        sw_buf_addf(&line, "%s %o %u %u %lld %ju\n", name, st.st_mode, st.st_uid, st.st_gid,
                    (long long) st.st_mtime, (uintmax_t) st.st_nlink);
        sw_hasher_add(h, line.data, line.len);
        if (S_ISREG(st.st_mode)) {
                add_content(h, dirfd, name);
        } else if (S_ISLNK(st.st_mode)) {
                ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

                must(n >= 0, name);
                sw_hasher_add(h, target, (size_t) n);
        }
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

/* Depth is that of the fixture: three. */
static void
add_dir(sw_hasher *h, int dirfd, const char *name) // NOLINT(misc-no-recursion)
{
        sw_auto(sw_fd) fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries = NULL;

        must(fd >= 0, name);
        int n = scandirat(fd, ".", &entries, NULL, by_name);
        must(n >= 0, name);
        for (int i = 0; i < n; i++) {
                const char *entry = entries[i]->d_name;
                bool self = !strcmp(entry, ".") || !strcmp(entry, "..");

                if (!self)
                        add_entry(h, fd, entry);
                if (!self && entries[i]->d_type == DT_DIR)
                        add_dir(h, fd, entry);
                free(entries[i]);
        }
        free(entries);
}

sw_digest
fixture_tree_state(const struct fixture_tree *t)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();

        add_dir(h, t->dirfd, ".");
        return sw_hasher_finish(h);
}

/* ---- refs
 * --------------------------------------------------------------------------------- */

struct fixture_ref {
        int dirfd;
        enum fixture_fault fault;
        sw_cancel *cancel;
        struct fixture_counts *counts;
};

static sw_err *
ref_open(void *self, sw_ctx *ctx, int *dirfd, void **view)
{
        struct fixture_ref *r = self;

        if (r->fault == FIXTURE_OPEN_FAILS)
                return sw_err_new(SW_E_IO, "open tree: the fixture fails on purpose");
        if (r->fault == FIXTURE_OPEN_CANCELS)
                sw_cancel_now(r->cancel, "the fixture cancels on purpose");
        *dirfd = openat(r->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*dirfd < 0)
                return sw_err_sys(SW_E_IO, errno, "open tree");
        *view = NULL;
        __atomic_add_fetch(&r->counts->opened, 1, __ATOMIC_SEQ_CST);
        return SW_OK;
}

static sw_err *
ref_close(void *self, void *view)
{
        struct fixture_ref *r = self;

        __atomic_add_fetch(&r->counts->closed, 1, __ATOMIC_SEQ_CST);
        return SW_OK;
}

static void
ref_release(void *self)
{
        struct fixture_ref *r = self;

        __atomic_add_fetch(&r->counts->released, 1, __ATOMIC_SEQ_CST);
        free(r);
}

sw_ref *
fixture_ref_new(const struct fixture_tree *t, enum fixture_fault fault, sw_cancel *cancel,
                struct fixture_counts *counts)
{
        static const struct sw_ref_ops ops = {
                .size = sizeof(ops),
                .open_tree = ref_open,
                .close_tree = ref_close,
                .release = ref_release,
        };
        struct fixture_ref *r = sw_new(struct fixture_ref);

        *r = (struct fixture_ref){ t->dirfd, fault, cancel, counts };
        return sw_ref_new(t->name, &ops, r);
}

/* ---- targets
 * ------------------------------------------------------------------------------ */

static sw_err *
target_open_file(void *arg, sw_ctx *ctx, int *fd)
{
        struct fixture_target *t = arg;
        sw_auto(sw_str) path = sw_asprintf("%s/file", t->path);

        __atomic_add_fetch(&t->opened_file, 1, __ATOMIC_SEQ_CST);
        *fd = t->full ? open("/dev/full", O_WRONLY | O_CLOEXEC)
                      : open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "open target") : SW_OK;
}

static sw_err *
target_open_dir(void *arg, sw_ctx *ctx, int *dirfd)
{
        struct fixture_target *t = arg;
        sw_auto(sw_str) path = sw_asprintf("%s/dir", t->path);

        __atomic_add_fetch(&t->opened_dir, 1, __ATOMIC_SEQ_CST);
        if (t->full)
                return sw_err_new(SW_E_IO, "open target: the fixture fails on purpose");
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return sw_err_sys(SW_E_IO, errno, "make target");
        *dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *dirfd < 0 ? sw_err_sys(SW_E_IO, errno, "open target") : SW_OK;
}

static sw_err *
target_commit(void *arg, sw_ctx *ctx)
{
        struct fixture_target *t = arg;

        __atomic_add_fetch(&t->committed, 1, __ATOMIC_SEQ_CST);
        return SW_OK;
}

void
fixture_target_init(struct fixture_target *t, struct contract *c, const char *name)
{
        *t = (struct fixture_target){
                .target = {
                        .size = sizeof(t->target),
                        .open_file = target_open_file,
                        .open_dir = target_open_dir,
                        .commit = target_commit,
                        .arg = t,
                },
                .path = sw_asprintf("%s/target-%s", c->workdir, name),
        };
        must(mkdir(t->path, 0755) == 0, t->path);
}

void
fixture_target_release(struct fixture_target *t)
{
        free(t->path);
}

sw_digest
fixture_target_digest(const struct fixture_target *t)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        sw_auto(sw_fd) dirfd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        must(dirfd >= 0, t->path);
        if (faccessat(dirfd, "file", R_OK, 0) == 0)
                add_content(h, dirfd, "file");
        return sw_hasher_finish(h);
}
