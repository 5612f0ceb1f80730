/*
 * tests/unit/core/llb/definition_test.c - loading a definition: its shape, digests, what
 * is known about vertices.
 */
#include <fcntl.h>
#include <time.h>

#include "tests/unit/unit.h"

#include "core/llb/llb_priv.h"
#include "core/llb/state/caps.h"
#include "tests/unit/core/llb/made.h"

static sw_definition *
decode(const struct made *m, const struct sw_definition_opts *opts)
{
        sw_definition *def = NULL;

        ok(sw_definition_decode(m->out.data, m->out.len, opts, &def));
        return def;
}

/* The definition so far is refused. */
static void
refused(struct made *m, int code, const char *part)
{
        sw_definition *def = NULL;

        fails(sw_definition_decode(m->out.data, m->out.len, NULL, &def), code, part);
        ck_assert_ptr_null(def);
        made_release(m);
}

static Pb__Op
pointer(Pb__Input *in, Pb__Input **list, const char *digest, int64_t index)
{
        Pb__Op op = PB__OP__INIT;

        pb__input__init(in);
        in->digest = S(digest);
        in->index = index;
        *list = in;
        op.inputs = list;
        op.n_inputs = 1;
        return op;
}

/* ---- recorded definitions ----------------------------------------------------------- */

/* Catches: a definition of BuildKit's own client that is refused, or gets other digests. */
START_TEST(recorded)
{
        static const char *const names[] = {
                "01-image-run",
                "02-env-dir-user",
                "03-mounts",
                "04-file-chain",
                "05-copy",
                "07-local-opts",
                "08-git",
                "10-oci-layout",
                "12-platform",
                "13-ulimit-proxy",
                "11-network-security",
                "15-diamond",
        };
        const char *top = getenv("top_srcdir");

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                sw_auto(sw_str) stem =
                        sw_asprintf("%s/tests/data/llb/%s", top ? top : "..", names[i]);
                sw_auto(sw_str) llb = sw_asprintf("%s.llb", stem);
                sw_auto(sw_str) jsonl = sw_asprintf("%s.jsonl", stem);
                sw_auto(sw_buf) in = SW_BUF_INIT, want = SW_BUF_INIT;
                sw_autoptr(sw_definition) def = NULL;

                ok(sw_buf_read_file(&in, AT_FDCWD, llb, 1 << 20));
                ok(sw_buf_read_file(&want, AT_FDCWD, jsonl, 1 << 20));
                ok(sw_definition_decode(in.data, in.len, NULL, &def));
                for (size_t k = 0; k < sw_definition_count(def); k++) {
                        sw_auto(sw_str) line =
                                sw_asprintf("\"Digest\":\"%s\"",
                                            sw_llb_vertex_digest_str(
                                                    sw_definition_vertex(def, k)));

                        ck_assert_msg(strstr(want.data, line), "%s lacks %s", jsonl, line);
                }
        }
}
END_TEST

/* ---- shape -------------------------------------------------------------------------- */

START_TEST(empty_definitions)
{
        struct made m = { 0 };
        sw_definition *def = NULL;

        fails(sw_definition_decode("", 0, NULL, &def), SW_E_INVALID,
              "failed to load LLB: invalid empty definition");
        ck_assert(sw_definition_is_empty("", 0));
        ck_assert(!sw_definition_is_empty("\xff", 1));
        made_close(&m);
        ck_assert(sw_definition_is_empty(m.out.data, m.out.len));
        refused(&m, SW_E_INVALID, "failed to load LLB: invalid empty definition");
        m = (struct made){ 0 };
        made_source(&m, "local://x");
        made_close(&m);
        ck_assert(!sw_definition_is_empty(m.out.data, m.out.len));
        made_release(&m);
}
END_TEST

START_TEST(too_few_ops)
{
        struct made m = { 0 };
        Pb__Op op = PB__OP__INIT;

        made_add(&m, &op);
        made_close(&m);
        refused(&m, SW_E_INVALID, "failed to load LLB: invalid LLB with 1 vertexes");
        /* the same op twice is one vertex */
        m = (struct made){ 0 };
        made_add(&m, &op);
        made_add(&m, &op);
        made_close(&m);
        refused(&m, SW_E_INVALID, "failed to load LLB: invalid LLB with 1 vertexes");
}
END_TEST

START_TEST(last_op)
{
        struct made m = { 0 };
        Pb__Input in, in2, *list, *both[2];
        Pb__SourceOp source = PB__SOURCE_OP__INIT;
        Pb__Op op = PB__OP__INIT;
        const char *src;

        made_source(&m, "local://x");
        made_add(&m, &op);
        made_close(&m);
        refused(&m, SW_E_INVALID, "invalid LLB with no inputs on last vertex");

        m = (struct made){ 0 };
        src = made_source(&m, "local://x");
        op = pointer(&in, &both[0], src, 0);
        (void) pointer(&in2, &both[1], src, 0);
        op.inputs = both;
        op.n_inputs = 2;
        made_add(&m, &op);
        made_close(&m);
        refused(&m, SW_E_INVALID, "invalid LLB with 2 inputs on last vertex");

        m = (struct made){ 0 };
        src = made_source(&m, "local://x");
        op = pointer(&in, &list, src, 0);
        source.identifier = S("local://y");
        op.op_case = PB__OP__OP_SOURCE;
        op.source = &source;
        made_add(&m, &op);
        made_close(&m);
        refused(&m, SW_E_INVALID, "invalid LLB with an op on last vertex");

        m = (struct made){ 0 };
        src = made_source(&m, "local://x");
        made_finish_at(&m, src, 1);
        refused(&m, SW_E_INVALID, "output index 1 on last vertex");
}
END_TEST

/* Catches: the last op taken for a vertex that others may use. */
START_TEST(last_op_is_no_input)
{
        struct made m = { 0 };
        struct made_exec e;
        Pb__Input in, *list;
        const char *last;
        Pb__Op op = pointer(&in, &list, made_source(&m, "local://x"), 0);
        ProtobufCBinaryData bytes;

        last = made_add(&m, &op);
        made_exec_init(&e, last);
        made_add(&m, &e.op);
        /* move the pointer to the end again */
        bytes = m.ops.v[1];
        m.ops.v[1] = m.ops.v[2];
        m.ops.v[2] = bytes;
        made_close(&m);
        refused(&m, SW_E_INVALID, "invalid missing input digest sha256:");
}
END_TEST

START_TEST(broken_bytes)
{
        struct made m = { 0 };
        const char *digest;
        sw_definition *def = NULL;
        sw_err *err;

        fails(sw_definition_decode("\x0a\x05x", 3, NULL, &def), SW_E_INVALID,
              "failed to load LLB: failed to parse llb definition: pb.Definition");
        digest = made_add_bytes(&m, "\x1a\x03\n\x01\xff", 5);
        made_finish_at(&m, digest, 0);
        err = sw_definition_decode(m.out.data, m.out.len, NULL, &def);
        ck_assert_ptr_nonnull(err);
        ck_assert_ptr_nonnull(strstr(sw_err_message(err),
                                     "failed to load LLB: failed to parse llb proto op"));
        ck_assert_ptr_nonnull(strstr(sw_err_message(err), "pb.SourceOp.identifier"));
        ck_assert_ptr_nonnull(strstr(sw_err_message(err), digest));
        ck_assert_str_eq(sw_err_vertex(err), digest);
        sw_err_free(err);
        made_release(&m);
}
END_TEST

/* Catches: memory that many ops need together although each needs little. */
START_TEST(limits)
{
        sw_definition *def = NULL;
        struct made m = { 0 };
        char *op = sw_alloc(20000);

        fails(sw_definition_decode("", SW_DEFINITION_MAX_BYTES + 1, NULL, &def), SW_E_LIMIT,
              "16 MiB");
        for (int i = 0; i < 700; i++) {
                size_t n = 20000;

                /* field 2 (exec), 19996 bytes: empty mounts (field 2), 2 bytes each */
                op[0] = 0x12;
                op[1] = (char) (0x80 | (19996 & 0x7f));
                op[2] = (char) (0x80 | (19996 >> 7 & 0x7f));
                op[3] = 19996 >> 14;
                for (size_t k = 4; k < n; k += 2) {
                        op[k] = 0x12;
                        op[k + 1] = 0;
                }
                /* make it another op: an empty secretenv somewhere */
                op[4 + 2 * i] = 0x2a;
                made_add_bytes(&m, op, n);
        }
        made_finish(&m);
        ck_assert_uint_lt(m.out.len, SW_DEFINITION_MAX_BYTES);
        refused(&m, SW_E_LIMIT, "needs more than 512 MiB");
        free(op);
}
END_TEST

/* Catches: order taken from the definition, where inputs may come later. */
START_TEST(any_order)
{
        struct made m = { 0 };
        struct made_exec e;
        ProtobufCBinaryData bytes;

        made_exec_init(&e, made_source(&m, "local://x"));
        made_add(&m, &e.op);
        bytes = m.ops.v[0];
        m.ops.v[0] = m.ops.v[1];
        m.ops.v[1] = bytes;
        made_finish_at(&m, m.digests.v[1], 0);

        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_uint_eq(sw_definition_count(def), 2);
        const sw_llb_vertex *v = sw_definition_vertex(def, 1);
        ck_assert_int_eq(sw_llb_vertex_kind(v), SW_OP_EXEC);
        ck_assert_uint_eq(sw_llb_vertex_index(v), 1);
        ck_assert_uint_eq(sw_llb_vertex_n_inputs(v), 1);
        ck_assert_uint_eq(sw_llb_vertex_input(v, 0).vertex, 0);
        ck_assert_uint_eq(sw_definition_result(def).vertex, 1);
        ck_assert_ptr_eq(sw_definition_find(def, sw_llb_vertex_digest(v)), v);
        sw_digest none = { { 0 } };
        ck_assert_ptr_null(sw_definition_find(def, &none));
        made_release(&m);
}
END_TEST

/* Catches: recursion along the graph. */
START_TEST(long_chains)
{
        enum { N = 40000 };
        struct made m = { 0 };
        struct made_exec e;
        const char *digest = made_source(&m, "local://x");

        for (int i = 0; i < N; i++) {
                made_exec_init(&e, digest);
                digest = made_add(&m, &e.op);
        }
        /* backwards, so that the walk starts at the far end */
        for (int i = 0; i < N / 2; i++) {
                ProtobufCBinaryData bytes = m.ops.v[i];

                m.ops.v[i] = m.ops.v[N - i];
                m.ops.v[N - i] = bytes;
        }
        made_finish_at(&m, digest, 0);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_uint_eq(sw_definition_count(def), N + 1);
        ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, N)), digest);
        made_release(&m);
}
END_TEST

START_TEST(outputs_are_counted)
{
        struct made m = { 0 };
        struct made_exec e;
        struct made_file f;
        const char *src = made_source(&m, "local://x"), *exec;

        made_exec_init(&e, src);
        e.exec.n_mounts = 2;
        e.more.output = 1;
        exec = made_add(&m, &e.op);
        made_file_init(&f, exec);
        f.in.index = 1;
        f.a.output = 1;
        made_finish_at(&m, made_add(&m, &f.op), 1);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_uint_eq(sw_llb_vertex_n_outputs(sw_definition_vertex(def, 0)), 1);
        ck_assert_uint_eq(sw_llb_vertex_n_outputs(sw_definition_vertex(def, 1)), 2);
        ck_assert_uint_eq(sw_llb_vertex_n_outputs(sw_definition_vertex(def, 2)), 2);
        ck_assert_uint_eq(sw_llb_vertex_input(sw_definition_vertex(def, 2), 0).output, 1);
        ck_assert_uint_eq(sw_definition_result(def).output, 1);
        made_release(&m);
}
END_TEST

/* How many outputs a command with two mounts has. */
static size_t
outputs_of(int type, int64_t input, int64_t output, bool readonly)
{
        Pb__CacheOpt cache = PB__CACHE_OPT__INIT;
        struct made m = { 0 };
        struct made_exec e;
        size_t n;

        made_exec_init(&e, made_source(&m, "local://x"));
        e.exec.n_mounts = 2;
        e.more.mounttype = (Pb__MountType) type;
        e.more.cacheopt = type == PB__MOUNT_TYPE__CACHE ? &cache : NULL;
        e.more.input = input;
        e.more.output = output;
        e.more.readonly = readonly;
        made_add(&m, &e.op);
        made_finish(&m);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        n = sw_llb_vertex_n_outputs(sw_definition_vertex(def, 1));
        made_release(&m);
        return n;
}

/* Catches: definitions refused, or with outputs that are not there, because a client that
 * is not the Go one numbers outputs otherwise or leaves them all at 0. */
START_TEST(outputs_are_those_of_mounts)
{
        ck_assert_uint_eq(outputs_of(PB__MOUNT_TYPE__BIND, -1, -1, false), 1);
        ck_assert_uint_eq(outputs_of(PB__MOUNT_TYPE__BIND, -1, 0, false), 2);
        ck_assert_uint_eq(outputs_of(PB__MOUNT_TYPE__BIND, 0, 7, true), 2);
        ck_assert_uint_eq(outputs_of(PB__MOUNT_TYPE__CACHE, -1, 0, false), 1);
        ck_assert_uint_eq(outputs_of(PB__MOUNT_TYPE__CACHE, 0, 0, false), 2);
        ck_assert_uint_eq(outputs_of(PB__MOUNT_TYPE__TMPFS, -1, 0, false), 1);
}
END_TEST

/* ---- digests ------------------------------------------------------------------------ */

/* Catches: digests of bytes as another writer made them; metadata that gets lost when a
 * digest changes. "map entries sorted, empty values written" is what Go does. */
START_TEST(digests_are_of_canonical_bytes)
{
        struct made m = { 0 }, want = { 0 };
        Pb__SourceOp source = PB__SOURCE_OP__INIT;
        Slipway__Map__String a = SLIPWAY__MAP__STRING__INIT, b = a;
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Pb__Op op = PB__OP__INIT;
        struct made_exec e;
        const char *digest;

        /* attrs b (without a value), then a */
        digest = made_add_bytes(&m,
                                "\x1a\x15\n\x09local://x\x12\x03\n\x01"
                                "b\x12\x03\n\x01"
                                "a",
                                23);
        md.ignore_cache = 1;
        made_metadata(&m, digest, &md);
        made_exec_init(&e, digest);
        made_finish_at(&m, made_add(&m, &e.op), 0);

        source.identifier = S("local://x");
        a.key = S("a");
        b.key = S("b");
        a.value = b.value = S("");
        source.attrs = LIST(Slipway__Map__String, &a, &b);
        source.n_attrs = 2;
        op.op_case = PB__OP__OP_SOURCE;
        op.source = &source;
        made_exec_init(&e, made_add(&want, &op));
        made_add(&want, &e.op);

        sw_autoptr(sw_definition) def = decode(&m, NULL);
        for (size_t i = 0; i < 2; i++)
                ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, i)),
                                 want.digests.v[i]);
        ck_assert(sw_llb_vertex_ignore_cache(sw_definition_vertex(def, 0)));
        ck_assert(!sw_llb_vertex_ignore_cache(sw_definition_vertex(def, 1)));
        made_release(&m);
        made_release(&want);
}
END_TEST

/* Catches: two vertices with one digest. */
START_TEST(two_spellings_are_one_vertex)
{
        struct made m = { 0 };
        Pb__MergeInput a = PB__MERGE_INPUT__INIT, b = PB__MERGE_INPUT__INIT;
        Pb__MergeOp merge = PB__MERGE_OP__INIT;
        struct made_exec e;

        b.input = 1;
        merge.inputs = LIST(Pb__MergeInput, &a, &b);
        merge.n_inputs = 2;
        made_exec_init(&e, made_source(&m, "local://x"));
        made_add(&m, &e.op);
        {
                /* the same exec, with network = 0 written out at the end */
                sw_buf out = SW_BUF_INIT;
                const ProtobufCBinaryData *x = &m.ops.v[1];
                size_t at = 0;

                while (x->data[at] != 0x12) /* the oneof is last: 0x12 LEN ... */
                        at += 2 + x->data[at + 1];
                sw_buf_add(&out, x->data, x->len);
                out.data[at + 1] = (char) (out.data[at + 1] + 2);
                sw_buf_add(&out, "\x18\x00", 2);
                made_add_bytes(&m, out.data, out.len);
                sw_buf_release(&out);
        }
        ck_assert_str_ne(m.digests.v[1], m.digests.v[2]);
        e.in.digest = m.digests.v[1];
        e.in2.digest = m.digests.v[2];
        e.op.n_inputs = 2;
        e.op.op_case = PB__OP__OP_MERGE;
        e.op.merge = &merge;
        made_finish_at(&m, made_add(&m, &e.op), 0);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_uint_eq(sw_definition_count(def), 3);
        const sw_llb_vertex *v = sw_definition_vertex(def, 2);
        ck_assert_uint_eq(sw_llb_vertex_input(v, 0).vertex, 1);
        ck_assert_uint_eq(sw_llb_vertex_input(v, 1).vertex, 1);
        made_release(&m);
}
END_TEST

/* Catches: unknown fields dropped, or written before the oneof. */
START_TEST(unknown_fields_count)
{
        static const char bytes[] = "\x52\x00\x1a\x0b\n\x09local://x\xfa\x07\x01u";
        struct made m = { 0 };
        const char *digest = made_add_bytes(&m, bytes, sizeof(bytes) - 1);

        made_finish_at(&m, digest, 0);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, 0)), digest);
        made_release(&m);
}
END_TEST

/* Catches: commands behind the proxy that share results with those that are not. */
START_TEST(proxy_network)
{
        struct made m = { 0 }, want = { 0 };
        struct made_exec e, closed;
        sw_buf salted = SW_BUF_INIT;
        char digest[SW_DIGEST_STR_SIZE];
        sw_digest d;

        made_exec_init(&e, made_source(&m, "local://context"));
        made_exec_init(&closed, made_add(&m, &e.op));
        closed.exec.network = PB__NET_MODE__NONE;
        made_finish_at(&m, made_add(&m, &closed.op), 0);
        sw_autoptr(sw_definition) def =
                decode(&m, SW_DEFINITION_OPTS(.proxy_network = true));
        ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, 0)),
                         m.digests.v[0]);
        sw__llb_pack_op(&e.op, &salted);
        sw_buf_add(&salted, "\0buildkit.proxy-network.v0", 26);
        d = sw_digest_of(salted.data, salted.len);
        sw_digest_str(&d, digest);
        ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, 1)), digest);
        /* no network: not salted, but its input is another one */
        closed.in.digest = digest;
        ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, 2)),
                         made_add(&want, &closed.op));
        sw_buf_release(&salted);
        made_release(&m);
        made_release(&want);
}
END_TEST

/* Catches: digests that do not follow a source that policy changed. */
START_TEST(changed_sources)
{
        struct made m = { 0 }, want = { 0 };
        Pb__SourceOp source = PB__SOURCE_OP__INIT;
        Slipway__Map__String a = SLIPWAY__MAP__STRING__INIT, b = a;
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Pb__Op op = PB__OP__INIT;
        struct made_exec e;

        made_exec_init(&e, made_source(&m, "docker-image://old"));
        md.ignore_cache = 1;
        made_metadata(&m, m.digests.v[0], &md);
        made_finish_at(&m, made_add(&m, &e.op), 0);

        source.identifier = S("docker-image://new");
        a.key = S("a");
        a.value = S("1");
        b.key = S("b");
        b.value = S("2");
        source.attrs = LIST(Slipway__Map__String, &a, &b);
        source.n_attrs = 2;
        op.op_case = PB__OP__OP_SOURCE;
        op.source = &source;
        made_exec_init(&e, made_add(&want, &op));
        made_add(&want, &e.op);

        sw_autoptr(sw_definition) def = decode(&m, NULL);
        sw__definition_set_source(def, 0, "docker-image://new");
        sw__definition_set_attr(def, 0, "b", "other");
        sw__definition_set_attr(def, 0, "a", "1");
        sw__definition_set_attr(def, 0, "b", "2");
        ok(sw__definition_redigest(def));
        for (size_t i = 0; i < 2; i++)
                ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, i)),
                                 want.digests.v[i]);
        ck_assert(sw_llb_vertex_ignore_cache(sw_definition_vertex(def, 0)));
        ck_assert_str_eq(sw_llb_vertex_name(sw_definition_vertex(def, 0)),
                         "docker-image://new");
        sw__definition_set_source(def, 0, "no scheme");
        fails(sw__definition_redigest(def), SW_E_INVALID, "failed to parse");
        made_release(&m);
        made_release(&want);
}
END_TEST

/* ---- descriptions ------------------------------------------------------------------- */

START_TEST(metadata)
{
        struct made m = { 0 };
        struct made_exec e;
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Pb__ExportCache export = PB__EXPORT_CACHE__INIT;
        Pb__ProgressGroup group = PB__PROGRESS_GROUP__INIT;
        Pb__LinuxResources res = PB__LINUX_RESOURCES__INIT;
        Slipway__Map__String desc = SLIPWAY__MAP__STRING__INIT, desc2 = desc;
        Slipway__Map__Bool cap = SLIPWAY__MAP__BOOL__INIT;
        Pb__WorkerConstraints constraints = PB__WORKER_CONSTRAINTS__INIT;
        size_t n;

        made_exec_init(&e, made_source(&m, "local://x"));
        constraints.filter = LIST(char, S("f==1"), S("g"));
        constraints.n_filter = 2;
        e.op.constraints = &constraints;
        made_add(&m, &e.op);
        group.id = S("id");
        group.name = S("name");
        group.weak = 1;
        res.memory = 7;
        res.memoryswap = -1;
        res.cpushares = 3;
        res.cpusetcpus = S("0-1");
        cap.key = S("exec.mount.cache");
        cap.has_value = 1;
        desc.key = S("x");
        desc.value = S("y");
        desc2.key = S("llb.customname");
        desc2.value = S("nice");
        md.description = LIST(Slipway__Map__String, &desc, &desc2); /* not sorted */
        md.n_description = 2;
        md.export_cache = &export;
        md.progress_group = &group;
        md.linux_resources = &res;
        md.caps = LIST(Slipway__Map__Bool, &cap);
        md.n_caps = 1;
        made_metadata(&m, m.digests.v[0], &md);
        made_metadata(&m, m.digests.v[1], &md);
        made_metadata(&m, "sha256:unknown", &md);
        made_finish_at(&m, m.digests.v[1], 0);

        sw_autoptr(sw_definition) def = decode(&m, NULL);
        const sw_llb_vertex *v = sw_definition_vertex(def, 1);
        ck_assert_str_eq(sw_llb_vertex_name(v), "nice");
        ck_assert_int_eq(sw_llb_vertex_export_cache(v), SW_LLB_EXPORT_CACHE_OFF);
        ck_assert_str_eq(sw_llb_vertex_description(v, "x"), "y");
        ck_assert_ptr_null(sw_llb_vertex_description(v, "z"));
        const struct sw_llb_pair *pairs = sw_llb_vertex_descriptions(v, &n);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(pairs[0].key, "llb.customname");
        ck_assert_str_eq(sw_llb_vertex_progress_group(v)->id, "id");
        ck_assert(sw_llb_vertex_progress_group(v)->weak);
        ck_assert_int_eq(sw_llb_vertex_resources(v)->memory_swap, -1);
        ck_assert_str_eq(sw_llb_vertex_resources(v)->cpuset_cpus, "0-1");
        ck_assert_str_eq(sw_llb_vertex_filters(v, &n)[1], "g");
        ck_assert_uint_eq(n, 2);
        /* limits are for commands only */
        ck_assert_ptr_null(sw_llb_vertex_resources(sw_definition_vertex(def, 0)));
        made_release(&m);
}
END_TEST

START_TEST(nothing_known)
{
        struct made m = { 0 };
        size_t n = 1;

        made_source(&m, "local://x");
        made_finish(&m);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        const sw_llb_vertex *v = sw_definition_vertex(def, 0);
        ck_assert(!sw_llb_vertex_ignore_cache(v));
        ck_assert_int_eq(sw_llb_vertex_export_cache(v), SW_LLB_EXPORT_CACHE_DEFAULT);
        ck_assert_ptr_null(sw_llb_vertex_progress_group(v));
        ck_assert_ptr_null(sw_llb_vertex_resources(v));
        (void) sw_llb_vertex_filters(v, &n);
        ck_assert_uint_eq(n, 0);
        (void) sw_llb_vertex_locations(v, &n);
        ck_assert_uint_eq(n, 0);
        (void) sw_definition_source_maps(def, &n);
        ck_assert_uint_eq(n, 0);
        made_release(&m);
}
END_TEST

START_TEST(capabilities)
{
        static const char *const disabled[] = { "exec.mount.ssh", "mergeop" };
        const char *const *all;
        struct made m = { 0 };
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Slipway__Map__Bool cap = SLIPWAY__MAP__BOOL__INIT;
        sw_definition *def = NULL;
        size_t n;

        all = sw_llb_caps(&n);
        ck_assert_uint_eq(n, 90);
        for (size_t i = 0; i < n; i++) {
                ck_assert(sw_llb_cap_known(all[i]));
                ck_assert(i == 0 || strcmp(all[i - 1], all[i]) < 0);
        }
        ck_assert(sw_llb_cap_known("soruce.http.uidgid"));
        ck_assert(!sw_llb_cap_known("source.http.uidgid"));

        /* what our own builder records */
#define X(id, name) ck_assert_msg(sw_llb_cap_known(name), "%s", name);
        CAPS(X)
#undef X

        cap.key = S("mergeop");
        md.caps = LIST(Slipway__Map__Bool, &cap);
        md.n_caps = 1;
        made_metadata(&m, made_source(&m, "local://x"), &md);
        made_finish(&m);
        sw_definition_free(decode(&m, NULL));
        fails(sw_definition_decode(m.out.data, m.out.len,
                                   SW_DEFINITION_OPTS(.disabled_caps = disabled,
                                                      .n_disabled_caps = 2),
                                   &def),
              SW_E_INVALID, "feature mergeop has been disabled on the build server");
        sw_buf_release(&m.out);
        cap.key = S("exec.teleport");
        made_close(&m);
        refused(&m, SW_E_INVALID,
                "failed to load LLB: unknown API capability exec.teleport (vertex sha256:");
}
END_TEST

START_TEST(locations)
{
        struct made m = { 0 };
        Pb__Position start = PB__POSITION__INIT, end = PB__POSITION__INIT;
        Pb__Range range = PB__RANGE__INIT, open = PB__RANGE__INIT;
        Pb__Location loc = PB__LOCATION__INIT;
        Pb__Locations locs = PB__LOCATIONS__INIT;
        Pb__LocationsEntry entry = PB__LOCATIONS_ENTRY__INIT;
        Pb__SourceInfo info = PB__SOURCE_INFO__INIT, info2 = info;
        Pb__Source source = PB__SOURCE__INIT;
        size_t n;

        start.line = 3;
        start.character = 1;
        end.line = 4;
        range.start = &start;
        range.end = &end;
        loc.ranges = LIST(Pb__Range, &range, &open);
        loc.n_ranges = 2;
        loc.sourceindex = 1;
        locs.locations = LIST(Pb__Location, &loc);
        locs.n_locations = 1;
        entry.key = S(made_source(&m, "local://x"));
        entry.value = &locs;
        info2.filename = S("Dockerfile");
        info2.language = S("Dockerfile");
        info2.data.data = (uint8_t *) S("FROM x");
        info2.data.len = 6;
        source.infos = LIST(Pb__SourceInfo, &info, &info2);
        source.n_infos = 2;
        source.locations = LIST(Pb__LocationsEntry, &entry);
        source.n_locations = 1;
        m.source = &source;
        made_finish(&m);

        sw_autoptr(sw_definition) def = decode(&m, NULL);
        const struct sw_llb_vertex_location *p =
                sw_llb_vertex_locations(sw_definition_vertex(def, 0), &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_ptr_eq(p->map, &sw_definition_source_maps(def, &n)[1]);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(p->map->filename, "Dockerfile");
        ck_assert_mem_eq(p->map->data, "FROM x", 6);
        ck_assert_uint_eq(p->n_ranges, 2);
        ck_assert_int_eq(p->ranges[0].start_line, 3);
        ck_assert_int_eq(p->ranges[0].start_character, 1);
        ck_assert_int_eq(p->ranges[0].end_line, 4);
        ck_assert_int_eq(p->ranges[1].start_line, 0);

        for (int bad = -1; bad <= 2; bad += 3) {
                sw_buf_release(&m.out);
                loc.sourceindex = bad;
                made_close(&m);
                sw_definition *none = NULL;
                fails(sw_definition_decode(m.out.data, m.out.len, NULL, &none),
                      SW_E_INVALID, "invalid source index");
        }
        made_release(&m);
}
END_TEST

START_TEST(platforms)
{
        struct made m = { 0 };
        struct made_exec e;
        Pb__Platform p = PB__PLATFORM__INIT;

        made_exec_init(&e, made_source(&m, "local://x"));
        p.os = S("Linux");
        p.architecture = S("aarch64");
        p.variant = S("v8");
        e.op.platform = &p;
        made_finish_at(&m, made_add(&m, &e.op), 0);
        sw_autoptr(sw_definition) def =
                decode(&m, SW_DEFINITION_OPTS(.platform = &(struct sw_platform){
                                                      .os = "linux", .arch = "armhf" }));
        const sw_platform *got = sw_llb_vertex_platform(sw_definition_vertex(def, 0));
        ck_assert_str_eq(got->arch, "arm");
        ck_assert_str_eq(got->variant, "v7");
        got = sw_llb_vertex_platform(sw_definition_vertex(def, 1));
        ck_assert_str_eq(got->os, "linux");
        ck_assert_str_eq(got->arch, "arm64");
        ck_assert(!got->variant || !got->variant[0]);
        /* the digest is that of the op as written */
        ck_assert_str_eq(sw_llb_vertex_digest_str(sw_definition_vertex(def, 1)),
                         m.digests.v[1]);
        sw_autoptr(sw_definition) host = decode(&m, NULL);
        ck_assert_str_eq(sw_llb_vertex_platform(sw_definition_vertex(host, 0))->os,
                         "linux");
        made_release(&m);
}
END_TEST

/* ---- names -------------------------------------------------------------------------- */

START_TEST(names)
{
        struct made m = { 0 };
        struct made_exec e, over;
        struct made_file f;
        Pb__FileActionSymlink link = PB__FILE_ACTION_SYMLINK__INIT;
        Pb__FileActionMkFile mkfile = PB__FILE_ACTION_MK_FILE__INIT;
        Pb__FileActionRm rm = PB__FILE_ACTION_RM__INIT;
        Pb__FileAction more[3] = { PB__FILE_ACTION__INIT, PB__FILE_ACTION__INIT,
                                   PB__FILE_ACTION__INIT };
        Pb__MergeInput a = PB__MERGE_INPUT__INIT, b = PB__MERGE_INPUT__INIT;
        Pb__MergeOp merge = PB__MERGE_OP__INIT;
        Pb__LowerDiffInput lower = PB__LOWER_DIFF_INPUT__INIT;
        Pb__UpperDiffInput upper = PB__UPPER_DIFF_INPUT__INIT;
        Pb__DiffOp diff = PB__DIFF_OP__INIT;
        Pb__PassthroughOp pass = PB__PASSTHROUGH_OP__INIT;
        Pb__BuildOp build = PB__BUILD_OP__INIT;
        Pb__BuildInput in = PB__BUILD_INPUT__INIT;
        Pb__BuildInputEntry entry = PB__BUILD_INPUT_ENTRY__INIT;
        int64_t outputs[] = { 0 };
        char *args[] = { S("sh"), S("-c"), S("a b") };
        static const char *const want[] = {
                "local://x",
                "sh -c a b",
                "mkdir /d, copy /s /d/, symlink /new -> /old, mkfile /f, rm /r",
                "merge (local://x, sh -c a b)",
                "diff (sh -c a b) -> scratch",
                "diff scratch -> (sh -c a b)",
                "passthrough p",
                "build",
        };

        made_exec_init(&e, made_source(&m, "local://x"));
        e.meta.args = args;
        e.meta.n_args = 3;
        made_add(&m, &e.op);

        made_file_init(&f, m.digests.v[0]);
        link.oldpath = S("/old");
        link.newpath = S("/new");
        mkfile.path = S("/f");
        rm.path = S("/r");
        more[0].action_case = PB__FILE_ACTION__ACTION_SYMLINK;
        more[0].symlink = &link;
        more[1].action_case = PB__FILE_ACTION__ACTION_MKFILE;
        more[1].mkfile = &mkfile;
        more[2].action_case = PB__FILE_ACTION__ACTION_RM;
        more[2].rm = &rm;
        more[0].output = more[1].output = more[2].output = -1;
        f.file.actions = LIST(Pb__FileAction, &f.a, &f.b, &more[0], &more[1], &more[2]);
        f.file.n_actions = 5;
        made_add(&m, &f.op);

        made_exec_init(&over, m.digests.v[0]);
        over.in2.digest = m.digests.v[1];
        over.op.n_inputs = 2;
        b.input = 1;
        merge.inputs = LIST(Pb__MergeInput, &a, &b);
        merge.n_inputs = 2;
        over.op.op_case = PB__OP__OP_MERGE;
        over.op.merge = &merge;
        made_add(&m, &over.op);

        made_exec_init(&over, m.digests.v[1]);
        over.op.op_case = PB__OP__OP_DIFF;
        over.op.diff = &diff;
        diff.lower = &lower;
        diff.upper = &upper;
        upper.input = -1;
        made_add(&m, &over.op);
        lower.input = -1;
        upper.input = 0;
        made_add(&m, &over.op);

        pass.id = S("p");
        pass.outputs = outputs;
        pass.n_outputs = 1;
        over.op.op_case = PB__OP__OP_PASSTHROUGH;
        over.op.passthrough = &pass;
        made_add(&m, &over.op);

        entry.key = S("buildkit.llb.definition");
        entry.value = &in;
        build.builder = -1;
        build.inputs = LIST(Pb__BuildInputEntry, &entry);
        build.n_inputs = 1;
        over.op.op_case = PB__OP__OP_BUILD;
        over.op.build = &build;
        made_finish_at(&m, made_add(&m, &over.op), 0);

        sw_autoptr(sw_definition) def = decode(&m, NULL);
        for (size_t i = 0; i < SW_COUNT(want); i++)
                ck_assert_str_eq(sw_llb_vertex_name(sw_definition_vertex(def, i)), want[i]);
        made_release(&m);
}
END_TEST

/* Catches: a password in a URL that reaches progress, logs and the history. */
START_TEST(names_have_no_passwords)
{
        struct made m = { 0 };
        struct made_exec e;
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Slipway__Map__String desc = SLIPWAY__MAP__STRING__INIT;
        static const char *const want[] = {
                "https://xxxxx:xxxxx@example.org/a.tar",
                "RUN curl https://xxxxx:xxxxx@example.org/",
                "curl http://xxxxx:xxxxx@there/x",
        };

        made_exec_init(&e, made_source(&m, "https://me:s3cret@example.org/a.tar"));
        made_add(&m, &e.op);
        desc.key = S("llb.customname");
        desc.value = S("RUN curl https://me:s3cret@example.org/");
        md.description = LIST(Slipway__Map__String, &desc);
        md.n_description = 1;
        made_metadata(&m, m.digests.v[1], &md);
        made_exec_init(&e, m.digests.v[1]);
        e.meta.args = LIST(char, S("curl"), S("http://me:s3cret@there/x"));
        e.meta.n_args = 2;
        made_finish_at(&m, made_add(&m, &e.op), 0);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        for (size_t i = 0; i < SW_COUNT(want); i++)
                ck_assert_str_eq(sw_llb_vertex_name(sw_definition_vertex(def, i)), want[i]);
        made_release(&m);
}
END_TEST

/* Catches: names that double with every merge. */
START_TEST(names_are_bounded)
{
        struct made m = { 0 };
        struct made_exec e;
        Pb__MergeInput a = PB__MERGE_INPUT__INIT, b = PB__MERGE_INPUT__INIT;
        Pb__MergeOp merge = PB__MERGE_OP__INIT;
        const char *digest = made_source(&m, "local://\xc3\xa9");

        b.input = 1;
        merge.inputs = LIST(Pb__MergeInput, &a, &b);
        merge.n_inputs = 2;
        for (int i = 0; i < 200; i++) {
                made_exec_init(&e, digest);
                e.op.n_inputs = 2;
                e.op.op_case = PB__OP__OP_MERGE;
                e.op.merge = &merge;
                digest = made_add(&m, &e.op);
        }
        made_finish_at(&m, digest, 0);
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_uint_lt(strlen(sw_llb_vertex_name(sw_definition_vertex(def, 200))),
                          SW_DEFINITION_MAX_NAME + 8);
        made_release(&m);
}
END_TEST

/* Many merges and diffs of one source with a name of megabytes. Catches: the whole name
 * copied for each of them, so that a definition of 12 MiB takes minutes. */
START_TEST(long_names_are_cheap)
{
        enum { LONG = 10 << 20, N = 5000 };
        sw_auto(sw_str) name = sw_alloc(LONG + 1);
        Pb__LowerDiffInput lower = PB__LOWER_DIFF_INPUT__INIT;
        Pb__UpperDiffInput upper = PB__UPPER_DIFF_INPUT__INIT;
        Pb__MergeInput input = PB__MERGE_INPUT__INIT;
        Pb__DiffOp diff = PB__DIFF_OP__INIT;
        Pb__MergeOp merge = PB__MERGE_OP__INIT;
        Pb__Input in = PB__INPUT__INIT;
        struct made m = { 0 };
        clock_t start;

        memset(name, 'a', LONG);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the rest follows */
        memcpy(name, "x://", 4);
        in.digest = S(made_source(&m, name));
        diff.lower = &lower;
        diff.upper = &upper;
        merge.inputs = LIST(Pb__MergeInput, &input);
        merge.n_inputs = 1;
        for (size_t i = 0; i < N; i++) {
                sw_auto(sw_str) unlike = sw_asprintf("%zu", i);
                Pb__WorkerConstraints c = PB__WORKER_CONSTRAINTS__INIT;
                Pb__Op op = PB__OP__INIT;

                c.filter = &unlike;
                c.n_filter = 1;
                op.constraints = &c;
                op.inputs = LIST(Pb__Input, &in);
                op.n_inputs = 1;
                op.op_case = i % 2 ? PB__OP__OP_DIFF : PB__OP__OP_MERGE;
                if (i % 2)
                        op.diff = &diff;
                else
                        op.merge = &merge;
                made_add(&m, &op);
        }
        made_finish(&m);
        start = clock();
        sw_autoptr(sw_definition) def = decode(&m, NULL);
        ck_assert_int_lt(clock() - start, 2 * CLOCKS_PER_SEC);
        ck_assert_uint_eq(sw_definition_count(def), N + 1);
        made_release(&m);
}
END_TEST

/* Options of a newer header. Catches: one that is set and silently ignored. */
START_TEST(later_options)
{
        struct {
                struct sw_definition_opts o;
                void *later;
        } opts = { { .size = sizeof(opts) }, NULL };
        sw_autoptr(sw_definition) def = NULL;
        struct made m = { 0 };

        made_source(&m, "local://x");
        made_finish(&m);
        ok(sw_definition_decode(m.out.data, m.out.len, &opts.o, &def));
        opts.later = &opts;
        fails(sw_definition_decode(m.out.data, m.out.len, &opts.o, &def), SW_E_UNSUPPORTED,
              "definition options");
        made_release(&m);
}
END_TEST

UNIT_MAIN("llb definition", recorded, empty_definitions, too_few_ops, last_op,
          last_op_is_no_input, broken_bytes, limits, any_order, long_chains,
          outputs_are_counted, outputs_are_those_of_mounts, digests_are_of_canonical_bytes,
          two_spellings_are_one_vertex, unknown_fields_count, proxy_network,
          changed_sources, metadata, nothing_known, capabilities, locations, platforms,
          names, names_have_no_passwords, names_are_bounded, long_names_are_cheap,
          later_options)
