/*
 * tests/unit/core/llb/validate_test.c - each rule with a definition that breaks just it,
 * and the message says the rule, the vertex and the field.
 */
#include "tests/unit/unit.h"

#include "tests/unit/core/llb/made.h"

/* What is being checked: one op on top of a source. */
static struct made m;
static const char *src;

static void
begin(void)
{
        m = (struct made){ 0 };
        src = made_source(&m, "local://ctx");
}

/* @op is refused with @message, which is followed by the vertex and @field. */
static void
refused(const Pb__Op *op, const char *message, const char *field)
{
        sw_definition *def = NULL;
        const char *digest = made_add(&m, op);
        sw_auto(sw_buf) want = SW_BUF_INIT;
        sw_err *err;

        made_finish(&m);
        sw_buf_addf(&want, "failed to load LLB: %s", message);
        err = sw_definition_decode(m.out.data, m.out.len, NULL, &def);
        ck_assert_msg(err != NULL, "accepted, instead of: %s", message);
        ck_assert_int_eq(sw_err_code(err), SW_E_INVALID);
        ck_assert_msg(strncmp(sw_err_message(err), want.data, want.len) == 0,
                      "got \"%s\", not \"%s\"", sw_err_message(err), want.data);
        sw_buf_clear(&want);
        sw_buf_addf(&want, "(vertex %s, %s)", digest, field);
        ck_assert_msg(strstr(sw_err_message(err), want.data) != NULL, "\"%s\" lacks \"%s\"",
                      sw_err_message(err), want.data);
        ck_assert_str_eq(sw_err_vertex(err), digest);
        ck_assert_ptr_null(def);
        sw_err_free(err);
        made_release(&m);
}

static void
accepted(const Pb__Op *op)
{
        sw_autoptr(sw_definition) def = NULL;

        made_add(&m, op);
        made_finish(&m);
        ok(sw_definition_decode(m.out.data, m.out.len, NULL, &def));
        made_release(&m);
}

/* Tests of exec and file: CHANGE what `e` or `f` holds, then expect. */
#define EXEC_REFUSED(message, field, change)                                               \
        do {                                                                               \
                struct made_exec e;                                                        \
                begin();                                                                   \
                made_exec_init(&e, src);                                                   \
                change;                                                                    \
                refused(&e.op, message, field);                                            \
        } while (0)
#define EXEC_ACCEPTED(change)                                                              \
        do {                                                                               \
                struct made_exec e;                                                        \
                begin();                                                                   \
                made_exec_init(&e, src);                                                   \
                change;                                                                    \
                accepted(&e.op);                                                           \
        } while (0)
#define FILE_REFUSED(message, field, change)                                               \
        do {                                                                               \
                struct made_file f;                                                        \
                begin();                                                                   \
                made_file_init(&f, src);                                                   \
                change;                                                                    \
                refused(&f.op, message, field);                                            \
        } while (0)
#define FILE_ACCEPTED(change)                                                              \
        do {                                                                               \
                struct made_file f;                                                        \
                begin();                                                                   \
                made_file_init(&f, src);                                                   \
                change;                                                                    \
                accepted(&f.op);                                                           \
        } while (0)

START_TEST(exec_command)
{
        EXEC_ACCEPTED((void) 0);
        EXEC_REFUSED("invalid exec op with no meta", "exec.meta", e.exec.meta = NULL);
        EXEC_REFUSED("invalid exec op with no args", "exec.meta.args", e.meta.n_args = 0);
        EXEC_REFUSED("unknown value 3", "exec.network", e.exec.network = 3);
        EXEC_REFUSED("unknown value -1", "exec.network", e.exec.network = -1);
        EXEC_REFUSED("unknown value 2", "exec.security", e.exec.security = 2);
}
END_TEST

START_TEST(exec_root)
{
        EXEC_REFUSED("invalid exec op with no mounts", "exec.mounts", e.exec.n_mounts = 0);
        EXEC_REFUSED("invalid exec op with no rootfs", "exec.mounts",
                     e.root.dest = S("/r"));
        EXEC_REFUSED("invalid exec op with 2 rootfs", "exec.mounts", {
                e.exec.n_mounts = 2;
                e.more.dest = S("/");
        });
        EXEC_REFUSED("invalid mount type 4 of the rootfs", "exec.mounts[0].mountType",
                     e.root.mounttype = PB__MOUNT_TYPE__TMPFS);
        EXEC_REFUSED("invalid mount over the rootfs", "exec.mounts[1].dest", {
                e.exec.n_mounts = 2;
                e.more.dest = S("//x/..");
        });
        EXEC_REFUSED("invalid mount over the rootfs", "exec.mounts[1].dest", {
                e.exec.n_mounts = 2;
                e.more.dest = S("..");
                e.meta.cwd = S("/work");
        });
        EXEC_ACCEPTED({
                e.exec.n_mounts = 2;
                e.more.dest = S(".");
                e.meta.cwd = S("/work");
        });
        EXEC_ACCEPTED(e.root.input = -1);
}
END_TEST

START_TEST(exec_mount_indexes)
{
        EXEC_REFUSED("invalid input index 1, 1 provided", "exec.mounts[1].input", {
                e.exec.n_mounts = 2;
                e.more.input = 1;
        });
        EXEC_REFUSED("invalid input index -2, 1 provided", "exec.mounts[0].input",
                     e.root.input = -2);
        EXEC_REFUSED("invalid output index -2", "exec.mounts[1].output", {
                e.exec.n_mounts = 2;
                e.more.output = -2;
        });
        /* what BuildKit takes: the number says no more than that there is an output */
        EXEC_ACCEPTED({
                e.exec.n_mounts = 2;
                e.more.output = 2;
        });
        EXEC_ACCEPTED({
                e.exec.n_mounts = 2;
                e.more.output = 0;
        });
        /* a secret's output is written as 0 and means nothing */
        Pb__SecretOpt secret = PB__SECRET_OPT__INIT;
        EXEC_ACCEPTED({
                e.exec.n_mounts = 2;
                e.more.output = 0;
                e.more.mounttype = PB__MOUNT_TYPE__SECRET;
                e.more.secretopt = &secret;
        });
}
END_TEST

START_TEST(exec_mount_options)
{
        Pb__CacheOpt cache = PB__CACHE_OPT__INIT;
        Pb__TmpfsOpt tmpfs = PB__TMPFS_OPT__INIT;
        static const struct {
                int type;
                const char *message, *field;
        } missing[] = {
                { PB__MOUNT_TYPE__SECRET, "invalid secret mount options",
                  "exec.mounts[1].secretOpt" },
                { PB__MOUNT_TYPE__SSH, "invalid ssh mount options",
                  "exec.mounts[1].SSHOpt" },
                { PB__MOUNT_TYPE__CACHE, "missing cache mount options",
                  "exec.mounts[1].cacheOpt" },
                { 5, "unknown value 5", "exec.mounts[1].mountType" },
        };

        for (size_t i = 0; i < SW_COUNT(missing); i++)
                EXEC_REFUSED(missing[i].message, missing[i].field, {
                        e.exec.n_mounts = 2;
                        e.more.mounttype = missing[i].type;
                });
        cache.sharing = 3;
        EXEC_REFUSED("unknown value 3", "exec.mounts[1].cacheOpt.sharing", {
                e.exec.n_mounts = 2;
                e.more.mounttype = PB__MOUNT_TYPE__CACHE;
                e.more.cacheopt = &cache;
        });
        tmpfs.size = -1;
        EXEC_REFUSED("invalid tmpfs size -1", "exec.mounts[1].TmpfsOpt.size", {
                e.exec.n_mounts = 2;
                e.more.mounttype = PB__MOUNT_TYPE__TMPFS;
                e.more.tmpfsopt = &tmpfs;
        });
        EXEC_ACCEPTED({
                e.exec.n_mounts = 2;
                e.more.mounttype = PB__MOUNT_TYPE__TMPFS;
        });
        EXEC_REFUSED("invalid mount with no destination", "exec.mounts[1].dest", {
                e.exec.n_mounts = 2;
                e.more.dest = S("");
        });
        EXEC_REFUSED("invalid mount of a result", "exec.mounts[0].resultID",
                     e.root.resultid = S("r"));
}
END_TEST

START_TEST(exec_content_cache)
{
        EXEC_REFUSED("unknown value 3", "exec.mounts[0].contentCache",
                     e.root.contentcache = 3);
        EXEC_REFUSED("invalid mount cache content", "exec.mounts[0].contentCache", {
                e.root.contentcache = PB__MOUNT_CONTENT_CACHE__ON;
                e.root.selector = S("/sub");
        });
        EXEC_ACCEPTED({
                e.root.contentcache = PB__MOUNT_CONTENT_CACHE__ON;
                e.root.selector = S("/./");
        });
        EXEC_ACCEPTED({
                e.root.contentcache = PB__MOUNT_CONTENT_CACHE__ON;
                e.root.selector = S("sub/..");
        });
        EXEC_ACCEPTED({
                e.root.contentcache = PB__MOUNT_CONTENT_CACHE__ON;
                e.root.selector = S("/sub");
                e.root.readonly = 1;
        });
}
END_TEST

START_TEST(exec_grants)
{
        Pb__SecretEnv env = PB__SECRET_ENV__INIT, *envs[] = { &env };
        Pb__CDIDevice dev = PB__CDIDEVICE__INIT, *devs[] = { &dev };

        EXEC_REFUSED("invalid name of an environment variable", "exec.secretenv[0].name", {
                e.exec.secretenv = envs;
                e.exec.n_secretenv = 1;
        });
        env.name = S("A=B");
        EXEC_REFUSED("invalid name of an environment variable", "exec.secretenv[0].name", {
                e.exec.secretenv = envs;
                e.exec.n_secretenv = 1;
        });
        EXEC_REFUSED("invalid device with no name", "exec.cdiDevices[0].name", {
                e.exec.cdidevices = devs;
                e.exec.n_cdidevices = 1;
        });
}
END_TEST

START_TEST(file_indexes)
{
        FILE_ACCEPTED((void) 0);
        FILE_REFUSED("invalid file op with no actions", "file.actions",
                     f.file.n_actions = 0);
        FILE_REFUSED("invalid nil file action", "file.actions[0].action",
                     f.a.action_case = 0);
        FILE_REFUSED("invalid input index 4, 4 provided", "file.actions[0].input",
                     f.a.input = 4);
        FILE_REFUSED("invalid input index -2, 4 provided", "file.actions[1].input",
                     f.b.input = -2);
        FILE_REFUSED("invalid secondary input index 4", "file.actions[1].secondaryInput",
                     f.b.secondaryinput = 4);
        FILE_REFUSED("invalid user index 9, 4 provided", "file.actions[1].owner", {
                f.named.input = 9;
                f.copy.owner = &f.owner;
        });
        FILE_REFUSED("invalid user index 9, 4 provided", "file.actions[0].owner", {
                f.named.input = 9;
                f.owner.user = NULL;
                f.owner.group = &f.user;
                f.mkdir.owner = &f.owner;
        });
}
END_TEST

START_TEST(file_outputs)
{
        FILE_REFUSED("no outputs specified", "file.actions", f.b.output = -1);
        FILE_REFUSED("duplicate output 0", "file.actions[1].output", f.a.output = 0);
        FILE_REFUSED("missing output index 0", "file.actions", f.b.output = 1);
        FILE_REFUSED("missing output index 0", "file.actions", f.b.output = INT64_MAX);
        FILE_REFUSED("missing output index 1", "file.actions", {
                f.a.output = 0;
                f.b.output = 2;
        });
        FILE_REFUSED("invalid output index -2", "file.actions[0].output", f.a.output = -2);
}
END_TEST

START_TEST(file_loops)
{
        FILE_REFUSED("loop from index 3", "file.actions[1]", f.b.input = 3);
        FILE_REFUSED("loop from index 2", "file.actions[1]", f.a.input = 3);
        FILE_REFUSED("loop from index 2", "file.actions[1]", f.a.secondaryinput = 3);
        FILE_REFUSED("loop from index 3", "file.actions[1]", {
                f.named.input = 3;
                f.copy.owner = &f.owner;
        });
        /* the second action before the first, which is no loop */
        FILE_ACCEPTED({
                f.a.input = 3;
                f.b.input = 0;
        });
}
END_TEST

/* Catches: a walk that recurses, or that visits what it has seen again. */
START_TEST(file_long_chains)
{
        enum { N = 100000 };
        Pb__FileAction *v = sw_alloc_array(N, sizeof(*v));
        Pb__FileAction **actions = sw_alloc_array(N, sizeof(*actions));
        struct made_file f;

        begin();
        made_file_init(&f, src);
        for (size_t i = 0; i < N; i++) {
                pb__file_action__init(&v[i]);
                /* both inputs are the next action: 2^N paths */
                v[i].input = v[i].secondaryinput = i + 1 < N ? (int64_t) (3 + i) : -1;
                v[i].output = i ? -1 : 0;
                v[i].action_case = PB__FILE_ACTION__ACTION_MKDIR;
                v[i].mkdir = &f.mkdir;
                actions[i] = &v[i];
        }
        f.file.actions = actions;
        f.file.n_actions = N;
        accepted(&f.op);
        free(v);
        free(actions);
}
END_TEST

START_TEST(source_rules)
{
        Pb__SourceOp source = PB__SOURCE_OP__INIT;
        Pb__Op op = PB__OP__INIT;
        static const char *const wrong[][2] = {
                { "", "failed to parse \"\"" },
                { "alpine", "failed to parse \"alpine\"" },
                { "://x", "failed to parse \"://x\"" },
                { "a\x1b[2J", "failed to parse \"a\\x1b[2J\"" },
        };

        op.op_case = PB__OP__OP_SOURCE;
        op.source = &source;
        for (size_t i = 0; i < SW_COUNT(wrong); i++) {
                begin();
                source.identifier = S(wrong[i][0]);
                refused(&op, wrong[i][1], "source.identifier");
        }
}
END_TEST

START_TEST(build_rules)
{
        struct made_exec e; /* for its input */
        Pb__BuildOp build = PB__BUILD_OP__INIT;
        Pb__BuildInput in = PB__BUILD_INPUT__INIT;
        Pb__BuildInputEntry entry = PB__BUILD_INPUT_ENTRY__INIT;

        entry.key = S("buildkit.llb.definition");
        entry.value = &in;
        build.builder = -1;
        build.inputs = LIST(Pb__BuildInputEntry, &entry);
        build.n_inputs = 1;
        for (int step = 0; step < 5; step++) {
                begin();
                made_exec_init(&e, src);
                e.op.op_case = PB__OP__OP_BUILD;
                e.op.build = &build;
                switch (step) {
                case 0: accepted(&e.op); break;
                case 1:
                        build.builder = 0;
                        refused(&e.op, "only LLB builder is currently allowed",
                                "build.builder");
                        build.builder = -1;
                        break;
                case 2:
                        in.input = 1;
                        refused(&e.op, "invalid input index 1, 1 provided",
                                "build.inputs[0].input");
                        break;
                case 3:
                        in.input = -1;
                        refused(&e.op, "invalid input index -1, 1 provided",
                                "build.inputs[0].input");
                        in.input = 0;
                        break;
                default:
                        entry.key = S("other");
                        refused(&e.op,
                                "no llb definition input buildkit.llb.definition found",
                                "build.inputs");
                }
        }
}
END_TEST

START_TEST(merge_rules)
{
        struct made_exec e;
        Pb__MergeInput a = PB__MERGE_INPUT__INIT, b = PB__MERGE_INPUT__INIT;
        Pb__MergeOp merge = PB__MERGE_OP__INIT;

        merge.inputs = LIST(Pb__MergeInput, &a, &b);
        merge.n_inputs = 2;
        for (int step = 0; step < 3; step++) {
                begin();
                made_exec_init(&e, src);
                e.op.n_inputs = 2;
                e.op.op_case = PB__OP__OP_MERGE;
                e.op.merge = &merge;
                b.input = 1 + (step == 1);
                if (step == 0)
                        accepted(&e.op);
                if (step == 1)
                        refused(&e.op, "invalid input index 2, 2 provided",
                                "merge.inputs[1].input");
                if (step == 2) {
                        e.op.n_inputs = 1;
                        refused(&e.op,
                                "invalid merge op with 2 inner inputs and 1 outer inputs",
                                "merge.inputs");
                }
        }
}
END_TEST

START_TEST(diff_rules)
{
        struct made_exec e;
        Pb__LowerDiffInput lower = PB__LOWER_DIFF_INPUT__INIT;
        Pb__UpperDiffInput upper = PB__UPPER_DIFF_INPUT__INIT;
        Pb__DiffOp diff = PB__DIFF_OP__INIT;

        for (int step = 0; step < 5; step++) {
                begin();
                made_exec_init(&e, src);
                e.op.op_case = PB__OP__OP_DIFF;
                e.op.diff = &diff;
                diff.lower = step == 1 ? NULL : &lower;
                diff.upper = step == 2 ? NULL : &upper;
                lower.input = step == 3 ? 1 : -1;
                upper.input = step == 4 ? -2 : 0;
                switch (step) {
                case 0: accepted(&e.op); break;
                case 1:
                        refused(&e.op, "invalid diff op with nil lower or upper input",
                                "diff.lower");
                        break;
                case 2:
                        refused(&e.op, "invalid diff op with nil lower or upper input",
                                "diff.upper");
                        break;
                case 3:
                        refused(&e.op, "invalid diff input index 1", "diff.lower.input");
                        break;
                default: refused(&e.op, "invalid diff input index -2", "diff.upper.input");
                }
        }
}
END_TEST

START_TEST(passthrough_rules)
{
        struct made_exec e;
        Pb__PassthroughOp pass = PB__PASSTHROUGH_OP__INIT;
        int64_t outputs[] = { 0, 0 };

        pass.outputs = outputs;
        for (int step = 0; step < 5; step++) {
                begin();
                made_exec_init(&e, src);
                e.op.op_case = PB__OP__OP_PASSTHROUGH;
                e.op.passthrough = &pass;
                pass.id = S(step == 1 ? "" : "p");
                pass.n_outputs = step == 2 ? 0 : 2;
                outputs[1] = step == 3 ? 1 : step == 4 ? -1 : 0;
                switch (step) {
                case 0: accepted(&e.op); break;
                case 1:
                        refused(&e.op, "invalid passthrough op with no id",
                                "passthrough.id");
                        break;
                case 2:
                        refused(&e.op, "invalid passthrough op with no outputs",
                                "passthrough.outputs");
                        break;
                case 3:
                        refused(&e.op, "invalid passthrough output input index 1",
                                "passthrough.outputs[1]");
                        break;
                default:
                        refused(&e.op, "invalid passthrough output input index -1",
                                "passthrough.outputs[1]");
                }
        }
}
END_TEST

START_TEST(op_must_be_there)
{
        EXEC_REFUSED("invalid nil op", "op", e.op.op_case = 0);
}
END_TEST

START_TEST(platform_words)
{
        Pb__Platform p = PB__PLATFORM__INIT;

        p.os = S("linux");
        p.architecture = S("../x");
        EXEC_REFUSED("invalid platform", "platform.Architecture", e.op.platform = &p);
        p.architecture = S("arm");
        p.variant = S("v7 ");
        EXEC_REFUSED("invalid platform", "platform.Variant", e.op.platform = &p);
        p.variant = S("v7");
        p.os = S("li\nux");
        EXEC_REFUSED("invalid platform", "platform.OS", e.op.platform = &p);
        p.os = S("linux");
        EXEC_ACCEPTED(e.op.platform = &p);
}
END_TEST

START_TEST(edges)
{
        EXEC_REFUSED("invalid input 1 output index 1", "inputs[1].index", {
                e.op.n_inputs = 2;
                e.in2.index = 1;
        });
        EXEC_REFUSED("invalid input 0 output index -1", "inputs[0].index", e.in.index = -1);
        EXEC_REFUSED("invalid input 0 output index 4294967296", "inputs[0].index",
                     e.in.index = INT64_C(1) << 32);
        EXEC_REFUSED(
                "invalid missing input digest sha256:0123456789012345678901234567890123"
                "456789012345678901234567890123",
                "inputs[0].digest",
                e.in.digest = S("sha256:01234567890123456789012345678901234567890123456"
                                "78901234567890123"));
        EXEC_REFUSED("invalid missing input digest \"sha256:\\x1b\"", "inputs[0].digest",
                     e.in.digest = S("sha256:\x1b"));
}
END_TEST

UNIT_MAIN("llb validate", exec_command, exec_root, exec_mount_indexes, exec_mount_options,
          exec_content_cache, exec_grants, file_indexes, file_outputs, file_loops,
          file_long_chains, source_rules, build_rules, merge_rules, diff_rules,
          passthrough_rules, op_must_be_there, platform_words, edges)
