/*
 * core/session/dockerconfig.c - Docker's config.json: which credentials a host has.
 *
 *      { "auths":       { HOST: { "auth": base64 of "user:secret" }      or "username" and
 *                                 "password", "identitytoken", "registrytoken" }, … },
 *        "credHelpers": { HOST: NAME, … },       docker-credential-NAME has them
 *        "credsStore":  NAME }                   for hosts without a helper of their own
 *
 * HOST is a host with its port, or a URL of it; Docker Hub goes by several names. A helper
 * comes before what the file itself has, as with docker.
 * Pure; any thread.
 */
#include <string.h>
#include <strings.h>

#include <slipway/json.h>
#include <slipway/text.h>

#include "core/session/local.h"

#define HUB "https://index.docker.io/v1/"

static void
wipe(char **s)
{
        if (*s)
                explicit_bzero(*s, strlen(*s));
        free(*s);
        *s = NULL;
}

void
sw__dockercred_release(struct sw__dockercred *c)
{
        wipe(&c->secret);
        free(c->user);
        free(c->helper);
        memset(c, 0, sizeof(*c));
}

sw_err *
sw__parse_secret_json(const char *what, const char *p, size_t n, sw_json **out)
{
        sw_err *err = sw_json_parse(what, p, n, out);
        const char *message = sw_err_message(err);

        if (!err)
                return SW_OK;
        const char *near = strstr(message + strlen(what), " near '");
        size_t len = near ? (size_t) (near - message) : strlen(message);
        sw_err *without = sw_err_new(SW_E_INVALID, "%.*s", (int) len, message);
        sw_err_free(err);
        return without;
}

static bool
is_hub(const char *host, size_t n)
{
        static const char *const names[] = { "docker.io", "index.docker.io",
                                             "registry-1.docker.io" };

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                if (strlen(names[i]) == n && strncasecmp(names[i], host, n) == 0)
                        return true;
        }
        return false;
}

const char *
sw__dockerconfig_server(const char *host)
{
        return is_hub(host, strlen(host)) ? HUB : host;
}

/* Whether a key of the file is about a host: the host itself, or a URL of its API. A path
 * below that is another thing: the credentials of one repository. */
static bool
is_about(const char *key, const char *host)
{
        static const char *const paths[] = { "", "/", "/v1", "/v1/", "/v2", "/v2/" };
        size_t n;

        if (strncasecmp(key, "https://", 8) == 0)
                key += 8;
        else if (strncasecmp(key, "http://", 7) == 0)
                key += 7;
        n = strcspn(key, "/");
        bool same = strlen(host) == n && strncasecmp(host, key, n) == 0;
        if (!same && !(is_hub(host, strlen(host)) && is_hub(key, n)))
                return false;
        for (size_t i = 0; i < SW_COUNT(paths); i++) {
                if (strcmp(key + n, paths[i]) == 0)
                        return true;
        }
        return false;
}

/* The member about a host; the one that is written as docker does comes first. */
static sw_json *
find(sw_json *o, const char *host, const char **key)
{
        const char *k;
        json_t *v;
        sw_json *exact = json_object_get(o, sw__dockerconfig_server(host));

        *key = sw__dockerconfig_server(host);
        if (exact)
                return exact;
        json_object_foreach(o, k, v)
        {
                if (is_about(k, host)) {
                        *key = k;
                        return v;
                }
        }
        return NULL;
}

/* ---- auths ---- */

/* "user:secret"; NULs at the end are what some tools pad it with. */
static bool
split_auth(const char *text, struct sw__dockercred *out)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        bool good = false;

        if (!sw_base64_decode(text, strlen(text), &b))
                return false;
        while (b.len > 0 && b.data[b.len - 1] == '\0')
                sw_buf_truncate(&b, b.len - 1);
        const char *colon = memchr(b.data, ':', b.len);
        if (colon && colon > b.data && !memchr(b.data, '\0', b.len)) {
                out->user = sw_strndup(b.data, (size_t) (colon - b.data));
                out->secret = sw_strdup(colon + 1);
                good = true;
        }
        explicit_bzero(b.data, b.len);
        return good;
}

static sw_err *
read_entry(const sw_json *e, struct sw__dockercred *out)
{
        const char *auth = NULL, *user = NULL, *password = NULL, *identity = NULL;
        const char *token = NULL;

        if (!json_is_object(e))
                return sw_err_new(SW_E_INVALID, "it is no object");
        sw_err *err = sw_json_str(e, "auth", &auth);
        if (!err)
                err = sw_json_str(e, "username", &user);
        if (!err)
                err = sw_json_str(e, "password", &password);
        if (!err)
                err = sw_json_str(e, "identitytoken", &identity);
        if (!err)
                err = sw_json_str(e, "registrytoken", &token);
        if (err)
                return err;
        if (identity && *identity) {
                out->secret = sw_strdup(identity);
        } else if (token && *token) {
                out->user = sw_strdup("");
                out->secret = sw_strdup(token);
        } else if (auth && *auth) {
                if (!split_auth(auth, out))
                        return sw_err_new(SW_E_INVALID, "auth: it is not the base64 of "
                                                        "\"user:password\"");
        } else if (user && *user && password && *password) {
                out->user = sw_strdup(user);
                out->secret = sw_strdup(password);
        }
        return SW_OK;
}

static sw_err *
read_auths(const sw_json *doc, const char *host, struct sw__dockercred *out)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_json *auths = NULL;
        const char *key = NULL;

        sw_err *err = sw_json_obj(doc, "auths", &auths);
        const sw_json *e = err || !auths ? NULL : find(auths, host, &key);
        if (err || !e || json_is_null(e))
                return err;
        sw_buf_add_quoted(&shown, key, strlen(key), 128);
        return sw_err_wrap(read_entry(e, out), "auths.%s", shown.data);
}

/* ---- helpers ---- */

static bool
is_name(const char *s)
{
        for (const char *p = s; *p; p++) {
                if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                      (*p >= '0' && *p <= '9') || strchr("._-", *p)))
                        return false;
        }
        return *s != '\0' && strlen(s) < 100;
}

static sw_err *
take_name(const sw_json *v, const char *where, char **out)
{
        const char *name = json_string_value(v);

        if (json_is_null(v) || (name && !*name)) /* none, on purpose */
                return SW_OK;
        if (!name || !is_name(name))
                return sw_err_new(SW_E_INVALID, "%s: it is no name of a credential helper",
                                  where);
        *out = sw_strdup(name);
        return SW_OK;
}

static sw_err *
read_helpers(const sw_json *doc, const char *host, char **out)
{
        sw_json *helpers = NULL;
        const sw_json *own = NULL;
        const char *key = NULL;

        sw_err *err = sw_json_obj(doc, "credHelpers", &helpers);
        if (err)
                return err;
        if (helpers)
                own = find(helpers, host, &key);
        if (own)
                return take_name(own, "credHelpers", out);
        const sw_json *store = json_object_get(doc, "credsStore");
        return store ? take_name(store, "credsStore", out) : SW_OK;
}

sw_err *
sw__dockerconfig_find(const char *file, const char *text, size_t n, const char *host,
                      struct sw__dockercred *out)
{
        sw_autoptr(sw_json) doc = NULL;
        struct sw__dockercred found = { 0 };

        sw_err *err = sw__parse_secret_json(file, text, n, &doc);
        if (err)
                return err;
        if (!json_is_object(doc))
                return sw_err_new(SW_E_INVALID, "%s: it is no JSON object", file);
        err = read_helpers(doc, host, &found.helper);
        if (!err)
                err = read_auths(doc, host, &found);
        if (err) {
                sw__dockercred_release(&found);
                return sw_err_wrap(err, "%s", file);
        }
        *out = found;
        return SW_OK;
}
