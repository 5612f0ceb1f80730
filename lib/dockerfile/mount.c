/*
 * lib/dockerfile/mount.c - --mount of RUN: CSV of key=value, bare switches, the rules of
 * each type. Pure.
 */
#include <strings.h>

#include <slipway/text.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/instruct.h"
#include "lib/dockerfile/span.h"

static const char *const type_names[] = {
        [SW_DF_MOUNT_BIND] = "bind",   [SW_DF_MOUNT_CACHE] = "cache",
        [SW_DF_MOUNT_TMPFS] = "tmpfs", [SW_DF_MOUNT_SECRET] = "secret",
        [SW_DF_MOUNT_SSH] = "ssh",
};
static const char *const sharing_names[] = {
        [SW_DF_SHARED] = "shared",
        [SW_DF_PRIVATE] = "private",
        [SW_DF_LOCKED] = "locked",
};

/* A mount while it is read. */
struct reader {
        struct sw_df_mount *m;
        bool readonly_given, sharing_given;
        const char *key;   /* in lower case */
        const char *field; /* all of it */
};

const char *
sw_df_mount_type_name(enum sw_df_mount_type type)
{
        return type_names[type];
}

static sw_err *
bad_value(const struct reader *r, const char *value)
{
        sw_auto(sw_str) shown = sw_df_plain(value);

        return sw_err_new(SW_E_INVALID, "invalid value for %s: %s", r->key, shown);
}

/* "%s %s" of @what and @value, and which of @names may have been meant. */
static sw_err *
unsupported(const char *what, const char *value, const char *const *names, size_t n)
{
        const char *near = sw_df_suggest(value, names, n, true);
        sw_auto(sw_str) shown = sw__shown(value, SIZE_MAX);

        return sw_err_new(SW_E_INVALID, "unsupported %s %s%s%s%s", what, shown,
                          near ? " (did you mean " : "", near ? near : "",
                          near ? "?)" : "");
}

static sw_err *
wrong_type(const struct reader *r)
{
        return sw_err_new(SW_E_INVALID, "unexpected key '%s' for mount type '%s'", r->key,
                          type_names[r->m->type]);
}

static sw_err *
set_type(struct reader *r, const char *value)
{
        for (size_t i = 0; i < SW_COUNT(type_names); i++)
                if (strcasecmp(value, type_names[i]) == 0) {
                        r->m->type = (enum sw_df_mount_type) i;
                        return SW_OK;
                }
        return unsupported("mount type", value, type_names, SW_COUNT(type_names));
}

static sw_err *
set_sharing(struct reader *r, const char *value)
{
        r->sharing_given = true;
        for (size_t i = 0; i < SW_COUNT(sharing_names); i++)
                if (strcasecmp(value, sharing_names[i]) == 0) {
                        r->m->sharing = (enum sw_df_sharing) i;
                        return SW_OK;
                }
        return unsupported("sharing value", value, sharing_names, SW_COUNT(sharing_names));
}

static sw_err *
set_text(char **into, const char *value)
{
        free(*into);
        *into = sw_strdup(value);
        return SW_OK;
}

static sw_err *
set_from(struct reader *r, const char *value)
{
        return set_text(&r->m->from, value);
}

static sw_err *
set_source(struct reader *r, const char *value)
{
        return set_text(&r->m->source, value);
}

static sw_err *
set_target(struct reader *r, const char *value)
{
        return set_text(&r->m->target, value);
}

static sw_err *
set_id(struct reader *r, const char *value)
{
        return set_text(&r->m->id, value);
}

static sw_err *
set_env(struct reader *r, const char *value)
{
        return set_text(&r->m->env, value);
}

/* A switch: bare or with a boolean. */
static sw_err *
read_bool(struct reader *r, const char *value, bool *out)
{
        *out = true;
        sw_err *err = value ? sw_parse_bool(value, out) : SW_OK;

        if (!err)
                return SW_OK;
        sw_err_drop(err, "said in the reference's words");
        return bad_value(r, value);
}

static sw_err *
set_readonly(struct reader *r, const char *value)
{
        r->readonly_given = true;
        return read_bool(r, value, &r->m->readonly);
}

static sw_err *
set_readwrite(struct reader *r, const char *value)
{
        bool yes = false;
        sw_err *err = read_bool(r, value, &yes);

        r->readonly_given = true;
        r->m->readonly = !yes;
        return err;
}

static sw_err *
set_required(struct reader *r, const char *value)
{
        if (r->m->type != SW_DF_MOUNT_SECRET && r->m->type != SW_DF_MOUNT_SSH)
                return wrong_type(r);
        return read_bool(r, value, &r->m->required);
}

static sw_err *
set_size(struct reader *r, const char *value)
{
        if (r->m->type != SW_DF_MOUNT_TMPFS)
                return wrong_type(r);
        sw_err *err = sw_parse_size(value, &r->m->size);

        if (!err && r->m->size >= 0)
                return SW_OK;
        sw_err_drop(err, "said in the reference's words");
        return bad_value(r, value);
}

/* Digits of @base, 32 bits. */
static sw_err *
read_number(struct reader *r, const char *value, int base, bool *has, uint32_t *out)
{
        uint64_t n = 0;
        const char *p = value;

        for (; *p >= '0' && *p < '0' + base && n <= UINT32_MAX; p++)
                n = n * (unsigned) base + (unsigned) (*p - '0');
        if (p == value || *p || n > UINT32_MAX)
                return bad_value(r, value);
        *has = true;
        *out = (uint32_t) n;
        return SW_OK;
}

static sw_err *
set_mode(struct reader *r, const char *value)
{
        return read_number(r, value, 8, &r->m->has_mode, &r->m->mode);
}

static sw_err *
set_uid(struct reader *r, const char *value)
{
        return read_number(r, value, 10, &r->m->has_uid, &r->m->uid);
}

static sw_err *
set_gid(struct reader *r, const char *value)
{
        return read_number(r, value, 10, &r->m->has_gid, &r->m->gid);
}

static const struct {
        const char *key;
        sw_err *(*set)(struct reader *r, const char *value); /* value NULL: a bare key */
        bool bare;
} keys[] = {
        { "type", set_type, false },
        { "from", set_from, false },
        { "source", set_source, false },
        { "src", set_source, false },
        { "target", set_target, false },
        { "dst", set_target, false },
        { "destination", set_target, false },
        { "readonly", set_readonly, true },
        { "ro", set_readonly, true },
        { "readwrite", set_readwrite, true },
        { "rw", set_readwrite, true },
        { "required", set_required, true },
        { "size", set_size, false },
        { "id", set_id, false },
        { "sharing", set_sharing, false },
        { "mode", set_mode, false },
        { "uid", set_uid, false },
        { "gid", set_gid, false },
        { "env", set_env, false },
};

static sw_err *
unknown_key(const struct reader *r)
{
        const char *names[SW_COUNT(keys)];

        for (size_t i = 0; i < SW_COUNT(keys); i++)
                names[i] = keys[i].key;
        const char *near = sw_df_suggest(r->key, names, SW_COUNT(names), true);
        sw_auto(sw_str) key = sw_df_plain(r->key), field = sw_df_plain(r->field);

        return sw_err_new(SW_E_INVALID, "unexpected key '%s' in '%s'%s%s%s", key, field,
                          near ? " (did you mean " : "", near ? near : "",
                          near ? "?)" : "");
}

static sw_err *
no_value(const struct reader *r)
{
        sw_auto(sw_str) field = sw_df_plain(r->field);

        return sw_err_new(SW_E_INVALID, "invalid field '%s' must be a key=value pair",
                          field);
}

/* @value: not expanded yet; NULL: there is none. */
static sw_err *
apply(struct reader *r, const char *value, sw_df_expand_fn expand, void *arg)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        size_t i = 0;

        while (i < SW_COUNT(keys) && strcmp(keys[i].key, r->key) != 0)
                i++;
        if (!value)
                return i < SW_COUNT(keys) && keys[i].bare ? keys[i].set(r, NULL)
                                                          : no_value(r);
        sw_err *err = expand(arg, value, &text);

        if (err)
                return err;
        return i < SW_COUNT(keys) ? keys[i].set(r, text.data) : unknown_key(r);
}

/* What can be told before variables have values. */
static sw_err *
check_early(const char *key, const char *value)
{
        const char *dollar = value ? strchr(value, '$') : NULL;

        while (dollar && (!dollar[1] || dollar[1] == '\n'))
                dollar = strchr(dollar + 1, '$');
        if (!dollar || strcmp(key, "from") != 0)
                return SW_OK;
        return sw_err_new(SW_E_INVALID,
                          "'%s' doesn't support variable expansion, define "
                          "alias stage instead",
                          key);
}

static sw_err *
read_field(struct reader *r, const char *field, sw_df_expand_fn expand, void *arg)
{
        size_t n = strcspn(field, "=");
        const char *value = field[n] ? field + n + 1 : NULL;
        sw_auto(sw_str) key = sw_strndup(field, n);

        for (char *c = key; *c; c++)
                *c = (char) (*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        r->key = key;
        r->field = field;
        return expand ? apply(r, value, expand, arg) : check_early(key, value);
}

static sw_err *
check_secret(const struct sw_df_mount *m)
{
        if (*m->from)
                return sw_err_new(SW_E_INVALID, "secret mount should not have a from");
        if (!*m->source && !*m->target && !*m->id)
                return sw_err_new(SW_E_INVALID,
                                  "invalid secret mount. one of source, target required");
        if (*m->source && *m->id)
                return sw_err_new(SW_E_INVALID, "both source and id can't be set");
        return SW_OK;
}

/* The rules of the type, when all fields are known. */
static sw_err *
check_mount(const struct reader *r)
{
        const struct sw_df_mount *m = r->m;
        const char *type = type_names[m->type];
        const char *extra = m->has_mode  ? "mode"
                            : m->has_uid ? "uid"
                            : m->has_gid ? "gid"
                                         : NULL;

        if (extra && (m->type == SW_DF_MOUNT_BIND || m->type == SW_DF_MOUNT_TMPFS))
                return sw_err_new(SW_E_INVALID, "%s not allowed for \"%s\" type mounts",
                                  extra, type);
        if (r->sharing_given && m->type != SW_DF_MOUNT_CACHE)
                return sw_err_new(SW_E_INVALID, "invalid cache sharing set for %s mount",
                                  type);
        return m->type == SW_DF_MOUNT_SECRET ? check_secret(m) : SW_OK;
}

void
sw_df_mount_release(struct sw_df_mount *m)
{
        free(m->from);
        free(m->source);
        free(m->target);
        free(m->id);
        free(m->env);
        *m = (struct sw_df_mount){ 0 };
}

sw_err *
sw_df_mount_parse(const char *value, sw_df_expand_fn expand, void *arg,
                  struct sw_df_mount *out)
{
        struct sw_df_mount m = { 0 };
        struct reader r = { .m = &m };
        sw_auto(sw_strlist) fields = { 0 };
        sw_err *err = sw_csv_split(value, &fields);

        if (err)
                return sw_err_wrap(err, "failed to parse csv mounts");
        m.from = sw_strdup("");
        m.source = sw_strdup("");
        m.target = sw_strdup("");
        m.id = sw_strdup("");
        for (size_t i = 0; !err && i < fields.n; i++)
                err = read_field(&r, fields.v[i], expand, arg);
        if (!err && expand)
                err = check_mount(&r);
        if (!r.readonly_given)
                m.readonly = m.type != SW_DF_MOUNT_CACHE && m.type != SW_DF_MOUNT_TMPFS;
        if (err || !expand)
                sw_df_mount_release(&m);
        else
                *out = m;
        return err;
}
