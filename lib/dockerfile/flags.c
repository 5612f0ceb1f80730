/* lib/dockerfile/flags.c - "--name=value" of instructions against what they know. Pure. */
#include <strings.h>

#include "lib/dockerfile/span.h"
#include "lib/dockerfile/typer.h"

sw_err *
sw_df_bad(struct sw_df_typer *t, const struct sw_df_word *word, sw_err *err)
{
        if (err && !t->bad.text)
                t->bad = *word;
        return err;
}

static sw_err *
unknown(const char *name, size_t len, const struct sw_df_flag *flags, size_t n)
{
        sw_auto(sw_str) word = sw_strndup(name, len);
        sw_auto(sw_str) shown = sw_df_plain(word);
        const char **names = sw_alloc_array(n + 1, sizeof(*names));

        for (size_t i = 0; i < n; i++)
                names[i] = flags[i].name;
        const char *near = sw_df_suggest(word, names, n, true);

        free(names);
        return sw_err_new(SW_E_INVALID, "unknown flag: --%s%s%s%s", shown,
                          near ? " (did you mean " : "", near ? near : "",
                          near ? "?)" : "");
}

static sw_err *
set_bool(struct sw_df_flag *flag, const char *value)
{
        if (!value || strcasecmp(value, "true") == 0) {
                flag->yes = SW_DF_YES;
        } else if (strcasecmp(value, "false") == 0) {
                flag->yes = SW_DF_NO;
        } else if (!*value) {
                return sw_err_new(SW_E_INVALID, "missing a value on flag: --%s",
                                  flag->name);
        } else {
                sw_auto(sw_str) shown = sw_df_plain(value);

                return sw_err_new(SW_E_INVALID,
                                  "expecting boolean value for flag --%s, not: %s",
                                  flag->name, shown);
        }
        return SW_OK;
}

static sw_err *
set_flag(struct sw_df_flag *flag, const struct sw_df_word *word, const char *value)
{
        bool given = flag->type == SW_DF_FLAG_BOOL ? flag->yes != SW_DF_UNSET
                                                   : flag->value.text != NULL;

        if (given && flag->type != SW_DF_FLAG_STRINGS)
                return sw_err_new(SW_E_INVALID, "duplicate flag specified: --%s",
                                  flag->name);
        if (flag->type == SW_DF_FLAG_BOOL)
                return set_bool(flag, value);
        if (!value)
                return sw_err_new(SW_E_INVALID, "missing a value on flag: --%s",
                                  flag->name);
        flag->value = *word;
        flag->value.text = value;
        if (flag->type == SW_DF_FLAG_STRINGS)
                sw_array_push(&flag->values, value);
        return SW_OK;
}

static sw_err *
read_flag(const struct sw_df_word *word, struct sw_df_flag *flags, size_t n)
{
        const char *name = word->text + 2;
        size_t len = strcspn(name, "=");

        for (size_t i = 0; i < n; i++)
                if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0)
                        return set_flag(&flags[i], word, name[len] ? name + len + 1 : NULL);
        return unknown(name, len, flags, n);
}

sw_err *
sw_df_flags_read(struct sw_df_typer *t, struct sw_df_flag *flags, size_t n)
{
        for (size_t i = 0; i < t->node->flags.n; i++) {
                const struct sw_df_word *word = &t->node->flags.v[i];
                sw_err *err = read_flag(word, flags, n);

                if (err)
                        return sw_df_bad(t, word, err);
        }
        return SW_OK;
}

void
sw_df_flags_end(struct sw_df_flag *flags, size_t n)
{
        for (size_t i = 0; i < n; i++)
                sw_array_release(&flags[i].values);
}

struct sw_df_strs
sw_df_flag_strs(struct sw_df_typer *t, const struct sw_df_flag *flag)
{
        return (struct sw_df_strs){ sw_df_arena_keep(t->arena, flag->values.v,
                                                     flag->values.n,
                                                     sizeof(*flag->values.v)),
                                    flag->values.n };
}

struct sw_df_strs
sw_df_words_strs(struct sw_df_typer *t, size_t from)
{
        const struct sw_df_words *args = &t->node->args;

        if (from >= args->n)
                return (struct sw_df_strs){ NULL, 0 };
        const char **v = sw_df_arena_take(t->arena, (args->n - from) * sizeof(*v));

        for (size_t i = from; i < args->n; i++)
                v[i - from] = args->v[i].text;
        return (struct sw_df_strs){ v, args->n - from };
}
