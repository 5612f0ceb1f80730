/*
 * lib/dockerfile/lintnode.c - each rule with its message: those that the text alone breaks,
 * and those that conversion finds. Pure.
 */
#include <strings.h>

#include <slipway/map.h>
#include <slipway/platform.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/typer.h"

static bool
has_lower(const char *s)
{
        while (*s && !(*s >= 'a' && *s <= 'z'))
                s++;
        return *s != '\0';
}

static bool
has_upper(const char *s)
{
        while (*s && !(*s >= 'A' && *s <= 'Z'))
                s++;
        return *s != '\0';
}

static void
lint_as(struct sw_df_lint *lint, const struct sw_df_stage *stage)
{
        const char *from = stage->node->name.text, *as = stage->node->args.v[1].text;

        /* FROM in a mixture of cases is a finding of its own. */
        if (has_upper(from) && has_lower(from))
                return;
        if (has_upper(from) ? has_lower(as) : has_upper(as))
                sw_df_lint_at(lint, stage->node, SW_DF_RULE_FROM_AS_CASING, stage->range,
                              "'%s' and '%s' keywords' casing do not match", as, from);
}

#define MARK "\001"

/* What every variable has, so that it can be recognised. */
static const char *
get_mark(void *arg, const char *name, size_t len)
{
        (void) arg;
        (void) name;
        (void) len;
        return MARK;
}

static void
lint_platform(struct sw_df_lint *lint, const struct sw_df_stage *stage)
{
        sw_auto(sw_strlist) names = { 0 };
        sw_auto(sw_buf) value = SW_BUF_INIT;
        struct sw_df_lex lex = { .escape = '\\', .get = get_mark, .matched = &names };
        sw_autoptr(sw_platform) p = NULL;
        sw_err *err = sw_df_expand(&lex, stage->platform, &value);
        sw_auto(sw_str) shown = sw_df_plain(stage->platform);
        sw_auto(sw_str) quoted = sw__shown(stage->platform, SIZE_MAX);

        if (!err && names.n == 1 && strcmp(names.v[0], "TARGETPLATFORM") == 0 &&
            strcmp(value.data, MARK) == 0)
                sw_df_lint_at(lint, stage->node, SW_DF_RULE_REDUNDANT_TARGET_PLATFORM,
                              stage->range,
                              "Setting platform to predefined %s in FROM is redundant as "
                              "this is the default behavior",
                              shown);
        if (!err && !names.n)
                err = sw_platform_parse(value.data, &p);
        sw_err_drop(err, "what is wrong with it is said when it is used");
        if (p && !strstr(stage->name, p->os) && !strstr(stage->name, p->arch))
                sw_df_lint_at(lint, stage->node, SW_DF_RULE_FROM_PLATFORM_CONST,
                              stage->range,
                              "FROM --platform flag should not use constant value %s",
                              quoted);
}

void
sw_df_lint_from(struct sw_df_lint *lint, const struct sw_df_stage *stage)
{
        if (!lint)
                return;
        if (*stage->name) {
                if (has_upper(stage->name_text))
                        sw_df_lint_at(lint, stage->node, SW_DF_RULE_STAGE_NAME_CASING,
                                      stage->range, "Stage name '%s' should be lowercase",
                                      stage->name_text);
                lint_as(lint, stage);
                sw_df_lint_described(lint, stage->node, "FROM", &stage->name, 1);
        }
        if (*stage->platform)
                lint_platform(lint, stage);
}

void
sw_df_lint_described(struct sw_df_lint *lint, const struct sw_df_node *node,
                     const char *what, const char *const *names, size_t n)
{
        const char *last = NULL;

        for (size_t i = 0; i < node->n_comments; i++)
                if (strncmp(node->comments[i], "check=", 6) != 0)
                        last = node->comments[i];
        if (!last || !n)
                return;
        size_t len = strcspn(last, " ");

        for (size_t i = 0; i < n; i++)
                if (strlen(names[i]) == len && memcmp(names[i], last, len) == 0)
                        return;
        sw_auto(sw_str) shown = sw_df_plain(names[0]);

        sw_df_lint_at(lint, node, SW_DF_RULE_INVALID_DEFINITION_DESCRIPTION, node->range,
                      "Comment for %s should follow the format: `# %s <description>`", what,
                      n > 1 ? "<arg_key>" : shown);
}

struct casing {
        size_t lower, upper;
};

static void
count_casing(struct casing *c, const struct sw_df_node *node)
{
        bool lower = has_lower(node->name.text), upper = has_upper(node->name.text);

        c->lower += lower && !upper;
        c->upper += upper && !lower;
}

static void
check_casing(struct sw_df_lint *lint, bool to_lower, const struct sw_df_node *node)
{
        const char *name = node->name.text;

        if (to_lower ? has_upper(name) : has_lower(name))
                sw_df_lint_at(lint, node, SW_DF_RULE_CONSISTENT_INSTRUCTION_CASING,
                              node->range,
                              "Command '%s' should match the case of the command majority "
                              "(%s)",
                              name, to_lower ? "lowercase" : "uppercase");
}

/* Instructions of stages; ARGs before them are not looked at. */
static void
lint_casing(struct sw_df_lint *lint, const sw_df_program *prog)
{
        struct casing c = { 0, 0 };
        const sw_df_tree *tree = prog->tree;

        for (size_t i = prog->n_globals; i < tree->n_nodes; i++)
                count_casing(&c, &tree->nodes[i]);
        for (size_t i = prog->n_globals; i < tree->n_nodes; i++)
                check_casing(lint, c.lower > c.upper, &tree->nodes[i]);
}

static void
lint_stage_names(struct sw_df_lint *lint, const sw_df_program *prog)
{
        sw_autoptr(sw_map) seen = sw_map_new(NULL);

        for (size_t i = 0; i < prog->n_stages; i++) {
                const struct sw_df_stage *s = &prog->stages[i];

                if (strcmp(s->name, "context") == 0 || strcmp(s->name, "scratch") == 0)
                        sw_df_lint_at(lint, s->node, SW_DF_RULE_RESERVED_STAGE_NAME,
                                      s->range,
                                      "Stage name should not use the same name as reserved "
                                      "stage \"%s\"",
                                      s->name);
                if (*s->name && !sw_map_set(seen, s->name, seen))
                        sw_df_lint_at(lint, s->node, SW_DF_RULE_DUPLICATE_STAGE_NAME,
                                      s->range,
                                      "Duplicate stage name \"%s\", stage names should be "
                                      "unique",
                                      s->name);
        }
}

void
sw_df_lint_program(struct sw_df_lint *lint, const sw_df_program *prog)
{
        if (!lint)
                return;
        for (size_t i = 0; i < prog->tree->n_nodes; i++) {
                const struct sw_df_node *node = &prog->tree->nodes[i];
                int line = node->empty_continuation;

                if (line)
                        sw_df_lint_at(lint, node, SW_DF_RULE_NO_EMPTY_CONTINUATION,
                                      (struct sw_df_range){ line, line },
                                      "Empty continuation line");
        }
        lint_casing(lint, prog);
        lint_stage_names(lint, prog);
}

void
sw_df_lint_last(struct sw_df_lint *lint, struct sw_df_last *last,
                const struct sw_df_cmd *cmd)
{
        const struct sw_df_cmd **slot, *before;

        switch (cmd->kind) {
        case SW_DF_CMD: slot = &last->cmd; break;
        case SW_DF_ENTRYPOINT: slot = &last->entrypoint; break;
        case SW_DF_HEALTHCHECK: slot = &last->health; break;
        default: return;
        }
        before = *slot;
        *slot = cmd;
        if (lint && before) /* which is in vain */
                sw_df_lint_at(lint, before->node, SW_DF_RULE_MULTIPLE_INSTRUCTIONS,
                              before->range,
                              "Multiple %s instructions should not be used in the same "
                              "stage because only the last one will be used",
                              cmd->node->name.text);
}

/* Whether one of @words is a word of @name, "_" dividing words. */
static bool
has_word(const char *name, const char *const *words, size_t n)
{
        while (*name) {
                size_t len = strcspn(name, "_");

                for (size_t i = 0; i < n; i++)
                        if (strlen(words[i]) == len &&
                            strncasecmp(words[i], name, len) == 0)
                                return true;
                name += len;
                name += *name == '_';
        }
        return false;
}

static bool
is_secret(const char *name)
{
        static const char *const secret[] = { "apikey",      "auth",   "credential",
                                              "credentials", "key",    "password",
                                              "pword",       "passwd", "secret",
                                              "token" };
        static const char *const open[] = { "public", "file", "version" };

        return has_word(name, secret, SW_COUNT(secret)) &&
               !has_word(name, open, SW_COUNT(open));
}

void
sw_df_lint_cmd(struct sw_df_lint *lint, const struct sw_df_cmd *cmd)
{
        const char *name = cmd->node->name.text;

        if (!lint)
                return;
        if ((cmd->kind == SW_DF_ENV || cmd->kind == SW_DF_LABEL) && cmd->node->legacy_pair)
                sw_df_lint_at(lint, cmd->node, SW_DF_RULE_LEGACY_KEY_VALUE, cmd->range,
                              "\"%s key=value\" should be used instead of legacy \"%s key "
                              "value\" format",
                              name, name);
        if (cmd->kind != SW_DF_ENV && cmd->kind != SW_DF_ARG)
                return;
        for (size_t i = 0; i < cmd->kvs.n; i++) {
                if (!is_secret(cmd->kvs.v[i].key))
                        continue;
                sw_auto(sw_str) key = sw__shown(cmd->kvs.v[i].key, SIZE_MAX);

                sw_df_lint_at(lint, cmd->node, SW_DF_RULE_SECRETS_USED, cmd->range,
                              "Do not use ARG or ENV instructions for sensitive data (%s "
                              "%s)",
                              cmd->name, key);
        }
}

void
sw_df_lint_json_args(struct sw_df_lint *lint, const struct sw_df_node *node)
{
        sw_df_lint_at(lint, node, SW_DF_RULE_JSON_ARGS_RECOMMENDED, node->range,
                      "JSON arguments recommended for %s to prevent unintended behavior "
                      "related to OS signals",
                      node->name.text);
}

void
sw_df_lint_undefined_arg_in_from(struct sw_df_lint *lint, const struct sw_df_node *node,
                                 const char *name, const char *near)
{
        sw_auto(sw_str) shown = sw_df_plain(name);
        bool any = near && *near;

        sw_df_lint_at(lint, node, SW_DF_RULE_UNDEFINED_ARG_IN_FROM, node->range,
                      "FROM argument '%s' is not declared%s%s%s", shown,
                      any ? " (did you mean " : "", any ? near : "", any ? "?)" : "");
}

void
sw_df_lint_workdir_relative(struct sw_df_lint *lint, const struct sw_df_node *node,
                            const char *dir)
{
        sw_auto(sw_str) shown = sw__shown(dir, SIZE_MAX);

        sw_df_lint_at(lint, node, SW_DF_RULE_WORKDIR_RELATIVE_PATH, node->range,
                      "Relative workdir %s can have unexpected results if the base image "
                      "changes",
                      shown);
}

void
sw_df_lint_undefined_var(struct sw_df_lint *lint, const struct sw_df_node *node,
                         const char *name, const char *near)
{
        sw_auto(sw_str) shown = sw_df_plain(name);
        bool any = near && *near;

        sw_df_lint_at(lint, node, SW_DF_RULE_UNDEFINED_VAR, node->range,
                      "Usage of undefined variable '$%s'%s%s%s", shown,
                      any ? " (did you mean $" : "", any ? near : "", any ? "?)" : "");
}

void
sw_df_lint_base_platform(struct sw_df_lint *lint, const struct sw_df_node *node,
                         const char *image, const char *got, const char *wanted)
{
        sw_auto(sw_str) shown = sw_df_plain(image);
        sw_auto(sw_str) a = sw__shown(got, SIZE_MAX), b = sw__shown(wanted, SIZE_MAX);

        sw_df_lint_at(lint, node, SW_DF_RULE_INVALID_BASE_IMAGE_PLATFORM, node->range,
                      "Base image %s was pulled with platform %s, expected %s for current "
                      "build",
                      shown, a, b);
}

void
sw_df_lint_default_arg_in_from(struct sw_df_lint *lint, const struct sw_df_node *node,
                               const char *base)
{
        sw_auto(sw_str) shown = sw_df_plain(base);

        sw_df_lint_at(
                lint, node, SW_DF_RULE_INVALID_DEFAULT_ARG_IN_FROM, node->range,
                "Default value for ARG %s results in empty or invalid base image name",
                shown);
}

void
sw_df_lint_copy_ignored(struct sw_df_lint *lint, const struct sw_df_node *node,
                        const char *instruction, const char *file)
{
        sw_auto(sw_str) shown = sw__shown(file, SIZE_MAX);

        sw_df_lint_at(lint, node, SW_DF_RULE_COPY_IGNORED_FILE, node->range,
                      "Attempting to %s file %s that is excluded by .dockerignore",
                      instruction, shown);
}
