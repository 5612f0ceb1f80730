/*
 * The layers of a tree with their blobs: what is said of them, what is kept for them, and
 * by which names they are found.
 */
#include "tests/unit/core/store/blobtool.h"

static sw_chain *
chain_of(sw_ref *r)
{
        sw_chain *c;

        ok(sw_ref_chain(w, NULL, r, &c));
        return c;
}

static void
add(sw_ref *r, size_t i, const struct sw_blob *b)
{
        sw_chain *c = chain_of(r);

        ok(sw_chain_add_blob(c, NULL, i, b));
        sw_chain_free(c);
}

/* A layer that was made here has no diff id; a blob that is added gives it one, with all
 * that was said, and is there after the process has gone. */
START_TEST(a_blob_is_remembered)
{
        static const struct sw_attr notes[] = { { "a", "1" }, { "b", "" } };
        struct sw_blob b = blob_of("packed", "tar");
        sw_ref *r = make(NULL, "one");
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(r));
        sw_chain *c = chain_of(r);

        ck_assert_uint_eq(sw_chain_count(c), 1);
        ck_assert(!sw_chain_get(c, 0)->has_diff_id && !sw_chain_get(c, 0)->n_blobs);
        ck_assert_str_eq(sw_chain_get(c, 0)->description, "one");
        put_blob(w, "packed");
        b.annotations = notes;
        b.n_annotations = 2;
        ok(sw_chain_add_blob(c, NULL, 0, &b));
        sw_chain_free(c);
        sw_ref_unref(r);
        reopen();
        ok(sw_worker_load(w, NULL, id, &r));
        c = chain_of(r);
        const struct sw_chain_layer *l = sw_chain_get(c, 0);
        ck_assert(l->has_diff_id && !l->lazy && sw_digest_eq(&l->diff_id, &b.diff_id));
        ck_assert_uint_eq(l->n_blobs, 1);
        ck_assert(sw_digest_eq(&l->blobs[0].digest, &b.digest));
        ck_assert_int_eq(l->blobs[0].len, 6);
        ck_assert_str_eq(l->blobs[0].media_type, b.media_type);
        ck_assert_uint_eq(l->blobs[0].n_annotations, 2);
        ck_assert_str_eq(l->blobs[0].annotations[1].key, "b");
        ck_assert_ptr_null(l->blobs[0].origin);
        int fd;
        ok(sw_chain_blob_open(c, NULL, 0, &b.digest, &fd));
        close(fd);
        sw_chain_free(c);
        sw_ref_unref(r);
}
END_TEST

/* Forms of one layer are told in the order they came; what contradicts is refused, and so
 * is a blob that is not here. */
START_TEST(forms_agree)
{
        struct sw_blob b1 = blob_of("gzip", "tar"), b2 = blob_of("zstd", "tar");
        struct sw_blob other = blob_of("zstd", "another tar"), longer = b2;
        sw_ref *r = make(NULL, "one");

        put_blob(w, "gzip");
        add(r, 0, &b1);
        sw_chain *c = chain_of(r);
        fails(sw_chain_add_blob(c, NULL, 0, &b2), SW_E_NOT_FOUND, "sha256:");
        put_blob(w, "zstd");
        fails(sw_chain_add_blob(c, NULL, 0, &other), SW_E_INVALID, "diff id");
        longer.len++;
        fails(sw_chain_add_blob(c, NULL, 0, &longer), SW_E_INVALID, "bytes");
        ok(sw_chain_add_blob(c, NULL, 0, &b2));
        ok(sw_chain_add_blob(c, NULL, 0, &b1));
        sw_chain_free(c);
        c = chain_of(r);
        ck_assert_uint_eq(sw_chain_get(c, 0)->n_blobs, 2);
        ck_assert(sw_digest_eq(&sw_chain_get(c, 0)->blobs[0].digest, &b1.digest));
        sw_chain_free(c);
        sw_ref_unref(r);
}
END_TEST

/* What is learnt of a form later is kept with what was known: would catch annotations that
 * are lost, doubled, or forgotten when the store is opened again. */
START_TEST(more_is_said_of_a_form)
{
        static const struct sw_attr first[] = { { "b", "1" }, { "d", "2" } };
        static const struct sw_attr more[] = { { "a", "3" }, { "b", "4" }, { "c", "5" } };
        struct sw_blob b = blob_of("gzip", "tar");
        sw_ref *r = make(NULL, "one");
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(r));
        sw_auto(sw_buf) seen = SW_BUF_INIT;

        put_blob(w, "gzip");
        b.annotations = first;
        b.n_annotations = SW_COUNT(first);
        add(r, 0, &b);
        b.annotations = more;
        b.n_annotations = SW_COUNT(more);
        add(r, 0, &b);
        b.n_annotations = 0;
        add(r, 0, &b);
        sw_ref_unref(r);
        reopen();
        ok(sw_worker_load(w, NULL, id, &r));
        sw_chain *c = chain_of(r);
        const struct sw_blob *kept = &sw_chain_get(c, 0)->blobs[0];
        for (size_t i = 0; i < kept->n_annotations; i++)
                sw_buf_addf(&seen, "%s%s ", kept->annotations[i].key,
                            kept->annotations[i].value);
        ck_assert_str_eq(seen.data, "a3 b4 c5 d2 ");
        ck_assert_uint_eq(sw_chain_get(c, 0)->n_blobs, 1);
        sw_chain_free(c);
        sw_ref_unref(r);
}
END_TEST

/* A hostile description of a blob is refused with a reason. */
START_TEST(what_cannot_be_stored_is_refused)
{
        struct sw_attr note = { "k", "\xff" };
        sw_auto(sw_str) big = sw_asprintf("%*s", 70000, "");
        struct sw_blob b = blob_of("packed", "tar");
        sw_ref *r = make(NULL, "one");
        sw_chain *c = chain_of(r);

        put_blob(w, "packed");
        b.annotations = &note;
        b.n_annotations = 1;
        fails(sw_chain_add_blob(c, NULL, 0, &b), SW_E_INVALID, "UTF-8");
        note.value = big;
        fails(sw_chain_add_blob(c, NULL, 0, &b), SW_E_LIMIT, "annotation");
        b.n_annotations = 0;
        b.media_type = big;
        fails(sw_chain_add_blob(c, NULL, 0, &b), SW_E_LIMIT, "media type");
        sw_chain_free(c);
        sw_ref_unref(r);
}
END_TEST

static void
found(const char *name, sw_ref *want)
{
        sw_ref *r;

        ok(sw_worker_find(w, NULL, name, &r));
        if (want) {
                ck_assert_ptr_nonnull(r);
                ck_assert_str_eq(sw_ref_id(r), sw_ref_id(want));
        } else {
                ck_assert_ptr_null(r);
        }
        sw_ref_unref(r);
}

/* Layers are found by chain ids once all below them have diff ids, in whatever order those
 * were told; a merge is found as a whole. */
START_TEST(chains_are_found)
{
        static const char *const tars[] = { "ta", "tb", "tc" };
        struct sw_blob ba = blob_of("pa", "ta"), bb = blob_of("pb", "tb"),
                       bc = blob_of("pc", "tc");
        sw_ref *a = make(NULL, "a"), *b = make(a, "b"), *c = make(NULL, "c"), *m;
        sw_ref *parts[] = { b, c };
        char name[96];

        put_blob(w, "pa");
        put_blob(w, "pb");
        put_blob(w, "pc");
        ok(sw_worker_merge(w, NULL, parts, 2, NULL, &m));
        add(m, 1, &bb);
        found(chain_name(name, 2, tars), NULL);
        add(m, 2, &bc);
        add(m, 0, &ba);
        found(chain_name(name, 1, tars), a);
        found(chain_name(name, 2, tars), b);
        found(chain_name(name, 3, tars), m);
        found(chain_name(name, 1, tars + 2), NULL);
        sw_ref_unref(a);
        sw_ref_unref(b);
        sw_ref_unref(c);
        sw_ref_unref(m);
}
END_TEST

/* A layer of a merge is told as a change of what it was made on, not of what stands below
 * it there: the blob that comes of it is kept with the layer. */
START_TEST(a_layer_is_told_by_itself)
{
        sw_ref *a = make(NULL, "a"), *c = make(NULL, "c"), *m;
        sw_ref *parts[] = { a, c };

        ok(sw_worker_merge(w, NULL, parts, 2, NULL, &m));
        sw_chain *chain = chain_of(m);
        ck_assert_uint_eq(sw_chain_count(chain), 2);
        sw_layer *l;
        const struct sw_layer_ops *ops;
        void *writer;
        ok(sw_worker_layer(w, NULL, NULL, NULL, &l));
        ok(sw_layer_write(l, NULL, &ops, &writer));
        fake.lower_seen = 99;
        ok(sw_chain_tell(chain, NULL, 1, ops, writer));
        ck_assert_uint_eq(fake.lower_seen, 0);
        ok(ops->finish(writer));
        sw_layer_abandon(l);
        sw_chain_free(chain);
        sw_ref_unref(a);
        sw_ref_unref(c);
        sw_ref_unref(m);
}
END_TEST

/* What a process brought in stays while it lives, and no longer when nobody names it. */
START_TEST(what_nobody_names_goes_with_its_process)
{
        const sw_digest loose = put_blob(w, "loose"), named = put_blob(w, "named");
        struct sw_blob b = blob_of("named", "tar");
        sw_ref *r = make(NULL, "one");
        sw_auto(sw_str) id = sw_strdup(sw_ref_id(r));

        add(r, 0, &b);
        prune_everything();
        ck_assert(has_blob(&loose) && has_blob(&named));
        sw_ref_unref(r);
        reopen();
        put_blob(w, "loose");                /* there already, and wanted again */
        ok(sw_worker_load(w, NULL, id, &r)); /* or it would be pruned itself */
        prune_everything();
        ck_assert(has_blob(&loose) && has_blob(&named));
        sw_ref_unref(r);
        reopen();
        ok(sw_worker_load(w, NULL, id, &r));
        prune_everything();
        ck_assert(!has_blob(&loose) && has_blob(&named));
        sw_ref_unref(r);
        tool_settle();
        prune_everything();
        prune_everything();
        ck_assert(!has_blob(&named));
}
END_TEST

/* Nothing has no layers; a directory of somebody else's is no chain. */
START_TEST(only_stored_trees_have_chains)
{
        int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_ref *r = sw_ref_new_dir("elsewhere", fd);
        sw_chain *c = chain_of(NULL);

        ck_assert_uint_eq(sw_chain_count(c), 0);
        sw_chain_free(c);
        fails(sw_ref_chain(w, NULL, r, &c), SW_E_UNSUPPORTED, "elsewhere");
        sw_ref_unref(r);
}
END_TEST

UNIT_MAIN_WITH("chain", before, after, a_blob_is_remembered, forms_agree,
               more_is_said_of_a_form, what_cannot_be_stored_is_refused, chains_are_found,
               a_layer_is_told_by_itself, what_nobody_names_goes_with_its_process,
               only_stored_trees_have_chains)
