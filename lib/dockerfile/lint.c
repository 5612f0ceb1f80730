/*
 * lib/dockerfile/lint.c - the table of rules, who asked for which, who is told.
 *
 * Names, descriptions and addresses are those that people know from docker build --check
 * and look up in its documentation; messages say what its messages say.
 * Thread: one at a time for each struct sw_df_lint.
 */
#include <slipway/text.h>

#include "core/base/utf8.h"
#include <slipway/array.h>

#include "lib/dockerfile/lint.h"
#include "lib/dockerfile/span.h"

#define URL(name) "https://docs.docker.com/go/dockerfile/rule/" name "/"

static const struct sw_df_rule_info rules[SW_DF_RULES] = {
        [SW_DF_RULE_STAGE_NAME_CASING] = { "StageNameCasing",
                                           "Stage names should be lowercase",
                                           URL("stage-name-casing"), false },
        [SW_DF_RULE_FROM_AS_CASING] = { "FromAsCasing",
                                        "The 'as' keyword should match the case of the "
                                        "'from' keyword",
                                        URL("from-as-casing"), false },
        [SW_DF_RULE_NO_EMPTY_CONTINUATION] = { "NoEmptyContinuation",
                                               "Empty continuation lines will become "
                                               "errors "
                                               "in a future release",
                                               URL("no-empty-continuation"), false },
        [SW_DF_RULE_CONSISTENT_INSTRUCTION_CASING] = { "ConsistentInstructionCasing",
                                                       "All commands within the Dockerfile "
                                                       "should use the same casing (either "
                                                       "upper or lower)",
                                                       URL("consistent-instruction-casing"),
                                                       false },
        [SW_DF_RULE_DUPLICATE_STAGE_NAME] = { "DuplicateStageName",
                                              "Stage names should be unique",
                                              URL("duplicate-stage-name"), false },
        [SW_DF_RULE_RESERVED_STAGE_NAME] = { "ReservedStageName",
                                             "Reserved words should not be used as stage "
                                             "names",
                                             URL("reserved-stage-name"), false },
        [SW_DF_RULE_JSON_ARGS_RECOMMENDED] = { "JSONArgsRecommended",
                                               "JSON arguments recommended for "
                                               "ENTRYPOINT/CMD to prevent unintended "
                                               "behavior related to OS signals",
                                               URL("json-args-recommended"), false },
        [SW_DF_RULE_MAINTAINER_DEPRECATED] = { "MaintainerDeprecated",
                                               "The MAINTAINER instruction is deprecated, "
                                               "use a label instead to define an image "
                                               "author",
                                               URL("maintainer-deprecated"), false },
        [SW_DF_RULE_UNDEFINED_ARG_IN_FROM] = { "UndefinedArgInFrom",
                                               "FROM command must use declared ARGs",
                                               URL("undefined-arg-in-from"), false },
        [SW_DF_RULE_WORKDIR_RELATIVE_PATH] = { "WorkdirRelativePath",
                                               "Relative workdir without an absolute "
                                               "workdir "
                                               "declared within the build can have "
                                               "unexpected results if the base image "
                                               "changes",
                                               URL("workdir-relative-path"), false },
        [SW_DF_RULE_UNDEFINED_VAR] = { "UndefinedVar",
                                       "Variables should be defined before their use",
                                       URL("undefined-var"), false },
        [SW_DF_RULE_MULTIPLE_INSTRUCTIONS] = { "MultipleInstructionsDisallowed",
                                               "Multiple instructions of the same type "
                                               "should not be used in the same stage",
                                               URL("multiple-instructions-disallowed"),
                                               false },
        [SW_DF_RULE_LEGACY_KEY_VALUE] = { "LegacyKeyValueFormat",
                                          "Legacy key/value format with whitespace "
                                          "separator "
                                          "should not be used",
                                          URL("legacy-key-value-format"), false },
        [SW_DF_RULE_INVALID_BASE_IMAGE_PLATFORM] = { "InvalidBaseImagePlatform",
                                                     "Base image platform does not match "
                                                     "expected target platform",
                                                     NULL, false },
        [SW_DF_RULE_REDUNDANT_TARGET_PLATFORM] = { "RedundantTargetPlatform",
                                                   "Setting platform to predefined "
                                                   "$TARGETPLATFORM in FROM is redundant "
                                                   "as "
                                                   "this is the default behavior",
                                                   URL("redundant-target-platform"),
                                                   false },
        [SW_DF_RULE_SECRETS_USED] = { "SecretsUsedInArgOrEnv",
                                      "Sensitive data should not be used in the ARG or ENV "
                                      "commands",
                                      URL("secrets-used-in-arg-or-env"), false },
        [SW_DF_RULE_INVALID_DEFAULT_ARG_IN_FROM] = { "InvalidDefaultArgInFrom",
                                                     "Default value for global ARG results "
                                                     "in an empty or invalid base image "
                                                     "name",
                                                     URL("invalid-default-arg-in-from"),
                                                     false },
        [SW_DF_RULE_FROM_PLATFORM_CONST] = { "FromPlatformFlagConstDisallowed",
                                             "FROM --platform flag should not use a "
                                             "constant "
                                             "value",
                                             URL("from-platform-flag-const-disallowed"),
                                             false },
        [SW_DF_RULE_COPY_IGNORED_FILE] = { "CopyIgnoredFile",
                                           "Attempting to Copy file that is excluded by "
                                           ".dockerignore",
                                           URL("copy-ignored-file"), false },
        [SW_DF_RULE_INVALID_DEFINITION_DESCRIPTION] = { "InvalidDefinitionDescription",
                                                        "Comment for build stage or "
                                                        "argument "
                                                        "should follow the format: `# "
                                                        "<arg/stage name> <description>`. "
                                                        "If "
                                                        "this is not intended to be a "
                                                        "description comment, add an empty "
                                                        "line or comment between the "
                                                        "instruction and the comment.",
                                                        URL("invalid-definition-"
                                                            "description"),
                                                        true },
        [SW_DF_RULE_EXPOSE_PROTO_CASING] = { "ExposeProtoCasing",
                                             "Protocol in EXPOSE instruction should be "
                                             "lowercase",
                                             URL("expose-proto-casing"), false },
        [SW_DF_RULE_EXPOSE_INVALID_FORMAT] = { "ExposeInvalidFormat",
                                               "IP address and host-port mapping should "
                                               "not "
                                               "be used in EXPOSE instruction. This will "
                                               "become an error in a future release",
                                               URL("expose-invalid-format"), false },
};

const struct sw_df_rule_info *
sw_df_rule_info(enum sw_df_rule rule)
{
        return &rules[rule];
}

/* The rules that "all" or "A, B" names, of those that are @experimental or not. */
static uint64_t
read_names(const char *value, bool experimental)
{
        sw_auto(sw_strlist) names = { 0 };
        bool all = strcmp(value, "all") == 0;
        uint64_t bits = 0;

        sw_strlist_split(&names, value, ',');
        for (int r = 0; all && r < SW_DF_RULES; r++)
                bits |= rules[r].experimental == experimental ? UINT64_C(1) << r : 0;
        for (size_t i = 0; !all && i < names.n; i++) {
                struct sw_df_span name =
                        sw_df_trim((struct sw_df_span){ names.v[i], strlen(names.v[i]) });

                for (int r = 0; r < SW_DF_RULES; r++)
                        if (rules[r].experimental == experimental &&
                            strlen(rules[r].name) == name.n &&
                            memcmp(rules[r].name, name.s, name.n) == 0)
                                bits |= UINT64_C(1) << r;
        }
        return bits;
}

static sw_err *
invalid_option(const char *text)
{
        sw_auto(sw_str) shown = sw__shown(text, SIZE_MAX);

        return sw_err_new(SW_E_INVALID, "invalid check option %s", shown);
}

/* One "key=value". */
static sw_err *
read_option(char *option, struct sw_df_check *out)
{
        char *eq = strchr(option, '=');

        if (!eq)
                return invalid_option(option);
        struct sw_df_span key =
                sw_df_trim((struct sw_df_span){ option, (size_t) (eq - option) });
        struct sw_df_span value = sw_df_trim((struct sw_df_span){ eq + 1, strlen(eq + 1) });
        sw_auto(sw_str) name = sw_strndup(key.s, key.n);
        sw_auto(sw_str) text = sw_strndup(value.s, value.n);

        if (strcmp(name, "skip") == 0) {
                out->named |= read_names(text, false);
        } else if (strcmp(name, "experimental") == 0) {
                out->named |= read_names(text, true);
        } else if (strcmp(name, "error") == 0) {
                sw_auto(sw_str) shown = sw__shown(option, SIZE_MAX);
                sw_err *err = sw_parse_bool(text, &out->error);

                return sw_err_wrap(err, "failed to parse check option %s", shown);
        } else {
                return invalid_option(name);
        }
        return SW_OK;
}

sw_err *
sw_df_check_parse(const char *text, struct sw_df_check *out)
{
        struct sw_df_check check = { 0 };
        struct sw_df_span all = sw_df_trim((struct sw_df_span){ text, strlen(text) });
        sw_auto(sw_str) copy = sw_strndup(all.s, all.n);
        char *p = copy;
        sw_err *err = SW_OK;

        /* Three options there are: what follows a third ";" is part of the last one. */
        for (int i = 0; !err && p && *copy && i < 3; i++) {
                char *option = p;

                p = i < 2 ? strchr(p, ';') : NULL;
                if (p)
                        *p++ = '\0';
                err = read_option(option, &check);
        }
        if (err)
                return sw_err_wrap(err, "failed to parse check options");
        *out = check;
        return SW_OK;
}

sw_err *
sw_df_check_of(const sw_df_tree *tree, struct sw_df_check *out)
{
        const struct sw_df_directive *said = &tree->check;

        if (!said->value)
                return SW_OK;
        return sw_df_blame(sw_df_check_parse(said->value, out), &tree->text,
                           (struct sw_df_range){ said->line, said->line });
}

void
sw_df_lint_release(struct sw_df_lint *lint)
{
        *lint = (struct sw_df_lint){ 0 };
}

void
sw_df_lint_at(struct sw_df_lint *lint, const struct sw_df_node *node, enum sw_df_rule rule,
              struct sw_df_range range, const char *fmt, ...)
{
        const struct sw_df_rule_info *info = &rules[rule];
        uint64_t bit = UINT64_C(1) << rule;
        bool named;
        va_list ap;

        if (!lint)
                return;
        named = (lint->check.named | (node ? node->checks : 0)) & bit;
        if (named != info->experimental)
                return;
        lint->found |= bit;
        if (!lint->tell || lint->told >= SW_DF_FINDINGS_MAX)
                return;
        lint->told++;
        sw_auto(sw_buf) message = SW_BUF_INIT;

        va_start(ap, fmt);
        sw_buf_vaddf(&message, fmt, ap);
        va_end(ap);
        lint->tell(lint->arg, &(struct sw_df_finding){ rule, message.data, range });
}

sw_err *
sw_df_lint_error(const struct sw_df_lint *lint)
{
        sw_auto(sw_strlist) names = { 0 };

        if (!lint || !lint->check.error || !lint->found)
                return SW_OK;
        for (int r = 0; r < SW_DF_RULES; r++)
                if (lint->found & UINT64_C(1) << r)
                        sw_strlist_add(&names, rules[r].name);
        sw_strlist_sort(&names);
        sw_auto(sw_str) all = sw_strlist_join(&names, ", ");

        return sw_err_new(SW_E_INVALID, "lint violation found for rules: %s", all);
}

static char
lower(char c)
{
        return (char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

enum { SUGGEST_MAX = 2, SUGGEST_LEN = 64 };

/* Edits from @a to @b: characters added, dropped, changed; more than SUGGEST_MAX is all the
 * same. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len, bool exact)
{
        size_t row[SUGGEST_LEN + SUGGEST_MAX + 1];

        for (size_t j = 0; j <= b_len; j++)
                row[j] = j;
        for (size_t i = 0; i < a_len; i++) {
                size_t before = row[0], least = i + 1;

                row[0] = i + 1;
                for (size_t j = 0; j < b_len; j++) {
                        bool same = exact ? a[i] == b[j] : lower(a[i]) == lower(b[j]);
                        size_t changed = before + !same;

                        before = row[j + 1];
                        row[j + 1] = (before < row[j] ? before : row[j]) + 1;
                        if (changed < row[j + 1])
                                row[j + 1] = changed;
                        if (row[j + 1] < least)
                                least = row[j + 1];
                }
                if (least > SUGGEST_MAX)
                        return least;
        }
        return row[b_len];
}

const char *
sw_df_suggest(const char *word, const char *const *candidates, size_t n, bool exact)
{
        size_t len = strlen(word), best = SUGGEST_MAX + 1;
        const char *found = NULL;

        if (len > SUGGEST_LEN)
                return NULL;
        for (size_t i = 0; i < n && best; i++) {
                size_t other = strlen(candidates[i]);

                if (other > len + SUGGEST_MAX || len > other + SUGGEST_MAX)
                        continue;
                size_t d = distance(word, len, candidates[i], other, exact);

                if (d < best) {
                        best = d;
                        found = candidates[i];
                }
        }
        return found;
}
