/*
 * Definitions that BuildKit's Dockerfile frontend made, put together from their JSON
 * (tests/data/frontend): digests are the frontend's, and all of them load.
 *
 * Catches: ops written otherwise than the Go implementation writes them, in every field
 * that the frontend uses; a definition that a real frontend makes and that is refused;
 * metadata and locations that get lost on the way.
 */
#include <dirent.h>
#include <unistd.h>

#include "tests/unit/core/llb/frontjson.h"

/* What the JSON says of an op is what its vertex says. */
static void
same_vertex(const sw_definition *def, struct list *l, size_t i)
{
        const sw_json *entry = json_array_get(l->json, i), *item;
        const sw_json *md = json_object_get(entry, "metadata");
        const sw_json *description = json_object_get(md, "description");
        const sw_llb_vertex *v;
        const char *key;
        sw_digest d;
        size_t n;

        ok(sw_digest_parse(l->digests[i], SIZE_MAX, &d));
        v = sw_definition_find(def, &d);
        ck_assert_ptr_nonnull(v);
        ck_assert_str_eq(sw_llb_vertex_digest_str(v), l->digests[i]);
        json_object_foreach((sw_json *) description, key, item)
                ck_assert_str_eq(sw_llb_vertex_description(v, key),
                                 json_string_value(item));
        ck_assert_int_eq(sw_llb_vertex_ignore_cache(v),
                         json_is_true(json_object_get(md, "ignore_cache")));
        (void) sw_llb_vertex_locations(v, &n);
        ck_assert_uint_eq(n, json_array_size(json_object_get(entry, "locations")));
}

static void
check_path(const char *path)
{
        sw_autoptr(sw_definition) def = NULL;
        sw_auto(sw_buf) bytes = SW_BUF_INIT;
        struct list l;
        size_t n;

        printf("# %s\n", path);
        fflush(stdout);
        list_open(&l, path);
        n = json_array_size(l.json);
        definition_of(&l, &bytes);
        ok(sw_definition_decode(bytes.data, bytes.len, NULL, &def));
        ck_assert_uint_eq(sw_definition_count(def), n - 1);
        for (size_t i = 0; i + 1 < n; i++)
                same_vertex(def, &l, i);
        list_close(&l);
}

/* Where a newer set lies beside the source tree it is looked at as well. */
START_TEST(all)
{
        static const char *const folders[] = { "tests/data/frontend",
                                               "../shared/vectors/dockerfile" };
        const char *top = getenv("top_srcdir");
        size_t n = 0;

        for (size_t i = 0; i < SW_COUNT(folders); i++) {
                sw_auto(sw_str) folder = sw_asprintf("%s/%s", top ? top : "..", folders[i]);
                DIR *dir = opendir(folder);
                struct dirent *e;

                while (dir && (e = readdir(dir))) {
                        sw_auto(sw_str) path = sw_asprintf("%s/%s%s", folder, e->d_name,
                                                           i ? "/llb.json" : "");

                        if (e->d_name[0] == '.' || !strstr(path, ".json") ||
                            access(path, R_OK) < 0)
                                continue;
                        check_path(path);
                        n++;
                }
                if (dir)
                        closedir(dir);
        }
        ck_assert_uint_ge(n, 36);
}
END_TEST

UNIT_MAIN("llb frontend", all)
