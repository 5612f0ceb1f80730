/*
 * core/engine/steplog.c - whatever the steps of a build print, whole, in files.
 *
 *      <root>/logs/<build id>/<number>-<first digits of the digest>.log
 *
 * A thread follows the build's story and appends; who watches the build live may be shown
 * less. Directory and files are made when there is something to write: a build that is
 * found in the cache leaves none. A full disk costs the rest of that log and a warning,
 * never the build.
 * Thread: the log's own until it was waited for; then any.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/buf.h>
#include <slipway/io.h>
#include <slipway/path.h>
#include <slipway/time.h>

#include "core/engine/engine_priv.h"

/* What is known of one step. */
struct step {
        char *name;
        char *path; /* NULL: it printed nothing yet */
        char *file; /* in the directory */
        bool broken;
};

struct sw__steplog {
        sw_subscription *sub;
        int logs;
        char *root, *id;
        sw_log *log;
        int dir;         /* of this build, or -1: not made */
        sw_map *steps;   /* digest bytes -> struct step */
        struct step *at; /* whose file is open as fd */
        int fd;
        unsigned n_files;
        struct sw__keeper *keeper; /* gets all of it, too */
        bool ran;
        bool threaded, waited;
        pthread_t thread;
};

static void
free_step(void *p)
{
        struct step *s = p;

        free(s->name);
        free(s->path);
        free(s->file);
        free(s);
}

static struct step *
step_of(struct sw__steplog *l, const sw_digest *d)
{
        struct step *s = sw_map_get_bytes(l->steps, d->b, sizeof(d->b));

        if (!s) {
                s = sw_new(struct step);
                (void) sw_map_set_bytes(l->steps, d->b, sizeof(d->b), s);
        }
        return s;
}

/* ---- Writing ---- */

static void
give_up(struct sw__steplog *l, struct step *s, const char *what)
{
        if (!s->broken)
                sw_log_line(l->log, SW_LOG_WARN, "core/engine",
                            "the log of a step is not kept whole: %s %s/logs/%s: %s", what,
                            l->root, l->id, strerror(errno));
        s->broken = true;
}

static bool
make_dir(struct sw__steplog *l)
{
        if (l->dir >= 0)
                return true;
        if (mkdirat(l->logs, l->id, 0700) != 0 && errno != EEXIST)
                return false;
        l->dir = openat(l->logs, l->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return l->dir >= 0;
}

static void
name_file(struct sw__steplog *l, struct step *s, const sw_digest *d)
{
        char hex[SW_DIGEST_HEX_LEN + 1];

        s->file = sw_asprintf("%03u-%.12s.log", ++l->n_files, sw_digest_hex(d, hex));
        s->path = sw_asprintf("%s/logs/%s/%s", l->root, l->id, s->file);
}

/* Have fd be the end of the step's file. */
static bool
go_to(struct sw__steplog *l, struct step *s, const sw_digest *d)
{
        if (l->at == s && l->fd >= 0)
                return true;
        sw_fd_clear(&l->fd);
        l->at = s;
        if (!make_dir(l)) {
                give_up(l, s, "make");
                return false;
        }
        if (!s->file)
                name_file(l, s, d);
        l->fd = openat(l->dir, s->file,
                       O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (l->fd < 0)
                give_up(l, s, "open a file in");
        return l->fd >= 0;
}

static void
append(struct sw__steplog *l, const struct sw_progress_log *p)
{
        struct step *s = step_of(l, &p->vertex);

        if (l->logs < 0 || s->broken || !go_to(l, s, &p->vertex))
                return;
        errno = sw_write_all(l->fd, p->data, p->len);
        if (errno)
                give_up(l, s, "write to");
}

/* ---- Following ---- */

static void
take(struct sw__steplog *l, const struct sw_progress_batch *b)
{
        for (size_t i = 0; i < b->n_vertices; i++) {
                const struct sw_progress_vertex *v = &b->vertices[i];
                struct step *s = step_of(l, &v->digest);

                if (!s->name)
                        s->name = sw_strdup(v->name);
                l->ran |= v->why != SW_WHY_NONE;
        }
        for (size_t i = 0; i < b->n_logs; i++)
                append(l, &b->logs[i]);
        sw__keeper_take(l->keeper, b);
}

static void *
follow(void *arg)
{
        struct sw__steplog *l = arg;
        struct sw_progress_batch batch;

        while (sw_progress_next(l->sub, sw__keeper_timeout(l->keeper), &batch)) {
                take(l, &batch);
                sw_progress_batch_release(&batch);
        }
        sw_fd_clear(&l->fd);
        return NULL;
}

static void *
thread_main(void *arg)
{
        pthread_setname_np(pthread_self(), "sw-steplog");
        return follow(arg);
}

struct sw__steplog *
sw__steplog_start(sw_subscription *sub, int logs, const char *dir_path, const char *id,
                  sw_log *log, struct sw__keeper *keeper)
{
        struct sw__steplog *l = sw_new(struct sw__steplog);

        l->sub = sub;
        l->logs = logs;
        l->root = sw_strdup(dir_path);
        l->id = sw_strdup(id);
        l->log = log;
        l->keeper = keeper;
        l->dir = l->fd = -1;
        l->steps = sw_map_new(free_step);
        l->threaded = pthread_create(&l->thread, NULL, thread_main, l) == 0;
        return l;
}

void
sw__steplog_wait(struct sw__steplog *l)
{
        if (l->waited)
                return;
        l->waited = true;
        if (l->threaded)
                (void) pthread_join(l->thread, NULL);
        else
                (void) follow(l); /* the story is all there still */
}

void
sw__steplog_free(struct sw__steplog *l)
{
        if (!l)
                return;
        sw__steplog_wait(l);
        sw_subscription_free(l->sub);
        sw_map_free(l->steps);
        sw_fd_clear(&l->dir);
        free(l->root);
        free(l->id);
        free(l);
}

/* ---- Afterwards ---- */

static const struct step *
find(const struct sw__steplog *l, const char *vertex)
{
        sw_digest d;

        if (!vertex || !sw_digest_is(vertex, SIZE_MAX))
                return NULL;
        sw_err_drop(sw_digest_parse(vertex, SIZE_MAX, &d), "it is one");
        return sw_map_get_bytes(l->steps, d.b, sizeof(d.b));
}

const char *
sw__steplog_path(const struct sw__steplog *l, const char *vertex)
{
        const struct step *s = find(l, vertex);

        return s ? s->path : NULL;
}

const char *
sw__steplog_name(const struct sw__steplog *l, const char *vertex)
{
        const struct step *s = find(l, vertex);

        return s ? s->name : NULL;
}

bool
sw__steplog_ran(const struct sw__steplog *l)
{
        return l->ran;
}

/* ---- Old ones ---- */

struct old {
        char *id;
        int64_t modified;
};

static int
newest_first(const void *a, const void *b)
{
        const struct old *x = a, *y = b;

        return (x->modified < y->modified) - (x->modified > y->modified);
}

void
sw__steplog_prune(int logs, int64_t max_age, int64_t keep, sw_log *log)
{
        SW_ARRAY(struct old) all = { 0 };
        int fd = openat(logs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        int64_t now = sw_time_now();
        struct dirent *e;
        struct stat st;

        if (!d) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        while ((e = readdir(d)))
                if (e->d_name[0] != '.' &&
                    fstatat(logs, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                        sw_array_push(&all, (struct old){ sw_strdup(e->d_name),
                                                          sw_time_from_spec(&st.st_mtim) });
        (void) closedir(d);
        if (all.n > 1)
                qsort(all.v, all.n, sizeof(*all.v), newest_first);
        for (size_t i = 0; i < all.n; i++) {
                if ((int64_t) i >= keep && now - all.v[i].modified > max_age) {
                        sw_err *err = sw_path_remove(logs, all.v[i].id);
                        if (err)
                                sw_log_err(log, SW_LOG_WARN, err);
                        sw_err_drop(err, "old logs are removed another time");
                }
                free(all.v[i].id);
        }
        sw_array_release(&all);
}
