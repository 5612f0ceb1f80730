/* Unit tests of lib/image/config.c and configmake.c. */
#include "lib/image/image.h"
#include "tests/unit/unit.h"

#define D1    "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2    "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define T1    "2001-09-09T01:46:41Z" /* 1000000001 */
#define T2    "2001-09-09T01:46:42Z"
#define EPOCH "2001-09-09T01:46:40Z"

/* ---- reading ---- */

static const struct {
        const char *doc;
        int code;
        const char *part;
} docs[] = {
        { "{}", 0, "/ 0 0" },
        { "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\",\"rootfs\":{"
          "\"type\":"
          "\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2
          "\"]},\"history\":[{},{\"empty_layer\":"
          "true},{\"empty_layer\":false}]}",
          0, "linux/arm/v7 2 2" },
        { "{\"rootfs\":null,\"history\":null,\"created\":null}", 0, "/ 0 0" },
        { "[]", SW_E_INVALID, "no JSON object" },
        { "{\"os\":7}", SW_E_INVALID, "os" },
        { "{\"rootfs\":{\"type\":\"disk\"}}", SW_E_UNSUPPORTED, "disk" },
        { "{\"rootfs\":{\"diff_ids\":[7]}}", SW_E_INVALID, "diff_ids[0]" },
        { "{\"rootfs\":{\"diff_ids\":[\"sha256:1\"]}}", SW_E_INVALID, "diff_ids[0]" },
        { "{\"rootfs\":{\"diff_ids\":[\"sha512:1\"]}}", SW_E_UNSUPPORTED, "sha512" },
        { "{\"history\":[7]}", SW_E_INVALID, "history[0]" },
        { "{\"os\":\"linux\",\"os.features\":[1]}", SW_E_INVALID, "os.features" },
};

/* Would catch a wrong count, and a configuration that breaks the format and is used. */
START_TEST(configs)
{
        sw_auto(sw_image_config) c = { .platform = NULL };
        size_t n = strlen(docs[_i].doc);

        if (docs[_i].code) {
                fails(sw_image_config_parse(docs[_i].doc, n, &c), docs[_i].code,
                      docs[_i].part);
                return;
        }
        ok(sw_image_config_parse(docs[_i].doc, n, &c));
        sw_auto(sw_str) platform = sw_platform_str(c.platform);
        sw_auto(sw_str) seen =
                sw_asprintf("%s %zu %zu", platform, c.diff_ids.n, c.n_history_layers);
        ck_assert_str_eq(seen, docs[_i].part);
}
END_TEST

/* ---- making ---- */

#define HEAD "{\"architecture\":\"amd64\","
#define TAIL "\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
#define SAID "\"os\":\"linux\",\"architecture\":\"amd64\""
#define ADDED(t, by)                                                                       \
        "{\"created\":\"" t "\",\"created_by\":\"" by                                      \
        "\",\"comment\":\"buildkit.exporter.image.v0\"}"

static const struct {
        const char *what, *base, *base_of, *cache;
        size_t layers; /* of the two */
        int64_t epoch;
        const char *want;
} made[] = {
        { "default", NULL, NULL, NULL, 0, -1,
          HEAD
          "\"config\":{\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
          "/sbin:/bin\"],\"WorkingDir\":\"/\"},\"created\":null,\"history\":[]," TAIL
          "]}}" },
        { "history from layers", "{" SAID "}", NULL, NULL, 2, -1,
          HEAD "\"created\":\"" T2
               "\",\"history\":[" ADDED(T1, "RUN \\u003ca\\u003e") "," ADDED(
                       T2, "created by buildkit") "]," TAIL "\"" D1 "\",\"" D2 "\"]}}" },
        { "keys sorted, the rest kept",
          "{" SAID
          ",\"variant\":\"v2\",\"z\":[1,2.5,{\"b\":1,\"a\":null}],\"config\":{\"User\":"
          "\"u\",\"Env\":[]},\"author\":\"\xc3\xa9\",\"created\":\"" T1 "\"}",
          NULL, NULL, 0, -1,
          "{\"architecture\":\"amd64\",\"author\":\"\xc3\xa9\",\"config\":{\"User\":\"u\","
          "\"Env\":[]},\"created\":\"" T1 "\",\"history\":[],\"os\":\"linux\",\"rootfs\":{"
          "\"type\":\"layers\",\"diff_ids\":[]},\"variant\":\"v2\",\"z\":[1,2.5,{\"b\":1,"
          "\"a\":null}]}" },
        { "too many entries with layers",
          "{" SAID ",\"history\":[{\"created\":\"" T1
          "\"},{\"created_by\":\"x\",\"created\":\"" T1 "\"}]}",
          NULL, NULL, 1, -1,
          HEAD "\"created\":\"" T1 "\",\"history\":[{\"created\":\"" T1
               "\"},{\"created\":\"" T1
               "\",\"created_by\":\"x\",\"empty_layer\":true}]," TAIL "\"" D1 "\"]}}" },
        { "times of entries: base, then empty ones, then a new layer",
          "{" SAID
          ",\"history\":[{\"created\":\"2000-01-01T00:00:00Z\"},{\"empty_layer\":true,"
          "\"created_by\":\"ENV\"},{\"created_by\":\"RUN\"},{\"empty_layer\":true}]}",
          NULL, NULL, 2, -1,
          HEAD "\"created\":\"" T2
               "\",\"history\":[{\"created\":\"2000-01-01T00:00:00Z\"},{"
               "\"created\":\"" T2 "\",\"created_by\":\"ENV\",\"empty_layer\":true},{"
               "\"created\":\"" T2 "\",\"created_by\":\"RUN\"},{\"created\":\"" T2
               "\",\"empty_layer\":true}]," TAIL "\"" D1 "\",\"" D2 "\"]}}" },
        { "epoch", "{" SAID ",\"created\":\"" T1 "\"}", NULL, NULL, 1, 1000000000,
          HEAD "\"created\":\"" EPOCH
               "\",\"history\":[" ADDED(EPOCH, "RUN \\u003ca\\u003e") "]," TAIL "\"" D1
                                                                      "\"]}}" },
        { "epoch, and history of the base",
          "{" SAID ",\"history\":[{\"created\":\"" T2
          "\",\"created_by\":\"b\"},{\"created\":\"" T2 "\",\"empty_layer\":true}]}",
          "{\"history\":[{\"created_by\":\"b\",\"created\":\"" T2 "\"}]}", NULL, 1,
          1000000000,
          HEAD "\"created\":\"" EPOCH "\",\"history\":[{\"created\":\"" T2
               "\",\"created_by\":\"b\"},{\"created\":\"" EPOCH
               "\",\"empty_layer\":true}]," TAIL "\"" D1 "\"]}}" },
        { "earlier than the epoch",
          "{" SAID ",\"created\":\"0001-01-01T00:00:00Z\",\"history\":[{\"created\":"
          "\"0001-01-01T00:00:00Z\"}]}",
          NULL, NULL, 1, 1000000000,
          HEAD "\"created\":\"0001-01-01T00:00:00Z\",\"history\":[{\"created\":"
               "\"0001-01-01T00:00:00Z\"}]," TAIL "\"" D1 "\"]}}" },
        { "inline cache", "{" SAID ",\"moby.buildkit.cache.v0\":7}", NULL, "{\"a\":[]}", 0,
          -1,
          HEAD "\"created\":null,\"history\":[],\"moby.buildkit.cache.v0\":{\"a\":[]}," TAIL
               "]}}" },
        { "not the base's inline cache", "{" SAID ",\"moby.buildkit.cache.v0\":7}", NULL,
          NULL, 0, -1, HEAD "\"created\":null,\"history\":[]," TAIL "]}}" },
        /* refused */
        { "no os", "{\"architecture\":\"amd64\"}", NULL, NULL, 0, -1, "!its os" },
        { "no architecture", "{\"os\":\"linux\"}", NULL, NULL, 0, -1, "!its architecture" },
        { "no object", "[]", NULL, NULL, 0, -1, "!no JSON object" },
        { "null", "null", NULL, NULL, 0, -1, "!line 1" },
        { "bad time", "{" SAID ",\"created\":\"yesterday\"}", NULL, NULL, 0, -1,
          "!created" },
        { "bad entry", "{" SAID ",\"history\":[{\"created\":\"x\"}]}", NULL, NULL, 0, -1,
          "!history[0]" },
        { "bad cache", "{" SAID "}", NULL, "{", 0, -1, "!inline cache" },
};

/* Would catch a history that does not fit the layers, times that differ from one build to
 * the next, and what the frontend said being lost. */
START_TEST(making)
{
        static const sw_platform amd64 = { .os = "linux", .arch = "amd64" };
        struct sw_history_layer layers[2] = {
                { .description = "RUN <a>", .created = INT64_C(1000000001000000000) },
                { .created = INT64_C(1000000002000000000) },
        };
        const struct sw_image_make m = { .base = made[_i].base,
                                         .base_of = made[_i].base_of,
                                         .inline_cache = made[_i].cache,
                                         .platform = &amd64,
                                         .layers = layers,
                                         .n_layers = made[_i].layers,
                                         .epoch = made[_i].epoch };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(sw_digest_parse(D1, SIZE_MAX, &layers[0].diff_id));
        ok(sw_digest_parse(D2, SIZE_MAX, &layers[1].diff_id));
        if (made[_i].want[0] == '!') {
                fails(sw_image_config_make(&m, &b), SW_E_INVALID, made[_i].want + 1);
                return;
        }
        ok(sw_image_config_make(&m, &b));
        ck_assert_msg(strcmp(b.data, made[_i].want) == 0, "%s:\n%s\n%s", made[_i].what,
                      b.data, made[_i].want);
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("config");
        TCase *t = tcase_create("config");
        SRunner *r;
        int failed;

        tcase_add_loop_test(t, configs, 0, SW_COUNT(docs));
        tcase_add_loop_test(t, making, 0, SW_COUNT(made));
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
