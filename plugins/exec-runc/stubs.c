/*
 * plugins/exec-runc/stubs.c - what a root lacks to be mounted on, and the working
 * directory.
 *
 * A mount needs something to lie on. What is missing is made here, looked up below the root
 * component by component, never by a path of the host; and remembered with its inode and
 * times, so that it goes again afterwards if nobody touched it, and the directory it was in
 * gets its time back: a step does not change the tree by being mounted on.
 *
 * Thread: any; one run's stubs belong to it.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>

#include "plugins/exec-runc/runc.h"

#define DIR_MODE  0755
#define DEPTH_MAX 4096
#define LINKS_MAX 40

static void
stub_release(struct runc_stub *s)
{
        free(s->name);
        sw_fd_clear(&s->parent);
}

void
runc_stubs_release(struct runc_stubs *s)
{
        for (size_t i = 0; i < s->v.n; i++)
                stub_release(&s->v.v[i]);
        sw_array_release(&s->v);
}

/* Components of @path that are there, as an open directory; *rest is what is not, without
 * leading '/': "" when everything is. */
static sw_err *
open_existing(int rootfd, const char *path, int *fd, const char **rest)
{
        sw_auto(sw_str) head = sw_strdup(path);
        size_t n = strlen(head);

        for (int depth = 0; depth < DEPTH_MAX; depth++) {
                sw_err *err = sw_path_open(rootfd, head, O_PATH, 0, fd);

                *rest = path + n;
                *rest += strspn(*rest, "/");
                if (!err || sw_err_code(err) != SW_E_NOT_FOUND || n == 0)
                        return err;
                sw_err_drop(err, "its parent may be there");
                while (n && head[n - 1] == '/')
                        n--;
                while (n && head[n - 1] != '/')
                        n--;
                head[n] = 0;
        }
        return sw_err_new(SW_E_LIMIT, "%s is too deep", path);
}

/* Make @name in the directory @parent and open it (directories only). *made: false when it
 * was there, for instance as a symlink that leads nowhere. */
static sw_err *
make_one(int parent, const char *name, bool directory, mode_t mode, int *fd, bool *made)
{
        sw_auto(sw_fd) f = -1;

        *made = false;
        if (directory) {
                if (mkdirat(parent, name, DIR_MODE) != 0)
                        return errno == EEXIST ? SW_OK
                                               : sw_err_sys(SW_E_IO, errno,
                                                            "make %s in the root", name);
                f = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        } else {
                f = openat(parent, name,
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
                if (f < 0 && errno == EEXIST)
                        return SW_OK;
        }
        if (f < 0)
                return sw_err_sys(SW_E_IO, errno, "make %s in the root", name);
        /* Whatever the umask is; of what was opened, since in a shared cache another
         * container may have put a symlink in its place by now. */
        if (fchmod(f, mode) != 0)
                return sw_err_sys(SW_E_IO, errno, "set the mode of %s in the root", name);
        *made = true;
        *fd = sw_fd_steal(&f);
        return SW_OK;
}

/* @name in @parent was there. If it is a symlink, where it leads: ".." of what is there is
 * for the kernel to resolve below the root; what is not there yet has none. */
static sw_err *
follow(int parent, const char *name, const char *above, const char *rest, char **again)
{
        sw_auto(sw_str) to = NULL;
        struct stat st;

        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(st.st_mode))
                return SW_OK; /* the runtime will know, or complain */
        sw_err *err = sw_path_readlink(parent, name, &to);
        if (!err)
                *again = sw_asprintf("%s/%s/%s", to[0] == '/' ? "" : above, to, rest);
        return err;
}

/* @mine: recorded as stubs; else they get the owner @u. */
struct making {
        struct runc_stubs *mine;
        const struct runc_user *u;
        mode_t mode; /* of the last component */
};

static sw_err *
note_made(const struct making *m, int parent, const struct stat *before, const char *name,
          bool is_top)
{
        struct runc_stub s = { .is_top = is_top, .parent_before = *before };

        if (m->u && fchownat(parent, name, m->u->uid, m->u->gid, AT_SYMLINK_NOFOLLOW) != 0)
                return sw_err_sys(SW_E_IO, errno, "give %s in the root to its user", name);
        if (!m->mine)
                return SW_OK;
        s.parent = fcntl(parent, F_DUPFD_CLOEXEC, 0);
        if (s.parent < 0 || fstat(parent, &s.parent_after) != 0 ||
            fstatat(parent, name, &s.made, AT_SYMLINK_NOFOLLOW) != 0) {
                sw_err *err = sw_err_sys(SW_E_IO, errno, "look at %s in the root", name);

                sw_fd_clear(&s.parent);
                return err;
        }
        s.name = sw_strdup(name);
        sw_array_push(&m->mine->v, s);
        return SW_OK;
}

/* Make what is missing of @path. *again: a symlink was met that leads nowhere so far; what
 * it leads to, with what comes behind it, is to be made instead (from malloc). */
static sw_err *
make_once(int rootfd, const char *path, bool directory, const struct making *m,
          char **again)
{
        sw_auto(sw_fd) parent = -1;
        const char *rest;
        sw_err *err = open_existing(rootfd, path, &parent, &rest);

        while (!err && *rest) {
                size_t n = strcspn(rest, "/");
                sw_auto(sw_str) name = sw_strndup(rest, n);
                sw_auto(sw_str) above = sw_strndup(path, (size_t) (rest - path));
                struct stat before;
                sw_fd next = -1;
                bool made;

                rest += n;
                rest += strspn(rest, "/");
                if (fstat(parent, &before) != 0)
                        return sw_err_sys(SW_E_IO, errno, "look at the parent of %s", name);
                err = make_one(parent, name, directory || *rest, *rest ? DIR_MODE : m->mode,
                               &next, &made);
                if (!err && !made)
                        return follow(parent, name, above, rest, again);
                if (!err)
                        err = note_made(m, parent, &before, name, !*rest);
                sw_fd_clear(&parent);
                parent = next;
        }
        return err;
}

static sw_err *
make_missing(int rootfd, const char *path, bool directory, const struct making *m)
{
        sw_auto(sw_str) now = sw_path_join("/", path);
        char *again = NULL;
        sw_err *err = SW_OK;

        for (int links = 0; !err; links++) {
                err = make_once(rootfd, now, directory, m, &again);
                if (err || !again)
                        return err;
                free(now);
                now = sw_steal(again);
                if (links == LINKS_MAX)
                        err = sw_err_sys(SW_E_INVALID, ELOOP, "follow %s", now);
        }
        return err;
}

sw_err *
runc_stub_make(struct runc_stubs *s, int rootfd, const char *target, mode_t mode)
{
        const struct making m = { .mine = s, .mode = mode & 07777 };
        bool directory = S_ISDIR(mode);

        return sw_err_wrap(make_missing(rootfd, target, directory, &m),
                           "make a place to mount on at %s", target);
}

sw_err *
runc_make_cwd(int rootfd, const char *cwd, const struct runc_user *u)
{
        const struct making m = { .u = u, .mode = DIR_MODE };

        return sw_err_wrap(make_missing(rootfd, cwd, true, &m),
                           "make the working directory %s", cwd);
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_untouched(const struct runc_stub *s)
{
        struct stat now;

        return fstatat(s->parent, s->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
               now.st_ino == s->made.st_ino && now.st_mode == s->made.st_mode &&
               now.st_uid == s->made.st_uid && now.st_gid == s->made.st_gid &&
               (S_ISDIR(now.st_mode) || now.st_size == 0) &&
               same_time(&now.st_mtim, &s->made.st_mtim);
}

static void
remove_one(const struct runc_stub *s)
{
        struct stat parent;
        bool directory = S_ISDIR(s->made.st_mode);

        if (fstat(s->parent, &parent) != 0 ||
            unlinkat(s->parent, s->name, directory ? AT_REMOVEDIR : 0) != 0)
                return;
        /* as if it had never been made, if nothing else was made there */
        bool quiet = same_time(&parent.st_mtim, &s->parent_after.st_mtim);
        const struct timespec times[2] = {
                { .tv_nsec = UTIME_OMIT },
                quiet ? s->parent_before.st_mtim : parent.st_mtim,
        };
        (void) utimensat(s->parent, ".", times, 0);
}

void
runc_stubs_remove(struct runc_stubs *s, bool recursive)
{
        for (size_t i = s->v.n; i > 0; i--) {
                struct runc_stub *stub = &s->v.v[i - 1];

                /* a directory's own time changed with what was made in it, and was put
                 * back when that went: both are compared with what was seen then */
                if ((stub->is_top || recursive) && is_untouched(stub))
                        remove_one(stub);
        }
}
