/*
 * Unit tests of lib/dockerfile: tables of Dockerfiles and what is read from them, of words,
 * mounts, ports, check options. Catches any change in what an instruction means, in the
 * text of a mistake and in its place.
 */
#include <fcntl.h>

#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/instruct.h"
#include "tests/unit/lib/dockerfile/cases.h"

static void
put_error(const sw_err *err, sw_buf *out)
{
        const struct sw_err_source *s = sw_err_source(err);

        sw_buf_addf(out, "error: %s", sw_err_message(err));
        if (sw_err_code(err) != SW_E_INVALID)
                sw_buf_addf(out, " (%s)", sw_err_code_name(sw_err_code(err)));
        if (s && s->first_char)
                sw_buf_addf(out, " @%d:%d-%d", s->first_line, s->first_char, s->end_char);
        else if (s && s->first_line == s->last_line)
                sw_buf_addf(out, " @%d", s->first_line);
        else if (s)
                sw_buf_addf(out, " @%d-%d", s->first_line, s->last_line);
        sw_buf_addc(out, '\n');
}

static void
put_q(sw_buf *out, const char *s)
{
        sw_buf_add_quoted(out, s, strlen(s), SIZE_MAX);
}

static void
put_named(sw_buf *out, const char *name, const char *value)
{
        if (!value || !*value)
                return;
        sw_buf_addf(out, " %s=", name);
        put_q(out, value);
}

static void
put_strs(sw_buf *out, const char *name, struct sw_df_strs s)
{
        sw_buf_addf(out, " %s[", name);
        for (size_t i = 0; i < s.n; i++) {
                if (i)
                        sw_buf_addc(out, ' ');
                put_q(out, s.v[i]);
        }
        sw_buf_addc(out, ']');
}

static void
put_kvs(sw_buf *out, struct sw_df_kvs kvs)
{
        for (size_t i = 0; i < kvs.n; i++) {
                sw_buf_addc(out, ' ');
                put_q(out, kvs.v[i].key);
                if (kvs.v[i].value) {
                        sw_buf_addc(out, '=');
                        put_q(out, kvs.v[i].value);
                }
                put_named(out, "comment", kvs.v[i].comment);
        }
}

static void
put_maybe(sw_buf *out, const char *name, enum sw_df_maybe m)
{
        if (m != SW_DF_UNSET)
                sw_buf_addf(out, " %s=%s", name, m == SW_DF_YES ? "true" : "false");
}

static void
put_copy(sw_buf *out, const struct sw_df_copy *c)
{
        put_strs(out, "", c->sources);
        for (size_t i = 0; i < c->n_inlines; i++) {
                sw_buf_addf(out, " <<%s%s:", c->inlines[i].name,
                            c->inlines[i].expand ? "" : " raw");
                put_q(out, c->inlines[i].content);
        }
        sw_buf_adds(out, " -> ");
        put_q(out, c->dest);
        put_named(out, "from", c->from);
        put_named(out, "chown", c->chown);
        put_named(out, "chmod", c->chmod);
        put_named(out, "checksum", c->checksum);
        if (c->link)
                sw_buf_adds(out, " link");
        if (c->parents)
                sw_buf_adds(out, " parents");
        put_maybe(out, "keep-git-dir", c->keep_git_dir);
        put_maybe(out, "unpack", c->unpack);
        if (c->excludes.n)
                put_strs(out, "exclude", c->excludes);
}

static void
put_heredocs(sw_buf *out, const struct sw_df_heredoc *docs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                sw_buf_addf(out, " <<%s%s%s:", docs[i].chomp ? "-" : "", docs[i].name,
                            docs[i].expand ? "" : " raw");
                put_q(out, docs[i].content);
        }
}

static void
put_run(sw_buf *out, const struct sw_df_run *r)
{
        static const char *const networks[] = { "default", "none", "host" };

        put_strs(out, r->line.shell ? "shell" : "exec", r->line.args);
        put_heredocs(out, r->heredocs, r->n_heredocs);
        if (r->mounts.n)
                put_strs(out, "mounts", r->mounts);
        if (r->network_given)
                sw_buf_addf(out, " network=%s", networks[r->network]);
        if (r->security_given)
                sw_buf_addf(out, " security=%s", r->insecure ? "insecure" : "sandbox");
        for (size_t i = 0; i < r->n_devices; i++) {
                put_named(out, "device", r->devices[i].name);
                sw_buf_adds(out, r->devices[i].required ? " required" : "");
        }
}

static void
put_health(sw_buf *out, const struct sw_df_health *h)
{
        put_strs(out, "test", h->test);
        sw_buf_addf(out, " interval=%lld timeout=%lld start=%lld/%lld retries=%d",
                    (long long) h->interval, (long long) h->timeout,
                    (long long) h->start_period, (long long) h->start_interval, h->retries);
}

static void
put_cmd(sw_buf *out, const struct sw_df_cmd *c)
{
        sw_buf_addf(out, "%d", c->range.first);
        if (c->range.last != c->range.first)
                sw_buf_addf(out, "-%d", c->range.last);
        sw_buf_addf(out, " %s", c->name);
        switch (c->kind) {
        case SW_DF_ENV:
        case SW_DF_LABEL:
        case SW_DF_ARG: put_kvs(out, c->kvs); break;
        case SW_DF_ADD:
        case SW_DF_COPY: put_copy(out, &c->copy); break;
        case SW_DF_RUN: put_run(out, &c->run); break;
        case SW_DF_CMD:
        case SW_DF_ENTRYPOINT:
                put_strs(out, c->line.shell ? "shell" : "exec", c->line.args);
                break;
        case SW_DF_SHELL:
        case SW_DF_EXPOSE:
        case SW_DF_VOLUME: put_strs(out, "", c->strs); break;
        case SW_DF_ONBUILD: put_named(out, "trigger", c->trigger); break;
        case SW_DF_HEALTHCHECK: put_health(out, &c->health); break;
        default: put_named(out, "word", c->word);
        }
        sw_buf_addc(out, '\n');
}

static void
put_stage(sw_buf *out, const struct sw_df_stage *s)
{
        sw_buf_addf(out, "%d stage %zu", s->range.first, s->index);
        put_named(out, "base", s->base);
        put_named(out, "name", s->name);
        put_named(out, "platform", s->platform);
        put_named(out, "comment", s->comment);
        sw_buf_addc(out, '\n');
        for (size_t i = 0; i < s->n_cmds; i++)
                put_cmd(out, &s->cmds[i]);
}

static void
tell(void *arg, const struct sw_df_finding *f)
{
        sw_buf *out = arg;

        sw_buf_addf(out, "%s: %s @%d", sw_df_rule_info(f->rule)->name, f->message,
                    f->range.first);
        if (f->range.last != f->range.first)
                sw_buf_addf(out, "-%d", f->range.last);
        sw_buf_addc(out, '\n');
}

static void
put_program(const struct one_case *c, const sw_df_tree *tree, struct sw_df_lint *lint,
            sw_buf *out)
{
        struct sw_df_opts opts = { .devices = strstr(c->name, "[labs]") != NULL };
        sw_autoptr(sw_df_program) prog = NULL;
        sw_buf found = SW_BUF_INIT;
        sw_err *err;

        lint->tell = tell;
        lint->arg = &found;
        err = sw_df_program_new(tree, &opts, lint, &prog);
        for (size_t i = 0; !err && i < prog->n_globals; i++)
                put_cmd(out, &prog->globals[i]);
        for (size_t i = 0; !err && i < prog->n_stages; i++) {
                struct sw_df_last last = { NULL, NULL, NULL };

                put_stage(out, &prog->stages[i]);
                for (size_t k = 0; k < prog->stages[i].n_cmds; k++) {
                        sw_df_lint_last(lint, &last, &prog->stages[i].cmds[k]);
                        sw_df_lint_cmd(lint, &prog->stages[i].cmds[k]);
                }
        }
        if (!err)
                err = sw_df_lint_error(lint);
        sw_buf_adds(out, found.data);
        if (err)
                put_error(err, out);
        sw_err_free(err);
        sw_buf_release(&found);
}

static void
run_program(const struct one_case *c, sw_buf *out)
{
        struct sw_df_text text = { "Dockerfile", c->in.data, c->in.len };
        struct sw_df_lint lint = { 0 };
        sw_autoptr(sw_df_tree) tree = NULL;
        sw_err *err = sw_df_parse(&text, &tree);

        if (!err && tree->syntax.value)
                sw_buf_addf(out, "syntax %s @%d\n", tree->syntax.value, tree->syntax.line);
        if (!err && tree->escape != '\\')
                sw_buf_addf(out, "escape %c\n", tree->escape);
        if (!err)
                err = sw_df_check_of(tree, &lint.check);
        if (err)
                put_error(err, out);
        else
                put_program(c, tree, &lint, out);
        sw_err_free(err);
}

START_TEST(dockerfiles)
{
        ck_assert_uint_ge(cases_run("parse.txt", run_program), 75);
        ck_assert_uint_ge(cases_run("instruct.txt", run_program), 110);
        ck_assert_uint_ge(cases_run("lint.txt", run_program), 30);
}
END_TEST

/* What variables the words of the cases know. */
static const char *
get(void *arg, const char *name, size_t len)
{
        static const char *const vars[][2] = {
                { "A", "1" },       { "B", "two words" },   { "EMPTY", "" },
                { "P", "a.b.c.d" }, { "PATHS", "/x/y/z" },  { "Q", "it's \"q\"" },
                { "S", "a*b?c" },   { "L", "one\ntwo\nx" }, { "_u1", "under" },
                { "U", "größe" },   { "1", "digit" },       { "12", "digits" },
                { "BS", "a\\b" },   { "D", "$A" },          { "PORTS", "80 443" },
        };

        (void) arg;
        for (size_t i = 0; i < SW_COUNT(vars); i++)
                if (strlen(vars[i][0]) == len && memcmp(vars[i][0], name, len) == 0)
                        return vars[i][1];
        return NULL;
}

static void
put_names(const char *what, const sw_strlist *names, sw_buf *out)
{
        char *all = sw_strlist_join(names, " ");

        if (names->n)
                sw_buf_addf(out, " %s(%s)", what, all);
        free(all);
}

/* "[keep-quotes]" and so on in the case's name. */
static unsigned
lex_flags(const char *name)
{
        return (strstr(name, "[quotes kept]") ? SW_DF_KEEP_QUOTES : 0) |
               (strstr(name, "[escapes kept]") ? SW_DF_KEEP_ESCAPES : 0) |
               (strstr(name, "[unset kept]") ? SW_DF_KEEP_UNSET : 0) |
               (strstr(name, "[no quotes]") ? SW_DF_NO_QUOTES : 0) |
               (strstr(name, "[run]") ? SW_DF_KEEP_QUOTES | SW_DF_KEEP_UNSET : 0);
}

/* Each line of input is a word. */
static void
expand_line(const struct one_case *c, const char *line, sw_buf *out)
{
        sw_auto(sw_strlist) matched = { 0 }, unmatched = { 0 }, words = { 0 };
        struct sw_df_lex lex = { .escape = strstr(c->name, "[backtick]") ? '`' : '\\',
                                 .flags = lex_flags(c->name),
                                 .get = get,
                                 .matched = &matched,
                                 .unmatched = &unmatched };
        bool split = strstr(c->name, "[words]");
        sw_buf text = SW_BUF_INIT;
        sw_err *err = split ? sw_df_expand_words(&lex, line, &words)
                            : sw_df_expand(&lex, line, &text);

        if (err) {
                ck_assert_uint_eq(text.len + words.n, 0);
                put_error(err, out);
        } else {
                if (split)
                        put_strs(out, "words",
                                 (struct sw_df_strs){ (const char *const *) words.v,
                                                      words.n });
                else
                        put_q(out, text.data);
                put_names("used", &matched, out);
                put_names("unset", &unmatched, out);
                sw_buf_addc(out, '\n');
        }
        sw_err_free(err);
        sw_buf_release(&text);
}

/* Calls @one with every line of the input. */
static void
each_line(const struct one_case *c, sw_buf *out,
          void (*one)(const struct one_case *c, const char *line, sw_buf *out))
{
        for (const char *p = c->in.data; *p;) {
                size_t n = strcspn(p, "\n");
                char *line = sw_strndup(p, n);

                one(c, line, out);
                free(line);
                p += n + (p[n] != '\0');
        }
}

static void
run_expand(const struct one_case *c, sw_buf *out)
{
        each_line(c, out, expand_line);
}

START_TEST(words)
{
        ck_assert_uint_ge(cases_run("expand.txt", run_expand), 30);
}
END_TEST

static sw_err *
expand_value(void *arg, const char *word, sw_buf *out)
{
        struct sw_df_lex lex = { .escape = '\\', .get = get };

        (void) arg;
        return sw_df_expand(&lex, word, out);
}

static void
put_mount(const struct sw_df_mount *m, sw_buf *out)
{
        static const char *const sharing[] = { "shared", "private", "locked" };

        sw_buf_adds(out, sw_df_mount_type_name(m->type));
        put_named(out, "from", m->from);
        put_named(out, "source", m->source);
        put_named(out, "target", m->target);
        put_named(out, "id", m->id);
        if (m->env)
                sw_buf_addf(out, " env=%s", m->env);
        sw_buf_adds(out, m->readonly ? " ro" : " rw");
        sw_buf_adds(out, m->required ? " required" : "");
        if (m->size)
                sw_buf_addf(out, " size=%lld", (long long) m->size);
        if (m->sharing)
                sw_buf_addf(out, " %s", sharing[m->sharing]);
        if (m->has_mode)
                sw_buf_addf(out, " mode=%o", m->mode);
        if (m->has_uid)
                sw_buf_addf(out, " uid=%u", m->uid);
        if (m->has_gid)
                sw_buf_addf(out, " gid=%u", m->gid);
        sw_buf_addc(out, '\n');
}

static void
mount_line(const struct one_case *c, const char *line, sw_buf *out)
{
        bool early = strstr(c->name, "[early]");
        struct sw_df_mount m = { 0 };
        sw_err *err = sw_df_mount_parse(line, early ? NULL : expand_value, NULL, &m);

        if (err)
                put_error(err, out);
        else if (early)
                sw_buf_adds(out, "later\n");
        else
                put_mount(&m, out);
        sw_err_free(err);
        sw_df_mount_release(&m);
}

static void
port_line(const struct one_case *c, const char *line, sw_buf *out)
{
        sw_auto(sw_strlist) ports = { 0 };
        struct sw_df_node node = { 0 };
        struct sw_df_cmd cmd = { .node = &node };
        struct sw_df_lint lint = { .tell = tell, .arg = out };
        sw_err *err = sw_df_port_words(line, &lint, &cmd, &ports);

        (void) c;
        if (err)
                put_error(err, out);
        else if (ports.n > 4)
                sw_buf_addf(out, "%s ... %s (%zu)\n", ports.v[0], ports.v[ports.n - 1],
                            ports.n);
        for (size_t i = 0; !err && ports.n <= 4 && i < ports.n; i++)
                sw_buf_addf(out, "%s%s", ports.v[i], i + 1 < ports.n ? " " : "\n");
        sw_err_free(err);
}

static void
check_line(const struct one_case *c, const char *line, sw_buf *out)
{
        struct sw_df_check check = { 0 };
        sw_err *err = sw_df_check_parse(line, &check);

        (void) c;
        if (err) {
                put_error(err, out);
        } else {
                for (int r = 0; r < SW_DF_RULES; r++)
                        if (check.named & UINT64_C(1) << r)
                                sw_buf_addf(out, "%s ", sw_df_rule_info(r)->name);
                sw_buf_addf(out, "%s\n", check.error ? "error" : "-");
        }
        sw_err_free(err);
}

static void
trigger_line(const struct one_case *c, const char *line, sw_buf *out)
{
        struct sw_df_text text = { "Dockerfile", "FROM base\n", 10 };
        sw_autoptr(sw_df_trigger) t = NULL;
        sw_err *err =
                sw_df_trigger_new(line, NULL, &text, (struct sw_df_range){ 1, 1 }, &t);

        (void) c;
        if (err)
                put_error(err, out);
        else
                put_cmd(out, &t->cmd);
        sw_err_free(err);
}

static void
run_small(const struct one_case *c, sw_buf *out)
{
        static const struct {
                const char *prefix;
                void (*one)(const struct one_case *c, const char *line, sw_buf *out);
        } kinds[] = {
                { "mount", mount_line },
                { "port", port_line },
                { "check", check_line },
                { "trigger", trigger_line },
        };

        for (size_t i = 0; i < SW_COUNT(kinds); i++)
                if (sw_str_has_prefix(c->name, kinds[i].prefix)) {
                        each_line(c, out, kinds[i].one);
                        return;
                }
        ck_abort_msg("no kind of case: %s", c->name);
}

START_TEST(small_values)
{
        ck_assert_uint_ge(cases_run("values.txt", run_small), 19);
}
END_TEST

static void
run_syntax(const struct one_case *c, sw_buf *out)
{
        struct sw_df_text text = { "Dockerfile", c->in.data, c->in.len };
        struct sw_df_syntax s;

        sw_df_syntax_find(&text, &s);
        if (s.value)
                sw_buf_addf(out, "%s | %s @%d\n", s.source, s.value, s.line);
        else
                sw_buf_adds(out, "none\n");
        sw_df_syntax_release(&s);
}

START_TEST(syntax_directives)
{
        ck_assert_uint_ge(cases_run("syntax.txt", run_syntax), 20);
}
END_TEST

/* ---- What the tables have ---- */

static const struct {
        const char *instruction, *flags[10];
} every[] = {
        { "FROM", { "platform" } },
        { "RUN", { "mount", "network", "security", "device" } },
        { "COPY", { "from", "chown", "chmod", "link", "exclude", "parents" } },
        { "ADD",
          { "chown", "chmod", "link", "exclude", "keep-git-dir", "checksum", "unpack" } },
        { "HEALTHCHECK",
          { "interval", "timeout", "start-period", "start-interval", "retries" } },
};

/* Whether a line of @text is the instruction with the flag. */
static bool
uses(const char *text, const char *instruction, const char *flag)
{
        sw_auto(sw_str) want = sw_asprintf("--%s", flag);
        const size_t n = strlen(instruction);

        for (const char *line = text; *line; line += strcspn(line, "\n")) {
                line += *line == '\n';
                if (strncmp(line, instruction, n) != 0 || line[n] != ' ')
                        continue;
                sw_auto(sw_str) whole = sw_strndup(line, strcspn(line, "\n"));
                for (const char *at = whole; (at = strstr(at, want)); at++)
                        if (strchr("= ", at[strlen(want)]))
                                return true;
        }
        return false;
}

static void
count_uses(const char *file, size_t good[SW_COUNT(every)][10], size_t bad[][10])
{
        const char *top = getenv("top_srcdir");
        sw_auto(sw_str) path =
                sw_asprintf("%s/tests/data/dockerfile-cases/%s", top ? top : ".", file);
        case_list all = cases_read(path);

        for (size_t i = 0; i < all.n; i++) {
                const char *want = all.v[i].want.data;
                const bool fails =
                        sw_str_has_prefix(want, "error: ") || strstr(want, "\nerror: ");

                for (size_t k = 0; k < SW_COUNT(every); k++)
                        for (size_t f = 0; every[k].flags[f]; f++)
                                if (uses(all.v[i].in.data, every[k].instruction,
                                         every[k].flags[f]))
                                        (fails ? bad : good)[k][f]++;
        }
        cases_release(&all);
}

/* A flag that the tables forget: each has a case that is right and one that is wrong. */
START_TEST(every_flag)
{
        size_t good[SW_COUNT(every)][10] = { { 0 } }, bad[SW_COUNT(every)][10] = { { 0 } };

        count_uses("convert.txt", good, bad);
        count_uses("instruct.txt", good, bad);
        for (size_t k = 0; k < SW_COUNT(every); k++)
                for (size_t f = 0; every[k].flags[f]; f++)
                        ck_assert_msg(good[k][f] && bad[k][f],
                                      "%s --%s: %zu cases that are right, %zu that are not",
                                      every[k].instruction, every[k].flags[f], good[k][f],
                                      bad[k][f]);
}
END_TEST

UNIT_MAIN("dockerfile cases", dockerfiles, words, small_values, syntax_directives,
          every_flag)
