/*
 * core/plugin/missing.c - what to say when a plugin is not there.
 *
 * One line: what was asked for, near names, the plugins of that kind that are there, the
 * directories searched, and the package that would bring it. What was asked for may come
 * from outside and is quoted when it is not a legal name. Thread: any, once loading is
 * over.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/plugin/host_priv.h"

enum { NAMES_SHOWN = 20 };

/* Names of that kind: own and provided ones, of whatever state. Borrowed. */
typedef SW_ARRAY(const char *) names;

static void
add_name(names *out, const char *name)
{
        for (size_t i = 0; i < out->n; i++)
                if (strcmp(out->v[i], name) == 0)
                        return;
        sw_array_push(out, name);
}

static void
collect(const sw_host *h, unsigned kind, names *out)
{
        for (size_t i = 0; i < h->modules.n; i++) {
                const struct sw__module *m = h->modules.v[i];
                const char *const *alias = m->info.descriptor ? m->desc.provides : NULL;

                if (m->kind != kind || m->info.fault == SW_FAULT_DUPLICATE)
                        continue;
                add_name(out, m->name);
                for (; alias && *alias; alias++)
                        add_name(out, *alias);
        }
}

static void
add_names(sw_buf *b, const char *kind, const names *n)
{
        if (n->n == 0) {
                sw_buf_addf(b, "; no %s is there", kind);
                return;
        }
        sw_buf_addf(b, "; of kind %s there %s ", kind, n->n == 1 ? "is" : "are");
        for (size_t i = 0; i < n->n && i < NAMES_SHOWN; i++)
                sw_buf_addf(b, "%s%s", i ? ", " : "", n->v[i]);
        if (n->n > NAMES_SHOWN)
                sw_buf_addf(b, " and %zu more", n->n - NAMES_SHOWN);
}

static void
add_dirs(sw_buf *b, const sw_host *h)
{
        sw_buf_adds(b, h->dirs.n ? "; searched " : "; no directory is searched");
        for (size_t i = 0; i < h->dirs.n; i++) {
                const struct sw__plugin_dir *d = &h->dirs.v[i];

                sw_buf_addf(b, "%s%s", i ? ", " : "", d->path);
                if (d->trouble)
                        sw_buf_addf(b, " (%s)", d->trouble);
        }
}

char *
sw__missing_text(const sw_host *h, unsigned kind_number, const char *name)
{
        const char *kind = sw_kind_name(kind_number), *near;
        sw_auto(sw_buf) b = SW_BUF_INIT;
        names there = { 0 };

        if (!kind)
                return sw_asprintf("there is no plugin kind %u", kind_number);
        if (!sw__plugin_name_ok(name)) {
                sw_buf_addf(&b, "no %s is called ", kind);
                sw_buf_add_quoted(&b, name ? name : "", name ? strlen(name) : 0,
                                  SW__PLUGIN_NAME_MAX);
                sw_buf_adds(&b, ": names are made of a-z, 0-9, '.' and '-'");
                return sw_buf_detach(&b);
        }
        collect(h, kind_number, &there);
        near = sw_near(name, there.v, there.n);
        sw_buf_addf(&b, "plugin %s/%s is not there", kind, name);
        if (near)
                sw_buf_addf(&b, " (did you mean %s?)", near);
        add_names(&b, kind, &there);
        add_dirs(&b, h);
        sw_buf_addf(&b, "; it would come with the package slipway-%s-%s", kind, name);
        sw_array_release(&there);
        return sw_buf_detach(&b);
}
