/*
 * Images: names that keep manifests, trees and blobs; and what blobs count as and when they
 * go.
 */
#include "core/store/images.h"
#include "tests/unit/core/store/lazytool.h"

/* An image of the tree @r, whose manifest is @manifest. */
static void
put_image(const char *name, const char *manifest, sw_ref *r)
{
        const struct sw_image i = {
                .size = sizeof(i),
                .name = name,
                .media_type = "application/vnd.oci.image.manifest.v1+json",
                .digest = put_blob(w, manifest),
                .len = (int64_t) strlen(manifest),
                .created = 1000,
        };
        const sw_digest config = put_blob(w, "config");

        ok(sw_images_put(w, NULL, &i, &config, 1, &r, 1));
}

static size_t
count_images(void)
{
        struct sw_image_list l;

        ok(sw_images_list(w, NULL, &l));
        const size_t n = l.n;
        sw_image_list_release(&l);
        return n;
}

struct sums {
        int64_t all, content;
        int refs, shared;
        int64_t largest;
};

static bool
add_sum(void *arg, const struct sw_usage *u)
{
        struct sums *s = arg;
        const bool ref = strlen(u->id) == SW_ID_LEN;

        s->all += u->size;
        s->refs += ref;
        s->shared += u->shared;
        if (strcmp(u->id, "content") == 0)
                s->content = u->size;
        if (ref && u->size > s->largest)
                s->largest = u->size;
        return true;
}

static struct sums
sums(void)
{
        struct sums s = { 0 };

        ok(sw__worker_usage(w, NULL, NULL, 0, add_sum, &s));
        return s;
}

static int64_t
du(void)
{
        sw_auto(sw_str) cmd = sw_asprintf("du -s --block-size=1 %s", dir);
        FILE *p = popen(cmd, "r");
        long long n = -1;

        ck_assert_int_eq(fscanf(p, "%lld", &n), 1);
        pclose(p);
        return n;
}

/* What is put is told again, by name and in order, also by the next process; putting again
 * replaces; a removed one is gone. */
START_TEST(images_are_listed)
{
        sw_ref *r = make(NULL, "one");
        struct sw_image_list l;

        put_image("b:1", "manifest", r);
        put_image("a:1", "manifest", r);
        put_image("b:1", "another", r);
        sw_ref_unref(r);
        reopen();
        ok(sw_images_list(w, NULL, &l));
        ck_assert_uint_eq(l.n, 2);
        ck_assert_str_eq(l.v[0].name, "a:1");
        ck_assert_str_eq(l.v[1].name, "b:1");
        ck_assert_int_eq(l.v[1].len, 7);
        ck_assert_int_eq(l.v[1].created, 1000);
        ck_assert_int_gt(l.v[1].updated, 1000);
        ck_assert_str_eq(l.v[1].media_type, "application/vnd.oci.image.manifest.v1+json");
        sw_image_list_release(&l);
        ok(sw_images_get(w, NULL, "a:1", &l));
        ck_assert_uint_eq(l.n, 1);
        sw_image_list_release(&l);
        ok(sw_images_get(w, NULL, "c:1", &l));
        ck_assert_uint_eq(l.n, 0);
        sw_image_list_release(&l);
        ok(sw__image_retag(w, NULL, "a:1", "c:1"));
        ok(sw_images_remove(w, NULL, "a:1"));
        fails(sw_images_remove(w, NULL, "a:1"), SW_E_NOT_FOUND, "a:1");
        fails(sw__image_retag(w, NULL, "a:1", "d:1"), SW_E_NOT_FOUND, "a:1");
        ck_assert_uint_eq(count_images(), 2);
}
END_TEST

START_TEST(what_is_no_image_is_refused)
{
        struct sw_image i = { .size = sizeof(i), .name = "a", .len = 3 };
        sw_auto(sw_str) longest = sw_asprintf("%*s", 401, "");
        int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_ref *r = sw_ref_new_dir("elsewhere", fd);
        const sw_digest none = lazy_digest("none");

        memset(longest, 'x', 401);
        fails(sw_images_put(w, NULL, &i, NULL, 0, NULL, 0), SW_E_NOT_FOUND, "image a");
        i.digest = put_blob(w, "four");
        fails(sw_images_put(w, NULL, &i, NULL, 0, NULL, 0), SW_E_INVALID, "4 bytes");
        i.len = 4;
        fails(sw_images_put(w, NULL, &i, &none, 1, NULL, 0), SW_E_NOT_FOUND, "sha256");
        fails(sw_images_put(w, NULL, &i, NULL, 0, &r, 1), SW_E_UNSUPPORTED, "elsewhere");
        i.name = "a b";
        fails(sw_images_put(w, NULL, &i, NULL, 0, NULL, 0), SW_E_INVALID, "blank");
        i.name = longest;
        fails(sw_images_put(w, NULL, &i, NULL, 0, NULL, 0), SW_E_INVALID, "400");
        ck_assert_uint_eq(count_images(), 0);
        sw_ref_unref(r);
}
END_TEST

/* Prune leaves what an image needs, whatever it is asked; after the image was removed it
 * all goes. */
START_TEST(an_image_keeps_what_it_needs)
{
        struct sw_blob b = blob_of("layer", "tar");
        sw_ref *a = make(NULL, "a"), *r = make(a, "b"), *other = make(a, "c");
        const sw_digest manifest = lazy_digest("manifest"), config = lazy_digest("config");
        sw_chain *c;

        put_blob(w, "layer");
        ok(sw_ref_chain(w, NULL, r, &c));
        ok(sw_chain_add_blob(c, NULL, 1, &b));
        sw_chain_free(c);
        put_image("app:1", "manifest", r);
        sw_ref_unref(a);
        sw_ref_unref(r);
        sw_ref_unref(other);
        reopen();
        ck_assert_int_eq(sums().shared, 2);
        prune_everything();
        prune_everything();
        ck_assert_int_eq(sums().refs, 2);
        ck_assert(has_blob(&manifest) && has_blob(&config) && has_blob(&b.digest));
        ck_assert_int_eq(fake_layers(dir), 2);
        ok(sw_images_remove(w, NULL, "app:1"));
        prune_everything();
        ck_assert_int_eq(sums().refs, 0);
        ck_assert(!has_blob(&manifest) && !has_blob(&config) && !has_blob(&b.digest));
}
END_TEST

/* The blobs of an image's layers stay with it when its trees are lost. */
START_TEST(blobs_of_layers_are_kept)
{
        struct sw_blob b = blob_of("layer", "tar");
        sw_ref *r;
        sw_chain *c;

        sw__root_close(root);
        root = fake_root_at(dir, &fake, "boot-1");
        w = sw__root_worker(root);
        r = make(NULL, "a");
        put_blob(w, "layer");
        ok(sw_ref_chain(w, NULL, r, &c));
        ok(sw_chain_add_blob(c, NULL, 0, &b));
        sw_chain_free(c);
        put_image("app:1", "manifest", r);
        sw_ref_unref(r);
        sw__root_close(root);
        root = fake_root_at(dir, &fake, "boot-2");
        w = sw__root_worker(root);
        prune_everything();
        ck_assert_int_eq(sums().refs, 0);
        ck_assert_uint_eq(count_images(), 1);
        ck_assert(has_blob(&b.digest));
}
END_TEST

/* A damaged image is as if it were not there, and keeps nothing. */
START_TEST(a_damaged_image_keeps_nothing)
{
        const sw_digest manifest = lazy_digest("manifest");
        sw_ref *r = make(NULL, "a");
        sw_meta *meta = sw__root_meta(root);
        MDB_val k = { 5, (void *) "app:1" }, v = { 3, (void *) "\xff\xff\xff" };
        MDB_txn *txn;

        put_image("app:1", "manifest", r);
        sw_ref_unref(r);
        ck_assert_int_eq(mdb_txn_begin(sw__meta_env(meta), NULL, 0, &txn), 0);
        ck_assert_int_eq(mdb_put(txn, sw__meta_dbi(meta, SW_META_IMAGES), &k, &v, 0), 0);
        ck_assert_int_eq(mdb_txn_commit(txn), 0);
        reopen();
        ck_assert_uint_eq(count_images(), 0);
        prune_everything();
        ck_assert_int_eq(sums().refs, 0);
        ck_assert(!has_blob(&manifest));
}
END_TEST

/* ---- blobs in disk usage ---- */

static char *
big_text(char fill)
{
        char *text = sw_alloc(50001);

        memset(text, fill, 50000);
        return text;
}

/* A layer whose blob is @text. */
static sw_ref *
make_with_blob(sw_ref *parent, const char *name, const char *text)
{
        struct sw_blob b = blob_of(text, name);
        sw_ref *r = make(parent, name);
        sw_chain *c;

        put_blob(w, text);
        ok(sw_ref_chain(w, NULL, r, &c));
        ok(sw_chain_add_blob(c, NULL, sw_chain_count(c) - 1, &b));
        sw_chain_free(c);
        return r;
}

/* A blob counts with the first layer that has it, once; the sum is what du says. */
START_TEST(blobs_count_with_layers)
{
        sw_auto(sw_str) text = big_text('x'), loose = big_text('y');
        sw_ref *a = make_with_blob(NULL, "tar", text),
               *b = make_with_blob(NULL, "tar", text);

        put_blob(w, loose);
        sw_ref_unref(a);
        sw_ref_unref(b);
        fake.du = true;
        lazy_reopen();
        fake.du = true;
        (void) sums(); /* sizes are remembered */
        struct sums s = sums();
        ck_assert_int_eq(s.all, du());
        ck_assert_int_ge(s.largest, 50000);
        ck_assert_int_lt(s.largest, 100000);
        ck_assert_int_ge(s.content, 50000);
        ck_assert_int_lt(s.content, 100000);
}
END_TEST

static bool
add_size(void *arg, const struct sw_usage *u)
{
        *(int64_t *) arg += u->size;
        return true;
}

/* Removing one of two layers with a blob frees the layer; removing the other one the blob,
 * too. What is told to be freed is what du says. */
START_TEST(a_blob_goes_with_the_last_layer)
{
        sw_auto(sw_str) text = big_text('x');
        sw_ref *a = make_with_blob(NULL, "tar", text),
               *b = make_with_blob(NULL, "tar", text);
        sw_auto(sw_str) ida = sw_strdup(sw_ref_id(a));
        const sw_digest d = lazy_digest(text);

        sw_ref_unref(a);
        sw_ref_unref(b);
        lazy_reopen();
        for (int i = 0; i < 2; i++) {
                sw_auto(sw_strlist) exprs = { 0 };
                sw_autoptr(sw_filter) filter = NULL;
                int64_t freed = 0;

                sw_strlist_take(&exprs, sw_asprintf("id%s%s", i ? "!=" : "==", ida));
                ok(sw__filter_new(&exprs, &filter));
                const struct sw_prune_opts o = { .filter = filter };
                ok(sw__worker_prune(w, NULL, &o, add_size, &freed));
                ck_assert_int_eq(has_blob(&d), i == 0);
                if (i == 0)
                        ck_assert_int_lt(freed, 50000);
                else
                        ck_assert_int_ge(freed, 50000);
        }
}
END_TEST

/* Without --all, and without a filter or a limit, blobs that nobody names go; with one of
 * them they stay. */
START_TEST(loose_blobs_go)
{
        const sw_digest d = lazy_digest("loose");
        sw_auto(sw_strlist) exprs = { 0 };
        sw_autoptr(sw_filter) filter = NULL;
        const struct sw_prune_opts plain = { 0 },
                                   young = { .keep_duration = 3600000000000 };
        struct sw_prune_opts filtered = { 0 };

        sw_strlist_add(&exprs, "id==nosuch");
        ok(sw__filter_new(&exprs, &filter));
        filtered.filter = filter;
        put_blob(w, "loose");
        ok(sw__worker_prune(w, NULL, &plain, NULL, NULL));
        ck_assert(has_blob(&d)); /* ours */
        reopen();
        ok(sw__worker_prune(w, NULL, &filtered, NULL, NULL));
        ok(sw__worker_prune(w, NULL, &young, NULL, NULL));
        ck_assert(has_blob(&d));
        ok(sw__worker_prune(w, NULL, &plain, NULL, NULL));
        ck_assert(!has_blob(&d));
}
END_TEST

/* Lazy layers are records like others: they take up nothing, and go. */
START_TEST(lazy_layers_go)
{
        sw_ref_unref(lazy_chain(3, ""));
        lazy_reopen();
        ck_assert_int_eq(sums().refs, 3);
        ck_assert_int_eq(sums().largest, 0);
        const struct sw_prune_opts plain = { 0 };
        ok(sw__worker_prune(w, NULL, &plain, NULL, NULL));
        ck_assert_int_eq(sums().refs, 0);
        sw_ref *r = lazy_chain(1, "");
        ok(sw_ref_ready(w, NULL, r));
        ck_assert_int_eq(sums().largest, 1000);
        sw_ref_unref(r);
}
END_TEST

UNIT_MAIN_WITH("images", lazy_before, lazy_after, images_are_listed,
               what_is_no_image_is_refused, an_image_keeps_what_it_needs,
               blobs_of_layers_are_kept, a_damaged_image_keeps_nothing,
               blobs_count_with_layers, a_blob_goes_with_the_last_layer, loose_blobs_go,
               lazy_layers_go)
