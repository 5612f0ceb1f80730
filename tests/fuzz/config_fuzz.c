/*
 * tests/fuzz/config_fuzz.c - configuration files. What is refused must be told in the form
 * that is promised and change nothing; what is accepted must be listed with keys that can
 * be looked up, and texts that read back as the same value.
 */
#include <slipway/config.h>
#include <slipway/text.h>

#include "core/config/internal.h"
#include "tests/fuzz/fuzz.h"

#define NAME "f.yaml"
#define READ_BACK                                                                          \
        12 /* values of one input that are read back: each costs a whole config            \
            */

static void
check_text(const char *s)
{
        fuzz_check(sw_utf8_valid(s, strlen(s)));
        for (; *s; s++)
                fuzz_check((unsigned char) *s >= 0x20 && *s != 0x7f);
}

/* Every line begins with the file; at most twenty, and one that says how many more. */
static void
check_refusal(sw_err *err)
{
        sw_auto(sw_strlist) lines = { 0 };

        fuzz_check(sw_err_code(err) == SW_E_CONFIG);
        sw_strlist_split(&lines, sw_err_message(err), '\n');
        fuzz_check(lines.n > 0 && lines.n <= SW__CONFIG_MAX_ERRORS + 1);
        for (size_t i = 0; i < lines.n; i++) {
                fuzz_check(sw_str_has_prefix(lines.v[i], i < SW__CONFIG_MAX_ERRORS
                                                                 ? NAME ":"
                                                                 : "and "));
                fuzz_check(strlen(lines.v[i]) < 2000);
                check_text(lines.v[i]);
        }
        sw_err_drop(err, "a refusal is as good as a configuration here");
}

/* The YAML of one value, as a file would have it; NULL below a list of tables. */
static char *
as_yaml(const struct sw_config_value *v)
{
        sw_auto(sw_strlist) parts = { 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        fuzz_check(fuzz_ok(sw__keypath_split(v->key, &parts)));
        for (size_t i = 0; i < parts.n; i++) {
                if (strspn(parts.v[i], "0123456789") == strlen(parts.v[i]) && i > 1)
                        return NULL;
                sw_buf_addf(&b, "{\"%s\": ", parts.v[i]);
        }
        sw_buf_adds(&b, v->text);
        for (size_t i = 0; i < parts.n; i++)
                sw_buf_addc(&b, '}');
        return sw_buf_detach(&b);
}

static void
check_read_back(const struct sw_config_value *v)
{
        sw_auto(sw_str) yaml = as_yaml(v);
        sw_autoptr(sw_config) again = sw__config_empty();
        struct sw_config_value w;

        if (!yaml || strlen(yaml) > SW__CONFIG_MAX_SIZE)
                return;
        fuzz_check(fuzz_ok(sw_config_load_text(again, NAME, yaml, strlen(yaml))));
        fuzz_check(sw_config_value(again, v->key, &w));
        fuzz_check(w.set && strcmp(w.text, v->text) == 0);
}

struct check {
        const sw_config *c;
        int left;
};

static void
check_value(void *arg, const struct sw_config_value *v)
{
        struct check *check = arg;
        struct sw_config_value w;

        check_text(v->key);
        check_text(v->text);
        fuzz_check(sw_config_value(check->c, v->key, &w));
        fuzz_check(strcmp(w.text, v->text) == 0 && w.set == v->set);
        fuzz_check(sw_config_has(check->c, v->key) == v->set);
        if (v->origin == SW_FROM_FILE) {
                fuzz_check(v->line > 0 && v->column > 0);
                if (check->left-- > 0)
                        check_read_back(v);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char before[] = "root: /before\nregistry: {before: {http: true}}\n";
        sw_autoptr(sw_config) c = sw__config_empty();
        struct check check = { c, READ_BACK };
        sw_auto(sw_strlist) names = { 0 };

        fuzz_check(fuzz_ok(sw_config_load_text(c, "before", before, strlen(before))));
        sw_err *err = sw_config_load_text(c, NAME, (const char *) data, size);
        if (err) {
                check_refusal(err);
                fuzz_check(strcmp(sw_config_str(c, "root"), "/before") == 0);
                sw_config_names(c, "registry", &names);
                fuzz_check(names.n == 1);
                return 0;
        }
        sw_config_each(c, check_value, &check);
        /* a second time on top of itself */
        fuzz_check(fuzz_ok(sw_config_load_text(c, NAME, (const char *) data, size)));
        return 0;
}
