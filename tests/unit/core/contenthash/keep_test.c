/*
 * keep_test.c - hashes that are kept, over real layers. Catches: a digest that is taken
 * over from the tree below although a layer changed what it covers; trees that are read
 * again by the next process; hashes that outlive their ref; files of hashes that are
 * damaged and trusted.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/time.h>

#include "core/contenthash/contenthash.h"
#include "core/contenthash/tree.h"
#include "tests/unit/tmp.h"

#define DIRS  10
#define FILES 15
#define STEPS 60

static char dir[256];
static sw_host *host;
static sw_root *root;
static sw_worker *w;

static void
open_root(void)
{
        ok(sw__root_open(&(struct sw_root_opts){ .path = dir, .host = host }, &root));
        w = sw__root_worker(root);
}

static void
before(void)
{
        const char *build = getenv("top_builddir");
        sw_auto(sw_str) plugins = sw_asprintf("%s/plugins/.libs", build ? build : ".");
        const char *dirs[] = { plugins, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };

        (void) umask(022);
        unit_mkdtemp(dir, sizeof(dir), "keep");
        ok(sw_host_new(&opts, &host));
        open_root();
}

static void
after(void)
{
        sw__root_close(root);
        sw_host_free(host);
        ok(sw_path_remove(AT_FDCWD, dir));
}

static void
reopen(void)
{
        sw__root_close(root);
        open_root();
}

/* ---- layers ---- */

struct writing {
        const struct sw_layer_ops *ops;
        void *w;
        sw_layer *layer;
};

static const struct sw_layer_meta file_meta = { .mode = 0644, .mtime = 1000000000 };
static const struct sw_layer_meta dir_meta = { .mode = 0755, .mtime = 1000000000 };

static struct writing
begin(sw_ref *parent)
{
        struct writing x = { 0 };

        ok(sw_worker_layer(w, NULL, parent, SW_REF_DESC(.description = "test"), &x.layer));
        ok(sw_layer_write(x.layer, NULL, &x.ops, &x.w));
        ok(x.ops->mkdir(x.w, "", &dir_meta));
        return x;
}

static sw_ref *
end(struct writing *x)
{
        sw_ref *ref = NULL;

        ok(x->ops->finish(x->w));
        ok(sw_layer_commit(x->layer, NULL, &ref));
        return ref;
}

static sw_ref *
make_base(void)
{
        struct writing x = begin(NULL);
        char path[64];

        for (int d = 0; d < DIRS; d++) {
                (void) snprintf(path, sizeof(path), "d%d", d);
                ok(x.ops->mkdir(x.w, path, &dir_meta));
                for (int f = 0; f < FILES; f++) {
                        (void) snprintf(path, sizeof(path), "d%d/f%d", d, f);
                        ok(x.ops->data(x.w, path, &file_meta, path, strlen(path)));
                }
        }
        return end(&x);
}

/* Something else at d/f, or of d. */
static void
change(struct writing *x, unsigned kind, const char *in, const char *path, int step)
{
        const struct sw_layer_meta other = { .mode = 0600, .uid = 7, .mtime = 5 };
        char text[80], link[8];

        (void) snprintf(link, sizeof(link), "f%d", step % FILES);
        switch (kind) {
        case 0: ok(x->ops->whiteout(x->w, path)); break;
        case 1: ok(x->ops->symlink(x->w, path, &file_meta, link)); break;
        case 2: /* a directory, perhaps over one */
                ok(x->ops->mkdir(x->w, path, &dir_meta));
                (void) snprintf(text, sizeof(text), "%s/in%d", path, step);
                ok(x->ops->data(x->w, text, &file_meta, "x", 1));
                break;
        case 3: /* all of it goes */
                ok(x->ops->opaque(x->w, in));
                ok(x->ops->data(x->w, path, &file_meta, "alone", 5));
                break;
        case 4: ok(x->ops->xattr(x->w, in, "user.step", link, strlen(link))); break;
        case 5: ok(x->ops->node(x->w, path, &other, S_IFIFO, 0)); break;
        default:
                (void) snprintf(text, sizeof(text), "%s of %d", path, step);
                ok(x->ops->data(x->w, path, step % 2 ? &other : &file_meta, text,
                                strlen(text)));
        }
}

static sw_ref *
random_layer(sw_ref *parent, unsigned *seed, int step)
{
        struct writing x = begin(parent);
        const struct sw_layer_meta closed = { .mode = 0700, .mtime = 7 };
        char in[16], path[32];
        int n = 1 + rand_r(seed) % 2;

        for (int i = 0; i < n; i++) {
                int d = i * (DIRS / 2) + rand_r(seed) % (DIRS / 2);

                (void) snprintf(in, sizeof(in), "d%d", d);
                (void) snprintf(path, sizeof(path), "d%d/f%d", d, rand_r(seed) % FILES);
                ok(x.ops->mkdir(x.w, in, rand_r(seed) % 4 ? &dir_meta : &closed));
                change(&x, (unsigned) rand_r(seed) % 9, in, path, step);
        }
        return end(&x);
}

/* ---- digests ---- */

static const struct sw_hash_select selections[] = {
        { .path = "/" },
        { .path = "/d3" },
        { .path = "/d*/f1*", .wildcard = true },
        { .path = "/d7/" },
};
#define N_SELECTIONS (sizeof(selections) / sizeof(*selections))

static sw_digest
digest(sw_worker *worker, sw_ref *ref)
{
        sw_digest d;

        ok(sw__contenthash_key(worker, NULL, ref, selections, N_SELECTIONS, &d));
        return d;
}

/* Of the same tree, read as a whole by somebody who knows nothing of it. */
static sw_digest
digest_anew(sw_ref *ref)
{
        sw_tree *tree = NULL;

        ok(sw_ref_open(NULL, ref, &tree));
        int fd = openat(sw_tree_fd(tree), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        sw_ref *view = sw_ref_new_dir("view", fd);
        sw_digest d = digest(NULL, view);
        sw_ref_unref(view);
        ok(sw_tree_close(tree));
        return d;
}

START_TEST(layers_change_what_they_change)
{
        const char *given = getenv("SEED");
        unsigned seed = given ? (unsigned) atoi(given) : (unsigned) sw_time_now();
        sw_ref *ref = make_base();

        printf("# SEED=%u\n", seed);
        (void) digest(w, ref);
        for (int i = 0; i < STEPS; i++) {
                sw_ref *next = random_layer(ref, &seed, i);
                /* now and then nobody asks, and two layers are told at once */
                if (i % 3) {
                        sw_digest kept = digest(w, next), anew = digest_anew(next);

                        ck_assert_msg(sw_digest_eq(&kept, &anew), "layer %d", i);
                }
                sw_ref_unref(ref);
                ref = next;
                if (i % 7 == 6) { /* what is in memory goes */
                        sw_auto(sw_str) id = sw_strdup(sw_ref_id(ref));

                        sw_ref_unref(ref);
                        reopen();
                        ok(sw_worker_load(w, NULL, id, &ref));
                }
        }
        sw_ref_unref(ref);
}
END_TEST

/* ---- files ---- */

static char *
path_of_hashes(const char *id)
{
        return sw_asprintf("%s/hashes/%s", dir, id);
}

/* A file of the layer, behind everybody's back. */
static void
tamper(const char *id)
{
        sw_auto(sw_str) command = sw_asprintf("f=$(find %s/snapshots -path '*%s*/d1/f1') "
                                              "&& [ -n \"$f\" ] && echo tampered >\"$f\"",
                                              dir, id);

        ck_assert_int_eq(system(command), 0);
}

START_TEST(another_process_reads_no_file)
{
        sw_ref *ref = make_base();
        sw_digest was = digest(w, ref), is;

        sw_auto(sw_str) base_id = sw_strdup(sw_ref_id(ref));
        sw_ref_unref(ref);
        tamper(base_id);
        reopen();
        ok(sw_worker_load(w, NULL, base_id, &ref));
        is = digest(w, ref);
        ck_assert(sw_digest_eq(&was, &is));
        is = digest_anew(ref); /* so the file was changed */
        ck_assert(!sw_digest_eq(&was, &is));
        sw_ref_unref(ref);

        /* one damaged byte: all of it is read again */
        sw_auto(sw_str) path = path_of_hashes(base_id);
        sw_auto(sw_fd) fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, "\x55", 1, 200), 1);
        reopen();
        ok(sw_worker_load(w, NULL, base_id, &ref));
        is = digest(w, ref);
        ck_assert(!sw_digest_eq(&was, &is));
        sw_ref_unref(ref);
}
END_TEST

START_TEST(hashes_go_with_their_ref)
{
        sw_ref *ref = make_base();
        sw_auto(sw_str) path = path_of_hashes(sw_ref_id(ref));
        const struct sw_prune_opts all = { .all = true };

        (void) digest(w, ref);
        ck_assert_int_eq(access(path, F_OK), 0);
        sw_ref_unref(ref);
        sw__worker_let_go(w);
        ok(sw__worker_prune(w, NULL, &all, NULL, NULL));
        ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(files_are_looked_through)
{
        sw_ref *ref = make_base();
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct sw__htree *t;

        (void) digest(w, ref);
        sw__hpack(sw__ref_attached(ref), &b);
        t = sw__htree_new(NULL);
        ck_assert(sw__hunpack(t, b.data, b.len));
        ck_assert_uint_eq(t->n_hashed, DIRS * (FILES + 1) + 1);
        sw__htree_free(t);
        for (size_t cut = 0; cut < b.len; cut += 1 + cut / 50) {
                t = sw__htree_new(NULL);
                ck_assert(!sw__hunpack(t, b.data, cut));
                sw__htree_free(t);
        }
        sw_ref_unref(ref);
}
END_TEST

UNIT_MAIN_WITH("kept hashes", before, after, layers_change_what_they_change,
               another_process_reads_no_file, hashes_go_with_their_ref,
               files_are_looked_through)
