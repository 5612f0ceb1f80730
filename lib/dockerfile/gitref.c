/* lib/dockerfile/gitref.c - see gitref.h. */
#include <string.h>
#include <strings.h>

#include <slipway/buf.h>
#include <slipway/mem.h>
#include <slipway/text.h>

#include "lib/dockerfile/gitref.h"
#include "lib/dockerfile/said.h"

enum { MAX_REF = 16 * 1024 };

/* What a query may say; each key once. */
enum key {
        KEY_REF,
        KEY_TAG,
        KEY_BRANCH,
        KEY_SUBDIR,
        KEY_CHECKSUM,
        KEY_COMMIT,
        KEY_KEEP_GIT_DIR,
        KEY_SUBMODULES,
        KEY_MTIME,
        KEY_FETCH_BY_COMMIT,
        N_KEYS
};
static const char *const key_names[N_KEYS] = {
        "ref",    "tag",          "branch",     "subdir", "checksum",
        "commit", "keep-git-dir", "submodules", "mtime",  "fetch-by-commit",
};

typedef struct query {
        char *value[N_KEYS]; /* NULL: not there */
} query;

static void
query_release(query *q)
{
        for (size_t i = 0; i < N_KEYS; i++)
                free(q->value[i]);
}
SW_DEFINE_AUTO(query, query_release)

void
sw_df_gitref_release(sw_df_gitref *g)
{
        free(g->remote);
        free(g->ref);
        free(g->subdir);
        free(g->checksum);
        free(g->mtime);
        memset(g, 0, sizeof(*g));
}

static int
hex(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text of a URL without its escapes; NULL when one is broken or stands for NUL. */
static char *
unescape(const char *s, size_t n, bool plus)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < n; i++) {
                char c = plus && s[i] == '+' ? ' ' : s[i];

                if (c == '%') {
                        int hi = n - i > 2 ? hex(s[i + 1]) : -1;
                        int lo = n - i > 2 ? hex(s[i + 2]) : -1;

                        if (hi < 0 || lo < 0 || (hi | lo) == 0)
                                return NULL;
                        c = (char) (hi << 4 | lo);
                        i += 2;
                }
                sw_buf_addc(&out, c);
        }
        return sw_buf_detach(&out);
}

/* ---- Is it one? ---- */

static bool
is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "user@host:", as scp writes it. */
static bool
is_scp(const char *s)
{
        const char *p = s;

        while (is_alnum(*p) || *p == '-' || *p == '_')
                p++;
        if (p == s || *p != '@')
                return false;
        s = ++p;
        while (is_alnum(*p) || *p == '-' || *p == '.')
                p++;
        return p > s && *p == ':';
}

/* Whether the URL with a scheme of @n characters names a repository. @plain: bytes before
 * fragment and query. */
static bool
is_git_url(const char *s, size_t n, size_t plain)
{
        const char *host = s + n + 3, *path;
        sw_auto(sw_str) decoded = NULL;
        bool web = (n == 4 && strncasecmp(s, "http", 4) == 0) ||
                   (n == 5 && strncasecmp(s, "https", 5) == 0);

        if (!web && !(n == 3 && strncasecmp(s, "ssh", 3) == 0) &&
            !(n == 3 && strncasecmp(s, "git", 3) == 0))
                return false;
        path = (const char *) memchr(host, '/', plain - n - 3);
        if (!path || path == host)
                return !web && !path && plain > n + 3;
        decoded = unescape(path, plain - (size_t) (path - s), false);
        return decoded && (!web || sw_str_has_suffix(decoded, ".git"));
}

static bool
is_reference(const char *s, size_t plain, bool *like_local)
{
        size_t n = 0;

        *like_local = false;
        if (strnlen(s, MAX_REF + 1) > MAX_REF || sw_str_has_prefix(s, "./") ||
            sw_str_has_prefix(s, "../"))
                return false;
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return false;
        if (sw_str_has_prefix(s, "github.com/")) {
                *like_local = true;
                return true;
        }
        while (is_alnum(s[n]))
                n++;
        if (n && strncmp(s + n, "://", 3) == 0)
                return is_git_url(s, n, plain);
        return is_scp(s);
}

/* ---- The query ---- */

static sw_err *
add_query(query *q, const char *pair, size_t n)
{
        const char *eq = (const char *) memchr(pair, '=', n);
        size_t n_key = eq ? (size_t) (eq - pair) : n;
        sw_auto(sw_str) key = unescape(pair, n_key, true);
        sw_auto(sw_str) value = eq ? unescape(eq + 1, n - n_key - 1, true) : sw_strdup("");

        if (!key || !value || memchr(pair, ';', n))
                return SW_OK; /* as Go's url.Query: what is malformed is left out */
        for (int i = 0; i < N_KEYS; i++) {
                if (strcmp(key, key_names[i]) != 0)
                        continue;
                if (q->value[i])
                        return sw_df_err(SW_E_INVALID, "query \"%s\" has multiple values",
                                         key);
                if (!*value && i != KEY_KEEP_GIT_DIR && i != KEY_SUBMODULES &&
                    i != KEY_FETCH_BY_COMMIT)
                        return sw_df_err(SW_E_INVALID, "query \"%s\" has no value", key);
                q->value[i] = sw_steal(value);
                return SW_OK;
        }
        return sw_df_err(SW_E_INVALID, "unexpected query \"%s\"", key);
}

static sw_err *
parse_query(const char *s, size_t n, query *q)
{
        const char *end = s + n;
        sw_err *err = SW_OK;

        while (s < end && !err) {
                const char *amp = (const char *) memchr(s, '&', (size_t) (end - s));
                const char *stop = amp ? amp : end;

                if (stop > s)
                        err = add_query(q, s, (size_t) (stop - s));
                s = amp ? amp + 1 : end;
        }
        return err;
}

/* Let *@slot be @value, which it may not contradict. */
static sw_err *
settle(const char *what, char **slot, const char *value)
{
        if (**slot && strcmp(*slot, value) != 0)
                return sw_df_err(SW_E_INVALID, "%s conflicts: \"%s\" vs \"%s\"", what,
                                 *slot, value);
        free(*slot);
        *slot = sw_strdup(value);
        return SW_OK;
}

static sw_err *
settle_named(const char *prefix, const char *name, sw_df_gitref *g)
{
        sw_auto(sw_str) full =
                sw_asprintf("%s%s", sw_str_has_prefix(name, prefix) ? "" : prefix, name);

        return settle("ref", &g->ref, full);
}

static sw_err *
take_bool(const query *q, enum key key, enum sw_df_maybe *out)
{
        const char *value = q->value[key];
        bool yes = true;

        if (!value)
                return SW_OK;
        if (*value) {
                sw_err *err = sw_parse_bool(value, &yes);

                if (err) {
                        sw_err_drop(err, "said in the reference's words");
                        return sw_df_err(SW_E_INVALID, "invalid %s value: \"%s\"",
                                         key_names[key], value);
                }
        }
        *out = yes ? SW_DF_YES : SW_DF_NO;
        return SW_OK;
}

static sw_err *
take_bools(const query *q, sw_df_gitref *g)
{
        const char *mtime = q->value[KEY_MTIME];
        sw_err *err = take_bool(q, KEY_KEEP_GIT_DIR, &g->keep_git_dir);

        if (!err)
                err = take_bool(q, KEY_SUBMODULES, &g->submodules);
        if (!err)
                err = take_bool(q, KEY_FETCH_BY_COMMIT, &g->fetch_by_commit);
        if (!err && mtime && strcmp(mtime, "commit") != 0 && strcmp(mtime, "checkout") != 0)
                err = sw_df_err(SW_E_INVALID, "invalid mtime value: \"%s\"", mtime);
        if (!err && mtime) {
                free(g->mtime);
                g->mtime = sw_strdup(mtime);
        }
        return err;
}

static sw_err *
take_query(const query *q, sw_df_gitref *g)
{
        const char *commit = q->value[KEY_CHECKSUM] ?: q->value[KEY_COMMIT];
        sw_err *err = SW_OK;

        if (q->value[KEY_REF])
                err = settle("ref", &g->ref, q->value[KEY_REF]);
        if (!err && q->value[KEY_SUBDIR])
                err = settle("subdir", &g->subdir, q->value[KEY_SUBDIR]);
        if (!err && commit)
                err = settle("checksum", &g->checksum, commit);
        if (!err && q->value[KEY_COMMIT])
                err = settle("checksum", &g->checksum, q->value[KEY_COMMIT]);
        if (!err)
                err = take_bools(q, g);
        if (!err && q->value[KEY_TAG])
                err = settle_named("refs/tags/", q->value[KEY_TAG], g);
        if (!err && q->value[KEY_BRANCH] && q->value[KEY_TAG])
                err = sw_df_err(SW_E_INVALID, "branch conflicts with tag");
        if (!err && q->value[KEY_BRANCH])
                err = settle_named("refs/heads/", q->value[KEY_BRANCH], g);
        if (!err && *g->checksum && !*g->ref)
                err = settle("ref", &g->ref, g->checksum);
        return err;
}

/* ---- All of it ---- */

static sw_err *
take_fragment(const char *fragment, sw_df_gitref *g)
{
        sw_auto(sw_str) text = unescape(fragment, strlen(fragment), false);
        size_t n;

        if (!text)
                return sw_df_err(SW_E_INVALID, "broken %% escape in fragment \"%s\"",
                                 fragment);
        n = strcspn(text, ":");
        g->ref = sw_strndup(text, n);
        g->subdir = sw_strdup(text[n] ? text + n + 1 : "");
        return SW_OK;
}

sw_err *
sw_df_gitref_parse(const char *s, bool *is_git, sw_df_gitref *out)
{
        size_t n_url = strcspn(s, "#"), plain = strcspn(s, "?#");
        sw_auto(sw_df_gitref) g = { .remote = NULL };
        sw_auto(query) q = { { NULL } };
        sw_err *err;

        *is_git = is_reference(s, plain, &g.like_local);
        if (!*is_git)
                return SW_OK;
        g.remote = sw_strndup(s, plain);
        g.checksum = sw_strdup("");
        g.mtime = sw_strdup("");
        err = take_fragment(s[n_url] ? s + n_url + 1 : "", &g);
        if (!err && n_url > plain)
                err = parse_query(s + plain + 1, n_url - plain - 1, &q);
        if (!err)
                err = take_query(&q, &g);
        if (err)
                return err;
        *out = g;
        memset(&g, 0, sizeof(g));
        return SW_OK;
}
