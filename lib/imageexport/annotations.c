/*
 * lib/imageexport/annotations.c - annotation[-TYPE][[PLATFORM]].KEY=VALUE, of the request
 * and of its results.
 */
#include <string.h>

#include <slipway/text.h>

#include "lib/imageexport/imageexport_priv.h"

#define WORD "annotation"

static const char *const types[] = { "manifest", "manifest-descriptor", "index",
                                     "index-descriptor" };

static sw_err *
type_of(const char *s, size_t n, enum note_type *out)
{
        for (size_t i = 0; i < SW_COUNT(types); i++)
                if (strlen(types[i]) == n && strncmp(types[i], s, n) == 0) {
                        *out = (enum note_type) i;
                        return SW_OK;
                }
        return sw_err_new(SW_E_INVALID, "unrecognized annotation type %.*s", (int) n, s);
}

/* One spelling, for comparison; what is no platform stays as it is. */
static char *
normal(const char *s, size_t n)
{
        char *text = sw_strndup(s, n);
        sw_platform *p = NULL;
        sw_err *err = sw_platform_parse(text, &p);

        if (err) {
                sw_err_drop(err, "it will be said that there is no such platform");
                return text;
        }
        free(text);
        text = sw_platform_str(p);
        sw_platform_free(p);
        return text;
}

sw_err *
note_parse(const struct sw_attr *a, bool *is, struct note *out)
{
        static const char lower[] = "abcdefghijklmnopqrstuvwxyz-";
        static const char in_platform[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                                          "wxyz0123456789_/-";
        const char *type = NULL, *platform = NULL, *p = a->key + strlen(WORD);
        size_t n_type = 0, n_platform = 0;
        sw_err *err;

        *is = false;
        if (!sw_str_has_prefix(a->key, WORD))
                return SW_OK;
        if (*p == '-') {
                type = p + 1;
                n_type = strspn(type, lower);
                p = type + n_type;
        }
        if (*p == '[') {
                platform = p + 1;
                n_platform = strspn(platform, in_platform);
                p = platform + n_platform;
                if (!n_platform || *p++ != ']')
                        return SW_OK;
        }
        if (*p != '.' || !p[1] || strpbrk(p + 1, " \t\r\n\v\f") || (type && !n_type))
                return SW_OK;
        *is = true;
        *out = (struct note){ .key = p + 1, .value = a->value };
        err = type ? type_of(type, n_type, &out->type) : SW_OK;
        if (!err && platform)
                out->platform = normal(platform, n_platform);
        return err;
}

void
notes_release(notes *n)
{
        for (size_t i = 0; i < n->n; i++)
                free(n->v[i].platform);
        sw_array_release(n);
}

static bool
is_index_note(const struct note *n)
{
        return n->type == NOTE_INDEX || n->type == NOTE_INDEX_DESC;
}

static bool
has_platform(const struct sw_made *made, const char *platform)
{
        for (size_t i = 0; i < made->images.n; i++)
                if (strcmp(made->images.v[i].platform, platform) == 0)
                        return true;
        return false;
}

static sw_err *
check(const struct note *n, const struct sw_imageexport *e, const struct sw_made *made)
{
        if (is_index_note(n) && !made->is_index)
                return sw_err_new(SW_E_INVALID,
                                  "index annotations not supported for single "
                                  "platform export");
        if (n->type != NOTE_MANIFEST && e->docker_types)
                return sw_err_new(SW_E_INVALID, "cannot export annotations with "
                                                "\"oci-mediatypes=false\"");
        if (n->platform && !is_index_note(n) && !has_platform(made, n->platform))
                return sw_err_new(SW_E_INVALID,
                                  "invalid annotation: no platform %s found in source",
                                  n->platform);
        return SW_OK;
}

static sw_err *
collect(const struct sw_attr *a, size_t n, const struct sw_imageexport *e,
        const struct sw_made *made, notes *out)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < n && !err; i++) {
                struct note note;
                bool is;

                err = note_parse(&a[i], &is, &note);
                if (err || !is)
                        continue;
                sw_array_push(out, note);
                err = check(&note, e, made);
        }
        return err;
}

/* Later ones win: the results' are the frontend's last word. */
sw_err *
notes_collect(const struct sw_export_request *req, const struct sw_imageexport *e,
              const struct sw_made *made, notes *out)
{
        sw_err *err = collect(req->attrs, req->n_attrs, e, made, out);

        for (size_t i = 0; i < req->n_refs && !err; i++)
                err = collect(req->refs[i].meta, req->refs[i].n_meta, e, made, out);
        return err;
}

void
notes_apply(const notes *n, enum note_type type, const char *platform, sw_pairs *out)
{
        /* what is for all first, so that what is for one platform replaces it */
        for (int own = 0; own < 2; own++)
                for (size_t i = 0; i < n->n; i++) {
                        const struct note *a = &n->v[i];
                        bool mine = !a->platform || !platform ||
                                    strcmp(a->platform, platform) == 0;

                        if (a->type == type && mine && (a->platform != NULL) == own)
                                sw_pairs_set(out, a->key, a->value);
                }
}
