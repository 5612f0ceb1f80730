/*
 * tests/unit/core/plugin/order_test.c - needs, on thousands of random graphs, against a
 * plain evaluator. No modules are loaded: entries are made by hand.
 *
 * A failure prints the seed; ORDER_SEED=N runs that one alone.
 */
#include "core/plugin/host_priv.h"
#include "tests/unit/unit.h"

enum { NODES_MAX = 9, NEEDS = 4, GRAPHS = 5000, MISSING = NODES_MAX };

struct graph {
        unsigned n;
        bool broken[NODES_MAX];          /* before needs are looked at */
        bool fails[NODES_MAX];           /* in init */
        unsigned need[NODES_MAX][NEEDS]; /* MISSING: a plugin that is not there */
        unsigned n_needs[NODES_MAX];
        bool reach[NODES_MAX][NODES_MAX]; /* by one need or more */
};

static struct graph g;
static char names[NODES_MAX + 1][8];
static struct sw_need needs[NODES_MAX][NEEDS + 1];
static int order[NODES_MAX], inits;

static uint32_t rng;

static unsigned
below(unsigned n)
{
        rng = rng * 1664525U + 1013904223U;
        return (rng >> 8) % n;
}

/* One init per node, as they get no argument that tells them apart. */
static sw_err *
started(int node)
{
        if (g.fails[node])
                return sw_err_new(SW_E_IO, "no");
        order[node] = ++inits;
        return SW_OK;
}
#define INIT(N)                                                                            \
        static sw_err *init_##N(const struct sw_plugin_env *env, void **self)              \
        {                                                                                  \
                (void) env;                                                                \
                (void) self;                                                               \
                return started(N);                                                         \
        }
/* clang-format 14 takes the lines apart anew each time. */
/* clang-format off */
INIT(0)
INIT(1)
INIT(2)
INIT(3)
INIT(4)
INIT(5)
INIT(6)
INIT(7)
INIT(8)
/* clang-format on */
static sw_err *(*const init[NODES_MAX])(const struct sw_plugin_env *, void **) = {
        init_0, init_1, init_2, init_3, init_4, init_5, init_6, init_7, init_8,
};

static void
make_graph(uint32_t seed)
{
        rng = seed * 2654435761U + 1;
        memset(&g, 0, sizeof(g));
        memset(order, 0, sizeof(order));
        memset(needs, 0, sizeof(needs));
        inits = 0;
        g.n = 1 + below(NODES_MAX);
        for (unsigned i = 0; i < g.n; i++) {
                g.broken[i] = below(12) == 0;
                g.fails[i] = below(12) == 0;
                g.n_needs[i] = below(NEEDS);
                for (unsigned j = 0; j < g.n_needs[i]; j++) {
                        g.need[i][j] = below(20) == 0 ? MISSING : below(g.n);
                        needs[i][j] =
                                (struct sw_need){ SW_KIND_SOURCE, names[g.need[i][j]] };
                        if (g.need[i][j] != MISSING)
                                g.reach[i][g.need[i][j]] = true;
                }
        }
        for (unsigned k = 0; k < g.n; k++)
                for (unsigned i = 0; i < g.n; i++)
                        for (unsigned j = 0; j < g.n; j++)
                                g.reach[i][j] |= g.reach[i][k] && g.reach[k][j];
}

/* Whether node @i can work at all; with @run, also that no init of those it needs fails. */
static bool
usable(unsigned i, bool run)
{
        for (unsigned k = 0; k < g.n; k++) {
                if (k != i && !g.reach[i][k])
                        continue;
                if (g.broken[k] || g.reach[k][k] || (run && g.fails[k]))
                        return false;
                for (unsigned j = 0; j < g.n_needs[k]; j++)
                        if (g.need[k][j] == MISSING)
                                return false;
        }
        return true;
}

static struct sw__module *
make_module(sw_host *h, unsigned i)
{
        struct sw__module *m = sw_new(struct sw__module);

        m->kind = SW_KIND_SOURCE;
        m->name = sw_strdup(names[i]);
        m->stem = sw__plugin_stem(SW_KIND_SOURCE, names[i]);
        m->id = sw_asprintf("source/%s", names[i]);
        m->info.file = names[i];
        m->info.reason = "";
        sw__module_enter(m, SW_PLUGIN_OPENED);
        if (g.broken[i]) {
                (void) sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR, "made so");
        } else {
                m->desc.needs = needs[i];
                m->desc.init = init[i];
                m->info.descriptor = &m->desc;
                sw__module_enter(m, SW_PLUGIN_CHECKED);
        }
        sw_map_set(h->by_stem, m->stem, m);
        sw_array_push(&h->modules, m);
        return m;
}

static void
check_graph(uint32_t seed)
{
        const struct sw_host_opts opts = { .no_default_dir = true };
        struct sw__module *m[NODES_MAX] = { 0 };
        sw_host *h = NULL;

        make_graph(seed);
        const unsigned n = g.n;
        ok(sw_host_new(&opts, &h));
        h->scanned = true;
        for (unsigned i = 0; i < n; i++)
                m[i] = make_module(h, i);
        for (unsigned i = 0; i < n; i++)
                sw__order_check(h, m[i]);
        for (unsigned i = 0; i < n; i++) {
                bool fine = m[i]->info.state == SW_PLUGIN_CHECKED;

                ck_assert_msg(fine == usable(i, false), "seed %u: %s is %s: %s", seed,
                              m[i]->id, sw_plugin_state_name(m[i]->info.state),
                              m[i]->info.reason);
                if (m[i]->info.fault == SW_FAULT_NEED_CYCLE)
                        ck_assert_msg(g.reach[i][i], "seed %u: %s: %s", seed, m[i]->id,
                                      m[i]->info.reason);
        }
        for (unsigned i = 0; i < n; i++)
                sw__order_init(h, m[i]);
        for (unsigned i = 0; i < n; i++) {
                ck_assert_msg((m[i]->info.state == SW_PLUGIN_READY) == usable(i, true) &&
                                      (order[i] != 0) == usable(i, true),
                              "seed %u: %s after init: %s", seed, m[i]->id,
                              m[i]->info.reason);
                for (unsigned j = 0; order[i] && j < g.n_needs[i]; j++)
                        ck_assert_msg(order[g.need[i][j]] < order[i],
                                      "seed %u: %s before what it needs", seed, m[i]->id);
        }
        sw_host_free(h);
}

/* Would catch: plugins that start without what they need or before it, that are refused
 * without a cause, and cycles seen where there are none or not seen. */
START_TEST(random_graphs)
{
        const char *one = getenv("ORDER_SEED");

        for (unsigned i = 0; i <= NODES_MAX; i++)
                (void) snprintf(names[i], sizeof(names[i]), "n%u", i);
        if (one) {
                check_graph((uint32_t) strtoul(one, NULL, 10));
                return;
        }
        for (uint32_t seed = 1; seed <= GRAPHS; seed++)
                check_graph(seed);
}
END_TEST

UNIT_MAIN("order", random_graphs)
