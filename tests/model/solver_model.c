/*
 * tests/model/solver_model.c - the solver against a naive evaluator, on random worlds.
 *
 *      solver_model                    100,000 worlds from seed 1, and the small worlds
 *      SLIPWAY_MODEL_SEEDS=5000000     as many
 *      SEED=12345                      that one alone; its trace is printed if it fails
 *      TRACE=1 SEED=12345              the traces of all its builds
 *
 * A world is a graph and what its ops mean. It is built several times with one key store,
 * edited in between, by up to five jobs at once that come, solve, are cancelled and go in
 * any order; results are lost, ops fail, an imported cache is there or not.
 *
 * What it would catch: a wrong result; an op run twice or needlessly; a step that never
 * ends; a leak; a pair of state and event that the tables do not know (assertion) or that
 * is never reached (coverage below 100 %).
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <slipway/buf.h>

#include "tests/model/model.h"

struct drive *now_driving;
uint64_t now_seed;

static void
report(const char *what)
{
        sw_buf text = SW_BUF_INIT;

        if (now_driving)
                sw__trace_print(now_driving->core->trace, &text);
        printf("# seed %" PRIu64 ": %s\n%s# again with: SEED=%" PRIu64 " solver_model\n",
               now_seed, what, text.data, now_seed);
        fflush(stdout);
        sw_buf_release(&text);
}

void
model_fail(const char *fmt, ...)
{
        va_list ap;
        char what[512];

        va_start(ap, fmt);
        vsnprintf(what, sizeof(what), fmt, ap);
        va_end(ap);
        report(what);
        printf("not ok - %s\n", what);
        exit(1);
}

static void
on_abort(int sig)
{
        (void) sig;
        report("an assertion failed");
        _exit(1);
}

/* ---- random worlds ---- */

static void
random_roots(struct world *w, struct sw_vertex_input *roots, unsigned *n)
{
        *n = 1 + choose(&w->ch, 2);
        for (unsigned i = 0; i < *n; i++) {
                roots[i].vertex =
                        chance(&w->ch, 50) ? w->n_vx - 1 : choose(&w->ch, w->n_vx);
                roots[i].output = choose(&w->ch, w->vx[roots[i].vertex].sense->n_out);
        }
}

static void
random_solve(struct drive *d)
{
        struct world *w = d->w;
        struct sw_vertex_input roots[2];
        unsigned n, job, ignore = 0;

        if (d->n_solves == MAX_SOLVES)
                return;
        if (d->n_jobs == 0 || (d->n_jobs < MAX_JOBS && chance(&w->ch, 70)))
                job = drive_job(d, d->one_set ? w->set[0] : w->set[choose(&w->ch, 2)]);
        else
                job = choose(&w->ch, d->n_jobs);
        if (!d->jobs[job].job)
                return;
        if (chance(&w->ch, 20))
                ignore = choose(&w->ch, 1u << 16), ignore &= choose(&w->ch, 1u << 16);
        random_roots(w, roots, &n);
        drive_solve(d, job, roots, n, ignore);
}

static void
random_move(struct drive *d, unsigned violence)
{
        struct chooser *ch = &d->w->ch;
        unsigned dice = choose(ch, 100);

        if (dice < 45)
                drive_step(d);
        else if (dice < 85 && d->pending.n)
                drive_finish(d, choose(ch, (unsigned) d->pending.n));
        else if (dice < 90)
                drive_flush(d);
        else if (dice < 90 + violence && d->n_solves)
                drive_cancel(d, choose(ch, d->n_solves));
        else if (dice < 90 + violence + 1 && d->n_jobs && violence)
                drive_end_job(d, choose(ch, d->n_jobs));
        else if (dice >= 98)
                sw__core_limit_set(d->core, &d->limit, choose(ch, 2) ? 2 : LIMIT_UNITS);
}

static void
random_build(struct world *w, struct sw__coverage *sum)
{
        static const unsigned steps[] = { 1, 2, 256 };
        struct drive d;
        unsigned violence = chance(&w->ch, 60) ? choose(&w->ch, 4) : 0;
        unsigned todo = 1 + choose(&w->ch, 6);

        drive_init(&d, w, steps[choose(&w->ch, 3)]);
        d.one_set = chance(&w->ch, 60);
        while (todo--) {
                random_solve(&d);
                for (unsigned n = choose(&w->ch, 60); n; n--)
                        random_move(&d, violence);
        }
        drive_drain(&d);
        drive_release(&d, sum);
}

/* The remote store gets what another machine built. */
static void
build_elsewhere(struct world *w, struct sw__coverage *sum)
{
        struct drive d;
        struct sw_vertex_input roots[2];
        unsigned n;

        drive_init(&d, w, 256);
        d.importing = true;
        random_roots(w, roots, &n);
        drive_solve(&d, drive_job(&d, w->remote_set), roots, n, 0);
        drive_drain(&d);
        drive_release(&d, sum);
}

/*
 * What was built once is not built again: the same graph with the local store alone and all
 * results but the roots' gone takes no run and no content key.
 */
static void
check_rebuild(struct world *w, struct sw__coverage *sum)
{
        struct drive d;
        struct sw_vertex_input root = { w->n_vx - 1, 0 };
        struct sw_map_iter it;
        char *id;

        if (w->vx[root.vertex].unsteady || w->vx[root.vertex].ill)
                return;
        drive_init(&d, w, 256);
        drive_solve(&d, drive_job(&d, w->set[choose(&w->ch, 2)]), &root, 1, 0);
        drive_drain(&d);
        id = sw_strdup(sw__result_id(d.solves[0].s->results[0]));
        drive_release(&d, sum);

        it = SW_MAP_ITER(w->results);
        while (sw_map_next(&it))
                if (strcmp(it.key, id) != 0)
                        ((struct stored *) it.value)->gone = true;
        free(id);

        drive_init(&d, w, 256);
        drive_solve(&d, drive_job(&d, w->set[0]), &root, 1, 0);
        drive_drain(&d);
        if (d.n_run || d.n_content)
                model_fail("rebuild: %u ops ran, %u content keys were made", d.n_run,
                           d.n_content);
        drive_release(&d, sum);
}

/* ---- nothing is evaluated that need not be ---- */

static unsigned
size_of(const struct need *n)
{
        unsigned size = (unsigned) __builtin_popcount(n->runs);

        for (unsigned v = 0; v < MAX_VX; v++)
                size += (unsigned) (__builtin_popcount(n->loads[v]) +
                                    __builtin_popcount(n->contents[v]));
        return size;
}

static void
check_need(const struct need *did, const struct need *need)
{
        for (unsigned v = 0; v < MAX_VX; v++) {
                unsigned contents = did->contents[v] & ~need->contents[v];

                if (did->runs & ~need->runs & (1u << v))
                        model_fail("vertex %u ran and need not have", v);
                if (did->loads[v] & ~need->loads[v])
                        model_fail("vertex %u was loaded and need not have been", v);
                if (contents)
                        model_fail("vertex %u: content of inputs %#x was not needed", v,
                                   contents);
        }
}

static struct {
        uint64_t builds, equal;
} frugal;

/* A build by one job; then edits, and losses, and another. */
static void
frugal_build(struct world *w, struct sw__coverage *sum)
{
        unsigned places = 1 + choose(&w->ch, 2);
        struct sw_vertex_input root = { w->n_vx - 1 - choose(&w->ch, 2), 0 };
        struct need need;
        struct drive d;

        if (w->vx[root.vertex].ill)
                return;
        naive_need(w, places, root, &need);
        drive_init(&d, w, 256);
        drive_solve(&d, drive_job(&d, w->set[places - 1]), &root, 1, 0);
        drive_drain(&d);
        check_need(&d.did, &need);
        if (d.n_taken_back)
                model_fail("%u acts were begun and taken back", d.n_taken_back);
        frugal.builds++;
        frugal.equal += size_of(&d.did) == size_of(&need);
        drive_release(&d, sum);
}

static void
frugal_world(uint64_t seed, struct sw__coverage *sum)
{
        struct world w = { 0 };

        now_seed = seed;
        world_init(&w, seed);
        world_plain_graph(&w);
        if (chance(&w.ch, 30))
                build_elsewhere(&w, sum);
        for (unsigned i = 1 + choose(&w.ch, 4); i; i--) {
                /* What was imported by one cache map and stored is not found by another:
                 * the naive evaluator knows that, this table does not. */
                sw_map_free(w.succeeded);
                w.succeeded = sw_map_new(NULL);
                frugal_build(&w, sum);
                if (chance(&w.ch, 40))
                        world_lose_results(&w, choose(&w.ch, 60));
                if (chance(&w.ch, 80))
                        world_mutate(&w);
        }
        world_release(&w);
}

static void
random_world(uint64_t seed, struct sw__coverage *sum)
{
        struct world w = { 0 };
        unsigned builds;

        now_seed = seed;
        world_init(&w, seed);
        world_new_graph(&w);
        builds = 1 + choose(&w.ch, 3);
        if (chance(&w.ch, 40))
                build_elsewhere(&w, sum);
        for (unsigned i = 0; i < builds; i++) {
                random_build(&w, sum);
                if (chance(&w.ch, 30))
                        world_lose_results(&w, choose(&w.ch, 60));
                if (chance(&w.ch, 70))
                        world_mutate(&w);
        }
        if (chance(&w.ch, 30))
                check_rebuild(&w, sum);
        world_release(&w);
}

/* ---- coverage ---- */

static bool
report_coverage(const struct sw__coverage *c)
{
        unsigned legal = 0, reached = 0;

        for (unsigned s = 0; s < SW__E_STATES; s++)
                for (unsigned e = 0; e < SW__EV_EVENTS; e++)
                        if (sw__edge_step_is_legal(s, e)) {
                                legal++;
                                reached += c->edge[s][e] > 0;
                                printf("# edge %-9s %-7s %12" PRIu64 "\n",
                                       sw__edge_state_name(s), sw__edge_event_name(e),
                                       c->edge[s][e]);
                        }
        for (unsigned s = 0; s < SW__R_STATES; s++)
                for (unsigned e = 0; e < SW__RE_EVENTS; e++)
                        if (sw__run_step_is_legal(s, e)) {
                                legal++;
                                reached += c->run[s][e] > 0;
                                printf("# run  %-9s %-7s %12" PRIu64 "\n",
                                       sw__run_state_name(s), sw__run_event_name(e),
                                       c->run[s][e]);
                        }
        printf("# coverage: %u of %u legal steps (%.1f %%)\n", reached, legal,
               100.0 * reached / legal);
        return reached == legal;
}

static uint64_t
number_from_env(const char *name, uint64_t otherwise)
{
        const char *s = getenv(name);

        return s && *s ? strtoull(s, NULL, 0) : otherwise;
}

int
main(void)
{
        uint64_t seeds = number_from_env("SLIPWAY_MODEL_SEEDS", 100000);
        uint64_t seed = number_from_env("SEED", 0);
        uint64_t runs = number_from_env("SLIPWAY_MODEL_RUNS", 40000);
        static struct sw__coverage sum;
        unsigned tests = n_scenarios() + 3;
        bool covered;

        (void) signal(SIGABRT, on_abort);
        if (seed) {
                random_world(seed, &sum);
                frugal_world(seed, &sum);
                printf("1..1\nok 1 - seed %" PRIu64 "\n", seed);
                return 0;
        }
        printf("1..%u\n", tests);
        for (unsigned i = 0; i < n_scenarios(); i++) {
                const char *name;
                bool complete;
                uint64_t n = scenario_explore(i, runs, &name, &complete, &sum);

                printf("ok %u - %s: %s%" PRIu64 " orders\n", i + 1, name,
                       complete ? "all " : "", n);
                fflush(stdout);
        }
        for (uint64_t i = 1; i <= seeds; i++)
                random_world(i, &sum);
        printf("ok %u - %" PRIu64 " random worlds equal the naive evaluator\n", tests - 2,
               seeds);
        for (uint64_t i = 1; i <= seeds / 2; i++)
                frugal_world(i, &sum);
        printf("ok %u - %" PRIu64 " builds evaluate no more than they must; %" PRIu64
               " all that a naive one does\n",
               tests - 1, frugal.builds, frugal.equal);
        covered = report_coverage(&sum);
        printf("%sok %u - every legal step of the tables was made\n", covered ? "" : "not ",
               tests);
        return covered ? 0 : 1;
}
