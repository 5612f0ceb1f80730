/*
 * core/base/csv.c - one line of comma-separated values, as command lines have them.
 * Thread: any.
 */
#include <string.h>
#include <strings.h>

#include <slipway/text.h>

/* A field in double quotes, *s behind the first one. */
static sw_err *
quoted_field(const char **s, sw_buf *out)
{
        for (;; ++*s) {
                if (!**s)
                        return sw_err_new(SW_E_INVALID, "a '\"' is not closed");
                if (**s == '"' && *++*s != '"')
                        break;
                sw_buf_addc(out, **s);
        }
        if (**s && **s != ',')
                return sw_err_new(SW_E_INVALID, "text after a field in quotes");
        return SW_OK;
}

sw_err *
sw_csv_split(const char *s, sw_strlist *out)
{
        for (;; s++) {
                sw_auto(sw_buf) field = SW_BUF_INIT;

                if (*s == '"') {
                        s++;
                        sw_err *err = quoted_field(&s, &field);
                        if (err)
                                return err;
                } else {
                        size_t n = strcspn(s, ",\"\r\n");

                        sw_buf_add(&field, s, n);
                        s += n;
                        if (*s && *s != ',')
                                return sw_err_new(SW_E_INVALID,
                                                  "a quote or line break in a field that "
                                                  "does not begin with a quote");
                }
                sw_strlist_take(out, sw_buf_detach(&field));
                if (!*s)
                        return SW_OK;
        }
}

sw_err *
sw_csv_pair(const char *field, char **key, const char **value)
{
        const char *eq = strchr(field, '=');

        if (!eq)
                return sw_err_new(SW_E_INVALID, "invalid value %s", field);
        *key = sw_strndup(field, (size_t) (eq - field));
        for (char *k = *key; *k; k++) {
                if (*k >= 'A' && *k <= 'Z')
                        *k = (char) (*k - 'A' + 'a');
        }
        *value = eq + 1;
        return SW_OK;
}
