/*
 * core/store/aside.c - see aside.h. Thread: any.
 */
#include "core/store/aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slipway/array.h>
#include <slipway/mem.h>
#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

enum { NAMES_MAX = 1000 };

struct old {
        char *name;
        int64_t when, nth;
};

struct olds {
        SW_ARRAY(struct old) all;
};

/* Rename to a name that is free; @to is it. */
static int
rename_aside(int dirfd, const char *name, char **to)
{
        char when[SW_TIME_STR_SIZE];
        int rc = -1;

        sw_time_str(sw_time_now(), when);
        for (int i = 0; i < NAMES_MAX; i++) {
                sw_str_clear(to);
                *to = i ? sw_asprintf("%s.damaged-%s.%d", name, when, i)
                        : sw_asprintf("%s.damaged-%s", name, when);
                rc = renameat2(dirfd, name, dirfd, *to, RENAME_NOREPLACE);
                if (rc < 0 && errno == EINVAL) /* a file system that cannot tell */
                        rc = renameat(dirfd, name, dirfd, *to);
                if (rc == 0 || errno != EEXIST)
                        break;
        }
        return rc;
}

/* Take the time, and the number behind it, out of what stands behind "damaged-". */
static bool
read_suffix(const char *text, struct old *out)
{
        size_t len = strcspn(text, "Z");
        sw_auto(sw_str) when = sw_strndup(text, len + 1);
        sw_err *err = sw_time_parse(when, &out->when);

        out->nth = 0;
        if (!err && text[len] && text[len + 1] == '.')
                err = sw_parse_int(text + len + 2, 1, NAMES_MAX, &out->nth);
        else if (!err && (!text[len] || text[len + 1]))
                return false;
        if (err)
                sw_err_drop(err, "somebody else's file, with a name like ours");
        return !err;
}

static int
newest_first(const void *pa, const void *pb)
{
        const struct old *a = pa, *b = pb;

        if (a->when != b->when)
                return a->when > b->when ? -1 : 1;
        return (a->nth < b->nth) - (a->nth > b->nth);
}

/* What was set aside of @name; names are from malloc. */
static void
find_old(int dirfd, const char *name, struct olds *out)
{
        sw_auto(sw_str) prefix = sw_asprintf("%s.damaged-", name);
        int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *e;

        if (!d) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        while ((e = readdir(d))) {
                struct old one;

                if (!sw_str_has_prefix(e->d_name, prefix) ||
                    !read_suffix(e->d_name + strlen(prefix), &one))
                        continue;
                one.name = sw_strdup(e->d_name);
                sw_array_push(&out->all, one);
        }
        (void) closedir(d);
}

static void
remove_oldest(int dirfd, const char *name, sw_log *log)
{
        struct olds old = { 0 };

        find_old(dirfd, name, &old);
        if (old.all.n > 1)
                qsort(old.all.v, old.all.n, sizeof(*old.all.v), newest_first);
        for (size_t i = 0; i < old.all.n; i++) {
                sw_err *err = i < SW_ASIDE_KEPT ? SW_OK
                                                : sw_path_remove(dirfd, old.all.v[i].name);
                if (err)
                        sw_log_line(log, SW_LOG_WARN, "store",
                                    "remove what was set aside: %s", sw_err_message(err));
                sw_err_drop(err, "told to the log");
                free(old.all.v[i].name);
        }
        sw_array_release(&old.all);
}

sw_err *
sw__set_aside(int dirfd, const char *name, sw_log *log, char **now_named)
{
        sw_auto(sw_str) to = NULL;

        if (rename_aside(dirfd, name, &to) < 0)
                return sw_err_sys(errno == ENOENT ? SW_E_NOT_FOUND
                                  : errno == EACCES || errno == EPERM || errno == EROFS
                                          ? SW_E_DENIED
                                          : SW_E_IO,
                                  errno, "set the damaged %s aside", name);
        remove_oldest(dirfd, name, log);
        *now_named = sw_steal(to);
        return SW_OK;
}
