/*
 * core/session/dockerauth.c - credentials for registries, from where docker and podman
 * keep them; see slipway/localsession.h for the places.
 *
 * Files are read each time: logging in and out counts at once. What helpers say is kept
 * for a few minutes, since some ask the network or the user; one runs at a time.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/session/local.h"

#define MAX_FILE (4 * 1024 * 1024)
#define KEEP_NS  (290 * SW_NS_PER_SEC) /* less than the five minutes that tokens live */

struct answer {
        struct sw__dockercred cred;
        int64_t until;
};

struct sw__dockerauth {
        sw_strlist files;
        pthread_mutex_t lock; /* sw_ctx_lock() */
        sw_map *answers;      /* "NAME SERVER" -> struct answer */
};

static void
answer_free(void *p)
{
        struct answer *a = p;

        sw__dockercred_release(&a->cred);
        free(a);
}

/* $@variable/@rest, or ~/@otherwise/@rest. */
static void
add_place(sw_strlist *l, const char *variable, const char *otherwise, const char *rest)
{
        const char *dir = variable ? getenv(variable) : NULL;
        const char *home = getenv("HOME");

        if (dir && *dir)
                sw_strlist_take(l, sw_asprintf("%s/%s", dir, rest));
        else if (otherwise && home && *home)
                sw_strlist_take(l, sw_asprintf("%s/%s/%s", home, otherwise, rest));
}

struct sw__dockerauth *
sw__dockerauth_new(void)
{
        struct sw__dockerauth *a = sw_new(struct sw__dockerauth);
        const char *only = getenv("REGISTRY_AUTH_FILE");

        pthread_mutex_init(&a->lock, NULL);
        a->answers = sw_map_new(answer_free);
        if (only && *only) {
                sw_strlist_add(&a->files, only);
                return a;
        }
        add_place(&a->files, "DOCKER_CONFIG", ".docker", "config.json");
        add_place(&a->files, "XDG_RUNTIME_DIR", NULL, "containers/auth.json");
        add_place(&a->files, "XDG_CONFIG_HOME", ".config", "containers/auth.json");
        return a;
}

void
sw__dockerauth_free(struct sw__dockerauth *a)
{
        if (!a)
                return;
        sw_strlist_release(&a->files);
        sw_map_free(a->answers);
        pthread_mutex_destroy(&a->lock);
        free(a);
}

void
sw__dockerauth_places(const struct sw__dockerauth *a, sw_buf *out)
{
        sw_auto(sw_str) list = sw_strlist_join(&a->files, ", ");

        sw_buf_adds(out, a->files.n > 0 ? list : "no file, for there is no $HOME");
}

/* What a helper has; @c gets its user and secret. */
static sw_err *
ask_helper(struct sw__dockerauth *a, sw_ctx *ctx, const char *host,
           struct sw__dockercred *c)
{
        const char *server = sw__dockerconfig_server(host);
        sw_auto(sw_str) key = sw_asprintf("%s %s", c->helper, server);
        struct sw__dockercred said = { 0 };

        sw_err *err = sw_ctx_lock(ctx, &a->lock);
        if (err)
                return err;
        struct answer *known = sw_map_get(a->answers, key);
        if (!known || sw_time_mono() >= known->until) {
                err = sw__credhelper_get(ctx, c->helper, server, &said.user, &said.secret);
                if (!err) {
                        known = sw_new(struct answer);
                        known->cred = said;
                        known->until = sw_time_mono() + KEEP_NS;
                        (void) sw_map_set(a->answers, key, known);
                }
        }
        if (!err && known->cred.secret) {
                free(c->user);
                free(c->secret);
                c->user = sw_strdup(known->cred.user);
                c->secret = sw_strdup(known->cred.secret);
        }
        pthread_mutex_unlock(&a->lock);
        return err;
}

static sw_err *
look_in(struct sw__dockerauth *a, sw_ctx *ctx, const char *file, const char *host,
        struct sw__dockercred *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, file, MAX_FILE);
        if (sw_err_code(err) == SW_E_NOT_FOUND || sw_err_errno(err) == ENOTDIR) {
                sw_err_drop(err, "nobody logged in by that file");
                return SW_OK;
        }
        if (!err)
                err = sw__dockerconfig_find(file, text.data, text.len, host, out);
        explicit_bzero(text.data, text.len);
        if (!err && out->helper)
                err = sw_err_wrap(ask_helper(a, ctx, host, out), "%s", file);
        return err;
}

sw_err *
sw__dockerauth_get(struct sw__dockerauth *a, sw_ctx *ctx, const char *host, char **user,
                   char **secret)
{
        for (size_t i = 0; i < a->files.n; i++) {
                struct sw__dockercred c = { 0 };
                sw_err *err = look_in(a, ctx, a->files.v[i], host, &c);

                if (!err && c.secret) {
                        *user = sw_steal(c.user);
                        *secret = sw_steal(c.secret);
                }
                bool found = !err && *secret;
                sw__dockercred_release(&c);
                if (err || found)
                        return err;
        }
        return SW_OK;
}
