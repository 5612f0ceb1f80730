/*
 * Definition keys of ops against records that BuildKit exported for the same definitions
 * (tests/data/cachemap). A record's digest is sha256("<digest of the cache map>@<output>").
 *
 * Catches: any byte of a cache map's JSON that differs from the Go implementation's, in the
 * fields that these definitions have; selectors that are joined otherwise.
 */
#include <fcntl.h>
#include <stdio.h>

#include <slipway/llb.h>

#include "core/ops/internal.h"
#include "tests/unit/unit.h"

static const struct {
        const char *file, *record;
} records[] = {
        { "001-basic", "b466a8e8a269a2505a667635efbacfc1140dd695dff69ee0eb272aa073e5306f" },
        { "002-scratch-copy",
          "f3a558d739056fa38f45ada99819bccd2714e7847991333b5e6d1de73889bbee" },
        { "002-scratch-copy",
          "f57d380015790d16c0c8fd74a3f263e933bf79b665f3fd28d2624be71ee6ab1e" },
        { "003-multistage",
          "2c4ec5f20d7e7c508834abbc498534cd3f7d996d217fb7e02d9337cc0ceb3765" },
        { "003-multistage",
          "57a5ab45ee83a930675514d2528c657cf1d5e669475f33931afc0e7c848c0e34" },
        { "003-multistage",
          "5a850b79d3839885a01d194481e51a60e49a687039c90527e88115d36485535c" },
        { "003-multistage",
          "b16ef5bc8562f91cc4c0e8126ecb846aa22340f1ff99331f02b306df20411c85" },
        { "004-env-arg",
          "99258a87047845f20a204b9452414a380ab2c3dc0f6b6f9073d6200b788c79b4" },
        { "006-heredoc-run",
          "b2136e934058c5bdc63c98732fe6540918ac62264e9f9da7ba4f7e7f3bd78dc0" },
        { "006-heredoc-run",
          "ca1baead379560b63cc125ac8975f8bb96b1c6781fa8710c7943bfce7456f7f8" },
        { "013-workdir-user",
          "60001b93883278872d9c9f4796fdb6d7d766b2e9521f041242f42e6f26018c16" },
        { "013-workdir-user",
          "847a5a621ba3b1f999cc8e32d85e035f30a7aad3431adcbb32d279782506c61e" },
        { "013-workdir-user",
          "cc0582361a8bbe0afbadf5424284a685013d9974e8739dc6bcf8f50be29b7903" },
        { "013-workdir-user",
          "daf5f6e2cf6e8485ad09296d1b85f2832172a58b476898272cbe32997febc110" },
        { "019-from-stage-index",
          "612adaa3c4aadb1bb533dad10646a0988248c726255e2f9649615e336f59c6cd" },
        { "019-from-stage-index",
          "edb6e6d1157a22fde95e1ed93ccc9e6bac2401c8389a1c4a4cb883687c92ab71" },
        { "030-many-copies",
          "092b50d386ca71922b9f4fa85455ad183e501a98dc6414e941e33ac8c2bc31be" },
        { "030-many-copies",
          "0afb71847854ad1acbd516264d95334671545750750de8637b858eb1b0b0b82e" },
        { "030-many-copies",
          "16517c420325c1f623a503469f97998fd6491603f78067f07daa44c90885c06d" },
        { "030-many-copies",
          "34960c856bb9278ce78c25a1957fe29f3f78a3d017c9c6e6cf11e3445e681316" },
        { "030-many-copies",
          "3c047be1aa65b111669c5deab1fa1bd575d94e696b391ed9e8d20c5140762ac0" },
        { "030-many-copies",
          "4c2fab167a0e550b2ab33e6dbea16a6d7b1f5a64ede4b91254cfa8e20484c454" },
        { "030-many-copies",
          "89a0025a9e24f34e6b9e3a63ae51e07731ed9b065b19f5e7173e6cc026af9252" },
        { "030-many-copies",
          "bb26683baa00fc953a49c7bf43f27b869268e29c6d080b968d6eeef3138143ea" },
        { "030-many-copies",
          "c3e804a1fcd52ecf614cd5ffbc126e62e7aacc99af9b133249ad7d58158ba409" },
        { "030-many-copies",
          "c4ea2a98f51125eaf2edc5da5c745e91315f2fb6dd4658e7ccdcf42318a2a496" },
        { "030-many-copies",
          "ccd2b79156d74710460c748740e686faaa0fe014668ea3bc987bda4925afe204" },
        { "030-many-copies",
          "ea238704bfab8c28133259072390297be16b2538ed3526617f468f65efb9d9fb" },
};

static sw_definition *
load(const char *name)
{
        const char *top = getenv("top_srcdir");
        sw_auto(sw_str) path =
                sw_asprintf("%s/tests/data/cachemap/%s.llb", top ? top : "..", name);
        sw_auto(sw_buf) bytes = SW_BUF_INIT;
        sw_definition *def = NULL;

        ok(sw_buf_read_file(&bytes, AT_FDCWD, path, 1 << 20));
        ok(sw_definition_decode(bytes.data, bytes.len, NULL, &def));
        return def;
}

static void
keys_of(const sw_definition *def, size_t i, struct sw__op_keys *out)
{
        const sw_llb_vertex *v = sw_definition_vertex(def, i);
        struct sw__op op = { .def = (sw_definition *) def,
                             .v = v,
                             .pb = sw__llb_vertex_op(v) };

        *out = (struct sw__op_keys){ .n_deps = op.pb->n_inputs };
        out->deps = sw_alloc_array(out->n_deps, sizeof(*out->deps));
        switch (sw_llb_vertex_kind(v)) {
        case SW_OP_EXEC: ok(sw__op_keys_exec(&op, out)); break;
        case SW_OP_FILE: ok(sw__op_keys_file(&op, out)); break;
        case SW_OP_SOURCE: break;
        default: ok(sw__op_keys_plain(&op, out)); break;
        }
}

static void
record_of(const struct sw__op_keys *k, char out[SW_DIGEST_HEX_LEN + 1])
{
        char text[SW_DIGEST_STR_SIZE + 8], digest[SW_DIGEST_STR_SIZE];
        int n = snprintf(text, sizeof(text), "%s@0", sw_digest_str(&k->digest, digest));
        sw_digest d = sw_digest_of(text, (size_t) n);

        sw_digest_hex(&d, out);
}

static bool
has_record(const char *file, const char *want)
{
        sw_autoptr(sw_definition) def = load(file);
        bool found = false;

        for (size_t i = 0; i < sw_definition_count(def) && !found; i++) {
                struct sw__op_keys k;
                char record[SW_DIGEST_HEX_LEN + 1];

                keys_of(def, i, &k);
                record_of(&k, record);
                found = strcmp(record, want) == 0;
                sw__op_keys_release(&k);
        }
        return found;
}

/* Each record with inputs that BuildKit exported is that of one of our ops. */
START_TEST(records_are_found)
{
        for (size_t i = 0; i < SW_COUNT(records); i++)
                ck_assert_msg(has_record(records[i].file, records[i].record),
                              "%s: no op has record %s", records[i].file,
                              records[i].record);
}
END_TEST

static const struct sw__op_dep *
find_dep(struct sw__op_keys *k, const char *selector)
{
        for (size_t i = 0; i < k->n_deps; i++)
                if (strcmp(k->deps[i].selector, selector) == 0)
                        return &k->deps[i];
        return NULL;
}

/* 019 copies /z of an image: the record is linked with the selector of that path. */
START_TEST(selector_of_copy)
{
        sw_autoptr(sw_definition) def = load("019-from-stage-index");
        bool found = false;

        for (size_t i = 0; i < sw_definition_count(def) && !found; i++) {
                struct sw__op_keys k;
                const struct sw__op_dep *dep;

                keys_of(def, i, &k);
                dep = find_dep(&k, "sha256:c2f38b42de12c531ecefb7908bde2ca15"
                                   "3a5ad5227a42ee2a9122ad4e2401289");
                if (dep) {
                        found = true;
                        ck_assert(dep->content);
                        ck_assert_uint_eq(dep->n_selects, 1);
                        ck_assert_str_eq(dep->selects[0].path, "/z");
                }
                sw__op_keys_release(&k);
        }
        ck_assert(found);
}
END_TEST

/* The root of a command is an input as a whole and not looked into. */
START_TEST(selector_of_root)
{
        sw_autoptr(sw_definition) def = load("001-basic");
        struct sw__op_keys k;

        keys_of(def, sw_definition_count(def) - 1, &k);
        ck_assert_uint_eq(k.n_deps, 1);
        ck_assert_str_eq(k.deps[0].selector, "sha256:8a5edab282632443219e051e4ade2d1d5bbc67"
                                             "1c781051bf1437897cbdfea0f1");
        ck_assert(!k.deps[0].content);
        sw__op_keys_release(&k);
}
END_TEST

/* The last vertex but the return of it: its keys. */
static void
keys_of_state(const sw_state *s, struct sw__op_keys *out)
{
        sw_auto(sw_buf) bytes = SW_BUF_INIT;
        sw_definition *def = NULL;

        ok(sw_state_marshal(s, NULL, &bytes));
        ok(sw_definition_decode(bytes.data, bytes.len, NULL, &def));
        for (size_t i = sw_definition_count(def); i-- > 0;)
                if (sw_llb_vertex_kind(sw_definition_vertex(def, i)) == SW_OP_FILE) {
                        keys_of(def, i, out);
                        sw_definition_free(def);
                        return;
                }
        ck_abort_msg("no file op");
}

/* Whether copies of @a and @b, and of @c and @d, have one key; the first to /1, the second
 * (NULL: none) to /2. @onto_itself: on the tree that they are from. */
static bool
same_key(bool onto_itself, const char *a, const char *b, const char *c, const char *d)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) from = NULL;
        const char *const paths[2][2] = { { a, b }, { c, d } };
        struct sw__op_keys keys[2];

        ok(sw_llb_local("context", NULL, NULL, &from));
        for (size_t i = 0; i < 2; i++) {
                sw_autoptr(sw_files) files = sw_files_new();
                sw_autoptr(sw_state) s = NULL;

                ok(sw_files_copy(files, from, paths[i][0], "/1", NULL));
                if (paths[i][1])
                        ok(sw_files_copy(files, from, paths[i][1], "/2", NULL));
                ok(sw_state_files(onto_itself ? from : scratch, files, NULL, &s));
                keys_of_state(s, &keys[i]);
        }
        const bool same = sw_digest_eq(&keys[0].digest, &keys[1].digest);
        sw__op_keys_release(&keys[0]);
        sw__op_keys_release(&keys[1]);
        return same;
}

/* Directories that what is copied lies in do not matter, as long as the content of what is
 * selected tells all; otherwise builds would get each other's results. */
START_TEST(copies_that_differ_have_other_keys)
{
        ck_assert(same_key(false, "/a/x", NULL, "/b/x", NULL));
        ck_assert(same_key(false, "/a/x", "/a/y", "/b/x", "/b/y"));
        ck_assert(same_key(false, "/a/x", "/a/x", "/b/x", "/b/x"));
        ck_assert(!same_key(false, "/a/x", NULL, "/a/y", NULL));
        /* the tree as a whole is in the key, and nothing of where in it */
        ck_assert(!same_key(true, "/a/x", NULL, "/b/x", NULL));
        ck_assert(same_key(true, "/x", NULL, "x", NULL));
        /* each of the two may be either */
        ck_assert(!same_key(false, "/a/x", "/b/x", "/b/x", "/a/x"));
        /* digests come in the order of the paths: the first one is of x here, of y there */
        ck_assert(!same_key(false, "/a/x", "/b/y", "/b/x", "/a/y"));
        ck_assert(same_key(false, "/a/y", "/a/x", "/b/y", "/b/x"));
        /* all of /a is selected, whatever is copied of it */
        ck_assert(!same_key(false, "/a", "/a/x", "/a", "/a/b/x"));
}
END_TEST

START_TEST(session_keys_are_random)
{
        char out[SW_KEY_TEXT_SIZE];

        sw__op_source_digest("session:context:sha256:00", out);
        ck_assert_str_eq(
                out,
                "random:3bb832e3d4b9b08ebbec4a1fd315d6ccac5b1ddd602037b58369e5d5ff3da472");
        sw__op_source_digest("x", out);
        ck_assert_str_eq(
                out,
                "sha256:96a914caf4677cd1ecb21161534fde37fe884b94d6c3e58684446acf334acd04");
}
END_TEST

UNIT_MAIN("cachemap", records_are_found, selector_of_copy, selector_of_root,
          copies_that_differ_have_other_keys, session_keys_are_random)
