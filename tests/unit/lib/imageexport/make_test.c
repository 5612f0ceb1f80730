/*
 * lib/imageexport: images of plain directories, for one platform and for two. Would catch
 * an index whose entries are not what was made, annotations in the wrong document, a blob
 * that is listed twice, and bytes that differ from one time to the next.
 */
#include "lib/imageexport/imageexport.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <slipway/path.h>

#include "tests/unit/tmp.h"
#include "tests/unit/unit.h"

static char path[256];
static int here;

static void
setup(void)
{
        const struct timespec times[2] = { { 1500000000, 0 }, { 1500000000, 0 } };

        unit_mkdtemp(path, sizeof(path), "make");
        here = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(mkdirat(here, "tree", 0755), 0);
        ok(sw_path_write_file(here, "tree/file", "text", 4, 0644));
        ck_assert_int_eq(utimensat(here, "tree/file", times, 0), 0);
}

static void
teardown(void)
{
        sw_auto(sw_fd) parent = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ok(sw_path_remove(parent, strrchr(path, '/') + 1));
        close(here);
}

static sw_ref *
tree(void)
{
        return sw_ref_new_dir("tree",
                              openat(here, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static const struct sw_attr attrs[] = {
        { "annotation.m", "1" },
        { "annotation[linux/arm64].only", "arm" },
        { "annotation-index.i", "2" },
        { "annotation-index-descriptor.d", "3" },
        { "annotation-manifest-descriptor.e", "4" },
};

static sw_made *
make(bool multiple, size_t n_attrs)
{
        sw_autoptr(sw_ref) r = tree();
        const struct sw_export_ref refs[2] = {
                { .platform = multiple ? "linux/amd64" : "", .ref = r },
                { .platform = "linux/arm64", .ref = r },
        };
        const struct sw_export_request req = {
                .size = sizeof(req),
                .refs = refs,
                .n_refs = multiple ? 2 : 1,
                .attrs = attrs,
                .n_attrs = n_attrs,
                .source_date_epoch = 1600000000,
                .multiple = multiple,
        };
        struct sw_imageexport e;
        sw_made *made = NULL;

        sw_imageexport_init(&e);
        ok(sw_imageexport_make(NULL, &e, &req, &made));
        sw_imageexport_release(&e);
        return made;
}

START_TEST(one_platform)
{
        sw_autoptr(sw_made) a = make(false, 1);
        sw_autoptr(sw_made) b = make(false, 1);
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_auto(sw_image_config) c = { .platform = NULL };
        sw_auto(sw_fd) fd = -1;
        const struct sw_made_image *image = &a->images.v[0];
        struct stat st;

        ck_assert(sw_digest_eq(&a->root.digest, &b->root.digest));
        ck_assert(!a->is_index);
        ok(sw_manifest_parse(NULL, image->manifest.data, image->manifest.len, &m));
        ck_assert_str_eq(sw_pairs_get(&m.annotations, "m"), "1");
        ck_assert_uint_eq(m.layers.n, 1);
        ok(sw_image_config_parse(image->config.data, image->config.len, &c));
        ck_assert_uint_eq(c.diff_ids.n, 1);
        ck_assert(sw_digest_eq(&c.diff_ids.v[0], &image->layers.v[0].diff_id));
        ck_assert_str_eq(c.created, "2020-09-13T12:26:40Z");
        ok(sw_made_layer_open(a, NULL, &image->layers.v[0], &fd));
        ck_assert(fstat(fd, &st) == 0 && st.st_size == m.layers.v[0].size);
}
END_TEST

START_TEST(two_platforms)
{
        sw_autoptr(sw_made) a = make(true, SW_COUNT(attrs));
        sw_auto(sw_manifest) index = { .media_type = NULL };
        sw_auto(sw_manifest) arm = { .media_type = NULL };
        sw_made_blobs blobs = { 0 };

        ck_assert(a->is_index);
        ok(sw_manifest_parse(SW_MT_OCI_INDEX, a->index.data, a->index.len, &index));
        ck_assert_uint_eq(index.entries.n, 2);
        ck_assert_str_eq(sw_pairs_get(&index.annotations, "i"), "2");
        ck_assert_str_eq(sw_pairs_get(&a->root.annotations, "d"), "3");
        for (size_t i = 0; i < 2; i++) {
                const sw_desc *d = &index.entries.v[i];

                ck_assert(sw_digest_eq(&d->digest, &a->images.v[i].manifest_desc.digest));
                ck_assert_str_eq(sw_pairs_get(&d->annotations, "e"), "4");
                ck_assert_str_eq(d->platform->arch, i ? "arm64" : "amd64");
        }
        ok(sw_manifest_parse(NULL, a->images.v[1].manifest.data,
                             a->images.v[1].manifest.len, &arm));
        ck_assert_str_eq(sw_pairs_get(&arm.annotations, "only"), "arm");
        ck_assert_str_eq(sw_pairs_get(&arm.annotations, "m"), "1");
        /* one layer, two configurations, two manifests, the index */
        sw_made_list(a, &blobs);
        ck_assert_uint_eq(blobs.n, 6);
        for (size_t i = 1; i < blobs.n; i++)
                ck_assert_int_lt(sw_digest_cmp(&blobs.v[i - 1].desc->digest,
                                               &blobs.v[i].desc->digest),
                                 0);
        sw_array_release(&blobs);
}
END_TEST

/* Several results that are no map of platforms, and annotations of an index there is not.
 */
START_TEST(refused)
{
        sw_autoptr(sw_ref) r = tree();
        const struct sw_export_ref refs[2] = { { .platform = "", .ref = r },
                                               { .platform = "", .ref = r } };
        struct sw_export_request req = {
                .size = sizeof(req), .refs = refs, .n_refs = 2, .source_date_epoch = -1
        };
        struct sw_imageexport e;
        sw_made *made = NULL;

        sw_imageexport_init(&e);
        fails(sw_imageexport_make(NULL, &e, &req, &made), SW_E_INVALID,
              "cannot export multiple platforms without multi-platform enabled");
        req.n_refs = 1;
        req.attrs = attrs;
        req.n_attrs = SW_COUNT(attrs);
        fails(sw_imageexport_make(NULL, &e, &req, &made), SW_E_INVALID, "annotation");
        sw_imageexport_release(&e);
}
END_TEST

UNIT_MAIN_WITH("make", setup, teardown, one_platform, two_platforms, refused)
