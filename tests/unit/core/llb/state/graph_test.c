/*
 * Graphs: what vertices look like, how they are joined, how deep they may be.
 *
 * Catches: wrong indexes of inputs, outputs and actions, vertices made twice or in the
 * wrong order, recursion on long chains, costs that grow faster than the graph.
 */
#include <sys/resource.h>

#include <slipway/time.h>

#include "tests/unit/core/llb/state/make.h"

/* The known case: image "foo", then run with args ["bar"]. */
START_TEST(foo_bar)
{
        sw_autoptr(sw_state) foo = image("foo");
        sw_autoptr(sw_state) bar = run(foo, "bar");
        sw_autoptr(sw_definition) def = NULL;
        struct made m;

        make(&m, bar, NULL);
        ok(sw_definition_decode(m.bytes.data, m.bytes.len, NULL, &def));
        ck_assert_uint_eq(sw_definition_count(def), 2);
        ck_assert_str_eq(m.op[0]->source->identifier,
                         "docker-image://docker.io/library/foo:latest");
        for (size_t i = 0; i < 2; i++) {
                ck_assert_str_eq(m.op[i]->platform->os, sw_platform_host()->os);
                ck_assert_str_eq(m.op[i]->platform->architecture, sw_platform_host()->arch);
        }
        ck_assert_str_eq(m.op[1]->exec->meta->args[0], "bar");
        ck_assert_str_eq(m.op[1]->inputs[0]->digest, m.digest[0]);
        ck_assert_str_eq(m.op[2]->inputs[0]->digest, m.digest[1]);
        ck_assert_int_eq(m.op[2]->op_case, PB__OP__OP__NOT_SET);
        unmake(&m);
}
END_TEST

START_TEST(scratch_is_nothing)
{
        sw_autoptr(sw_state) s = sw_llb_scratch();
        sw_auto(sw_buf) out = SW_BUF_INIT;

        ok(sw_state_marshal(s, NULL, &out));
        ck_assert_uint_eq(out.len, 0);
        ck_assert(sw_definition_is_empty(out.data, out.len));
}
END_TEST

/* Equal vertices, made apart, are one; their metadata is joined. */
START_TEST(equal_vertices_are_one)
{
        sw_autoptr(sw_state) a = NULL;
        sw_autoptr(sw_state) b = NULL;
        sw_autoptr(sw_state) both = NULL;
        struct made m;
        Pb__OpMetadata *md;

        ok(sw_llb_image("foo", NULL, SW_LLB_OPTS(.name = "first"), &a));
        ok(sw_llb_image("foo", NULL,
                        SW_LLB_OPTS(.name = "second", .ignore_cache = true,
                                    .export_cache = SW_LLB_EXPORT_CACHE_OFF),
                        &b));
        ok(sw_llb_merge((const sw_state *const[]){ a, b }, 2, NULL, &both));
        make(&m, both, NULL);
        ck_assert_uint_eq(m.n, 3);
        ck_assert_uint_eq(m.op[1]->n_inputs, 2);
        md = metadata(&m, m.digest[0]);
        ck_assert_str_eq(md->description[0]->value, "second");
        ck_assert(md->ignore_cache);
        ck_assert(!md->export_cache->value);
        md = metadata(&m, m.digest[2]);
        ck_assert(has_cap(md, "meta.ignorecache"));
        ck_assert(has_cap(md, "meta.description"));
        ck_assert(has_cap(md, "meta.exportcache"));
        unmake(&m);
}
END_TEST

/* ---- merge, diff, passthrough, build ----------------------------------------------- */

START_TEST(merge)
{
        sw_autoptr(sw_state) a = image("a");
        sw_autoptr(sw_state) b = image("b");
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) s = NULL;
        struct made m;

        ok(sw_llb_merge((const sw_state *const[]){ a, scratch, b, a }, 4, NULL, &s));
        make(&m, s, NULL);
        ck_assert_uint_eq(m.n, 4);
        ck_assert_uint_eq(m.op[2]->n_inputs, 3);
        ck_assert_uint_eq(m.op[2]->merge->n_inputs, 3);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(m.op[2]->merge->inputs[i]->input, i);
        ck_assert_str_eq(m.op[2]->inputs[2]->digest, m.digest[0]);
        ck_assert_ptr_null(m.op[2]->platform);
        ck_assert(has_cap(metadata(&m, m.digest[2]), "mergeop"));
        unmake(&m);
}
END_TEST

START_TEST(merge_of_less_than_two)
{
        sw_autoptr(sw_state) a = image("a");
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) one = NULL;
        sw_autoptr(sw_state) none = NULL;
        struct made m;
        sw_auto(sw_buf) out = SW_BUF_INIT;

        ok(sw_llb_merge((const sw_state *const[]){ scratch, a }, 2, NULL, &one));
        ck_assert_ptr_eq(one, a);
        make(&m, one, NULL);
        ck_assert_uint_eq(m.n, 2);
        unmake(&m);
        ok(sw_llb_merge((const sw_state *const[]){ scratch }, 1, NULL, &none));
        ok(sw_state_marshal(none, NULL, &out));
        ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(diff)
{
        sw_autoptr(sw_state) a = image("a");
        sw_autoptr(sw_state) b = image("b");
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) both = NULL;
        sw_autoptr(sw_state) gone = NULL;
        sw_autoptr(sw_state) upper = NULL;
        sw_autoptr(sw_state) none = NULL;
        struct made m;

        sw_state_replace(&a, sw_state_dir(a, "/of-lower"));
        ok(sw_llb_diff(a, b, NULL, &both));
        make(&m, both, NULL);
        ck_assert_int_eq(result_op(&m)->diff->lower->input, 0);
        ck_assert_int_eq(result_op(&m)->diff->upper->input, 1);
        ck_assert_ptr_null(result_op(&m)->platform);
        ck_assert(has_cap(metadata(&m, m.digest[2]), "diffop"));
        unmake(&m);
        ok(sw_llb_diff(a, scratch, NULL, &gone));
        make(&m, gone, NULL);
        ck_assert_int_eq(result_op(&m)->diff->lower->input, 0);
        ck_assert_int_eq(result_op(&m)->diff->upper->input, -1);
        unmake(&m);
        ok(sw_llb_diff(scratch, b, NULL, &upper));
        ck_assert_ptr_eq(upper, b);
        ok(sw_llb_diff(scratch, scratch, NULL, &none));
        make(&m, both, NULL);
        unmake(&m);
}
END_TEST

/* After BuildKit's own tests of passthrough. */
START_TEST(passthrough)
{
        sw_autoptr(sw_state) a = image("example.com/input:0");
        sw_autoptr(sw_state) b = image("example.com/input:1");
        sw_autoptr(sw_state) c = image("example.com/input:2");
        sw_state *out[2];
        struct made m;

        ok(sw_llb_passthrough("test.multi",
                              (const struct sw_llb_pass[]){
                                      { a, true }, { b, false }, { c, true } },
                              3, NULL, out));
        make(&m, out[1], NULL);
        ck_assert_uint_eq(m.op[3]->n_inputs, 3);
        ck_assert_str_eq(m.op[3]->passthrough->id, "test.multi");
        ck_assert_uint_eq(m.op[3]->passthrough->n_outputs, 2);
        ck_assert_int_eq(m.op[3]->passthrough->outputs[0], 0);
        ck_assert_int_eq(m.op[3]->passthrough->outputs[1], 2);
        ck_assert_int_eq(m.op[4]->inputs[0]->index, 1);
        ck_assert(has_cap(metadata(&m, m.digest[3]), "passthroughop"));
        unmake(&m);
        sw_state_unref(out[0]);
        sw_state_unref(out[1]);
}
END_TEST

START_TEST(requires)
{
        sw_autoptr(sw_state) base = image("base");
        sw_autoptr(sw_state) dep = image("dep");
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_state) same = NULL;
        sw_auto(sw_str) dir = NULL;
        struct made m;

        sw_state_replace(&base, sw_state_dir(base, "/work"));
        ok(sw_state_requires(base, "id", (const sw_state *const[]){ dep }, 1, NULL, &s));
        ok(sw_state_get_dir(s, NULL, &dir));
        ck_assert_str_eq(dir, "/work");
        make(&m, s, NULL);
        ck_assert_uint_eq(result_op(&m)->n_inputs, 2);
        ck_assert_uint_eq(result_op(&m)->passthrough->n_outputs, 1);
        unmake(&m);
        ok(sw_state_requires(base, "", NULL, 0, NULL, &same));
        ck_assert_ptr_eq(same, base);
}
END_TEST

START_TEST(nested_build)
{
        sw_autoptr(sw_state) src = image("defs");
        sw_autoptr(sw_state) s = NULL;
        struct made m;
        Pb__BuildOp *b;

        ok(sw_state_build(src, "other.llb", NULL, &s));
        make(&m, s, NULL);
        b = result_op(&m)->build;
        ck_assert_int_eq(b->builder, -1);
        ck_assert_str_eq(b->inputs[0]->key, "buildkit.llb.definition");
        ck_assert_int_eq(b->inputs[0]->value->input, 0);
        ck_assert_str_eq(b->attrs[0]->key, "llbbuild.filename");
        ck_assert_str_eq(b->attrs[0]->value, "other.llb");
        ck_assert(has_cap(metadata(&m, m.digest[1]), "source.buildop.llbfilename"));
        unmake(&m);
}
END_TEST

/* ---- commands ---------------------------------------------------------------------- */

/* Outputs are numbered by destination over the mounts that keep something. */
START_TEST(mount_outputs)
{
        sw_autoptr(sw_state) base = image("base");
        sw_autoptr(sw_state) tree = image("tree");
        sw_autoptr(sw_run) r = sw_run_new(base);
        sw_autoptr(sw_state) root = NULL;
        sw_autoptr(sw_state) z = NULL;
        sw_autoptr(sw_state) ro = NULL;
        sw_state *none = NULL;
        sw_auto(sw_str) dir = NULL;
        struct made m;
        Pb__ExecOp *e;

        sw_state_replace(&tree, sw_state_dir(tree, "/of-tree"));
        sw_run_args(r, (const char *const[]){ "x", NULL });
        ok(sw_run_mount(r, "/z", tree, NULL));
        ok(sw_run_mount(r, "/ro", tree, SW_LLB_MOUNT(.readonly = true)));
        ok(sw_run_mount(r, "/gone", tree, SW_LLB_MOUNT(.no_output = true)));
        ok(sw_run_mount(r, "/a", NULL, NULL));
        fails(sw_run_result(r, "/z", &z), SW_E_INVALID, "not ended");
        ok(sw_run_end(r, NULL, &root));
        ok(sw_run_result(r, "/z", &z));
        ok(sw_run_result(r, "/ro", &ro));
        fails(sw_run_result(r, "/gone", &none), SW_E_INVALID, "without output");
        fails(sw_run_result(r, "/nowhere", &none), SW_E_NOT_FOUND, "/nowhere");
        ok(sw_state_get_dir(z, NULL, &dir));
        ck_assert_str_eq(dir, "/of-tree");
        make(&m, z, NULL);
        e = result_op(&m)->exec;
        ck_assert_uint_eq(e->n_mounts, 5);
        ck_assert_str_eq(e->mounts[0]->dest, "/");
        ck_assert_int_eq(e->mounts[0]->output, 0);
        ck_assert_str_eq(e->mounts[1]->dest, "/a");
        ck_assert_int_eq(e->mounts[1]->output, 1);
        ck_assert_int_eq(e->mounts[1]->input, -1);
        ck_assert_str_eq(e->mounts[2]->dest, "/gone");
        ck_assert_int_eq(e->mounts[2]->output, -1);
        ck_assert_str_eq(e->mounts[3]->dest, "/ro");
        ck_assert_int_eq(e->mounts[3]->output, -1);
        ck_assert_int_eq(e->mounts[3]->input, 1);
        ck_assert_str_eq(e->mounts[4]->dest, "/z");
        ck_assert_int_eq(e->mounts[4]->output, 2);
        ck_assert_uint_eq(result_op(&m)->n_inputs, 2);
        ck_assert_int_eq(m.op[m.n - 1]->inputs[0]->index, 2);
        unmake(&m);
        make(&m, ro, NULL);
        ck_assert_uint_eq(m.n, 2);
        unmake(&m);
}
END_TEST

START_TEST(readonly_root)
{
        sw_autoptr(sw_state) base = image("base");
        sw_autoptr(sw_run) r = sw_run_new(base);
        sw_autoptr(sw_state) root = NULL;
        sw_autoptr(sw_state) out = NULL;
        struct made m;

        sw_run_args(r, (const char *const[]){ "x", NULL });
        sw_run_readonly_root(r);
        ok(sw_run_mount(r, "/out", NULL, NULL));
        ok(sw_run_end(r, NULL, &root));
        make(&m, root, NULL);
        ck_assert_uint_eq(m.n, 2); /* the base: nothing to run for it */
        unmake(&m);
        ok(sw_run_result(r, "/out", &out));
        make(&m, out, NULL);
        ck_assert(result_op(&m)->exec->mounts[0]->readonly);
        ck_assert_int_eq(result_op(&m)->exec->mounts[0]->output, -1);
        ck_assert_int_eq(result_op(&m)->exec->mounts[1]->output, 0);
        unmake(&m);
}
END_TEST

/* Every option of a command that no vector has. */
START_TEST(run_options)
{
        sw_autoptr(sw_state) s = image("base");
        sw_autoptr(sw_state) hosts = NULL;
        sw_autoptr(sw_run) r = NULL;
        sw_autoptr(sw_state) root = NULL;
        struct made m;
        Pb__ExecOp *e;
        Pb__OpMetadata *md;

        ok(sw_state_add_host(s, "a", "10.0.0.1", &hosts));
        sw_state_replace(&s, sw_steal(hosts));
        ok(sw_state_add_host(s, "b", "2001:DB8:0:0:0:0:0:1", &hosts));
        sw_state_replace(&s, sw_steal(hosts));
        ok(sw_state_add_host(s, "c", "::ffff:1.2.3.4", &hosts));
        sw_state_replace(&s, sw_steal(hosts));
        ok(sw_state_add_host(s, "d", "::1.2.3.4", &hosts));
        sw_state_replace(&s, sw_steal(hosts));
        r = sw_run_new(s);
        ok(sw_run_command(r, "/bin/sh -c \"a 'b'\" # done"));
        ok(sw_run_valid_exit_codes(r, (const int[]){ 0, 3 }, 2));
        ok(sw_run_device(r, "vendor.com/gpu=all", true));
        ok(sw_run_mount(r, "/cc", NULL,
                        SW_LLB_MOUNT(.cache_id = "k",
                                     .content_cache = SW_LLB_CONTENT_CACHE_OFF)));
        ok(sw_run_secret(r, SW_LLB_SECRET(.env = "TOKEN")));
        ok(sw_run_ssh(r, NULL));
        ok(sw_run_ssh(r, SW_LLB_SSH(.id = "x", .target = "/sock", .uid = 7)));
        ok(sw_run_ssh(r, SW_LLB_SSH(.id = "y")));
        ok(sw_run_end(r, SW_LLB_OPTS(.filters = (const char *const[]){ "gpu==1", NULL }),
                      &root));
        make(&m, root,
             SW_LLB_OPTS(.caps = (const char *const[]){ NULL },
                         .filters = (const char *const[]){ "all", NULL }));
        e = result_op(&m)->exec;
        ck_assert_uint_eq(e->meta->n_args, 3);
        ck_assert_str_eq(e->meta->args[2], "a 'b'");
        ck_assert_str_eq(e->meta->extrahosts[0]->ip, "10.0.0.1");
        ck_assert_str_eq(e->meta->extrahosts[1]->ip, "2001:db8::1");
        ck_assert_str_eq(e->meta->extrahosts[2]->ip, "1.2.3.4");
        ck_assert_str_eq(e->meta->extrahosts[3]->ip, "::102:304");
        ck_assert_int_eq(e->meta->validexitcodes[1], 3);
        ck_assert_str_eq(e->cdidevices[0]->name, "vendor.com/gpu=all");
        ck_assert(e->cdidevices[0]->optional);
        ck_assert_int_eq(e->mounts[1]->contentcache, PB__MOUNT_CONTENT_CACHE__OFF);
        ck_assert_str_eq(e->secretenv[0]->id, "TOKEN");
        ck_assert_str_eq(e->secretenv[0]->name, "TOKEN");
        ck_assert_str_eq(e->mounts[2]->dest, "/run/buildkit/ssh_agent.0");
        ck_assert_str_eq(e->mounts[3]->dest, "/sock");
        ck_assert_uint_eq(e->mounts[3]->sshopt->uid, 7);
        ck_assert_str_eq(e->mounts[4]->dest, "/run/buildkit/ssh_agent.2");
        /* The daemon is known and has no default PATH. */
        ck_assert_str_eq(e->meta->env[0], "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0");
        ck_assert_str_eq(e->meta->env[1], "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                                          "/usr/bin:/sbin:/bin");
        ck_assert_uint_eq(result_op(&m)->constraints->n_filter, 2);
        ck_assert_str_eq(result_op(&m)->constraints->filter[0], "all");
        ck_assert_str_eq(result_op(&m)->constraints->filter[1], "gpu==1");
        md = metadata(&m, m.digest[1]);
        ck_assert(has_cap(md, "exec.validexitcode"));
        ck_assert(has_cap(md, "exec.meta.cdi"));
        ck_assert(has_cap(md, "exec.secretenv"));
        ck_assert(has_cap(md, "exec.mount.cache.content"));
        ck_assert(!has_cap(md, "exec.meta.setsdefaultpath"));
        unmake(&m);
}
END_TEST

/* ---- file actions ------------------------------------------------------------------ */

/* After BuildKit's own test of a pipeline: copies from bound actions and from states. */
START_TEST(file_pipeline)
{
        sw_autoptr(sw_state) foo = image("foo");
        sw_autoptr(sw_state) bar = image("bar");
        sw_autoptr(sw_state) baz = image("baz");
        sw_autoptr(sw_files) inner = sw_files_new();
        sw_autoptr(sw_files) first = sw_files_new();
        sw_autoptr(sw_files) second = sw_files_new();
        sw_autoptr(sw_bound) bound = NULL;
        sw_autoptr(sw_state) s1 = NULL;
        sw_autoptr(sw_state) s2 = NULL;
        sw_autoptr(sw_state) out = sw_state_dir(foo, "/out");
        struct made m;
        Pb__FileOp *f;

        sw_state_replace(&bar, sw_state_dir(bar, "/tmp"));
        sw_state_replace(&baz, sw_state_dir(baz, "/base"));
        ok(sw_files_mkdir(inner, "foo", 0700, NULL));
        ok(sw_files_mkfile(inner, "foo/bar", 0600, "dt", 2, NULL));
        ok(sw_files_bind(inner, bar, &bound));
        ok(sw_files_copy_bound(first, bound, "foo/bar", "baz", NULL));
        ok(sw_files_rm(first, "foo/bax", NULL));
        s1 = files(out, first);
        ok(sw_files_mkdir(second, "/bar", 0701, NULL));
        ok(sw_files_copy(second, foo, "in", "out", NULL));
        ok(sw_files_copy(second, baz, "in2", "out2", NULL));
        s2 = files(s1, second);
        make(&m, s2, NULL);
        ck_assert_uint_eq(m.n, 6);
        f = m.op[4]->file;
        ck_assert_uint_eq(m.op[4]->n_inputs, 3);
        ck_assert_str_eq(m.op[4]->inputs[1]->digest, m.digest[index_of(&m, m.digest[0])]);
        ck_assert_int_eq(f->actions[0]->input, 0);
        ck_assert_int_eq(f->actions[1]->input, 3);
        ck_assert_int_eq(f->actions[1]->secondaryinput, 1);
        ck_assert_str_eq(f->actions[1]->copy->src, "/in");
        ck_assert_str_eq(f->actions[1]->copy->dest, "/out/out");
        ck_assert_int_eq(f->actions[2]->input, 4);
        ck_assert_int_eq(f->actions[2]->secondaryinput, 2);
        ck_assert_str_eq(f->actions[2]->copy->src, "/base/in2");
        ck_assert_int_eq(f->actions[1]->output, -1);
        ck_assert_int_eq(f->actions[2]->output, 0);
        ck_assert_str_eq(m.op[4]->inputs[0]->digest, m.digest[2]);
        f = m.op[2]->file;
        ck_assert_uint_eq(f->n_actions, 4);
        ck_assert_int_eq(f->actions[0]->input, 1);
        ck_assert_str_eq(f->actions[0]->mkdir->path, "/tmp/foo");
        ck_assert_int_eq(f->actions[1]->input, 2);
        ck_assert_int_eq(f->actions[2]->input, 0);
        ck_assert_int_eq(f->actions[2]->secondaryinput, 3);
        ck_assert_str_eq(f->actions[2]->copy->src, "/tmp/foo/bar");
        ck_assert_str_eq(f->actions[2]->copy->dest, "/out/baz");
        ck_assert_int_eq(f->actions[3]->input, 4);
        ck_assert_str_eq(f->actions[3]->rm->path, "/out/foo/bax");
        unmake(&m);
}
END_TEST

/* A bound chain between two actions does not come between them. */
START_TEST(bound_in_the_middle)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_files) inner = sw_files_new();
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_bound) b = NULL;
        sw_autoptr(sw_state) s = NULL;
        struct made m;
        Pb__FileOp *op;

        ok(sw_files_mkfile(inner, "x", 0600, "", 0, NULL));
        ok(sw_files_bind(inner, scratch, &b));
        ok(sw_files_mkdir(f, "a", 0755, NULL));
        ok(sw_files_copy_bound(f, b, "x", "a/1", NULL));
        ok(sw_files_copy_bound(f, b, "x", "a/2", NULL));
        s = files(scratch, f);
        make(&m, s, NULL);
        op = m.op[0]->file;
        ck_assert_uint_eq(op->n_actions, 4);
        ck_assert_int_eq(op->actions[0]->input, -1); /* mkdir */
        ck_assert_int_eq(op->actions[1]->input, -1); /* mkfile of the bound chain */
        ck_assert_int_eq(op->actions[2]->input, 0);
        ck_assert_int_eq(op->actions[2]->secondaryinput, 1);
        ck_assert_int_eq(op->actions[3]->input, 2);
        ck_assert_int_eq(op->actions[3]->secondaryinput, 1);
        unmake(&m);
}
END_TEST

START_TEST(file_paths)
{
        static const struct {
                const char *dest, *want;
        } cases[] = {
                { "/a/", "/a/" },    { "a", "/d/a" },    { "a/", "/d/a/" },
                { "/", "/" },        { ".", "/d" },      { "./", "/d/" },
                { "/.", "/." },      { "/a/.", "/a/." }, { "", "/d" },
                { "/a/../b", "/b" }, { "../x", "/x" },
        };
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) d = sw_state_dir(scratch, "/d");
        sw_autoptr(sw_state) from = image("from");

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_autoptr(sw_files) f = sw_files_new();
                sw_autoptr(sw_state) s = NULL;
                struct made m;

                ok(sw_files_copy(f, from, "x/", cases[i].dest, NULL));
                s = files(d, f);
                make(&m, s, NULL);
                ck_assert_str_eq(m.op[1]->file->actions[0]->copy->dest, cases[i].want);
                ck_assert_str_eq(m.op[1]->file->actions[0]->copy->src, "/x");
                unmake(&m);
        }
}
END_TEST

START_TEST(owners)
{
        static const struct {
                const char *owner, *user, *group;
                int64_t uid, gid; /* -1: by name; -2: none */
        } cases[] = {
                { "123:456", "", "", 123, 456 }, { "foouser", "foouser", "", -1, -2 },
                { "root:root", "", "", 0, 0 },   { "u:g", "u", "g", -1, -1 },
                { "5:g", "", "g", 5, -1 },       { "", "", "", 0, -2 },
        };
        sw_autoptr(sw_state) foo = image("foo");

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_autoptr(sw_files) f = sw_files_new();
                sw_autoptr(sw_state) s = NULL;
                struct made m;
                Pb__ChownOpt *c;

                ok(sw_files_mkdir(f, "/x", 0700, SW_LLB_FILE(.owner = cases[i].owner)));
                s = files(foo, f);
                make(&m, s, NULL);
                c = m.op[1]->file->actions[0]->mkdir->owner;
                if (cases[i].uid >= 0) {
                        ck_assert_int_eq(c->user->user_case, PB__USER_OPT__USER_BY_ID);
                        ck_assert_uint_eq(c->user->byid, cases[i].uid);
                } else {
                        ck_assert_str_eq(c->user->byname->name, cases[i].user);
                        ck_assert_int_eq(c->user->byname->input, 0);
                }
                if (cases[i].gid == -2)
                        ck_assert_ptr_null(c->group);
                else if (cases[i].gid >= 0)
                        ck_assert_uint_eq(c->group->byid, cases[i].gid);
                else
                        ck_assert_str_eq(c->group->byname->name, cases[i].group);
                unmake(&m);
        }
}
END_TEST

START_TEST(copy_modes)
{
        sw_autoptr(sw_state) from = image("from");
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) s = NULL;
        struct made m;
        Pb__FileAction **a;

        ok(sw_files_copy(f, from, "/a", "/a",
                         SW_LLB_COPY(.has_mode = true, .mode = 04755)));
        ok(sw_files_copy(f, from, "/b", "/b", SW_LLB_COPY(.mode_str = "u+rwX,go=")));
        ok(sw_files_copy(f, from, "/c", "/c",
                         SW_LLB_COPY(.always_replace = true, .allow_empty_wildcard = true,
                                     .unpack = true,
                                     .required = (const char *const[]){ "r", NULL })));
        s = files(from, f);
        make(&m, s, NULL);
        a = m.op[1]->file->actions;
        ck_assert_int_eq(a[0]->copy->mode, 04755);
        ck_assert_int_eq(a[1]->copy->mode, 0);
        ck_assert_str_eq(a[1]->copy->modestr, "u+rwX,go=");
        ck_assert_int_eq(a[2]->copy->mode, -1);
        ck_assert(a[2]->copy->alwaysreplaceexistingdestpaths);
        ck_assert(a[2]->copy->attemptunpackdockercompatibility);
        ck_assert_str_eq(a[2]->copy->required_paths[0], "r");
        ck_assert_uint_eq(m.op[1]->n_inputs, 1); /* the same tree once */
        ck_assert_int_eq(a[0]->secondaryinput, 0);
        unmake(&m);
}
END_TEST

/* ---- source maps ------------------------------------------------------------------- */

/* After BuildKit's own test of source maps. */
START_TEST(source_maps)
{
        sw_autoptr(sw_state) file = image("has-the-file");
        sw_autoptr(sw_source_map) one = sw_source_map_new("foo", "lang1", "data1", 5, file);
        sw_autoptr(sw_source_map) two = sw_source_map_new("bar", "lang2", "data2", 5, NULL);
        sw_autoptr(sw_source_map) twin =
                sw_source_map_new("bar", "lang2", "data2", 5, NULL);
        const struct sw_llb_range seven = { 7, 1, 7, 9 }, eight = { 8, 0, 9, 0 };
        const struct sw_llb_location at[] = { { one, &seven, 1 },
                                              { two, &eight, 1 },
                                              { twin, NULL, 0 } };
        sw_autoptr(sw_state) s = NULL;
        struct made m;
        Pb__Locations *l;

        ok(sw_llb_image("x", NULL, SW_LLB_OPTS(.locations = at, .n_locations = 3), &s));
        make(&m, s, NULL);
        ck_assert_uint_eq(m.def->source->n_infos, 2);
        ck_assert_str_eq(m.def->source->infos[0]->filename, "foo");
        ck_assert_str_eq(m.def->source->infos[0]->language, "lang1");
        ck_assert_uint_eq(m.def->source->infos[0]->data.len, 5);
        ck_assert_uint_eq(m.def->source->infos[0]->definition->n_def, 2);
        ck_assert_ptr_null(m.def->source->infos[1]->definition);
        ck_assert_uint_eq(m.def->source->n_locations, 1);
        ck_assert_str_eq(m.def->source->locations[0]->key, m.digest[0]);
        l = m.def->source->locations[0]->value;
        ck_assert_uint_eq(l->n_locations, 3);
        ck_assert_int_eq(l->locations[0]->ranges[0]->start->line, 7);
        ck_assert_int_eq(l->locations[0]->ranges[0]->end->character, 9);
        ck_assert_int_eq(l->locations[1]->sourceindex, 1);
        ck_assert_int_eq(l->locations[2]->sourceindex, 1);
        ck_assert_uint_eq(l->locations[2]->n_ranges, 0);
        unmake(&m);
}
END_TEST

START_TEST(groups_and_names)
{
        const struct sw_llb_progress_group g = { "id", "group", true };
        const struct sw_llb_pair d[] = { { "b", "2" }, { "a", "1" }, { "b", "3" } };
        sw_autoptr(sw_state) s = NULL;
        struct made m;
        Pb__OpMetadata *md;

        ok(sw_llb_image("x", NULL,
                        SW_LLB_OPTS(.group = &g, .description = d, .n_description = 3,
                                    .name = "n", .export_cache = SW_LLB_EXPORT_CACHE_ON),
                        &s));
        make(&m, s, SW_LLB_OPTS(.description = d, .n_description = 1));
        md = metadata(&m, m.digest[0]);
        ck_assert_uint_eq(md->n_description, 3);
        ck_assert_str_eq(md->description[1]->value, "3");
        ck_assert_str_eq(md->description[2]->key, "llb.customname");
        ck_assert_str_eq(md->progress_group->id, "id");
        ck_assert(md->progress_group->weak);
        ck_assert(md->export_cache->value);
        unmake(&m);
}
END_TEST

/* ---- size -------------------------------------------------------------------------- */

/* Every kind of chain, made, marshalled and released with a small stack. */
static sw_state *
chain(size_t n)
{
        sw_state *s = image("base");

        for (size_t i = 0; i < n; i++) {
                sw_autoptr(sw_files) f = sw_files_new();
                char text[32];

                snprintf(text, sizeof(text), "%zu", i);
                if (i % 3 == 0) {
                        sw_state_replace(&s, run(s, text));
                } else if (i % 3 == 1) {
                        sw_state_replace(&s, sw_state_dir(s, i % 2 ? "a" : ".."));
                } else {
                        ok(sw_files_mkfile(f, text, 0600, "", 0, NULL));
                        sw_state_replace(&s, files(s, f));
                }
        }
        return s;
}

START_TEST(long_chains)
{
        const size_t n = 100000;
        struct rlimit small;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_state *s;

        getrlimit(RLIMIT_STACK, &small);
        small.rlim_cur = 256 << 10;
        ck_assert_int_eq(setrlimit(RLIMIT_STACK, &small), 0);
        s = chain(n);
        ok(sw_state_marshal(s, NULL, &out));
        ck_assert_uint_gt(out.len, n * 100);
        sw_state_unref(s);
}
END_TEST

/* A copies from b copies from c …, and one list of very many actions. */
START_TEST(deep_file_actions)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_bound) b = NULL;
        sw_autoptr(sw_files) many = sw_files_new();
        sw_autoptr(sw_state) s = NULL;
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (int i = 0; i < 20000; i++) {
                sw_autoptr(sw_files) f = sw_files_new();

                if (b)
                        ok(sw_files_copy_bound(f, b, "x", "x", NULL));
                else
                        ok(sw_files_mkfile(f, "x", 0600, "", 0, NULL));
                sw_bound_unref(b);
                ok(sw_files_bind(f, scratch, &b));
        }
        ok(sw_files_copy_bound(many, b, "x", "x", NULL));
        for (int i = 0; i < 50000; i++)
                ok(sw_files_mkdir(many, "d", 0700, NULL));
        s = files(scratch, many);
        ok(sw_state_marshal(s, NULL, &out));
}
END_TEST

/* Ten times the graph takes about ten times as long: far from a hundred. */
START_TEST(linear_cost)
{
        double ms[2];

        for (int i = 0; i < 2; i++) {
                sw_autoptr(sw_state) s = chain(i ? 60000 : 6000);
                double best = 1e9;

                for (int k = 0; k < 3; k++) {
                        sw_auto(sw_buf) out = SW_BUF_INIT;
                        int64_t start = sw_time_mono();
                        double took;

                        ok(sw_state_marshal(s, NULL, &out));
                        took = (double) (sw_time_mono() - start) / 1e6;
                        best = took < best ? took : best;
                }
                ms[i] = best;
        }
        ck_assert_msg(ms[1] < 40 * ms[0], "%.1f ms, then %.1f ms", ms[0], ms[1]);
}
END_TEST

UNIT_MAIN("graph", foo_bar, scratch_is_nothing, equal_vertices_are_one, merge,
          merge_of_less_than_two, diff, passthrough, requires, nested_build, mount_outputs,
          readonly_root, run_options, file_pipeline, bound_in_the_middle, file_paths,
          owners, copy_modes, source_maps, groups_and_names, long_chains, deep_file_actions,
          linear_cost)
