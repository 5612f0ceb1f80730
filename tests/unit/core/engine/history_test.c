/*
 * The history of an engine. Catches: builds that are not in it, or with another outcome
 * than they had, running ones that look interrupted, records that are dropped too early or
 * never, pinned ones that go, damaged ones that stop it.
 */
#include <slipway/history.h>
#include <slipway/llb.h>

#include "core/engine/engine_priv.h"
#include "tests/unit/core/engine/fixture.h"

static void
build(const char *id, const char *allow)
{
        const struct sw_attr attrs[] = { { "name", "app" }, { "token", "abc" } };
        const struct sw_build_output outs[] = {
                { .type = "discard", .attrs = attrs, .n_attrs = allow ? 2 : 0 }
        };
        const char *allowed[] = { allow, NULL };
        sw_autoptr(sw_build) b = NULL;

        ok(sw_build_start(engine,
                          SW_BUILD_REQUEST(.id = id, .outputs = outs, .n_outputs = 1,
                                           .allow = allowed),
                          &b));
        sw_err_drop(sw_build_wait(b), "told by the history");
}

static size_t
builds(sw_history_list *out)
{
        sw_history_list_release(out);
        ok(sw_history_builds(sw_engine_history(engine), out));
        return out->n;
}

START_TEST(outcomes)
{
        sw_history *h = sw_engine_history(engine);
        sw_auto(sw_history_list) l = { 0 };

        ck_assert_uint_eq(builds(&l), 0);
        build("good", NULL);
        build("bad", "nonsense");
        ck_assert_uint_eq(builds(&l), 2);
        ck_assert_str_eq(l.v[0].id, "bad");
        ck_assert_int_eq(l.v[0].state, SW_HISTORY_FAILED);
        ck_assert_int_eq(l.v[0].error_code, SW_E_INVALID);
        ck_assert_str_eq(l.v[0].error, "unknown entitlement nonsense");
        ck_assert_str_eq(l.v[0].outputs[0].type, "discard");
        ck_assert_str_eq(sw_attr_get(l.v[0].outputs[0].attrs, 2, "name"), "app");
        ck_assert_str_eq(sw_attr_get(l.v[0].outputs[0].attrs, 2, "token"), "xxxxx");
        ck_assert_int_eq(l.v[1].state, SW_HISTORY_COMPLETED);
        ck_assert(l.v[1].steps == 1 && l.v[1].completed_steps == 1);
        ck_assert_int_ge(l.v[1].completed, l.v[1].created);
        sw_history_list_release(&l);
        ok(sw_history_find(h, "^1", &l));
        ck_assert_str_eq(l.v[0].id, "good");
        sw_history_list_release(&l);
        ok(sw_history_find(h, "b", &l));
        ck_assert_str_eq(l.v[0].id, "bad");
        fails(sw_history_find(h, "^2", &l), SW_E_NOT_FOUND, "^2");
        fails(sw_history_find(h, "", &l), SW_E_NOT_FOUND, "no build");
        build("good-2", NULL);
        fails(sw_history_find(h, "goo", &l), SW_E_INVALID, "2 builds begin with goo");
        sw_history_list_release(&l);
        ok(sw_history_find(h, "good", &l)); /* whole */
        ck_assert_str_eq(l.v[0].id, "good");
}
END_TEST

/* Would catch: a question that a client asks of a frontend in the list of builds. */
START_TEST(internal)
{
        sw_auto(sw_history_list) l = { 0 };
        sw_autoptr(sw_build) b = NULL;

        ok(sw_build_start(engine, SW_BUILD_REQUEST(.id = "asked", .internal = true), &b));
        ok(sw_build_wait(b));
        ck_assert_uint_eq(builds(&l), 0);
}
END_TEST

START_TEST(stories)
{
        sw_history *h = sw_engine_history(engine);
        sw_autoptr(sw_history_story) s = NULL;
        struct sw_progress_batch b;
        bool ended = false;

        build("one", NULL);
        ok(sw_history_story_open(h, "one", &s));
        while (sw_history_story_next(s, &b))
                for (size_t i = 0; i < b.n_vertices; i++) {
                        ck_assert_str_eq(b.vertices[i].name, "exporting to discard");
                        ended |= b.vertices[i].completed != 0;
                }
        ck_assert(ended && !sw_history_story_damaged(s));
        sw_history_story *none = NULL;
        fails(sw_history_story_open(h, "other", &none), SW_E_NOT_FOUND, "");
        fails(sw_history_story_open(h, "../one", &none), SW_E_INVALID, "build id");
}
END_TEST

START_TEST(the_same_name_again)
{
        sw_auto(sw_history_list) l = { 0 };

        build("same", NULL);
        build("same", NULL);
        ck_assert_uint_eq(builds(&l), 1);
}
END_TEST

START_TEST(pinned_and_removed)
{
        sw_history *h = sw_engine_history(engine);
        sw_auto(sw_history_list) l = { 0 };

        build("a", NULL);
        build("b", NULL);
        build("c", NULL);
        ok(sw_history_pin(h, "a", true));
        fails(sw_history_pin(h, "nosuch", true), SW_E_NOT_FOUND, "nosuch");
        sw__history_drop_old(h, 1, INT64_C(3600000000000)); /* all are young */
        ck_assert_uint_eq(builds(&l), 3);
        sw__history_drop_old(h, 2, 0); /* one is too many, and a stays */
        ck_assert_uint_eq(builds(&l), 2);
        ck_assert_str_eq(l.v[0].id, "c");
        ck_assert(l.v[1].pinned);
        sw__history_drop_old(h, 0, 0);
        ck_assert_uint_eq(builds(&l), 1);
        ok(sw_history_pin(h, "a", false));
        sw__history_drop_old(h, 0, 0);
        ck_assert_uint_eq(builds(&l), 0);
        build("d", NULL);
        ok(sw_history_remove(h, "d"));
        ck_assert_uint_eq(builds(&l), 0);
        fails(sw_history_remove(h, "d"), SW_E_NOT_FOUND, "d");
        ck_assert_int_eq(faccessat(h->dir, "d", F_OK, 0), -1);
}
END_TEST

/* A record of a build that runs: its story is locked by somebody. */
START_TEST(running_and_interrupted)
{
        sw_history *h = sw_engine_history(engine);
        struct sw_build b = { .engine = engine };
        sw_auto(sw_history_list) l = { 0 };
        struct sw__keeper *k;

        memcpy(b.id, "alive", 6);
        k = sw__keeper_new(&b);
        ck_assert_ptr_nonnull(k);
        ck_assert_uint_eq(builds(&l), 1);
        ck_assert_int_eq(l.v[0].state, SW_HISTORY_RUNNING);
        fails(sw_history_remove(h, "alive"), SW_E_BUSY, "running");
        sw__history_drop_old(h, 0, 0);
        ck_assert_uint_eq(builds(&l), 1);
        ck_assert_ptr_null(sw__keeper_new(&b)); /* the name is taken */
        ok(sw_history_pin(h, "alive", true));
        sw__keeper_end(k, &b);
        sw__keeper_free(k);
        ck_assert_uint_eq(builds(&l), 1);
        ck_assert(l.v[0].pinned && l.v[0].state == SW_HISTORY_COMPLETED);
        ok(sw_history_remove(h, "alive"));

        k = sw__keeper_new(&b);
        int fd = openat(h->dir, "alive", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(unlinkat(h->dir, "alive", 0), 0); /* nobody locks one there */
        ck_assert_uint_eq(builds(&l), 1);
        ck_assert_int_eq(l.v[0].state, SW_HISTORY_INTERRUPTED);
        close(fd);
        sw__keeper_free(k); /* not ended: as if it had never begun */
        ck_assert_uint_eq(builds(&l), 0);
}
END_TEST

START_TEST(damaged_records)
{
        sw_history *h = sw_engine_history(engine);
        sw_meta *meta = sw__root_meta(engine->root);
        sw_auto(sw_history_list) l = { 0 };
        char bytes[] = "\x0a\x03xyz", name[] = "12345678nonsense";
        MDB_val key = { sizeof(name) - 1, name }, value = { sizeof(bytes) - 1, bytes };
        MDB_txn *txn;

        build("sound", NULL);
        ck_assert_int_eq(mdb_txn_begin(sw__meta_env(meta), NULL, 0, &txn), 0);
        ck_assert_int_eq(mdb_put(txn, sw__meta_dbi(meta, SW_META_HISTORY), &key, &value, 0),
                         0);
        ck_assert_int_eq(mdb_txn_commit(txn), 0);
        ck_assert_uint_eq(builds(&l), 1);
        ck_assert_str_eq(l.v[0].id, "sound");
        ok(sw_history_remove(h, "nonsense")); /* by its key */
        sw__history_drop_old(h, 0, 0);
        ck_assert_uint_eq(builds(&l), 0);
}
END_TEST

UNIT_MAIN_WITH("history", before, after, outcomes, internal, stories, the_same_name_again,
               pinned_and_removed, running_and_interrupted, damaged_records)
