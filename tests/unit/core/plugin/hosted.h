/*
 * tests/unit/core/plugin/hosted.h - hosts over directories made of the fake plugins.
 *
 *      setup:    scratch_make() in a checked fixture or at the start of a test
 *      put():    a fake plugin into the scratch directory (as a symlink)
 *      host_of() a host over directories, with a configuration and a log to look into
 *
 * Check runs each test in a process of its own, so that what is loaded does not pile up.
 */
#ifndef SLIPWAY_TESTS_HOSTED_H
#define SLIPWAY_TESTS_HOSTED_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <slipway/config.h>
#include <slipway/host.h>
#include <slipway/text.h>

#include "tests/unit/tmp.h"

static char scratch[128];

/* What lives until the test's process ends; reachable, so that no leak is reported. */
static sw_strlist kept;
static sw_log *kept_log;

static SW_UNUSED const char *
keep(char *s)
{
        sw_strlist_take(&kept, s);
        return s;
}

static int
scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
        (void) st;
        (void) type;
        (void) at;
        return remove(path);
}

static SW_UNUSED void
scratch_make(void)
{
        unit_mkdtemp(scratch, sizeof(scratch), "host");
}

static SW_UNUSED void
scratch_remove(void)
{
        (void) chmod(scratch, 0700);
        (void) nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* main() with the scratch directory around each test. */
#define HOSTED_MAIN(name, ...)                                                             \
        UNIT_MAIN_WITH(name, scratch_make, scratch_remove, __VA_ARGS__)

/* Path of a fake plugin as built; from malloc. */
static SW_UNUSED char *
fake(const char *name)
{
        const char *top = getenv("top_builddir");
        sw_auto(sw_str) rel = sw_asprintf("%s/tests/fake-plugins", top ? top : ".");
        char *dir = realpath(rel, NULL), *path;

        ck_assert_msg(dir != NULL, "%s: run from the build directory", rel);
        path = sw_str_has_prefix(name, "dup/")
                       ? sw_asprintf("%s/dup/.libs/%s.so", dir, name + 4)
                       : sw_asprintf("%s/.libs/%s.so", dir, name);
        ck_assert_msg(access(path, R_OK) == 0, "%s was not built", path);
        free(dir);
        return path;
}

/* A path below the scratch directory; good until the process ends. */
static SW_UNUSED const char *
below(const char *rel)
{
        return keep(sw_asprintf("%s/%s", scratch, rel));
}

static SW_UNUSED void
subdir(const char *rel)
{
        ck_assert_int_eq(mkdir(below(rel), 0755), 0);
}

/* A fake plugin at @rel ("exporter_good.so", "two/exporter_good.so"). */
static SW_UNUSED void
put(const char *name, const char *rel)
{
        sw_auto(sw_str) from = fake(name);

        ck_assert_int_eq(symlink(from, below(rel)), 0);
}

static SW_UNUSED void
put_bytes(const char *rel, const void *p, size_t n)
{
        int fd = open(below(rel), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, p, n), (ssize_t) n);
        ck_assert_int_eq(close(fd), 0);
}

/* The first @limit bytes of a fake plugin; handed back. */
static SW_UNUSED void
fake_bytes(const char *name, sw_buf *out)
{
        sw_auto(sw_str) path = fake(name);

        ok(sw_buf_read_file(out, AT_FDCWD, path, 64U << 20));
}

static int log_fd = -1;

static SW_UNUSED sw_log *
log_here(void)
{
        log_fd = memfd_create("log", MFD_CLOEXEC);
        ck_assert_int_ge(log_fd, 0);
        kept_log = sw_log_new(log_fd, SW_LOG_INFO, SW_LOG_TEXT);
        return kept_log;
}

/* What was logged so far; good until the process ends. */
static SW_UNUSED const char *
logged(void)
{
        struct stat st;
        char *text;

        ck_assert_int_eq(fstat(log_fd, &st), 0);
        text = sw_alloc((size_t) st.st_size + 1);
        ck_assert_int_eq(pread(log_fd, text, (size_t) st.st_size, 0), st.st_size);
        return keep(text);
}

/* A configuration of that text; handed back. */
static SW_UNUSED sw_config *
configured(const char *yaml)
{
        sw_config *c = sw_config_new();

        ok(sw_config_load_text(c, "test.yaml", yaml, strlen(yaml)));
        return c;
}

/* A host over @path (':'-separated); @config, @log may be NULL. */
static SW_UNUSED sw_host *
host_of(const char *path, const sw_config *config, sw_log *log)
{
        const struct sw_host_opts opts = {
                .path = path,
                .config = config,
                .log = log,
                .no_default_dir = true,
        };
        sw_host *h = NULL;

        ok(sw_host_new(&opts, &h));
        return h;
}

/* What is known of the file of that name ("exporter_good.so"), the first one. */
static SW_UNUSED const struct sw_plugin_info *
info_of(const sw_host *h, const char *file)
{
        for (size_t i = 0; i < sw_host_count(h); i++) {
                const struct sw_plugin_info *p = sw_host_get(h, i);
                const char *slash = strrchr(p->file, '/');

                if (strcmp(slash ? slash + 1 : p->file, file) == 0)
                        return p;
        }
        ck_abort_msg("%s was not found", file);
        return NULL;
}

/* It is broken in that way, and the reason has @part in it and is one line. */
static SW_UNUSED void
broken(const sw_host *h, const char *file, const char *fault, const char *part)
{
        const struct sw_plugin_info *p = info_of(h, file);

        ck_assert_msg(p->state == SW_PLUGIN_BROKEN, "%s is %s", file,
                      sw_plugin_state_name(p->state));
        ck_assert_msg(strcmp(sw_plugin_fault_name(p->fault), fault) == 0, "%s is %s: %s",
                      file, sw_plugin_fault_name(p->fault), p->reason);
        ck_assert_msg(strstr(p->reason, part) != NULL, "%s: reason lacks \"%s\": %s", file,
                      part, p->reason);
        ck_assert_msg(strpbrk(p->reason, "\n\033") == NULL,
                      "%s: reason is not one line: %s", file, p->reason);
}

static SW_UNUSED void
in_state(const sw_host *h, const char *file, enum sw_plugin_state state)
{
        const struct sw_plugin_info *p = info_of(h, file);

        ck_assert_msg(p->state == state, "%s is %s: %s", file,
                      sw_plugin_state_name(p->state), p->reason);
}

#endif
