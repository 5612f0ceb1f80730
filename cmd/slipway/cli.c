/*
 * cmd/slipway/cli.c - parser of the command line; see cli.h.
 *
 * Thread: main. Words come from outside: they appear in messages only through
 * add_word(), which quotes and cuts whatever is not plain.
 */
#include <assert.h>
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/cli.h"

extern const struct cli_verb *const __start_sw_cli_verbs[] __attribute__((weak));
extern const struct cli_verb *const __stop_sw_cli_verbs[] __attribute__((weak));

/* State while the words are read, left to right. */
struct parser {
        struct cli_call *call;
        const char *const *argv;
        int argc, next; /* argv[next] is the next word */
        bool only_args; /* after "--" */
};

static int
by_name(const void *a, const void *b)
{
        const struct cli_verb *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

void
cli_linked_verbs(const struct cli_verb *const **verbs, size_t *n)
{
        size_t bytes = (uintptr_t) __stop_sw_cli_verbs - (uintptr_t) __start_sw_cli_verbs;
        size_t count = bytes / sizeof(__start_sw_cli_verbs[0]);
        const struct cli_verb **copy = sw_alloc_array(count, sizeof(*copy));

        for (size_t i = 0; i < count; i++)
                copy[i] = __start_sw_cli_verbs[i];
        qsort(copy, count, sizeof(*copy), by_name);
        *verbs = copy;
        *n = count;
}

void
cli_call_release(struct cli_call *call)
{
        sw_array_release(&call->values);
        sw_array_release(&call->args);
}

bool
cli_takes_value(const struct cli_flag *f)
{
        return f->type != CLI_BOOL;
}

const struct cli_verb *
cli_find_verb(const struct cli_program *p, const char *name)
{
        for (size_t i = 0; i < p->n_verbs; i++)
                if (strcmp(p->verbs[i]->name, name) == 0)
                        return p->verbs[i];
        return NULL;
}

const char *
cli_last_word(const struct cli_verb *v)
{
        const char *space = strrchr(v->name, ' ');

        return space ? space + 1 : v->name;
}

bool
cli_is_below(const struct cli_verb *v, const char *parent)
{
        size_t len = strlen(parent);

        if (len == 0)
                return strchr(v->name, ' ') == NULL;
        return strncmp(v->name, parent, len) == 0 && v->name[len] == ' ' &&
               strchr(v->name + len + 1, ' ') == NULL;
}

/* Put a word from the command line into a message. */
static void
add_word(sw_buf *b, const char *word, size_t len)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-_./+:@%,";

        if (len > 0 && len <= 64 && strspn(word, plain) >= len)
                sw_buf_add(b, word, len);
        else
                sw_buf_add_quoted(b, word, len, 64);
}

/* "WHAT WORD", and what it may have been meant to be: a usage error. */
static sw_err *
unknown(const char *what, const char *word, size_t len, const char *prefix,
        const char *near)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addf(&b, "%s ", what);
        add_word(&b, word, len);
        if (near)
                sw_buf_addf(&b, "; did you mean %s%s?", prefix, near);
        return sw_err_new(SW_E_USAGE, "%s", b.data);
}

/* ---- verbs ---- */

static const char *
current_path(const struct cli_call *call)
{
        return call->verb ? call->verb->name : "";
}

/* The verb named @word below the current one, or NULL. */
static const struct cli_verb *
verb_below(const struct cli_call *call, const char *word)
{
        const struct cli_program *p = call->program;

        for (size_t i = 0; i < p->n_verbs; i++)
                if (cli_is_below(p->verbs[i], current_path(call)) &&
                    strcmp(cli_last_word(p->verbs[i]), word) == 0)
                        return p->verbs[i];
        return NULL;
}

/* The verb below the current one whose name is near @word, or NULL. */
static const char *
near_verb(const struct cli_call *call, const char *word)
{
        const struct cli_program *p = call->program;
        SW_ARRAY(const char *) names = { 0 };

        for (size_t i = 0; i < p->n_verbs; i++)
                if (cli_is_below(p->verbs[i], current_path(call)) && !p->verbs[i]->hidden)
                        sw_array_push(&names, cli_last_word(p->verbs[i]));
        const char *near = sw_near(word, names.v, names.n);
        sw_array_release(&names);
        return near;
}

static sw_err *
unknown_verb(const struct cli_call *call, const char *word)
{
        const char *near = near_verb(call, word);
        const char *path = current_path(call);
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (near)
                return unknown("unknown command", word, strlen(word), "", near);
        add_word(&b, word, strlen(word));
        return sw_err_new(SW_E_USAGE, "unknown command %s; '%s%s%s --help' lists them",
                          b.data, call->program->name, *path ? " " : "", path);
}

/* A word that is not a flag: the next part of the verb, or an argument. */
static sw_err *
take_word(struct parser *ps, const char *word)
{
        struct cli_call *call = ps->call;

        if (!ps->only_args && call->args.n == 0) {
                const struct cli_verb *v = verb_below(call, word);
                if (v) {
                        call->verb = v;
                        return SW_OK;
                }
        }
        if ((!call->verb || !call->verb->run) && ps->only_args)
                return sw_err_new(SW_E_USAGE, "a command must come before --");
        if (!call->verb || !call->verb->run)
                return unknown_verb(call, word);
        sw_array_push(&call->args, word);
        return SW_OK;
}

/* ---- flags ---- */

static const struct cli_flag *
flag_in(const struct cli_flag *flags, const char *name, size_t len)
{
        for (const struct cli_flag *f = flags; f && f->name; f++)
                if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
                        return f;
        return NULL;
}

static const struct cli_flag *
find_flag(const struct cli_call *call, const char *name, size_t len)
{
        const struct cli_flag *f = NULL;

        if (call->verb)
                f = flag_in(call->verb->flags, name, len);
        return f ? f : flag_in(call->program->flags, name, len);
}

static const struct cli_flag *
find_letter(const struct cli_call *call, char letter)
{
        const struct cli_flag *tables[] = { call->verb ? call->verb->flags : NULL,
                                            call->program->flags };

        for (size_t i = 0; i < SW_COUNT(tables); i++)
                for (const struct cli_flag *f = tables[i]; f && f->name; f++)
                        if (f->letter == letter)
                                return f;
        return NULL;
}

/* @word: as given, dashes included; @name: the part to compare. */
static sw_err *
unknown_flag(const struct cli_call *call, const char *word, size_t wordlen,
             const char *name, size_t len)
{
        SW_ARRAY(const char *) names = { 0 };
        const struct cli_flag *tables[] = { call->verb ? call->verb->flags : NULL,
                                            call->program->flags };

        for (size_t i = 0; i < SW_COUNT(tables); i++)
                for (const struct cli_flag *f = tables[i]; f && f->name; f++)
                        sw_array_push(&names, f->name);
        sw_auto(sw_str) copy = sw_strndup(name, len);
        sw_err *err = unknown("unknown flag", word, wordlen, "--",
                              sw_near(copy, names.v, names.n));
        sw_array_release(&names);
        return err;
}

/* Whether @text is one of the '|'-separated words of @choices. */
static bool
is_choice(const char *choices, const char *text)
{
        sw_auto(sw_strlist) words = { 0 };

        sw_strlist_split(&words, choices, '|');
        return sw_strlist_has(&words, text);
}

static sw_err *
bad_value(const struct cli_flag *f, const char *text, const char *must)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addf(&b, "--%s: ", f->name);
        sw_buf_add_quoted(&b, text, strlen(text), 64);
        sw_buf_addf(&b, " is not %s", must);
        return sw_err_new(SW_E_USAGE, "%s", b.data);
}

static sw_err *
bad_choice(const struct cli_flag *f, const char *text)
{
        sw_auto(sw_strlist) words = { 0 };

        sw_strlist_split(&words, f->value, '|');
        sw_auto(sw_str) list = sw_strlist_join(&words, ", ");
        sw_auto(sw_str) must = sw_asprintf("one of %s", list);
        return bad_value(f, text, must);
}

static sw_err *
empty_value(const struct cli_flag *f)
{
        return sw_err_new(SW_E_USAGE, "--%s: the value is empty; give %s", f->name,
                          f->type == CLI_BOOL ? "true or false" : f->value);
}

/* Check @text against the flag's type and keep it. NULL: a switch without a value. */
static sw_err *
add_value(struct cli_call *call, const struct cli_flag *f, const char *text)
{
        struct cli_value v = { .flag = f, .text = text ? text : "", .on = true };
        sw_err *err;

        if (text && *text == '\0')
                return empty_value(f);
        switch (f->type) {
        case CLI_BOOL:
                err = text ? sw_parse_bool(text, &v.on) : SW_OK;
                if (err) {
                        sw_err_drop(err, "said in the flag's own words");
                        return bad_value(f, v.text, "true or false");
                }
                break;
        case CLI_CHOICE:
                if (!is_choice(f->value, v.text))
                        return bad_choice(f, v.text);
                break;
        case CLI_STRING:
        case CLI_LIST: break;
        }
        sw_array_push(&call->values, v);
        return SW_OK;
}

/* The value of a flag that stands in the word after it. */
static sw_err *
take_next(struct parser *ps, const struct cli_flag *f)
{
        if (ps->next >= ps->argc)
                return sw_err_new(SW_E_USAGE, "--%s needs a value: --%s %s", f->name,
                                  f->name, f->value);
        return add_value(ps->call, f, ps->argv[ps->next++]);
}

/* "--name", "--name=value" */
static sw_err *
take_long(struct parser *ps, const char *word)
{
        const char *name = word + 2;
        size_t len = strcspn(name, "=");
        const struct cli_flag *f = find_flag(ps->call, name, len);

        if (!f)
                return unknown_flag(ps->call, word, len + 2, name, len);
        if (name[len] == '=')
                return add_value(ps->call, f, name + len + 1);
        return cli_takes_value(f) ? take_next(ps, f) : add_value(ps->call, f, NULL);
}

/* "-x", "-xy", "-x=value", "-xvalue" */
static sw_err *
take_letters(struct parser *ps, const char *word)
{
        for (const char *s = word + 1; *s; s++) {
                const struct cli_flag *f = find_letter(ps->call, *s);
                if (!f) /* "-json" is what somebody used to other tools writes */
                        return unknown_flag(ps->call, word, strcspn(word, "="), word + 1,
                                            strcspn(word + 1, "="));
                if (s[1] == '=')
                        return add_value(ps->call, f, s + 2);
                if (cli_takes_value(f))
                        return s[1] ? add_value(ps->call, f, s + 1) : take_next(ps, f);
                sw_err *err = add_value(ps->call, f, NULL);
                if (err)
                        return err;
        }
        return SW_OK;
}

/* A flag given before a longer verb was complete must belong to the final one too. */
static sw_err *
check_flags_belong(const struct cli_call *call)
{
        for (size_t i = 0; i < call->values.n; i++) {
                const char *name = call->values.v[i].flag->name;
                if (!find_flag(call, name, strlen(name)))
                        return sw_err_new(SW_E_USAGE, "--%s is not a flag of %s", name,
                                          current_path(call));
        }
        return SW_OK;
}

sw_err *
cli_parse(const struct cli_program *p, int argc, const char *const *argv,
          struct cli_call *call)
{
        struct parser ps = { .call = call, .argv = argv, .argc = argc, .next = 1 };

        call->program = p;
        while (ps.next < argc) {
                const char *word = argv[ps.next++];
                sw_err *err = SW_OK;
                if (ps.only_args || word[0] != '-' || word[1] == '\0')
                        err = take_word(&ps, word);
                else if (strcmp(word, "--") == 0)
                        ps.only_args = true;
                else if (word[1] == '-')
                        err = take_long(&ps, word);
                else
                        err = take_letters(&ps, word);
                if (err)
                        return err;
        }
        return check_flags_belong(call);
}

/* ---- arguments ---- */

static sw_err *
too_many(const struct cli_call *call, size_t most)
{
        const char *extra = call->args.v[most];
        const char *near = most == 0 ? near_verb(call, extra) : NULL;

        return unknown(near ? "unknown command" : "unexpected argument", extra,
                       strlen(extra), "", near);
}

sw_err *
cli_check_args(const struct cli_call *call)
{
        size_t least = 0, most = 0;

        for (const struct cli_arg *a = call->verb->args; a && a->name; a++) {
                least += a->min;
                if (call->args.n < least)
                        return sw_err_new(SW_E_USAGE, "%s is missing: %s", a->name,
                                          a->help);
                most = a->max == CLI_MANY ? SIZE_MAX : most + a->max;
        }
        if (call->args.n > most)
                return too_many(call, most);
        for (size_t i = 0; i < call->args.n; i++)
                if (call->args.v[i][0] == '\0')
                        return sw_err_new(SW_E_USAGE, "argument %zu is empty", i + 1);
        return SW_OK;
}

const char *
cli_argument(const struct cli_call *call, size_t i)
{
        return i < call->args.n ? call->args.v[i] : NULL;
}

/* ---- values ---- */

/* The last value given for @name; asking for an undeclared flag is a mistake of ours. */
static const struct cli_value *
last_value(const struct cli_call *call, const char *name)
{
        assert(find_flag(call, name, strlen(name)));
        for (size_t i = call->values.n; i-- > 0;)
                if (strcmp(call->values.v[i].flag->name, name) == 0)
                        return &call->values.v[i];
        return NULL;
}

bool
cli_given(const struct cli_call *call, const char *flag)
{
        return last_value(call, flag) != NULL;
}

bool
cli_bool(const struct cli_call *call, const char *flag)
{
        const struct cli_value *v = last_value(call, flag);

        return v && v->on;
}

const char *
cli_str(const struct cli_call *call, const char *flag)
{
        const struct cli_value *v = last_value(call, flag);

        return v ? v->text : NULL;
}

void
cli_list(const struct cli_call *call, const char *flag, sw_strlist *out)
{
        assert(find_flag(call, flag, strlen(flag)));
        for (size_t i = 0; i < call->values.n; i++)
                if (strcmp(call->values.v[i].flag->name, flag) == 0)
                        sw_strlist_add(out, call->values.v[i].text);
}
