/*
 * lib/imageexport: attributes and annotations. Would catch one that is taken for another,
 * a value that is wrong and taken, and an annotation that ends up elsewhere.
 */
#include "lib/imageexport/imageexport_priv.h"
#include "tests/unit/unit.h"

static const struct {
        const char *key, *value;
        int code; /* 0: fine */
        bool known;
        const char *part;
} attrs[] = {
        { "name", "a,host:5000/b:c", 0, true, "" },
        { "name", "*", 0, true, "" },
        { "name", "a,B", SW_E_INVALID, true, "invalid reference format" },
        { "compression", "zstd", 0, true, "" },
        { "compression", "lz4", SW_E_INVALID, true, "unsupported compression type lz4" },
        { "compression-level", "22", 0, true, "" },
        { "compression-level", "high", SW_E_INVALID, true, "compression-level" },
        { "compression-level", "23", SW_E_INVALID, true, "compression-level" },
        { "force-compression", "", 0, true, "" },
        { "force-compression", "yes", SW_E_INVALID, true,
          "non-bool value specified for force-compression" },
        { "oci-mediatypes", "f", 0, true, "" },
        { "oci-artifact", "true", 0, true, "" },
        { "prefer-nondist-layers", "true", 0, true, "" },
        { "rewrite-timestamp", "true", 0, true, "" },
        { "source-date-epoch", "", 0, true, "" },
        { "source-date-epoch", "12", 0, true, "" },
        { "source-date-epoch", "-1", SW_E_INVALID, true, "invalid source-date-epoch" },
        { "attestation-inline", "false", 0, true, "" },
        { "attest:sbom", "", SW_E_UNSUPPORTED, true, "attestations" },
        { "containerimage.config", "{}", 0, true, "" },
        { "annotation.k", "v", 0, true, "" },
        { "annotation-layer.k", "v", SW_E_INVALID, true,
          "unrecognized annotation type layer" },
        { "annotation", "v", 0, false, "" },
        { "annotations.k", "v", 0, false, "" },
        { "push", "true", 0, false, "" },
        { "", "", 0, false, "" },
};

START_TEST(attributes)
{
        const struct sw_attr a = { attrs[_i].key, attrs[_i].value };
        struct sw_imageexport e;
        bool known = false;

        sw_imageexport_init(&e);
        if (attrs[_i].code) {
                fails(sw_imageexport_attr(NULL, &e, &a, &known), attrs[_i].code,
                      attrs[_i].part);
        } else {
                ok(sw_imageexport_attr(NULL, &e, &a, &known));
                ck_assert_int_eq(known, attrs[_i].known);
        }
        sw_imageexport_release(&e);
}
END_TEST

static const struct {
        const char *key;
        bool is;
        int type;
        const char *platform, *name;
} keys[] = {
        { "annotation.a", true, NOTE_MANIFEST, NULL, "a" },
        { "annotation.a.b/c=d", true, NOTE_MANIFEST, NULL, "a.b/c=d" },
        { "annotation-manifest.a", true, NOTE_MANIFEST, NULL, "a" },
        { "annotation-manifest-descriptor.a", true, NOTE_MANIFEST_DESC, NULL, "a" },
        { "annotation-index.a", true, NOTE_INDEX, NULL, "a" },
        { "annotation-index-descriptor.a", true, NOTE_INDEX_DESC, NULL, "a" },
        { "annotation[linux/amd64].a", true, NOTE_MANIFEST, "linux/amd64", "a" },
        { "annotation-manifest-descriptor[linux/arm].a", true, NOTE_MANIFEST_DESC,
          "linux/arm/v7", "a" },
        { "annotation[linux/amd64]a", false, 0, NULL, NULL },
        { "annotation[linux/amd64.a", false, 0, NULL, NULL },
        { "annotation[].a", false, 0, NULL, NULL },
        { "annotation-.a", false, 0, NULL, NULL },
        { "annotation.", false, 0, NULL, NULL },
        { "annotation.a b", false, 0, NULL, NULL },
        { "annotation", false, 0, NULL, NULL },
        { "x.annotation.a", false, 0, NULL, NULL },
};

START_TEST(annotations)
{
        const struct sw_attr a = { keys[_i].key, "value" };
        struct note n = { .platform = NULL };
        bool is = !keys[_i].is;

        ok(note_parse(&a, &is, &n));
        ck_assert_int_eq(is, keys[_i].is);
        if (is) {
                ck_assert_int_eq((int) n.type, keys[_i].type);
                ck_assert_pstr_eq(n.platform, keys[_i].platform);
                ck_assert_str_eq(n.key, keys[_i].name);
                ck_assert_str_eq(n.value, "value");
        }
        free(n.platform);
}
END_TEST

/* Two platforms, with annotations for all and for one. */
START_TEST(annotations_of_platforms)
{
        struct sw_made_image images[2] = { { .platform = (char[]){ "linux/amd64" } },
                                           { .platform = (char[]){ "linux/arm64" } } };
        struct sw_made made = { .is_index = true };
        const struct sw_attr attrs_[] = {
                { "annotation[linux/arm64].k", "arm" },
                { "annotation.k", "all" },
                { "annotation.l", "said" },
                { "annotation-index.i", "index" },
        };
        const struct sw_attr meta[] = { { "annotation.l", "frontend" } };
        const struct sw_export_ref refs[2] = {
                { .platform = "linux/amd64", .meta = meta, .n_meta = 1 },
                { .platform = "linux/arm64" }
        };
        const struct sw_export_request req = {
                .refs = refs, .n_refs = 2, .attrs = attrs_, .n_attrs = SW_COUNT(attrs_)
        };
        struct sw_imageexport e;
        sw_pairs amd = { 0 }, arm = { 0 }, index = { 0 };
        notes n = { 0 };

        sw_imageexport_init(&e);
        made.images.v = images;
        made.images.n = 2;
        ok(notes_collect(&req, &e, &made, &n));
        notes_apply(&n, NOTE_MANIFEST, "linux/amd64", &amd);
        notes_apply(&n, NOTE_MANIFEST, "linux/arm64", &arm);
        notes_apply(&n, NOTE_INDEX, NULL, &index);
        ck_assert_str_eq(sw_pairs_get(&amd, "k"), "all");
        ck_assert_str_eq(sw_pairs_get(&arm, "k"), "arm");
        ck_assert_str_eq(sw_pairs_get(&arm, "l"), "frontend");
        ck_assert_uint_eq(index.n, 1);
        notes_release(&n);
        /* what cannot be */
        made.is_index = false;
        fails(notes_collect(&req, &e, &made, &n), SW_E_INVALID, "index annotations");
        notes_release(&n);
        made.is_index = true;
        made.images.n = 1;
        fails(notes_collect(&req, &e, &made, &n), SW_E_INVALID,
              "no platform linux/arm64 found");
        notes_release(&n);
        made.images.n = 2;
        e.docker_types = true;
        fails(notes_collect(&req, &e, &made, &n), SW_E_INVALID, "oci-mediatypes=false");
        notes_release(&n);
        sw_pairs_release(&amd);
        sw_pairs_release(&arm);
        sw_pairs_release(&index);
}
END_TEST

/* Of a platform before that of all; the request before the frontend. */
START_TEST(metadata)
{
        const struct sw_attr attrs_[] = { { "image.name", "asked" } };
        const struct sw_attr meta[] = { { "containerimage.config", "all" },
                                        { "containerimage.config/linux/amd64", "own" },
                                        { "image.name", "frontend,other" } };
        const struct sw_export_ref refs[2] = {
                { .platform = "linux/amd64", .meta = meta, .n_meta = 3 },
                { .platform = "linux/arm64", .meta = meta, .n_meta = 3 },
        };
        struct sw_export_request req = { .refs = refs, .n_refs = 2 };
        struct sw_imageexport e;
        sw_auto(sw_strlist) names = { 0 };

        ck_assert_str_eq(sw_imageexport_meta(&req, 0, "containerimage.config"), "own");
        ck_assert_str_eq(sw_imageexport_meta(&req, 1, "containerimage.config"), "all");
        ck_assert_ptr_null(sw_imageexport_meta(&req, 1, "x"));
        sw_imageexport_init(&e);
        sw_imageexport_names(&e, &req, &names);
        ck_assert_uint_eq(names.n, 0);
        e.frontend_names = true;
        sw_imageexport_names(&e, &req, &names);
        ck_assert_uint_eq(names.n, 2);
        req.attrs = attrs_;
        req.n_attrs = 1;
        sw_imageexport_names(&e, &req, &names);
        ck_assert_str_eq(names.v[2], "asked");
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("attrs");
        TCase *t = tcase_create("attrs");
        SRunner *r;
        int failed;

        tcase_add_loop_test(t, attributes, 0, SW_COUNT(attrs));
        tcase_add_loop_test(t, annotations, 0, SW_COUNT(keys));
        tcase_add_test(t, annotations_of_platforms);
        tcase_add_test(t, metadata);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
