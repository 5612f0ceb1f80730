/*
 * cmd/slipway/verb_du.c - `slipway du`: what takes up disk space.
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/usage.h"

/* A record with strings of its own. */
struct row {
        struct sw_usage u;
        sw_strlist parents;
        char *description, *type;
};

typedef SW_ARRAY(struct row) rows;

static bool
collect(void *arg, const struct sw_usage *u)
{
        rows *all = arg;
        struct row r = { .u = *u,
                         .description = sw_strdup(u->description),
                         .type = sw_strdup(u->type) };

        for (size_t i = 0; i < u->parents->n; i++)
                sw_strlist_add(&r.parents, u->parents->v[i]);
        sw_array_push(all, r);
        return true;
}

static int
by_size(const void *a, const void *b)
{
        const struct row *x = a, *y = b;

        if (x->u.size != y->u.size)
                return x->u.size < y->u.size ? -1 : 1;
        return strcmp(x->u.id, y->u.id);
}

static void
rows_release(rows *all)
{
        for (size_t i = 0; i < all->n; i++) {
                sw_strlist_release(&all->v[i].parents);
                free(all->v[i].description);
                free(all->v[i].type);
        }
        sw_array_release(all);
}

static void
add_sums(const rows *all, sw_buf *out)
{
        sw_auto(tabs) t = { 0 };
        int64_t total = 0, shared = 0, reclaimable = 0;
        char text[32];

        for (size_t i = 0; i < all->n; i++) {
                const struct sw_usage *u = &all->v[i].u;

                total += u->size;
                shared += u->shared ? u->size : 0;
                reclaimable += u->in_use ? 0 : u->size;
        }
        if (shared) {
                tabs_add(&t, "Shared:", sw_size_str(shared, text), NULL);
                tabs_add(&t, "Private:", sw_size_str(total - shared, text), NULL);
        }
        tabs_add(&t, "Reclaimable:", sw_size_str(reclaimable, text), NULL);
        tabs_add(&t, "Total:", sw_size_str(total, text), NULL);
        tabs_print(&t, out);
}

static sw_err *
format_rows(const rows *all, const template *t, sw_buf *out)
{
        sw_autoptr(sw_json) list = json_array();

        for (size_t i = 0; i < all->n; i++)
                json_array_append_new(list, usage_json(&all->v[i].u));
        sw_err *err = template_run(t, list, out);
        if (!err)
                sw_buf_addc(out, '\n');
        return err;
}

static sw_err *
print_rows(const rows *all, const usage_look *look)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_auto(tabs) columns = { 0 };

        if (look->format) {
                sw_err *err = format_rows(all, look->format, &out);

                return err ? err : out_text(&out);
        }
        if (!look->verbose)
                usage_add_head(&columns);
        for (size_t i = 0; i < all->n; i++) {
                if (look->verbose)
                        usage_add_verbose(&out, &all->v[i].u);
                else
                        usage_add_row(&columns, &all->v[i].u);
        }
        tabs_print(&columns, &out);
        if (!look->filter)
                add_sums(all, &out);
        return out_text(&out);
}

static sw_err *
run_du(const struct cli_call *call)
{
        sw_auto(store) s = STORE_INIT;
        sw_auto(usage_look) look = { 0 };
        rows all = { 0 };
        sw_err *err = usage_look_read(call, &look);

        if (!err)
                err = store_open(&s, call, true);
        if (!err && s.root)
                err = sw__worker_usage(sw__root_worker(s.root), NULL, look.filter, 0,
                                       collect, &all);
        if (!err && all.n)
                qsort(all.v, all.n, sizeof(*all.v), by_size);
        for (size_t i = 0; i < all.n; i++) { /* they do not move any more */
                all.v[i].u.parents = &all.v[i].parents;
                all.v[i].u.description = all.v[i].description;
                all.v[i].u.type = all.v[i].type;
        }
        if (!err)
                err = print_rows(&all, &look);
        rows_release(&all);
        return err;
}

static const struct cli_flag du_flags[] = {
        USAGE_LOOK_FLAGS,
        { .name = "format",
          .type = CLI_STRING,
          .value = "TEMPLATE",
          .help = "print the list of records through a template; json is one" },
        { .name = NULL },
};

CLI_VERB(du) = {
        .name = "du",
        .summary = "show what takes up disk space",
        .details =
                "Lists what is stored below the root, the smallest first. Records that "
                "nothing uses now are reclaimable: slipway prune removes them. Those with "
                "a star are mutable. The sizes add up to what du(1) says of the root.\n"
                "\n"
                "A tree's size is that of its layer, and of the layer's blobs, which "
                "count once. Those that images keep are shared, and stay.\n"
                "\n"
                "Besides trees there are content (other blobs), hashes and logs (of "
                "content, and "
                "of steps), state.KIND.NAME (what a plugin remembers) and meta, which is "
                "the rest. All of them but meta go with slipway prune --all.\n"
                "\n"
                "A filter is one or more conditions with commas between them, all of which "
                "must hold: FIELD==VALUE, FIELD!=VALUE, FIELD~=REGEXP, or FIELD alone. "
                "Fields are id, parents, description, inuse, mutable, immutable, type, "
                "shared and private. Types are regular, internal, frontend, source.local, "
                "source.git.checkout and exec.cachemount.\n"
                "\n"
                "Templates are those of Go, as far as {{json .}}, {{.Field}}, "
                "{{len .Field}}, {{range .}}, {{if .Field}}, {{else}} and {{end}}, with "
                "the "
                "fields ID, Mutable, InUse, Size, CreatedAt, LastUsedAt, UsageCount, "
                "Parents, Description, RecordType and Shared:\n"
                "\n"
                "    slipway du --format '{{range .}}{{.ID}}\\t{{.Size}}\\n{{end}}'\n",
        .flags = du_flags,
        .run = run_du,
};
