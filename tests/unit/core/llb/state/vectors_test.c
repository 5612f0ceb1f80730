/*
 * Definitions made by BuildKit's Go client (tests/data/llb), each made again here.
 *
 * Catches: any difference in the bytes of an op, their order, metadata, capabilities or
 * source locations. The client writes maps in random order where no digest depends on it,
 * so that the whole is compared after both were put in order; ops are compared as they are.
 */
#include <fcntl.h>

#include <slipway/llb.h>

#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"
#include "tests/unit/unit.h"

static void
read_vector(const char *name, sw_buf *out)
{
        const char *top = getenv("top_srcdir");
        char path[4096];

        snprintf(path, sizeof(path), "%s/tests/data/llb/%s.llb", top ? top : "..", name);
        ok(sw_buf_read_file(out, AT_FDCWD, path, 1 << 20));
}

static void
same_bytes(const char *what, const void *a, size_t na, const void *b, size_t nb)
{
        ck_assert_msg(na == nb && memcmp(a, b, na) == 0, "%s differs: %zu and %zu bytes",
                      what, na, nb);
}

static void
compare(const char *name, const sw_state *s, const struct sw_llb_opts *opts)
{
        sw_auto(sw_buf) want = SW_BUF_INIT, got = SW_BUF_INIT, sorted = SW_BUF_INIT;
        struct sw__pb_arena a;
        Pb__Definition *w, *g;

        read_vector(name, &want);
        ok(sw_state_marshal(s, opts, &got));
        sw__pb_arena_init(&a);
        ok(sw__pb_unpack(&pb__definition__descriptor, &a.allocator, want.data, want.len,
                         &w));
        ok(sw__pb_unpack(&pb__definition__descriptor, &a.allocator, got.data, got.len, &g));
        ck_assert_uint_eq(w->n_def, g->n_def);
        for (size_t i = 0; i < w->n_def; i++)
                same_bytes("op", w->def[i].data, w->def[i].len, g->def[i].data,
                           g->def[i].len);
        sw__pb_pack(&w->base, &sorted);
        same_bytes("definition", sorted.data, sorted.len, got.data, got.len);
        sw__pb_arena_release(&a);
}

static sw_state *
image(const char *name)
{
        sw_state *s;

        ok(sw_llb_image(name, NULL, NULL, &s));
        return s;
}

/* One command on @s, with @prepare to add to it. */
static sw_state *
run_with(const sw_state *s, const char *arg, void (*prepare)(sw_run *))
{
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_state *root;

        sw_run_args(r, (const char *const[]){ arg, NULL });
        if (prepare)
                prepare(r);
        ok(sw_run_end(r, NULL, &root));
        return root;
}

START_TEST(image_run)
{
        sw_autoptr(sw_state) foo = image("foo");
        sw_autoptr(sw_state) bar = run_with(foo, "bar", NULL);

        compare("01-image-run", bar, NULL);
}
END_TEST

START_TEST(env_dir_user)
{
        sw_autoptr(sw_state) s = image("busybox");
        sw_autoptr(sw_state) ran = NULL;

        sw_state_replace(&s, sw_state_env(s, "A", "1"));
        sw_state_replace(&s, sw_state_env(s, "B", "x y"));
        sw_state_replace(&s, sw_state_dir(s, "/a"));
        sw_state_replace(&s, sw_state_dir(s, "b"));
        sw_state_replace(&s, sw_state_user(s, "nobody"));
        sw_state_replace(&s, sw_state_hostname(s, "h"));
        ran = run_with(s, "env", NULL);
        compare("02-env-dir-user", ran, NULL);
}
END_TEST

static void
add_mounts(sw_run *r)
{
        sw_autoptr(sw_state) ctx = NULL;

        ok(sw_llb_local("ctx", NULL, NULL, &ctx));
        ok(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.tmpfs = true, .tmpfs_size = 1 << 20)));
        ok(sw_run_mount(r, "/src", ctx, SW_LLB_MOUNT(.readonly = true)));
        ok(sw_run_mount(r, "/c", NULL,
                        SW_LLB_MOUNT(.cache_id = "id1", .sharing = SW_LLB_LOCKED)));
        ok(sw_run_secret(r,
                         SW_LLB_SECRET(.id = "sec", .target = "/s", .uid = 1, .gid = 2)));
        ok(sw_run_ssh(r, SW_LLB_SSH(.id = "default")));
}

START_TEST(mounts)
{
        sw_autoptr(sw_state) s = image("busybox");
        sw_autoptr(sw_state) ran = run_with(s, "true", add_mounts);

        compare("03-mounts", ran, SW_LLB_OPTS(.local_unique = "kqju76piezcsorvtz44fhnk73"));
}
END_TEST

START_TEST(file_chain)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_files) f = sw_files_new();

        ok(sw_files_mkdir(f, "/d", 0755, SW_LLB_FILE(.parents = true)));
        ok(sw_files_mkfile(f, "/d/f", 0600, "data", 4, NULL));
        ok(sw_files_rm(f, "/d/none", SW_LLB_RM(.allow_missing = true)));
        ok(sw_files_symlink(f, "f", "/d/l", NULL));
        ok(sw_state_files(scratch, f, NULL, &s));
        compare("04-file-chain", s, NULL);
}
END_TEST

START_TEST(copy_options)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) from = image("busybox");
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_files) f = sw_files_new();

        ok(sw_files_copy(f, from, "/bin/*", "/out/",
                         SW_LLB_COPY(.owner = "1000:1000", .follow_symlink = true,
                                     .contents_only = true, .make_parents = true,
                                     .wildcard = true, .has_time = true,
                                     .time = INT64_C(1700000000000000000),
                                     .include = (const char *const[]){ "b*", NULL },
                                     .exclude = (const char *const[]){ "busy*", NULL })));
        ok(sw_state_files(scratch, f, NULL, &s));
        compare("05-copy", s, NULL);
}
END_TEST

START_TEST(local_options)
{
        sw_autoptr(sw_state) s = NULL;

        ok(sw_llb_local("src",
                        SW_LLB_LOCAL(.include = (const char *const[]){ "*.c", "*.h", NULL },
                                     .exclude = (const char *const[]){ "t*", NULL },
                                     .follow = (const char *const[]){ "a/b", NULL },
                                     .session = "sess", .shared_key_hint = "k"),
                        NULL, &s));
        compare("07-local-opts", s, NULL);
}
END_TEST

START_TEST(git)
{
        sw_autoptr(sw_state) repo = NULL;
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_files) f = sw_files_new();

        ok(sw_llb_git("https://github.com/example/repo.git", "v1.0",
                      SW_LLB_GIT(.keep_git_dir = true), NULL, &repo));
        ok(sw_files_mkfile(f, "/x", 0644, "1", 1, NULL));
        ok(sw_state_files(repo, f, NULL, &s));
        compare("08-git", s, NULL);
}
END_TEST

START_TEST(oci_layout)
{
        sw_autoptr(sw_state) s = NULL;

        ok(sw_llb_oci_layout("example.com/r@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                             SW_LLB_OCI_LAYOUT(.session = "sess", .store = "store"), NULL,
                             &s));
        compare("10-oci-layout", s, NULL);
}
END_TEST

START_TEST(network)
{
        sw_autoptr(sw_state) s = image("busybox");
        sw_autoptr(sw_state) ran = NULL;

        sw_state_replace(&s, sw_state_network(s, SW_LLB_NETWORK_NONE));
        sw_state_replace(&s, sw_state_security(s, SW_LLB_SECURITY_SANDBOX));
        ran = run_with(s, "true", NULL);
        compare("11-network-security", ran, NULL);
}
END_TEST

/* The platform given to the source, and the one given to the marshalling. */
START_TEST(platform)
{
        const sw_platform arm64 = { .os = "linux", .arch = "arm64" };
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_state) late = image("busybox");
        sw_autoptr(sw_state) ran = NULL;
        sw_autoptr(sw_state) late_ran = NULL;

        ok(sw_llb_image("busybox", NULL, SW_LLB_OPTS(.platform = &arm64), &s));
        ran = run_with(s, "uname", NULL);
        compare("12-platform", ran, NULL);
        late_ran = run_with(late, "uname", NULL);
        compare("12-platform", late_ran, SW_LLB_OPTS(.platform = &arm64));
}
END_TEST

static void
add_proxy(sw_run *r)
{
        ok(sw_run_proxy(r, SW_LLB_PROXY(.http = "http://p", .no = "n")));
}

START_TEST(ulimit_proxy)
{
        sw_autoptr(sw_state) s = image("busybox");
        sw_autoptr(sw_state) limited = NULL;
        sw_autoptr(sw_state) ran = NULL;

        sw_state_replace(&s, sw_state_cgroup_parent(s, "cg"));
        ok(sw_state_ulimit(s, "nofile", 10, 20, &limited));
        ran = run_with(limited, "x", add_proxy);
        compare("13-ulimit-proxy", ran, NULL);
}
END_TEST

START_TEST(diamond)
{
        sw_autoptr(sw_state) base = image("busybox");
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) a = run_with(base, "a", NULL);
        sw_autoptr(sw_state) b = run_with(base, "b", NULL);
        sw_autoptr(sw_state) one = NULL;
        sw_autoptr(sw_state) two = NULL;
        sw_autoptr(sw_files) fa = sw_files_new();
        sw_autoptr(sw_files) fb = sw_files_new();

        ok(sw_files_copy(fa, a, "/x", "/a", NULL));
        ok(sw_files_copy(fb, b, "/y", "/b", NULL));
        ok(sw_state_files(scratch, fa, NULL, &one));
        ok(sw_state_files(one, fb, NULL, &two));
        compare("15-diamond", two, NULL);
}
END_TEST

UNIT_MAIN("vectors", image_run, env_dir_user, mounts, file_chain, copy_options,
          local_options, git, oci_layout, network, platform, ulimit_proxy, diamond)
