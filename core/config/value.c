/*
 * core/config/value.c - one value of the configuration.
 *
 * The text that `explain` prints is YAML: a scalar that would read differently without
 * quotes gets them, lists and maps are written in flow form. So what is printed can be
 * put into a file again, and holds no control characters.
 *
 * Thread: that of the config.
 */
#include <string.h>

#include <slipway/time.h>

#include "core/base/utf8.h"
#include "core/config/internal.h"

struct sw__val *
sw__val_new(const struct sw__config_key *row, const char *key, enum sw_config_origin origin,
            const char *where)
{
        struct sw__val *v = sw_new(struct sw__val);

        v->row = row;
        v->type = row->type;
        v->key = sw_strdup(key);
        v->origin = origin;
        v->where = sw_strdup(where);
        return v;
}

void
sw__val_free(void *val)
{
        struct sw__val *v = val;

        if (!v)
                return;
        sw_strlist_release(&v->items);
        free(v->key);
        free(v->text);
        free(v->where);
        free(v);
}

static sw_err *
check_nul(const char *s, size_t len)
{
        if (memchr(s, '\0', len))
                return sw_err_new(SW_E_CONFIG, "has a NUL byte");
        return SW_OK;
}

sw_err *
sw__val_add(struct sw__val *v, const char *s, size_t len, enum sw__style style)
{
        char *text;
        sw_err *err = check_nul(s, len);

        if (!err)
                err = sw__check_scalar(v->row, v->type, s, style, v, &text);
        if (err)
                return err;
        if (v->type != SW_CONFIG_LIST)
                sw_strlist_release(&v->items);
        sw_strlist_take(&v->items, text);
        return SW_OK;
}

sw_err *
sw__val_add_pair(struct sw__val *v, const char *name, const char *s, size_t len,
                 enum sw__style style)
{
        char *text;
        sw_err *err = check_nul(s, len);

        if (!err)
                err = sw__check_scalar(v->row, v->type, s, style, v, &text);
        if (err)
                return err;
        sw_strlist_add(&v->items, name);
        sw_strlist_take(&v->items, text);
        return SW_OK;
}

const char *
sw__val_entry(const struct sw__val *v, const char *name)
{
        for (size_t i = 0; i + 1 < v->items.n; i += 2) {
                if (strcmp(v->items.v[i], name) == 0)
                        return v->items.v[i + 1];
        }
        return NULL;
}

/* Whether @s is the same text when written in YAML without quotes, also inside []. */
static bool
is_plain_safe(const char *s)
{
        static const char *const words[] = { "null", "Null", "NULL", "~" };
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        size_t len = strlen(s);

        if (len == 0 || strchr("-?:,[]{}#&*!|>'\"%@` ", s[0]) || s[len - 1] == ' ' ||
            s[len - 1] == ':' || strpbrk(s, ",[]{}") || strstr(s, ": ") || strstr(s, " #"))
                return false;
        for (size_t i = 0; i < SW_COUNT(words); i++) {
                if (strcmp(s, words[i]) == 0)
                        return false;
        }
        sw__buf_add_escaped(&shown, s, len, SIZE_MAX, '\0');
        return strcmp(shown.data, s) == 0;
}

/* One character in double quotes; what terminals must not see by its number. */
static size_t
add_quoted_char(sw_buf *b, const char *s, size_t len)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        uint32_t c = 0;
        size_t n = sw__utf8_decode(s, len, &c);

        if (n == 0) { /* not from a file: those are UTF-8 */
                sw_buf_addf(b, "\\x%02x", (unsigned char) *s);
                return 1;
        }
        sw__buf_add_escaped(&shown, s, n, SIZE_MAX, '"');
        if (n > 1 && shown.len != n)
                sw_buf_addf(b, "\\u%04x", c); /* none is above U+FFFF */
        else
                sw_buf_add(b, shown.data, shown.len);
        return n;
}

static void
add_yaml(sw_buf *b, const char *s)
{
        size_t len = strlen(s);

        if (is_plain_safe(s)) {
                sw_buf_add(b, s, len);
                return;
        }
        sw_buf_addc(b, '"');
        for (size_t i = 0; i < len;)
                i += add_quoted_char(b, s + i, len - i);
        sw_buf_addc(b, '"');
}

static void
add_list(sw_buf *b, const sw_strlist *items)
{
        sw_buf_addc(b, '[');
        for (size_t i = 0; i < items->n; i++) {
                sw_buf_adds(b, i ? ", " : "");
                add_yaml(b, items->v[i]);
        }
        sw_buf_addc(b, ']');
}

static void
add_map(sw_buf *b, const sw_strlist *items)
{
        sw_buf_addc(b, '{');
        for (size_t i = 0; i + 1 < items->n; i += 2) {
                sw_buf_adds(b, i ? ", " : "");
                add_yaml(b, items->v[i]);
                sw_buf_adds(b, ": ");
                add_yaml(b, items->v[i + 1]);
        }
        sw_buf_addc(b, '}');
}

void
sw__val_finish(struct sw__val *v)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        char duration[SW_TIME_STR_SIZE];

        switch (v->type) {
        case SW_CONFIG_BOOL: sw_buf_adds(&b, v->num ? "true" : "false"); break;
        case SW_CONFIG_INT: sw_buf_addf(&b, "%lld", (long long) v->num); break;
        case SW_CONFIG_DURATION: sw_buf_adds(&b, sw_duration_str(v->num, duration)); break;
        case SW_CONFIG_LIST: add_list(&b, &v->items); break;
        case SW_CONFIG_MAP: add_map(&b, &v->items); break;
        default: add_yaml(&b, v->items.v[0]); break;
        }
        free(v->text);
        v->text = sw_buf_detach(&b);
}
