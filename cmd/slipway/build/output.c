/*
 * cmd/slipway/build/output.c - see output.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/build/output.h"

#define PIPE_POLL (50 * SW_NS_PER_MS) /* between two looks for a reader */

/* ---- Places ---- */

static bool
is_file_type(const struct output *o)
{
        const char *tar = sw_attr_get(o->attrs.v, o->attrs.n, "tar");
        bool is_tar = true;

        if (sw_str_eq(o->type, "tar"))
                return true;
        if (!sw_str_eq(o->type, "oci") && !sw_str_eq(o->type, "docker"))
                return false;
        if (tar)
                sw_err_drop(sw_parse_bool(tar, &is_tar), "what is no bool means yes");
        return is_tar;
}

static bool
is_dir_type(const struct output *o)
{
        return sw_str_eq(o->type, "local") ||
               ((sw_str_eq(o->type, "oci") || sw_str_eq(o->type, "docker")) &&
                !is_file_type(o));
}

/* The directory of o->dest and the name in it. */
static sw_err *
open_parent(struct output *o)
{
        const char *slash = strrchr(o->dest, '/');
        sw_auto(sw_str) dir = slash ? sw_strndup(o->dest, (size_t) (slash - o->dest) + 1)
                                    : sw_strdup(".");

        o->base = sw_strdup(slash ? slash + 1 : o->dest);
        o->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (o->dirfd < 0)
                return sw_err_sys(SW_E_IO, errno, "--output dest=%s", o->dest);
        if (!*o->base)
                return sw_err_new(SW_E_IO,
                                  "--output dest=%s: destination file is a directory",
                                  o->dest);
        return SW_OK;
}

static sw_err *
check_file(struct output *o)
{
        struct stat st;

        if (stat(o->dest, &st) == 0 && S_ISDIR(st.st_mode))
                return sw_err_new(SW_E_IO,
                                  "--output dest=%s: destination file is a directory",
                                  o->dest);
        return open_parent(o);
}

static sw_err *
check_dir(const struct output *o)
{
        struct stat st;

        if (stat(o->dest, &st) == 0) {
                if (!S_ISDIR(st.st_mode))
                        return sw_err_sys(SW_E_IO, ENOTDIR, "--output dest=%s", o->dest);
        } else if (errno != ENOENT) {
                return sw_err_sys(SW_E_IO, errno, "--output dest=%s", o->dest);
        }
        return SW_OK;
}

/* ---- Targets ---- */

/* A device or pipe is written as it is; it cannot be put in the place of anything. */
static bool
is_special(const struct output *o)
{
        struct stat st;

        return fstatat(o->dirfd, o->base, &st, 0) == 0 && !S_ISREG(st.st_mode);
}

/* A named pipe has to have a reader; until then nobody is kept from cancelling. */
static sw_err *
open_special(struct output *o, sw_ctx *ctx)
{
        const int flags = O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
        sw_err *err = SW_OK;

        while ((o->fd = openat(o->dirfd, o->base, flags)) < 0 && errno == ENXIO && !err) {
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), PIPE_POLL);
                err = sw_ctx_check(ctx);
        }
        if (err)
                return err;
        if (o->fd < 0 || fcntl(o->fd, F_SETFL, O_WRONLY) < 0)
                return sw_err_sys(SW_E_IO, errno, "write %s", o->dest);
        return SW_OK;
}

static sw_err *
open_pending(struct output *o, sw_ctx *ctx)
{
        char id[SW_ID_SIZE];

        if (is_special(o))
                return open_special(o, ctx);
        o->fd = openat(o->dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
        if (o->fd < 0) { /* a file system without unnamed files */
                o->pending = sw_asprintf(".slipway-%s", sw_id_new(id));
                o->fd = openat(o->dirfd, o->pending,
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        }
        if (o->fd < 0)
                return sw_err_sys(SW_E_IO, errno, "write %s", o->dest);
        return SW_OK;
}

static sw_err *
target_open_file(void *arg, sw_ctx *ctx, int *fd)
{
        struct output *o = arg;
        sw_err *err = SW_OK;

        if (!o->dest || sw_str_eq(o->dest, "-")) {
                *fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
                return *fd >= 0 ? SW_OK
                                : sw_err_sys(SW_E_IO, errno, "write to standard output");
        }
        if (o->fd < 0)
                err = open_pending(o, ctx);
        if (err)
                return err;
        *fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
        return *fd >= 0 ? SW_OK : sw_err_sys(SW_E_IO, errno, "write %s", o->dest);
}

/* Make missing directories as mkdir -p would, the last one for its owner alone. */
static sw_err *
make_dirs(const char *path)
{
        sw_auto(sw_str) p = sw_strdup(path);

        for (char *s = p + 1; *p && *s; s++) {
                if (*s != '/')
                        continue;
                *s = '\0';
                if (mkdir(p, 0777) != 0 && errno != EEXIST)
                        return sw_err_sys(SW_E_IO, errno, "make directory %s", p);
                *s = '/';
        }
        if (mkdir(p, 0700) != 0 && errno != EEXIST)
                return sw_err_sys(SW_E_IO, errno, "make directory %s", p);
        return SW_OK;
}

static sw_err *
target_open_dir(void *arg, sw_ctx *ctx, int *dirfd)
{
        struct output *o = arg;
        sw_err *err;

        (void) ctx;
        if (!o->dest)
                return sw_err_new(SW_E_USAGE, "--output type=%s: dest=DIR is missing",
                                  o->type);
        err = make_dirs(o->dest);
        if (err)
                return err;
        *dirfd = open(o->dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *dirfd >= 0 ? SW_OK : sw_err_sys(SW_E_IO, errno, "open %s", o->dest);
}

/* A file without a name gets one, for a moment. */
static sw_err *
link_pending(struct output *o)
{
        sw_auto(sw_str) from = sw_asprintf("/proc/self/fd/%d", o->fd);
        sw_auto(sw_str) name = NULL;
        char id[SW_ID_SIZE];

        if (o->pending)
                return SW_OK;
        if (linkat(AT_FDCWD, from, o->dirfd, o->base, AT_SYMLINK_FOLLOW) == 0) {
                sw_fd_clear(&o->fd); /* there was none of that name */
                return SW_OK;
        }
        name = sw_asprintf(".slipway-%s", sw_id_new(id));
        if (linkat(AT_FDCWD, from, o->dirfd, name, AT_SYMLINK_FOLLOW) != 0)
                return sw_err_sys(SW_E_IO, errno, "write %s", o->dest);
        o->pending = sw_steal(name);
        return SW_OK;
}

static sw_err *
target_commit(void *arg, sw_ctx *ctx)
{
        struct output *o = arg;
        sw_err *err;

        (void) ctx;
        if (o->fd < 0 || is_special(o)) {
                sw_fd_clear(&o->fd);
                return SW_OK;
        }
        err = link_pending(o);
        if (err)
                return err;
        if (o->pending && renameat(o->dirfd, o->pending, o->dirfd, o->base) != 0)
                return sw_err_sys(SW_E_IO, errno, "write %s", o->dest);
        free(sw_steal(o->pending));
        sw_fd_clear(&o->fd);
        return SW_OK;
}

/* ---- Words ---- */

static void
free_output(struct output *o)
{
        if (o->pending)
                (void) unlinkat(o->dirfd, o->pending, 0);
        sw_fd_clear(&o->fd);
        sw_fd_clear(&o->dirfd);
        for (size_t i = 0; i < o->attrs.n; i++) {
                free((char *) o->attrs.v[i].key);
                free((char *) o->attrs.v[i].value);
        }
        sw_array_release(&o->attrs);
        free(o->type);
        free(o->dest);
        free(o->base);
        free(o->pending);
        free(o);
}

static sw_err *
add_field(struct output *o, const char *spec, const char *field)
{
        sw_auto(sw_str) key = NULL;
        const char *value;
        sw_err *err = sw_csv_pair(field, &key, &value);

        if (err) {
                sw_err *wrong = sw_err_new(SW_E_USAGE, "--output %s: %s", spec,
                                           sw_err_message(err));
                sw_err_drop(err, "told as a wrong command line");
                return wrong;
        }
        if (sw_str_eq(key, "output"))
                return sw_err_new(SW_E_USAGE,
                                  "--output %s: \"output\" is not supported, did you mean "
                                  "\"dest\"?",
                                  spec);
        if (sw_str_eq(key, "type")) {
                free(o->type);
                o->type = sw_strdup(value);
        } else if (sw_str_eq(key, "dest")) {
                free(o->dest);
                o->dest = sw_strdup(value);
        } else if (sw_attr_get(o->attrs.v, o->attrs.n, key)) {
                return sw_err_new(SW_E_USAGE, "--output %s: %s is given twice", spec, key);
        } else {
                sw_array_push(&o->attrs,
                              (struct sw_attr){ sw_steal(key), sw_strdup(value) });
        }
        return SW_OK;
}

/* docker's shorter ways: "DIR" and "-". */
static bool
parse_short(struct output *o, const char *spec)
{
        if (strchr(spec, '=') || strchr(spec, ','))
                return false;
        o->type = sw_strdup(sw_str_eq(spec, "-") ? "tar" : "local");
        o->dest = sw_strdup(spec);
        return true;
}

void
output_set(struct output *o, const char *key, const char *value)
{
        for (size_t i = 0; i < o->attrs.n; i++)
                if (strcmp(o->attrs.v[i].key, key) == 0) {
                        free((char *) o->attrs.v[i].value);
                        o->attrs.v[i].value = sw_strdup(value);
                        return;
                }
        sw_array_push(&o->attrs, (struct sw_attr){ sw_strdup(key), sw_strdup(value) });
}

static sw_err *
parse(struct output *o, const char *spec)
{
        sw_auto(sw_strlist) fields = { 0 };
        sw_err *err;

        if (parse_short(o, spec))
                return SW_OK;
        err = sw_csv_split(spec, &fields);
        if (err)
                return sw_err_wrap(err, "--output %s", spec);
        for (size_t i = 0; i < fields.n && !err; i++)
                err = add_field(o, spec, fields.v[i]);
        if (!err && (!o->type || !*o->type))
                err = sw_err_new(SW_E_USAGE, "--output requires type=<type>");
        if (!err && sw_str_eq(o->type, "registry")) {
                free(o->type);
                o->type = sw_strdup("image");
                output_set(o, "push", "true");
        }
        return err;
}

static sw_err *
check_place(struct output *o)
{
        if (is_file_type(o) && (!o->dest || sw_str_eq(o->dest, "-"))) {
                if (isatty(STDOUT_FILENO))
                        return sw_err_new(SW_E_USAGE,
                                          "--output type=%s: dest=FILE is missing, and "
                                          "archives are not written to a terminal",
                                          o->type);
                return SW_OK;
        }
        if (is_file_type(o))
                return check_file(o);
        if (is_dir_type(o))
                return o->dest && *o->dest
                               ? check_dir(o)
                               : sw_err_new(SW_E_USAGE,
                                            "--output type=%s: dest=DIR is missing",
                                            o->type);
        if (sw_str_eq(o->type, "image") && o->dest)
                return sw_err_new(SW_E_USAGE,
                                  "--output type=image: dest=%s is not supported by the "
                                  "image exporter; type=oci writes an image to a file",
                                  o->dest);
        return o->dest && !sw_str_eq(o->dest, "-") ? open_parent(o) : SW_OK;
}

const char *
output_dest(const struct output *o)
{
        return o->dest || !is_file_type(o) ? o->dest : "-";
}

static bool
writes_stdout(const struct output *o)
{
        return sw_str_eq(output_dest(o), "-");
}

sw_err *
outputs_add(outputs *all, const char *spec)
{
        struct output *o = sw_new(struct output);
        sw_err *err;

        o->fd = o->dirfd = -1;
        o->target = (struct sw_export_target){
                .size = sizeof(o->target),
                .open_file = target_open_file,
                .open_dir = target_open_dir,
                .commit = target_commit,
                .arg = o,
        };
        err = parse(o, spec);
        if (!err)
                err = check_place(o);
        for (size_t i = 0; i < all->all.n && !err; i++)
                if (writes_stdout(o) && writes_stdout(all->all.v[i]))
                        err = sw_err_new(SW_E_USAGE,
                                         "--output %s: something else is written to "
                                         "standard output already",
                                         spec);
        if (err) {
                free_output(o);
                return err;
        }
        sw_array_push(&all->all, o);
        return SW_OK;
}

/* Nothing but the cache. */
static bool
is_nothing(const struct output *o)
{
        return sw_str_eq(o->type, "cacheonly");
}

const struct output *
outputs_at(const outputs *all, size_t i)
{
        for (size_t k = 0; k < all->all.n; k++)
                if (!is_nothing(all->all.v[k]) && i-- == 0)
                        return all->all.v[k];
        return NULL;
}

void
outputs_ready(outputs *all)
{
        for (size_t i = 0; i < all->all.n; i++) {
                const struct output *o = all->all.v[i];

                if (is_nothing(o))
                        continue;
                sw_array_push(&all->asked, (struct sw_build_output){
                                                   .type = o->type,
                                                   .attrs = o->attrs.v,
                                                   .n_attrs = o->attrs.n,
                                                   .target = &o->target,
                                           });
        }
}

void
outputs_release(outputs *all)
{
        for (size_t i = 0; i < all->all.n; i++)
                free_output(all->all.v[i]);
        sw_array_release(&all->all);
        sw_array_release(&all->asked);
}
