/*
 * tests/fuzz/dockerfile_fuzz.c - Dockerfiles: nodes, typed instructions, every word
 * expanded, mounts, ports, triggers, checks and their reports. Places must be within the
 * text, what is read once must be readable again, reports must be JSON.
 */
#include <slipway/json.h>

#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/instruct.h"
#include "lib/dockerfile/report.h"
#include "tests/fuzz/fuzz.h"

struct run {
        const sw_df_tree *tree;
        int lines;
        SW_ARRAY(struct sw_df_found) found;
        sw_strlist messages;
};

static const char *
get(void *arg, const char *name, size_t len)
{
        (void) arg;
        (void) name;
        return len % 3 == 0 ? NULL : len % 3 == 1 ? "a.b/c" : "x y";
}

static sw_err *
expand(void *arg, const char *word, sw_buf *out)
{
        const sw_df_tree *tree = arg;
        struct sw_df_lex lex = { .escape = tree->escape, .get = get };

        return sw_df_expand(&lex, word, out);
}

static void
use_word(const struct run *r, const char *word)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        if (word && fuzz_ok(expand((void *) r->tree, word, &out)))
                fuzz_check(strlen(out.data) == out.len);
}

static void
check_range(const struct run *r, struct sw_df_range range)
{
        fuzz_check(range.first >= 1 && range.first <= range.last && range.last <= r->lines);
}

static void
check_word(const struct sw_df_node *node, const struct sw_df_word *w)
{
        fuzz_check(w->text && w->at <= w->end && w->end <= strlen(node->line));
}

static void
check_node(const struct run *r, const struct sw_df_node *node)
{
        check_range(r, node->range);
        check_word(node, &node->name);
        check_word(node, &node->rest);
        for (size_t i = 0; i < node->flags.n; i++)
                check_word(node, &node->flags.v[i]);
        for (size_t i = 0; i < node->args.n; i++)
                check_word(node, &node->args.v[i]);
        for (size_t i = 0; i < node->n_heredocs; i++)
                fuzz_check(strlen(node->heredocs[i].content) == node->heredocs[i].len);
        for (size_t i = 0; i < node->n_pieces; i++)
                fuzz_check(node->pieces[i].line >= node->range.first &&
                           node->pieces[i].line <= node->range.last);
}

static void
tell(void *arg, const struct sw_df_finding *f)
{
        struct run *r = arg;
        const struct sw_df_rule_info *info = sw_df_rule_info(f->rule);

        fuzz_check(*f->message);
        if (f->range.first)
                check_range(r, f->range);
        sw_strlist_add(&r->messages, f->message);
        sw_array_push(&r->found,
                      (struct sw_df_found){ info->name, info->description, info->url,
                                            r->messages.v[r->messages.n - 1], f->range });
}

static void
use_trigger(const struct run *r, const struct sw_df_cmd *cmd)
{
        sw_autoptr(sw_df_trigger) t = NULL;

        if (fuzz_ok(sw_df_trigger_new(cmd->trigger, NULL, &r->tree->text, cmd->range, &t)))
                fuzz_check(t->cmd.range.first == cmd->range.first);
}

static void
use_run(const struct run *r, const struct sw_df_run *run)
{
        for (size_t i = 0; i < run->mounts.n; i++) {
                struct sw_df_mount m = { 0 };

                if (fuzz_ok(sw_df_mount_parse(run->mounts.v[i], expand, (void *) r->tree,
                                              &m)))
                        fuzz_check(m.from && m.source && m.target && m.id);
                sw_df_mount_release(&m);
        }
}

static void
use_ports(const struct run *r, const struct sw_df_cmd *cmd, struct sw_df_lint *lint)
{
        struct sw_df_lex lex = { .escape = r->tree->escape, .get = get };
        sw_auto(sw_strlist) words = { 0 }, ports = { 0 };

        for (size_t i = 0; i < cmd->strs.n; i++)
                (void) fuzz_ok(sw_df_expand_words(&lex, cmd->strs.v[i], &words));
        for (size_t i = 0; i < words.n && ports.n < 1000; i++)
                (void) fuzz_ok(sw_df_port_words(words.v[i], lint, cmd, &ports));
}

static void
use_copy(const struct run *r, const struct sw_df_copy *c)
{
        for (size_t i = 0; i < c->sources.n; i++)
                use_word(r, c->sources.v[i]);
        for (size_t i = 0; i < c->n_inlines; i++)
                use_word(r, c->inlines[i].content);
        use_word(r, c->dest);
        use_word(r, c->chown);
        use_word(r, c->chmod);
}

static void
use_cmd(struct run *r, const struct sw_df_cmd *cmd, struct sw_df_lint *lint)
{
        check_range(r, cmd->range);
        sw_df_lint_cmd(lint, cmd);
        switch (cmd->kind) {
        case SW_DF_ADD:
        case SW_DF_COPY: use_copy(r, &cmd->copy); break;
        case SW_DF_RUN: use_run(r, &cmd->run); break;
        case SW_DF_EXPOSE: use_ports(r, cmd, lint); break;
        case SW_DF_ONBUILD: use_trigger(r, cmd); break;
        case SW_DF_WORKDIR:
        case SW_DF_USER: use_word(r, cmd->word); break;
        case SW_DF_ENV:
        case SW_DF_LABEL:
        case SW_DF_ARG:
                for (size_t i = 0; i < cmd->kvs.n; i++) {
                        use_word(r, cmd->kvs.v[i].key);
                        use_word(r, cmd->kvs.v[i].value);
                }
                break;
        default: break;
        }
}

static void
use_program(struct run *r, const sw_df_program *prog, struct sw_df_lint *lint)
{
        fuzz_check(prog->n_stages >= 1);
        for (size_t i = 0; i < prog->n_globals; i++)
                use_cmd(r, &prog->globals[i], lint);
        for (size_t i = 0; i < prog->n_stages; i++) {
                const struct sw_df_stage *s = &prog->stages[i];

                check_range(r, s->range);
                use_word(r, s->base);
                struct sw_df_last last = { NULL, NULL, NULL };

                for (size_t k = 0; k < s->n_cmds; k++) {
                        sw_df_lint_last(lint, &last, &s->cmds[k]);
                        use_cmd(r, &s->cmds[k], lint);
                }
        }
}

static void
use_report(const struct run *r)
{
        struct sw_df_lint_report report = { .text = r->tree->text,
                                            .found = r->found.v,
                                            .n_found = r->found.n };
        sw_auto(sw_buf) json = SW_BUF_INIT, text = SW_BUF_INIT;
        sw_autoptr(sw_json) doc = NULL;

        if (r->found.n > 50)
                return;
        sw_df_lint_json(&report, &json);
        sw_df_lint_text(&report, &text);
        fuzz_check(fuzz_ok(sw_json_parse("report", json.data, json.len, &doc)));
}

static void
use_tree(struct run *r, const sw_df_tree *tree)
{
        struct sw_df_opts opts = { .devices = true };
        struct sw_df_lint lint = { .tell = tell, .arg = r };
        sw_autoptr(sw_df_program) prog = NULL;

        r->tree = tree;
        for (size_t i = 0; i < tree->n_nodes; i++)
                check_node(r, &tree->nodes[i]);
        if (tree->check.value)
                (void) fuzz_ok(sw_df_check_of(tree, &lint.check));
        lint.check.named ^= UINT64_C(1) << SW_DF_RULE_INVALID_DEFINITION_DESCRIPTION;
        if (fuzz_ok(sw_df_program_new(tree, &opts, &lint, &prog)))
                use_program(r, prog, &lint);
        (void) fuzz_ok(sw_df_lint_error(&lint));
        use_report(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct sw_df_text text = { "Dockerfile", (const char *) data, size };
        struct sw_df_syntax syntax;
        struct run r = { .lines = 1 };
        sw_autoptr(sw_df_tree) tree = NULL;

        for (size_t i = 0; i < size; i++)
                r.lines += data[i] == '\n';
        sw_df_syntax_find(&text, &syntax);
        fuzz_check(!syntax.value || (syntax.line >= 1 && syntax.line <= r.lines));
        sw_df_syntax_release(&syntax);
        if (fuzz_ok(sw_df_parse(&text, &tree)))
                use_tree(&r, tree);
        sw_array_release(&r.found);
        sw_strlist_release(&r.messages);
        return 0;
}
