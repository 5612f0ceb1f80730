/*
 * cmd/slipway/verb_prune.c - `slipway prune`: remove what nothing uses.
 * Thread: main.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/usage.h"
#include "core/solver/keystore_lmdb.h"

struct pruned {
        const usage_look *look;
        sw_keystore *keys;
        bool any; /* a record was printed */
        int64_t total;
        sw_err *err; /* of printing, or of the keys */
};

/* Records are printed as they go: removing a large one takes time. */
static sw_err *
print_one(struct pruned *p, const struct sw_usage *u)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_auto(tabs) columns = { 0 };
        sw_err *err = SW_OK;

        if (p->look->format) {
                sw_autoptr(sw_json) record = usage_json(u);

                err = template_run(p->look->format, record, &out);
                sw_buf_addc(&out, '\n');
        } else if (p->look->verbose) {
                usage_add_verbose(&out, u);
        } else {
                if (!p->any)
                        usage_add_head(&columns);
                usage_add_row(&columns, u);
                tabs_print(&columns, &out);
        }
        p->any = true;
        return err ? err : out_text(&out);
}

static bool
show(void *arg, const struct sw_usage *u)
{
        struct pruned *p = arg;

        p->total += u->size;
        if (!p->err)
                p->err = print_one(p, u);
        return !p->err;
}

/* The keys of a ref's results go with it. */
static void
forget(void *arg, const char *result)
{
        struct pruned *p = arg;
        sw_err *err = p->keys->ops->release(p->keys, result);

        if (!err)
                err = p->keys->ops->commit(p->keys);
        if (p->err)
                sw_err_drop(err, "the first one is told");
        else
                p->err = err;
}

/* ---- flags ---- */

static sw_err *
megabytes(const struct cli_call *call, const char *flag, int64_t *out)
{
        const char *text = cli_str(call, flag);
        char *end;

        if (!text)
                return SW_OK;
        const double mb = strtod(text, &end);
        if (end == text || *end || !isfinite(mb) || mb < 0 || mb > 9e12)
                return sw_err_new(SW_E_USAGE, "--%s: \"%.50s\" is no number of megabytes",
                                  flag, text);
        *out = (int64_t) (mb * 1e6);
        return SW_OK;
}

static sw_err *
read_flags(const struct cli_call *call, struct sw_prune_opts *o)
{
        const char *keep = cli_str(call, "keep-duration");
        sw_err *err = megabytes(call, "keep-storage", &o->max_used_space);

        if (!err)
                err = megabytes(call, "keep-storage-min", &o->reserved_space);
        if (!err)
                err = megabytes(call, "free-storage", &o->min_free_space);
        if (err || !keep)
                return err;
        err = sw_duration_parse(keep, &o->keep_duration);
        if (!err && o->keep_duration >= 0)
                return SW_OK;
        sw_err_drop(err, "told better");
        return sw_err_new(SW_E_USAGE,
                          "--keep-duration: \"%.50s\" is no duration, such as "
                          "48h or 90m",
                          keep);
}

static sw_err *
prune_root(sw_root *root, struct sw_prune_opts *o, struct pruned *p)
{
        p->keys = sw__keystore_lmdb_new(sw__root_meta(root));
        o->released = forget;
        o->released_arg = p;
        sw_err *err = sw__worker_prune(sw__root_worker(root), NULL, o, show, p);
        sw__keystore_free(p->keys);
        return err;
}

static sw_err *
print_total(const struct pruned *p)
{
        sw_auto(tabs) t = { 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        char text[32];

        if (p->look->format)
                return SW_OK;
        tabs_add(&t, "Total:", sw_size_str(p->total, text), NULL);
        tabs_print(&t, &out);
        return out_text(&out);
}

static sw_err *
run_prune(const struct cli_call *call)
{
        sw_auto(store) s = STORE_INIT;
        sw_auto(usage_look) look = { 0 };
        struct sw_prune_opts o = { .all = cli_bool(call, "all") };
        sw_err *err = usage_look_read(call, &look);

        if (!err)
                err = read_flags(call, &o);
        if (!err)
                err = store_open(&s, call, false);
        if (err)
                return err;
        struct pruned p = { .look = &look };
        o.filter = look.filter;
        if (s.root)
                err = prune_root(s.root, &o, &p);
        if (err)
                sw_err_drop(p.err, "the first one is told");
        else
                err = p.err;
        return err ? err : print_total(&p);
}

static const struct cli_flag prune_flags[] = {
        { .name = "all",
          .type = CLI_BOOL,
          .help = "remove internal and frontend records, too" },
        USAGE_LOOK_FLAGS,
        { .name = "keep-duration",
          .type = CLI_STRING,
          .value = "DURATION",
          .help = "keep what was used more recently than this" },
        { .name = "keep-storage",
          .type = CLI_STRING,
          .value = "MB",
          .help = "keep this many megabytes, those used last" },
        { .name = "keep-storage-min",
          .type = CLI_STRING,
          .value = "MB",
          .help = "always keep this many megabytes" },
        { .name = "free-storage",
          .type = CLI_STRING,
          .value = "MB",
          .help = "remove until this many megabytes of the disk are free" },
        { .name = "format",
          .type = CLI_STRING,
          .value = "TEMPLATE",
          .help = "print each record through a template; json is one" },
        { .name = NULL },
};

CLI_VERB(prune) = {
        .name = "prune",
        .summary = "remove what nothing uses any more",
        .details =
                "Removes records that no build uses now and that nothing is made on, and "
                "then what they were made on. What other processes use stays, so that "
                "pruning beside builds is safe. What images need stays, too: see slipway "
                "images rm.\n"
                "\n"
                "Without a limit, all that matches goes. With one, those that were used "
                "least and longest ago go first, until it is kept. Filters and templates "
                "are those of slipway du.\n",
        .flags = prune_flags,
        .run = run_prune,
};
