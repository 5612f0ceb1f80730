/*
 * plugins/source-git/shared.c - kept repositories, and places for checkouts.
 *
 *      <state>/<name>.git     bare, one for each remote
 *      <state>/<name>.lock    held (flock) while git works on it: alone, or beside others
 *                             who only read
 *      <state>/tmp.<id>/      a checkout; locked itself by who makes it
 *
 * Prune empties the directory when nobody builds; a lock file that is gone is made anew.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/digest.h>
#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "plugins/source-git/run.h"

/* ---- the directory ---- */

static sw_err *
path_of(int fd, char **out)
{
        char link[64], path[4096];

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        const ssize_t n = readlink(link, path, sizeof(path) - 1);
        if (n <= 0 || n == (ssize_t) sizeof(path) - 1)
                return sw_err_sys(SW_E_IO, n < 0 ? errno : ENAMETOOLONG, "read %s", link);
        path[n] = '\0';
        if (strchr(path, '\n'))
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "git cannot work below a directory with "
                                  "a line break in its name");
        *out = sw_strdup(path);
        return SW_OK;
}

sw_err *
shared_open_state(sw_worker *w, struct shared *s)
{
        *s = (struct shared){ .state = -1, .lock = -1 };
        sw_err *err = sw_worker_state_dir(w, "source/git", &s->state);
        return err ? err : path_of(s->state, &s->state_path);
}

void
shared_release(struct shared *s)
{
        sw_fd_clear(&s->lock);
        sw_fd_clear(&s->state);
        sw_str_clear(&s->state_path);
        sw_str_clear(&s->name);
        sw_str_clear(&s->path);
}

/* ---- locks ---- */

static sw_err *
wait_for_lock(int fd, int how, sw_ctx *ctx)
{
        for (bool told = false;; told = true) {
                if (flock(fd, how | LOCK_NB) == 0)
                        return SW_OK;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return sw_err_sys(SW_E_IO, errno, "lock a git repository");
                if (!told)
                        sw_progress_note(ctx,
                                         "waiting for the repository, which is in use");
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), 50 * SW_NS_PER_MS);
                sw_err *err = sw_ctx_check(ctx);
                if (err)
                        return err;
        }
}

/* Whether @fd is what is found under @name. */
static bool
is_there(int dirfd, const char *name, int fd)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 && fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
               a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static sw_err *
lock(struct shared *s, sw_ctx *ctx)
{
        sw_auto(sw_str) name = sw_asprintf("%s.lock", s->name);

        for (;;) {
                s->lock = openat(s->state, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                                 0600);
                if (s->lock < 0)
                        return sw_err_sys(SW_E_IO, errno, "open %s", name);
                sw_err *err = wait_for_lock(s->lock, LOCK_EX, ctx);
                if (err || is_there(s->state, name, s->lock))
                        return err;
                sw_fd_clear(&s->lock); /* it was pruned meanwhile */
        }
}

sw_err *
shared_keep(struct shared *s, sw_ctx *ctx)
{
        return wait_for_lock(s->lock, LOCK_SH, ctx);
}

/* ---- repositories ---- */

/* What a git that was killed leaves behind. */
static void
remove_locks(const struct shared *s, const char *dir)
{
        static const char *const names[] = { "shallow.lock", "packed-refs.lock",
                                             "config.lock",  "HEAD.lock",
                                             "gc.pid",       "gc.pid.lock",
                                             "index.lock" };

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, names[i]);

                (void) unlinkat(s->state, path, 0);
        }
        sw_auto(sw_str) refs = sw_asprintf("%s/refs/slipway", dir);
        sw_auto(sw_fd) fd = openat(s->state, refs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        if (!d)
                return;
        const int refs_fd = sw_fd_steal(&fd);
        for (const struct dirent *e; (e = readdir(d));)
                if (sw_str_has_suffix(e->d_name, ".lock"))
                        (void) unlinkat(refs_fd, e->d_name, 0);
        (void) closedir(d);
}

void
shared_tidy(const struct shared *s, int64_t *largest)
{
        sw_auto(sw_str) packs = sw_asprintf("%s.git/objects/pack", s->name);
        sw_auto(sw_fd) fd = openat(s->state, packs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct stat st;

        if (largest)
                *largest = 0;
        if (!d)
                return;
        const int packs_fd = sw_fd_steal(&fd);
        for (const struct dirent *e; (e = readdir(d));) {
                if (!sw_str_has_prefix(e->d_name, "tmp_") &&
                    !sw_str_has_prefix(e->d_name, ".tmp-"))
                        continue;
                if (largest &&
                    fstatat(packs_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    st.st_size > *largest)
                        *largest = st.st_size;
                (void) unlinkat(packs_fd, e->d_name, 0);
        }
        (void) closedir(d);
}

static sw_err *
make_new(struct shared *s, const struct runner *r, bool sha256)
{
        sw_auto(git_place) place = { .fd = -1 };
        sw_auto(sw_str) name = sw_asprintf("%s.git", s->name);
        const char *const args[] = { "init",
                                     "--quiet",
                                     "--bare",
                                     "--template=",
                                     sha256 ? "--object-format=sha256"
                                            : "--object-format=sha1",
                                     NULL };
        sw_err *err = place_make(s, &place);
        if (err)
                return err;
        sw_auto(sw_str) path = sw_asprintf("%s/git", place.path);
        const struct run q = {
                .args = args,
                .reach = RUN_ALONE,
                .cwd_fd = place.fd,
                .git_dir = path,
        };
        err = git_run(r, &q);
        if (!err && renameat(place.fd, "git", s->state, name) < 0)
                err = sw_err_sys(SW_E_IO, errno, "put repository %s in its place", name);
        s->is_new = !err;
        return sw_err_wrap(err, "make a repository");
}

/* Whether git takes it for one. */
static sw_err *
looks_right(const struct shared *s, const struct runner *r, bool *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const char *const args[] = { "rev-parse", "--is-bare-repository", NULL };
        const struct run q = {
                .args = args,
                .reach = RUN_ALONE,
                .cwd_fd = s->state,
                .git_dir = s->path,
                .out = &text,
                .limit = 100,
        };
        sw_err *err = git_ask(r, &q, out);

        *out = *out && strncmp(text.data, "true", 4) == 0;
        return err;
}

sw_err *
shared_renew(struct shared *s, const struct runner *r, bool sha256)
{
        char id[SW_ID_SIZE];
        sw_auto(sw_str) name = sw_asprintf("%s.git", s->name);
        sw_auto(sw_str) bad = sw_asprintf("bad.%s", sw_id_new(id));

        sw_ctx_logf(r->ctx, SW_LOG_WARN, "the kept repository of %s was damaged: made anew",
                    r->remote->url);
        if (renameat(s->state, name, s->state, bad) < 0 && errno != ENOENT)
                return sw_err_sys(SW_E_IO, errno, "set %s aside", name);
        sw_err *err = sw_path_remove(s->state, bad);
        return err ? err : make_new(s, r, sha256);
}

sw_err *
shared_take(struct shared *s, const struct runner *r, bool sha256)
{
        const char *url = r->remote->url;
        char hex[SW_DIGEST_HEX_LEN + 1];
        const sw_digest d = sw_digest_of(url, strlen(url));
        bool right = false;

        s->name = sw_asprintf("%s%s", sw_digest_hex(&d, hex), sha256 ? "-sha256" : "");
        s->path = sw_asprintf("%s/%s.git", s->state_path, s->name);
        sw_auto(sw_str) dir = sw_asprintf("%s.git", s->name);
        sw_err *err = lock(s, r->ctx);
        if (err)
                return err;
        if (faccessat(s->state, dir, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return make_new(s, r, sha256);
        remove_locks(s, dir);
        shared_tidy(s, NULL);
        err = looks_right(s, r, &right);
        if (err || right)
                return err;
        return shared_renew(s, r, sha256);
}

/* ---- places ---- */

/* Remove what a process that was killed had begun. */
static void
sweep(const struct shared *s)
{
        sw_auto(sw_fd) list = openat(s->state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = list < 0 ? NULL : fdopendir(list);

        if (!d)
                return;
        list = -1; /* the stream's now */
        for (const struct dirent *e; (e = readdir(d));) {
                const bool tmp = sw_str_has_prefix(e->d_name, "tmp.");

                if (!tmp && !sw_str_has_prefix(e->d_name, "bad."))
                        continue;
                sw_auto(sw_fd) fd = openat(s->state, e->d_name,
                                           O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
                        sw_err_drop(sw_path_remove(s->state, e->d_name),
                                    "another one is at it");
        }
        (void) closedir(d);
}

sw_err *
place_make(const struct shared *s, struct place *out)
{
        sweep(s);
        for (;;) {
                char id[SW_ID_SIZE];
                sw_auto(sw_str) name = sw_asprintf("tmp.%s", sw_id_new(id));
                sw_auto(sw_fd) fd = -1;

                if (mkdirat(s->state, name, 0700) < 0)
                        return sw_err_sys(SW_E_IO, errno, "make %s", name);
                fd = openat(s->state, name,
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (fd < 0 && errno != ENOENT)
                        return sw_err_sys(SW_E_IO, errno, "open %s", name);
                /* else it was swept before it was locked */
                if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
                    !is_there(s->state, name, fd))
                        continue;
                *out = (struct place){
                        .in = s,
                        .path = sw_asprintf("%s/%s", s->state_path, name),
                        .fd = sw_fd_steal(&fd),
                };
                out->name = sw_steal(name);
                return SW_OK;
        }
}

void
place_release(struct place *p)
{
        if (p->name)
                sw_err_drop(sw_path_remove(p->in->state, p->name),
                            "the next one removes it");
        sw_fd_clear(&p->fd);
        sw_str_clear(&p->name);
        sw_str_clear(&p->path);
}
