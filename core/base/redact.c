/*
 * core/base/redact.c - what is not to be shown or kept of what people typed.
 *
 * Thread: any.
 */
#include <string.h>
#include <strings.h>

#include <slipway/text.h>

#include "core/base/redact.h"

#define HIDDEN "xxxxx"

/* "user:password@" of what follows "://", with its '@'; 0: there is none. */
static size_t
userinfo(const char *s)
{
        size_t n = strcspn(s, "/?#@ \t\r\n\"'`<>");
        size_t last = 0;

        /* a password may have an '@' in it that nobody escaped; what is in front of a
         * digest is the name of an image */
        while (s[n] == '@' && !sw_str_has_prefix(s + n, "@sha256:")) {
                last = n + 1;
                n = last + strcspn(s + last, "/?#@ \t\r\n\"'`<>");
        }
        return last;
}

/* Bytes that are no UTF-8 become U+FFFD. */
static void
add_utf8(sw_buf *out, const char *s, size_t n)
{
        if (sw_utf8_valid(s, n)) {
                sw_buf_add(out, s, n);
                return;
        }
        while (n > 0) {
                size_t k = 1;

                while (k < 4 && k < n && !sw_utf8_valid(s, k))
                        k++;
                if (sw_utf8_valid(s, k)) {
                        sw_buf_add(out, s, k);
                } else {
                        sw_buf_adds(out, "\xef\xbf\xbd");
                        k = 1;
                }
                s += k;
                n -= k;
        }
}

char *
sw__redact(const char *s)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        const char *at;

        while ((at = strstr(s, "://"))) {
                size_t n;

                at += strlen("://");
                add_utf8(&out, s, (size_t) (at - s));
                n = userinfo(at);
                if (n)
                        sw_buf_adds(&out, memchr(at, ':', n) ? HIDDEN ":" HIDDEN "@"
                                                             : HIDDEN "@");
                s = at + n;
        }
        add_utf8(&out, s, strlen(s));
        return sw_buf_detach(&out);
}

/* Words that make a name that of a secret, and one that takes it back. */
static const char *const secret_words[] = { "apikey",      "auth",      "credential",
                                            "credentials", "key",       "password",
                                            "pword",       "passwd",    "secret",
                                            "token",       "passphrase" };

static bool
is_word(const char *s, size_t n, const char *word)
{
        return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

static bool
is_secret(const char *key)
{
        bool found = false;

        while (*key) {
                size_t n = strcspn(key, "_-.:");

                if (is_word(key, n, "public"))
                        return false;
                for (size_t i = 0; i < SW_COUNT(secret_words); i++)
                        found |= is_word(key, n, secret_words[i]);
                key += n + (key[n] != '\0');
        }
        return found;
}

char *
sw__redact_value(const char *key, const char *value)
{
        if (*value && is_secret(key))
                return sw_strdup(HIDDEN);
        return sw__redact(value);
}
