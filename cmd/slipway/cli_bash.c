/*
 * cmd/slipway/cli_bash.c - completion script for bash, from the tables of cli.h.
 *
 * The script is a fixed frame that walks the words typed so far, as the parser does, and
 * three functions of case lists made here. Names and placeholders are plain
 * (cli_check_tables), so nothing needs quoting. It works with and without the package
 * bash-completion, and whether or not '=' breaks words. Thread: main; runs while slipway
 * is built.
 */
#include <ctype.h>
#include <string.h>

#include "cmd/slipway/cli.h"

/* "PATH" -> words below it and flags, into the arrays `subs` and `flags`. */
static void
add_words(sw_buf *out, const struct cli_program *p, const char *path,
          const struct cli_flag *flags)
{
        sw_buf_addf(out, "        '%s')\n                subs='", path);
        const char *sep = "";
        for (size_t i = 0; i < p->n_verbs; i++) {
                if (p->verbs[i]->hidden || !cli_is_below(p->verbs[i], path))
                        continue;
                sw_buf_addf(out, "%s%s", sep, cli_last_word(p->verbs[i]));
                sep = " ";
        }
        sw_buf_adds(out, "'\n                flags='");
        const struct cli_flag *tables[] = { flags, p->flags };
        sep = "";
        for (size_t t = 0; t < SW_COUNT(tables); t++)
                for (const struct cli_flag *f = tables[t]; f && f->name; f++) {
                        sw_buf_addf(out, "%s--%s", sep, f->name);
                        sep = " ";
                }
        sw_buf_adds(out, "'\n                ;;\n");
}

static void
add_action(sw_buf *out, const char *program, enum cli_complete c, const char *choices)
{
        static const char *const actions[] = {
                [CLI_NOTHING] = "none",         [CLI_FILES] = "files -f",
                [CLI_DIRS] = "files -d",        [CLI_PLUGINS] = "plugins",
                [CLI_VERBS] = "words \"$top\"", [CLI_IMAGES] = "images",
                [CLI_BUILDS] = "builds"
        };

        sw_buf_addf(out, "_%s_reply ", program);
        if (!choices) {
                sw_buf_adds(out, actions[c]);
                return;
        }
        sw_buf_adds(out, "words '");
        for (; *choices; choices++)
                sw_buf_addc(out, *choices == '|' ? ' ' : *choices);
        sw_buf_addc(out, '\'');
}

/* @path NULL: after any verb. */
static void
add_pattern(sw_buf *out, const char *path, const char *dashes, const char *flag)
{
        if (path)
                sw_buf_addf(out, "'%s %s%s'", path, dashes, flag);
        else
                sw_buf_addf(out, "*' %s%s'", dashes, flag);
}

/* "PATH FLAG" -> what completes its value; also tells which flags take one. */
static void
add_values(sw_buf *out, const char *program, const char *path, const struct cli_flag *flags)
{
        for (const struct cli_flag *f = flags; f && f->name; f++) {
                if (!cli_takes_value(f))
                        continue;
                sw_buf_adds(out, "        ");
                add_pattern(out, path, "--", f->name);
                if (f->letter) {
                        const char letter[] = { f->letter, '\0' };
                        sw_buf_addc(out, '|');
                        add_pattern(out, path, "-", letter);
                }
                sw_buf_adds(out, ") ");
                add_action(out, program, f->complete,
                           f->type == CLI_CHOICE ? f->value : NULL);
                sw_buf_adds(out, " ;;\n");
        }
}

/* "PATH N" -> what completes the N-th argument. */
static void
add_args(sw_buf *out, const char *program, const struct cli_verb *v)
{
        unsigned at = 0;

        for (const struct cli_arg *a = v->args; a && a->name; a++) {
                if (a->max == CLI_MANY) {
                        sw_buf_addf(out, "        '%s '*) ", v->name);
                        add_action(out, program, a->complete, NULL);
                        sw_buf_adds(out, " ;;\n");
                        return;
                }
                for (unsigned i = 0; i < a->max; i++, at++) {
                        sw_buf_addf(out, "        '%s %u') ", v->name, at);
                        add_action(out, program, a->complete, NULL);
                        sw_buf_adds(out, " ;;\n");
                }
        }
}

static void
add_tables(sw_buf *out, const struct cli_program *p, const char *fn)
{
        sw_buf_addf(out, "_%s_words() {\n        case $1 in\n", fn);
        add_words(out, p, "", NULL);
        for (size_t i = 0; i < p->n_verbs; i++)
                if (!p->verbs[i]->hidden)
                        add_words(out, p, p->verbs[i]->name, p->verbs[i]->flags);
        sw_buf_addf(out, "        esac\n}\n\n_%s_value() {\n        case $1 in\n", fn);
        for (size_t i = 0; i < p->n_verbs; i++)
                if (!p->verbs[i]->hidden)
                        add_values(out, fn, p->verbs[i]->name, p->verbs[i]->flags);
        add_values(out, fn, NULL, p->flags);
        sw_buf_addf(out,
                    "        *) return 1 ;;\n        esac\n}\n\n"
                    "_%s_argument() {\n        case $1 in\n",
                    fn);
        for (size_t i = 0; i < p->n_verbs; i++)
                if (!p->verbs[i]->hidden)
                        add_args(out, fn, p->verbs[i]);
        sw_buf_adds(out, "        esac\n}\n\n");
}

/* The part that is the same for every program; @ stands for its name. */
static const char frame[] =
        "# Fill COMPREPLY, unless the words before the cursor are still being walked "
        "($dry).\n"
        "_@_reply() {\n"
        "        [[ $dry ]] && return\n"
        "        case $1 in\n"
        "        words) mapfile -t COMPREPLY < <(compgen -W \"$2\" -P \"$prefix\" -- "
        "\"$cur\") ;;\n"
        "        files)\n"
        "                mapfile -t COMPREPLY < <(compgen \"$2\" -P \"$prefix\" -- "
        "\"$cur\")\n"
        "                compopt -o filenames 2>/dev/null\n"
        "                ;;\n"
        "        plugins)\n"
        "                _@_reply words \"$(\"${COMP_WORDS[0]}\" plugins --quiet "
        "\"${dirs[@]}\" 2>/dev/null)\"\n"
        "                ;;\n"
        "        images)\n"
        "                _@_reply words \"$(\"${COMP_WORDS[0]}\" images --quiet "
        "\"${dirs[@]}\" 2>/dev/null)\"\n"
        "                ;;\n"
        "        builds)\n"
        "                _@_reply words \"latest $(\"${COMP_WORDS[0]}\" history --quiet "
        "\"${dirs[@]}\" 2>/dev/null)\"\n"
        "                ;;\n"
        "        esac\n"
        "        return 0\n"
        "}\n"
        "\n"
        "# Walk the words before the cursor as the parser of @ does, then offer what "
        "fits.\n"
        "_@() {\n"
        "        local cur=${COMP_WORDS[COMP_CWORD]} path= flag= subs= flags= top= "
        "prefix=\n"
        "        local only_args= skip= word i n=0 dry=1 dirs=()\n"
        "        COMPREPLY=()\n"
        "        _@_words ''\n"
        "        top=$subs\n"
        "        for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "                word=${COMP_WORDS[i]}\n"
        "                if [[ $word == '=' && ! $only_args ]]; then\n"
        "                        [[ $flag ]] || skip=1\n"
        "                elif [[ $skip ]]; then\n"
        "                        skip=\n"
        "                elif [[ $flag ]]; then\n"
        "                        [[ $flag == --plugin-dir || $flag == --root ]] && "
        "dirs+=(\"$flag\" "
        "\"$word\")\n"
        "                        flag=\n"
        "                elif [[ $only_args ]]; then\n"
        "                        n=$((n + 1))\n"
        "                elif [[ $word == -- ]]; then\n"
        "                        only_args=1\n"
        "                elif [[ $word == -* ]]; then\n"
        "                        _@_value \"$path $word\" && flag=$word\n"
        "                elif [[ $n -eq 0 && \" $subs \" == *\" $word \"* ]]; then\n"
        "                        path=${path:+$path }$word\n"
        "                        _@_words \"$path\"\n"
        "                else\n"
        "                        n=$((n + 1))\n"
        "                fi\n"
        "        done\n"
        "        dry=\n"
        "        [[ $cur == '=' && ! $only_args ]] && cur=\n"
        "        if [[ $flag ]]; then\n"
        "                _@_value \"$path $flag\"\n"
        "        elif [[ $skip || ${COMP_WORDS[COMP_CWORD]} == '=' && ! $only_args ]]; "
        "then\n"
        "                _@_reply words 'true false'\n"
        "        elif [[ $cur == --*=* && ! $only_args ]]; then\n"
        "                flag=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}\n"
        "                _@_value \"$path $flag\" || _@_reply words 'true false'\n"
        "        elif [[ $cur == -* && ! $only_args ]]; then\n"
        "                _@_reply words \"$flags\"\n"
        "        elif [[ $subs && $n -eq 0 && ! $only_args ]]; then\n"
        "                _@_reply words \"$subs\"\n"
        "        else\n"
        "                _@_argument \"$path $n\"\n"
        "        fi\n"
        "        return 0\n"
        "}\n"
        "complete -F _@ @\n";

void
cli_add_bash(sw_buf *out, const struct cli_program *p)
{
        sw_buf_addf(
                out,
                "# bash completion for %s; made from the tables that --help prints.\n\n",
                p->name);
        add_tables(out, p, p->name);
        for (const char *s = frame; *s; s++) {
                if (*s == '@' && s[1] != ']') /* not the one of ${dirs[@]} */
                        sw_buf_adds(out, p->name);
                else
                        sw_buf_addc(out, *s);
        }
}
