/*
 * tests/unit/core/store/ref_test.c - refs and views: counting, providers, directories.
 */
#include "tests/unit/tmp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include <slipway/path.h>
#include <slipway/ref.h>

struct provider {
        atomic_int opened, closed, released;
        bool fail_open, fail_close, forget_fd;
};

static sw_err *
open_tree(void *self, sw_ctx *ctx, int *dirfd, void **view)
{
        struct provider *p = self;

        (void) ctx;
        if (p->fail_open)
                return sw_err_new(SW_E_IO, "mount failed");
        if (!p->forget_fd)
                *dirfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *view = p;
        p->opened++;
        return SW_OK;
}

static sw_err *
close_tree(void *self, void *view)
{
        struct provider *p = self;

        ck_assert_ptr_eq(view, self);
        p->closed++;
        return p->fail_close ? sw_err_new(SW_E_IO, "unmount failed") : SW_OK;
}

static void
release(void *self)
{
        ((struct provider *) self)->released++;
}

static const struct sw_ref_ops ops = { sizeof(ops), open_tree, close_tree, release };

/* Catches: release too early, twice or never; a tree that does not hold its ref. */
START_TEST(counting)
{
        struct provider p = { 0 };
        sw_tree *t = NULL;
        sw_ref *r = sw_ref_new("sha256:abc", &ops, &p);

        ck_assert_str_eq(sw_ref_id(r), "sha256:abc");
        ck_assert_ptr_eq(sw_ref_ref(r), r);
        sw_ref_unref(r);
        ok(sw_ref_open(NULL, r, &t));
        sw_ref_unref(r);
        ck_assert_int_eq(p.released, 0);
        ck_assert_int_ge(sw_tree_fd(t), 0);
        ok(sw_tree_close(t));
        ck_assert(p.opened == 1 && p.closed == 1 && p.released == 1);
        sw_ref_unref(NULL);
        sw_tree_drop(NULL);
}
END_TEST

/* Catches: errors without the ref's name, views or refs leaked on error. */
START_TEST(failing_providers)
{
        struct provider p = { .fail_open = true };
        sw_tree *t = NULL;
        sw_ref *r = sw_ref_new("one", &ops, &p);

        fails(sw_ref_open(NULL, r, &t), SW_E_IO, "open ref one: mount failed");
        p.fail_open = false;
        p.forget_fd = true;
        fails(sw_ref_open(NULL, r, &t), SW_E_INTERNAL, "ref one");
        p.forget_fd = false;
        p.fail_close = true;
        ck_assert_ptr_null(t);
        ok(sw_ref_open(NULL, r, &t));
        fails(sw_tree_close(t), SW_E_IO, "close ref one: unmount failed");
        ok(sw_ref_open(NULL, r, &t));
        sw_tree_drop(t);
        sw_ref_unref(r);
        ck_assert_int_eq(p.released, 1);
        ck_assert_int_eq(p.closed, p.opened);
}
END_TEST

/* Catches: a member called that an older provider does not have. */
START_TEST(short_tables)
{
        struct provider p = { 0 };
        struct sw_ref_ops old = ops, none = { .size = sizeof(none) };
        sw_tree *t = NULL;

        old.size = offsetof(struct sw_ref_ops, close_tree);
        sw_ref *r = sw_ref_new("old", &old, &p);
        ok(sw_ref_open(NULL, r, &t));
        ok(sw_tree_close(t));
        sw_ref_unref(r);
        ck_assert(p.opened == 1 && p.closed == 0 && p.released == 0);
        t = NULL;
        r = sw_ref_new("none", &none, &p);
        fails(sw_ref_open(NULL, r, &t), SW_E_UNSUPPORTED, "none");
        sw_ref_unref(r);
}
END_TEST

/* Catches: a provider asked although nobody wants the answer any more. */
START_TEST(cancelled)
{
        struct provider p = { 0 };
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(c, NULL, NULL, NULL, NULL);
        sw_autoptr(sw_ref) r = sw_ref_new("r", &ops, &p);
        sw_tree *t = NULL;

        sw_cancel_now(c, "stop");
        fails(sw_ref_open(ctx, r, &t), SW_E_CANCELLED, "stop");
        ck_assert_int_eq(p.opened, 0);
}
END_TEST

static int
count_entries(int dirfd)
{
        DIR *d = fdopendir(fcntl(dirfd, F_DUPFD_CLOEXEC, 0));
        int n = 0;

        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

/* Catches: lookers that share a reading position, the descriptor leaked or closed early. */
START_TEST(over_a_directory)
{
        char top[256];

        unit_mkdtemp(top, sizeof(top), "ref");
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(sw_path_write_file(fd, "f", "x", 1, 0644));
        sw_ref *r = sw_ref_new_dir("dir", fd);
        sw_autoptr(sw_tree) a = NULL;
        sw_tree *b = NULL;
        ok(sw_ref_open(NULL, r, &a));
        ok(sw_ref_open(NULL, r, &b));
        ck_assert_int_eq(count_entries(sw_tree_fd(a)), 3);
        ck_assert_int_eq(count_entries(sw_tree_fd(b)), 3);
        ok(sw_tree_close(b));
        sw_ref_unref(r);
        ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
        ok(sw_tree_close(sw_steal(a)));
        ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
        sw_auto(sw_fd) real = open("/", O_PATH | O_CLOEXEC);
        ok(sw_path_remove(real, top));
}
END_TEST

static void *
use_ref(void *arg)
{
        for (int i = 0; i < 1000; i++) {
                sw_ref *r = sw_ref_ref(arg);
                sw_tree *t = NULL;

                if (i % 100 == 0) {
                        ok(sw_ref_open(NULL, r, &t));
                        ok(sw_tree_close(t));
                }
                sw_ref_unref(r);
        }
        sw_ref_unref(arg);
        return NULL;
}

/* Catches: a count that races. */
START_TEST(many_threads)
{
        struct provider p = { 0 };
        sw_ref *r = sw_ref_new("r", &ops, &p);
        pthread_t t[4];

        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(pthread_create(&t[i], NULL, use_ref, sw_ref_ref(r)), 0);
        sw_ref_unref(r);
        for (size_t i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        ck_assert_int_eq(p.released, 1);
        ck_assert_int_eq(p.opened, p.closed);
}
END_TEST

UNIT_MAIN("ref", counting, failing_providers, short_tables, cancelled, over_a_directory,
          many_threads)
