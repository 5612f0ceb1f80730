/* What is kept when the machine is started again, after a power failure or not. */
#include "tests/unit/unit.h"

#include "core/store/worker_priv.h"
#include "tests/unit/core/store/fakesnap.h"
#include "tests/unit/core/store/storetool.h"

static void
start_again(const char *boot)
{
        sw__root_close(root);
        root = fake_root_at(dir, &fake, boot);
        w = sw__root_worker(root);
}

static void
first_boot(void)
{
        unit_mkdtemp(dir, sizeof(dir), "sync");
        root = fake_root_at(dir, &fake, "one");
        w = sw__root_worker(root);
}

static bool
is_there(const char *id)
{
        sw_ref *r = NULL;
        sw_err *err = sw_worker_load(w, NULL, id, &r);
        const bool there = !err;

        if (err)
                ck_assert_int_eq(sw_err_code(err), SW_E_NOT_FOUND);
        sw_err_free(err);
        sw_ref_unref(r);
        return there;
}

static void
put(sw_ref *r, char id[SW_ID_SIZE])
{
        snprintf(id, SW_ID_SIZE, "%s", sw_ref_id(r));
}

/* Catches: refs whose files may be damaged and that are used; refs that are dropped though
 * they are safe. */
START_TEST(what_was_synced_stays)
{
        char a[SW_ID_SIZE], b[SW_ID_SIZE], c[SW_ID_SIZE];
        sw_ref *ra = make(NULL, "a");

        ok(sw__sync(w));
        sw_ref *rb = make(NULL, "b"), *rc = make(ra, "c");
        put(ra, a), put(rb, b), put(rc, c);
        sw_ref_unref(ra), sw_ref_unref(rb), sw_ref_unref(rc);

        start_again("one"); /* the same boot: whoever was killed, it is all there */
        ck_assert(is_there(a) && is_there(b) && is_there(c));
        ck_assert_int_eq(fake_layers(dir), 3);

        start_again("two");
        ck_assert(is_there(a));
        ck_assert(!is_there(b) && !is_there(c));
        ok(sw__worker_reap(w, NULL));
        ck_assert_int_eq(fake_layers(dir), 1);

        start_again("three"); /* nothing was made in between: what stayed is safe */
        ck_assert(is_there(a));
}
END_TEST

/* A merge of two that are gone must not stay, nor what is mutable and was written. */
START_TEST(what_is_made_of_others_goes_with_them)
{
        sw_ref *ra = make(NULL, "a"), *rm, *both[2];
        char a[SW_ID_SIZE], m[SW_ID_SIZE];
        sw_layer *l;

        ok(sw_worker_take(w, NULL, "cache", NULL, NULL, false, false, &l));
        ok(sw_layer_release(l, NULL));
        ok(sw__sync(w));
        both[0] = ra, both[1] = make(NULL, "b");
        ok(sw_worker_merge(w, NULL, both, 2, NULL, &rm));
        ok(sw_worker_take(w, NULL, "cache", NULL, NULL, false, true, &l));
        ok(sw_layer_release(l, NULL)); /* written on after the sync */
        put(ra, a), put(rm, m);
        sw_ref_unref(both[1]), sw_ref_unref(ra), sw_ref_unref(rm);

        start_again("two");
        ck_assert(is_there(a) && !is_there(m));
        ok(sw__worker_reap(w, NULL));
        ck_assert_int_eq(fake_layers(dir), 1);
}
END_TEST

static void
lose_layer(const char *id)
{
        sw_auto(sw_fd) slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_str) path = sw_asprintf("%s/snapshots/fake/%s", dir, id);

        ok(sw_path_remove(slash, path));
}

/* Metadata that is a second older than the directories names layers that were removed
 * since. Catches: a ref without its layer, or on one, that is used for ever after. */
START_TEST(what_has_no_layer_goes)
{
        char a[SW_ID_SIZE], b[SW_ID_SIZE], c[SW_ID_SIZE], m[SW_ID_SIZE];
        sw_ref *ra = make(NULL, "a"), *rb = make(NULL, "b"), *rc = make(ra, "c"), *rm;
        sw_ref *both[2] = { rb, rc };

        ok(sw_worker_merge(w, NULL, both, 2, NULL, &rm));
        put(ra, a), put(rb, b), put(rc, c), put(rm, m);
        sw_ref_unref(ra), sw_ref_unref(rb), sw_ref_unref(rc), sw_ref_unref(rm);
        ok(sw__sync(w));
        start_again("two");
        ck_assert(is_there(a) && is_there(b) && is_there(c) && is_there(m));
        lose_layer(a);
        start_again("three");
        start_again("three"); /* nothing was used: it is yet to be done */
        ck_assert(is_there(b));
        ck_assert(!is_there(a) && !is_there(c) && !is_there(m));
        ok(sw__worker_reap(w, NULL));
        ck_assert_int_eq(fake_layers(dir), 1);

        lose_layer(b); /* within a boot, nobody looks */
        start_again("three");
        ck_assert(is_there(b));
}
END_TEST

/* A mark that cannot be read proves nothing. */
START_TEST(damaged_marks)
{
        static const char *const marks[] = { "",
                                             "one",
                                             "one x 1",
                                             "one 5 x",
                                             "on",
                                             "one  5",
                                             "one 99999999999999999999999 1" };
        uint64_t sequence;
        int64_t time;

        for (size_t i = 0; i < SW_COUNT(marks); i++) {
                (void) sw__sync_parse(marks[i], "one", &sequence, &time);
                if (i != 5)
                        ck_assert_msg(sequence == 0, "%s", marks[i]);
        }
        ck_assert(!sw__sync_parse(NULL, "one", &sequence, &time));
        ck_assert(!sw__sync_parse("one 5 1", "on", &sequence, &time));
        ck_assert(!sw__sync_parse("on 5 1", "one", &sequence, &time));
        ck_assert(sw__sync_parse("one 5 1", "one", &sequence, &time));
        ck_assert_int_eq(sequence, 5);
        ck_assert_int_eq(time, 1);
}
END_TEST

UNIT_MAIN_WITH("sync", first_boot, after, what_was_synced_stays,
               what_is_made_of_others_goes_with_them, what_has_no_layer_goes, damaged_marks)
