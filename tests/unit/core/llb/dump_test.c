/*
 * tests/unit/core/llb/dump_test.c - the printed forms beyond what the recorded vectors
 * have; those are compared in tests/integration/llb-vectors.sh.
 */
#include <time.h>

#include "tests/unit/unit.h"

#include "tests/unit/core/llb/made.h"

static char *
dump(struct made *m, enum sw_llb_dump how)
{
        sw_buf out = SW_BUF_INIT;

        ok(sw_llb_dump(m->out.data, m->out.len, how, &out));
        made_release(m);
        *m = (struct made){ 0 };
        return sw_buf_detach(&out);
}

/* The first line of the JSON form begins with @want. */
static void
json_is(struct made *m, const Pb__Op *op, const char *want)
{
        made_add(m, op);
        made_close(m);
        sw_auto(sw_str) got = dump(m, SW_LLB_DUMP_JSON);
        ck_assert_msg(strncmp(got, want, strlen(want)) == 0, "%s\nis not\n%s", got, want);
}

/* Catches: Go's own forms: omitempty, HTML escapes, byId of zero, symlink left out. */
START_TEST(json_of_file)
{
        struct made m = { 0 };
        struct made_file f;
        Pb__FileActionSymlink link = PB__FILE_ACTION_SYMLINK__INIT;
        Pb__UserOpt group = PB__USER_OPT__INIT;

        made_file_init(&f, "sha256:x");
        f.copy.owner = &f.owner;
        f.named.name = S("a<b>&\"\n");
        f.named.input = 1;
        group.user_case = PB__USER_OPT__USER_BY_ID;
        f.owner.group = &group;
        link.oldpath = S("/old");
        f.a.action_case = PB__FILE_ACTION__ACTION_SYMLINK;
        f.a.symlink = &link;
        json_is(&m, &f.op,
                "{\"Op\":{\"inputs\":[{\"digest\":\"sha256:x\"},{\"digest\":\"sha256:x\"}],"
                "\"Op\":{\"file\":{\"actions\":["
                "{\"input\":0,\"secondaryInput\":-1,\"output\":-1,\"Action\":{}},"
                "{\"input\":2,\"secondaryInput\":1,\"output\":0,\"Action\":{\"copy\":{"
                "\"src\":\"/s\",\"dest\":\"/d/\",\"owner\":{\"user\":{\"User\":{\"byName\":"
                "{\"name\":\"a\\u003cb\\u003e\\u0026\\\"\\n\",\"input\":1}}},"
                "\"group\":{\"User\":{}}}}}}]}}},\"Digest\":\"sha256:");
}
END_TEST

START_TEST(json_of_the_others)
{
        struct made m = { 0 };
        Pb__Op op = PB__OP__INIT;
        Pb__PassthroughOp pass = PB__PASSTHROUGH_OP__INIT;
        int64_t outputs[] = { 0, 3 };
        Pb__BuildOp build = PB__BUILD_OP__INIT;
        Pb__Definition def = PB__DEFINITION__INIT;
        ProtobufCBinaryData bytes = { 3, (uint8_t *) S("abc") };
        Pb__BuildInput in = PB__BUILD_INPUT__INIT;
        Pb__BuildInputEntry entry = PB__BUILD_INPUT_ENTRY__INIT;
        Pb__MergeInput a = PB__MERGE_INPUT__INIT;
        Pb__MergeOp merge = PB__MERGE_OP__INIT;
        Pb__LowerDiffInput lower = PB__LOWER_DIFF_INPUT__INIT;
        Pb__DiffOp diff = PB__DIFF_OP__INIT;

        pass.id = S("p");
        pass.outputs = outputs;
        pass.n_outputs = 2;
        op.op_case = PB__OP__OP_PASSTHROUGH;
        op.passthrough = &pass;
        json_is(&m, &op,
                "{\"Op\":{\"Op\":{\"passthrough\":{\"id\":\"p\",\"outputs\":[0,3]}}},");
        def.def = &bytes;
        def.n_def = 1;
        entry.key = S("k");
        entry.value = &in;
        build.builder = -1;
        build.def = &def;
        build.inputs = LIST(Pb__BuildInputEntry, &entry);
        build.n_inputs = 1;
        op.op_case = PB__OP__OP_BUILD;
        op.build = &build;
        json_is(&m, &op,
                "{\"Op\":{\"Op\":{\"build\":{\"builder\":-1,\"inputs\":{\"k\":{}},"
                "\"def\":{\"def\":[\"YWJj\"]}}}},");
        merge.inputs = LIST(Pb__MergeInput, &a);
        merge.n_inputs = 1;
        op.op_case = PB__OP__OP_MERGE;
        op.merge = &merge;
        json_is(&m, &op, "{\"Op\":{\"Op\":{\"merge\":{\"inputs\":[{}]}}},");
        lower.input = -1;
        diff.lower = &lower;
        op.op_case = PB__OP__OP_DIFF;
        op.diff = &diff;
        json_is(&m, &op, "{\"Op\":{\"Op\":{\"diff\":{\"lower\":{\"input\":-1}}}},");
        op.op_case = 0;
        json_is(&m, &op, "{\"Op\":{\"Op\":{}},");
}
END_TEST

START_TEST(json_of_metadata)
{
        struct made m = { 0 };
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Pb__ExportCache export = PB__EXPORT_CACHE__INIT;
        Pb__ProgressGroup group = PB__PROGRESS_GROUP__INIT;
        Pb__LinuxResources res = PB__LINUX_RESOURCES__INIT;
        Slipway__Map__Bool cap = SLIPWAY__MAP__BOOL__INIT, cap2 = cap;

        group.id = S("g");
        group.weak = 1;
        res.memoryswap = -1;
        res.cpushares = UINT64_MAX;
        cap.key = S("z");
        cap2.key = S("a");
        cap2.has_value = cap2.value = 1;
        md.ignore_cache = 1;
        md.export_cache = &export;
        md.progress_group = &group;
        md.linux_resources = &res;
        md.caps = LIST(Slipway__Map__Bool, &cap, &cap2);
        md.n_caps = 2;
        made_metadata(&m, made_source(&m, "local://x"), &md);
        made_close(&m);
        sw_auto(sw_str) got = dump(&m, SW_LLB_DUMP_JSON);
        ck_assert_ptr_nonnull(
                strstr(got, "\"OpMetadata\":{\"ignore_cache\":true,\"export_cache\":{},"
                            "\"caps\":{\"a\":true,\"z\":false},"
                            "\"progress_group\":{\"id\":\"g\",\"weak\":true},"
                            "\"linux_resources\":{\"memorySwap\":-1,"
                            "\"cpuShares\":18446744073709551615}}}\n"));
        /* without metadata: an empty object */
        made_source(&m, "local://y");
        made_close(&m);
        sw_auto(sw_str) none = dump(&m, SW_LLB_DUMP_JSON);
        ck_assert_ptr_nonnull(strstr(none, "\"OpMetadata\":{}}\n"));
}
END_TEST

START_TEST(dot)
{
        struct made m = { 0 };
        struct made_exec e;
        struct made_file f;
        sw_buf want = SW_BUF_INIT;
        const char *d[4];

        d[0] = made_source(&m, "local://\"x\"\n");
        made_exec_init(&e, d[0]);
        e.op.n_inputs = 2;
        e.exec.n_mounts = 2;
        e.more.input = 1;
        d[1] = made_add(&m, &e.op);
        made_file_init(&f, d[1]);
        f.op.n_inputs = 1;
        d[2] = made_add(&m, &f.op);
        made_finish_at(&m, d[2], 0);
        d[3] = m.digests.v[3];
        sw_buf_addf(&want,
                    "digraph {\n"
                    "  \"%s\" [label=\"local://\\\"x\\\"\\n\" shape=\"ellipse\"];\n"
                    "  \"%s\" [label=\"true\" shape=\"box\"];\n"
                    "  \"%s\" [label=\"mkdir{path=/d},copy{src=/s, dest=/d/}\" "
                    "shape=\"note\"];\n"
                    "  \"%s\" [label=\"%s\" shape=\"plaintext\"];\n"
                    "  \"%s\" -> \"%s\" [label=\"\"];\n"
                    "  \"%s\" -> \"%s\" [label=\"/more\"];\n"
                    "  \"%s\" -> \"%s\" [label=\"\"];\n"
                    "  \"%s\" -> \"%s\" [label=\"\"];\n"
                    "}\n",
                    d[0], d[1], d[2], d[3], d[3], d[0], d[1], d[0], d[1], d[1], d[2], d[2],
                    d[3]);
        sw_auto(sw_str) got = dump(&m, SW_LLB_DUMP_DOT);
        ck_assert_str_eq(got, want.data);
        sw_buf_release(&want);
}
END_TEST

/* Catches: a vertex drawn twice, what is missing or not used left out, escape sequences
 * that reach the terminal. */
START_TEST(tree)
{
        struct made m = { 0 };
        struct made_exec e;
        sw_buf want = SW_BUF_INIT;
        const char *src, *run;
        char head[13];

        src = made_source(&m, "local://a\x1b[31m");
        made_exec_init(&e, src);
        e.op.n_inputs = 2;
        e.exec.n_mounts = 2;
        e.more.input = 1;
        run = made_add(&m, &e.op);
        made_exec_init(&e, run);
        e.args[0] = S("second");
        e.op.n_inputs = 2;
        e.in2.digest = S("sha256:gone");
        e.in2.index = 2;
        sw_buf_addf(&want, "● second  %.12s exec\n", made_add(&m, &e.op) + 7);
        sw_buf_adds(&want, "├─○ missing sha256:gone, output 2\n");
        sw_buf_addf(&want, "● true  %.12s exec\n", run + 7);
        sw_buf_addf(&want, "├─● /more = \"local://a\\x1b[31m\"  %.12s source\n", src + 7);
        sw_buf_addf(&want, "○ see %.12s\n", src + 7);
        snprintf(head, sizeof(head), "%.12s", made_source(&m, "local://unused") + 7);
        sw_buf_addf(&want, "not used:\n● local://unused  %s source\n", head);
        made_finish_at(&m, m.digests.v[2], 0);
        sw_auto(sw_str) got = dump(&m, SW_LLB_DUMP_TREE);
        ck_assert_str_eq(got, want.data);
        sw_buf_release(&want);
}
END_TEST

/* Catches: output that grows with the square of the depth, recursion. */
START_TEST(deep_tree)
{
        enum { N = 20000 };
        struct made m = { 0 };
        struct made_exec e;
        const char *src = made_source(&m, "local://x"), *digest = src;

        for (int i = 0; i < N; i++) {
                made_exec_init(&e, src);
                e.op.n_inputs = 2;
                e.in2.digest = S(digest);
                digest = made_add(&m, &e.op);
        }
        made_finish_at(&m, digest, 0);
        sw_auto(sw_str) got = dump(&m, SW_LLB_DUMP_TREE);
        ck_assert_uint_lt(strlen(got), (size_t) N * 400);
}
END_TEST

START_TEST(broken)
{
        sw_buf out = SW_BUF_INIT;
        struct made m = { 0 };

        fails(sw_llb_dump("\xff", 1, SW_LLB_DUMP_JSON, &out), SW_E_INVALID,
              "failed to parse llb definition");
        made_add_bytes(&m, "\xff", 1);
        made_close(&m);
        fails(sw_llb_dump(m.out.data, m.out.len, SW_LLB_DUMP_TREE, &out), SW_E_INVALID,
              "failed to parse op 0 (sha256:");
        made_release(&m);
        ok(sw_llb_dump("", 0, SW_LLB_DUMP_TREE, &out));
        ok(sw_llb_dump("", 0, SW_LLB_DUMP_JSON, &out));
        ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* A command with very many inputs, each mounted somewhere. Catches: looking through all
 * mounts for each input. */
START_TEST(many_mounts)
{
        enum { N = 40000 };
        Pb__Input *ins = sw_alloc_array(N, sizeof(*ins)), **in = sw_alloc_array(N, 8);
        Pb__Mount *mounts = sw_alloc_array(N, sizeof(*mounts));
        Pb__Mount **mount = sw_alloc_array(N, 8);
        struct made_exec e;
        clock_t start;

        made_exec_init(&e, "sha256:x");
        for (size_t i = 0; i < N; i++) {
                ins[i] = (Pb__Input) PB__INPUT__INIT;
                ins[i].digest = S("sha256:x");
                ins[i].index = (int64_t) i;
                in[i] = &ins[i];
                mounts[i] = (Pb__Mount) PB__MOUNT__INIT;
                mounts[i].dest = S(i == N - 1 ? "/last" : "/some");
                mounts[i].input = (int64_t) i;
                mount[i] = &mounts[i];
        }
        e.op.inputs = in;
        e.op.n_inputs = N;
        e.exec.mounts = mount;
        e.exec.n_mounts = N;
        start = clock();
        for (int how = SW_LLB_DUMP_DOT; how <= SW_LLB_DUMP_TREE; how++) {
                struct made m = { 0 };

                made_add(&m, &e.op);
                made_close(&m);
                sw_auto(sw_str) got = dump(&m, (enum sw_llb_dump) how);
                ck_assert_ptr_nonnull(strstr(got, "/last"));
        }
        ck_assert_int_lt(clock() - start, 2 * CLOCKS_PER_SEC);
        free(ins);
        free(in);
        free(mounts);
        free(mount);
}
END_TEST

UNIT_MAIN("llb dump", json_of_file, json_of_the_others, json_of_metadata, dot, tree,
          deep_tree, broken, many_mounts)
