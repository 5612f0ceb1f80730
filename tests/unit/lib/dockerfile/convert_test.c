/*
 * A table of Dockerfiles and what they are converted to (tests/data/dockerfile-cases/
 * convert.txt): every op, in short, or the error and its place. Catches any change in what
 * an instruction or an option of the frontend does.
 *
 * A case begins with lines of its own:
 *      %opt key=value        an option of the frontend
 *      %file path text       a file that can be read; "\n" stands for a line end
 *      %show config|log|lint|outline|base   printed besides, or ("ops" left out) instead
 */
#include <fcntl.h>
#include <inttypes.h>

#include <slipway/json.h>

#include "tests/unit/lib/dockerfile/cases.h"
#include "tests/unit/lib/dockerfile/fakebridge.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What a case asks for. */
struct asked {
        SW_ARRAY(struct sw_attr) opts;
        bool ops, config, base, log, lint, outline;
        const char *text; /* the Dockerfile */
        char *copy;
};

static void
unescape(char *s)
{
        char *to = s;

        for (; *s; s++) {
                if (s[0] == '\\' && s[1] == 'n') {
                        *to++ = '\n';
                        s++;
                } else {
                        *to++ = *s;
                }
        }
        *to = '\0';
}

static void
show(struct asked *a, const char *what)
{
        a->ops = a->ops && strncmp(what, "only ", 5) != 0;
        a->config |= strstr(what, "config") != NULL;
        a->base |= strstr(what, "base") != NULL;
        a->log |= strstr(what, "log") != NULL;
        a->lint |= strstr(what, "lint") != NULL;
        a->outline |= strstr(what, "outline") != NULL;
}

static void
take_line(struct asked *a, struct fake *f, char *line)
{
        char *rest = strchr(line, ' ');

        ck_assert_msg(rest != NULL, "%s", line);
        *rest++ = '\0';
        if (strcmp(line, "%opt") == 0) {
                char *eq = strchr(rest, '=');

                ck_assert_msg(eq != NULL, "%s", rest);
                *eq = '\0';
                sw_array_push(&a->opts, (struct sw_attr){ rest, eq + 1 });
        } else if (strcmp(line, "%file") == 0) {
                char *space = strchr(rest, ' ');

                ck_assert_msg(space != NULL, "%s", rest);
                *space = '\0';
                unescape(space + 1);
                (void) sw_map_set(f->files, rest, sw_strdup(space + 1));
        } else {
                ck_assert_str_eq(line, "%show");
                show(a, rest);
        }
}

static void
read_case(const struct one_case *c, struct fake *f, struct asked *a)
{
        char *p;

        *a = (struct asked){ .ops = true, .copy = sw_strdup(c->in.data) };
        for (p = a->copy; *p == '%';) {
                size_t n = strcspn(p, "\n");
                char *next = p + n + (p[n] != '\0');

                p[n] = '\0';
                take_line(a, f, p);
                p = next;
        }
        (void) sw_map_set(f->files, "Dockerfile", sw_strdup(p));
}

/* ---- Printing ---- */

/* Long things that are the same everywhere. */
static void
add_short(sw_buf *out, const char *s)
{
        static const struct {
                const char *longer, *shorter;
        } known[] = {
                { "\"" PATH "\"", "PATH" },
                { PATH, "PATH=..." },
                { "@sha256:"
                  "7bf03ff36d48df58984da5fddf3c016607d0b94958e2ae4097ea2d7ae106e8a2",
                  "@B" },
                { "@sha256:"
                  "f7f4d8c68b84f75029d038bb51f30aaab242d14c8fdceaa3bbad9c260cfb74f1",
                  "@A" },
                { "docker.io/library/", "~" },
                { ",\"removeMountStubsRecursive\":true", "" },
                { "\"followSymlink\":true,\"dirCopyContents\":true", "LOCAL" },
                { "\"allowWildcard\":true,\"allowEmptyWildcard\":true", "WILD" },
                { ",\"timestamp\":-1", "" },
                { ",\"mode\":-1", "" },
                { "\"createDestPath\":true", "MKDIRS" },
        };

        while (*s) {
                size_t i = 0;

                while (i < sizeof(known) / sizeof(known[0]) &&
                       !sw_str_has_prefix(s, known[i].longer))
                        i++;
                if (i < sizeof(known) / sizeof(known[0])) {
                        sw_buf_adds(out, known[i].shorter);
                        s += strlen(known[i].longer);
                } else {
                        sw_buf_addc(out, *s++);
                }
        }
}

static void
put_resources(const struct sw_llb_resources *r, sw_buf *out)
{
        sw_buf_addf(out,
                    "\n   memory %" PRId64 "/%" PRId64 " cpu %" PRIu64 " %" PRIu64
                    "/%" PRId64 " sets \"%s\" \"%s\"",
                    r->memory, r->memory_swap, r->cpu_shares, r->cpu_period, r->cpu_quota,
                    r->cpuset_cpus ? r->cpuset_cpus : "",
                    r->cpuset_mems ? r->cpuset_mems : "");
}

static void
put_op(const sw_llb_vertex *v, const sw_json *line, sw_buf *out)
{
        const sw_json *op = json_object_get(json_object_get(line, "Op"), "Op");
        const struct sw_llb_progress_group *g = sw_llb_vertex_progress_group(v);
        char *text = json_dumps(op, JSON_COMPACT | JSON_ENCODE_ANY);

        sw_buf_addf(out, "%zu:", sw_llb_vertex_index(v));
        for (size_t i = 0; i < sw_llb_vertex_n_inputs(v); i++)
                sw_buf_addf(out, " <%zu", sw_llb_vertex_input(v, i).vertex);
        sw_buf_addc(out, ' ');
        add_short(out, sw_llb_vertex_name(v));
        if (sw_llb_vertex_ignore_cache(v))
                sw_buf_adds(out, " !cache");
        if (g)
                sw_buf_addf(out, " group%s", g->weak ? "(weak)" : "");
        if (sw_llb_vertex_resources(v))
                put_resources(sw_llb_vertex_resources(v), out);
        sw_buf_adds(out, "\n   ");
        add_short(out, text);
        sw_buf_addc(out, '\n');
        free(text);
}

static void
put_ops(const sw_buf *def, sw_buf *out)
{
        sw_autoptr(sw_definition) d = NULL;
        sw_auto(sw_buf) dump = SW_BUF_INIT;
        sw_auto(sw_strlist) lines = { NULL, 0, 0 };

        if (sw_definition_is_empty(def->data, def->len)) {
                sw_buf_adds(out, "nothing\n");
                return;
        }
        ok(sw_definition_decode(def->data, def->len, NULL, &d));
        ok(sw_llb_dump(def->data, def->len, SW_LLB_DUMP_JSON, &dump));
        sw_strlist_split(&lines, dump.data, '\n');
        for (size_t i = 0; i < sw_definition_count(d); i++) {
                const sw_llb_vertex *v = sw_definition_vertex(d, i);

                for (size_t k = 0; k < lines.n; k++) {
                        sw_autoptr(sw_json) line = NULL;

                        ok(sw_json_parse("op", lines.v[k], strlen(lines.v[k]), &line));
                        if (strcmp(json_string_value(json_object_get(line, "Digest")),
                                   sw_llb_vertex_digest_str(v)) == 0)
                                put_op(v, line, out);
                }
        }
}

static void
put_error(const sw_err *err, sw_buf *out)
{
        const struct sw_err_source *s = sw_err_source(err);

        sw_buf_addf(out, "error: %s", sw_err_message(err));
        if (sw_err_code(err) != SW_E_INVALID)
                sw_buf_addf(out, " (%s)", sw_err_code_name(sw_err_code(err)));
        if (s)
                sw_buf_addf(out, " @%d", s->first_line);
        sw_buf_addc(out, '\n');
}

static void
put_outline(const struct sw_df_outline *o, sw_buf *out)
{
        sw_buf_addf(out, "outline %s: %s\n", o->name, o->description);
        for (size_t i = 0; i < o->n_args; i++)
                sw_buf_addf(out, "  arg %s=%s (%s) @%d\n", o->args[i].name,
                            o->args[i].value ?: "", o->args[i].description,
                            o->args[i].range.first);
        for (size_t i = 0; i < o->n_secrets; i++)
                sw_buf_addf(out, "  secret %s%s @%d\n", o->secrets[i].name,
                            o->secrets[i].required ? " required" : "",
                            o->secrets[i].range.first);
        for (size_t i = 0; i < o->n_ssh; i++)
                sw_buf_addf(out, "  ssh %s%s @%d\n", o->ssh[i].name,
                            o->ssh[i].required ? " required" : "", o->ssh[i].range.first);
}

static void
tell(void *arg, const struct sw_df_finding *f)
{
        sw_buf_addf((sw_buf *) arg, "%s: %s @%d\n", sw_df_rule_info(f->rule)->name,
                    f->message, f->range.first);
}

static void
put_result(const struct asked *a, const sw_df_result *r, sw_buf *out)
{
        if (a->ops)
                put_ops(&r->definition, out);
        if (a->config) {
                sw_buf_adds(out, "config ");
                add_short(out, r->config.data);
                sw_buf_addc(out, '\n');
        }
        if (a->base) {
                sw_buf_adds(out, "base ");
                add_short(out, r->base_config.data);
                sw_buf_addc(out, '\n');
        }
        if (r->has_epoch)
                sw_buf_addf(out, "epoch %" PRId64 "\n", r->epoch);
        if (a->outline)
                put_outline(&r->outline, out);
        if (!out->len)
                sw_buf_adds(out, "nothing\n");
}

static void
run_convert(const struct one_case *c, sw_buf *out)
{
        sw_autoptr(sw_df_result) r = NULL;
        struct asked a;
        struct fake f;
        sw_err *err;

        fake_init(&f);
        read_case(c, &f, &a);
        struct sw_df_lint lint = { .tell = tell, .arg = out };
        err = fake_convert(&f, a.opts.v, a.opts.n, a.lint ? &lint : NULL, &r);
        if (err)
                put_error(err, out);
        else
                put_result(&a, r, out);
        if (a.log)
                sw_buf_add(out, f.log.data, f.log.len);
        sw_err_free(err);
        sw_df_lint_release(&lint);
        sw_array_release(&a.opts);
        free(a.copy);
        fake_release(&f);
}

START_TEST(table)
{
        ck_assert_uint_ge(cases_run("convert.txt", run_convert), 120);
}
END_TEST

/* 150 triggers in each of 140 stages: each would be parsed and run. */
START_TEST(too_many_triggers)
{
        sw_buf text = SW_BUF_INIT;
        struct fake f;
        sw_df_result *r = NULL;

        sw_buf_adds(&text, "FROM busybox AS a\n");
        for (int i = 0; i < 150; i++)
                sw_buf_adds(&text, "ONBUILD RUN x\n");
        for (int i = 0; i < 140; i++)
                sw_buf_addf(&text, "FROM a AS s%d\n", i);
        sw_buf_adds(&text, "FROM scratch\n");
        for (int i = 0; i < 140; i++)
                sw_buf_addf(&text, "COPY --from=s%d / /\n", i);
        fake_init(&f);
        (void) sw_map_set(f.files, "Dockerfile", sw_buf_detach(&text));
        fails(fake_convert(&f, NULL, 0, NULL, &r), SW_E_LIMIT,
              "more than 20000 ONBUILD triggers");
        fake_release(&f);
}
END_TEST

UNIT_MAIN("dockerfile conversion", table, too_many_triggers)
