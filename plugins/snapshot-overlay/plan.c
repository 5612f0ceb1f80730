/*
 * plugins/snapshot-overlay/plan.c - which directories a stack is mounted from.
 *
 * Every lower directory costs the kernel some 10 us per mount, and there may be 500. So of
 * a stack that is high, runs of RADIX layers (and of RADIX such runs), counted from the
 * bottom so that a growing stack has them again, are put together into one directory each
 * (lib/snapdir/flat.c): where they have few entries, because that pays after a few mounts;
 * and where there are too many layers, in any case.
 *
 * Thread: any; no state.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/snapshot-overlay/overlay.h"

enum {
        RADIX = 16,
        LOW = 2 * RADIX,   /* stacks up to this are mounted as they are */
        MANY = 400,        /* more than this are put together whatever they have */
        FEW_ENTRIES = 256, /* of RADIX layers; of RADIX times RADIX, so many times more */
};

struct planner {
        struct overlay *o;
        sw_ctx *ctx;
        const struct snapdir_stack *st;
        unsigned force; /* runs of this level and below are put together in any case */
        SW_ARRAY(char *) paths; /* bottom first; owned */
};

static size_t
run_length(unsigned level)
{
        size_t n = 1;

        while (level--)
                n *= RADIX;
        return n;
}

/* The directories of a run: layers, or runs that were put together before. */
static void
add_sources(const struct planner *p, size_t first, unsigned level, struct snapdir_slice *sl)
{
        const size_t step = run_length(level - 1);
        char path[SNAPDIR_PATH];

        for (size_t i = first + run_length(level); i > first;) {
                struct snapdir_slice part = { .keys = p->st->keys.v + i - step, .n = step };

                if (level > 1 && snapdir_slice_find(p->o->dir, &part, path)) {
                        sw_array_push(&sl->sources, sw_strdup(path));
                        i -= step;
                        continue;
                }
                for (size_t k = 0; k < step; k++) {
                        snapdir_stack_path(p->st, --i, path);
                        sw_array_push(&sl->sources, sw_strdup(path));
                }
        }
}

/* Add the run of @level at @first as one directory; *done: whether that was worth it. */
static sw_err *
add_run(struct planner *p, size_t first, unsigned level, bool *done)
{
        sw_auto(snapdir_slice) sl = { .keys = p->st->keys.v + first,
                                      .n = run_length(level) };
        const size_t limit = FEW_ENTRIES * run_length(level - 1);
        char path[SNAPDIR_PATH];
        size_t entries;

        *done = snapdir_slice_find(p->o->dir, &sl, path);
        if (!*done) {
                add_sources(p, first, level, &sl);
                sw_err *err = snapdir_slice_entries(p->o->dir, &sl, limit, &entries);

                if (!err && entries > limit && level > p->force)
                        return SW_OK;
                if (!err)
                        err = snapdir_slice_make(p->o->dir, p->ctx, &sl, path);
                if (err)
                        return err;
                *done = true;
        }
        sw_array_push(&p->paths, sw_strdup(path));
        return SW_OK;
}

/* Add [first, end): the highest runs that are whole and worth it, then what is left. */
static sw_err *
add_range(struct planner *p, size_t first, size_t end)
{
        char path[SNAPDIR_PATH];
        sw_err *err = SW_OK;

        while (first < end && !err) {
                bool done = false;

                for (unsigned level = 2; level > 0 && !done && !err; level--) {
                        const size_t n = run_length(level);

                        if (first % n == 0 && first + n <= end) {
                                err = add_run(p, first, level, &done);
                                first += done ? n : 0;
                        }
                }
                if (done || err)
                        continue;
                snapdir_stack_path(p->st, first++, path);
                sw_array_push(&p->paths, sw_strdup(path));
        }
        return err;
}

static void
planner_release(struct planner *p)
{
        for (size_t i = 0; i < p->paths.n; i++)
                free(p->paths.v[i]);
        sw_array_release(&p->paths);
}

sw_err *
overlay_plan_stack(struct overlay *o, sw_ctx *ctx, const struct snapdir_stack *st,
                   size_t least, struct overlay_plan *out)
{
        struct planner p = { .o = o, .ctx = ctx, .st = st };
        sw_err *err = SW_OK;

        for (; p.force <= 2 && !err; p.force++) {
                planner_release(&p);
                if (st->keys.n > LOW) {
                        err = add_range(&p, 0, st->keys.n);
                } else {
                        char path[SNAPDIR_PATH];

                        for (size_t i = 0; i < st->keys.n; i++) {
                                snapdir_stack_path(st, i, path);
                                sw_array_push(&p.paths, sw_strdup(path));
                        }
                }
                if (p.paths.n <= MANY)
                        break;
        }
        if (!err && p.paths.n > MANY)
                err = sw_err_new(SW_E_LIMIT, "a stack of %zu layers: at most %d",
                                 st->keys.n, MANY * RADIX * RADIX);
        while (!err && p.paths.n)
                sw_array_push(&out->lower, p.paths.v[--p.paths.n]);
        planner_release(&p);
        for (unsigned i = 0; out->lower.n < least; i++)
                sw_array_push(&out->lower, sw_strdup(i ? "e/1" : "e/0"));
        return err;
}
