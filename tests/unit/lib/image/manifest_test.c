/* Unit tests of lib/image: media types, manifests, indexes, the choice of a platform. */
#include "lib/image/image.h"
#include "tests/unit/unit.h"

#define D1     "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2     "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define CONFIG "{\"mediaType\":\"" SW_MT_OCI_CONFIG "\",\"digest\":\"" D1 "\",\"size\":7}"
#define LAYER                                                                              \
        "{\"mediaType\":\"" SW_MT_OCI_LAYER "+gzip\",\"digest\":\"" D2 "\",\"size\":9}"
#define MANIFEST "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER "]}"
#define TYPED(t)                                                                           \
        "{\"schemaVersion\":2,\"mediaType\":\"" t "\",\"config\":" CONFIG ",\"layers\":[]" \
        "}"
#define INDEX(in) "{\"schemaVersion\":2,\"manifests\":[" in "]}"

static const struct {
        const char *type;
        enum sw_media kind;
        enum sw_packing packing;
        bool foreign;
} types[] = {
        { SW_MT_OCI_MANIFEST, SW_MEDIA_MANIFEST, SW_PACK_UNKNOWN, false },
        { SW_MT_DOCKER_MANIFEST "; charset=utf-8", SW_MEDIA_MANIFEST, SW_PACK_UNKNOWN,
          false },
        { SW_MT_OCI_INDEX, SW_MEDIA_INDEX, SW_PACK_UNKNOWN, false },
        { SW_MT_DOCKER_LIST, SW_MEDIA_INDEX, SW_PACK_UNKNOWN, false },
        { SW_MT_OCI_CONFIG, SW_MEDIA_CONFIG, SW_PACK_UNKNOWN, false },
        { SW_MT_DOCKER_CONFIG, SW_MEDIA_CONFIG, SW_PACK_UNKNOWN, false },
        { SW_MT_DOCKER_SIGNED1, SW_MEDIA_SCHEMA1, SW_PACK_UNKNOWN, false },
        { SW_MT_OCI_LAYER, SW_MEDIA_LAYER, SW_PACK_NONE, false },
        { SW_MT_OCI_LAYER "+gzip", SW_MEDIA_LAYER, SW_PACK_GZIP, false },
        { SW_MT_OCI_LAYER "+zstd", SW_MEDIA_LAYER, SW_PACK_ZSTD, false },
        { SW_MT_OCI_LAYER "+lz4", SW_MEDIA_OTHER, SW_PACK_UNKNOWN, false },
        { SW_MT_DOCKER_LAYER ".gzip", SW_MEDIA_LAYER, SW_PACK_GZIP, false },
        { "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", SW_MEDIA_LAYER,
          SW_PACK_GZIP, true },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", SW_MEDIA_LAYER,
          SW_PACK_GZIP, true },
        { "application/vnd.in-toto+json", SW_MEDIA_OTHER, SW_PACK_UNKNOWN, false },
        { "", SW_MEDIA_OTHER, SW_PACK_UNKNOWN, false },
};

/* Would catch a type that is taken for another. */
START_TEST(media_types)
{
        for (size_t i = 0; i < SW_COUNT(types); i++) {
                ck_assert_msg(sw_media_kind(types[i].type) == types[i].kind, "%s",
                              types[i].type);
                ck_assert_int_eq(sw_media_packing(types[i].type), types[i].packing);
                ck_assert_int_eq(sw_media_foreign(types[i].type), types[i].foreign);
        }
        for (int oci = 0; oci < 2; oci++)
                for (enum sw_packing p = SW_PACK_NONE; p <= SW_PACK_ZSTD; p++)
                        if (sw_media_layer(p, oci))
                                ck_assert_int_eq(sw_media_packing(sw_media_layer(p, oci)),
                                                 p);
        ck_assert_ptr_null(sw_media_layer(SW_PACK_ZSTD, false));
}
END_TEST

static const struct {
        const char *type, *doc;
        int code; /* 0: fine */
        const char *part;
} docs[] = {
        { NULL, MANIFEST, 0, SW_MT_OCI_MANIFEST },
        { "", MANIFEST, 0, SW_MT_OCI_MANIFEST },
        { SW_MT_DOCKER_MANIFEST, MANIFEST, 0, SW_MT_DOCKER_MANIFEST },
        { SW_MT_OCI_MANIFEST "; charset=utf-8", TYPED(SW_MT_OCI_MANIFEST), 0,
          SW_MT_OCI_MANIFEST },
        { "application/json", TYPED(SW_MT_DOCKER_MANIFEST), 0, SW_MT_DOCKER_MANIFEST },
        { NULL, INDEX(""), 0, SW_MT_OCI_INDEX },
        { SW_MT_DOCKER_LIST, INDEX(LAYER), 0, SW_MT_DOCKER_LIST },
        { NULL, "{\"config\":" CONFIG ",\"layers\":null,\"annotations\":{}}", 0,
          SW_MT_OCI_MANIFEST },
        /* what is in doubt */
        { SW_MT_OCI_INDEX, MANIFEST, SW_E_INVALID, "both" },
        { SW_MT_OCI_MANIFEST, INDEX(""), SW_E_INVALID, "both" },
        { NULL, "{\"config\":" CONFIG ",\"layers\":[],\"manifests\":[]}", SW_E_INVALID,
          "both" },
        { SW_MT_OCI_MANIFEST, TYPED(SW_MT_DOCKER_MANIFEST), SW_E_INVALID, "calls itself" },
        { SW_MT_OCI_LAYER, MANIFEST, SW_E_UNSUPPORTED, "neither" },
        { NULL, "{}", SW_E_UNSUPPORTED, "neither" },
        { NULL, "[]", SW_E_INVALID, "no JSON object" },
        { NULL, "", SW_E_INVALID, "line 1" },
        { NULL, "{\"a\":1,\"a\":2}", SW_E_INVALID, "line" },
        /* what is old */
        { SW_MT_DOCKER_SIGNED1, "{\"schemaVersion\":1,\"fsLayers\":[]}", SW_E_UNSUPPORTED,
          "push it again" },
        { NULL, "{\"schemaVersion\":1}", SW_E_UNSUPPORTED, "schema 1" },
        { NULL, "{\"schemaVersion\":3,\"config\":" CONFIG "}", SW_E_UNSUPPORTED, "3" },
        /* what is broken */
        { NULL, "{\"schemaVersion\":2,\"layers\":[]}", SW_E_INVALID, "no config" },
        { NULL, "{\"config\":7}", SW_E_INVALID, "config" },
        { NULL, "{\"config\":" CONFIG ",\"layers\":{}}", SW_E_INVALID, "layers" },
        { NULL, "{\"config\":" CONFIG ",\"layers\":[7]}", SW_E_INVALID, "layers[0]" },
        { NULL, "{\"config\":{\"digest\":\"" D1 "\"}}", SW_E_INVALID, "size" },
        { NULL, "{\"config\":{\"digest\":\"" D1 "\",\"size\":-1}}", SW_E_INVALID, "size" },
        { NULL, "{\"config\":{\"digest\":\"" D1 "\",\"size\":1.5}}", SW_E_INVALID, "size" },
        { NULL, "{\"config\":{\"size\":1}}", SW_E_INVALID, "digest" },
        { NULL, "{\"config\":{\"digest\":\"sha256:12\",\"size\":1}}", SW_E_INVALID,
          "digest" },
        { NULL, "{\"config\":{\"digest\":\"../../x\",\"size\":1}}", SW_E_INVALID, "" },
        { NULL, "{\"config\":{\"digest\":\"sha512:12\",\"size\":1}}", SW_E_UNSUPPORTED,
          "sha512" },
        { NULL, "{\"config\":" CONFIG ",\"annotations\":{\"a\":1}}", SW_E_INVALID,
          "annotations" },
        { NULL, "{\"config\":" CONFIG ",\"subject\":{}}", SW_E_INVALID, "subject" },
};

/* Would catch a document that others take for something else than we do, and one that is
 * used although it breaks the format. */
START_TEST(documents)
{
        sw_auto(sw_manifest) m = { .media_type = NULL };
        size_t n = strlen(docs[_i].doc);

        if (docs[_i].code) {
                fails(sw_manifest_parse(docs[_i].type, docs[_i].doc, n, &m), docs[_i].code,
                      docs[_i].part);
                return;
        }
        ok(sw_manifest_parse(docs[_i].type, docs[_i].doc, n, &m));
        ck_assert_str_eq(m.media_type, docs[_i].part);
        ck_assert_int_eq(m.kind, sw_media_kind(m.media_type));
}
END_TEST

/* Would catch a document that makes us hold any number of layers. */
START_TEST(limits)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_manifest) m = { .media_type = NULL };

        sw_buf_adds(&b, "{\"schemaVersion\":2,\"manifests\":[");
        for (size_t i = 0; i <= SW_INDEX_ENTRIES_MAX; i++)
                sw_buf_addf(&b, "%s" LAYER, i ? "," : "");
        sw_buf_adds(&b, "]}");
        fails(sw_manifest_parse(NULL, b.data, b.len, &m), SW_E_LIMIT, "1025 manifests");
        sw_buf_clear(&b);
        while (b.len <= SW_MANIFEST_MAX)
                sw_buf_adds(&b, "          ");
        fails(sw_manifest_parse(NULL, b.data, b.len, &m), SW_E_LIMIT, "bytes");
}
END_TEST

/* What the reference's exporter writes for such an image, byte for byte. */
static const char written[] = "{\n"
                              "  \"schemaVersion\": 2,\n"
                              "  \"mediaType\": \"" SW_MT_OCI_MANIFEST "\",\n"
                              "  \"config\": {\n"
                              "    \"mediaType\": \"" SW_MT_OCI_CONFIG "\",\n"
                              "    \"digest\": \"" D1 "\",\n"
                              "    \"size\": 7\n"
                              "  },\n"
                              "  \"layers\": [\n"
                              "    {\n"
                              "      \"mediaType\": \"" SW_MT_OCI_LAYER "+gzip\",\n"
                              "      \"digest\": \"" D2 "\",\n"
                              "      \"size\": 9,\n"
                              "      \"annotations\": {\n"
                              "        \"a\": \"\\u003cb\\u003e\",\n"
                              "        \"z\": \"\"\n"
                              "      }\n"
                              "    }\n"
                              "  ],\n"
                              "  \"annotations\": {\n"
                              "    \"k\": \"v\"\n"
                              "  }\n"
                              "}";

/* Would catch a layout that gives equal images different digests. */
START_TEST(written_as_the_reference_does)
{
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_auto(sw_manifest) again = { .media_type = NULL };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_buf) b2 = SW_BUF_INIT;

        ok(sw_manifest_parse(NULL, MANIFEST, strlen(MANIFEST), &m));
        sw_pairs_set(&m.layers.v[0].annotations, "z", "");
        sw_pairs_set(&m.layers.v[0].annotations, "a", "no");
        sw_pairs_set(&m.layers.v[0].annotations, "a", "<b>");
        sw_pairs_set(&m.annotations, "k", "v");
        sw_manifest_write(&m, &b);
        ck_assert_str_eq(b.data, written);
        ok(sw_manifest_parse(NULL, b.data, b.len, &again));
        ck_assert_str_eq(sw_pairs_get(&again.layers.v[0].annotations, "a"), "<b>");
        sw_manifest_write(&again, &b2);
        ck_assert_str_eq(b2.data, written);
}
END_TEST

/* Everything a descriptor may have, there and back. */
START_TEST(index_there_and_back)
{
        static const char doc[] =
                "{\"schemaVersion\":2,\"mediaType\":\"" SW_MT_OCI_INDEX
                "\",\"manifests\":[{"
                "\"mediaType\":\"" SW_MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":3,"
                "\"urls\":[\"https://x\"],\"annotations\":{\"b\":\"c\"},\"platform\":{"
                "\"architecture\":\"arm\",\"os\":\"linux\",\"os.version\":\"1\","
                "\"os.features\":[\"f\"],\"variant\":\"v7\"},\"artifactType\":\"t\"}]}";
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_auto(sw_desc) copy = { .media_type = NULL };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_autoptr(sw_json) one = NULL;
        sw_autoptr(sw_json) two = NULL;

        ok(sw_manifest_parse(NULL, doc, strlen(doc), &m));
        sw_desc_copy(&copy, &m.entries.v[0]);
        sw_desc_release(&m.entries.v[0]);
        sw_desc_copy(&m.entries.v[0], &copy);
        sw_manifest_write(&m, &b);
        ok(sw_json_parse("a", doc, strlen(doc), &one));
        ok(sw_json_parse("b", b.data, b.len, &two));
        ck_assert_msg(json_equal(one, two), "%s", b.data);
}
END_TEST

#define ENTRY(arch, variant)                                                               \
        "{\"mediaType\":\"" SW_MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":3,"      \
        "\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch                          \
        "\",\"variant\":\"" variant "\"}}"
#define PLAIN "{\"mediaType\":\"" SW_MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":3}"
#define ATTEST                                                                             \
        "{\"mediaType\":\"" SW_MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":3,"      \
        "\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}}"
#define RIDER                                                                              \
        "{\"mediaType\":\"" SW_MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":3,"      \
        "\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}}"

static const struct {
        const char *want, *entries;
        int at; /* -1: none */
} choices[] = {
        { "linux/amd64", ENTRY("arm64", "") "," ENTRY("amd64", ""), 1 },
        { "linux/amd64", ENTRY("arm64", "") "," ENTRY("386", ""), -1 },
        { "linux/amd64", ENTRY("amd64", "v2") "," ENTRY("amd64", ""), 1 },
        { "linux/amd64", ENTRY("amd64", "v2"), -1 },
        { "linux/amd64/v3",
          ENTRY("amd64", "") "," ENTRY("amd64", "v2") "," ENTRY("amd64", "v4"), 1 },
        { "linux/amd64/v3", ENTRY("amd64", "v2") "," ENTRY("amd64", "v3"), 1 },
        { "linux/arm/v7", ENTRY("arm", "v8") "," ENTRY("arm", "v5") "," ENTRY("arm", "v6"),
          2 },
        { "linux/arm", ENTRY("arm", "v6") "," ENTRY("arm", "v7"), 1 },
        { "linux/arm/v6", ENTRY("arm", "v7"), -1 },
        { "linux/arm64", ENTRY("arm64", "v8"), 0 },
        { "linux/arm64/v8", ENTRY("arm64", ""), 0 },
        { "linux/arm64", ENTRY("arm64", "v8.2"), -1 },
        { "linux/arm64/v9", ENTRY("arm64", "v8") "," ENTRY("arm64", "v8.5"), 1 },
        { "linux/arm64", ENTRY("arm", "v7"), -1 },
        { "linux/riscv64", ENTRY("riscv64", "x"), -1 },
        { "linux/amd64", PLAIN "," ENTRY("amd64", ""), 1 },
        { "linux/amd64", ATTEST "," RIDER "," PLAIN, 2 },
        { "linux/amd64", ATTEST "," RIDER "," LAYER, -1 },
        { "linux/amd64", "", -1 },
        { "linux/amd64", ENTRY("amd64", "") "," ENTRY("amd64", ""), 0 },
};

/* Would catch an image that does not run on the platform, and a worse one of two. */
START_TEST(choice)
{
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_auto(sw_str) doc = sw_asprintf("{\"schemaVersion\":2,\"manifests\":[%s]}",
                                          choices[_i].entries);
        sw_autoptr(sw_platform) want = NULL;
        size_t at = 99;

        ok(sw_platform_parse(choices[_i].want, &want));
        ok(sw_manifest_parse(NULL, doc, strlen(doc), &m));
        if (choices[_i].at < 0) {
                fails(sw_index_choose(&m, want, &at), SW_E_NOT_FOUND, choices[_i].want);
                return;
        }
        ok(sw_index_choose(&m, want, &at));
        ck_assert_int_eq((int) at, choices[_i].at);
}
END_TEST

/* Would catch an error that does not say what there is. */
START_TEST(no_match_names_what_there_is)
{
        sw_auto(sw_manifest) m = { .media_type = NULL };
        const char doc[] =
                INDEX(ENTRY("arm64", "") "," ATTEST "," ENTRY("s390x\\u001b", ""));
        size_t at;

        ok(sw_manifest_parse(NULL, doc, strlen(doc), &m));
        fails(sw_index_choose(&m, &(sw_platform){ .os = "linux", .arch = "amd64" }, &at),
              SW_E_NOT_FOUND, "there are \"linux/arm64\", \"linux/s390x\\x1b\"");
}
END_TEST

/* Would catch another rule for chain ids than everybody else's. */
START_TEST(chain_ids)
{
        sw_digest d[3], want, got;
        char text[200], first[SW_DIGEST_STR_SIZE];

        for (size_t i = 0; i < 3; i++)
                d[i] = sw_digest_of(&i, 1);
        got = sw_chain_id(d, 1);
        ck_assert(sw_digest_eq(&got, &d[0]));
        (void) snprintf(text, sizeof(text), "%s %s", sw_digest_str(&d[0], first),
                        sw_digest_str(&d[1], (char[SW_DIGEST_STR_SIZE]){ 0 }));
        want = sw_digest_of(text, strlen(text));
        got = sw_chain_id(d, 2);
        ck_assert(sw_digest_eq(&got, &want));
        (void) snprintf(text, sizeof(text), "%s %s", sw_digest_str(&want, first),
                        sw_digest_str(&d[2], (char[SW_DIGEST_STR_SIZE]){ 0 }));
        want = sw_digest_of(text, strlen(text));
        got = sw_chain_id(d, 3);
        ck_assert(sw_digest_eq(&got, &want));
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("manifest");
        TCase *t = tcase_create("manifest");
        SRunner *r;
        int failed;

        tcase_add_test(t, media_types);
        tcase_add_loop_test(t, documents, 0, SW_COUNT(docs));
        tcase_add_test(t, limits);
        tcase_add_test(t, written_as_the_reference_does);
        tcase_add_test(t, index_there_and_back);
        tcase_add_loop_test(t, choice, 0, SW_COUNT(choices));
        tcase_add_test(t, no_match_names_what_there_is);
        tcase_add_test(t, chain_ids);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
