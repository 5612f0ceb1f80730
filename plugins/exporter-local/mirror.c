/*
 * plugins/exporter-local/mirror.c - removing what a result does not have. Only directories
 * that are kept are looked into, and those were all told: the depth is that of the result.
 */
#include "plugins/exporter-local/mirror.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/array.h>
#include <slipway/path.h>

/* Names in the directory @path below @dirfd. */
static sw_err *
names_in(int dirfd, const char *path, sw_strlist *out)
{
        int fd = openat(dirfd, *path ? path : ".",
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!dir) {
                sw_err *err = sw_err_sys(SW_E_IO, errno, "read %s", path);

                if (fd >= 0)
                        close(fd);
                return err;
        }
        for (errno = 0; (e = readdir(dir)); errno = 0)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        sw_strlist_add(out, e->d_name);
        sw_err *err = errno ? sw_err_sys(SW_E_IO, errno, "read %s", path) : SW_OK;
        closedir(dir);
        return err;
}

/* Remove from one directory; add the directories in it that stay to @todo. */
static sw_err *
remove_in(int dirfd, const char *path, const sw_map *keep, sw_strlist *todo)
{
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = names_in(dirfd, path, &names);

        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_str) child =
                        sw_asprintf("%s%s%s", path, *path ? "/" : "", names.v[i]);
                struct stat st;

                if (!sw_map_has(keep, child))
                        err = sw_path_remove(dirfd, child);
                else if (!fstatat(dirfd, child, &st, AT_SYMLINK_NOFOLLOW) &&
                         S_ISDIR(st.st_mode))
                        sw_strlist_take(todo, sw_steal(child));
        }
        return err;
}

sw_err *
mirror_remove(sw_ctx *ctx, int dirfd, const sw_map *keep)
{
        sw_auto(sw_strlist) todo = { 0 };
        sw_err *err = SW_OK;

        sw_strlist_add(&todo, "");
        for (size_t i = 0; i < todo.n && !err; i++) {
                sw_auto(sw_str) path = sw_strdup(todo.v[i]);

                err = sw_ctx_check(ctx);
                if (!err)
                        err = remove_in(dirfd, path, keep, &todo);
        }
        return err;
}
