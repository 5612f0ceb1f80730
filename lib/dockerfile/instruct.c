/*
 * lib/dockerfile/instruct.c - a tree as stages of commands; one trigger as a command.
 *
 * Commands are gathered per stage and moved into the arena when the next FROM comes, so
 * that a program is a few blocks of memory. Pure; any thread.
 */
#include <strings.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/typer.h"

struct builder {
        const sw_df_tree *tree;
        struct sw_df_typer typer;
        struct sw_df_lint *lint;
        SW_ARRAY(struct sw_df_cmd) globals;
        SW_ARRAY(struct sw_df_cmd) cmds; /* of the stage at work */
        SW_ARRAY(struct sw_df_stage) stages;
};

/* "[a-z][a-z0-9-_.]*", in lower case already. */
static bool
is_stage_name(const char *s)
{
        if (*s < 'a' || *s > 'z')
                return false;
        return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static sw_err *
read_stage_name(struct sw_df_typer *t, struct sw_df_stage *out)
{
        const struct sw_df_words *args = &t->node->args;

        out->name = out->name_text = "";
        if (args->n == 1)
                return SW_OK;
        if (args->n != 3 || strcasecmp(args->v[1].text, "as") != 0)
                return sw_err_new(SW_E_INVALID,
                                  "FROM requires either one or three arguments");
        out->name_text = args->v[2].text;

        char *lower = sw_df_arena_str(t->arena, out->name_text, strlen(out->name_text));

        for (char *c = lower; *c; c++)
                *c = (char) (*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        out->name = lower;
        if (is_stage_name(lower))
                return SW_OK;
        sw_auto(sw_str) shown = sw__shown(out->name_text, SIZE_MAX);

        return sw_df_bad(t, &args->v[2],
                         sw_err_new(SW_E_INVALID,
                                    "invalid name for build stage: %s, name can't start "
                                    "with a number or contain symbols",
                                    shown));
}

static sw_err *
type_stage(struct sw_df_typer *t, struct sw_df_stage *out)
{
        const struct sw_df_node *node = t->node;
        struct sw_df_span text =
                sw_df_trim((struct sw_df_span){ node->line, strlen(node->line) });
        struct sw_df_flag platform = { .name = "platform", .type = SW_DF_FLAG_STRING };
        sw_err *err = read_stage_name(t, out);

        if (!err)
                err = sw_df_flags_read(t, &platform, 1);
        if (err)
                return err;
        out->base = node->args.v[0].text;
        out->platform = platform.value.text ? platform.value.text : "";
        out->text = sw_df_arena_str(t->arena, text.s, text.n);
        out->comment = sw_df_comment_of(node, out->name);
        out->range = node->range;
        out->node = node;
        return SW_OK;
}

/* The stage at work is complete. */
static void
end_stage(struct builder *b)
{
        if (!b->stages.n)
                return;
        struct sw_df_stage *s = &b->stages.v[b->stages.n - 1];

        s->n_cmds = b->cmds.n;
        s->cmds = sw_df_arena_keep(b->typer.arena, b->cmds.v, b->cmds.n, sizeof(*s->cmds));
        b->cmds.n = 0;
}

static sw_err *
add_stage(struct builder *b)
{
        struct sw_df_stage stage = { .index = b->stages.n };
        sw_err *err = type_stage(&b->typer, &stage);

        if (err)
                return sw_df_blame_node(err, &b->tree->text, b->typer.node, &b->typer.bad);
        end_stage(b);
        sw_array_push(&b->stages, stage);
        sw_df_lint_from(b->lint, &stage);
        return SW_OK;
}

static void
lint_arg(struct builder *b, const struct sw_df_cmd *cmd)
{
        const char **names;

        if (!b->lint || cmd->kind != SW_DF_ARG || !cmd->node->n_comments)
                return;
        names = sw_alloc_array(cmd->kvs.n, sizeof(*names));
        for (size_t i = 0; i < cmd->kvs.n; i++)
                names[i] = cmd->kvs.v[i].key;
        sw_df_lint_described(b->lint, cmd->node, "ARG", names, cmd->kvs.n);
        free(names);
}

static sw_err *
add_command(struct builder *b)
{
        struct sw_df_cmd cmd;
        sw_err *err = sw_df_cmd_type(&b->typer, &cmd);

        if (err)
                return sw_df_blame_node(err, &b->tree->text, b->typer.node, &b->typer.bad);
        if (!b->stages.n && cmd.kind != SW_DF_ARG)
                return sw_df_blame(sw_err_new(SW_E_INVALID,
                                              "no build stage in current context"),
                                   &b->tree->text, cmd.range);
        if (cmd.kind == SW_DF_MAINTAINER)
                sw_df_lint_at(b->lint, cmd.node, SW_DF_RULE_MAINTAINER_DEPRECATED,
                              cmd.range,
                              "Maintainer instruction is deprecated in favor of using "
                              "label");
        lint_arg(b, &cmd);
        if (b->stages.n)
                sw_array_push(&b->cmds, cmd);
        else
                sw_array_push(&b->globals, cmd);
        return SW_OK;
}

static sw_err *
add_node(struct builder *b, const struct sw_df_node *node)
{
        b->typer.node = node;
        b->typer.bad = (struct sw_df_word){ 0 };
        return node->kind == SW_DF_FROM ? add_stage(b) : add_command(b);
}

static sw_df_program *
finish(struct builder *b)
{
        sw_df_program *prog = sw_new(sw_df_program);
        struct sw_df_arena *a = b->typer.arena;

        end_stage(b);
        prog->tree = b->tree;
        prog->arena = a;
        prog->n_globals = b->globals.n;
        prog->globals =
                sw_df_arena_keep(a, b->globals.v, b->globals.n, sizeof(*b->globals.v));
        prog->n_stages = b->stages.n;
        prog->stages = sw_df_arena_keep(a, b->stages.v, b->stages.n, sizeof(*b->stages.v));
        return prog;
}

sw_err *
sw_df_program_new(const sw_df_tree *tree, const struct sw_df_opts *opts,
                  struct sw_df_lint *lint, sw_df_program **out)
{
        struct builder b = {
                .tree = tree,
                .typer = { .arena = sw_df_arena_new(), .opts = opts },
                .lint = lint,
        };
        sw_err *err = SW_OK;

        for (size_t i = 0; !err && i < tree->n_nodes; i++)
                err = add_node(&b, &tree->nodes[i]);
        if (!err && !b.stages.n)
                err = sw_df_blame(sw_err_new(SW_E_INVALID,
                                             "dockerfile contains no stages to build"),
                                  &tree->text, tree->nodes[tree->n_nodes - 1].range);
        if (!err) {
                *out = finish(&b);
                sw_df_lint_program(lint, *out);
        } else {
                sw_df_arena_free(b.typer.arena);
        }
        sw_array_release(&b.globals);
        sw_array_release(&b.cmds);
        sw_array_release(&b.stages);
        return err;
}

void
sw_df_program_free(sw_df_program *prog)
{
        if (!prog)
                return;
        sw_df_arena_free(prog->arena);
        free(prog);
}

/* The same mistake, placed where the trigger came into the build. */
static sw_err *
replace_err(sw_err *err, const struct sw_df_text *text, struct sw_df_range range)
{
        if (!err)
                return SW_OK;
        sw_err *placed =
                sw_err_new((enum sw_code) sw_err_code(err), "%s", sw_err_message(err));

        sw_err_drop(err, "its message is kept");
        return sw_df_blame(placed, text, range);
}

static sw_err *
type_trigger(sw_df_trigger *t, const struct sw_df_opts *opts, struct sw_df_range range)
{
        struct sw_df_node *node;

        if (t->tree->n_nodes != 1)
                return sw_err_new(SW_E_INVALID,
                                  "onbuild trigger should be a single expression");
        node = sw_df_arena_keep(t->arena, t->tree->nodes, 1, sizeof(*node));
        node->range = range;
        node->n_pieces = 0; /* words of the trigger have no place in the text */
        if (node->kind == SW_DF_FROM)
                return sw_err_new(SW_E_INVALID, "FROM isn't allowed as an ONBUILD trigger");

        struct sw_df_typer typer = { .arena = t->arena, .opts = opts, .node = node };

        return sw_df_cmd_type(&typer, &t->cmd);
}

sw_err *
sw_df_trigger_new(const char *trigger, const struct sw_df_opts *opts,
                  const struct sw_df_text *text, struct sw_df_range range,
                  sw_df_trigger **out)
{
        struct sw_df_text own = { "ONBUILD", trigger, strlen(trigger) };
        sw_autoptr(sw_df_trigger) t = sw_new(sw_df_trigger);
        sw_err *err = sw_df_parse(&own, &t->tree);

        t->arena = sw_df_arena_new();
        if (!err)
                err = type_trigger(t, opts, range);
        if (err)
                return replace_err(err, text, range);
        *out = sw_steal(t);
        return SW_OK;
}

void
sw_df_trigger_free(sw_df_trigger *t)
{
        if (!t)
                return;
        sw_df_tree_free(t->tree);
        sw_df_arena_free(t->arena);
        free(t);
}
