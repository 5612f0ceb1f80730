/*
 * core/base/pathwalk.c - resolve a path below a directory, one component at a time.
 *
 * For kernels without openat2, for chains of more links than openat2 follows, and for when
 * renames all around keep openat2 from answering. Each component is opened with
 * O_NOFOLLOW relative to the directory reached so far; a symlink is read through its own
 * descriptor and its text is put in front of what is left of the path. ".." goes back to
 * the directory we came from, never to the one the kernel would name now, so a directory
 * that somebody moves out of the root meanwhile does not take the walk along.
 *
 * The directories passed are kept as names; only the last WINDOW of them are held open, so
 * that no path costs more descriptors than that. Going back further opens them again from
 * the root by those names, none of which was a link.
 *
 * Thread: any; all state is on the stack of the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <slipway/array.h>
#include <slipway/path.h>

#include "core/base/pathwalk.h"

/* Directories held open at most. */
#define WINDOW 32
/* Components looked at before a path made to keep us busy is given up. */
#define MAX_STEPS 65536
/* How often a component may change its kind under our hands. */
#define MAX_RACES 64
/* Not an errno: a link was put in front of the path, go on. */
#define FOLLOWED (-1)

#define DIR_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct walk {
        int root;               /* borrowed */
        SW_ARRAY(char *) names; /* of the directories below the root */
        int fds[WINDOW];        /* of level i at i % WINDOW, or -1 */
        char *text;             /* what is left of the path begins at rest */
        char *rest;
        unsigned links, steps;
};

/* One component, cut out of the text. */
struct part {
        const char *name; /* valid until a link is followed */
        bool slash;       /* a '/' came after it */
        bool last;        /* and nothing else */
};

static void
walk_start(struct walk *w, int root, const char *path)
{
        *w = (struct walk){ .root = root };
        for (size_t i = 0; i < WINDOW; i++)
                w->fds[i] = -1;
        w->text = w->rest = sw_strdup(path);
}

static void
forget_levels(struct walk *w)
{
        for (size_t i = 0; i < WINDOW; i++)
                sw_fd_clear(&w->fds[i]);
        for (size_t i = 0; i < w->names.n; i++)
                free(w->names.v[i]);
        w->names.n = 0;
}

static void
walk_end(struct walk *w)
{
        forget_levels(w);
        sw_array_release(&w->names);
        free(w->text);
}

/* The directory reached so far. */
static int
here(const struct walk *w)
{
        return w->names.n ? w->fds[(w->names.n - 1) % WINDOW] : w->root;
}

/* openat(2) that a signal does not end and that counts. */
static int
step(struct walk *w, int dirfd, const char *name, int flags, mode_t mode, int *fd)
{
        if (++w->steps > MAX_STEPS)
                return ELOOP;
        do {
                *fd = openat(dirfd, name, flags | O_CLOEXEC, mode);
        } while (*fd < 0 && errno == EINTR);
        return *fd < 0 ? errno : 0;
}

static void
push(struct walk *w, const char *name, int fd)
{
        int *slot = &w->fds[w->names.n % WINDOW];

        sw_fd_clear(slot);
        *slot = fd;
        sw_array_push(&w->names, sw_strdup(name));
}

/* Open the directories of the window again, by name from the root. */
static int
reopen_window(struct walk *w)
{
        sw_auto(sw_fd) passed = -1; /* one above the window, on the way to it */
        int above = w->root;

        for (size_t i = 0; i < w->names.n; i++) {
                int fd, err = step(w, above, w->names.v[i], DIR_FLAGS, 0, &fd);

                if (err)
                        return err;
                sw_fd_clear(&passed);
                above = fd;
                if (i + WINDOW < w->names.n)
                        passed = fd;
                else
                        w->fds[i % WINDOW] = fd;
        }
        return 0;
}

/* "..": back to where we came from; the root's parent is the root. */
static int
pop(struct walk *w)
{
        if (w->names.n == 0)
                return 0;
        sw_fd_clear(&w->fds[(w->names.n - 1) % WINDOW]);
        free(w->names.v[--w->names.n]);
        return here(w) == -1 && w->names.n ? reopen_window(w) : 0;
}

static bool
next_part(struct walk *w, struct part *p)
{
        char *name = w->rest + strspn(w->rest, "/");
        char *end = strchrnul(name, '/');

        if (!*name)
                return false;
        p->name = name;
        p->slash = *end == '/';
        *end = 0;
        w->rest = end + p->slash;
        p->last = w->rest[strspn(w->rest, "/")] == 0;
        return true;
}

static bool
is_dots(const char *name)
{
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Whether following the link @fd means jumping to an object instead of reading a text, as
 * /proc/PID/root and /proc/PID/fd/N do. Their text is a path of another root, or none. */
static bool
is_magic(int fd, const char *text)
{
        struct statfs fs;

        if (text[0] != '/' && text[0] != '(' && !strchr(text, ':'))
                return false;
        return fstatfs(fd, &fs) != 0 || fs.f_type == PROC_SUPER_MAGIC;
}

/* Put the text of the link @fd in front of what is left of the path. */
static int
follow(struct walk *w, int fd, const struct part *p)
{
        char text[PATH_MAX];

        if (++w->links > SW_PATH_MAX_LINKS)
                return ELOOP;
        ssize_t n = readlinkat(fd, "", text, sizeof(text));
        if (n < 0)
                return errno;
        if (n == 0)
                return ENOENT;
        if ((size_t) n >= sizeof(text))
                return ENAMETOOLONG;
        text[n] = 0;
        if (is_magic(fd, text))
                return ELOOP;
        char *rest = sw_asprintf("%s%s%s", text, p->slash ? "/" : "", w->rest);
        free(w->text);
        w->text = w->rest = rest;
        if (text[0] == '/')
                forget_levels(w);
        return 0;
}

/* Open the thing itself with O_PATH and say what it is. */
static int
look(struct walk *w, const char *name, int *fd, mode_t *type)
{
        struct stat st;
        int err = step(w, here(w), name, O_PATH | O_NOFOLLOW, 0, fd);

        if (err)
                return err;
        if (fstat(*fd, &st) != 0) {
                err = errno;
                sw_fd_clear(fd);
                return err;
        }
        *type = st.st_mode & S_IFMT;
        return 0;
}

/* Go into a component that must be a directory, or a link that leads to one. */
static int
descend(struct walk *w, const struct part *p)
{
        sw_auto(sw_fd) fd = -1;
        mode_t type = S_IFDIR;
        int err = step(w, here(w), p->name, DIR_FLAGS, 0, &fd);

        if (err == ENOTDIR) /* a link, too, is answered like this */
                err = look(w, p->name, &fd, &type);
        if (err)
                return err;
        if (type == S_IFLNK)
                return follow(w, fd, p);
        if (type != S_IFDIR)
                return ENOTDIR;
        push(w, p->name, sw_fd_steal(&fd));
        return 0;
}

/* Any component that is not the last: 0 to go on. */
static int
pass(struct walk *w, const struct part *p)
{
        if (strcmp(p->name, ".") == 0)
                return 0;
        if (strcmp(p->name, "..") == 0)
                return pop(w);
        return descend(w, p);
}

int
sw__exact_mode(int fd, mode_t mode)
{
        struct stat st;

        if (fstat(fd, &st) != 0)
                return errno;
        if (((st.st_mode ^ mode) & 07777) == 0)
                return 0;
        return fchmod(fd, mode & 07777) == 0 ? 0 : errno;
}

/* Open with O_CREAT but not through a link, knowing whether the file was made by us. */
static int
open_create(struct walk *w, const char *name, int flags, mode_t mode, int *fd)
{
        struct stat st;
        int err = EAGAIN;

        for (int i = 0; i < MAX_RACES; i++) {
                err = step(w, here(w), name, flags | O_EXCL, mode, fd);
                if (!err)
                        return sw__exact_mode(*fd, mode);
                if (err != EEXIST || flags & O_EXCL)
                        return err;
                err = step(w, here(w), name, flags & ~O_CREAT, 0, fd);
                if (!err && fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode))
                        return EISDIR;
                if (err != ENOENT)
                        return err;
        }
        return err;
}

static int
open_nofollow(struct walk *w, const char *name, int flags, mode_t mode, int *fd)
{
        int err;

        flags |= O_NOFOLLOW;
        if (flags & O_CREAT)
                return open_create(w, name, flags, mode, fd);
        err = step(w, here(w), name, flags, mode, fd);
        if (!err && (flags & O_TMPFILE) == O_TMPFILE)
                err = sw__exact_mode(*fd, mode);
        return err;
}

/* The last component with O_PATH: no way to ask openat to refuse a link. */
static int
open_last_path(struct walk *w, const struct part *p, int flags, int *fd)
{
        mode_t type = 0;
        int err = look(w, p->name, fd, &type);

        if (err)
                return err;
        if (type == S_IFLNK && !(flags & O_NOFOLLOW)) {
                err = follow(w, *fd, p);
                sw_fd_clear(fd);
                return err ? err : FOLLOWED;
        }
        return flags & O_DIRECTORY && type != S_IFDIR ? ENOTDIR : 0;
}

/* The last component, without a slash after it. */
static int
open_last(struct walk *w, const struct part *p, int flags, mode_t mode, int *fd)
{
        int err = 0;

        if (flags & O_PATH)
                return open_last_path(w, p, flags, fd);
        for (int i = 0; i < MAX_RACES; i++) {
                sw_auto(sw_fd) link = -1;
                mode_t type = 0;

                err = open_nofollow(w, p->name, flags, mode, fd);
                if (flags & O_NOFOLLOW || (err != ELOOP && err != ENOTDIR))
                        return err;
                int err_look = look(w, p->name, &link, &type);
                if (err_look && err_look != ENOENT)
                        return err_look;
                if (!err_look && type == S_IFLNK) {
                        err = follow(w, link, p);
                        return err ? err : FOLLOWED;
                }
                if (!err_look && err == ENOTDIR && type != S_IFDIR)
                        return err;
                /* it was a link a moment ago: once more */
        }
        return err;
}

/* The path ended at a directory that is open already. */
static int
open_here(struct walk *w, int flags, mode_t mode, int *fd)
{
        int err = step(w, here(w), ".", flags & ~O_NOFOLLOW, mode, fd);

        if (!err && (flags & O_TMPFILE) == O_TMPFILE)
                err = sw__exact_mode(*fd, mode);
        return err;
}

int
sw__walk_open(int root, const char *path, int flags, mode_t mode, int *out)
{
        sw_auto(sw_fd) fd = -1;
        struct walk w;
        struct part p;
        int err = FOLLOWED;

        walk_start(&w, root, path);
        while (err == FOLLOWED) {
                if (!next_part(&w, &p)) {
                        err = open_here(&w, flags, mode, &fd);
                } else if (p.last && !p.slash && !is_dots(p.name)) {
                        err = open_last(&w, &p, flags, mode, &fd);
                } else if (p.last && p.slash && !is_dots(p.name) && flags & O_CREAT) {
                        err = EISDIR;
                } else {
                        err = pass(&w, &p);
                        err = err ? err : FOLLOWED;
                }
        }
        walk_end(&w);
        if (!err)
                *out = sw_fd_steal(&fd);
        return err;
}

/* The path named a directory by its dots: its own parent, and its name there. */
static int
parent_of_here(struct walk *w, char **base, int *dirfd)
{
        if (w->names.n == 0)
                return EINVAL;
        char *name = sw_strdup(w->names.v[w->names.n - 1]);
        int err = pop(w);
        if (!err)
                err = step(w, here(w), ".", DIR_FLAGS, 0, dirfd);
        if (err)
                free(name);
        else
                *base = name;
        return err;
}

int
sw__walk_parent(int root, const char *path, int *dirfd, char **base)
{
        struct walk w;
        struct part p;
        int err = FOLLOWED;

        walk_start(&w, root, path);
        while (err == FOLLOWED) {
                if (!next_part(&w, &p)) {
                        err = parent_of_here(&w, base, dirfd);
                } else if (p.last && !is_dots(p.name)) {
                        err = strlen(p.name) > NAME_MAX ? ENAMETOOLONG : 0;
                        if (!err)
                                err = step(&w, here(&w), ".", DIR_FLAGS, 0, dirfd);
                        if (!err)
                                *base = sw_strdup(p.name);
                } else {
                        err = pass(&w, &p);
                        err = err ? err : FOLLOWED;
                }
        }
        walk_end(&w);
        return err;
}

/* Make one directory, private until it has its mode, and go into it. */
static int
make_level(struct walk *w, const char *name, mode_t mode)
{
        sw_auto(sw_fd) fd = -1;

        if (mkdirat(here(w), name, 0700) != 0)
                return errno;
        int err = step(w, here(w), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd);
        if (!err)
                err = sw__exact_mode(fd, mode);
        if (err)
                return err;
        push(w, name, sw_fd_steal(&fd));
        return 0;
}

static int
pass_or_make(struct walk *w, const struct part *p, mode_t mode)
{
        int err = 0;

        for (int i = 0; i < MAX_RACES; i++) {
                err = pass(w, p);
                if (err == ENOTDIR && p->last)
                        return EEXIST;
                if (err != ENOENT || is_dots(p->name)) /* ".." can only have been moved */
                        return err;
                err = make_level(w, p->name, mode);
                if (err != EEXIST)
                        return err;
        }
        return err;
}

int
sw__walk_mkdirs(int root, const char *path, mode_t mode, int *fd)
{
        struct walk w;
        struct part p;
        int err = 0;

        walk_start(&w, root, path);
        while (!err && next_part(&w, &p))
                err = pass_or_make(&w, &p, mode);
        if (!err && fd)
                err = step(&w, here(&w), ".", O_RDONLY | O_DIRECTORY, 0, fd);
        walk_end(&w);
        return err;
}
