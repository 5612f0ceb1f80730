/*
 * Lazy layers: known by a blob, unpacked when somebody needs their files, once, whoever
 * asks and whoever is killed.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "core/store/worker_priv.h"
#include "tests/unit/core/store/lazytool.h"

/* Nothing is fetched for a layer until its tree is opened; then it is like any other, and
 * is found by its chain id. All of it is there in the next process. */
START_TEST(a_layer_is_lazy_until_it_is_opened)
{
        sw_ref *r = lazy_chain(2, ""), *again;
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(r));
        char name[96];
        sw_tree *t;

        lazy_chain_name(name, 2);
        ck_assert_uint_eq(lazy_count(r), 2);
        sw_ref_unref(r);
        lazy_reopen();
        ok(sw_worker_load(w, NULL, id, &r));
        ck_assert_uint_eq(lazy_count(r), 2);
        ok(sw_worker_find(w, NULL, name, &again));
        ck_assert_ptr_null(again);
        ck_assert_int_eq(fake_layers(dir), 0);
        ok(sw_ref_open(NULL, r, &t));
        ck_assert_int_eq(faccessat(sw_tree_fd(t), "b", F_OK, 0), 0);
        ok(sw_tree_close(t));
        ck_assert_int_eq(lazy.unpacked, 2);
        ck_assert_uint_eq(lazy_count(r), 0);
        ok(sw_worker_find(w, NULL, name, &again));
        ck_assert_ptr_nonnull(again);
        ck_assert_str_eq(sw_ref_id(again), id);
        sw_ref_unref(again);
        sw_ref_unref(r);
        lazy_reopen();
        ok(sw_worker_load(w, NULL, id, &r));
        ok(sw_ref_ready(w, NULL, r));
        ck_assert_uint_eq(lazy_count(r), 0);
        ck_assert_int_eq(lazy.unpacked, 2);
        sw_ref_unref(r);
}
END_TEST

/* The same blob on the same parent is the same layer, before and after it is unpacked; on
 * another parent it is not. */
START_TEST(a_blob_is_one_layer)
{
        sw_ref *a = lazy_make(NULL, ":a"), *b = lazy_make(a, ":b"), *c;
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(b));

        for (int i = 0; i < 3; i++) {
                c = lazy_make(a, ":b");
                ck_assert_str_eq(sw_ref_id(c), id);
                sw_ref_unref(c);
                c = lazy_make(NULL, ":b");
                ck_assert_str_ne(sw_ref_id(c), id);
                sw_ref_unref(c);
                if (i == 0)
                        ok(sw_ref_ready(w, NULL, b));
                if (i == 1) {
                        sw_ref_unref(a);
                        sw_ref_unref(b);
                        lazy_reopen();
                        a = lazy_make(NULL, ":a");
                        b = lazy_make(a, ":b");
                        ck_assert_str_eq(sw_ref_id(b), id);
                }
        }
        sw_ref_unref(a);
        sw_ref_unref(b);
}
END_TEST

/* Each way to need files has them made: a layer on top, a diff, a view, a look, a layer
 * that is told; a merge alone does not. */
START_TEST(whoever_needs_files_gets_them)
{
        sw_ref *r[5], *out;
        struct sw_snapshot_mount m;
        struct sw__look look;
        sw_layer *l;

        for (int i = 0; i < 5; i++) {
                sw_auto(sw_str) locator = sw_asprintf(":%c", 'a' + i);

                r[i] = lazy_make(NULL, locator);
        }
        ok(sw_worker_merge(w, NULL, r, 5, NULL, &out));
        ck_assert_int_eq(lazy.unpacked, 0);
        ok(sw_worker_layer(w, NULL, r[0], NULL, &l));
        ck_assert_int_eq(lazy.unpacked, 1);
        sw_layer_abandon(l);
        ok(sw__worker_view(w, NULL, r[1], &m));
        ok(sw__worker_unview(w, &m));
        ck_assert_int_eq(lazy.unpacked, 2);
        ok(sw__worker_look(w, NULL, r[2], &look));
        ck_assert_int_eq(lazy.unpacked, 3);
        sw_ref_unref(out);
        ok(sw_worker_diff(w, NULL, r[0], r[3], NULL, &out));
        ck_assert_int_eq(lazy.unpacked, 4);
        sw_ref_unref(out);
        ok(sw_ref_ready(w, NULL, NULL));
        ok(sw_ref_ready(w, NULL, r[4]));
        ck_assert_int_eq(lazy.unpacked, 5);
        for (int i = 0; i < 5; i++)
                sw_ref_unref(r[i]);
}
END_TEST

/* Slices and merges have layers whose ancestry is not in the stack: those come first. */
START_TEST(slices_and_merges_are_made_ready)
{
        sw_ref *low = lazy_chain(2, "d"), *top = lazy_chain(4, "d"), *slice, *merge;
        sw_ref *parts[2];

        ok(sw_worker_diff(w, NULL, low, top, NULL, &slice));
        parts[0] = lazy_make(NULL, "d:x");
        parts[1] = slice;
        ok(sw_worker_merge(w, NULL, parts, 2, NULL, &merge));
        sw_ref_unref(low);
        sw_ref_unref(top);
        ck_assert_uint_eq(lazy_count(merge), 3);
        ok(sw_ref_ready(w, NULL, merge));
        ck_assert_uint_eq(lazy_count(merge), 0);
        ck_assert_int_eq(lazy.unpacked, 5);
        sw_ref_unref(parts[0]);
        sw_ref_unref(slice);
        sw_ref_unref(merge);
}
END_TEST

/* ---- several at once ---- */

static void *
make_ready(void *arg)
{
        sw_err *err = sw_ref_ready(w, NULL, arg);

        return err;
}

static void
ready_by_threads(sw_ref *r, int n)
{
        pthread_t threads[16];

        for (int i = 0; i < n; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, make_ready, r), 0);
        for (int i = 0; i < n; i++) {
                void *err;

                pthread_join(threads[i], &err);
                ok(err);
        }
}

/* Sixteen threads want eight layers: each is unpacked once, four at a time. */
START_TEST(threads_share_the_work)
{
        sw_ref *r = lazy_chain(8, "d");

        ready_by_threads(r, 16);
        ck_assert_int_eq(lazy.unpacked, 8);
        ck_assert_int_le(lazy.most, 4);
        ck_assert_uint_eq(lazy_count(r), 0);
        ck_assert_int_eq(lazy_rubbish(), 0);
        sw_ref_unref(r);
}
END_TEST

static _Noreturn void
child_ready(const char *id, int threads)
{
        sw_ref *r;

        lazy_open();
        ok(sw_worker_load(w, NULL, id, &r));
        ready_by_threads(r, threads);
        sw_ref_unref(r);
        sw__root_close(root);
        _exit(0);
}

/* Two processes of four threads each: still once. */
START_TEST(processes_share_the_work)
{
        sw_ref *r = lazy_chain(8, "d");
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(r));
        pid_t pids[2];

        sw_ref_unref(r);
        sw__root_close(root);
        for (int i = 0; i < 2; i++) {
                pids[i] = fork();
                if (pids[i] == 0)
                        child_ready(id, 4);
        }
        for (int i = 0; i < 2; i++) {
                int status;

                ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
                ck_assert_int_eq(status, 0);
        }
        for (char c[2] = "a"; *c <= 'h'; (*c)++)
                ck_assert_int_eq(lazy_logged(c), 1);
        lazy_open();
        ok(sw_worker_load(w, NULL, id, &r));
        ck_assert_uint_eq(lazy_count(r), 0);
        sw_ref_unref(r);
}
END_TEST

/* ---- faults ---- */

/* One layer fails: the error names it and its origin, nothing half made stays, the layer
 * is lazy, and the next attempt succeeds. */
START_TEST(a_failure_leaves_nothing)
{
        sw_ref *a = lazy_make(NULL, ":a"), *b = lazy_make(a, "f:b");
        sw_tree *t;

        atomic_store(&lazy.fail, 1);
        fails(sw_ref_open(NULL, b, &t), SW_E_CORRUPT, "f:b");
        ck_assert_int_eq(lazy_rubbish(), 0);
        ck_assert_uint_ge(lazy_count(b), 1);
        ok(sw_ref_open(NULL, b, &t));
        ok(sw_tree_close(t));
        ck_assert(lazy_has(sw_ref_id(b), "b", "b"));
        ck_assert_uint_eq(lazy_count(b), 0);
        sw_ref_unref(a);
        sw_ref_unref(b);
}
END_TEST

/* The snapshotter fails at each step. */
START_TEST(a_full_disk_leaves_nothing)
{
        static const char *const steps[] = { "prepare", "write", "finish", "commit" };
        sw_ref *r = lazy_chain(1, "");

        for (size_t i = 0; i < SW_COUNT(steps); i++) {
                fake.fail = steps[i];
                fails(sw_ref_ready(w, NULL, r), SW_E_IO, steps[i]);
                fake.fail = NULL;
                ck_assert_int_eq(fake_layers(dir), 0);
                ck_assert_uint_eq(lazy_count(r), 1);
        }
        ok(sw_ref_ready(w, NULL, r));
        sw_ref_unref(r);
}
END_TEST

struct waiter {
        sw_ref *r;
        sw_cancel *cancel;
};

static void *
wait_cancelled(void *arg)
{
        struct waiter *a = arg;
        sw_ctx *ctx = sw_ctx_new(a->cancel, NULL, NULL, NULL, "test");
        sw_err *err = sw_ref_ready(w, ctx, a->r);

        sw_ctx_free(ctx);
        return err;
}

/* Who waits for another one's work leaves when it is cancelled, and the other one goes on;
 * who does the work leaves, and what it made goes. */
START_TEST(the_cancelled_leave)
{
        sw_ref *r = lazy_chain(1, "h");
        struct waiter a = { r, sw_cancel_new(NULL) }, b = { r, sw_cancel_new(NULL) };
        pthread_t ta, tb;
        void *err;

        atomic_store(&lazy.hold, true);
        pthread_create(&ta, NULL, wait_cancelled, &a);
        while (!atomic_load(&lazy.holding))
                sched_yield();
        pthread_create(&tb, NULL, wait_cancelled, &b);
        sw_cancel_now(b.cancel, "not wanted");
        pthread_join(tb, &err);
        fails(err, SW_E_CANCELLED, "not wanted");
        ck_assert_int_eq(lazy.holding, 1);
        sw_cancel_now(a.cancel, "nor this");
        pthread_join(ta, &err);
        fails(err, SW_E_CANCELLED, "");
        ck_assert_int_eq(fake_layers(dir), 0);
        ck_assert_uint_eq(lazy_count(r), 1);
        atomic_store(&lazy.hold, false);
        ok(sw_ref_ready(w, NULL, r));
        sw_cancel_unref(a.cancel);
        sw_cancel_unref(b.cancel);
        sw_ref_unref(r);
}
END_TEST

/* A process that is killed in the middle of unpacking: its place is free for the next one
 * at once, and what it left is removed by whoever opens the root, also when nobody wants
 * the layer. */
START_TEST(who_is_killed_is_followed)
{
        sw_ref *r = lazy_chain(2, "h");
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(r));

        sw_ref_unref(r);
        for (int again = 0; again < 2; again++) {
                int fds[2], status;
                char byte;

                ck_assert_int_eq(pipe(fds), 0);
                sw__root_close(root);
                pid_t pid = fork();
                if (pid == 0) {
                        pthread_t t;

                        lazy_open();
                        ok(sw_worker_load(w, NULL, id, &r));
                        atomic_store(&lazy.hold, true);
                        pthread_create(&t, NULL, make_ready, r);
                        while (atomic_load(&lazy.holding) < 2)
                                sched_yield();
                        if (write(fds[1], "x", 1) != 1)
                                abort();
                        pause();
                }
                close(fds[1]); /* so that one that dies by itself is noticed */
                ck_assert_int_eq(read(fds[0], &byte, 1), 1);
                kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
                close(fds[0]);
                ck_assert_int_eq(lazy_rubbish(), 2);
                lazy_open();
                if (again == 0) {
                        ok(sw__worker_reap(w, NULL));
                        ck_assert_int_eq(fake_layers(dir), 0);
                        continue;
                }
                ok(sw_worker_load(w, NULL, id, &r));
                ok(sw_ref_ready(w, NULL, r));
                ck_assert_int_eq(lazy_rubbish(), 0);
                ck_assert_uint_eq(lazy_count(r), 0);
                ck_assert_int_eq(lazy.unpacked, 2);
                sw_ref_unref(r);
        }
}
END_TEST

/* What is being unpacked is left alone by those who remove layers. */
START_TEST(work_in_progress_is_not_removed)
{
        sw_ref *r = lazy_chain(1, "h");
        pthread_t t;
        void *err;

        atomic_store(&lazy.hold, true);
        pthread_create(&t, NULL, make_ready, r);
        while (!atomic_load(&lazy.holding))
                sched_yield();
        ok(sw__worker_reap(w, NULL));
        prune_everything();
        ck_assert_int_eq(lazy_rubbish(), 1);
        atomic_store(&lazy.hold, false);
        pthread_join(t, &err);
        ok(err);
        ck_assert(lazy_has(sw_ref_id(r), "a", "a"));
        sw_ref_unref(r);
}
END_TEST

/* After a power failure files that were not synced are made again; what was stacked on the
 * layer before it was unpacked stays. */
START_TEST(a_power_failure_makes_it_lazy)
{
        sw_ref *r;
        sw_auto(sw_str) id = NULL;

        sw__root_close(root);
        root = fake_root_at(dir, &fake, "boot-1");
        w = sw__root_worker(root);
        sw__root_use_source(root, &lazy_ops, NULL);
        r = lazy_chain(2, "");
        id = sw_strdup(sw_ref_id(r));
        ok(sw__sync(w));
        ok(sw_ref_ready(w, NULL, r));
        sw_ref_unref(r);
        sw__root_close(root);
        root = fake_root_at(dir, &fake, "boot-2");
        w = sw__root_worker(root);
        sw__root_use_source(root, &lazy_ops, NULL);
        ok(sw_worker_load(w, NULL, id, &r));
        ck_assert_uint_eq(lazy_count(r), 2);
        ok(sw__worker_reap(w, NULL));
        ck_assert_int_eq(fake_layers(dir), 0);
        ok(sw_ref_ready(w, NULL, r));
        ck_assert_int_eq(lazy.unpacked, 4);
        sw_ref_unref(r);
}
END_TEST

/* ---- what manifests claim ---- */

/* A manifest that claims the diff ids of layers that are here gets those layers, and its
 * own blobs are never told as theirs; while they are lazy, it does not even get those. */
START_TEST(claims_lead_to_nothing)
{
        const struct sw_blob_origin origin = { "fake", ":evil" };
        struct sw_blob evil = blob_of("evil", "tar of a");
        sw_ref *honest = lazy_make(NULL, ":a"), *r;
        sw_chain *c;

        ok(sw_worker_blob_layer(w, NULL, NULL, &evil, &origin, NULL, &r));
        ck_assert_str_ne(sw_ref_id(r), sw_ref_id(honest));
        sw_ref_unref(r);
        ok(sw_ref_ready(w, NULL, honest));
        ok(sw_worker_blob_layer(w, NULL, NULL, &evil, &origin, NULL, &r));
        ck_assert_str_eq(sw_ref_id(r), sw_ref_id(honest));
        ok(sw_ref_chain(w, NULL, r, &c));
        ck_assert_uint_eq(sw_chain_get(c, 0)->n_blobs, 1);
        ck_assert_str_eq(sw_chain_get(c, 0)->blobs[0].origin->locator, ":a");
        sw_chain_free(c);
        sw_ref_unref(r);
        sw_ref_unref(honest);
}
END_TEST

/* A blob that was here is known to have its size and diff id: who says otherwise lies. One
 * that is lazy proves nothing, so that a liar cannot keep the honest out. */
START_TEST(contradictions_are_refused)
{
        const struct sw_blob_origin origin = { "fake", ":b" };
        struct sw_blob lie = blob_of("a", "another tar"), longer = blob_of("a", "tar of a");
        sw_ref *a = lazy_make(NULL, ":a"), *r;

        ok(sw_worker_blob_layer(w, NULL, NULL, &lie, &origin, NULL, &r));
        sw_ref_unref(r);
        ok(sw_ref_ready(w, NULL, a));
        fails(sw_worker_blob_layer(w, NULL, a, &lie, &origin, NULL, &r), SW_E_INVALID,
              "manifest");
        longer.len++;
        fails(sw_worker_blob_layer(w, NULL, a, &longer, &origin, NULL, &r), SW_E_INVALID,
              "manifest");
        fails(sw_worker_blob_layer(w, NULL, NULL, &longer, &origin, NULL, &r), SW_E_INVALID,
              "size");
        lie = blob_of("here", "tar");
        put_blob(w, "here");
        lie.len--;
        fails(sw_worker_blob_layer(w, NULL, NULL, &lie, &origin, NULL, &r), SW_E_INVALID,
              "manifest");
        fails(sw_worker_blob_layer(w, NULL, NULL, &lie, NULL, NULL, &r), SW_E_INVALID,
              "nobody");
        sw_ref_unref(a);
}
END_TEST

/* ---- the rest ---- */

/* A directory that a layer has only because of what is in it looks as the layers below
 * have it, also when those are unpacked later. */
START_TEST(implied_directories_are_as_below)
{
        const struct sw_layer_ops *ops;
        const struct sw_layer_meta m = { .mode = 0710 };
        sw_layer *l;
        sw_ref *a, *b;
        void *writer;
        struct stat st;

        ok(sw_worker_layer(w, NULL, NULL, NULL, &l));
        ok(sw_layer_write(l, NULL, &ops, &writer));
        ok(ops->mkdir(writer, "dir", &m));
        ok(ops->xattr(writer, "dir", "user.note", "x", 1));
        ok(ops->finish(writer));
        ok(sw_layer_commit(l, NULL, &a));
        b = lazy_make(a, "d:b");
        ok(sw_ref_ready(w, NULL, b));
        sw_auto(sw_str) path =
                sw_asprintf("%s/snapshots/fake/%s/data/dir", dir, sw_ref_id(b));
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0710);
        char value[4];
        ck_assert_int_eq(getxattr(path, "user.note", value, 4), 1);
        sw_ref_unref(a);
        sw_ref_unref(b);
}
END_TEST

static sw_err *
lend_two(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg)
{
        static char sessions[2];
        int *calls = lender;
        sw_err *err = NULL;

        for (int i = 0; i < 2; i++) {
                (*calls)++;
                sw_err_free(err);
                err = fn(arg, ctx, (struct sw_session *) &sessions[i]);
                if (!err)
                        return err;
        }
        return err;
}

/* The source gets the session of who needs the files; when one does not help, another. */
START_TEST(sessions_are_lent)
{
        sw_ref *r = lazy_make(NULL, "f:a");
        sw_ctx *ctx = sw_ctx_new(NULL, NULL, NULL, NULL, "test");
        int calls = 0;

        sw_ctx_set_lender(ctx, lend_two, &calls);
        atomic_store(&lazy.fail, 1);
        ok(sw_ref_ready(w, ctx, r));
        ck_assert_int_eq(calls, 2);
        ck_assert_ptr_nonnull(lazy.session);
        ck_assert(lazy_has(sw_ref_id(r), "a", "a"));
        sw_ctx_free(ctx);
        sw_ref_unref(r);
}
END_TEST

static void
note_status(void *arg, const struct sw_progress *p)
{
        char *seen = arg;
        char text[SW_DIGEST_STR_SIZE];
        const sw_digest d = lazy_digest("a");
        sw_auto(sw_str) id = sw_asprintf("extracting %s", sw_digest_str(&d, text));

        ck_assert_str_eq(p->id, id);
        strcat(seen, p->completed ? "c" : "s");
}

START_TEST(progress_is_told)
{
        const struct sw_progress_sink sink = { .size = sizeof(sink),
                                               .status = note_status };
        char seen[8] = "";
        sw_ctx *ctx = sw_ctx_new(NULL, NULL, &sink, seen, "test");
        sw_ref *r = lazy_make(NULL, ":a");

        ok(sw_ref_ready(w, ctx, r));
        ok(sw_ref_ready(w, ctx, r));
        ck_assert_str_eq(seen, "sc");
        sw_ctx_free(ctx);
        sw_ref_unref(r);
}
END_TEST

/* Bytes of a form are here, or come from the origin; then they are kept with the layer. */
START_TEST(bytes_are_fetched)
{
        const sw_digest a = lazy_digest("a"), none = lazy_digest("none");
        sw_ref *r = lazy_make(NULL, "f:a");
        sw_chain *c;
        int fd;

        ok(sw_ref_chain(w, NULL, r, &c));
        atomic_store(&lazy.fail, 1);
        fails(sw_chain_blob_open(c, NULL, 0, &a, &fd), SW_E_NOT_FOUND, "f:a");
        for (int i = 0; i < 2; i++) {
                ok(sw_chain_blob_open(c, NULL, 0, &a, &fd));
                close(fd);
        }
        ck_assert_int_eq(lazy.fetched, 2);
        ck_assert_uint_eq(lazy_count(r), 1);
        fails(sw_chain_blob_open(c, NULL, 0, &none, &fd), SW_E_NOT_FOUND, "");
        sw_chain_free(c);
        sw_ref_unref(r);
        lazy_reopen();
        r = lazy_make(NULL, ":a");
        prune_everything();
        ck_assert(has_blob(&a));
        sw_ref_unref(r);
        tool_settle();
        prune_everything();
        prune_everything();
        ck_assert(!has_blob(&a));
}
END_TEST

UNIT_MAIN_WITH("lazy", lazy_before, lazy_after, a_layer_is_lazy_until_it_is_opened,
               a_blob_is_one_layer, whoever_needs_files_gets_them,
               slices_and_merges_are_made_ready, threads_share_the_work,
               processes_share_the_work, a_failure_leaves_nothing,
               a_full_disk_leaves_nothing, the_cancelled_leave, who_is_killed_is_followed,
               work_in_progress_is_not_removed, a_power_failure_makes_it_lazy,
               claims_lead_to_nothing, contradictions_are_refused,
               implied_directories_are_as_below, sessions_are_lent, progress_is_told,
               bytes_are_fetched)
