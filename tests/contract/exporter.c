/*
 * tests/contract/exporter.c - the rules of exporters (slipway/exporter.h).
 *
 * A rule is checked by what can be seen from outside: the result of the call, what was
 * opened and closed, descriptors of the process, and the source tree itself.
 */
#include "tests/contract/contract.h"

#include <pthread.h>
#include <string.h>

#include <slipway/time.h>

/* One export by its parts; zero values are sensible. */
struct attempt {
        struct contract *c;
        sw_cancel *cancel;
        const struct sw_export_ref *refs;
        size_t n_refs;
        const struct sw_export_target *target;
};

/* resolve -> export_refs -> finalize -> release, as the core does it. */
static sw_err *
attempt_run(struct attempt *a)
{
        struct sw_exporter e;
        void *resolved = NULL;
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(a->cancel, NULL, NULL, NULL, a->c->info->name);
        struct sw_export_result out = { .size = sizeof(out), .response = sw_map_new(free) };
        sw_err *err = sw_host_exporter(a->c->host, a->c->info->name, &e);

        if (!err)
                err = sw_exporter_resolve(&e, ctx, a->c->attrs, a->c->n_attrs, &resolved);
        if (err) {
                sw_map_free(out.response);
                return err;
        }
        const struct sw_export_request req = {
                .size = sizeof(req),
                .refs = a->refs,
                .n_refs = a->n_refs,
                .attrs = a->c->attrs,
                .n_attrs = a->c->n_attrs,
                .source_date_epoch = 1600000000,
                .target = a->target,
                .resolved = resolved,
        };
        err = sw_exporter_export(&e, ctx, &req, &out);
        if (!err)
                err = sw_exporter_finalize(&e, ctx, &req, &out);
        sw_exporter_release(&e, resolved);
        sw_map_free(out.response);
        return err;
}

static const int input_codes[] = { SW_E_INVALID, SW_E_UNSUPPORTED, 0 };
static const int cancel_codes[] = { SW_E_CANCELLED, 0 };

static void
check_plain(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        struct fixture_target target;
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = ref };
        const sw_digest before = fixture_tree_state(tree);

        fixture_target_init(&target, c, "plain");
        struct attempt a = { c, NULL, &one, 1, &target.target };
        contract_ok(c, attempt_run(&a), "exports an ordinary tree");

        const sw_digest after = fixture_tree_state(tree);
        contract_check(c, sw_digest_eq(&before, &after), "leaves the tree as it was", NULL);
        contract_check(c, counts.opened == counts.closed, "closes every tree it opens",
                       "%u opened, %u closed", counts.opened, counts.closed);
        contract_check(c, target.committed == (target.opened_file || target.opened_dir),
                       "commits the target once, if it opened it", "%u commits",
                       target.committed);
        sw_ref_unref(ref);
        contract_check(c, counts.released == 1, "keeps no reference to the tree", NULL);
        fixture_target_release(&target);
}

static void
check_empty(struct contract *c)
{
        struct fixture_target target;
        const struct sw_export_ref none = { .platform = "", .ref = NULL };

        fixture_target_init(&target, c, "empty");
        struct attempt a = { c, NULL, &none, 1, &target.target };
        contract_ok(c, attempt_run(&a), "exports an empty result (no ref)");
        fixture_target_release(&target);
}

static void
check_platforms(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        struct fixture_target target;
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        const struct sw_export_ref two[] = {
                { .platform = "linux/amd64", .ref = ref },
                { .platform = "linux/arm64", .ref = ref },
        };

        fixture_target_init(&target, c, "platforms");
        struct attempt a = { c, NULL, two, 2, &target.target };
        sw_err *err = attempt_run(&a);
        if (err)
                contract_refused(c, err, input_codes, "two platforms: refused in order");
        else
                contract_check(c, true, "two platforms: exported", NULL);
        sw_ref_unref(ref);
        fixture_target_release(&target);
}

static void
check_no_target(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = ref };
        struct attempt a = { c, NULL, &one, 1, NULL };
        sw_err *err = attempt_run(&a);

        if (err)
                contract_refused(c, err, input_codes,
                                 "without a client side: refused in order");
        else
                contract_check(c, true, "without a client side: exported", NULL);
        sw_ref_unref(ref);
}

/* Export with a token cancelled before (@early) or during the call. */
static void
check_cancelled(struct contract *c, const struct fixture_tree *tree, bool early)
{
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        struct fixture_counts counts = { 0 };
        struct fixture_target target;
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_OPEN_CANCELS, cancel, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = ref };

        fixture_target_init(&target, c, early ? "cancelled" : "cancelling");
        if (early)
                sw_cancel_now(cancel, "cancelled on purpose");
        struct attempt a = { c, cancel, &one, 1, &target.target };
        int64_t start = sw_time_mono();
        sw_err *err = attempt_run(&a);
        int64_t ms = (sw_time_mono() - start) / 1000000;

        if (early || counts.opened)
                contract_refused(c, err, cancel_codes,
                                 early ? "a cancelled context is noticed"
                                       : "cancellation during the export is noticed");
        else
                contract_ok(c, err, "a tree that is not opened cannot cancel");
        contract_check(c, ms <= SW_CANCEL_GRACE_MS, "returns soon after cancellation",
                       "%lld ms", (long long) ms);
        contract_check(c, !sw_cancelled(cancel) || !target.committed,
                       "a cancelled export is not committed", NULL);
        sw_ref_unref(ref);
        contract_check(c, counts.opened == counts.closed && counts.released == 1,
                       "a cancelled export gives everything back", NULL);
        fixture_target_release(&target);
}

static void
check_unreadable(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        struct fixture_target probe, target;
        sw_ref *good = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_OPEN_FAILS, NULL, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = good };
        const struct sw_export_ref bad = { .platform = "", .ref = ref };

        fixture_target_init(&probe, c, "probe");
        fixture_target_init(&target, c, "unreadable");
        struct attempt a = { c, NULL, &one, 1, &probe.target };
        sw_err_drop(attempt_run(&a), "only to see whether it opens trees");
        a.refs = &bad;
        a.target = &target.target;
        sw_err *err = attempt_run(&a);
        if (counts.opened)
                contract_refused(c, err, NULL, "a tree that cannot be opened is an error");
        else
                contract_ok(c, err, "does without opening the tree");
        contract_check(c, !counts.opened || !target.committed,
                       "nothing is committed after an error", NULL);
        sw_ref_unref(good);
        sw_ref_unref(ref);
        fixture_target_release(&probe);
        fixture_target_release(&target);
}

static void
check_full(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        struct fixture_target target;
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = ref };

        fixture_target_init(&target, c, "full");
        target.full = true;
        struct attempt a = { c, NULL, &one, 1, &target.target };
        sw_err *err = attempt_run(&a);
        bool used = target.opened_file || target.opened_dir;
        if (used)
                contract_refused(c, err, NULL, "a full target is an error");
        else
                contract_ok(c, err, "does without the target");
        contract_check(c, !target.committed || !used, "a full target is not committed",
                       NULL);
        sw_ref_unref(ref);
        fixture_target_release(&target);
}

static void
check_repeatable(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = ref };
        sw_digest d[2];

        for (int i = 0; i < 2; i++) {
                struct fixture_target target;

                fixture_target_init(&target, c, i ? "second" : "first");
                struct attempt a = { c, NULL, &one, 1, &target.target };
                contract_ok(c, attempt_run(&a), i ? "exports it again" : "exports it once");
                d[i] = fixture_target_digest(&target);
                fixture_target_release(&target);
        }
        contract_check(c, sw_digest_eq(&d[0], &d[1]),
                       "with a source date epoch, the same tree gives the same bytes",
                       NULL);
        sw_ref_unref(ref);
}

enum { N_THREADS = 4, N_ROUNDS = 8 };

struct worker {
        struct attempt a;
        struct fixture_target targets[N_ROUNDS];
        sw_err *err; /* the first */
};

static void *
worker_main(void *arg)
{
        struct worker *w = arg;

        for (int i = 0; i < N_ROUNDS && !w->err; i++) {
                w->a.target = &w->targets[i].target;
                w->err = attempt_run(&w->a);
        }
        return NULL;
}

static void
check_concurrent(struct contract *c, const struct fixture_tree *tree)
{
        struct fixture_counts counts = { 0 };
        sw_ref *ref = fixture_ref_new(tree, FIXTURE_NONE, NULL, &counts);
        const struct sw_export_ref one = { .platform = "", .ref = ref };
        struct worker w[N_THREADS] = { 0 };
        pthread_t threads[N_THREADS];
        sw_err *err = SW_OK;

        for (int i = 0; i < N_THREADS; i++) {
                w[i].a = (struct attempt){ c, NULL, &one, 1, NULL };
                for (int k = 0; k < N_ROUNDS; k++) {
                        sw_auto(sw_str) name = sw_asprintf("job-%d-%d", i, k);

                        fixture_target_init(&w[i].targets[k], c, name);
                }
        }
        for (int i = 0; i < N_THREADS; i++)
                pthread_create(&threads[i], NULL, worker_main, &w[i]);
        for (int i = 0; i < N_THREADS; i++) {
                pthread_join(threads[i], NULL);
                for (int k = 0; k < N_ROUNDS; k++)
                        fixture_target_release(&w[i].targets[k]);
                if (w[i].err && err)
                        sw_err_drop(w[i].err, "one is told");
                else if (w[i].err)
                        err = w[i].err;
        }
        contract_ok(c, err, "serves several jobs at once");
        sw_ref_unref(ref);
        contract_check(c, counts.opened == counts.closed && counts.released == 1,
                       "several jobs give everything back", NULL);
}

void
contract_exporter(struct contract *c)
{
        struct fixture_tree *tree = fixture_tree_new(c, "tree");
        unsigned before = contract_count_fds();

        check_plain(c, tree);
        check_empty(c);
        check_platforms(c, tree);
        check_no_target(c, tree);
        check_cancelled(c, tree, true);
        check_cancelled(c, tree, false);
        check_unreadable(c, tree);
        check_full(c, tree);
        check_repeatable(c, tree);
        check_concurrent(c, tree);

        unsigned after = contract_count_fds();
        contract_check(c, before == after, "leaves no descriptor open",
                       "%u before, %u after", before, after);
        fixture_tree_free(tree);
}
