/*
 * tests/fuzz/challenge_fuzz.c - WWW-Authenticate headers: what was taken apart and is put
 * together again is taken apart as the same.
 */
#include <slipway/mem.h>

#include "lib/registry/parse.h"
#include "tests/fuzz/fuzz.h"

static void
write_value(sw_buf *b, const char *s)
{
        sw_buf_addc(b, '"');
        for (; *s; s++) {
                fuzz_check((unsigned char) *s >= 0x20 || *s == '\t');
                if (*s == '"' || *s == '\\')
                        sw_buf_addc(b, '\\');
                sw_buf_addc(b, *s);
        }
        sw_buf_addc(b, '"');
}

static void
write_all(const sw__challenges *all, sw_buf *b)
{
        for (size_t i = 0; i < all->n; i++) {
                const struct sw__challenge *c = &all->v[i];

                sw_buf_addf(b, "%s%s", i ? ", " : "", c->scheme);
                fuzz_check(!c->token68 || c->params.n == 0);
                if (c->token68)
                        sw_buf_addf(b, " %s", c->token68);
                for (size_t k = 0; k < c->params.n; k++) {
                        sw_buf_addf(b, "%s%s=", k ? ", " : " ", c->params.v[k].name);
                        write_value(b, c->params.v[k].value);
                }
        }
}

static void
check_same(const sw__challenges *a, const sw__challenges *b)
{
        fuzz_check(a->n == b->n);
        for (size_t i = 0; i < a->n; i++) {
                const struct sw__challenge *x = &a->v[i], *y = &b->v[i];

                fuzz_check(strcmp(x->scheme, y->scheme) == 0);
                fuzz_check(strcmp(x->token68 ?: "", y->token68 ?: "") == 0);
                fuzz_check(x->params.n == y->params.n);
                for (size_t k = 0; k < x->params.n; k++) {
                        const char *value = sw__challenge_param(y, x->params.v[k].name);

                        fuzz_check(value && strcmp(value, x->params.v[k].value) == 0);
                }
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_str) text = sw_strndup(size ? (const char *) data : "", size);
        sw_auto(sw__challenges) all = { 0 };
        sw_auto(sw__challenges) again = { 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (!fuzz_ok(sw__challenge_parse(text, &all)))
                return 0;
        write_all(&all, &b);
        if (b.len < 16000) /* escapes make it longer than the original */
                fuzz_check(fuzz_ok(sw__challenge_parse(b.data, &again)));
        else
                return 0;
        check_same(&all, &again);
        return 0;
}
