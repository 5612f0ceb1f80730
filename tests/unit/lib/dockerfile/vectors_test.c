/*
 * Dockerfiles, and what BuildKit's Dockerfile frontend made of them (tests/data/frontend):
 * every op, name, capability and location of the definition, and the messages of errors.
 *
 * Catches: any difference in the bytes of an op or in what is said about it, ops in another
 * order, an error with other words, JSON of ops that is not protobuf's. Where a newer set
 * lies beside the source tree it is compared as well.
 */
#include <dirent.h>
#include <unistd.h>

#include "tests/unit/core/llb/frontjson.h"
#include "tests/unit/lib/dockerfile/fakebridge.h"

/* One of them: paths of the parts; error or json is there. */
struct vector {
        char *name, *dockerfile, *opts, *json, *error;
};

static void
vector_release(struct vector *v)
{
        free(v->name);
        free(v->dockerfile);
        free(v->opts);
        free(v->json);
        free(v->error);
}

/* A file's text, from malloc; NULL: it is not there. */
static char *
slurp(const char *path)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&b, AT_FDCWD, path, 1 << 20);

        if (err) {
                sw_err_free(err);
                return NULL;
        }
        return sw_buf_detach(&b);
}

typedef SW_ARRAY(struct sw_attr) attrs;

/* "key=value" lines, taken apart in place. */
static void
read_opts(char *text, attrs *out)
{
        for (char *line = text; line && *line;) {
                size_t n = strcspn(line, "\n");
                char *next = line + n + (line[n] != '\0'), *eq;

                line[n] = '\0';
                eq = strchr(line, '=');
                if (eq) {
                        *eq = '\0';
                        sw_array_push(out, (struct sw_attr){ line, eq + 1 });
                }
                line = next;
        }
}

/* ---- Comparing ---- */

/* Random ids of groups of progress are as good as each other. */
static void
hide_groups(sw_buf *b)
{
        static const char mark[] = "\"progress_group\":{\"id\":\"";

        for (char *p = b->data; (p = strstr(p, mark)); p++) {
                char *id = p + strlen(mark), *end = strchr(id, '"');

                memmove(id, end, strlen(end) + 1);
        }
        b->len = strlen(b->data);
}

/* Ops as lines, sorted: a definition's own order is free as long as inputs come first. */
static void
dump(const sw_buf *def, sw_strlist *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        ok(sw_llb_dump(def->data, def->len, SW_LLB_DUMP_JSON, &text));
        hide_groups(&text);
        sw_strlist_split(out, text.data, '\n');
        sw_strlist_sort(out);
}

static void
same_dump(const sw_buf *got, const sw_buf *want)
{
        sw_auto(sw_strlist) a = { NULL, 0, 0 }, b = { NULL, 0, 0 };

        dump(got, &a);
        dump(want, &b);
        for (size_t i = 0; i < a.n && i < b.n; i++)
                ck_assert_msg(strcmp(a.v[i], b.v[i]) == 0, "got\n%s\nwanted\n%s", a.v[i],
                              b.v[i]);
        ck_assert_uint_eq(a.n, b.n);
}

static void
same_places(const sw_llb_vertex *a, const sw_llb_vertex *b)
{
        size_t n, m;
        const struct sw_llb_vertex_location *x = sw_llb_vertex_locations(a, &n);
        const struct sw_llb_vertex_location *y = sw_llb_vertex_locations(b, &m);

        ck_assert_uint_eq(n, m);
        for (size_t i = 0; i < n; i++) {
                ck_assert_uint_eq(x[i].n_ranges, y[i].n_ranges);
                for (size_t k = 0; k < x[i].n_ranges; k++) {
                        ck_assert_int_eq(x[i].ranges[k].start_line,
                                         y[i].ranges[k].start_line);
                        ck_assert_int_eq(x[i].ranges[k].end_line, y[i].ranges[k].end_line);
                }
        }
}

/* What the JSON says of op @i, with its inputs named by digests. */
static sw_json *
op_by_digests(const struct list *l, size_t i)
{
        sw_json *op = json_deep_copy(json_object_get(json_array_get(l->json, i), "def"));
        sw_json *in;
        size_t k;

        json_array_foreach(json_object_get(op, "inputs"), k, in)
        {
                size_t from = (size_t) json_integer_value(json_object_get(in, "op"));

                json_object_set_new(in, "digest", json_string(l->digests[from]));
                json_object_del(in, "op");
        }
        return op;
}

/* The answer to convertllb says of each op what the reference's does. */
static void
same_document(const sw_buf *got, const struct list *l)
{
        static const char *const said[] = { "description", "caps", "ignore_cache" };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_autoptr(sw_json) doc = NULL;

        ok(sw_llb_dump(got->data, got->len, SW_LLB_DUMP_MAPS, &text));
        ok(sw_json_parse("convertllb", text.data, text.len, &doc));
        ck_assert_uint_eq(json_object_size(json_object_get(doc, "def")),
                          json_array_size(l->json));
        for (size_t i = 0; i < json_array_size(l->json); i++) {
                const sw_json *entry = json_array_get(l->json, i);
                const sw_json *want = json_object_get(entry, "metadata");
                const sw_json *places =
                        json_object_get(json_object_get(json_object_get(doc, "source"),
                                                        "locations"),
                                        l->digests[i]);
                const sw_json *md =
                        json_object_get(json_object_get(doc, "metadata"), l->digests[i]);
                sw_autoptr(sw_json) op = op_by_digests(l, i);

                ck_assert(json_equal(json_object_get(json_object_get(doc, "def"),
                                                     l->digests[i]),
                                     op));
                for (size_t k = 0; k < sizeof(said) / sizeof(said[0]); k++)
                        ck_assert(json_object_get(md, said[k]) ==
                                          json_object_get(want, said[k]) ||
                                  json_equal(json_object_get(md, said[k]),
                                             json_object_get(want, said[k])));
                ck_assert(json_object_get(places, "locations") ==
                                  json_object_get(entry, "locations") ||
                          json_equal(json_object_get(places, "locations"),
                                     json_object_get(entry, "locations")));
        }
}

static void
same_definition(const sw_buf *got, const char *json)
{
        sw_autoptr(sw_definition) a = NULL;
        sw_autoptr(sw_definition) b = NULL;
        sw_auto(sw_buf) want = SW_BUF_INIT;
        struct list l;

        list_open(&l, json);
        definition_of(&l, &want);
        same_dump(got, &want);
        same_document(got, &l);
        list_close(&l);
        ok(sw_definition_decode(got->data, got->len, NULL, &a));
        ok(sw_definition_decode(want.data, want.len, NULL, &b));
        ck_assert_uint_eq(sw_definition_count(a), sw_definition_count(b));
        for (size_t i = 0; i < sw_definition_count(a); i++) {
                const sw_llb_vertex *v = sw_definition_vertex(a, i);
                const sw_llb_vertex *w = sw_definition_find(b, sw_llb_vertex_digest(v));

                ck_assert_ptr_nonnull(w);
                same_places(v, w);
        }
}

/* The same ops, by digest. */
static void
same_ops(const sw_buf *got, const sw_buf *want)
{
        sw_autoptr(sw_definition) a = NULL;
        sw_autoptr(sw_definition) b = NULL;

        ok(sw_definition_decode(got->data, got->len, NULL, &a));
        ok(sw_definition_decode(want->data, want->len, NULL, &b));
        ck_assert_uint_eq(sw_definition_count(a), sw_definition_count(b));
        for (size_t i = 0; i < sw_definition_count(a); i++)
                ck_assert_ptr_nonnull(sw_definition_find(
                        b, sw_llb_vertex_digest(sw_definition_vertex(a, i))));
}

static void
check_vector(const struct vector *v)
{
        sw_auto(sw_str) text = slurp(v->dockerfile), opts = slurp(v->opts);
        sw_auto(sw_str) want = v->error ? slurp(v->error) : NULL;
        sw_autoptr(sw_df_result) r = NULL;
        attrs list = { NULL, 0, 0 };
        struct fake f;
        sw_err *err;

        printf("# %s\n", v->name);
        fflush(stdout);
        read_opts(opts, &list);
        fake_init(&f);
        if (text)
                (void) sw_map_set(f.files, "Dockerfile", sw_strdup(text));
        err = fake_convert(&f, list.v, list.n, NULL, &r);
        if (want) {
                sw_auto(sw_str) got =
                        sw_asprintf("failed to solve: %s\n", sw_err_message(err));

                ck_assert_ptr_nonnull(err);
                if (!strchr(want, '\n'))
                        got[strlen(got) - 1] = '\0';
                ck_assert_str_eq(got, want);
                sw_err_free(err);
        } else {
                ck_assert_msg(!err, "%s: %s", v->name, sw_err_message(err));
                same_definition(&r->definition, v->json);
        }
        fake_release(&f);
        sw_array_release(&list);
}

/* ---- Where they are ---- */

static bool
vector_in(const char *folder, const char *name, struct vector *v)
{
        v->name = sw_strdup(name);
        v->dockerfile = sw_asprintf("%s/%s/ctx/Dockerfile", folder, name);
        v->opts = sw_asprintf("%s/%s/opts", folder, name);
        v->json = sw_asprintf("%s/%s/llb.json", folder, name);
        v->error = sw_asprintf("%s/%s/error.txt", folder, name);
        if (access(v->error, R_OK) < 0) {
                free(v->error);
                v->error = NULL;
        }
        return v->error || access(v->json, R_OK) == 0;
}

static bool
vector_beside(const char *folder, const char *file, struct vector *v)
{
        const char *dot = strrchr(file, '.');

        if (!dot || (strcmp(dot, ".json") != 0 && strcmp(dot, ".error") != 0))
                return false;
        v->name = sw_strndup(file, (size_t) (dot - file));
        v->dockerfile = sw_asprintf("%s/%s.Dockerfile", folder, v->name);
        v->opts = sw_asprintf("%s/%s.opts", folder, v->name);
        if (strcmp(dot, ".error") == 0)
                v->error = sw_asprintf("%s/%s", folder, file);
        else
                v->json = sw_asprintf("%s/%s", folder, file);
        return true;
}

static size_t
check_folder(const char *folder, bool ours)
{
        DIR *dir = opendir(folder);
        struct dirent *e;
        size_t n = 0;

        while (dir && (e = readdir(dir))) {
                struct vector v = { .name = NULL };

                if (e->d_name[0] != '.' && (ours ? vector_beside(folder, e->d_name, &v)
                                                 : vector_in(folder, e->d_name, &v))) {
                        check_vector(&v);
                        n++;
                }
                vector_release(&v);
        }
        if (dir)
                closedir(dir);
        return n;
}

START_TEST(ours)
{
        const char *top = getenv("top_srcdir");
        sw_auto(sw_str) folder = sw_asprintf("%s/tests/data/frontend", top ? top : "..");

        ck_assert_uint_ge(check_folder(folder, true), 53);
}
END_TEST

START_TEST(newer)
{
        const char *top = getenv("top_srcdir");
        sw_auto(sw_str) folder =
                sw_asprintf("%s/../shared/vectors/dockerfile", top ? top : "..");

        printf("# %zu beside the source tree\n", check_folder(folder, false));
}
END_TEST

/* Records of caches depend on these ops alone: core/ops/cachemap_test.c has the records
 * that BuildKit exported for them. */
START_TEST(ops_of_records)
{
        static const char *const names[] = {
                "001-basic",       "002-scratch-copy",     "003-multistage",
                "004-env-arg",     "006-heredoc-run",      "013-workdir-user",
                "030-many-copies", "019-from-stage-index",
        };
        const char *top = getenv("top_srcdir");

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                sw_auto(sw_str) file = sw_asprintf("%s/tests/data/cachemap/%s.llb",
                                                   top ? top : "..", names[i]);
                sw_auto(sw_str) dockerfile =
                        sw_asprintf("%s/tests/data/frontend/%s.Dockerfile",
                                    top ? top : "..", names[i]);
                sw_auto(sw_str) options = sw_asprintf("%s/tests/data/frontend/%s.opts",
                                                      top ? top : "..", names[i]);
                sw_auto(sw_str) opts = slurp(options);
                sw_auto(sw_buf) want = SW_BUF_INIT;
                sw_autoptr(sw_df_result) r = NULL;
                attrs list = { NULL, 0, 0 };
                struct fake f;

                fake_init(&f);
                read_opts(opts, &list);
                (void) sw_map_set(f.files, "Dockerfile", slurp(dockerfile));
                ok(fake_convert(&f, list.v, list.n, NULL, &r));
                ok(sw_buf_read_file(&want, AT_FDCWD, file, 1 << 20));
                same_ops(&r->definition, &want);
                fake_release(&f);
                sw_array_release(&list);
        }
}
END_TEST

UNIT_MAIN("dockerfile vectors", ours, newer, ops_of_records)
