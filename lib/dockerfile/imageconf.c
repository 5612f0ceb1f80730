/* lib/dockerfile/imageconf.c - see imageconf.h: lists, copies, histories, JSON out. */
#include <inttypes.h>
#include <string.h>

#include <slipway/json.h>

#include "lib/dockerfile/imageconf.h"

#define COMMENT      "buildkit.dockerfile.v0"
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define WINDOWS_PATH "c:\\Windows\\System32;c:\\Windows"

static void *
grow(struct sw_df_arena *a, void *v, size_t n, size_t *cap, size_t size)
{
        size_t more = *cap ? *cap * 2 : 4;
        void *bigger;

        if (n < *cap)
                return v;
        bigger = sw_df_arena_take(a, more * size);
        if (n)
                memcpy(bigger, v, n * size);
        *cap = more;
        return bigger;
}

void
sw_df_list_add(struct sw_df_arena *a, struct sw_df_list *l, const char *s)
{
        l->v = (const char **) grow(a, l->v, l->n, &l->cap, sizeof(*l->v));
        l->v[l->n++] = s;
}

void
sw_df_list_copy(struct sw_df_arena *a, struct sw_df_list *l, const char *const *v, size_t n)
{
        l->v = sw_df_new_array(a, const char *, n + 1);
        if (n)
                memcpy(l->v, v, n * sizeof(*v));
        l->n = n;
        l->cap = n + 1;
}

static void
copy_table(struct sw_df_arena *a, const struct sw_df_table *src, struct sw_df_table *out)
{
        *out = *src;
        out->v = sw_df_new_array(a, struct sw_df_entry, src->n + 1);
        out->cap = src->n + 1;
        if (src->n)
                memcpy(out->v, src->v, src->n * sizeof(*src->v));
        sw_df_table_settle(out);
}

void
sw_df_image_settle(struct sw_df_image *img)
{
        sw_df_table_settle(&img->ports);
        sw_df_table_settle(&img->volumes);
        sw_df_table_settle(&img->labels);
}

void
sw_df_image_copy(struct sw_df_arena *a, const struct sw_df_image *src,
                 struct sw_df_image *out)
{
        *out = *src;
        copy_table(a, &src->ports, &out->ports);
        copy_table(a, &src->volumes, &out->volumes);
        copy_table(a, &src->labels, &out->labels);
        sw_df_list_copy(a, &out->env, src->env.v, src->env.n);
        sw_df_list_copy(a, &out->onbuild, src->onbuild.v, src->onbuild.n);
}

void
sw_df_image_scratch(struct sw_df_arena *a, const sw_platform *platform,
                    struct sw_df_image *out)
{
        bool windows = platform->os && strcmp(platform->os, "windows") == 0;

        memset(out, 0, sizeof(*out));
        out->arch = sw_df_dup(a, platform->arch);
        out->os = sw_df_dup(a, platform->os);
        out->variant = sw_df_dup(a, platform->variant);
        out->os_version = sw_df_dup(a, platform->os_version);
        for (size_t i = 0; platform->os_features && platform->os_features[i]; i++)
                sw_df_list_add(a, &out->os_features,
                               sw_df_dup(a, platform->os_features[i]));
        out->rootfs_type = "layers";
        out->workdir = "/";
        sw_df_list_add(a, &out->env, windows ? "PATH=" WINDOWS_PATH : "PATH=" DEFAULT_PATH);
}

void
sw_df_image_set_env(struct sw_df_arena *a, struct sw_df_image *img, const char *key,
                    const char *value)
{
        const char *pair = sw_df_printf(a, "%s=%s", key, value);
        size_t n = strlen(key);

        for (size_t i = 0; i < img->env.n; i++) {
                const char *have = img->env.v[i];

                if (strncmp(have, key, n) == 0 && (have[n] == '=' || !have[n])) {
                        img->env.v[i] = pair;
                        return;
                }
        }
        sw_df_list_add(a, &img->env, pair);
}

void
sw_df_image_add_history(struct sw_df_arena *a, struct sw_df_image *img,
                        const char *created_by, bool empty_layer, const char *created)
{
        struct sw_df_history *h = sw_df_new(a, struct sw_df_history);

        *h = (struct sw_df_history){
                .prev = img->history,
                .created = created,
                .created_by = created_by,
                .comment = COMMENT,
                .empty_layer = empty_layer,
        };
        img->history = h;
        img->n_history++;
        if (!empty_layer)
                img->has_layer_history = true;
}

/* ---- JSON: members with nothing in them are left out, but for rootfs ---- */

struct writer {
        sw_buf *b;
        bool some; /* of the object that is open */
};

static void
name(struct writer *w, const char *key)
{
        if (w->some)
                sw_buf_addc(w->b, ',');
        w->some = true;
        sw_buf_addc(w->b, '"');
        sw_buf_adds(w->b, key);
        sw_buf_adds(w->b, "\":");
}

static void
text(struct writer *w, const char *key, const char *value)
{
        if (!value || !*value)
                return;
        name(w, key);
        sw_json_add_str(w->b, value, strlen(value));
}

static void
number(struct writer *w, const char *key, int64_t value)
{
        if (!value)
                return;
        name(w, key);
        sw_buf_addf(w->b, "%" PRId64, value);
}

static void
truth(struct writer *w, const char *key, bool value)
{
        if (!value)
                return;
        name(w, key);
        sw_buf_adds(w->b, "true");
}

static void
add_array(sw_buf *b, const struct sw_df_list *l)
{
        sw_buf_addc(b, '[');
        for (size_t i = 0; i < l->n; i++) {
                if (i)
                        sw_buf_addc(b, ',');
                sw_json_add_str(b, l->v[i], strlen(l->v[i]));
        }
        sw_buf_addc(b, ']');
}

static void
list(struct writer *w, const char *key, const struct sw_df_list *l)
{
        if (!l->n)
                return;
        name(w, key);
        add_array(w->b, l);
}

static void
table(struct writer *w, const char *key, const struct sw_df_table *t)
{
        if (!t->n)
                return;
        name(w, key);
        for (size_t i = 0; i < t->n; i++) {
                const char *v = t->v[i].value;

                sw_buf_addc(w->b, i ? ',' : '{');
                sw_json_add_str(w->b, t->v[i].key, strlen(t->v[i].key));
                sw_buf_addc(w->b, ':');
                if (v)
                        sw_json_add_str(w->b, v, strlen(v));
                else
                        sw_buf_adds(w->b, "{}");
        }
        sw_buf_addc(w->b, '}');
}

static void
write_health(sw_buf *b, const struct sw_df_image_health *h)
{
        struct writer w = { b, false };

        sw_buf_addc(b, '{');
        list(&w, "Test", &h->test);
        number(&w, "Interval", h->interval);
        number(&w, "Timeout", h->timeout);
        number(&w, "StartPeriod", h->start_period);
        number(&w, "StartInterval", h->start_interval);
        number(&w, "Retries", h->retries);
        sw_buf_addc(b, '}');
}

static void
write_container(sw_buf *b, const struct sw_df_image *img)
{
        struct writer w = { b, false };

        sw_buf_addc(b, '{');
        text(&w, "User", img->user);
        table(&w, "ExposedPorts", &img->ports);
        list(&w, "Env", &img->env);
        list(&w, "Entrypoint", &img->entrypoint);
        list(&w, "Cmd", &img->cmd);
        table(&w, "Volumes", &img->volumes);
        text(&w, "WorkingDir", img->workdir);
        table(&w, "Labels", &img->labels);
        text(&w, "StopSignal", img->stop_signal);
        truth(&w, "ArgsEscaped", img->args_escaped);
        if (img->health) {
                name(&w, "Healthcheck");
                write_health(b, img->health);
        }
        list(&w, "OnBuild", &img->onbuild);
        list(&w, "Shell", &img->shell);
        sw_buf_addc(b, '}');
}

static void
write_history(sw_buf *b, const struct sw_df_history *h)
{
        struct writer w = { b, false };

        sw_buf_addc(b, '{');
        text(&w, "created", h->created);
        text(&w, "created_by", h->created_by);
        text(&w, "author", h->author);
        text(&w, "comment", h->comment);
        truth(&w, "empty_layer", h->empty_layer);
        sw_buf_addc(b, '}');
}

static void
write_histories(struct writer *w, const struct sw_df_image *img)
{
        const struct sw_df_history **v;
        size_t i = img->n_history;

        if (!i)
                return;
        v = (const struct sw_df_history **) sw_alloc_array(i, sizeof(*v));
        for (const struct sw_df_history *h = img->history; h; h = h->prev)
                v[--i] = h;
        name(w, "history");
        for (i = 0; i < img->n_history; i++) {
                sw_buf_addc(w->b, i ? ',' : '[');
                write_history(w->b, v[i]);
        }
        sw_buf_addc(w->b, ']');
        free(v);
}

/* Members that Go writes even when they are empty. */
static void
always(struct writer *w, const char *key, const char *value)
{
        name(w, key);
        sw_json_add_str(w->b, value ? value : "", value ? strlen(value) : 0);
}

void
sw_df_image_write(const struct sw_df_image *img, sw_buf *out)
{
        struct writer w = { out, false };

        sw_buf_addc(out, '{');
        text(&w, "created", img->created);
        text(&w, "author", img->author);
        always(&w, "architecture", img->arch);
        always(&w, "os", img->os);
        text(&w, "os.version", img->os_version);
        list(&w, "os.features", &img->os_features);
        text(&w, "variant", img->variant);
        name(&w, "rootfs");
        sw_buf_adds(out, "{\"type\":");
        sw_json_add_str(out, img->rootfs_type ? img->rootfs_type : "",
                        img->rootfs_type ? strlen(img->rootfs_type) : 0);
        sw_buf_adds(out, ",\"diff_ids\":");
        if (img->has_diff_ids)
                add_array(out, &img->diff_ids);
        else
                sw_buf_adds(out, "null");
        sw_buf_addc(out, '}');
        write_histories(&w, img);
        name(&w, "config");
        write_container(out, img);
        sw_buf_addc(out, '}');
}
