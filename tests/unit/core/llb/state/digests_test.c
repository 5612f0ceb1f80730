/*
 * Digests of ops that BuildKit's Dockerfile frontend made through the Go client, of graphs
 * that are made again here (the Dockerfiles are the project's own test inputs).
 *
 * Catches: differences in what the definitions of vectors_test.c do not have: selectors,
 * merges, http, ssh remotes, secrets in variables, capabilities of a known daemon.
 */
#include "tests/unit/core/llb/state/make.h"

#define BUSYBOX                                                                            \
        "busybox:latest@sha256:"                                                           \
        "7bf03ff36d48df58984da5fddf3c016607d0b94958e2ae4097ea2d7ae106e8a2"
#define PATH_ENV "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *const caps[] = { "exec.meta.setsdefaultpath", "mergeop", NULL };

/* All of @digests are among the ops of @s, with metadata. */
static void
has_all(const sw_state *s, const char *const *digests)
{
        struct made m;

        make(&m, s, SW_LLB_OPTS(.caps = caps));
        for (; *digests; digests++)
                ck_assert_ptr_nonnull(metadata(&m, m.digest[index_of(&m, *digests)]));
        unmake(&m);
}
#define HAS(s, ...) has_all((s), (const char *const[]){ __VA_ARGS__, NULL })

static sw_state *
busybox(void)
{
        sw_autoptr(sw_state) s = NULL;

        ok(sw_llb_image(BUSYBOX, NULL, NULL, &s));
        return sw_state_env(s, "PATH", PATH_ENV);
}

static sw_run *
shell(const sw_state *s, const char *line)
{
        sw_run *r = sw_run_new(s);

        sw_run_args(r, (const char *const[]){ "/bin/sh", "-c", line, NULL });
        return r;
}

static sw_state *
end(sw_run *r)
{
        sw_state *root;

        ok(sw_run_end(r, NULL, &root));
        return root;
}

static sw_state *
sh(const sw_state *s, const char *line)
{
        sw_autoptr(sw_run) r = shell(s, line);

        return end(r);
}

/* The directory behind a cache mount, with owner and mode of its own. */
static sw_state *
cache_dir(void)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_files) f = sw_files_new();
        sw_state *s;

        ok(sw_files_mkdir(f, "/cache", 0700, SW_LLB_FILE(.owner = "5:0")));
        ok(sw_state_files(scratch, f, NULL, &s));
        return s;
}

START_TEST(run_mounts)
{
        sw_autoptr(sw_state) base = busybox();
        sw_autoptr(sw_state) cache = cache_dir();
        sw_autoptr(sw_state) one = sh(base, "echo 1 > /1");
        sw_autoptr(sw_run) r = shell(base, "cat /one");
        sw_autoptr(sw_state) cat = NULL;
        sw_autoptr(sw_run) r2 = NULL;
        sw_autoptr(sw_state) last = NULL;

        ok(sw_run_mount(r, "/c", cache,
                        SW_LLB_MOUNT(.selector = "/cache", .cache_id = "/k",
                                     .sharing = SW_LLB_LOCKED)));
        ok(sw_run_mount(r, "/one", one, SW_LLB_MOUNT(.selector = "/1", .readonly = true)));
        ok(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.tmpfs = true, .tmpfs_size = 1 << 20)));
        cat = end(r);
        r2 = shell(cat, "echo ok");
        ok(sw_run_secret(r2, SW_LLB_SECRET(.id = "s", .target = "/run/secrets/s")));
        ok(sw_run_secret(r2, SW_LLB_SECRET(.id = "t", .target = "/tok", .env = "TOK",
                                           .optional = true)));
        ok(sw_run_ssh(r2, SW_LLB_SSH(.optional = true)));
        last = end(r2);
        HAS(last, "sha256:fafa4631032220bce1864d0c8722bf7d38e219fcd692a52b59991ac12874deeb",
            "sha256:79ec49883badeba62acf0bf44a2bc43a59f899120e9d5f2111a3ce07a9bc0a87",
            "sha256:e72212692d8672987e06d420c62e9b29a7f4d77c182ceb1010704b635ffe828c",
            "sha256:6f723106b80d87de1bf820134e617a8b04a0e94e534846b42c6c5a58954a78e5",
            "sha256:106944354757d213c0dbd90a2f924db5f1d067315b1a7e7f39589e844d58fe22");
}
END_TEST

/* Modes hold for one command: the result goes on with the values before. */
START_TEST(network_security)
{
        sw_autoptr(sw_state) s = busybox();
        sw_autoptr(sw_state) none = sw_state_network(s, SW_LLB_NETWORK_NONE);
        sw_autoptr(sw_run) r1 = shell(s, "true");
        sw_autoptr(sw_state) s1 = NULL;
        sw_autoptr(sw_state) host = NULL;
        sw_autoptr(sw_run) r2 = NULL;
        sw_autoptr(sw_state) s2 = NULL;
        sw_autoptr(sw_state) insecure = NULL;
        sw_autoptr(sw_state) s3 = NULL;

        sw_run_in(r1, none);
        s1 = end(r1);
        host = sw_state_network(s1, SW_LLB_NETWORK_HOST);
        r2 = shell(s1, "true");
        sw_run_in(r2, host);
        s2 = end(r2);
        insecure = sw_state_security(s2, SW_LLB_SECURITY_INSECURE);
        s3 = sh(insecure, "true");
        HAS(s3, "sha256:c577a4a170801f6b185966b8557a046c47abf0183e3ae9dbd8f15e062427b622",
            "sha256:86ced618f5be6a4bb18bf95aa7b84a7ac071c93290382894f97b6fd2ddc727e4",
            "sha256:7ed73570fdc2c249019a2b1960a32f0abf76704cb086d81d21eb2a7061831009",
            "sha256:0d9fe10ff1d9a9662449024cbb00832fef3566c4a35c8ce6097b412a11bbcacd");
}
END_TEST

START_TEST(http)
{
        sw_autoptr(sw_state) f = NULL;
        sw_autoptr(sw_state) g = NULL;
        const char *sum = "sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036"
                          "d1dc68d";

        ok(sw_llb_http("https://example.com/f.txt",
                       SW_LLB_HTTP(.checksum = sum, .filename = "f.txt"), NULL, &f));
        HAS(f, "sha256:6c17a72fe75a238e9a7db7a50bd997067537412341123505d2d0f3ce2b5b0e50");
        ok(sw_llb_http("https://example.com/dir/g", SW_LLB_HTTP(.filename = "g"), NULL,
                       &g));
        HAS(g, "sha256:e5c29bdea20fc8ca11075d7946a0b2cf1b5d17d735bc3b44c7d2b4ecf12b8c36");
}
END_TEST

static sw_state *
copy_all(const sw_state *to, const sw_state *from, const char *dest)
{
        sw_autoptr(sw_files) f = sw_files_new();
        sw_state *s;

        ok(sw_files_copy(f, from, "/", dest, SW_LLB_COPY(.make_parents = true)));
        ok(sw_state_files(to, f, NULL, &s));
        return s;
}

START_TEST(git)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) repo = NULL;
        sw_autoptr(sw_state) r2 = NULL;
        sw_autoptr(sw_state) x = NULL;
        sw_autoptr(sw_state) s1 = NULL;
        sw_autoptr(sw_state) s2 = NULL;
        sw_autoptr(sw_state) s3 = NULL;

        ok(sw_llb_git("https://github.com/example/repo.git", "v1.2:sub", NULL, NULL,
                      &repo));
        ok(sw_llb_git("git@github.com:example/r2.git", "main",
                      SW_LLB_GIT(.keep_git_dir = true), NULL, &r2));
        ok(sw_llb_git("github.com/example/repo.git", NULL,
                      SW_LLB_GIT(.ref = "main", .subdir = "x"), NULL, &x));
        s1 = copy_all(scratch, repo, "/src");
        s2 = copy_all(s1, r2, "/r2");
        s3 = copy_all(s2, x, "/q");
        HAS(s3, "sha256:d59c01af3f690d9a4a3d6b84e083ca4b27b681759270b1af39d7220da1dc877b",
            "sha256:29992319d866a5984a0619a9c097ae5f86bc558c6a643553a569a2c088b909c2",
            "sha256:d4514d188b424828f2d2366ad636a586095cfdf06f2c427cb7e93b64e7ccf454",
            "sha256:e258df36fd98b066b8ee643b39144cc1c7659b52f91005e7c96951922161cb86",
            "sha256:1a4e75699830ff8fb4b359f39b2288a9ecb28811928f56317172b6edb75aaa32",
            "sha256:b0803d68556400c287abad7189187fec6e0378aed0c452dd1b3aca3d74d03657",
            "sha256:2d3a3b4144f72191be94147ff48927911be3a9422f7f30439a04a1c41a812c0e");
}
END_TEST

START_TEST(proxy)
{
        sw_autoptr(sw_state) base = busybox();
        sw_autoptr(sw_run) r = shell(base, "echo p");
        sw_autoptr(sw_state) s = NULL;

        ok(sw_run_proxy(r, SW_LLB_PROXY(.http = "http://p:1", .no = "x")));
        s = end(r);
        HAS(s, "sha256:82021ad8a0719cb2e6fce5113a509ced9c4e71afa81258692435f3c4b8ba6ef5",
            "sha256:508eeb95fc35e3d2fa0120ae53b871317ed76dc06abe89629644d1b0270e2439");
}
END_TEST

/* Limits change no digest; they and their capability are in the metadata. */
START_TEST(resources)
{
        static const char digest[] =
                "sha256:52e768750d618acc3988e14e12b5e66e4bc0365f98fba6e101c51a8a6f5f3164";
        const struct sw_llb_resources limits = { .memory = 104857600,
                                                 .cpu_period = 100000,
                                                 .cpu_quota = 50000 };
        sw_autoptr(sw_state) base = busybox();
        sw_autoptr(sw_state) in = sw_state_cgroup_parent(base, "foo");
        sw_autoptr(sw_run) r = shell(in, "true");
        sw_autoptr(sw_state) s = NULL;
        struct made m;
        Pb__OpMetadata *md;

        ok(sw_run_end(r, SW_LLB_OPTS(.resources = &limits, .name = "n"), &s));
        HAS(s, digest,
            "sha256:1d73b8388152aeb370a87a991ad70b8605a62514ca2d143830676b8e047f9720");
        make(&m, s, SW_LLB_OPTS(.caps = caps));
        md = metadata(&m, digest);
        ck_assert_int_eq(md->linux_resources->memory, 104857600);
        ck_assert_uint_eq(md->linux_resources->cpuperiod, 100000);
        ck_assert_int_eq(md->linux_resources->cpuquota, 50000);
        ck_assert(has_cap(md, "exec.meta.linux.resources"));
        ck_assert(has_cap(md, "exec.meta.setsdefaultpath"));
        ck_assert_str_eq(md->description[0]->key, "llb.customname");
        md = metadata(&m, "sha256:1d73b8388152aeb370a87a991ad70b8605a62514ca2d143830676b8e0"
                          "47f9720");
        ck_assert(has_cap(md, "meta.description"));
        unmake(&m);
}
END_TEST

START_TEST(ignore_cache_and_copy_from)
{
        sw_autoptr(sw_state) base = busybox();
        sw_autoptr(sw_run) r = shell(base, "echo a");
        sw_autoptr(sw_state) a = NULL;
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) p = NULL;
        sw_autoptr(sw_state) s = NULL;
        struct made m;

        ok(sw_run_end(r, SW_LLB_OPTS(.ignore_cache = true), &a));
        ok(sw_files_copy(f, a, "/etc/passwd", "/p",
                         SW_LLB_COPY(.follow_symlink = true, .contents_only = true,
                                     .make_parents = true, .wildcard = true,
                                     .allow_empty_wildcard = true)));
        ok(sw_state_files(base, f, NULL, &p));
        s = sh(p, "echo b");
        HAS(s, "sha256:bd2dcceeb845f041ca89f13dbf7dff3aa8352b15199994fc531d8e33bfd698e3",
            "sha256:dcbb3e8067a3b7d135195363fddce6b1f213a94cbb92d016e0dc777f0fe69332",
            "sha256:4520d0ff9825c6c61a779b635ff8fbad29e2eb8acbd75ce968e8371645ebd05d",
            "sha256:a12197859d412ecb7a5ac600d48da57483269ffb512ee7e2129ace2810aba76f");
        make(&m, s, SW_LLB_OPTS(.caps = caps));
        ck_assert(
                has_cap(metadata(&m, "sha256:a12197859d412ecb7a5ac600d48da57483269ffb512ee"
                                     "7e2129ace2810aba76f"),
                        "meta.ignorecache"));
        unmake(&m);
}
END_TEST

UNIT_MAIN("digests", run_mounts, network_security, http, git, proxy, resources,
          ignore_cache_and_copy_from)
