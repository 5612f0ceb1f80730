/*
 * tests/fuzz/expand_fuzz.c - words with variables. The first byte says how they are read;
 * then, up to a NUL, the value that half of the variables have; then the word. Small
 * patterns are matched a second time by trying everything.
 */
#include <slipway/text.h>

#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/parse.h"
#include "lib/dockerfile/subst.h"
#include "tests/fuzz/fuzz.h"

static const char *
get(void *arg, const char *name, size_t len)
{
        return len && name[0] < 'n' ? arg : NULL;
}

/* Whether @p matches all of @n bytes of @s. ASCII. */
static bool
slow_match(const char *p, const char *s, size_t n)
{
        if (!*p)
                return n == 0;
        if (*p == '*')
                return slow_match(p + 1, s, n) ||
                       (n && *s != '\n' && slow_match(p, s + 1, n - 1));
        if (*p == '\\' && p[1])
                p++;
        else if (*p == '?')
                return n && *s != '\n' && slow_match(p + 1, s + 1, n - 1);
        return n && *s == *p && slow_match(p + 1, s + 1, n - 1);
}

static void
check_trim(const char *p, const char *s, enum sw_df_trim side, bool greedy)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        size_t n = strlen(s), best = SIZE_MAX;

        if (!fuzz_ok(sw_df_subst_trim(side, greedy, p, s, &out)))
                return;
        for (size_t k = 0; k <= n; k++) {
                bool match = slow_match(p, side == SW_DF_TRIM_PREFIX ? s : s + n - k, k);

                if (match && (best == SIZE_MAX || greedy))
                        best = k;
        }
        best = best == SIZE_MAX ? 0 : best;
        fuzz_check(out.len == n - best);
        fuzz_check(memcmp(out.data, side == SW_DF_TRIM_PREFIX ? s + best : s, out.len) ==
                   0);
}

static void
check_replace(const char *p, const char *s)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        size_t n = strlen(s), from, k;

        if (!fuzz_ok(sw_df_subst_replace(false, p, s, "<>", 1000, &out)))
                return;
        for (from = 0; from <= n; from++) {
                for (k = n - from; k > 0 && !slow_match(p, s + from, k);)
                        k--;
                if (slow_match(p, s + from, k))
                        break;
        }
        if (from > n) {
                fuzz_check(strcmp(out.data, s) == 0);
                return;
        }
        fuzz_check(out.len == n - k + 2 && memcmp(out.data, s, from) == 0);
        fuzz_check(memcmp(out.data + from, "<>", 2) == 0);
        fuzz_check(strcmp(out.data + from + 2, s + from + k) == 0);
}

static void
check_patterns(const char *p, const char *s)
{
        sw_auto(sw_buf) all = SW_BUF_INIT;

        (void) fuzz_ok(sw_df_subst_replace(true, p, s, "ab", 1 << 20, &all));
        if (strlen(p) > 10 || strlen(s) > 14 || strstr(p, "\\}") || strstr(p, "\\/"))
                return;
        for (const char *c = p; *c; c++)
                if ((unsigned char) *c >= 0x80)
                        return;
        for (const char *c = s; *c; c++)
                if ((unsigned char) *c >= 0x80)
                        return;
        for (int greedy = 0; greedy < 2; greedy++) {
                check_trim(p, s, SW_DF_TRIM_PREFIX, greedy);
                check_trim(p, s, SW_DF_TRIM_SUFFIX, greedy);
        }
        check_replace(p, s);
}

static void
check_word(const struct sw_df_lex *lex, const char *word)
{
        sw_auto(sw_buf) once = SW_BUF_INIT, twice = SW_BUF_INIT;
        sw_auto(sw_strlist) words = { 0 };
        size_t n = strlen(word);

        if (!fuzz_ok(sw_df_expand(lex, word, &once))) {
                fuzz_check(once.len == 0);
                fuzz_check(!fuzz_ok(sw_df_expand_words(lex, word, &words)) && !words.n);
                return;
        }
        fuzz_check(strlen(once.data) == once.len);
        fuzz_check(once.len <= SW_DF_EXPAND_MAX + 4 * n);
        fuzz_check(fuzz_ok(sw_df_expand(lex, word, &twice)));
        fuzz_check(strcmp(once.data, twice.data) == 0);
        if (fuzz_ok(sw_df_expand_words(lex, word, &words)))
                for (size_t i = 0; i < words.n; i++)
                        fuzz_check(*words.v[i]);
        for (size_t i = 0; lex->unmatched && i < lex->unmatched->n; i++)
                fuzz_check(!lex->matched ||
                           !sw_strlist_has(lex->matched, lex->unmatched->v[i]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_strlist) matched = { 0 }, unmatched = { 0 };

        if (size < 2)
                return 0;
        size_t value_len = strnlen((const char *) data + 1, size - 1);
        sw_auto(sw_str) value = sw_strndup((const char *) data + 1, value_len);
        size_t at = value_len + 2 < size ? value_len + 2 : size;
        sw_auto(sw_str) word = sw_strndup((const char *) data + at, size - at);
        struct sw_df_lex lex = { .escape = data[0] & 0x80 ? '`' : '\\',
                                 .flags = data[0] & 0xf,
                                 .get = get,
                                 .arg = value,
                                 .matched = data[0] & 0x10 ? &matched : NULL,
                                 .unmatched = data[0] & 0x10 ? &unmatched : NULL };
        char *name = NULL;

        check_word(&lex, word);
        check_patterns(word, value);
        if (sw_df_heredoc_word(word, &name))
                fuzz_check(name != NULL);
        free(name);
        return 0;
}
