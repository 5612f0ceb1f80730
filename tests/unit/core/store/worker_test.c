/*
 * Refs from layers, merges, diffs, names; what is found again after the process ended, and
 * what is not.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "core/store/meta.h"
#include "core/store/root.h"
#include "tests/unit/core/store/fakesnap.h"
#include "tests/unit/core/store/storetool.h"

static void
check_stack(const sw_ref *r, size_t n, ...)
{
        const struct sw_stack s = sw__ref_stack(r);
        va_list ap;

        ck_assert_uint_eq(s.n, n);
        va_start(ap, n);
        for (size_t i = 0; i < n; i++)
                ck_assert_str_eq(s.keys[i], va_arg(ap, const char *));
        va_end(ap);
}

/* A committed ref is found by its id with its stack, now and by the next process. */
START_TEST(a_ref_is_found_again)
{
        sw_ref *a = make(NULL, "one"), *b = make(a, "two"), *again;
        sw_auto(sw_str) ida = sw_strdup(sw_ref_id(a));
        sw_auto(sw_str) idb = sw_strdup(sw_ref_id(b));

        check_stack(b, 2, ida, idb);
        ok(sw_worker_load(w, NULL, idb, &again));
        check_stack(again, 2, ida, idb);
        sw_ref_unref(again);
        sw_ref_unref(a);
        sw_ref_unref(b);
        reopen();
        ok(sw_worker_load(w, NULL, idb, &again));
        check_stack(again, 2, ida, idb);
        ck_assert_str_eq(sw__ref_own_layer(again), idb);
        ok(sw_ref_parent(w, NULL, again, &a));
        ck_assert_str_eq(sw_ref_id(a), ida);
        sw_ref_unref(a);
        sw_ref_unref(again);
        fails(sw_worker_load(w, NULL, "nosuchref", &again), SW_E_NOT_FOUND, "nosuchref");
        fails(sw_worker_load(w, NULL, "../../etc", &again), SW_E_NOT_FOUND, "not in");
}
END_TEST

static bool
is_cut(void *arg, const struct sw_usage *u)
{
        const bool ours = strncmp(u->description, "aaa", 3) == 0;

        *(bool *) arg |= ours && strlen(u->description) == 4095;
        return true;
}

/* A description is as long as the command it describes: one that does not fit is kept in
 * part, and never ends within a character, which would make its record unreadable. */
START_TEST(a_long_description_is_cut)
{
        sw_auto(sw_str) text = sw_asprintf("%*s\u20ac and more", 4095, "");
        bool found = false;
        sw_layer *l;
        sw_ref *r;

        memset(text, 'a', 4095);
        ok(sw_worker_layer(w, NULL, NULL, SW_REF_DESC(.description = text), &l));
        ok(sw_layer_commit(l, NULL, &r));
        sw_ref_unref(r);
        ok(sw__worker_usage(w, NULL, NULL, 0, is_cut, &found));
        ck_assert(found);
        fails(sw_worker_layer(w, NULL, NULL, SW_REF_DESC(.description = "\xff"), &l),
              SW_E_INVALID, "UTF-8");
}
END_TEST

/* What was written is what a view shows. */
START_TEST(a_view_shows_the_tree)
{
        sw_ref *a = make(NULL, "hello");
        struct sw_snapshot_mount m;
        char text[8] = "";
        sw_tree *t;

        ok(sw_ref_open(NULL, a, &t));
        int fd = openat(sw_tree_fd(t), "file", O_RDONLY);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(read(fd, text, 5), 5);
        close(fd);
        ck_assert_str_eq(text, "hello");
        ok(sw_tree_close(t));
        ok(sw__worker_view(w, NULL, a, &m));
        ck_assert_int_eq(faccessat(m.dirfd, "file", F_OK, 0), 0);
        ok(sw__worker_unview(w, &m));
        ok(sw__worker_view(w, NULL, NULL, &m));
        ok(sw__worker_unview(w, &m));
        sw_ref_unref(a);
}
END_TEST

/* Merges are stacks one above the other; diffs of a longer stack are its upper part. */
START_TEST(merges_and_diffs_are_stacks)
{
        sw_ref *a = make(NULL, "a"), *b = make(a, "b"), *c = make(NULL, "c");
        sw_ref *parts[] = { b, NULL, c }, *m, *d, *again;
        const char *ia = sw_ref_id(a), *ib = sw_ref_id(b), *ic = sw_ref_id(c);

        ok(sw_worker_merge(w, NULL, parts, 3, NULL, &m));
        check_stack(m, 3, ia, ib, ic);
        ck_assert_ptr_null(sw__ref_own_layer(m));
        ok(sw_worker_diff(w, NULL, a, m, NULL, &d));
        check_stack(d, 2, ib, ic);
        sw_auto(sw_str) idd = sw_strdup(sw_ref_id(d));
        sw_ref_unref(d);
        sw_ref_unref(m);
        sw_ref_unref(a);
        sw_ref_unref(b);
        sw_ref_unref(c);
        reopen();
        ok(sw_worker_load(w, NULL, idd, &again));
        ck_assert_uint_eq(sw__ref_stack(again).n, 2);
        ok(sw_ref_parent(w, NULL, again, &a));
        ck_assert_ptr_null(a);
        ok(sw_worker_diff(w, NULL, again, again, NULL, &d));
        ck_assert_ptr_null(d);
        ok(sw_worker_diff(w, NULL, NULL, again, NULL, &d));
        ck_assert_str_eq(sw_ref_id(d), idd);
        sw_ref_unref(d);
        ok(sw_worker_merge(w, NULL, &again, 1, NULL, &m));
        ck_assert_str_eq(sw_ref_id(m), idd);
        sw_ref_unref(m);
        ok(sw_worker_merge(w, NULL, parts, 0, NULL, &m));
        ck_assert_ptr_null(m);
        sw_ref_unref(again);
}
END_TEST

/* Where the lower one is no part of the upper one, a layer is computed; none when nothing
 * is told. */
START_TEST(other_diffs_are_computed)
{
        sw_ref *a = make(NULL, "a"), *b = make(NULL, "b"), *d;

        ok(sw_worker_diff(w, NULL, a, b, NULL, &d));
        check_stack(d, 1, sw_ref_id(d));
        sw_ref_unref(d);
        ok(sw_worker_diff(w, NULL, b, NULL, NULL, &d));
        ck_assert_ptr_nonnull(d);
        sw_ref_unref(d);
        ck_assert_int_eq(fake_layers(dir), 4);
        sw_ref_unref(a);
        sw_ref_unref(b);
}
END_TEST

/* The newest of a name counts. */
START_TEST(names_find_the_newest)
{
        sw_ref *a = make(NULL, "a"), *b = make(NULL, "b"), *found;
        char longest[SW_ID_SIZE + 400];

        ok(sw_worker_find(w, NULL, "chainid:x", &found));
        ck_assert_ptr_null(found);
        ok(sw_ref_add_name(w, NULL, b, "chainid:x"));
        ok(sw_ref_add_name(w, NULL, a, "chainid:x"));
        ok(sw_ref_add_name(w, NULL, a, "chainid:x"));
        ok(sw_worker_find(w, NULL, "chainid:x", &found));
        ck_assert_str_eq(sw_ref_id(found), sw_ref_id(b));
        sw_ref_unref(found);
        memset(longest, 'n', sizeof(longest));
        longest[400] = '\0';
        ok(sw_ref_add_name(w, NULL, a, longest));
        ok(sw_worker_find(w, NULL, longest, &found));
        ck_assert_str_eq(sw_ref_id(found), sw_ref_id(a));
        sw_ref_unref(found);
        longest[400] = 'n';
        longest[401] = '\0';
        fails(sw_ref_add_name(w, NULL, a, longest), SW_E_INVALID, "name");
        fails(sw_ref_add_name(w, NULL, a, ""), SW_E_INVALID, "name");
        sw_ref_unref(a);
        sw_ref_unref(b);
}
END_TEST

static void
put_raw(MDB_txn *txn, enum sw_meta_db db, const char *k, MDB_val v)
{
        MDB_val key = { strlen(k), (void *) k };

        ck_assert_int_eq(mdb_put(txn, sw__meta_dbi(sw__root_meta(root), db), &key, &v, 0),
                         0);
}

/* A name that leads to ids that nothing here made, as one in a damaged store may: what is
 * sound is found, and looking comes to an end. */
START_TEST(names_that_lead_to_no_id)
{
        static const char *const others[] = { "../x", "gone",
                                              "zzzz-longer-than-the-id-of-any-ref" };
        sw_ref *r = make(NULL, "a"), *found;
        MDB_val key = { strlen(sw_ref_id(r)), (void *) sw_ref_id(r) }, record;
        MDB_txn *txn;

        ck_assert_int_eq(mdb_txn_begin(sw__meta_env(sw__root_meta(root)), NULL, 0, &txn),
                         0);
        ck_assert_int_eq(mdb_get(txn, sw__meta_dbi(sw__root_meta(root), SW_META_REFS), &key,
                                 &record),
                         0);
        sw_auto(sw_str) copy = sw_strndup(record.mv_data, record.mv_size);
        for (size_t i = 0; i < SW_COUNT(others); i++) {
                MDB_val id = { strlen(others[i]), (void *) others[i] };

                put_raw(txn, SW_META_NAMES, "damaged", id);
                put_raw(txn, SW_META_NAMES, "mended", id);
        }
        /* one that has a record, and is as new as any */
        put_raw(txn, SW_META_REFS, others[2], (MDB_val){ record.mv_size, copy });
        ck_assert_int_eq(mdb_txn_commit(txn), 0);
        ok(sw_worker_find(w, NULL, "damaged", &found));
        ck_assert_ptr_null(found);
        ok(sw_ref_add_name(w, NULL, r, "mended"));
        ok(sw_worker_find(w, NULL, "mended", &found));
        ck_assert_str_eq(sw_ref_id(found), sw_ref_id(r));
        sw_ref_unref(found);
        sw_ref_unref(r);
}
END_TEST

/* Nothing stays of a layer that is abandoned or that fails. */
START_TEST(abandoned_layers_leave_nothing)
{
        sw_layer *l;
        sw_ref *ref = NULL;

        ok(sw_worker_layer(w, NULL, NULL, NULL, &l));
        ck_assert_int_eq(fake_layers(dir), 1);
        sw_layer_abandon(l);
        ck_assert_int_eq(fake_layers(dir), 0);
        ok(sw_worker_layer(w, NULL, NULL, NULL, &l));
        fake.fail = "commit";
        fails(sw_layer_commit(l, NULL, &ref), SW_E_IO, "fake commit");
        ck_assert_ptr_null(ref);
        fake.fail = "prepare";
        fails(sw_worker_layer(w, NULL, NULL, NULL, &l), SW_E_IO, "fake prepare");
        fake.fail = NULL;
        ck_assert_int_eq(fake_layers(dir), 0);
        fails(sw_worker_layer(w, NULL, NULL, SW_REF_DESC(.type = "odd"), &l), SW_E_INVALID,
              "odd");
}
END_TEST

/* A directory that was not copied is no base for a layer, but it can be viewed. */
START_TEST(foreign_refs_are_told_apart)
{
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_ref *r = sw_ref_new_dir("somewhere", fd);
        struct sw_snapshot_mount m;
        sw_layer *l;

        ck_assert(!sw__ref_is_stored(w, r));
        fails(sw_worker_layer(w, NULL, r, NULL, &l), SW_E_UNSUPPORTED, "somewhere");
        ok(sw__worker_view(w, NULL, r, &m));
        ck_assert_int_eq(faccessat(m.dirfd, "VERSION", F_OK, 0), 0);
        ok(sw__worker_unview(w, &m));
        sw_ref_unref(r);
}
END_TEST

/* A tree that is taken is nobody else's until it is put back; then it is the same one. */
START_TEST(a_mutable_tree_has_one_user)
{
        const struct sw_snapshot_mount *m;
        sw_layer *a, *b, *c;
        char id[SW_ID_SIZE];

        ok(sw_worker_take(w, NULL, "cache:/x", NULL, NULL, false, true, &a));
        ck_assert_ptr_nonnull(a);
        snprintf(id, sizeof(id), "%s", sw_layer_id(a));
        ok(sw_layer_mount(a, NULL, &m));
        int fd = openat(m->dirfd, "kept", O_CREAT | O_WRONLY, 0600);
        ck_assert_int_ge(fd, 0);
        close(fd);
        ok(sw_worker_take(w, NULL, "cache:/x", NULL, NULL, false, true, &b));
        ck_assert_ptr_null(b);
        ok(sw_worker_take(w, NULL, "cache:/x", NULL, NULL, false, false, &b));
        ck_assert_str_ne(sw_layer_id(b), id);
        ok(sw_layer_release(a, NULL));
        sw_layer_abandon(b);
        reopen();
        ok(sw_worker_take(w, NULL, "cache:/x", NULL, NULL, true, true, &c));
        ck_assert_str_eq(sw_layer_id(c), id);
        ok(sw_layer_mount(c, NULL, &m));
        ck_assert_int_eq(faccessat(m->dirfd, "kept", F_OK, 0), 0);
        ok(sw_layer_release(c, NULL));
}
END_TEST

static atomic_int writing, most;

static void *
write_alone(void *arg)
{
        sw_layer *l;

        (void) arg;
        ok(sw_worker_take(w, NULL, "cache:/locked", NULL, NULL, true, false, &l));
        int now = atomic_fetch_add(&writing, 1) + 1;
        if (now > atomic_load(&most))
                atomic_store(&most, now);
        sched_yield();
        atomic_fetch_sub(&writing, 1);
        ok(sw_layer_release(l, NULL));
        return NULL;
}

/* Who waits for a tree is alone on it, the first users of its name too: otherwise each of
 * those makes one of its own. */
START_TEST(those_who_wait_share_one_tree)
{
        enum { N = 8 };
        pthread_t t[N];

        for (int round = 0; round < 20; round++) {
                for (int i = 0; i < N; i++)
                        ck_assert_int_eq(pthread_create(&t[i], NULL, write_alone, NULL), 0);
                for (int i = 0; i < N; i++)
                        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
                ck_assert_int_eq(atomic_load(&most), 1);
                ck_assert_int_eq(fake_layers(dir), 1);
                sw_layer *l;
                ok(sw_worker_take(w, NULL, "cache:/locked", NULL, NULL, true, true, &l));
                sw_layer_abandon(l);
        }
}
END_TEST

static void *
wait_and_put_back(void *arg)
{
        sw_layer *l;

        ok(sw_worker_take(w, NULL, "cache:/gone", NULL, NULL, true, false, &l));
        ok(sw_layer_release(l, NULL));
        *(atomic_bool *) arg = true;
        return NULL;
}

/* Who waits for a tree that was removed, not put back (its first user failed, or was
 * killed), makes a new one. */
START_TEST(who_waits_for_a_tree_that_goes_makes_one)
{
        const struct timespec a_while = { .tv_nsec = 20000000 };
        atomic_bool done = false;
        pthread_t t;
        sw_layer *l;

        ok(sw_worker_take(w, NULL, "cache:/gone", NULL, NULL, true, false, &l));
        ck_assert_int_eq(pthread_create(&t, NULL, wait_and_put_back, &done), 0);
        (void) nanosleep(&a_while, NULL);
        ck_assert(!atomic_load(&done));
        sw_layer_abandon(l);
        ck_assert_int_eq(pthread_join(t, NULL), 0);
        ck_assert(atomic_load(&done));
}
END_TEST

/* What a killed process was writing goes; what it had taken is free again; what it had
 * committed stays. */
START_TEST(a_killed_process_leaves_no_trace)
{
        int fds[2];
        char id[SW_ID_SIZE] = "", free_id[SW_ID_SIZE];
        sw_layer *l;
        sw_ref *r;

        ok(sw_worker_take(w, NULL, "tree", NULL, NULL, false, true, &l));
        snprintf(free_id, sizeof(free_id), "%s", sw_layer_id(l));
        ok(sw_layer_release(l, NULL));
        ck_assert_int_eq(pipe(fds), 0);
        sw__root_close(root);
        pid_t pid = fork();
        if (pid == 0) {
                open_root();
                r = make(NULL, "kept");
                if (write(fds[1], sw_ref_id(r), SW_ID_LEN) != SW_ID_LEN)
                        abort();
                ok(sw_worker_take(w, NULL, "tree", NULL, NULL, false, true, &l));
                ok(sw_worker_take(w, NULL, "tree", NULL, NULL, false, false, &l));
                ok(sw_worker_layer(w, NULL, r, NULL, &l));
                kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(read(fds[0], id, SW_ID_LEN), SW_ID_LEN);
        open_root();
        ok(sw_worker_load(w, NULL, id, &r));
        sw_ref_unref(r);
        ok(sw_worker_take(w, NULL, "tree", NULL, NULL, false, true, &l));
        ck_assert_str_eq(sw_layer_id(l), free_id);
        ok(sw_layer_release(l, NULL));
        ok(sw__worker_reap(w, NULL));
        ck_assert_int_eq(fake_layers(dir), 2);
}
END_TEST

UNIT_MAIN_WITH("worker", before, after, a_ref_is_found_again, a_long_description_is_cut,
               a_view_shows_the_tree, merges_and_diffs_are_stacks, other_diffs_are_computed,
               names_find_the_newest, names_that_lead_to_no_id,
               abandoned_layers_leave_nothing, foreign_refs_are_told_apart,
               a_mutable_tree_has_one_user, those_who_wait_share_one_tree,
               who_waits_for_a_tree_that_goes_makes_one, a_killed_process_leaves_no_trace)
