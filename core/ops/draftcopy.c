/*
 * core/ops/draftcopy.c - the data a draft gathered: files told by several threads, then
 * further names of files; extended attributes.
 *
 * Nothing else is told meanwhile. A file is opened, told, checked: one that changed while
 * it was read fails the copy, since what was written then has never been anywhere.
 * Thread: flush: the draft's; run_jobs: its and the pool's.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include <slipway/time.h>

#include "core/ops/draft_priv.h"

/* Less than this is not worth a thread. */
#define FEW_FILES 8
#define FEW_BYTES (4 << 20)
#define MAX_HANDS 8

/* ---- extended attributes ------------------------------------------------------------ */

/* The kernel's own limits. */
#define NAMES_MAX 65536
#define VALUE_MAX 65536

static bool
is_ours(const char *name)
{
        return strncmp(name, "trusted.overlay.", 16) == 0 ||
               strncmp(name, "user.overlay.", 13) == 0;
}

/* What only some may set, or some file systems have, is no reason not to copy a file. */
static bool
may_be_left_out(const sw_err *err)
{
        int code = sw_err_errno(err);

        return code == EPERM || code == EACCES || code == ENOTSUP;
}

/* For when the directory gets other metadata and is told again: that forgets them. */
static void
remember(struct sw__draft_node *n, const char *name, const void *p, size_t len)
{
        struct sw__draft_value *v = sw_alloc(sizeof(*v) + len);

        v->len = len;
        if (len)
                memcpy(v->bytes, p, len);
        if (!n->xattrs)
                n->xattrs = sw_map_new(free);
        (void) sw_map_set(n->xattrs, name, v);
}

sw_err *
sw__draft_xattr(sw__draft *d, struct sw__draft_node *n, const char *name, const void *p,
                size_t len)
{
        sw_err *err;

        if (is_ours(name))
                return SW_OK;
        if (S_ISDIR(n->type))
                remember(n, name, p, len);
        err = d->ops->xattr(d->w, n->path, name, p, len);
        if (!err || !may_be_left_out(err))
                return err;
        sw_ctx_logf(d->ctx, SW_LOG_DEBUG, "%s", sw_err_message(err));
        sw_err_drop(err, "attributes that cannot be set here are left out");
        return SW_OK;
}

/* By way of /proc for descriptors that are O_PATH, symlinks among them. */
static ssize_t
list_names(int fd, const char *proc, char *names, size_t size)
{
        ssize_t n = flistxattr(fd, names, size);

        return n < 0 && errno == EBADF ? listxattr(proc, names, size) : n;
}

static ssize_t
get_value(int fd, const char *proc, const char *name, void *value, size_t size)
{
        ssize_t n = fgetxattr(fd, name, value, size);

        return n < 0 && errno == EBADF ? getxattr(proc, name, value, size) : n;
}

/* A file of the client's machine may have attributes that are that machine's: labels, lists
 * of its users. No content key has them, so no copy may. */
static bool
is_portable(const char *name)
{
        return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0;
}

static sw_err *
copy_values(sw__draft *d, struct sw__draft_node *n, const struct sw__view *from, int fd,
            const char *proc, const char *names, size_t len, const char *but)
{
        char *value = sw_alloc(VALUE_MAX);
        sw_err *err = SW_OK;

        for (const char *name = names; !err && name < names + len;
             name += strlen(name) + 1) {
                ssize_t size;

                if ((but && strcmp(name, but) == 0) || (from->list && !is_portable(name)))
                        continue;
                size = get_value(fd, proc, name, value, VALUE_MAX);
                if (size >= 0)
                        err = sw__draft_xattr(d, n, name, value, (size_t) size);
                else if (errno != ENODATA && errno != ENOTSUP && errno != EPERM &&
                         errno != EACCES)
                        err = sw_err_sys(SW_E_IO, errno, "read attribute %s for %s", name,
                                         n->path);
        }
        free(value);
        return err;
}

sw_err *
sw__draft_tell_xattrs(sw__draft *d, struct sw__draft_node *n)
{
        struct sw_map_iter it;
        sw_err *err = SW_OK;

        if (!n->xattrs)
                return SW_OK;
        for (it = SW_MAP_ITER(n->xattrs); !err && sw_map_next(&it);) {
                const struct sw__draft_value *v = it.value;

                err = d->ops->xattr(d->w, n->path, it.key, v->bytes, v->len);
                if (err && may_be_left_out(err)) {
                        sw_err_drop(err, "as when it was told first");
                        err = SW_OK;
                }
        }
        return err;
}

sw_err *
sw__draft_xattrs(sw__draft *d, struct sw__draft_node *n, const struct sw__view *from,
                 int fd, const char *but)
{
        char proc[40], small[256], *names = small;
        ssize_t len;
        sw_err *err = SW_OK;

        (void) snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        len = list_names(fd, proc, small, sizeof(small));
        if (len < 0 && errno == ERANGE) {
                names = sw_alloc(NAMES_MAX);
                len = list_names(fd, proc, names, NAMES_MAX);
        }
        if (len > 0)
                err = copy_values(d, n, from, fd, proc, names, (size_t) len, but);
        else if (len < 0 && errno != ENOTSUP && errno != ENOENT)
                err = sw_err_sys(SW_E_IO, errno, "list attributes for %s", n->path);
        if (names != small)
                free(names);
        return err;
}

/* ---- files -------------------------------------------------------------------------- */

/* What the file is and was given, where it can be shared or is to be remembered: it has no
 * other names, and what is in it is known. @st: as it was when it was hashed. */
static void
mark_file(struct sw__draft_job *job, sw_hasher *h, struct stat *st)
{
        const struct sw__draft_copy *c = &job->copy;
        const struct sw_listing *l = c->view->list;
        struct sw_layer_meta m = job->node->meta;
        sw_digest content;

        if (!h || !l || c->entry.st.st_nlink != 1 ||
            !l->known(l->self, c->entry.index, &content))
                return;
        l->stat(l->self, c->entry.index, st);
        if (c->keep_mtime)
                m.mtime = sw_time_from_spec(&st->st_mtim);
        job->mark = sw__former_mark(h, job->node->path, &content, &m);
        job->marked = true;
}

/* *done: the layer that was made last has it. */
static sw_err *
share_file(sw__draft *d, struct sw__draft_job *job, const struct stat *st, bool *done)
{
        struct sw_layer_meta m = job->node->meta;
        sw_err *err;

        *done = false;
        if (!d->shared || !job->marked || !sw__former_has(d->former, &job->mark))
                return SW_OK;
        if (job->copy.keep_mtime)
                m.mtime = sw_time_from_spec(&st->st_mtim);
        err = d->ops->share(d->w, job->node->path, &m, st->st_size, d->shared, done);
        if (*done)
                job->node->meta = m;
        return err;
}

static sw_err *
tell_file(sw__draft *d, struct sw__draft_job *job, sw_hasher *h)
{
        const struct sw__draft_copy *c = &job->copy;
        struct sw__draft_node *n = job->node;
        sw_auto(sw_fd) fd = -1;
        struct stat st = { .st_size = 0 };
        bool done = false;
        sw_err *err = sw_ctx_check(d->ctx);

        if (!err) {
                mark_file(job, h, &st);
                err = share_file(d, job, &st, &done);
        }
        if (!err && !done)
                err = sw__view_open_file(c->view, c->path, &c->entry, &fd, &st);
        if (err || done)
                return err;
        if (c->keep_mtime)
                n->meta.mtime = sw_time_from_spec(&st.st_mtim);
        err = d->ops->file(d->w, n->path, &n->meta, fd, 0, st.st_size);
        if (!err)
                err = sw__draft_xattrs(d, n, c->view, fd, NULL);
        if (!err)
                return sw__view_check_file(c->view, c->path, &c->entry, fd, &st);
        /* It may have failed because the file shrank: that says more. */
        sw_err *why = sw__view_check_file(c->view, c->path, &c->entry, fd, &st);

        if (!why)
                return err;
        sw_err_drop(err, "it is what follows from the file having changed");
        return why;
}

struct crew {
        sw__draft *d;
        atomic_size_t next;
        atomic_bool failed;
        sw_err *errs[MAX_HANDS];
        atomic_uint hands;
        bool marks; /* are made */
};

static void
run_jobs(void *arg)
{
        struct crew *c = arg;
        unsigned hand = atomic_fetch_add(&c->hands, 1);
        sw_hasher *h = c->marks ? sw_hasher_new() : NULL;
        sw_err *err = SW_OK;

        while (!err && !atomic_load(&c->failed)) {
                size_t i = atomic_fetch_add(&c->next, 1);

                if (i >= c->d->jobs.n)
                        break;
                err = tell_file(c->d, &c->d->jobs.v[i], h);
        }
        sw_hasher_free(h);
        if (err)
                atomic_store(&c->failed, true);
        c->errs[hand] = err;
}

/* How many threads copy: as many as there are processors, two at least, since one of them
 * waits for the disk. */
static unsigned
count_hands(const sw__draft *d)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        if (d->jobs.n <= 1 || (d->jobs.n < FEW_FILES && d->bytes < FEW_BYTES))
                return 1;
        n = n < 2 ? 2 : n > MAX_HANDS ? MAX_HANDS : n;
        return (size_t) n > d->jobs.n ? (unsigned) d->jobs.n : (unsigned) n;
}

static sw_err *
run_crew(sw__draft *d)
{
        struct crew crew = { .d = d, .marks = d->former && d->jobs.n >= SW__FORMER_LEAST };
        unsigned hands = count_hands(d);
        sw_err *first = SW_OK;

        if (crew.marks && SW_OPS_HAS(d->ops, struct sw_layer_ops, share))
                d->shared = sw__former_load(d->former);
        if (hands > 1 && !d->pool)
                sw_err_drop(sw_pool_new("copy", MAX_HANDS - 1, &d->pool),
                            "one thread copies, too");
        for (unsigned i = 1; d->pool && i < hands; i++)
                sw_err_drop(sw_pool_submit(d->pool, run_jobs, &crew),
                            "one thread copies, too");
        run_jobs(&crew);
        if (d->pool)
                sw_pool_drain(d->pool);
        for (size_t i = 0; i < MAX_HANDS; i++) {
                if (!first)
                        first = crew.errs[i];
                else
                        sw_err_drop(crew.errs[i], "another file failed first");
        }
        for (size_t i = 0; i < d->jobs.n && !first; i++)
                if (d->jobs.v[i].marked)
                        sw__former_add(d->former, &d->jobs.v[i].mark);
        return first;
}

static sw_err *
tell_aliases(sw__draft *d)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < d->aliases.n && !err; i++) {
                struct sw__draft_alias *a = &d->aliases.v[i];

                a->node->meta = a->existing->meta;
                err = d->ops->hardlink(d->w, a->node->path, a->existing->path,
                                       &a->node->meta);
        }
        return err;
}

sw_err *
sw__draft_flush(sw__draft *d)
{
        sw_err *err = d->jobs.n ? run_crew(d) : SW_OK;

        if (!err)
                err = tell_aliases(d);
        for (size_t i = 0; i < d->jobs.n; i++)
                free(d->jobs.v[i].copy.path);
        d->jobs.n = d->aliases.n = 0;
        d->bytes = 0;
        return err;
}
