/*
 * core/llb/state/run.c - commands: the description, and the vertex it becomes.
 * Thread: one at a time per sw_run; what sw_run_end() hands out is immutable.
 */
#include <string.h>

#include "core/llb/state/run.h"

#define SSH_TARGET "/run/buildkit/ssh_agent.%zu"

enum { MAX_PARTS = 10000 }; /* mounts, secrets and so on of one command */

struct sw_run {
        sw_state *state;   /* whose values the results have */
        struct exec *exec; /* given to the vertex by sw_run_end() */
        bool readonly_root;
        struct vertex *vertex; /* once ended */
};

sw_run *
sw_run_new(const sw_state *s)
{
        sw_run *r = sw_new(sw_run);

        r->state = sw_state_ref(s);
        r->exec = sw_new(struct exec);
        r->exec->base = sw_state_ref(s);
        return r;
}

void
sw_run_free(sw_run *r)
{
        struct dead dead = { NULL };

        if (!r)
                return;
        if (r->vertex)
                sw__llb_object_drop(&r->vertex->o, &dead);
        else
                sw__llb_exec_release(r->exec, &dead);
        sw__llb_object_drop(&r->state->o, &dead);
        sw__llb_object_bury(&dead);
        free(r);
}

/* ---- release ----------------------------------------------------------------------- */

static void
mount_release(struct mount *m, struct dead *dead)
{
        sw__llb_object_drop(m->source.v ? &m->source.v->o : NULL, dead);
        sw__llb_object_drop(m->state ? &m->state->o : NULL, dead);
        free(m->dest);
        free(m->selector);
        free(m->cache_id);
}

void
sw__llb_exec_release(struct exec *e, struct dead *dead)
{
        if (!e)
                return;
        sw__llb_object_drop(&e->base->o, dead);
        sw_strlist_release(&e->args);
        for (size_t i = 0; i < e->mounts.n; i++)
                mount_release(&e->mounts.v[i], dead);
        for (size_t i = 0; i < e->secrets.n; i++) {
                free(e->secrets.v[i].id);
                free(e->secrets.v[i].target);
                free(e->secrets.v[i].env);
        }
        for (size_t i = 0; i < e->ssh.n; i++) {
                free(e->ssh.v[i].id);
                free(e->ssh.v[i].target);
        }
        for (size_t i = 0; i < e->devices.n; i++)
                free(e->devices.v[i].name);
        for (size_t i = 0; i < SW_COUNT(e->proxy); i++)
                free(e->proxy[i]);
        sw_array_release(&e->mounts);
        sw_array_release(&e->secrets);
        sw_array_release(&e->ssh);
        sw_array_release(&e->devices);
        sw_array_release(&e->exit_codes);
        free(e);
}

/* ---- description ------------------------------------------------------------------- */

/* Programmer's mistake: a run is described, then ended once. */
static sw_err *
still_open(const sw_run *r, size_t n_parts)
{
        if (r->vertex)
                return sw_err_new(SW_E_INVALID, "the run has ended: describe a new one");
        if (n_parts >= MAX_PARTS)
                return sw_err_new(SW_E_LIMIT, "more than %d parts of one kind in a run",
                                  MAX_PARTS);
        return SW_OK;
}

void
sw_run_args(sw_run *r, const char *const *args)
{
        if (r->vertex)
                return;
        sw_strlist_release(&r->exec->args);
        sw__llb_strlist_take(&r->exec->args, args);
}

sw_err *
sw_run_command(sw_run *r, const char *line)
{
        sw_auto(sw_strlist) words = { 0 };
        sw_err *err = still_open(r, 0);

        if (!err)
                err = sw__llb_split_command(line, &words);
        if (err)
                return err;
        sw_strlist_release(&r->exec->args);
        r->exec->args = words;
        memset(&words, 0, sizeof(words));
        return SW_OK;
}

void
sw_run_in(sw_run *r, const sw_state *s)
{
        if (r->vertex)
                return;
        sw_state_unref(r->exec->base);
        r->exec->base = sw_state_ref(s);
}

void
sw_run_readonly_root(sw_run *r)
{
        r->readonly_root = true;
}

sw_err *
sw_run_valid_exit_codes(sw_run *r, const int *codes, size_t n)
{
        sw_err *err = still_open(r, n);

        if (err)
                return err;
        sw_array_release(&r->exec->exit_codes);
        for (size_t i = 0; i < n; i++)
                sw_array_push(&r->exec->exit_codes, codes[i]);
        return SW_OK;
}

sw_err *
sw_run_proxy(sw_run *r, const struct sw_llb_proxy *proxy)
{
        struct sw_llb_proxy in;
        sw_err *err = still_open(r, 0);

        if (!err)
                err = sw__llb_take_options("proxy", &in, sizeof(in), proxy);
        if (err)
                return err;

        const char *const members[] = { in.http, in.https, in.ftp, in.no, in.all };

        for (size_t i = 0; i < SW_COUNT(members); i++) {
                free(r->exec->proxy[i]);
                r->exec->proxy[i] = sw_strdup(members[i]);
        }
        r->exec->has_proxy = true;
        return SW_OK;
}

sw_err *
sw_run_device(sw_run *r, const char *name, bool optional)
{
        sw_err *err = still_open(r, r->exec->devices.n);

        if (err)
                return err;
        if (!*name)
                return sw_err_new(SW_E_INVALID, "device without a name");
        sw_array_push(&r->exec->devices, (struct device){ sw_strdup(name), optional });
        return SW_OK;
}

static sw_err *
check_mount(const char *dest, const sw_state *source, const struct sw_llb_mount *m)
{
        if (!*dest || strcmp(dest, "/") == 0)
                return sw_err_new(SW_E_INVALID,
                                  "mount at \"%s\": the destination must be below the root",
                                  dest);
        if (m->tmpfs && source && source->out.v)
                return sw_err_new(SW_E_INVALID, "mount at %s: a tmpfs has no source",
                                  sw__llb_shown(dest).text);
        if (m->tmpfs && m->cache_id)
                return sw_err_new(SW_E_INVALID, "mount at %s: both tmpfs and cache",
                                  sw__llb_shown(dest).text);
        if (m->tmpfs_size < 0)
                return sw_err_new(SW_E_INVALID,
                                  "mount at %s: size %lld of a tmpfs must not be negative "
                                  "(0: no limit)",
                                  sw__llb_shown(dest).text, (long long) m->tmpfs_size);
        if (m->cache_id && !*m->cache_id)
                return sw_err_new(SW_E_INVALID, "mount at %s: the id of a cache is empty",
                                  sw__llb_shown(dest).text);
        if ((unsigned) m->sharing > SW_LLB_LOCKED ||
            (unsigned) m->content_cache > SW_LLB_CONTENT_CACHE_OFF)
                return sw_err_new(SW_E_INVALID,
                                  "mount at %s: unknown sharing %d or content cache %d",
                                  sw__llb_shown(dest).text, (int) m->sharing,
                                  (int) m->content_cache);
        return SW_OK;
}

sw_err *
sw_run_mount(sw_run *r, const char *dest, const sw_state *source,
             const struct sw_llb_mount *mount)
{
        struct sw_llb_mount in;
        struct mount m;
        sw_err *err = still_open(r, r->exec->mounts.n);

        if (!err)
                err = sw__llb_take_options("mount", &in, sizeof(in), mount);
        if (!err)
                err = check_mount(dest, source, &in);
        if (err)
                return err;
        m = (struct mount){
                .dest = sw_strdup(dest),
                .state = source ? sw_state_ref(source) : sw_llb_scratch(),
                .selector = in.selector && *in.selector ? sw_strdup(in.selector) : NULL,
                .cache_id = sw_strdup(in.cache_id),
                .readonly = in.readonly,
                .no_output = in.no_output,
                .tmpfs = in.tmpfs,
                .tmpfs_size = in.tmpfs_size,
                .content_cache = in.content_cache,
                .sharing = in.sharing,
        };
        m.source = m.state->out;
        output_ref(m.source);
        sw_array_push(&r->exec->mounts, m);
        return SW_OK;
}

/* A secret or a socket is one file, so it cannot be where the root is. */
static sw_err *
check_target(const char *what, const char *target)
{
        if (target && (!*target || strcmp(target, "/") == 0))
                return sw_err_new(SW_E_INVALID,
                                  "%s at \"%s\": the destination must be below the root",
                                  what, target);
        return SW_OK;
}

static sw_err *
check_secret(const struct sw_llb_secret *s)
{
        if (!s->target && !s->env)
                return sw_err_new(SW_E_INVALID,
                                  "secret %s has neither a file nor a variable to go to",
                                  sw__llb_shown(s->id ? s->id : "").text);
        if (s->id && !*s->id)
                return sw_err_new(SW_E_INVALID, "the id of a secret is empty");
        if (s->env && (!*s->env || strchr(s->env, '=')))
                return sw_err_new(SW_E_INVALID,
                                  "secret: %s cannot be the name of a variable",
                                  sw__llb_shown(s->env).text);
        return check_target("secret", s->target);
}

sw_err *
sw_run_secret(sw_run *r, const struct sw_llb_secret *secret)
{
        struct sw_llb_secret in;
        const char *id;
        sw_err *err = still_open(r, r->exec->secrets.n);

        if (!err)
                err = sw__llb_take_options("secret", &in, sizeof(in), secret);
        if (!err)
                err = check_secret(&in);
        if (err)
                return err;
        id = in.id ? in.id : in.target ? in.target : in.env;
        sw_array_push(&r->exec->secrets, (struct secret){ .id = sw_strdup(id),
                                                          .target = sw_strdup(in.target),
                                                          .env = sw_strdup(in.env),
                                                          .uid = in.uid,
                                                          .gid = in.gid,
                                                          .mode = in.mode,
                                                          .optional = in.optional });
        return SW_OK;
}

sw_err *
sw_run_ssh(sw_run *r, const struct sw_llb_ssh *ssh)
{
        struct sw_llb_ssh in;
        char *target;
        sw_err *err = still_open(r, r->exec->ssh.n);

        if (!err)
                err = sw__llb_take_options("ssh", &in, sizeof(in),
                                           ssh ? ssh : SW_LLB_SSH());
        if (!err && in.target && *in.target)
                err = check_target("ssh agent", in.target);
        if (err)
                return err;
        target = in.target && *in.target ? sw_strdup(in.target)
                                         : sw_asprintf(SSH_TARGET, r->exec->ssh.n);
        sw_array_push(&r->exec->ssh, (struct ssh){ .id = sw_strdup(in.id ? in.id : ""),
                                                   .target = target,
                                                   .uid = in.uid,
                                                   .gid = in.gid,
                                                   .mode = in.mode,
                                                   .optional = in.optional });
        return SW_OK;
}

/* ---- the end ----------------------------------------------------------------------- */

static bool
leaves_something(const struct mount *m)
{
        return !m->no_output && !m->readonly && !m->cache_id && !m->tmpfs;
}

struct ranked_mount {
        struct mount m;
        size_t pos;
};

static int
by_dest(const void *a, const void *b)
{
        const struct ranked_mount *x = (const struct ranked_mount *) a;
        const struct ranked_mount *y = (const struct ranked_mount *) b;
        int c = strcmp(x->m.dest, y->m.dest);

        if (c)
                return c;
        return x->pos < y->pos ? -1 : x->pos > y->pos;
}

/* In the op's order: by destination, those at the same place as they were given. */
static void
sort_mounts(struct exec *e)
{
        struct ranked_mount *v =
                (struct ranked_mount *) sw_alloc_array(e->mounts.n, sizeof(*v));
        int64_t output = 0;

        for (size_t i = 0; i < e->mounts.n; i++)
                v[i] = (struct ranked_mount){ e->mounts.v[i], i };
        qsort(v, e->mounts.n, sizeof(*v), by_dest);
        for (size_t i = 0; i < e->mounts.n; i++) {
                e->mounts.v[i] = v[i].m;
                e->mounts.v[i].output = leaves_something(&v[i].m) ? output++ : -1;
        }
        free(v);
}

static void
add_root(struct exec *e, bool readonly)
{
        struct mount root = { .dest = sw_strdup("/"),
                              .source = e->base->out,
                              .readonly = readonly };

        output_ref(root.source);
        sw_array_reserve(&e->mounts, 1);
        memmove(e->mounts.v + 1, e->mounts.v, e->mounts.n * sizeof(*e->mounts.v));
        e->mounts.v[0] = root;
        e->mounts.n++;
}

static capset
exec_caps(const struct exec *e)
{
        capset caps = CAP(EXEC_META_BASE);

        if (e->exit_codes.n)
                caps |= CAP(EXEC_VALID_EXIT_CODE);
        if (e->has_proxy)
                caps |= CAP(EXEC_META_PROXYENV);
        if (e->devices.n)
                caps |= CAP(EXEC_META_CDI);
        if (e->secrets.n)
                caps |= CAP(EXEC_MOUNT_SECRET);
        for (size_t i = 0; i < e->secrets.n; i++)
                if (e->secrets.v[i].env)
                        caps |= CAP(EXEC_SECRET_ENV);
        if (e->ssh.n)
                caps |= CAP(EXEC_MOUNT_SSH);
        for (size_t i = 0; i < e->mounts.n; i++) {
                const struct mount *m = &e->mounts.v[i];

                if (m->selector)
                        caps |= CAP(EXEC_MOUNT_SELECTOR);
                if (m->content_cache != SW_LLB_CONTENT_CACHE_DEFAULT)
                        caps |= CAP(EXEC_MOUNT_CACHE_CONTENT);
                if (m->cache_id)
                        caps |= CAP(EXEC_MOUNT_CACHE) | CAP(EXEC_MOUNT_CACHE_SHARING);
                else if (m->tmpfs)
                        caps |= CAP(EXEC_MOUNT_TMPFS) |
                                (m->tmpfs_size ? CAP(EXEC_MOUNT_TMPFS_SIZE) : 0);
                else if (m->source.v)
                        caps |= CAP(EXEC_MOUNT_BIND);
        }
        return caps;
}

static struct vertex *
exec_vertex(struct exec *e, struct opts *opts)
{
        SW_ARRAY(struct output) inputs = { 0 };
        struct vertex *v;

        for (size_t i = 0; i < e->mounts.n; i++)
                if (e->mounts.v[i].source.v)
                        sw_array_push(&inputs, e->mounts.v[i].source);
        v = sw__llb_vertex_new(VERTEX_EXEC, opts, inputs.v, inputs.n);
        v->caps = exec_caps(e);
        v->exec = e;
        sw_array_release(&inputs);
        return v;
}

/* What is at the mount @m of @v after the command. */
static struct output
mount_result(struct vertex *v, const struct mount *m)
{
        return m->readonly ? m->source : (struct output){ v, m->output };
}

sw_err *
sw_run_end(sw_run *r, const struct sw_llb_opts *opts, sw_state **root)
{
        struct opts o;
        sw_err *err = still_open(r, 0);

        if (err)
                return err;
        if (!r->exec->args.n)
                return sw_err_new(
                        SW_E_INVALID,
                        "a run needs arguments: the program and what it is given");
        err = sw__llb_opts_take(opts, &o);
        if (err)
                return sw_err_wrap(err, "run %s", sw__llb_shown(r->exec->args.v[0]).text);
        add_root(r->exec, r->readonly_root);
        sort_mounts(r->exec);
        r->vertex = exec_vertex(r->exec, &o);
        /* "/" sorts before every destination but "" and those that do not begin with it. */
        for (size_t i = 0; i < r->exec->mounts.n; i++)
                if (strcmp(r->exec->mounts.v[i].dest, "/") == 0)
                        *root = sw__llb_state_with_output(
                                r->state, mount_result(r->vertex, &r->exec->mounts.v[i]));
        return SW_OK;
}

sw_err *
sw_run_result(const sw_run *r, const char *dest, sw_state **out)
{
        if (!r->vertex)
                return sw_err_new(SW_E_INVALID, "the run has not ended: call sw_run_end()");
        for (size_t i = 0; i < r->exec->mounts.n; i++) {
                const struct mount *m = &r->exec->mounts.v[i];

                if (strcmp(m->dest, dest) != 0)
                        continue;
                if (m->output < 0 && !m->readonly)
                        return sw_err_new(SW_E_INVALID,
                                          "nothing of the mount at %s is kept: it is %s",
                                          sw__llb_shown(dest).text,
                                          m->tmpfs      ? "a tmpfs"
                                          : m->cache_id ? "a cache"
                                                        : "marked as without output");
                *out = sw__llb_state_with_output(m->state ? m->state : r->state,
                                                 mount_result(r->vertex, m));
                return SW_OK;
        }
        return sw_err_new(SW_E_NOT_FOUND, "nothing is mounted at %s",
                          sw__llb_shown(dest).text);
}
