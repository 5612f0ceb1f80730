/*
 * tests/fuzz/image_fuzz.c - manifests, indexes and configurations of images, as registries
 * and archives have them. What is read and written again must be the same.
 */
#include "lib/image/image.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_manifest(const char *type, const void *p, size_t n)
{
        static const sw_platform want = { .os = "linux", .arch = "arm", .variant = "v7" };
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_auto(sw_manifest) again = { .media_type = NULL };
        sw_auto(sw_buf) one = SW_BUF_INIT;
        sw_auto(sw_buf) two = SW_BUF_INIT;
        size_t at = SIZE_MAX;

        if (!fuzz_ok(sw_manifest_parse(type, p, n, &m)))
                return;
        fuzz_check(sw_media_kind(m.media_type) == m.kind);
        if (m.kind == SW_MEDIA_INDEX && fuzz_ok(sw_index_choose(&m, &want, &at)))
                fuzz_check(at < m.entries.n);
        sw_manifest_write(&m, &one);
        fuzz_check(fuzz_ok(sw_manifest_parse(m.media_type, one.data, one.len, &again)));
        fuzz_check(again.kind == m.kind && again.layers.n == m.layers.n);
        sw_manifest_write(&again, &two);
        fuzz_check(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
}

static void
fuzz_config(const char *text, size_t n)
{
        static const struct sw_history_layer layers[2];
        sw_auto(sw_image_config) c = { .platform = NULL };
        sw_auto(sw_image_config) again = { .platform = NULL };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_image_make make = {
                .base = text, .base_of = text, .layers = layers, .n_layers = 2, .epoch = 1
        };

        if (!fuzz_ok(sw_image_config_parse(text, n, &c)))
                return;
        for (int i = 0; i < 2; i++, make.epoch = -1) {
                sw_buf_clear(&out);
                if (!fuzz_ok(sw_image_config_make(&make, &out)))
                        continue;
                fuzz_check(fuzz_ok(sw_image_config_parse(out.data, out.len, &again)));
                fuzz_check(again.diff_ids.n == 2 && again.n_history_layers == 2);
                sw_image_config_release(&again);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_str) text = sw_strndup(size ? (const char *) data : "", size);
        const void *bytes = size ? (const void *) data : "";

        fuzz_manifest(NULL, bytes, size);
        fuzz_manifest(SW_MT_DOCKER_LIST, bytes, size);
        if (strlen(text) == size)
                fuzz_config(text, size);
        return 0;
}
