/*
 * core/ops/kept.c - see kept.h. What a file says is checked: it may be of another version.
 * Thread: any; a file is written whole or not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/kept.h"
#include "core/store/refs.h"

#define DIRECTORY "kept"
#define FILE_MAX  (32 << 20)
#define SUFFIX    ".json"

void
sw__kept_release(sw__kept *k)
{
        free(k->vertex);
        sw_buf_release(&k->op);
        sw_array_release(&k->trees);
}

static int
open_dir(sw_root *root)
{
        return openat(sw__root_fd(root), DIRECTORY,
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- writing ------------------------------------------------------------------------- */

static json_t *
trees_json(const sw__kept *k)
{
        json_t *list = json_array();

        for (size_t i = 0; i < k->trees.n; i++)
                json_array_append_new(list,
                                      json_pack("{s:s, s:b}", "ref", k->trees.v[i].ref,
                                                "own", k->trees.v[i].own));
        return list;
}

sw_err *
sw__kept_write(sw_root *root, const sw__kept *k)
{
        sw_auto(sw_buf) op = SW_BUF_INIT;
        sw_auto(sw_str) name = sw_asprintf("%s" SUFFIX, k->ref);

        sw_json_add_base64(&op, k->op.data, k->op.len);
        op.data[op.len - 1] = 0; /* without the quotes */
        sw_autoptr(sw_json) o = json_pack("{s:s, s:I, s:s, s:o}", "vertex", k->vertex,
                                          "expires", (json_int_t) k->expires, "op",
                                          op.data + 1, "trees", trees_json(k));
        sw_auto(sw_str) text = o ? json_dumps(o, JSON_COMPACT) : NULL;
        if (!text)
                return sw_err_new(SW_E_INTERNAL, "describe a root that is kept");
        if (mkdirat(sw__root_fd(root), DIRECTORY, 0700) != 0 && errno != EEXIST)
                return sw_err_sys(SW_E_IO, errno, "make the directory " DIRECTORY);
        sw_auto(sw_fd) dir = open_dir(root);
        if (dir < 0)
                return sw_err_sys(SW_E_IO, errno, "open the directory " DIRECTORY);
        return sw_path_write_file(dir, name, text, strlen(text), 0600);
}

/* ---- reading ------------------------------------------------------------------------- */

static sw_err *
read_tree(const sw_json *o, sw__kept *out)
{
        struct sw__kept_tree t = { .ref = "" };
        const char *ref = NULL;
        sw_err *err = sw_json_str_req(o, "ref", &ref);

        if (!err)
                err = sw_json_bool(o, "own", &t.own);
        if (!err && *ref)
                err = sw_id_check("tree", ref);
        if (!err && strlen(ref) >= sizeof(t.ref))
                err = sw_err_new(SW_E_INVALID, "the id of a tree is too long");
        if (err)
                return err;
        memcpy(t.ref, ref, strlen(ref) + 1);
        sw_array_push(&out->trees, t);
        return SW_OK;
}

static sw_err *
read_kept(const sw_json *o, sw__kept *out)
{
        const char *text = NULL;
        sw_json *list = NULL, *item;
        size_t i;
        sw_err *err = sw_json_int(o, "expires", &out->expires);

        if (!err)
                err = sw_json_str_req(o, "vertex", &text);
        if (err)
                return err;
        out->vertex = sw_strdup(text);
        err = sw_json_str_req(o, "op", &text);
        if (!err && !sw_json_base64(text, &out->op))
                err = sw_err_new(SW_E_INVALID, "its op is not base64");
        if (!err)
                err = sw_json_arr(o, "trees", &list);
        if (err)
                return err;
        json_array_foreach(list, i, item)
        {
                err = read_tree(item, out);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
read_file(int dir, const char *name, sw__kept *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_autoptr(sw_json) o = NULL;
        sw_err *err = sw_buf_read_file(&text, dir, name, FILE_MAX);

        if (!err)
                err = sw_json_parse(name, text.data, text.len, &o);
        return err ? err : read_kept(o, out);
}

sw_err *
sw__kept_read(sw_root *root, const char *ref, sw__kept *out)
{
        sw_auto(sw_fd) dir = open_dir(root);
        sw_auto(sw__kept) k = { .vertex = NULL };
        sw_auto(sw_str) name = sw_asprintf("%s" SUFFIX, ref);
        sw_err *err = sw_id_check("root", ref);

        if (!err && (dir < 0 || strlen(ref) >= SW_ID_SIZE ||
                     faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0))
                err = sw_err_new(SW_E_NOT_FOUND,
                                 "none of that name is kept, or not longer; "
                                 "build with --on-error keep");
        if (!err)
                err = read_file(dir, name, &k);
        if (!err && k.expires < sw_time_now())
                err = sw_err_new(SW_E_NOT_FOUND, "its time is over");
        if (err)
                return sw_err_wrap(err, "root %.128s", ref);
        memcpy(k.ref, ref, strlen(ref) + 1);
        *out = k;
        k = (sw__kept){ .vertex = NULL };
        return SW_OK;
}

/* ---- all of them --------------------------------------------------------------------- */

/* The ref that a file is of, into @ref; false: it is none of ours. */
static bool
ref_of(const char *name, char ref[SW_ID_SIZE])
{
        size_t n = strlen(name);

        if (!sw_str_has_suffix(name, SUFFIX) || n - strlen(SUFFIX) >= SW_ID_SIZE)
                return false;
        memcpy(ref, name, n - strlen(SUFFIX));
        ref[n - strlen(SUFFIX)] = 0;
        sw_err *err = sw_id_check("root", ref);
        bool good = !err;
        sw_err_drop(err, "then it is none of ours");
        return good;
}

typedef void kept_fn(void *arg, int dir, const char *name, sw__kept *k, sw_err *err);

/* @fn gets the error of one that cannot be read (given). */
static void
for_all(sw_root *root, kept_fn *fn, void *arg)
{
        int fd = open_dir(root);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d && fd >= 0)
                (void) close(fd);
        while (d && (e = readdir(d))) {
                sw_auto(sw__kept) k = { .vertex = NULL };

                if (ref_of(e->d_name, k.ref))
                        fn(arg, fd, e->d_name, &k, read_file(fd, e->d_name, &k));
        }
        if (d)
                (void) closedir(d);
}

struct search {
        const char *digest;
        int64_t newest;
        char *ref;
};

static void
compare(void *arg, int dir, const char *name, sw__kept *k, sw_err *err)
{
        struct search *s = arg;

        (void) dir;
        (void) name;
        if (!err && k->expires > s->newest && strcmp(k->vertex, s->digest) == 0) {
                s->newest = k->expires;
                memcpy(s->ref, k->ref, sizeof(k->ref));
        }
        sw_err_drop(err, "one that cannot be read is not it");
}

bool
sw__kept_of_vertex(sw_root *root, const char *digest, char ref[SW_ID_SIZE])
{
        struct search s = { .digest = digest, .newest = sw_time_now(), .ref = ref };

        ref[0] = 0;
        for_all(root, compare, &s);
        return ref[0] != 0;
}

/* ---- sweeping ------------------------------------------------------------------------ */

static sw_err *
remove_ref(sw_root *root, const char *ref)
{
        sw_auto(sw_strlist) exprs = { 0 };
        sw_autoptr(sw_filter) filter = NULL;

        sw_strlist_take(&exprs, sw_asprintf("id==%s", ref));
        sw_err *err = sw__filter_new(&exprs, &filter);
        const struct sw_prune_opts o = { .filter = filter, .all = true };
        return err ? err : sw__worker_prune(sw__root_worker(root), NULL, &o, NULL, NULL);
}

struct sweeping {
        sw_root *root;
        sw_log *log;
};

static void
sweep(void *arg, int dir, const char *name, sw__kept *k, sw_err *err)
{
        struct sweeping *s = arg;

        if (!err && k->expires >= sw_time_now())
                return;
        sw_err_drop(err, "what cannot be read is of no use");
        err = remove_ref(s->root, k->ref);
        for (size_t i = 0; i < k->trees.n && !err; i++)
                if (k->trees.v[i].own && strcmp(k->trees.v[i].ref, k->ref) != 0)
                        err = remove_ref(s->root, k->trees.v[i].ref);
        if (!err && unlinkat(dir, name, 0) != 0 && errno != ENOENT)
                err = sw_err_sys(SW_E_IO, errno, "remove " DIRECTORY "/%s", name);
        if (err)
                sw_log_err(s->log, SW_LOG_WARN, err);
        sw_err_drop(err, "told; the next start tries again");
}

void
sw__kept_sweep(sw_root *root, sw_log *log)
{
        struct sweeping s = { root, log };

        for_all(root, sweep, &s);
}
