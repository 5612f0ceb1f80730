/* cmd/slipway/build/named.c - see named.h. */
#include "cmd/slipway/build/named.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/digest.h>
#include <slipway/id.h>
#include <slipway/imagename.h>
#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "cmd/slipway/build/context.h"

#define LAYOUT    "oci-layout://"
#define INDEX_MAX (4 * 1024 * 1024)
#define REF_NAME  "org.opencontainers.image.ref.name"

/* As frontends look it up: what the name of an image is for people, without ":latest". */
static sw_err *
normal_name(const char *given, size_t len, char **out)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_str) name = sw_strndup(given, len);
        sw_err *err;

        for (char *p = name; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        err = sw_image_name_parse(name, &n);
        if (err) {
                sw_err *wrong = sw_err_new(SW_E_USAGE, "--build-context %s: %s", name,
                                           sw_err_message(err));
                sw_err_drop(err, "told as a wrong command line");
                return wrong;
        }
        if (sw_str_eq(n.tag, "latest"))
                free(sw_steal(n.tag));
        *out = sw_image_name_familiar(&n);
        return SW_OK;
}

/* ---- OCI layouts ---- */

/* The digest of what the index of a layout has by the name @tag; by any, when it has one.
 */
static sw_err *
find_digest(const char *dir, const char *tag, const sw_json *index, char **out)
{
        sw_json *list = NULL;
        const char *digest = NULL, *found = NULL;
        sw_err *err = sw_json_arr(index, "manifests", &list);

        for (size_t i = 0; !err && i < json_array_size(list); i++) {
                sw_json *m = json_array_get(list, i), *notes = NULL;
                const char *name = NULL;

                err = sw_json_str_req(m, "digest", &digest);
                if (!err)
                        err = sw_json_obj(m, "annotations", &notes);
                if (!err && notes)
                        err = sw_json_str(notes, REF_NAME, &name);
                if (!err && (sw_str_eq(name, tag ? tag : "latest") ||
                             (!tag && json_array_size(list) == 1)))
                        found = digest;
        }
        if (err)
                return err;
        if (!found)
                return sw_err_new(SW_E_NOT_FOUND,
                                  "%s has no image by the tag %s; name one: "
                                  "oci-layout://DIR:TAG or @DIGEST",
                                  dir, tag ? tag : "latest");
        *out = sw_strdup(found);
        return SW_OK;
}

static sw_err *
read_index(const char *dir, const char *tag, char **digest)
{
        sw_auto(sw_str) path = sw_path_join(dir, "index.json");
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_autoptr(sw_json) index = NULL;
        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, path, INDEX_MAX);

        if (!err)
                err = sw_json_parse(path, text.data, text.len, &index);
        return err ? err : sw_err_wrap(find_digest(dir, tag, index, digest), "%s", path);
}

/* DIR[:TAG][@DIGEST]; what is in the directory's name goes before tags. */
static void
split_layout(const char *text, char **dir, char **tag, char **digest)
{
        const char *at = strrchr(text, '@'), *colon;
        struct stat st;

        *tag = *digest = NULL;
        if (at && sw_digest_is(at + 1, SIZE_MAX))
                *digest = sw_strdup(at + 1);
        *dir = *digest ? sw_strndup(text, (size_t) (at - text)) : sw_strdup(text);
        colon = strrchr(*dir, ':');
        if (colon && !strchr(colon, '/') && stat(*dir, &st) != 0) {
                *tag = sw_strdup(colon + 1);
                (*dir)[colon - *dir] = '\0';
        }
}

static sw_err *
take_layout(const char *name, const char *text, sw_local_session *client, opts *o)
{
        sw_auto(sw_str) dir = NULL;
        sw_auto(sw_str) tag = NULL;
        sw_auto(sw_str) digest = NULL;
        sw_auto(sw_str) key = sw_asprintf("context:%s", name);
        char id[SW_ID_SIZE];
        sw_err *err = SW_OK;

        split_layout(text, &dir, &tag, &digest);
        (void) sw_id_new(id);
        sw_auto(sw_str) spec = sw_asprintf("%s=%s", id, dir);
        err = context_check_dir(dir, dir);
        if (!err)
                err = sw_local_session_add_oci_layout(client, spec);
        if (!err && !digest)
                err = read_index(dir, tag, &digest);
        if (err)
                return sw_err_wrap(err, "--build-context %s=" LAYOUT "%s", name, text);
        sw_auto(sw_str) value =
                sw_asprintf(LAYOUT "%s:%s@%s", id, tag ? tag : "latest", digest);
        opts_set(o, key, value);
        return SW_OK;
}

/* ---- Each ---- */

/* A directory may have any name; what is none and begins like a URL was meant as one. */
static sw_err *
take_dir(const char *name, const char *value, sw_local_session *client, opts *o)
{
        sw_auto(sw_str) key = sw_asprintf("context:%s", name);
        /* The names of the main context and of the Dockerfile are taken. */
        const char *prefix =
                sw_str_eq(name, "context") || sw_str_eq(name, "dockerfile") ? "_" : "";
        sw_auto(sw_str) local = sw_asprintf("%s%s", prefix, name);
        sw_auto(sw_str) told = sw_asprintf("local:%s", local);
        sw_auto(sw_str) what = sw_asprintf("--build-context %s=%s", name, value);
        sw_err *err = context_check_dir(value, what);

        if (err && (strstr(value, "://") || sw_str_has_prefix(value, "target:"))) {
                sw_err_drop(err, "it was not meant to be a directory");
                return sw_err_new(SW_E_USAGE,
                                  "%s: unsupported context source %.*s for %s; there are "
                                  "directories, git and http URLs, docker-image://IMAGE "
                                  "and oci-layout://DIR:TAG",
                                  what, (int) strcspn(value, ":"), value, name);
        }
        if (!err)
                err = sw_err_wrap(context_add_local(client, local, value), "%s", what);
        if (!err)
                opts_set(o, key, told);
        return err;
}

static sw_err *
take_one(const char *spec, sw_local_session *client, opts *o)
{
        size_t len = strcspn(spec, "=");
        const char *value = spec[len] ? spec + len + 1 : "";
        sw_auto(sw_str) name = NULL;
        sw_auto(sw_str) key = NULL;
        sw_err *err;

        if (len == 0 || !*value)
                return sw_err_new(SW_E_USAGE,
                                  "--build-context %s: give NAME=DIR or NAME=URL", spec);
        err = normal_name(spec, len, &name);
        if (err)
                return err;
        key = sw_asprintf("context:%s", name);
        if (opts_get(o, key))
                return sw_err_new(SW_E_USAGE, "--build-context %s is given twice", name);
        if (sw_str_has_prefix(value, LAYOUT))
                return take_layout(name, value + strlen(LAYOUT), client, o);
        if (!sw_str_has_prefix(value, "docker-image://") && !context_is_url(value))
                return take_dir(name, value, client, o);
        opts_set(o, key, value);
        return SW_OK;
}

sw_err *
named_take(const struct cli_call *call, sw_local_session *client, opts *o)
{
        sw_auto(sw_strlist) given = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, "build-context", &given);
        for (size_t i = 0; i < given.n && !err; i++)
                err = take_one(given.v[i], client, o);
        if (given.n && !err)
                opts_add_word(o, "frontend.caps",
                              "moby.buildkit.frontend.contexts+forward");
        return err;
}
