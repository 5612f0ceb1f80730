/*
 * Lazy layers and what is told of layers, with the snapshotters that there are: what the
 * fake one of the other tests leaves out.
 */
#include <slipway/host.h>

#include "tests/unit/core/store/lazytool.h"

static sw_host *host;

static void
open_with(const char *snapshotter)
{
        const char *build = getenv("top_builddir");
        sw_auto(sw_str) plugins = sw_asprintf("%s/plugins/.libs", build ? build : ".");
        const char *const dirs[] = { plugins, NULL };
        const struct sw_host_opts hosts = { .dirs = dirs, .no_default_dir = true };

        unit_mkdtemp(dir, sizeof(dir), "layers");
        ok(sw_host_new(&hosts, &host));
        const struct sw_root_opts opts = { .path = dir,
                                           .host = host,
                                           .snapshotter = snapshotter };
        ok(sw__root_open(&opts, &root));
        w = sw__root_worker(root);
        sw__root_use_source(root, &lazy_ops, NULL);
}

static void
close_it(void)
{
        lazy_after();
        sw_host_free(host);
}

/* ---- a writer that notes what it is told ---- */

static char told[1000];

static void
note(const char *what, const char *path)
{
        const size_t n = strlen(told);

        snprintf(told + n, sizeof(told) - n, "%s%s %s", n ? "; " : "", what, path);
}

static sw_err *
note_mkdir(void *writer, const char *path, const struct sw_layer_meta *m)
{
        (void) writer;
        (void) m;
        if (*path)
                note("dir", path);
        return SW_OK;
}

static sw_err *
note_file(void *writer, const char *path, const struct sw_layer_meta *m, int fd,
          int64_t off, int64_t len)
{
        (void) writer;
        (void) m;
        (void) fd;
        (void) off;
        (void) len;
        note("file", path);
        return SW_OK;
}

static sw_err *
note_whiteout(void *writer, const char *path)
{
        (void) writer;
        note("gone", path);
        return SW_OK;
}

static sw_err *
note_opaque(void *writer, const char *path)
{
        (void) writer;
        note("opaque", path);
        return SW_OK;
}

static const struct sw_layer_ops noter = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = note_mkdir,
        .file = note_file,
        .whiteout = note_whiteout,
        .opaque = note_opaque,
};

static const char *
tell(sw_ref *r, size_t i)
{
        sw_chain *c;

        *told = '\0';
        ok(sw_ref_chain(w, NULL, r, &c));
        ok(sw_chain_tell(c, NULL, i, &noter, NULL));
        sw_chain_free(c);
        return told;
}

/* ---- trees ---- */

/* A layer: "+d/" a directory, "+f" a file, "-x" a whiteout, "=d" opaque. */
static sw_ref *
layer(sw_ref *parent, const char *what)
{
        const struct sw_layer_meta m = { .mode = 0640, .mtime = 1000 },
                                   d = { .mode = 0710, .mtime = 2000 };
        sw_auto(sw_strlist) words = { 0 };
        const struct sw_layer_ops *ops;
        sw_layer *l;
        sw_ref *r;
        void *writer;

        ok(sw_worker_layer(w, NULL, parent, NULL, &l));
        ok(sw_layer_write(l, NULL, &ops, &writer));
        sw_strlist_split(&words, what, ' ');
        for (size_t i = 0; i < words.n; i++) {
                char *path = words.v[i] + 1;
                const size_t n = strlen(path);

                if (words.v[i][0] == '-') {
                        ok(ops->whiteout(writer, path));
                } else if (words.v[i][0] == '=') {
                        ok(ops->opaque(writer, path));
                } else if (path[n - 1] == '/') {
                        path[n - 1] = '\0';
                        ok(ops->mkdir(writer, path, &d));
                } else {
                        ok(ops->data(writer, path, &m, path, n));
                }
        }
        ok(ops->finish(writer));
        ok(sw_layer_commit(l, NULL, &r));
        return r;
}

/* What differs between two trees that have nothing in common takes away from whatever it
 * is put on, also when it is packed. */
static void
check_changes(void)
{
        sw_ref *a = layer(NULL, "+d/ +d/gone +same"), *b = layer(NULL, "+d/ +d/new +same");
        sw_ref *diff, *m, *parts[2];

        ok(sw_worker_diff(w, NULL, a, b, NULL, &diff));
        ck_assert_str_eq(tell(diff, 0), "dir d; gone d/gone; file d/new");
        parts[0] = a;
        parts[1] = diff;
        ok(sw_worker_merge(w, NULL, parts, 2, NULL, &m));
        ck_assert_str_eq(tell(m, 1), "dir d; gone d/gone; file d/new");
        ck_assert_str_eq(tell(m, 0), "dir d; file d/gone; file same");
        sw_ref_unref(a);
        sw_ref_unref(b);
        sw_ref_unref(diff);
        sw_ref_unref(m);
}

/* A layer on another one is what it changes there: a whiteout of nothing is not told, and
 * what an opaque directory hides is told entry by entry. */
static void
check_plain(void)
{
        sw_ref *a = layer(NULL, "+d/ +d/x +d/y");
        sw_ref *b = layer(a, "+d/ =d +d/y -nothing -other");

        ck_assert_str_eq(tell(b, 1), "dir d; gone d/x");
        sw_ref_unref(a);
        sw_ref_unref(b);
}

/* Layers from blobs: a tree of them shows the files of all, and directories that a blob
 * does not tell look as below, the root too. */
static void
check_lazy(void)
{
        struct stat st;
        sw_tree *t;
        sw_ref *base = layer(NULL, "+/ +dir/"), *top = NULL;

        for (int c = 'a'; c <= 'e'; c++) {
                sw_auto(sw_str) locator = sw_asprintf("d:%c", c);
                sw_ref *next = lazy_make(top ? top : base, locator);

                sw_ref_unref(top);
                top = next;
        }
        ok(sw_ref_open(NULL, top, &t));
        for (char path[] = "dir/a"; path[4] <= 'e'; path[4]++)
                ck_assert_int_eq(faccessat(sw_tree_fd(t), path, F_OK, 0), 0);
        ck_assert_int_eq(fstatat(sw_tree_fd(t), "dir", &st, 0), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0710);
        ck_assert_int_eq(sw_time_from_spec(&st.st_mtim), 2000);
        ck_assert_int_eq(fstat(sw_tree_fd(t), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0710);
        ok(sw_tree_close(t));
        ck_assert_str_eq(tell(top, 5), "dir dir; file dir/e; file e");
        sw_ref_unref(base);
        sw_ref_unref(top);
}

static void
check_all(const char *snapshotter)
{
        open_with(snapshotter);
        check_changes();
        check_plain();
        check_lazy();
        close_it();
}

START_TEST(with_overlay)
{
        check_all("overlay");
}
END_TEST

START_TEST(with_native)
{
        check_all("native");
}
END_TEST

UNIT_MAIN("layers", with_overlay, with_native)
