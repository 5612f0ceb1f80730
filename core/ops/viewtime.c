/*
 * core/ops/viewtime.c - the newest file of a tree. Symlinks are not followed, and what is
 * removed meanwhile is passed over. Thread: any.
 */
#include <sys/stat.h>

#include "core/ops/view.h"

/* What is in the directory @dir: directories to @todo, the time of files to *time. */
static sw_err *
look_at(const struct sw__view *v, const char *dir, sw_strlist *todo, bool *found,
        int64_t *time)
{
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = sw__view_names(v, dir, &names);

        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_str) path = *dir ? sw_asprintf("%s/%s", dir, names.v[i])
                                            : sw_strdup(names.v[i]);
                struct sw__view_entry e;

                err = sw__view_lstat(v, path, &e);
                if (err)
                        break;
                if (S_ISDIR(e.st.st_mode))
                        sw_strlist_take(todo, sw_steal(path));
                else if (S_ISREG(e.st.st_mode) &&
                         (!*found || e.st.st_mtim.tv_sec > *time)) {
                        *found = true;
                        *time = e.st.st_mtim.tv_sec;
                }
        }
        return err;
}

sw_err *
sw__view_newest(const struct sw__view *v, sw_ctx *ctx, bool *found, int64_t *time)
{
        sw_auto(sw_strlist) todo = { 0 };
        sw_err *err = SW_OK;

        *found = false;
        sw_strlist_add(&todo, "");
        while (todo.n && !err) {
                sw_auto(sw_str) dir = todo.v[--todo.n];

                err = sw_ctx_check(ctx);
                if (!err)
                        err = look_at(v, dir, &todo, found, time);
                if (sw_err_code(err) == SW_E_NOT_FOUND) {
                        sw_err_drop(err, "removed meanwhile");
                        err = SW_OK;
                }
        }
        return err;
}
