/*
 * tests/model/scenario.c - small worlds in which every order of events is tried.
 *
 * Claims and cancellation explored on the code itself instead of on a model of it: all
 * decisions (which act comes back, how a cancelled op ends, when the moves of the scenario
 * are made) are made by choose(), and the path of decisions is counted through until all
 * have been taken. At the end of each path: no deadlock (every solve has ended), no lost
 * result (values are right), no op twice for one key (drive.c), nothing left over.
 */
#include "tests/model/model.h"

/* Plain senses: nothing random in them. */
static struct sense *
plain(struct world *w, unsigned n_in, unsigned n_out)
{
        struct sense *s = &w->senses[w->n_senses++];

        memset(s, 0, sizeof(*s));
        s->id = w->n_senses;
        s->n_in = n_in;
        s->n_out = n_out;
        s->n_maps = 1;
        return s;
}

static unsigned
add(struct world *w, struct sense *s, unsigned a, unsigned b)
{
        struct sw_vertex_input in[2] = { { a, 0 }, { b, 0 } };

        return world_add(w, s, in);
}

/* What can be done from outside, once each, at any time. */
struct move {
        enum { SOLVE, CANCEL, END_JOB } what;
        unsigned which; /* job, or solve by order of starting */
        unsigned root, ignore;
        unsigned output;
};

struct scenario {
        const char *name;
        void (*make)(struct world *w);
        unsigned max_running;
        struct move moves[6]; /* in this order; first is a solve */
        unsigned n_moves;
        void (*prepare)(struct world *w); /* what was built before; may be NULL */
};

/* Two vertices with one key. */
static void
make_twins(struct world *w)
{
        struct sense *s = plain(w, 0, 1);

        add(w, s, 0, 0);
        add(w, s, 0, 0);
}

static void
make_two(struct world *w)
{
        add(w, plain(w, 0, 1), 0, 0);
        add(w, plain(w, 0, 1), 0, 0);
}

static void
make_ill_twins(struct world *w)
{
        make_twins(w);
        w->senses[0].runs_ill = true;
}

/* Three, so that a claim passes on twice. */
static void
make_triplets(struct world *w)
{
        make_twins(w);
        add(w, &w->senses[0], 0, 0);
}

/* Two chains of two with the same keys. */
static void
make_chains(struct world *w)
{
        struct sense *bottom = plain(w, 0, 1), *top = plain(w, 1, 1);
        unsigned a = add(w, bottom, 0, 0), b = add(w, bottom, 0, 0);

        add(w, top, a, a);
        add(w, top, b, b);
}

/* A diamond whose sides have one key: source, two sides, join. */
static void
make_diamond(struct world *w)
{
        struct sense *bottom = plain(w, 0, 1), *side = plain(w, 1, 1),
                     *top = plain(w, 2, 1);
        unsigned a = add(w, bottom, 0, 0), l = add(w, side, a, a), r = add(w, side, a, a);

        add(w, top, l, r);
}

/* A copy by content over a vertex with two outputs. */
static void
make_content(struct world *w)
{
        struct sense *bottom = plain(w, 0, 2), *top = plain(w, 1, 1);
        unsigned a = add(w, bottom, 0, 0);

        top->content = 1;
        top->collapse = 2;
        add(w, top, a, a);
}

/* The same where the copy has two outputs. */
static void
make_two_copies(struct world *w)
{
        make_content(w);
        w->senses[1].n_out = 2;
}

/* Both were built; of output 0 there is a record without a result, of output 1 nothing. */
static void
lose_copies(struct world *w)
{
        static struct sw__coverage unused;
        struct sw_vertex_input roots[2] = { { 1, 0 }, { 1, 1 } };
        struct drive d;

        drive_init(&d, w, 256);
        drive_solve(&d, drive_job(&d, w->set[0]), roots, 2, 0);
        drive_drain(&d);
        const char *id = sw__result_id(d.solves[0].s->results[0]);
        result_find(w, id)->gone = true;
        id = sw__result_id(d.solves[0].s->results[1]);
        sw_err_drop(w->local->ops->release(w->local, id), "it does not fail");
        drive_release(&d, &unused);
        sw_map_free(w->succeeded);
        w->succeeded = sw_map_new(NULL);
}

/* Two stages over one base, and copies of them onto each other. */
static void
make_stages(struct world *w)
{
        struct sense *base = plain(w, 0, 1), *one = plain(w, 1, 1), *two = plain(w, 1, 1),
                     *lower = plain(w, 2, 1), *upper = plain(w, 2, 1);
        unsigned b = add(w, base, 0, 0), s1 = add(w, one, b, b), s2 = add(w, two, b, b);

        lower->content = upper->content = 2;
        add(w, upper, add(w, lower, b, s1), s2);
}

/* All was built, and then both stages were edited. */
static void
edit_stages(struct world *w)
{
        static struct sw__coverage unused;
        struct sw_vertex_input root = { 4, 0 };
        struct drive d;

        drive_init(&d, w, 256);
        drive_solve(&d, drive_job(&d, w->set[0]), &root, 1, 0);
        drive_drain(&d);
        drive_release(&d, &unused);
        w->senses[1].id += 100;
        w->senses[2].id += 100;
        world_learn(w);
}

static const struct scenario scenarios[] = {
        { "twins in two jobs",
          make_twins,
          2,
          { { SOLVE, 0, 0, 0 }, { SOLVE, 1, 1, 0 } },
          2 },
        { "twins, the first cancelled",
          make_twins,
          2,
          { { SOLVE, 0, 0, 0 }, { SOLVE, 1, 1, 0 }, { CANCEL, 0, 0, 0 } },
          3 },
        { "twins, the first cancelled and wanted again",
          make_twins,
          2,
          { { SOLVE, 0, 0, 0 },
            { SOLVE, 1, 1, 0 },
            { CANCEL, 0, 0, 0 },
            { SOLVE, 0, 0, 0 } },
          4 },
        { "twins, both ignoring the cache, one cancelled",
          make_twins,
          1,
          { { SOLVE, 0, 0, 3 }, { SOLVE, 1, 1, 3 }, { CANCEL, 1, 0, 0 } },
          3 },
        { "twins, one ignoring the cache",
          make_twins,
          2,
          { { SOLVE, 0, 0, 0 }, { SOLVE, 1, 1, 2 } },
          2 },
        { "twins that fail",
          make_ill_twins,
          2,
          { { SOLVE, 0, 0, 0 }, { SOLVE, 1, 1, 0 } },
          2 },
        { "triplets, two jobs closed",
          make_triplets,
          2,
          { { SOLVE, 0, 0, 0 },
            { SOLVE, 1, 1, 0 },
            { SOLVE, 2, 2, 0 },
            { END_JOB, 0, 0, 0 },
            { END_JOB, 1, 0, 0 } },
          5 },
        { "one vertex in two jobs, one closed",
          make_twins,
          1,
          { { SOLVE, 0, 0, 0 }, { SOLVE, 1, 0, 0 }, { END_JOB, 0, 0, 0 } },
          3 },
        { "one vertex, cancelled and wanted again twice",
          make_twins,
          1,
          { { SOLVE, 0, 0, 0 },
            { CANCEL, 0, 0, 0 },
            { SOLVE, 0, 0, 0 },
            { CANCEL, 1, 0, 0 },
            { SOLVE, 0, 0, 0 } },
          5 },
        { "ready in the queue of a job that is closed",
          make_two,
          1,
          { { SOLVE, 1, 1, 0 },
            { CANCEL, 0, 0, 0 },
            { SOLVE, 2, 0, 0 },
            { SOLVE, 0, 1, 0 },
            { SOLVE, 1, 1, 0 },
            { END_JOB, 0, 0, 0 } },
          6 },
        { "equal chains in two jobs, one cancelled",
          make_chains,
          1,
          { { SOLVE, 0, 2, 0 }, { SOLVE, 1, 3, 0 }, { CANCEL, 0, 0, 0 } },
          3 },
        { "diamond with equal sides, cancelled and wanted again",
          make_diamond,
          2,
          { { SOLVE, 0, 3, 0 }, { CANCEL, 0, 0, 0 }, { SOLVE, 1, 3, 0 } },
          3 },
        { "copy by content, cancelled and wanted again",
          make_content,
          1,
          { { SOLVE, 0, 1, 0 }, { CANCEL, 0, 0, 0 }, { SOLVE, 0, 1, 0 } },
          3 },
        { "two outputs, the result of one gone",
          make_two_copies,
          1,
          { { SOLVE, 0, 1, 0 }, { SOLVE, 0, 1, 0, 1 } },
          2,
          lose_copies },
        { "copies of two edited stages",
          make_stages,
          2,
          { { SOLVE, 0, 4, 0 } },
          1,
          edit_stages },
        { "copies of two edited stages, cancelled and wanted again",
          make_stages,
          2,
          { { SOLVE, 0, 4, 0 }, { CANCEL, 0, 0, 0 }, { SOLVE, 0, 4, 0 } },
          3,
          edit_stages },
};

unsigned
n_scenarios(void)
{
        return SW_COUNT(scenarios);
}

static void
make_move(struct drive *d, const struct move *m)
{
        struct sw_vertex_input root = { m->root, m->output };

        switch (m->what) {
        case SOLVE:
                while (d->n_jobs <= m->which)
                        drive_job(d, d->w->set[0]);
                if (d->jobs[m->which].job)
                        drive_solve(d, m->which, &root, 1, m->ignore);
                break;
        case CANCEL: drive_cancel(d, m->which); break;
        case END_JOB: drive_end_job(d, m->which); break;
        }
}

/* One path. Between moves the core does all it can: what comes from outside meets it at
 * rest or in the middle of its queue, as choose() says. */
static void
run_path(struct chooser *ch, const struct scenario *sc, struct sw__coverage *sum)
{
        struct world w = { .ch = *ch };
        struct drive d;
        bool exhaustive = ch->exhaustive;
        uint64_t rng = ch->rng; /* the same past for all paths */
        unsigned moves = 0;
        bool busy = false;

        world_init(&w, ch->rng);
        w.closures = true;
        sc->make(&w);
        world_learn(&w);
        w.ch.exhaustive = false; /* not for the bounds, nor for the past */
        if (sc->prepare)
                sc->prepare(&w);
        drive_init(&d, &w, 1);
        w.ch.exhaustive = exhaustive;
        d.core->max_running = d.max_running = d.job_max = sc->max_running;
        while (moves < sc->n_moves || d.pending.n || busy) {
                unsigned n = (unsigned) d.pending.n + (moves < sc->n_moves) + busy;
                unsigned pick = choose(&w.ch, n);

                if (pick < d.pending.n)
                        drive_finish(&d, pick);
                else if (pick == n - 1 && busy)
                        drive_step(&d);
                else
                        make_move(&d, &sc->moves[moves++]);
                busy = d.core->todo || d.core->finished;
                if (!busy)
                        busy = drive_step(&d);
                if (!busy)
                        drive_flush(&d);
        }
        drive_drain(&d);
        drive_release(&d, sum);
        world_release(&w);
        *ch = w.ch;
        ch->rng = rng;
}

uint64_t
scenario_explore(unsigned n, uint64_t limit, const char **name, bool *complete,
                 struct sw__coverage *sum)
{
        struct chooser ch = { .exhaustive = true };
        uint64_t runs = 0;

        *name = scenarios[n].name;
        *complete = true;
        do {
                now_seed = runs;
                run_path(&ch, &scenarios[n], sum);
                runs++;
                if (runs >= limit) {
                        *complete = false;
                        break;
                }
        } while (choose_next(&ch));
        free(ch.path);
        free(ch.ways);
        /* The orders come sorted, those that differ late first: where they are too many,
         * take as many at random. */
        for (uint64_t i = 0; !*complete && i < limit; i++) {
                struct chooser any = { .rng = i };

                now_seed = i;
                run_path(&any, &scenarios[n], sum);
                runs++;
        }
        return runs;
}
