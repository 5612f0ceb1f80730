/*
 * tests/unit/core/ops/tree.h - three directories for a test of file actions: base, src, and
 * out, which begins as a copy of base and gets what the action tells; and want, made by a
 * shell, to compare with.
 */
#ifndef SLIPWAY_TESTS_OPS_TREE_H
#define SLIPWAY_TESTS_OPS_TREE_H

#include "core/ops/fileact.h"
#include "tests/unit/core/ops/applied.h"
#include "tests/unit/tmp.h"

#define NOW INT64_C(1700000000123456789)

static char top[128];

static SW_UNUSED SW_PRINTF(1, 2) void sh(const char *fmt, ...)
{
        va_list ap;
        sw_auto(sw_buf) cmd = SW_BUF_INIT;

        sw_buf_addf(&cmd, "set -e; umask 022; cd %s; ", top);
        va_start(ap, fmt);
        sw_buf_vaddf(&cmd, fmt, ap);
        va_end(ap);
        ck_assert_msg(system(cmd.data) == 0, "%s", cmd.data);
}

/* In memory, where that keeps attributes of users (Linux 6.6): on a disk that others write
 * to, these tests would take minutes. */
static SW_UNUSED void
setup(void)
{
        unit_mkdtemp(top, sizeof(top), "fileop");
        if (setxattr(top, "user.try", "", 0, 0) != 0) {
                ck_assert_int_eq(rmdir(top), 0);
                (void) snprintf(top, sizeof(top), "/tmp/sw-fileop-XXXXXX");
                ck_assert_ptr_nonnull(mkdtemp(top));
        }
        sh("mkdir base src out want");
}

static SW_UNUSED void
teardown(void)
{
        sw_auto(sw_str) cmd = sw_asprintf("chmod -R u+rwx %s; rm -rf %s", top, top);

        (void) !system(cmd);
}

static SW_UNUSED int
open_top(const char *name)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", top, name);
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

/* One run of actions on base; out gets the result. */
struct run {
        sw__view base, src;
        struct applied a;
        sw__draft *d;
        int out;
        struct sw__owner owner;
};

static SW_UNUSED void
run_begin(struct run *r)
{
        memset(r, 0, sizeof(*r));
        sh("rm -rf out; cp -a base out");
        sw__view_of_dir(open_top("base"), &r->base);
        sw__view_of_dir(open_top("src"), &r->src);
        r->out = open_top("out");
        applied_init(&r->a, r->out);
        r->d = sw__draft_new(NULL, &r->base, &applied_ops, &r->a, NOW);
}

static SW_UNUSED void
run_end(struct run *r)
{
        sw__draft_free(r->d);
        applied_release(&r->a);
        close(r->out);
        ok(sw__view_close(&r->base));
        ok(sw__view_close(&r->src));
}

/* out is what want is. */
static SW_UNUSED void
same(bool times)
{
        int out = open_top("out"), want = open_top("want");
        sw_auto(sw_str) a = applied_list(out, times), b = applied_list(want, times);

        ck_assert_msg(strcmp(a, b) == 0, "is\n%swanted\n%s", a, b);
        close(out);
        close(want);
}

static const Pb__FileActionCopy copy_init = PB__FILE_ACTION_COPY__INIT;

/* As the Dockerfile frontend makes it. */
#define COPY(...)                                                                          \
        (&(Pb__FileActionCopy){ .base = copy_init.base,                                    \
                                .src = (char *) "",                                        \
                                .dest = (char *) "",                                       \
                                .modestr = (char *) "",                                    \
                                .mode = -1,                                                \
                                .timestamp = -1,                                           \
                                .createdestpath = true,                                    \
                                .followsymlink = true,                                     \
                                .dircopycontents = true,                                   \
                                .allowwildcard = true,                                     \
                                .allowemptywildcard = true,                                \
                                __VA_ARGS__ })

static SW_UNUSED sw_err *
copy(struct run *r, const Pb__FileActionCopy *a)
{
        return sw__file_copy(r->d, a, &r->src, &r->owner, NULL);
}

#endif
