/*
 * core/plugin/options.c - a plugin's options: declared by its descriptor, given by the
 * configuration, read by its init().
 *
 * Invariants of a sw_options: one value per declared option, in its order; every value was
 * checked against its type, given ones and defaults alike. Constant once made, so that any
 * thread may read it.
 */
#include <assert.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/plugin/host_priv.h"

enum { OPTIONS_MAX = 256, OPTION_NAME_MAX = 64, HELP_MAX = 400, NAME_SHOWN = 100 };

struct value {
        const struct sw_option *decl;
        bool set;
        char *text;      /* STRING */
        bool truth;      /* BOOL */
        int64_t number;  /* INT, SIZE, DURATION */
        sw_strlist list; /* LIST */
};

struct sw_options {
        size_t n;
        struct value *v;
};

static const char *
type_name(enum sw_option_type t)
{
        static const char *const names[] = {
                [SW_OPT_STRING] = "text",
                [SW_OPT_BOOL] = "true or false",
                [SW_OPT_INT] = "a whole number",
                [SW_OPT_SIZE] = "a size such as 512MB",
                [SW_OPT_DURATION] = "a duration such as 1h30m",
                [SW_OPT_LIST] = "a list",
        };

        return (size_t) t < SW_COUNT(names) ? names[t] : NULL;
}

/* Set @v from one text; lists are comma-separated here. */
static sw_err *
value_parse(struct value *v, const char *text)
{
        switch (v->decl->type) {
        case SW_OPT_STRING:
                free(v->text);
                v->text = sw_strdup(text);
                return SW_OK;
        case SW_OPT_BOOL: return sw_parse_bool(text, &v->truth);
        case SW_OPT_INT: return sw_parse_int(text, INT64_MIN, INT64_MAX, &v->number);
        case SW_OPT_SIZE: return sw_parse_size(text, &v->number);
        case SW_OPT_DURATION: return sw_duration_parse(text, &v->number);
        case SW_OPT_LIST: sw_strlist_split(&v->list, text, ','); return SW_OK;
        }
        return sw_err_new(SW_E_INTERNAL, "option %s has no type", v->decl->name);
}

static bool
option_name_ok(const char *name)
{
        static const char legal[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
        size_t n = strnlen(name, OPTION_NAME_MAX + 1);

        return n > 0 && n <= OPTION_NAME_MAX && strspn(name, legal) == n &&
               strcmp(name, "enabled") != 0 && strcmp(name, "required") != 0;
}

static void
value_release(struct value *v)
{
        free(v->text);
        sw_strlist_release(&v->list);
}

static sw_err *
declared_one(const struct sw_option *o)
{
        struct value probe = { .decl = o };
        sw_err *err = SW_OK;

        if (!option_name_ok(o->name))
                return sw_err_new(SW_E_INVALID, "options have a name that none can have");
        if (!type_name(o->type))
                return sw_err_new(SW_E_INVALID, "option %s has type %d, which is none",
                                  o->name, (int) o->type);
        if (o->help && (strnlen(o->help, HELP_MAX + 1) > HELP_MAX || strchr(o->help, '\n')))
                return sw_err_new(SW_E_INVALID, "option %s has help of more than a line",
                                  o->name);
        if (o->dflt)
                err = value_parse(&probe, o->dflt);
        value_release(&probe);
        return sw_err_wrap(err, "option %s has a wrong default", o->name);
}

sw_err *
sw__options_declared(const struct sw_option *decl)
{
        for (size_t i = 0; decl && decl[i].name; i++) {
                if (i == OPTIONS_MAX)
                        return sw_err_new(SW_E_INVALID, "options do not end with {0}");
                sw_err *err = declared_one(&decl[i]);
                if (err)
                        return err;
                for (size_t j = 0; j < i; j++)
                        if (strcmp(decl[i].name, decl[j].name) == 0)
                                return sw_err_new(SW_E_INVALID,
                                                  "options have %s more than once",
                                                  decl[i].name);
        }
        return SW_OK;
}

void
sw__option_place(sw_buf *b, const char *id, const struct sw_config_option *given)
{
        if (given->where && given->where[0])
                sw_buf_adds(b, given->where);
        if (given->line > 0)
                sw_buf_addf(b, ":%d:%d", given->line, given->column);
        if (b->len)
                sw_buf_adds(b, ": ");
        sw_buf_adds(b, "plugins.");
        sw_buf_add_quoted(b, id, strlen(id), NAME_SHOWN);
        sw_buf_addc(b, '.');
        if (option_name_ok(given->name))
                sw_buf_adds(b, given->name);
        else
                sw_buf_add_quoted(b, given->name, strlen(given->name), NAME_SHOWN);
}

/* No such option: say which is near, or which there are. */
static sw_err *
unknown_option(const char *id, const struct sw_options *o,
               const struct sw_config_option *given)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        SW_ARRAY(const char *) names = { 0 };
        const char *near;

        for (size_t i = 0; i < o->n; i++)
                sw_array_push(&names, o->v[i].decl->name);
        near = sw_near(given->name, names.v, names.n);

        sw__option_place(&text, id, given);
        sw_buf_addf(&text, ": %s has no such option", id);
        if (near)
                sw_buf_addf(&text, " (did you mean %s?)", near);
        else if (names.n == 0)
                sw_buf_adds(&text, " (it has none)");
        for (size_t i = 0; !near && i < names.n; i++)
                sw_buf_addf(&text, "%s%s%s", i ? ", " : " (it has ", names.v[i],
                            i + 1 == names.n ? ")" : "");
        sw_array_release(&names);
        return sw_err_new(SW_E_CONFIG, "%s", text.data);
}

/* What was given, of the right shape: a list for a list, one value for the others. A
 * flag has no way to write a list of one, so that only files are held to it. */
static sw_err *
value_take(struct value *v, const struct sw_config_option *given)
{
        const bool wants_list = v->decl->type == SW_OPT_LIST;

        if (wants_list ? !given->is_list && given->line > 0 : given->is_list)
                return sw_err_new(SW_E_CONFIG, "%s is wanted, not %s",
                                  type_name(v->decl->type),
                                  given->is_list ? "a list" : "a single value");
        if (!wants_list && given->n_values != 1)
                return sw_err_new(SW_E_CONFIG, "%s is wanted", type_name(v->decl->type));
        v->set = true;
        if (!wants_list)
                return value_parse(v, given->values[0]);
        for (size_t i = 0; i < given->n_values; i++)
                sw_strlist_add(&v->list, given->values[i]);
        return SW_OK;
}

static struct value *
value_of(const struct sw_options *o, const char *name)
{
        for (size_t i = 0; o && i < o->n; i++)
                if (strcmp(o->v[i].decl->name, name) == 0)
                        return &o->v[i];
        return NULL;
}

static sw_err *
options_give(struct sw_options *o, const char *id, const struct sw_config_option *given,
             enum sw_plugin_fault *fault)
{
        struct value *v = value_of(o, given->name);
        sw_autoptr(sw_err) err = NULL;

        if (!v) {
                *fault = SW_FAULT_OPTION_UNKNOWN;
                return unknown_option(id, o, given);
        }
        err = value_take(v, given);
        if (!err)
                return SW_OK;

        sw_auto(sw_buf) place = SW_BUF_INIT;
        *fault = SW_FAULT_OPTION_TYPE;
        sw__option_place(&place, id, given);
        return sw_err_new(SW_E_CONFIG, "%s: %s", place.data, sw_err_message(err));
}

SW_DEFINE_AUTOPTR(sw_options, sw__options_free)

sw_err *
sw__options_make(const char *id, const struct sw_option *decl,
                 const struct sw_config_option *given, size_t n, sw_options **out,
                 enum sw_plugin_fault *fault)
{
        sw_autoptr(sw_options) o = sw_new(struct sw_options);

        while (decl && decl[o->n].name)
                o->n++;
        o->v = (struct value *) sw_alloc_array(o->n, sizeof(o->v[0]));
        for (size_t i = 0; i < o->n; i++)
                o->v[i].decl = &decl[i];
        for (size_t i = 0; i < n; i++) {
                sw_err *err = options_give(o, id, &given[i], fault);

                if (err)
                        return err;
        }
        for (size_t i = 0; decl && i < o->n; i++) {
                struct value *v = &o->v[i];

                if (v->set || !decl[i].dflt)
                        continue;
                sw_err *err = value_parse(v, decl[i].dflt);
                assert(!err); /* sw__options_declared() saw to it */
                sw_err_drop(err, "cannot be");
                v->set = true;
        }
        *out = sw_steal(o);
        return SW_OK;
}

void
sw__options_free(sw_options *o)
{
        if (!o)
                return;
        for (size_t i = 0; i < o->n; i++)
                value_release(&o->v[i]);
        free(o->v);
        free(o);
}

#define TYPE_BIT(t) (1U << (t))
#define NUMBERS     (TYPE_BIT(SW_OPT_INT) | TYPE_BIT(SW_OPT_SIZE) | TYPE_BIT(SW_OPT_DURATION))

/* The value of an option declared as one of @types; asking for another is a mistake of
 * the plugin. */
static const struct value *
expect(const sw_options *o, const char *name, unsigned types)
{
        const struct value *v = value_of(o, name);

        assert(v && "option is not declared in the descriptor");
        assert((types & TYPE_BIT(v->decl->type)) && "option is declared as another type");
        (void) types;
        return v;
}

bool
sw_options_set(const sw_options *o, const char *name)
{
        return expect(o, name, ~0U)->set;
}

const char *
sw_options_str(const sw_options *o, const char *name)
{
        return expect(o, name, TYPE_BIT(SW_OPT_STRING))->text;
}

bool
sw_options_bool(const sw_options *o, const char *name)
{
        return expect(o, name, TYPE_BIT(SW_OPT_BOOL))->truth;
}

int64_t
sw_options_int(const sw_options *o, const char *name)
{
        return expect(o, name, NUMBERS)->number;
}

const sw_strlist *
sw_options_list(const sw_options *o, const char *name)
{
        return &expect(o, name, TYPE_BIT(SW_OPT_LIST))->list;
}
