/*
 * What disk usage tells, what prune removes and what it must not, limits and filters; that
 * the sum of all records is what du(1) says.
 */
#include <stdarg.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <slipway/time.h>

#include "core/store/prune_priv.h"
#include "tests/unit/core/store/fakesnap.h"
#include "tests/unit/core/store/storetool.h"

/* ---- what is told ---- */

struct told {
        char first[SW_ID_SIZE]; /* id */
        size_t n;
        int64_t sum, refs;
        struct sw_usage last;
};

static bool
tell(void *arg, const struct sw_usage *u)
{
        struct told *t = arg;

        if (t->n++ == 0)
                memcpy(t->first, u->id, sizeof(t->first));
        t->sum += u->size;
        t->refs += strlen(u->id) == SW_ID_LEN;
        t->last = *u;
        return true;
}

static struct told
usage(const char *expr)
{
        struct told t = { 0 };
        sw_auto(sw_strlist) exprs = { 0 };
        sw_autoptr(sw_filter) f = NULL;

        if (expr)
                sw_strlist_add(&exprs, expr);
        ok(sw__filter_new(&exprs, &f));
        ok(sw__worker_usage(w, NULL, f, 0, tell, &t));
        return t;
}

static struct told
prune(struct sw_prune_opts opts, const char *expr)
{
        struct told t = { 0 };
        sw_auto(sw_strlist) exprs = { 0 };
        sw_autoptr(sw_filter) f = NULL;

        if (expr)
                sw_strlist_add(&exprs, expr);
        ok(sw__filter_new(&exprs, &f));
        opts.filter = f;
        ok(sw__worker_prune(w, NULL, &opts, tell, &t));
        return t;
}

/* Held refs are in use, and so is what they are made on; others are not. */
START_TEST(use_is_told)
{
        sw_ref *a = make(NULL, "a"), *b = make(a, "b"), *c = make(NULL, "c");

        sw_ref_unref(a);
        sw_ref_unref(c);
        tool_settle();
        ck_assert_int_eq(usage("inuse").refs, 2);
        ck_assert_int_eq(usage("inuse!=true").refs, 1);
        ck_assert_int_eq(usage("description==b,type==regular").refs, 1);
        ck_assert_int_eq(usage("parents").refs, 1);
        ck_assert_int_eq(usage("immutable").refs, 3);
        sw_ref_unref(b);
        tool_settle();
        ck_assert_int_eq(usage("inuse").refs, 0);
        const struct told t = usage("parents");
        ck_assert_int_eq(t.last.size, 1000);
        ck_assert_int_eq(t.last.usage_count, 1);
        ck_assert_int_gt(t.last.last_used, 0);
}
END_TEST

static int n_released;

static void
released(void *arg, const char *result)
{
        ck_assert_ptr_null(arg);
        ck_assert_ptr_nonnull(strstr(result, "::"));
        n_released++;
}

/* All that nobody uses goes, layers too; children before parents. */
START_TEST(everything_unused_goes)
{
        sw_ref *a = make(NULL, "a"), *b = make(a, "b"), *c = make(NULL, "c"), *m;
        sw_ref *parts[] = { b, c };

        ok(sw_worker_merge(w, NULL, parts, 2, NULL, &m));
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(b));
        sw_ref_unref(a);
        sw_ref_unref(c);
        sw_ref_unref(m);
        tool_settle();
        struct told t = prune((struct sw_prune_opts){ .released = released }, NULL);
        ck_assert_int_eq(t.refs, 2); /* the merge, then c; b is held, and a is under it */
        ck_assert_int_eq(n_released, 2);
        ck_assert_int_eq(fake_layers(dir), 2);
        sw_ref_unref(b);
        tool_settle();
        t = prune((struct sw_prune_opts){ 0 }, NULL);
        ck_assert_int_eq(t.refs, 2);
        ck_assert_str_eq(t.first, id);
        ck_assert_int_eq(fake_layers(dir), 0);
        ck_assert_int_eq(usage("immutable").refs, 0);
}
END_TEST

/* Filters, ages and records that are internal limit what goes. */
START_TEST(not_all_goes)
{
        sw_ref *a = make(NULL, "a"), *b = make_typed("internal"), *c = make(NULL, "c");

        sw_ref_unref(a);
        sw_ref_unref(b);
        sw_ref_unref(c);
        tool_settle();
        ck_assert_int_eq(
                prune((struct sw_prune_opts){ .keep_duration = 3600 * SW_NS_PER_SEC }, NULL)
                        .refs,
                0);
        ck_assert_int_eq(prune((struct sw_prune_opts){ 0 }, "type==source.local").refs, 0);
        ck_assert_int_eq(prune((struct sw_prune_opts){ 0 }, "description~=/^[ab]$/").refs,
                         1);
        ck_assert_int_eq(prune((struct sw_prune_opts){ 0 }, NULL).refs, 1);
        ck_assert_int_eq(prune((struct sw_prune_opts){ .all = true }, NULL).refs, 1);
        ck_assert_int_eq(fake_layers(dir), 0);
}
END_TEST

/* With a limit, the longest and least used go until it is kept. */
START_TEST(the_oldest_go_first)
{
        sw_ref *a = make(NULL, "a"), *b = make(NULL, "b"), *c = make(NULL, "c"), *again;
        sw_auto(sw_str) ida = sw_strdup(sw_ref_id(a));
        sw_auto(sw_str) idb = sw_strdup(sw_ref_id(b));

        sw_ref_unref(a);
        sw_ref_unref(b);
        sw_ref_unref(c);
        reopen();
        ok(sw_worker_load(w, NULL, ida, &again)); /* used a second time */
        sw_ref_unref(again);
        tool_settle();
        const int64_t total = usage(NULL).sum;
        struct told t = prune((struct sw_prune_opts){ .max_used_space = total }, NULL);
        ck_assert_int_eq(t.refs, 0);
        t = prune((struct sw_prune_opts){ .max_used_space = total - 1 }, NULL);
        ck_assert_int_eq(t.refs, 1);
        ck_assert_str_eq(t.first, idb);
}
END_TEST

/* How much may stay, case by case. */
START_TEST(limits_add_up)
{
        const int64_t f = 1000;
        struct sw_prune_opts max = { .max_used_space = 50 },
                             both = { .max_used_space = 50, .min_free_space = 2000 };
        struct sw_prune_opts reserved = { .reserved_space = 70 },
                             min = { .min_free_space = 500 };
        struct sw_prune_opts all = { .max_used_space = 50,
                                     .min_free_space = 2000,
                                     .reserved_space = 60 };

        ck_assert_int_eq(sw__prune_keep(&max, 100, f), 50);
        ck_assert_int_eq(sw__prune_keep(&both, 1020, f), 20);
        ck_assert_int_eq(sw__prune_keep(&both, 5000, f), 50);
        ck_assert_int_eq(sw__prune_keep(&both, 100, f), 0);
        ck_assert_int_eq(sw__prune_keep(&all, 1020, f), 60);
        ck_assert_int_eq(sw__prune_keep(&reserved, 100, f), 70);
        ck_assert_int_eq(sw__prune_keep(&min, 100, f), 100);
        min.min_free_space = 1010;
        ck_assert_int_eq(sw__prune_keep(&min, 100, f), 90);
}
END_TEST

/* Another process that holds a ref keeps it, until it is killed. */
START_TEST(what_others_hold_stays)
{
        sw_ref *a = make(NULL, "a"), *r;
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(a));
        int up[2], down[2];
        char c;

        sw_ref_unref(a);
        sw__root_close(root);
        ck_assert_int_eq(pipe(up), 0);
        ck_assert_int_eq(pipe(down), 0);
        pid_t pid = fork();
        if (pid == 0) {
                open_root();
                ok(sw_worker_load(w, NULL, id, &r));
                (void) !write(up[1], "x", 1);
                (void) !read(down[0], &c, 1);
                kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(read(up[0], &c, 1), 1);
        open_root();
        ck_assert_int_eq(usage("inuse").refs, 1);
        ck_assert_int_eq(prune((struct sw_prune_opts){ .all = true }, NULL).refs, 0);
        ck_assert_int_eq(write(down[1], "x", 1), 1);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(prune((struct sw_prune_opts){ .all = true }, NULL).refs, 1);
}
END_TEST

/* Layers whose records were lost with the metadata go, too; a doomed one is gone on with.
 */
START_TEST(stray_layers_go)
{
        sw_ref *a = make(NULL, "a");
        sw_auto(sw_str) stray = sw_asprintf("%s/snapshots/fake/stray", dir);

        sw_ref_unref(a);
        ck_assert_int_eq(mkdir(stray, 0700), 0);
        tool_settle();
        fake.fail = "remove";
        struct sw_prune_opts opts = { 0 };
        fails(sw__worker_prune(w, NULL, &opts, NULL, NULL), SW_E_IO, "fake remove");
        ck_assert_int_eq(fake_layers(dir), 2);
        fake.fail = NULL;
        (void) prune(opts, NULL);
        ck_assert_int_eq(fake_layers(dir), 0);
}
END_TEST

/* Parts that can be made again go with --all, unless somebody else is here. */
START_TEST(parts_can_be_emptied)
{
        int fd;

        ok(sw_worker_state_dir(w, "source/local", &fd));
        int file = openat(fd, "stat", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_eq(write(file, "0123456789", 10), 10);
        close(file);
        ck_assert_int_eq(usage("id==state.source.local").sum > 0, 1);
        ck_assert_int_eq(usage("type==internal").n >= 2, 1);
        (void) prune((struct sw_prune_opts){ 0 }, NULL);
        ck_assert_int_eq(faccessat(fd, "stat", F_OK, 0), 0);
        const struct told t = prune((struct sw_prune_opts){ .all = true }, "id~=^state");
        ck_assert_uint_eq(t.n, 1);
        ck_assert_int_ne(faccessat(fd, "stat", F_OK, 0), 0);
        close(fd);
        fails(sw_worker_state_dir(w, "source/../..", &fd), SW_E_INVALID, "name");
        fails(sw_worker_state_dir(w, "source", &fd), SW_E_INVALID, "");
}
END_TEST

/* The default rules leave a small store alone; a rule of the configuration is obeyed. */
START_TEST(rules_are_applied)
{
        sw_autoptr(sw_config) config = sw_config_new();
        sw_auto(sw_gc_policy) p = { 0 }, own = { 0 };
        const char *text = "worker:\n  oci:\n    gcpolicy:\n      - maxUsedSpace: 1\n"
                           "        filters: [\"description==b\"]\n";
        sw_ref *a = make(NULL, "a"), *b = make(NULL, "b");

        sw_ref_unref(a);
        sw_ref_unref(b);
        tool_settle();
        ok(sw__gc_policy(w, NULL, &p));
        ck_assert_uint_eq(p.rules.n, 4);
        ck_assert_int_eq(p.rules.v[0].opts.max_used_space, 512000000);
        ck_assert_uint_eq(p.rules.v[0].filters.n, 3);
        ck_assert_int_eq(p.rules.v[1].opts.keep_duration, 1440 * 3600 * SW_NS_PER_SEC);
        ck_assert(p.rules.v[3].opts.all && !p.rules.v[2].opts.all);
        ck_assert_int_le(p.rules.v[2].opts.reserved_space, 10000000000);
        ck_assert_int_le(p.rules.v[2].opts.max_used_space, 100000000000);
        ok(sw_config_load_text(config, "test", text, strlen(text)));
        ok(sw__gc_policy(w, config, &own));
        ck_assert_uint_eq(own.rules.n, 1);
        ok(sw__worker_gc(w, NULL, config, NULL, NULL)); /* a new root: nothing is old */
        ck_assert_int_eq(usage("immutable").refs, 2);
        ok(sw__worker_gc_now(w, NULL, config, NULL, NULL));
        ck_assert_int_eq(usage("immutable").refs, 1);
        ck_assert_int_eq(usage("description==a").refs, 1);
}
END_TEST

/* The sum of all is what du says, when layers are as large as their directories. */
START_TEST(the_sum_is_that_of_du)
{
        sw_ref *a = make(NULL, "a"), *b = make(a, "b");
        sw_auto(sw_str) cmd = sw_asprintf("du -s --block-size=1 %s", dir);
        long long du = 0;

        sw_ref_unref(a);
        sw_ref_unref(b);
        fake.du = true;
        reopen();
        fake.du = true;
        const int64_t sum = usage(NULL).sum;
        FILE *p = popen(cmd, "r");
        ck_assert_int_eq(fscanf(p, "%lld", &du), 1);
        pclose(p);
        ck_assert_int_eq(sum, du);
}
END_TEST

/* Logs go when they are old and many; catches: those of builds that go on, or all. */
START_TEST(old_logs_go)
{
        const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
        sw_auto(sw_str) logs = sw_asprintf("%s/logs", dir);

        ok(sw__logs_age(w, 0, 0)); /* there are none */
        ck_assert_int_eq(mkdir(logs, 0700), 0);
        for (int i = 0; i < 6; i++) {
                sw_auto(sw_str) log = sw_asprintf("%s/l%d", logs, i);
                sw_auto(sw_str) file = sw_asprintf("%s/step.log", log);

                ck_assert_int_eq(mkdir(log, 0700), 0);
                ck_assert_int_eq(close(creat(file, 0600)), 0);
                if (i < 3)
                        ck_assert_int_eq(utimensat(AT_FDCWD, log, old, 0), 0);
        }
        sw_auto(sw_str) young = sw_asprintf("%s/l3", logs);
        sw_auto(sw_str) oldest = sw_asprintf("%s/l0", logs);
        ok(sw__logs_age(w, 6, SW_NS_PER_SEC));
        ck_assert_int_eq(access(oldest, F_OK), 0);
        ok(sw__logs_age(w, 3, INT64_MAX));
        ck_assert_int_eq(access(oldest, F_OK), 0);
        ok(sw__logs_age(w, 2, 3600 * SW_NS_PER_SEC));
        ck_assert_int_ne(access(oldest, F_OK), 0);
        ck_assert_int_eq(access(young, F_OK), 0);
}
END_TEST

UNIT_MAIN_WITH("prune", before, after, use_is_told, everything_unused_goes, not_all_goes,
               the_oldest_go_first, limits_add_up, what_others_hold_stays, stray_layers_go,
               parts_can_be_emptied, rules_are_applied, the_sum_is_that_of_du, old_logs_go)
