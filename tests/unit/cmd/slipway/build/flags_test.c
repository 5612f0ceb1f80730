/*
 * tests/unit/cmd/slipway/build/flags_test.c - flags of slipway build as a frontend's
 * options, contexts by name, archives by their first bytes, the spool for standard input.
 *
 * Would catch: an option by another name than BuildKit's, the environment going before a
 * flag, a wrong value that passes, a layout whose wrong image is taken, a spool that
 * removes what another process uses or leaves what a dead one left.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/buf.h>
#include <slipway/text.h>

#include "cmd/slipway/build/context.h"
#include "cmd/slipway/build/flags.h"
#include "cmd/slipway/build/named.h"
#include "tests/unit/unit.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER  "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char dir[] = "/tmp/slipway-flags-XXXXXX";

static void
make_dir(void)
{
        ck_assert(mkdtemp(dir));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
        (void) st;
        (void) type;
        (void) at;
        return remove(path);
}

static void
remove_dir(void)
{
        (void) nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static sw_err *
run_nothing(const struct cli_call *call)
{
        (void) call;
        return SW_OK;
}

static const struct cli_arg args[] = {
        { .name = "CONTEXT", .min = 0, .max = 1, .help = "context" },
        { .name = NULL },
};
static const struct cli_verb verb = {
        .name = "build",
        .summary = "build",
        .flags = build_flags,
        .args = args,
        .run = run_nothing,
};
static const struct cli_verb *const verbs[] = { &verb };
static const struct cli_program program = {
        .name = "slipway",
        .summary = "test",
        .verbs = verbs,
        .n_verbs = 1,
};

/* "slipway build WORDS", words apart by blanks, as options "k=v k=v" apart by blanks. */
static sw_err *
options(const char *words, const char *const *env, sw_buf *out)
{
        sw_auto(sw_strlist) list = { 0 };
        struct cli_call call = CLI_CALL_INIT;
        sw_auto(opts) o = { .all = { 0 } };
        sw_err *err;

        sw_strlist_add(&list, "slipway");
        sw_strlist_add(&list, "build");
        sw_strlist_split(&list, words, ' ');
        err = cli_parse(&program, (int) list.n, (const char *const *) list.v, &call);
        if (!err)
                err = opts_take(&o, &call, env);
        for (size_t i = 0; i < o.all.n; i++)
                sw_buf_addf(out, "%s%s=%s", i ? " " : "", o.all.v[i].key, o.all.v[i].value);
        cli_call_release(&call);
        return err;
}

static const char *const no_env[] = { NULL };

START_TEST(flags_become_options)
{
        static const struct {
                const char *words, *want;
        } cases[] = {
                { ".", "" },
                { "--target x", "target=x" },
                { "--build-arg A=1 --build-arg B= --build-arg A=2",
                  "build-arg:A=2 build-arg:B=" },
                { "--build-arg A=b=c", "build-arg:A=b=c" },
                { "--build-arg NOT_SET", "" },
                { "--label a=1 --label b", "label:a=1 label:b=" },
                { "--platform linux/arm64 --platform linux/amd64,linux/arm/v7",
                  "platform=linux/arm64,linux/amd64,linux/arm/v7" },
                { "--pull", "image-resolve-mode=pull" },
                { "--pull=false", "" },
                { "--no-cache", "no-cache=" },
                { "--no-cache-filter a --no-cache-filter b,c", "no-cache=a,b,c" },
                { "--network none", "force-network-mode=none" },
                { "--network default", "" },
                { "--add-host a:1.2.3.4 --add-host b=::1 --add-host c:[::2]",
                  "add-hosts=a=1.2.3.4,b=::1,c=::2" },
                { "--shm-size 64m", "shm-size=67108864" },
                { "--shm-size 1g", "shm-size=1073741824" },
                { "--ulimit nofile=1024:2048 --ulimit core=-1",
                  "ulimit=nofile=1024:2048,core=-1" },
                { "--cgroup-parent /x", "cgroup-parent=/x" },
                { "-m 1k --memory-swap -1", "memory=1024 memswap=-1" },
                { "--memory-swap 2k --cpu-shares 5", "memswap=2048 cpushares=5" },
                { "--cpu-period 6 --cpu-quota 7", "cpuperiod=6 cpuquota=7" },
                { "--cpuset-cpus 0-2,4 --cpuset-mems 0", "cpusetcpus=0-2,4 cpusetmems=0" },
                { "--opt a=b --opt a=c", "a=c" },
                { "--target x --opt target=y", "target=y" },
                { "--opt build-arg:X=1 --opt build-arg:NOT_SET", "build-arg:X=1" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) got = SW_BUF_INIT;

                ok(options(cases[i].words, no_env, &got));
                ck_assert_str_eq(got.data, cases[i].want);
        }
}
END_TEST

START_TEST(what_the_environment_says)
{
        static const char *const env[] = { "A=from env",
                                           "EMPTY=",
                                           "SOURCE_DATE_EPOCH=7",
                                           "https_proxy=http://small",
                                           "HTTP_PROXY=http://big",
                                           "http_proxy=http://other",
                                           "NO_PROXY=",
                                           "HTTP_PROXY_NOT=x",
                                           NULL };
        static const char usual[] = "build-arg:SOURCE_DATE_EPOCH=7 "
                                    "build-arg:HTTP_PROXY=http://big "
                                    "build-arg:HTTPS_PROXY=http://small";
        static const struct {
                const char *words, *want;
        } cases[] = {
                { "--build-arg A", "build-arg:A=from env" },
                { "--build-arg EMPTY", "build-arg:EMPTY=" },
                { "--opt build-arg:A", "build-arg:A=from env" },
        };
        sw_auto(sw_buf) got = SW_BUF_INIT;

        ok(options(".", env, &got));
        ck_assert_str_eq(got.data, usual);
        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) want = sw_asprintf("%s %s", cases[i].want, usual);

                sw_buf_clear(&got);
                ok(options(cases[i].words, env, &got));
                ck_assert_str_eq(got.data, want);
        }
        /* What is given goes before it, in whichever case it is given. */
        sw_buf_clear(&got);
        ok(options("--build-arg SOURCE_DATE_EPOCH=8 --build-arg http_proxy=p "
                   "--build-arg HTTPS_PROXY=q",
                   env, &got));
        ck_assert_ptr_nonnull(strstr(got.data, "build-arg:SOURCE_DATE_EPOCH=8"));
        ck_assert_ptr_nonnull(strstr(got.data, "build-arg:http_proxy=p"));
        ck_assert_ptr_nonnull(strstr(got.data, "build-arg:HTTPS_PROXY=q"));
        ck_assert_ptr_null(strstr(got.data, "http://"));
        sw_buf_clear(&got);
        ok(options("--build-arg http_proxy= --opt build-arg:https_proxy=o", env, &got));
        ck_assert_ptr_null(strstr(got.data, "http://"));
}
END_TEST

START_TEST(wrong_values)
{
        static const struct {
                const char *words, *part;
        } cases[] = {
                { "--build-arg =x", "--build-arg =x: a name is missing" },
                { "--label =x", "--label =x" },
                { "--platform linux/nothing/at/all", "--platform linux/nothing/at/all" },
                { "--platform windows=x", "--platform" },
                { "--add-host a", "--add-host a: give HOST:IP" },
                { "--add-host a:host-gateway", "IP address" },
                { "--add-host :1.2.3.4", "--add-host" },
                { "--add-host a:[", "--add-host" },
                { "--shm-size big", "--shm-size big" },
                { "--shm-size 0", "--shm-size 0" },
                { "--memory -1", "--memory -1" },
                { "--cpu-quota 0", "number above 0" },
                { "--cpu-shares many", "--cpu-shares many" },
                { "--ulimit nofile", "--ulimit nofile" },
                { "--ulimit nofile=1:2:3", "--ulimit" },
                { "--ulimit nofile=many", "--ulimit" },
                { "--ulimit nofile=", "--ulimit" },
                { "--ulimit =1", "--ulimit" },
                { "--no-cache --no-cache-filter a", "give one of them" },
                { "--network bridge", "--network" },
                { "--opt a", "--opt a: give KEY=VALUE" },
                { "--opt =a", "--opt =a" },
                { "--opt build-arg:", "invalid value build-arg:" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) got = SW_BUF_INIT;

                fails(options(cases[i].words, no_env, &got), SW_E_USAGE, cases[i].part);
        }
}
END_TEST

/* ---- Contexts ---- */

START_TEST(urls)
{
        static const char *const yes[] = { "https://e.org/a.git#v1:src",
                                           "http://e.org/context.tar.gz",
                                           "git://e.org/a",
                                           "git@e.org:a/b.git",
                                           "ssh://git@e.org/a",
                                           "github.com/a/b" };
        static const char *const no[] = { ".",       "/",      "git@",
                                          "https:/", "github", "docker-image://a" };

        for (size_t i = 0; i < SW_COUNT(yes); i++)
                ck_assert_msg(context_is_url(yes[i]), "%s", yes[i]);
        for (size_t i = 0; i < SW_COUNT(no); i++)
                ck_assert_msg(!context_is_url(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(archives)
{
        static const char text[512] = "FROM scratch\n";
        char tar[512] = "a/name";
        unsigned sum = 0;

        ck_assert(context_is_archive("\x1f\x8b\x08", 3));
        ck_assert(context_is_archive("BZh9", 4));
        ck_assert(context_is_archive("\xfd"
                                     "7zXZ\0",
                                     6));
        ck_assert(context_is_archive("\x28\xb5\x2f\xfd", 4));
        ck_assert(!context_is_archive("\x28\xb5\x2f", 3));
        ck_assert(!context_is_archive("", 0));
        ck_assert(!context_is_archive(text, sizeof(text)));
        memset(tar + 148, ' ', 8);
        for (size_t i = 0; i < sizeof(tar); i++)
                sum += (unsigned char) tar[i];
        (void) snprintf(tar + 148, 8, "%06o", sum);
        ck_assert(context_is_archive(tar, sizeof(tar)));
        ck_assert(!context_is_archive(tar, sizeof(tar) - 1));
        tar[0] = 'b';
        ck_assert(!context_is_archive(tar, sizeof(tar)));
        memset(tar, 0, sizeof(tar));
        ck_assert(!context_is_archive(tar, sizeof(tar)));
}
END_TEST

/* "slipway build --build-context SPEC", as the option it becomes. */
static sw_err *
named(const char *spec, char **out)
{
        const char *words[] = { "slipway", "build", "--build-context", spec };
        struct cli_call call = CLI_CALL_INIT;
        sw_auto(opts) o = { .all = { 0 } };
        sw_local_session *client = sw_local_session_new();
        sw_err *err;

        ok(cli_parse(&program, SW_COUNT(words), words, &call));
        err = named_take(&call, client, &o);
        if (!err)
                *out = sw_asprintf("%s=%s", o.all.v[0].key, o.all.v[0].value);
        cli_call_release(&call);
        sw_local_session_free(client);
        return err;
}

START_TEST(contexts_by_name)
{
        static const struct {
                const char *spec, *want;
        } cases[] = {
                { "a=/tmp", "context:a=local:a" },
                { "Docker.io/library/Alpine:latest=/tmp", "context:alpine=local:alpine" },
                { "e.org/x:1=/tmp", "context:e.org/x:1=local:e.org/x:1" },
                { "context=/tmp", "context:context=local:_context" },
                { "dockerfile=/tmp", "context:dockerfile=local:_dockerfile" },
                { "a=docker-image://x:1", "context:a=docker-image://x:1" },
                { "a=https://e.org/a.git", "context:a=https://e.org/a.git" },
        };
        char *got;

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                ok(named(cases[i].spec, &got));
                ck_assert_str_eq(got, cases[i].want);
                free(got);
        }
        fails(named("a", &got), SW_E_USAGE, "give NAME=DIR");
        fails(named("a=", &got), SW_E_USAGE, "give NAME=DIR");
        fails(named("=/tmp", &got), SW_E_USAGE, "give NAME=DIR");
        fails(named("a b=/tmp", &got), SW_E_USAGE, "a b");
        fails(named("a=/none/there", &got), SW_E_NOT_FOUND, "/none/there");
}
END_TEST

static void
write_index(const char *text)
{
        sw_auto(sw_str) path = sw_asprintf("%s/index.json", dir);
        FILE *f = fopen(path, "we");

        ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* The option for oci-layout://DIR@REST without what is made up in it. */
static void
layout_is(const char *rest, const char *want)
{
        sw_auto(sw_str) spec = sw_asprintf("a=oci-layout://%s%s", dir, rest);
        sw_auto(sw_str) got = NULL;
        static const char head[] = "context:a=oci-layout://";

        ok(named(spec, &got));
        ck_assert_msg(sw_str_has_prefix(got, head), "%s", got);
        ck_assert_str_eq(strchr(got + strlen(head), ':'), want);
}

START_TEST(layouts)
{
        sw_auto(sw_str) spec = sw_asprintf("a=oci-layout://%s", dir);
        sw_auto(sw_str) tagged = sw_asprintf("a=oci-layout://%s:v3", dir);
        char *got;

        layout_is("@" DIGEST, ":latest@" DIGEST);
        layout_is(":v1@" DIGEST, ":v1@" DIGEST);
        fails(named(spec, &got), SW_E_NOT_FOUND, "index.json");
        write_index("{\"manifests\":[{\"digest\":\"" DIGEST "\"}]}");
        layout_is("", ":latest@" DIGEST);
        fails(named(tagged, &got), SW_E_NOT_FOUND, "v3");
        write_index(
                "{\"manifests\":[{\"digest\":\"" DIGEST
                "\",\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}},"
                "{\"digest\":\"" OTHER
                "\",\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}]}");
        layout_is(":v1", ":v1@" DIGEST);
        layout_is("", ":latest@" OTHER);
        write_index("[]");
        fails(named(spec, &got), SW_E_INVALID, "index.json");
        fails(named("a=oci-layout:///none/there", &got), SW_E_NOT_FOUND, "/none/there");
}
END_TEST

/* ---- The spool ---- */

static void
exists(const char *path, bool yes)
{
        ck_assert_msg((access(path, F_OK) == 0) == yes, "%s", path);
}

START_TEST(spools)
{
        sw_auto(sw_str) place = sw_asprintf("%s/stdin", dir);
        sw_auto(sw_str) dead = sw_asprintf("%s/stdin/left", dir);
        sw_auto(sw_str) one = NULL;
        sw_auto(sw_str) two = NULL;
        sw_auto(sw_str) file = NULL;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        spool *a = NULL, *b = NULL;
        int ends[2];

        ok(spool_new(dir, &a));
        ck_assert_int_eq(mkdir(dead, 0700), 0);
        ok(spool_dir(a, "x", &one));
        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(write(ends[1], "tail", 4), 4);
        (void) close(ends[1]);
        ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        (void) close(ends[0]);
        ok(spool_put(a, "x", "file", "head ", 5, cancel));
        file = sw_asprintf("%s/file", one);
        ok(sw_buf_read_file(&text, AT_FDCWD, file, 100));
        ck_assert_str_eq(text.data, "head tail");

        ok(spool_new(dir, &b));
        spool_sweep(dir); /* what is nobody's, and not what is in use */
        ok(spool_dir(b, "x", &two));
        ck_assert_str_ne(one, two);
        exists(dead, false);
        exists(file, true);
        spool_free(a);
        exists(one, false);
        exists(two, true);
        spool_free(b);
        exists(place, false);
        spool_sweep(dir); /* there is nothing */
}
END_TEST

UNIT_MAIN_WITH("flags", make_dir, remove_dir, flags_become_options,
               what_the_environment_says, wrong_values, urls, archives, contexts_by_name,
               layouts, spools)
