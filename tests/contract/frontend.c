/*
 * tests/contract/frontend.c - the rules of frontends (slipway/frontend.h).
 *
 * The bridge is one that makes nothing: every definition it is given is the same small
 * tree, with a file "Dockerfile" that says FROM scratch. It counts, and fails or cancels at
 * the call it is told. What the frontend makes of that is its own matter; how it comes back
 * from it is not.
 */
#include "tests/contract/contract.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/frontend.h>
#include <slipway/path.h>
#include <slipway/time.h>

#define N_THREADS 4
#define N_ROUNDS  4
#define MAX_CALLS 64
#define VERTEX    "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

enum { FAIL_NEVER = -1 };

/* One build with a bridge of its own. */
struct attempt {
        struct contract *c;
        int dir;            /* the tree */
        int fail_at;        /* the call that fails; FAIL_NEVER */
        bool cancel;        /* it cancels the build instead */
        sw_cancel *token;   /* of the build */
        int calls;          /* atomic */
        int made, released; /* refs; atomic */
        bool failed_solve;  /* a solve was the call that failed */
        struct sw_frontend_result out;
};

/* ---- The bridge ---- */

struct tree {
        struct attempt *a;
};

static sw_err *
open_tree(void *self, sw_ctx *ctx, int *dirfd, void **view)
{
        const struct tree *t = self;

        (void) ctx;
        *view = NULL;
        *dirfd = openat(t->a->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *dirfd >= 0 ? SW_OK : sw_err_sys(SW_E_IO, errno, "open the tree");
}

static sw_err *
close_tree(void *self, void *view)
{
        (void) self;
        (void) view;
        return SW_OK;
}

static void
release_tree(void *self)
{
        struct tree *t = self;

        __atomic_add_fetch(&t->a->released, 1, __ATOMIC_RELAXED);
        free(t);
}

static const struct sw_ref_ops tree_ops = {
        .size = sizeof(tree_ops),
        .open_tree = open_tree,
        .close_tree = close_tree,
        .release = release_tree,
};

/* Every call: one more, and perhaps the one that fails. */
static sw_err *
begin_call(struct attempt *a, sw_ctx *ctx, bool solve)
{
        int n = __atomic_fetch_add(&a->calls, 1, __ATOMIC_RELAXED);
        sw_err *err;

        if (n == a->fail_at && a->cancel)
                sw_cancel_now(a->token, "the contract");
        err = sw_ctx_check(ctx);
        if (err || n != a->fail_at)
                return err;
        a->failed_solve = solve;
        err = sw_err_new(SW_E_STEP, "this call was to fail");
        if (solve)
                sw_err_set_vertex(err, VERTEX);
        return err;
}

static sw_err *
bridge_solve(void *arg, sw_ctx *ctx, const void *def, size_t len, sw_ref **out)
{
        struct attempt *a = arg;
        struct tree *t;
        sw_err *err = begin_call(a, ctx, true);

        (void) def;
        (void) len;
        if (err)
                return err;
        t = sw_new(struct tree);
        t->a = a;
        __atomic_add_fetch(&a->made, 1, __ATOMIC_RELAXED);
        *out = sw_ref_new("tree", &tree_ops, t);
        return SW_OK;
}

static sw_err *
read_some(struct attempt *a, sw_ctx *ctx, const char *path, size_t n, bool whole,
          sw_buf *out)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err = begin_call(a, ctx, false);

        if (!err)
                err = sw_path_open(a->dir, path, O_RDONLY | O_NONBLOCK, 0, &fd);
        if (!err)
                err = sw_buf_read_fd(out, fd, n, path);
        if (whole || sw_err_code(err) != SW_E_LIMIT)
                return err;
        sw_err_drop(err, "there is more of it");
        return SW_OK;
}

static sw_err *
bridge_read_file(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path, size_t max,
                 sw_buf *out)
{
        (void) ref;
        return read_some(arg, ctx, path, max, true, out);
}

static sw_err *
bridge_read_start(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path, size_t n,
                  sw_buf *out)
{
        (void) ref;
        return read_some(arg, ctx, path, n, false, out);
}

static sw_err *
bridge_newest(void *arg, sw_ctx *ctx, sw_ref *ref, bool *found, int64_t *time)
{
        (void) ref;
        *found = true;
        *time = 1;
        return begin_call(arg, ctx, false);
}

static sw_err *
bridge_resolve(void *arg, sw_ctx *ctx, const struct sw_bridge_source *req,
               struct sw_source_meta *out)
{
        sw_err *err = begin_call(arg, ctx, false);

        if (err)
                return err;
        out->digest = sw_strdup(VERTEX);
        if (req->config)
                out->config = sw_strdup("{\"architecture\":\"amd64\",\"os\":\"linux\"}");
        return SW_OK;
}

static void
bridge_warn(void *arg, const struct sw_bridge_warning *w)
{
        (void) arg;
        (void) w;
}

/* ---- One build ---- */

static sw_err *
attempt_run(struct attempt *a)
{
        const sw_platform *platforms[] = { sw_platform_host(), NULL };
        const struct sw_bridge bridge = {
                .size = sizeof(bridge),
                .arg = a,
                .solve = bridge_solve,
                .read_file = bridge_read_file,
                .resolve = bridge_resolve,
                .warn = bridge_warn,
                .platforms = platforms,
                .read_start = bridge_read_start,
                .newest = bridge_newest,
        };
        const struct sw_ops_hdr *hdr;
        void *self = NULL;
        sw_err *err =
                sw_host_lookup(a->c->host, SW_KIND_FRONTEND, a->c->info->name, &hdr, &self);

        if (err)
                return err;
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(a->token, NULL, NULL, NULL, a->c->info->name);
        a->out = (struct sw_frontend_result){ .size = sizeof(a->out) };
        return ((const struct sw_frontend_ops *) hdr)
                ->build(self, ctx, a->c->attrs, a->c->n_attrs, &bridge, &a->out);
}

static void
attempt_begin(struct attempt *a, struct contract *c, int dir)
{
        *a = (struct attempt){ .c = c, .dir = dir, .fail_at = FAIL_NEVER };
        a->token = sw_cancel_new(NULL);
}

static void
free_attrs(const struct sw_attr *v, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free((void *) v[i].key);
                free((void *) v[i].value);
        }
        free((void *) v);
}

/* Release the result; whether every ref came back. */
static bool
attempt_end(struct attempt *a)
{
        struct sw_frontend_result *r = &a->out;

        for (size_t i = 0; i < r->n_refs; i++) {
                free((void *) r->refs[i].platform);
                sw_ref_unref(r->refs[i].ref);
                free_attrs(r->refs[i].meta, r->refs[i].n_meta);
        }
        free(r->refs);
        free_attrs(r->meta, r->n_meta);
        sw_cancel_unref(a->token);
        return a->made == a->released;
}

static bool
is_untouched(const struct sw_frontend_result *r)
{
        return !r->refs && !r->n_refs && !r->meta && !r->n_meta;
}

/* ---- Rules ---- */

static bool
keys_are_unique(const struct sw_attr *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!v[i].key || !v[i].value || sw_attr_get(v, i, v[i].key))
                        return false;
        return true;
}

static bool
result_is_sound(const struct sw_frontend_result *r)
{
        bool sound = keys_are_unique(r->meta, r->n_meta);

        for (size_t i = 0; i < r->n_refs; i++) {
                const char *platform = r->refs[i].platform;

                sound = sound && keys_are_unique(r->refs[i].meta, r->refs[i].n_meta) &&
                        (r->n_refs == 1 || (platform && *platform));
                for (size_t k = 0; k < i && sound; k++)
                        sound = strcmp(r->refs[k].platform, platform) != 0;
        }
        return sound && (r->n_refs <= 1 || r->multiple);
}

/* Returns how many calls of the bridge it made. */
static int
check_plain(struct contract *c, int dir)
{
        struct attempt a;
        bool ok;
        sw_err *err;

        attempt_begin(&a, c, dir);
        err = attempt_run(&a);
        ok = !err;
        contract_ok(c, err, "builds with options of --attr, a tree of one Dockerfile");
        contract_check(c, !ok || result_is_sound(&a.out),
                       "its result has each platform and each key once", NULL);
        contract_check(c, ok || is_untouched(&a.out), "a result is there on success only",
                       NULL);
        contract_check(c, attempt_end(&a), "gives every tree back", "%d of %d", a.released,
                       a.made);
        return a.calls;
}

/* Each call of the bridge fails once. What is tolerated is tolerated. */
static void
check_failures(struct contract *c, int dir, int calls)
{
        bool usable = true, kept = true, back = true, clean = true;

        for (int k = 0; k < calls && k < MAX_CALLS; k++) {
                struct attempt a;
                sw_err *err;

                attempt_begin(&a, c, dir);
                a.fail_at = k;
                err = attempt_run(&a);
                if (err) {
                        usable = usable && *sw_err_message(err) &&
                                 !strchr(sw_err_message(err), '\n');
                        kept = kept && (!a.failed_solve ||
                                        (sw_err_vertex(err) &&
                                         strcmp(sw_err_vertex(err), VERTEX) == 0));
                        clean = clean && is_untouched(&a.out);
                }
                back = attempt_end(&a) && back;
                sw_err_drop(err, "it was looked at");
        }
        contract_check(c, usable, "an error of the bridge becomes one of a single line",
                       NULL);
        contract_check(c, kept, "a step that failed stays the one to blame", NULL);
        contract_check(c, clean, "leaves the result alone when it fails", NULL);
        contract_check(c, back, "gives every tree back when a call fails", NULL);
}

static void
check_cancelled(struct contract *c, int dir, int calls)
{
        bool told = true, back = true;
        int64_t longest = 0;

        for (int k = 0; k < calls && k < MAX_CALLS; k++) {
                int64_t started = sw_time_mono();
                struct attempt a;
                sw_err *err;

                attempt_begin(&a, c, dir);
                a.fail_at = k;
                a.cancel = true;
                err = attempt_run(&a);
                told = told && sw_err_code(err) == SW_E_CANCELLED;
                sw_err_drop(err, "its code was looked at");
                back = attempt_end(&a) && back;
                if (sw_time_mono() - started > longest)
                        longest = sw_time_mono() - started;
        }
        contract_check(c, told, "a build that is cancelled says so", NULL);
        contract_check(c, longest < SW_CANCEL_GRACE_MS * SW_NS_PER_MS,
                       "it returns within SW_CANCEL_GRACE_MS", "%lld ms",
                       (long long) (longest / SW_NS_PER_MS));
        contract_check(c, back, "gives every tree back when it is cancelled", NULL);
}

struct worker {
        struct contract *c;
        sw_err *err;
        int dir;
        bool back;
};

static void *
worker_main(void *arg)
{
        struct worker *w = arg;

        w->back = true;
        for (int i = 0; i < N_ROUNDS && !w->err; i++) {
                struct attempt a;

                attempt_begin(&a, w->c, w->dir);
                w->err = attempt_run(&a);
                w->back = attempt_end(&a) && w->back;
        }
        return NULL;
}

static void
check_concurrent(struct contract *c, int dir)
{
        struct worker w[N_THREADS];
        pthread_t threads[N_THREADS];
        sw_err *err = SW_OK;
        bool back = true;

        for (int i = 0; i < N_THREADS; i++) {
                w[i] = (struct worker){ .c = c, .dir = dir };
                pthread_create(&threads[i], NULL, worker_main, &w[i]);
        }
        for (int i = 0; i < N_THREADS; i++) {
                pthread_join(threads[i], NULL);
                back = back && w[i].back;
                if (w[i].err && err)
                        sw_err_drop(w[i].err, "one is told");
                else if (w[i].err)
                        err = w[i].err;
        }
        contract_ok(c, err, "serves several builds at once");
        contract_check(c, back, "several builds give everything back", NULL);
}

static int
make_tree(struct contract *c)
{
        static const char text[] = "FROM scratch\n";
        sw_auto(sw_str) path = sw_asprintf("%s/tree", c->workdir);
        int fd;

        (void) mkdir(path, 0755);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_err_drop(sw_path_write_file(fd, "Dockerfile", text, strlen(text), 0644),
                    "the first rule tells");
        return fd;
}

void
contract_frontend(struct contract *c)
{
        int dir = make_tree(c), calls;
        unsigned before = contract_count_fds(), after;

        calls = check_plain(c, dir);
        check_failures(c, dir, calls);
        check_cancelled(c, dir, calls);
        check_concurrent(c, dir);
        after = contract_count_fds();
        contract_check(c, before == after, "leaves no descriptor open",
                       "%u before, %u after", before, after);
        (void) close(dir);
}
