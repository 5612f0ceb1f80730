/*
 * tests/unit/lib/dockerfile/fakebridge.h - a bridge that has files, images and times by
 * name and builds nothing; and a conversion through it.
 */
#ifndef SLIPWAY_TESTS_DOCKERFILE_FAKEBRIDGE_H
#define SLIPWAY_TESTS_DOCKERFILE_FAKEBRIDGE_H

#include <string.h>

#include <slipway/definition.h>
#include <slipway/map.h>
#include <slipway/text.h>

#include "lib/dockerfile/convert.h"

/* The images of the vectors: name, digest, and what is in their configurations. */
#define FAKE_PATH                                                                          \
        "\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"]"
static const struct fake_image {
        const char *name, *digest, *config; /* config: from "architecture" on */
} fake_images[] = {
        { "docker.io/library/busybox:latest",
          "sha256:7bf03ff36d48df58984da5fddf3c016607d0b94958e2ae4097ea2d7ae106e8a2",
          "\"config\":{" FAKE_PATH ",\"Cmd\":[\"sh\"],\"WorkingDir\":\"/\"},"
          "\"history\":[{\"created\":\"2026-01-01T00:00:00.500Z\",\"created_by\":\"ADD\"}"
          "]" },
        { "docker.io/library/alpine:latest",
          "sha256:f7f4d8c68b84f75029d038bb51f30aaab242d14c8fdceaa3bbad9c260cfb74f1",
          "\"config\":{" FAKE_PATH ",\"Cmd\":[\"/bin/sh\"],\"WorkingDir\":\"/\"}" },
        { "docker.io/library/user:latest", NULL,
          "\"config\":{\"Env\":[\"FOO=image\"],\"User\":\"app\",\"WorkingDir\":\"/srv\","
          "\"Entrypoint\":[\"/run\"],\"Cmd\":[\"it\"],\"Labels\":{\"from\":\"image\"},"
          "\"ExposedPorts\":{\"80/tcp\":{}},\"Shell\":[\"/bin/bash\",\"-c\"]}" },
        { "docker.io/library/fixed:latest", NULL, "\"config\":{}" },
        { "docker.io/library/trigger:latest", NULL,
          "\"config\":{\"OnBuild\":[\"RUN echo triggered\",\"COPY a /b\"]}" },
        { "docker.io/library/badtrigger:latest", NULL,
          "\"config\":{\"OnBuild\":[\"RUN a\\nRUN b\"]}" },
        { "docker.io/library/copytrigger:latest", NULL,
          "\"config\":{\"OnBuild\":[\"COPY --from=alpine /x /y\"]}" },
};

struct fake {
        struct sw_bridge bridge;
        const sw_platform *platforms[2];
        sw_session *session;
        sw_map *files; /* path, or "NAME OF VERTEX|path" -> text */
        sw_buf log;    /* what was asked for, one a line */
};

static const struct sw_session_ops fake_session_ops = { .size = sizeof(fake_session_ops) };

static void
fake_release_ref(void *self)
{
        (void) self;
}
static const struct sw_ref_ops fake_ref_ops = { .size = sizeof(fake_ref_ops),
                                                .release = fake_release_ref };

static sw_err *
fake_solve(void *arg, sw_ctx *ctx, const void *def, size_t len, sw_ref **out)
{
        struct fake *f = (struct fake *) arg;
        sw_autoptr(sw_definition) d = NULL;
        const char *name;
        sw_err *err;

        (void) ctx;
        *out = NULL;
        if (sw_definition_is_empty(def, len))
                return SW_OK;
        err = sw_definition_decode(def, len, NULL, &d);
        if (err)
                return err;
        name = sw_llb_vertex_name(sw_definition_vertex(d, sw_definition_result(d).vertex));
        sw_buf_addf(&f->log, "solve %s\n", name);
        *out = sw_ref_new(name, &fake_ref_ops, f);
        return SW_OK;
}

static sw_err *
fake_read_file(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path, size_t max,
               sw_buf *out)
{
        struct fake *f = (struct fake *) arg;
        sw_auto(sw_str) full = sw_asprintf("%s|%s", sw_ref_id(ref), path);
        const char *text = (const char *) sw_map_get(f->files, full);

        (void) ctx;
        if (!text)
                text = (const char *) sw_map_get(f->files, path);
        if (!text)
                return sw_err_new(SW_E_NOT_FOUND, "open %s", path);
        if (strlen(text) > max)
                return sw_err_new(SW_E_LIMIT, "%s is too large", path);
        sw_buf_adds(out, text);
        return SW_OK;
}

static sw_err *
fake_read_start(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path, size_t n,
                sw_buf *out)
{
        size_t before = out->len;
        sw_err *err = fake_read_file(arg, ctx, ref, path, SIZE_MAX, out);

        if (!err && out->len > before + n)
                sw_buf_truncate(out, before + n);
        return err;
}

/* A file "newest" says. */
static sw_err *
fake_newest(void *arg, sw_ctx *ctx, sw_ref *ref, bool *found, int64_t *time)
{
        struct fake *f = (struct fake *) arg;
        const char *text = (const char *) sw_map_get(f->files, "newest");

        (void) ctx;
        (void) ref;
        *found = text != NULL;
        return text ? sw_parse_int(text, INT64_MIN, INT64_MAX, time) : SW_OK;
}

static sw_err *
fake_resolve_image(const char *name, const struct sw_bridge_source *req,
                   struct sw_source_meta *out)
{
        for (size_t i = 0; i < sizeof(fake_images) / sizeof(fake_images[0]); i++) {
                const struct fake_image *m = &fake_images[i];

                if (strcmp(m->name, name) != 0)
                        continue;
                out->digest = sw_strdup(m->digest);
                out->config = sw_asprintf(
                        "{\"architecture\":\"%s\",\"os\":\"linux\",%s,\"rootfs\":{\"type\":"
                        "\"layers\",\"diff_ids\":[\"sha256:1e7fa60862e34eab91e63f8b002c0f24"
                        "77a10b7b5eafce029b680ab14d057429\"]}}",
                        req->platform && !strstr(name, "fixed") ? req->platform->arch
                                                                : "amd64",
                        m->config);
                return SW_OK;
        }
        return sw_err_new(SW_E_NOT_FOUND, "%s: not found", name);
}

static sw_err *
fake_resolve(void *arg, sw_ctx *ctx, const struct sw_bridge_source *req,
             struct sw_source_meta *out)
{
        struct fake *f = (struct fake *) arg;

        (void) ctx;
        (void) f;
        if (sw_str_has_prefix(req->identifier, "docker-image://"))
                return fake_resolve_image(req->identifier + 15, req, out);
        if (sw_str_has_prefix(req->identifier, "oci-layout://"))
                return fake_resolve_image("docker.io/library/user:latest", req, out);
        out->has_time = strstr(req->identifier, "notime") == NULL;
        out->time = 1600000000;
        return SW_OK;
}

static void
fake_warn(void *arg, const struct sw_bridge_warning *w)
{
        struct fake *f = (struct fake *) arg;

        sw_buf_addf(&f->log, "warn %s\n", w->text);
}

static void
fake_init(struct fake *f)
{
        static const sw_platform amd64 = {
                .os = "linux", .arch = "amd64", .variant = "", .os_version = ""
        };

        memset(f, 0, sizeof(*f));
        f->platforms[0] = &amd64;
        f->session = sw_session_new("SESSION", &fake_session_ops, NULL);
        f->files = sw_map_new(free);
        sw_buf_init(&f->log);
        f->bridge = (struct sw_bridge){
                .size = sizeof(f->bridge),
                .arg = f,
                .solve = fake_solve,
                .read_file = fake_read_file,
                .read_start = fake_read_start,
                .newest = fake_newest,
                .resolve = fake_resolve,
                .warn = fake_warn,
                .platforms = f->platforms,
                .session = f->session,
        };
}

static void
fake_release(struct fake *f)
{
        sw_session_free(f->session);
        sw_map_free(f->files);
        sw_buf_release(&f->log);
}

/* All that a frontend does up to its definition, for the first platform. */
static SW_UNUSED sw_err *
fake_convert(struct fake *f, const struct sw_attr *opts, size_t n, struct sw_df_lint *lint,
             sw_df_result **out)
{
        sw_autoptr(sw_df_config) config = NULL;
        sw_autoptr(sw_df_client) client = NULL;
        sw_autoptr(sw_df_tree) tree = NULL;
        sw_autoptr(sw_df_program) program = NULL;
        const struct sw_df_opts popts = { .devices = true };
        sw_err *err = sw_df_config_new(opts, n, f->bridge.platforms, &config);

        if (!err)
                err = sw_df_client_new(NULL, &f->bridge, config, &client);
        if (!err)
                err = sw_df_client_load(client);
        if (!err)
                err = sw_df_parse(&client->text, &tree);
        if (!err && lint)
                err = sw_df_check_of(tree, &lint->check);
        if (!err)
                err = sw_df_program_new(tree, &popts, lint, &program);
        if (err)
                return err;
        const struct sw_df_convert req = {
                .client = client,
                .program = program,
                .platform = config->n_platforms ? config->platforms[0] : NULL,
                .lint = lint,
                .outline = true,
                .devices = true,
        };
        return sw_df_convert(&req, out);
}

#endif
