/* lib/dockerfile/client.c - see client.h: the main context, and the files read from it. */
#include <string.h>

#include <slipway/definition.h>
#include <slipway/io.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "lib/dockerfile/client_priv.h"
#include "lib/dockerfile/gitref.h"
#include "lib/dockerfile/ignore.h"
#include "lib/dockerfile/keep.h"

#define CONTEXT    "context"
#define DOCKERFILE "Dockerfile"
#define IGNORE     ".dockerignore"

enum { LOOK = 1024 }; /* bytes of a download that tell what it is */

const char *
sw_df_client_session(const sw_df_client *c, const char *name)
{
        sw_auto(sw_str) key = sw_asprintf("local-sessionid:%s", name);
        const char *id = sw_df_config_get(c->config, key);

        if (id && *id)
                return id;
        return c->bridge->session ? sw_session_id(c->bridge->session) : NULL;
}

sw_err *
sw_df_client_solve(sw_df_client *c, const sw_state *state, sw_ref **out)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_err *err = sw_state_marshal(state, SW_LLB_OPTS(.caps = c->caps), &def);

        return err ? err : c->bridge->solve(c->bridge->arg, c->ctx, def.data, def.len, out);
}

sw_err *
sw_df_client_read(sw_df_client *c, sw_ref *ref, const char *path, size_t max, sw_buf *out)
{
        if (!ref)
                return sw_df_err(SW_E_NOT_FOUND, "%s: the tree is empty", path);
        return c->bridge->read_file(c->bridge->arg, c->ctx, ref, path, max, out);
}

/* ---- Which context it is ---- */

static sw_err *
take_git_flags(const sw_df_gitref *g, bool keep_git_dir, const char *name, sw_state **out)
{
        return sw_llb_git(g->remote, NULL,
                          SW_LLB_GIT(.ref = *g->ref ? g->ref : NULL,
                                     .subdir = *g->subdir ? g->subdir : NULL,
                                     .checksum = *g->checksum ? g->checksum : NULL,
                                     .mtime = *g->mtime ? g->mtime : NULL,
                                     .keep_git_dir =
                                             keep_git_dir || g->keep_git_dir == SW_DF_YES,
                                     .skip_submodules = g->submodules == SW_DF_NO,
                                     .fetch_by_commit = g->fetch_by_commit == SW_DF_YES),
                          SW_LLB_OPTS(.name = name), out);
}

sw_err *
sw_df_client_git(sw_df_client *c, const char *ref, bool keep_git_dir, sw_state **out)
{
        const char *epoch = sw_df_table_get(&c->config->build_args, "SOURCE_DATE_EPOCH");
        sw_auto(sw_df_gitref) g = { .remote = NULL };
        sw_auto(sw_str) name = NULL;
        bool is_git;
        sw_err *err = sw_df_gitref_parse(ref, &is_git, &g);

        *out = NULL;
        if (err || !is_git)
                return err;
        if (epoch && *epoch && !*g.mtime) {
                free(g.mtime);
                g.mtime = sw_strdup("commit");
        }
        name = sw_asprintf("[internal] load git source %s", ref);
        return take_git_flags(&g, keep_git_dir, name, out);
}

static bool
is_archive(const sw_buf *b)
{
        return (b->len >= 3 && (memcmp(b->data, "BZh", 3) == 0 ||
                                memcmp(b->data, "\x1f\x8b\x08", 3) == 0)) ||
               (b->len >= 6 && memcmp(b->data,
                                      "\xfd"
                                      "7zXZ",
                                      6) == 0) ||
               sw_tar_starts(b->data, b->len);
}

/* The archive that is the file @name of @download. */
static sw_err *
unpack(const sw_state *download, const char *name, sw_state **out)
{
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        sw_auto(sw_str) path = sw_asprintf("/%s", name);
        sw_err *err = sw_files_copy(f, download, path, "/", SW_LLB_COPY(.unpack = true));

        return err ? err : sw_state_files(nothing, f, NULL, out);
}

static sw_err *
look_at_download(sw_df_client *c, const sw_state *download, const char *name, sw_buf *start)
{
        sw_autoptr(sw_ref) ref = NULL;
        sw_err *err = sw_df_client_solve(c, download, &ref);

        if (err)
                return sw_df_wrap(err, "failed to resolve httpcontext");
        if (!ref)
                err = sw_df_err(SW_E_NOT_FOUND, "%s: the tree is empty", name);
        else
                err = c->bridge->read_start(c->bridge->arg, c->ctx, ref, name, LOOK, start);
        return sw_df_wrap(err, "failed to read downloaded context");
}

static sw_err *
take_download(sw_df_client *c, const char *url)
{
        sw_autoptr(sw_state) download = NULL;
        sw_auto(sw_buf) start = SW_BUF_INIT;
        sw_err *err =
                sw_llb_http(url, SW_LLB_HTTP(.filename = CONTEXT),
                            SW_LLB_OPTS(.name = "[internal] load remote build context"),
                            &download);

        if (!err)
                err = look_at_download(c, download, CONTEXT, &start);
        if (err)
                return err;
        c->archive = is_archive(&start);
        if (c->archive)
                return unpack(download, CONTEXT, &c->context);
        c->filename = CONTEXT;
        c->context = sw_steal(download);
        return SW_OK;
}

sw_err *
sw_df_client_newest(sw_df_client *c, const sw_state *tree, const char *name, bool *found,
                    int64_t *time)
{
        sw_autoptr(sw_state) unpacked = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_auto(sw_buf) start = SW_BUF_INIT;
        sw_err *err = name ? look_at_download(c, tree, name, &start) : SW_OK;

        *found = false;
        if (err || (name && !is_archive(&start)))
                return err;
        if (name)
                err = unpack(tree, name, &unpacked);
        if (!err)
                err = sw_df_client_solve(c, name ? unpacked : tree, &ref);
        if (err || !ref)
                return err;
        return c->bridge->newest(c->bridge->arg, c->ctx, ref, found, time);
}

static const struct sw_frontend_input *
find_input(const sw_df_client *c, const char *name)
{
        for (size_t i = 0; i < c->bridge->n_inputs; i++)
                if (strcmp(c->bridge->inputs[i].name, name) == 0)
                        return &c->bridge->inputs[i];
        return NULL;
}

sw_err *
sw_df_client_input(sw_df_client *c, const char *name, sw_state **out)
{
        static const char file[] = "buildkit.llb.definition";
        const struct sw_frontend_input *in = find_input(c, name);
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        sw_autoptr(sw_state) holder = NULL;
        sw_auto(sw_str) title = sw_asprintf("[internal] load input %s", name);
        sw_err *err;

        *out = NULL;
        if (!in)
                return SW_OK;
        if (sw_definition_is_empty(in->definition, in->len)) {
                *out = sw_steal(nothing);
                return SW_OK;
        }
        err = sw_files_mkfile(f, file, 0644, in->definition, in->len, NULL);
        if (!err)
                err = sw_state_files(nothing, f, SW_LLB_OPTS(.name = title), &holder);
        if (!err)
                err = sw_state_build(holder, NULL, SW_LLB_OPTS(.name = title), out);
        return err;
}

static sw_err *
scope_to(sw_state **context, const char *dir)
{
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        sw_state *scoped = NULL;
        sw_err *err =
                sw_files_copy(f, *context, dir, "/", SW_LLB_COPY(.contents_only = true));

        if (!err)
                err = sw_state_files(nothing, f, NULL, &scoped);
        if (!err)
                sw_state_replace(context, scoped);
        return err;
}

/* The context that a URL names; *found: it does. */
static sw_err *
take_url(sw_df_client *c, const char *url, bool *found)
{
        const char *keep =
                sw_df_config_get(c->config, "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR");
        bool keep_git_dir = false;
        sw_err *err = keep ? sw_parse_bool(keep, &keep_git_dir) : SW_OK;

        sw_err_drop(err, "what is no boolean is not said");
        *found = false;
        err = sw_df_client_git(c, url, keep_git_dir, &c->context);
        if (!err && !c->context &&
            (sw_str_has_prefix(url, "http://") || sw_str_has_prefix(url, "https://")))
                err = take_download(c, url);
        *found = c->context != NULL;
        if (*found)
                c->dockerfile = sw_state_ref(c->context);
        return err;
}

static sw_err *
find_context(sw_df_client *c)
{
        const char *key = sw_df_config_get(c->config, "contextkey") ?: CONTEXT;
        const char *url = sw_df_config_get(c->config, key) ?: "";
        const char *local = sw_df_config_get(c->config, "dockerfilekey");
        const char *sub = sw_df_config_get(c->config, "contextsubdir");
        const char *filename = sw_df_config_get(c->config, "filename");
        bool found;
        sw_err *err;

        c->filename = filename && *filename ? filename : DOCKERFILE;
        c->local = local ?: "dockerfile";
        err = take_url(c, url, &found);
        if (!err && !found && !local)
                err = sw_df_client_input(c, c->local, &c->dockerfile);
        if (!err && !found)
                err = sw_df_client_input(c, CONTEXT, &c->context);
        if (!err && local) {
                sw_state_unref(c->dockerfile);
                c->dockerfile = NULL;
        }
        if (!err && c->context && sub)
                err = scope_to(&c->context, sub);
        return err;
}

static const char *const *
all_caps(struct sw_df_arena *a)
{
        size_t n;
        const char *const *caps = sw_llb_caps(&n);
        const char **list = sw_df_new_array(a, const char *, n + 1);

        memcpy(list, caps, n * sizeof(*list));
        return list;
}

sw_err *
sw_df_client_new(sw_ctx *ctx, const struct sw_bridge *bridge, const sw_df_config *config,
                 sw_df_client **out)
{
        sw_autoptr(sw_df_client) c = sw_new(sw_df_client);
        sw_err *err;

        c->ctx = ctx;
        c->bridge = bridge;
        c->config = config;
        c->arena = sw_df_arena_new();
        c->caps = all_caps(c->arena);
        sw_buf_init(&c->text_data);
        sw_buf_init(&c->definition);
        sw_buf_init(&c->ignore);
        err = find_context(c);
        if (err)
                return err;
        *out = sw_steal(c);
        return SW_OK;
}

void
sw_df_client_free(sw_df_client *c)
{
        if (!c)
                return;
        sw_state_unref(c->dockerfile);
        sw_state_unref(c->context);
        sw_state_unref(c->loaded_from);
        sw_buf_release(&c->text_data);
        sw_buf_release(&c->definition);
        sw_buf_release(&c->ignore);
        sw_strlist_release(&c->ignored);
        sw_df_arena_free(c->arena);
        free(c);
}

/* ---- The Dockerfile ---- */

/* The name in lower case beside @filename; NULL when it is not called Dockerfile. */
static char *
other_case(const char *filename)
{
        const char *slash = strrchr(filename, '/');
        size_t dir = slash ? (size_t) (slash - filename) + 1 : 0;
        sw_auto(sw_str) path = NULL;

        if (strcmp(filename + dir, DOCKERFILE) != 0)
                return NULL;
        path = sw_asprintf("%.*sdockerfile", (int) dir, filename);
        return sw_path_clean(path);
}

static sw_err *
dockerfile_local(sw_df_client *c, sw_state **out)
{
        sw_auto(sw_str) other = other_case(c->filename);
        sw_auto(sw_str) ignore = sw_asprintf("%s" IGNORE, c->filename);
        sw_auto(sw_str) name =
                sw_asprintf("[internal] load build definition from %s", c->filename);
        const char *const follow[] = { c->filename, ignore, other, NULL };

        return sw_llb_local(c->local,
                            SW_LLB_LOCAL(.follow = follow,
                                         .session = sw_df_client_session(c, c->local),
                                         .shared_key_hint = c->local,
                                         .differ = SW_LLB_DIFFER_NONE),
                            SW_LLB_OPTS(.name = name), out);
}

static sw_err *
read_dockerfile(sw_df_client *c, sw_ref *ref)
{
        sw_auto(sw_str) other = other_case(c->filename);
        sw_err *err = sw_df_client_read(c, ref, c->filename, SW_DF_TEXT_MAX, &c->text_data);

        if (sw_err_code(err) == SW_E_NOT_FOUND && other) {
                sw_err_free(err);
                err = sw_df_client_read(c, ref, other, SW_DF_TEXT_MAX, &c->text_data);
        }
        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "said in the reference's words");
                err = sw_df_err(SW_E_NOT_FOUND, "open %s: no such file or directory",
                                c->filename);
        }
        return sw_df_wrap(err, "failed to read dockerfile");
}

static sw_err *
read_own_ignore(sw_df_client *c, sw_ref *ref)
{
        const char *name = sw_df_printf(c->arena, "%s" IGNORE, c->filename);
        sw_err *err = sw_df_client_read(c, ref, name, SW_DF_IGNORE_MAX, &c->ignore);

        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "there need not be one");
                return SW_OK;
        }
        if (!err)
                c->ignore_name = name;
        return err;
}

/* The vertex that the definition stands for: warnings are shown with it. */
static sw_err *
note_vertex(sw_df_client *c)
{
        sw_autoptr(sw_definition) def = NULL;
        sw_err *err;

        if (sw_definition_is_empty(c->definition.data, c->definition.len))
                return SW_OK;
        err = sw_definition_decode(c->definition.data, c->definition.len, NULL, &def);
        if (!err)
                (void) snprintf(c->vertex, sizeof(c->vertex), "%s",
                                sw_llb_vertex_digest_str(sw_definition_vertex(
                                        def, sw_definition_result(def).vertex)));
        return err;
}

sw_err *
sw_df_client_load(sw_df_client *c)
{
        sw_autoptr(sw_ref) ref = NULL;
        sw_err *err = SW_OK;

        if (c->dockerfile)
                c->loaded_from = sw_state_ref(c->dockerfile);
        else
                err = dockerfile_local(c, &c->loaded_from);
        if (!err)
                err = sw_state_marshal(c->loaded_from, SW_LLB_OPTS(.caps = c->caps),
                                       &c->definition);
        if (!err)
                err = note_vertex(c);
        if (err)
                return sw_df_wrap(err, "failed to marshal local source");
        err = c->bridge->solve(c->bridge->arg, c->ctx, c->definition.data,
                               c->definition.len, &ref);
        if (err)
                return sw_df_wrap(err, "failed to resolve dockerfile");
        err = read_dockerfile(c, ref);
        if (!err)
                err = read_own_ignore(c, ref);
        c->text = (struct sw_df_text){ c->filename, c->text_data.data, c->text_data.len };
        return err;
}

/* ---- What is ignored ---- */

static sw_err *
read_ignore(sw_df_client *c)
{
        static const char *const follow[] = { IGNORE, NULL };
        sw_autoptr(sw_state) local = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_err *err = sw_llb_local(CONTEXT,
                                   SW_LLB_LOCAL(.follow = follow,
                                                .session = sw_df_client_session(c, CONTEXT),
                                                .shared_key_hint = CONTEXT "-" IGNORE,
                                                .differ = SW_LLB_DIFFER_NONE),
                                   SW_LLB_OPTS(.name = "[internal] load " IGNORE), &local);

        if (!err)
                err = sw_df_client_solve(c, local, &ref);
        if (err)
                return err;
        c->ignore_name = IGNORE;
        err = sw_df_client_read(c, ref, IGNORE, SW_DF_IGNORE_MAX, &c->ignore);
        if (sw_err_code(err) == SW_E_LIMIT || sw_err_code(err) == SW_E_CANCELLED)
                return err;
        sw_err_drop(err, "what cannot be read has nothing in it");
        return SW_OK;
}

sw_err *
sw_df_client_ignored(sw_df_client *c, const sw_strlist **out)
{
        sw_err *err = SW_OK;

        *out = &c->ignored;
        if (c->context || c->ignore_parsed)
                return SW_OK;
        if (!c->ignore_name)
                err = read_ignore(c);
        if (err)
                return err;
        c->ignore_parsed = true;
        err = sw_df_ignore_parse(c->ignore.data, c->ignore.len, &c->ignored);
        return sw_df_wrap(err, "failed parsing %s", c->ignore_name);
}

sw_err *
sw_df_client_main(sw_df_client *c, const char *const *follow, sw_state **out)
{
        const sw_strlist *ignored;
        const char **exclude;
        sw_err *err;

        if (c->context) {
                *out = sw_state_ref(c->context);
                return SW_OK;
        }
        err = sw_df_client_ignored(c, &ignored);
        if (err)
                return sw_df_wrap(err, "failed to read dockerignore patterns");
        exclude = sw_df_new_array(c->arena, const char *, ignored->n + 1);
        for (size_t i = 0; i < ignored->n; i++)
                exclude[i] = ignored->v[i];
        return sw_llb_local(CONTEXT,
                            SW_LLB_LOCAL(.exclude = exclude, .follow = follow,
                                         .session = sw_df_client_session(c, CONTEXT),
                                         .shared_key_hint = CONTEXT),
                            SW_LLB_OPTS(.name = "[internal] load build context"), out);
}
