/*
 * What an engine stores, as a program sees it. Catches: records that are not told, filters
 * that do not filter, results that are pruned while their keys stay (a build would take
 * what is not there for cached), a collection that goes against its policy.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <slipway/engine.h>
#include <slipway/llb.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "tests/unit/core/engine/fixture.h"

/* Build a file; whether it was cached. */
static bool
build(void)
{
        const struct sw_build_output drop = { .type = "discard" };
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) made = NULL;
        sw_autoptr(sw_files) files = sw_files_new();
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_autoptr(sw_build) b = NULL;
        struct sw_progress_batch batch;
        bool cached = false;

        ok(sw_files_mkfile(files, "/f", 0644, "hello\n", 6, NULL));
        ok(sw_state_files(scratch, files, NULL, &made));
        ok(sw_state_marshal(made, NULL, &def));
        ok(sw_build_start(engine,
                          SW_BUILD_REQUEST(.definition = def.data,
                                           .definition_len = def.len, .outputs = &drop,
                                           .n_outputs = 1),
                          &b));
        sw_subscription *sub = sw_build_subscribe(b);
        while (sw_progress_next(sub, -1, &batch)) {
                for (size_t i = 0; i < batch.n_vertices; i++)
                        cached |= batch.vertices[i].cached;
                sw_progress_batch_release(&batch);
        }
        sw_subscription_free(sub);
        ok(sw_build_wait(b));
        return cached;
}

struct count {
        size_t n, at_most;
        int64_t size;
        char id[64];
};

static bool
count_one(void *arg, const struct sw_disk_record *r)
{
        struct count *c = arg;

        c->n++;
        c->size += r->size;
        ck_assert_int_ge(r->created, INT64_C(1000000000) * 86400);
        ck_assert_str_ne(r->type, "");
        snprintf(c->id, sizeof(c->id), "%s", r->id);
        return !c->at_most || c->n < c->at_most;
}

static struct count
usage(const char *filter, size_t at_most)
{
        struct count c = { .at_most = at_most };
        const char *filters[] = { filter, NULL };

        ok(sw_engine_usage(engine, NULL, filter ? filters : NULL, count_one, &c));
        return c;
}

START_TEST(records_are_told)
{
        ck_assert_uint_eq(usage("type==regular", 0).n, 0);
        ck_assert(!build());
        struct count c = usage("type==regular", 0);
        ck_assert_uint_eq(c.n, 1);
        ck_assert_int_gt(c.size, 0);
        sw_auto(sw_str) by_id = sw_asprintf("id==%s", c.id);
        ck_assert_uint_eq(usage(by_id, 0).n, 1);
        ck_assert_uint_eq(usage("id==nothing", 0).n, 0);
        ck_assert_uint_ge(usage(NULL, 0).n, 1);
        ck_assert_uint_eq(usage(NULL, 1).n, 1);
        const char *wrong[] = { "type==", NULL };
        fails(sw_engine_usage(engine, NULL, wrong, count_one, &c), SW_E_INVALID, "filter");
}
END_TEST

static size_t
prune(const struct sw_prune_request *req)
{
        struct count c = { 0 };

        ok(sw_engine_prune(engine, NULL, req, count_one, &c));
        return c.n;
}

/* What was pruned is made again: its keys went with it. */
START_TEST(pruned_results_are_made_again)
{
        const char *other[] = { "type==source.local", NULL };
        const struct sw_prune_request none = { .size = sizeof(none), .filters = other };
        const struct sw_prune_request new = { .size = sizeof(new),
                                              .keep_duration = INT64_C(3600000000000) };
        const struct sw_prune_request all = { .size = sizeof(all), .all = true };

        ck_assert(!build());
        ck_assert(build());
        ck_assert_uint_eq(prune(&none), 0);
        ck_assert_uint_eq(prune(&new), 0);
        ck_assert(build());
        ck_assert_uint_ge(prune(&all), 1);
        ck_assert_uint_eq(usage("type==regular", 0).n, 0);
        ck_assert(!build());
        ck_assert(build());
        ok(sw_engine_prune(engine, NULL, &all, NULL, NULL));
        ck_assert_uint_eq(usage("type==regular", 0).n, 0);
        const char *wrong[] = { "type==", NULL };
        const struct sw_prune_request bad = { .size = sizeof(bad), .filters = wrong };
        fails(sw_engine_prune(engine, NULL, &bad, NULL, NULL), SW_E_INVALID, "filter");
}
END_TEST

/* The policy that is there without a configuration keeps what is new. */
START_TEST(collection_keeps_what_is_new)
{
        ck_assert(!build());
        ok(sw_engine_gc(engine, NULL));
        ck_assert_uint_eq(usage("type==regular", 0).n, 1);
        ck_assert(build());
}
END_TEST

UNIT_MAIN_WITH("disk", before, after, records_are_told, pruned_results_are_made_again,
               collection_keeps_what_is_new)
