/*
 * Results of several platforms through the tables of the exporters local and tar, as a
 * frontend for several platforms will give them. Catches: folders with the wrong name or
 * time, a file of one platform that silently takes the place of another's, hard links that
 * lead out of their folder, a mirror that leaves what is not in any result.
 */
#include <slipway/exporter.h>
#include <slipway/host.h>
#include <slipway/mem.h>

#include "tests/unit/shell.h"

static sw_host *host;

static void
begin(void)
{
        const char *build = getenv("top_builddir");
        sw_auto(sw_str) dir = sw_asprintf("%s/plugins/.libs", build ? build : ".");
        const char *dirs[] = { dir, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };

        setup();
        ok(sw_host_new(&opts, &host));
        ok(sw_host_require(host, SW_KIND_EXPORTER, "local"));
        ok(sw_host_require(host, SW_KIND_EXPORTER, "tar"));
        free(shell("mkdir -p out amd arm/sub\n"
                   "echo amd >amd/f; ln amd/f amd/g; ln -s f amd/l\n"
                   "echo arm >arm/f; echo x >arm/sub/x; chmod 700 arm/sub"));
}

static void
end(void)
{
        sw_host_free(host);
        teardown();
}

/* ---- the client's side ---- */

static sw_err *
open_dir(void *arg, sw_ctx *ctx, int *dirfd)
{
        (void) arg;
        (void) ctx;
        *dirfd = openat(here, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return SW_OK;
}

static sw_err *
open_file(void *arg, sw_ctx *ctx, int *fd)
{
        (void) arg;
        (void) ctx;
        *fd = openat(here, "out.tar", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        return SW_OK;
}

static const struct sw_export_target target = {
        .size = sizeof(target),
        .open_file = open_file,
        .open_dir = open_dir,
};

/* ---- exports ---- */

enum { ATTRS_MAX = 4, REFS_MAX = 3 };

struct export
{
        const char *name;              /* of the exporter */
        const char *refs[REFS_MAX][2]; /* platform and directory; NULL: the empty tree */
        struct sw_attr attrs[ATTRS_MAX];
        bool multiple;
};

static sw_err *
run(const struct export *x)
{
        struct sw_export_ref refs[REFS_MAX] = { 0 };
        struct sw_export_result out = { .size = sizeof(out), .response = sw_map_new(free) };
        struct sw_export_request req = { .size = sizeof(req),
                                         .refs = refs,
                                         .attrs = x->attrs,
                                         .source_date_epoch = -1,
                                         .target = &target,
                                         .name = x->name,
                                         .multiple = x->multiple };
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, NULL, NULL, NULL, "test");
        struct sw_exporter e;

        for (; req.n_refs < REFS_MAX && x->refs[req.n_refs][0]; req.n_refs++) {
                const char *dir = x->refs[req.n_refs][1];

                refs[req.n_refs].platform = x->refs[req.n_refs][0];
                if (dir)
                        refs[req.n_refs].ref = sw_ref_new_dir(
                                dir, openat(here, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        }
        while (req.n_attrs < ATTRS_MAX && x->attrs[req.n_attrs].key)
                req.n_attrs++;
        ok(sw_host_exporter(host, x->name, &e));
        sw_err *err = sw_exporter_resolve(&e, ctx, req.attrs, req.n_attrs, &req.resolved);
        if (!err)
                err = sw_exporter_export(&e, ctx, &req, &out);
        if (!err)
                err = sw_exporter_finalize(&e, ctx, &req, &out);
        sw_exporter_release(&e, req.resolved);
        for (size_t i = 0; i < req.n_refs; i++)
                sw_ref_unref(refs[i].ref);
        sw_map_free(out.response);
        return err;
}
#define EXPORT(...) run(&(struct export){ __VA_ARGS__ })
#define BOTH        .refs = { { "linux/amd64", "amd" }, { "linux/arm64/v8", "arm" } }

static void
shows(const char *line, const char *want)
{
        sw_auto(sw_str) got = shell(line);

        ck_assert_str_eq(got, want);
}

static const char files[] = "cd out; find . -mindepth 1 -printf '%P %y %m\\n' | sort";
static const char in_folders[] = "linux_amd64 d 755\n"
                                 "linux_amd64/f f 644\n"
                                 "linux_amd64/g f 644\n"
                                 "linux_amd64/l l 777\n"
                                 "linux_arm64_v8 d 755\n"
                                 "linux_arm64_v8/f f 644\n"
                                 "linux_arm64_v8/sub d 700\n"
                                 "linux_arm64_v8/sub/x f 644\n";

START_TEST(each_has_its_folder)
{
        ok(EXPORT("local", BOTH));
        shows(files, in_folders);
        shows("cat out/*/f; stat -c %h out/linux_amd64/f", "amd\narm\n2\n");
}
END_TEST

/* A map of one is a map; a result that is none can be asked to be like one. */
START_TEST(one_of_a_map)
{
        ok(EXPORT("local", .refs = { { "linux/amd64", "amd" } }));
        shows("ls out", "f\ng\nl\n");
        free(shell("rm -r out; mkdir out"));
        ok(EXPORT("local", .refs = { { "linux/amd64", "amd" } }, .multiple = true));
        shows("ls out", "linux_amd64\n");
        free(shell("rm -r out; mkdir out"));
        ok(EXPORT("local", .refs = { { "linux/amd64", "amd" } },
                  .attrs = { { "platform-split", "true" } }));
        shows("ls out", "linux_amd64\n");
        free(shell("rm -r out; mkdir out"));
        ok(EXPORT("local", .refs = { { "linux/amd64", "amd" } }, .multiple = true,
                  .attrs = { { "platform-split", "false" } }));
        shows("ls out", "f\ng\nl\n");
}
END_TEST

START_TEST(without_folders_nothing_is_overwritten)
{
        fails(EXPORT("local", BOTH, .attrs = { { "platform-split", "false" } }),
              SW_E_EXISTS,
              "cannot overwrite f from linux/amd64 with linux/arm64/v8 when split option "
              "is disabled");
        shows("cat out/f; find out -name '.slipway*'", "amd\n");
        /* directories are shared, and the first one says what they are like */
        free(shell("rm -r out; mkdir -p out amd/sub; rm arm/f; echo y >amd/sub/y"));
        ok(EXPORT("local", BOTH, .attrs = { { "platform-split", "false" } }));
        shows(files, "f f 644\ng f 644\nl l 777\nsub d 755\nsub/x f 644\nsub/y f 644\n");
}
END_TEST

START_TEST(a_mirror_is_of_all)
{
        free(shell("mkdir -p out/linux_s390x/d out/linux_amd64/old; echo x >out/f\n"
                   "echo old >out/linux_arm64_v8"));
        ok(EXPORT("local", BOTH, .attrs = { { "mode", "delete" } }));
        shows(files, in_folders);
        ok(EXPORT("local", .refs = { { "linux/arm64/v8", "arm" } },
                  .attrs = { { "mode", "delete" } }));
        shows("ls out", "f\nsub\n");
}
END_TEST

START_TEST(an_epoch_is_for_folders_too)
{
        ok(EXPORT("local", BOTH, .attrs = { { "source-date-epoch", "77" } }));
        shows("find out -mindepth 1 -printf '%Ts\\n' | sort | uniq -c | tr -s ' '",
              " 8 77\n");
}
END_TEST

/* The empty tree has a folder; a platform whose name is none of a folder is refused. */
START_TEST(odd_ones)
{
        ok(EXPORT("local",
                  .refs = { { "linux/amd64", NULL }, { "windows/amd64", "arm" } }));
        shows("ls -A out/*", "out/linux_amd64:\n\nout/windows_amd64:\nf\nsub\n");
        fails(EXPORT("local", .refs = { { "..", "amd" }, { "linux/arm64", "arm" } }),
              SW_E_INVALID, "platform .. is none");
        fails(EXPORT("tar", .refs = { { "..", "amd" }, { "linux/arm64", "arm" } }),
              SW_E_INVALID, "platform .. is none");
        fails(EXPORT("local", BOTH, .attrs = { { "platform-split", "yes and no" } }),
              SW_E_INVALID, "non-bool value specified for platform-split");
}
END_TEST

static const char entries[] =
        "TZ=UTC tar tvf out.tar | awk '{ print $1, $4, $5, $6, $7, $8, $9, $10 }' | "
        "sed 's/ *$//' | sort -k 4";

/* A map is always in folders, whatever is asked; links lead to names in theirs. */
START_TEST(archives_are_always_in_folders)
{
        static const char want[] =
                "drwxr-xr-x 1970-01-01 00:01 linux_amd64/\n"
                "-rw-r--r-- 1970-01-01 00:01 linux_amd64/f\n"
                "hrw-r--r-- 1970-01-01 00:01 linux_amd64/g link to linux_amd64/f\n"
                "lrwxrwxrwx 1970-01-01 00:01 linux_amd64/l -> f\n"
                "drwxr-xr-x 1970-01-01 00:01 linux_arm64_v8/\n"
                "-rw-r--r-- 1970-01-01 00:01 linux_arm64_v8/f\n"
                "drwx------ 1970-01-01 00:01 linux_arm64_v8/sub/\n"
                "-rw-r--r-- 1970-01-01 00:01 linux_arm64_v8/sub/x\n";

        ok(EXPORT("tar", BOTH, .attrs = { { "source-date-epoch", "60" } }));
        shows(entries, want);
        ok(EXPORT("tar", BOTH,
                  .attrs = { { "source-date-epoch", "60" },
                             { "platform-split", "false" } }));
        shows(entries, want);
        shows("tar xf out.tar -C out && cat out/linux_amd64/g out/linux_arm64_v8/f",
              "amd\narm\n");
        ok(EXPORT("tar", .refs = { { "linux/amd64", "amd" } }, .multiple = true));
        shows("tar tf out.tar | sort | head -n 1", "linux_amd64/\n");
        ok(EXPORT("tar", .refs = { { "linux/amd64", "amd" } }));
        shows("tar tf out.tar | sort", "f\ng\nl\n");
}
END_TEST

UNIT_MAIN_WITH("platforms", begin, end, each_has_its_folder, one_of_a_map,
               without_folders_nothing_is_overwritten, a_mirror_is_of_all,
               an_epoch_is_for_folders_too, odd_ones, archives_are_always_in_folders)
