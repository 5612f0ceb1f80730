/* cmd/slipway/build/spool.c - see spool.h. */
#include "cmd/slipway/build/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/id.h>
#include <slipway/io.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "cmd/slipway/build/input.h"

#define PLACE "stdin" /* in the root */

struct spool {
        char *path;
        sw_fd root; /* of the engine */
        sw_fd fd;   /* <root>/stdin/<id>, locked */
        char *rel;  /* "stdin/<id>" */
};

/* Remove what nobody has locked: who made it is gone. */
static void
sweep(int root)
{
        sw_auto(sw_fd) fd = openat(root, PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *e;

        if (!dir)
                return;
        (void) sw_fd_steal(&fd);
        while ((e = readdir(dir))) {
                sw_auto(sw_fd) one = -1;

                if (e->d_name[0] == '.')
                        continue;
                one = openat(dirfd(dir), e->d_name,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (one >= 0 && flock(one, LOCK_EX | LOCK_NB) == 0)
                        sw_err_drop(sw_path_remove(dirfd(dir), e->d_name),
                                    "the next one tries again");
        }
        (void) closedir(dir);
        (void) unlinkat(root, PLACE, AT_REMOVEDIR); /* unless others use it */
}

void
spool_sweep(const char *root)
{
        sw_auto(sw_fd) fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                sweep(fd);
}

/* Between making and locking it, a sweep of another process may have removed it. */
static sw_err *
make(spool *s)
{
        char id[SW_ID_SIZE];

        for (int tries = 0; tries < 8; tries++) {
                struct stat st;

                free(s->rel);
                s->rel = sw_asprintf("%s/%s", PLACE, sw_id_new(id));
                if (mkdirat(s->root, PLACE, 0700) != 0 && errno != EEXIST)
                        break;
                if (mkdirat(s->root, s->rel, 0700) != 0) {
                        if (errno == ENOENT)
                                continue;
                        break;
                }
                s->fd = openat(s->root, s->rel, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (s->fd >= 0 && flock(s->fd, LOCK_EX | LOCK_NB) == 0 &&
                    fstatat(s->root, s->rel, &st, AT_SYMLINK_NOFOLLOW) == 0)
                        return SW_OK;
                sw_fd_clear(&s->fd);
        }
        return sw_err_sys(SW_E_IO, errno, "make a directory in %s/%s", s->path, PLACE);
}

sw_err *
spool_new(const char *root, spool **out)
{
        sw_autoptr(spool) s = sw_new(spool);
        sw_err *err;

        s->fd = -1;
        s->path = sw_strdup(root);
        s->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->root < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", root);
        err = make(s);
        if (!err)
                *out = sw_steal(s);
        return err;
}

sw_err *
spool_dir(spool *s, const char *name, char **path)
{
        if (mkdirat(s->fd, name, 0755) != 0 && errno != EEXIST)
                return sw_err_sys(SW_E_IO, errno, "make directory %s/%s/%s", s->path,
                                  s->rel, name);
        *path = sw_asprintf("%s/%s/%s", s->path, s->rel, name);
        return SW_OK;
}

static sw_err *
copy(int to, const void *head, size_t n, sw_cancel *cancel)
{
        static const size_t size = 256 * 1024;
        sw_auto(sw_str) buf = sw_alloc(size);
        int rc = sw_write_all(to, head, n);
        size_t got = 1;
        sw_err *err = SW_OK;

        while (!rc && !err && got > 0) {
                err = input_read(cancel, buf, size, &got);
                if (!err)
                        rc = sw_write_all(to, buf, got);
        }
        return rc ? sw_err_sys(SW_E_IO, rc, "keep what comes from standard input") : err;
}

sw_err *
spool_put(spool *s, const char *dir, const char *name, const void *head, size_t n,
          sw_cancel *cancel)
{
        sw_auto(sw_str) rel = sw_asprintf("%s/%s", dir, name);
        sw_auto(sw_fd) to =
                openat(s->fd, rel, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        sw_err *err;

        if (to < 0)
                return sw_err_sys(SW_E_IO, errno, "make %s/%s/%s", s->path, s->rel, rel);
        err = copy(to, head, n, cancel);
        if (!err && close(sw_fd_steal(&to)) != 0)
                err = sw_err_sys(SW_E_IO, errno, "keep what comes from standard input");
        return err;
}

void
spool_free(spool *s)
{
        if (!s)
                return;
        if (s->fd >= 0) {
                sw_err_drop(sw_path_remove(s->root, s->rel), "the next one sweeps it");
                (void) unlinkat(s->root, PLACE, AT_REMOVEDIR); /* unless others use it */
        }
        sw_fd_clear(&s->fd);
        sw_fd_clear(&s->root);
        free(s->rel);
        free(s->path);
        free(s);
}
