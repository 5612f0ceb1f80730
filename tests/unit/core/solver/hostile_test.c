/*
 * tests/unit/core/solver/hostile_test.c - key stores that were made to do harm, or that
 * have simply grown old: what they may cost, and what they may not achieve.
 */
#include "tests/unit/core/solver/fake.h"

/* ---- a store that counts what it is asked for ---- */

static const struct sw_keystore_ops *real;
static unsigned n_walked;

struct counted {
        sw_key_id_fn *fn;
        void *arg;
};

static bool
count_one(void *arg, const char *id)
{
        const struct counted *to = arg;

        n_walked++;
        return to->fn(to->arg, id);
}

static sw_err *
counting_walk(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
              sw_key_id_fn *fn, void *arg)
{
        struct counted to = { fn, arg };

        return real->walk_links(ks, parent, link, count_one, &to);
}

static sw_err *
counting_has(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
             const char *child, bool *out)
{
        n_walked++;
        return real->has_link(ks, parent, link, child, out);
}

static void
count(sw_keystore *ks)
{
        static struct sw_keystore_ops ops;

        real = ks->ops;
        ops = *real;
        ops.walk_links = counting_walk;
        ops.has_link = counting_has;
        ks->ops = &ops;
        n_walked = 0;
}

/* ---- filling ---- */

static void
link_root(sw_keystore *ks, const char *parent, int32_t output, uint32_t input,
          const char *digest, const char *child)
{
        struct sw_key_link link = { .input = input, .digest = digest, .selector = "" };
        sw_key_id root;

        sw__key_root(parent, output, &root);
        ok(ks->ops->add_link(ks, root.s, &link, child));
}

static void
add_result(struct lab *lab, sw_keystore *ks, const char *key, const char *value)
{
        sw_result *r = fake_store(lab, "far", value);
        struct sw_key_record rec = { .result = sw__result_id(r), .created_at = 1 };

        ok(ks->ops->add_record(ks, key, &rec));
        sw__result_unref(r);
}

static char *
name_key(char buf[24], int i)
{
        snprintf(buf, 24, "key-%d", i);
        return buf;
}

/* ---- tests ---- */

/* Catches a step that looks through everything that was ever copied onto its base image:
 * the store of somebody who has built the same thing for years. */
START_TEST(old_stores_are_fast)
{
        struct lab lab;
        struct fake f[] = {
                { .name = "image" },
                { .name = "local", .map = { "random:1" } },
                { .name = "copy", .n_in = 2, .in = { 0, 1 }, .content = { NULL, "now" } }
        };
        char key[24], content[32];

        lab_open(&lab, 2, 0);
        for (int i = 0; i < 20000; i++) {
                if (i == 15000)
                        strcpy(content, "content:now");
                else
                        snprintf(content, sizeof(content), "content:%d", i);
                link_root(lab.keys, "image", 0, 0, "copy", name_key(key, i));
                link_root(lab.keys, content, -1, 1, "copy", key);
        }
        add_result(&lab, lab.keys, "key-15000", "copied");
        count(lab.keys);
        builds_to(&lab, f, 3, "copied");
        ck_assert_uint_eq(f[2].runs, 0);
        ck_assert_uint_lt(n_walked, 2000);
        lab_close(&lab);
}
END_TEST

/* Catches an import that keeps the scheduler busy with keys that lead everywhere. */
START_TEST(floods_of_keys_are_cut)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "a", .n_in = 1, .in = { 0 } },
                            { .name = "b", .n_in = 2, .in = { 0, 1 } },
                            { .name = "c", .n_in = 2, .in = { 1, 2 } } };
        char key[24], next[24];

        lab_open(&lab, 2, 0);
        for (int i = 0; i < 200; i++) {
                struct sw_key_link b = { .input = 1, .digest = "b", .selector = "" };
                struct sw_key_link c = { .input = 0, .digest = "c", .selector = "" };
                struct sw_key_link d = { .input = 1, .digest = "c", .selector = "" };

                name_key(key, i);
                link_root(lab.far_keys, "image", 0, 0, "a", key);
                link_root(lab.far_keys, "image", 0, 0, "b", key);
                for (int k = 0; k < 200; k++) {
                        name_key(next, k);
                        ok(lab.far_keys->ops->add_link(lab.far_keys, key, &b, next));
                        ok(lab.far_keys->ops->add_link(lab.far_keys, key, &c, next));
                        ok(lab.far_keys->ops->add_link(lab.far_keys, key, &d, next));
                }
        }
        count(lab.far_keys);
        sw_auto(sw_str) value = lab_build(&lab, lab.far_set, f, 4);
        ck_assert_str_eq(value, "c(a(image),b(image,a(image)))");
        ck_assert_uint_lt(n_walked, 100000);
        lab_close(&lab);
}
END_TEST

/* Catches a key with results without number that are all gone, tried one after the other.
 */
START_TEST(floods_of_records_are_cut)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "run", .n_in = 1, .in = { 0 } } };

        lab_open(&lab, 2, 0);
        link_root(lab.far_keys, "image", 0, 0, "run", "key");
        for (int i = 0; i < 1000; i++)
                add_result(&lab, lab.far_keys, "key", "evil");
        fake_lose_all(&lab);
        sw_auto(sw_str) value = lab_build(&lab, lab.far_set, f, 2);
        ck_assert_str_eq(value, "run(image)");
        ck_assert_uint_le(lab.loads, 32);
        lab_close(&lab);
}
END_TEST

static bool
any_id(void *arg, const char *id)
{
        (void) id;
        *(bool *) arg = true;
        return false;
}

static bool
leads_anywhere(sw_keystore *ks, const char *parent, int32_t output, uint32_t input,
               const char *digest)
{
        struct sw_key_link link = { .input = input, .digest = digest, .selector = "" };
        sw_key_id root;
        bool any = false;

        sw__key_root(parent, output, &root);
        ok(ks->ops->walk_links(ks, root.s, &link, any_id, &any));
        return any;
}

/* Catches an import that gives other ops than those it was asked for a result, for
 * everybody from then on. */
START_TEST(imports_speak_for_their_op_only)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "run", .n_in = 1, .in = { 0 } } };

        lab_open(&lab, 2, 0);
        link_root(lab.far_keys, "image", 0, 0, "run", "key");
        link_root(lab.far_keys, "files", -1, 0, "run", "key");
        link_root(lab.far_keys, "files", -1, 0, "install", "key");
        link_root(lab.far_keys, "files", -1, 7, "run", "key");
        add_result(&lab, lab.far_keys, "key", "evil");
        sw_auto(sw_str) value = lab_build(&lab, lab.far_set, f, 2);
        ck_assert_str_eq(value, "evil");
        ck_assert(leads_anywhere(lab.keys, "image", 0, 0, "run"));
        ck_assert(leads_anywhere(lab.keys, "files", -1, 0, "run"));
        ck_assert(!leads_anywhere(lab.keys, "files", -1, 0, "install"));
        ck_assert(!leads_anywhere(lab.keys, "files", -1, 7, "run"));
        lab_close(&lab);
}
END_TEST

UNIT_MAIN("hostile", old_stores_are_fast, floods_of_keys_are_cut, floods_of_records_are_cut,
          imports_speak_for_their_op_only)
