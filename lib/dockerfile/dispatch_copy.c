/* lib/dockerfile/dispatch_copy.c - COPY and ADD. See convert_priv.h; reference 11. */
#include <string.h>

#include <slipway/digest.h>
#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "lib/dockerfile/convert_priv.h"
#include "lib/dockerfile/gitref.h"

/* One of them, expanded. */
struct copying {
        struct conv *c;
        struct stage *st;
        const struct sw_df_cmd *cmd;
        const sw_state *source; /* of paths */
        bool add, from_context;
        struct sw_df_list sources;
        const char *dest, *dest_text; /* in full; as written */
        const char *chown, *chmod, *checksum;
        const char *const *exclude;
        bool has_mode;
        uint32_t mode;
        const char *text, *name; /* of the step, with and without "[2/4] " */
        sw_files *files;
        sw_buf history;
};
typedef struct copying copying;

static void
copying_release(copying *k)
{
        sw_files_free(k->files);
        sw_buf_release(&k->history);
}
SW_DEFINE_AUTO(copying, copying_release)

/* ---- Flags ---- */

/* "u=rwX,go+r": who, then one or more of + - = with what. */
static bool
is_symbolic(const char *s)
{
        do {
                size_t n;

                s += strspn(s, "ugoa");
                if (!*s || !strchr("+-=", *s))
                        return false;
                do {
                        s++;
                        n = strspn(s, "ugo");
                        s += n ? n : strspn(s, "rwxXst");
                } while (*s && strchr("+-=", *s));
        } while (*s == ',' && *++s);
        return !*s;
}

static sw_err *
take_chmod(copying *k)
{
        const char *s = k->chmod;
        size_t n = s ? strspn(s, "01234567") : 0;

        if (!s || !*s) {
                k->chmod = NULL;
                return SW_OK;
        }
        if (!s[n]) {
                unsigned long mode = strtoul(s, NULL, 8);

                k->has_mode = mode <= 07777 && n < 20;
                k->mode = (uint32_t) mode;
        }
        if (k->has_mode || (s[n] && is_symbolic(s)))
                return SW_OK;
        return sw_df_err(SW_E_INVALID,
                         "invalid chmod parameter: '%s'. it should be octal string and "
                         "between 0 and 07777",
                         s);
}

static struct sw_llb_copy
copy_options(const copying *k)
{
        struct sw_llb_copy o = {
                .size = sizeof(o),
                .owner = k->chown && *k->chown ? k->chown : NULL,
                .has_mode = k->has_mode,
                .mode = k->mode,
                .mode_str = k->chmod && !k->has_mode ? k->chmod : NULL,
                .has_time = k->c->has_epoch,
                .time = k->c->epoch * 1000000000,
                .make_parents = true,
                .exclude = k->exclude,
        };

        return o;
}

static sw_err *
check_checksum(const copying *k)
{
        sw_auto(sw_df_gitref) g = { .remote = NULL };
        bool is_git = false;
        sw_err *err;

        if (!k->checksum || !*k->checksum)
                return SW_OK;
        if (k->sources.n != 1)
                return sw_df_err(SW_E_INVALID,
                                 "checksum can't be specified for multiple sources");
        err = sw_df_gitref_parse(k->sources.v[0], &is_git, &g);
        sw_err_drop(err, "comes up again");
        if (!is_git && !sw_df__is_url(k->sources.v[0]))
                return sw_df_err(SW_E_INVALID, "checksum requires HTTP(S) or Git sources");
        return SW_OK;
}

/* ---- Sources ---- */

static sw_err *
add_git(copying *k, const char *src, bool *done)
{
        struct sw_llb_copy o = copy_options(k);
        sw_autoptr(sw_state) tree = NULL;
        sw_err *err =
                sw_df__git_source(&k->cmd->copy, src, k->checksum, k->name, done, &tree);

        if (err || !*done)
                return err;
        if (!k->add)
                return sw_df_err(SW_E_INVALID, "source can't be a git ref for COPY");
        return sw_files_copy(k->files, tree, "/", k->dest, &o);
}

static sw_err *
add_url(copying *k, const char *src)
{
        static const struct sw_llb_pair description = { COMMAND_KEY, "" };
        const char *file = sw_df__url_file(k->c->arena, src);
        const char *sum = k->checksum && *k->checksum ? k->checksum : NULL;
        struct sw_llb_copy o = copy_options(k);
        sw_autoptr(sw_state) tree = NULL;
        sw_digest digest;
        sw_err *err = SW_OK;

        if (!k->add)
                return sw_df_err(SW_E_INVALID, "source can't be a URL for COPY");
        if (sum)
                err = sw_digest_parse(sum, SIZE_MAX, &digest);
        if (!err)
                err = sw_llb_http(src, SW_LLB_HTTP(.filename = file, .checksum = sum),
                                  SW_LLB_OPTS(.name = k->name, .description = &description,
                                              .n_description = 1),
                                  &tree);
        o.unpack = k->cmd->copy.unpack == SW_DF_YES;
        return err ? err : sw_files_copy(k->files, tree, file, k->dest, &o);
}

static bool
has_wildcards(const char *s)
{
        for (; *s; s++) {
                if (strchr("*?[", *s))
                        return true;
                if (*s == '\\' && !*++s)
                        break;
        }
        return false;
}

/* A source that .dockerignore leaves out. */
static void
warn_ignored(copying *k, const char *src)
{
        struct conv *c = k->c;
        sw_auto(sw_str) clean = NULL;
        bool root;

        if (!c->lint || !c->ignored || c->ignored_excepts || !k->from_context)
                return;
        clean = sw_path_clean(src);
        root = strcmp(clean, ".") == 0 || strcmp(clean, "/") == 0;
        if (root ? c->ignored_root : sw_patterns_match(c->ignored, clean, NULL, NULL))
                sw_df_lint_copy_ignored(c->lint, k->cmd->node, k->add ? "Add" : "Copy",
                                        clean);
}

/* --parents: what of @src is kept below the destination is a pattern; what comes before
 * "/./" is where it starts. */
static void
keep_parents(copying *k, const char **src, const char *include[2], const char *required[2])
{
        struct conv *c = k->c;
        const char *pivot = strstr(*src, "/./"), *pattern;

        pattern = pivot ? pivot + 3 : *src;
        *src = pivot ? sw_df_arena_str(c->arena, *src, (size_t) (pivot - *src)) : "/";
        pattern = sw_df__path(c, "/", pattern, false);
        include[0] = pattern[0] == '/' ? pattern + 1 : pattern;
        if (!has_wildcards(*src) && !has_wildcards(pattern)) {
                sw_auto(sw_str) whole = sw_path_join(*src, pattern);

                required[0] = sw_df__path(c, "/", whole, false);
        }
}

static sw_err *
add_path(copying *k, const char *src)
{
        const char *include[2] = { NULL, NULL }, *required[2] = { NULL, NULL };
        struct sw_llb_copy o = copy_options(k);
        enum sw_df_maybe unpack = k->cmd->copy.unpack;

        warn_ignored(k, src);
        if (k->cmd->copy.parents)
                keep_parents(k, &src, include, required);
        o.include = include;
        o.required = required;
        o.follow_symlink = o.contents_only = o.wildcard = o.allow_empty_wildcard = true;
        o.unpack = unpack == SW_DF_UNSET ? k->add : unpack == SW_DF_YES;
        return sw_files_copy(k->files, k->source, sw_df__path(k->c, "/", src, false),
                             k->dest, &o);
}

static sw_err *
add_source(copying *k, const char *src)
{
        bool done = false;
        sw_err *err = add_git(k, src, &done);

        sw_buf_addf(&k->history, " %s", src);
        if (err || done)
                return err;
        return sw_df__is_url(src) ? add_url(k, src) : add_path(k, src);
}

static sw_err *
add_inline(copying *k, const struct sw_df_inline *in)
{
        struct sw_llb_copy o = copy_options(k);
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        sw_autoptr(sw_state) tree = NULL;
        const char *data = in->content;
        size_t len = in->len;
        sw_err *err = SW_OK;

        sw_buf_addf(&k->history, " <<%s", in->name);
        if (in->expand) {
                err = sw_df__expand(k->c, k->st, k->cmd, in->content, SW_DF_NO_QUOTES,
                                    &data);
                len = err ? 0 : strlen(data);
        }
        if (!err)
                err = sw_files_mkfile(f, in->name, 0644, data, len, NULL);
        if (!err)
                err = sw_state_files(nothing, f,
                                     SW_LLB_OPTS(.name = "[internal] preparing inline "
                                                         "document",
                                                 .platform = k->st->platform),
                                     &tree);
        return err ? err : sw_files_copy(k->files, tree, in->name, k->dest, &o);
}

/* ---- The step ---- */

static sw_err *
expand_all(copying *k)
{
        const struct sw_df_copy *in = &k->cmd->copy;
        struct sw_df_list exclude = { .v = NULL };
        sw_err *err = sw_df__expand(k->c, k->st, k->cmd, in->chown, 0, &k->chown);

        if (!err)
                err = sw_df__expand(k->c, k->st, k->cmd, in->chmod, 0, &k->chmod);
        if (!err)
                err = sw_df__expand(k->c, k->st, k->cmd, in->checksum, 0, &k->checksum);
        if (!err)
                err = sw_df__expand_list(k->c, k->st, k->cmd, &in->sources, &k->sources);
        if (!err)
                err = sw_df__expand(k->c, k->st, k->cmd, in->dest, 0, &k->dest_text);
        if (err)
                return err;
        sw_df_list_copy(k->c->arena, &exclude, in->excludes.v, in->excludes.n);
        sw_df_list_add(k->c->arena, &exclude, NULL);
        k->exclude = in->excludes.n ? exclude.v : NULL;
        k->dest = strcmp(k->dest_text, ".") == 0 || !*k->dest_text ? "./" : k->dest_text;
        k->dest = sw_df__path(k->c, k->st->dir, k->dest, true);
        err = take_chmod(k);
        return err ? err : check_checksum(k);
}

static void
begin_texts(copying *k)
{
        const struct sw_df_lex lex = {
                .escape = k->c->program->tree->escape,
                .get = sw_df_env_get_n,
                .arg = &k->st->env,
        };

        k->text = sw_df__step_text(k->c, &lex, k->cmd->text);
        k->name = sw_df__step_name(k->c, k->st, k->text, k->st->platform, &k->st->env);
        sw_buf_adds(&k->history, k->add ? "ADD" : "COPY");
        if (k->cmd->copy.parents)
                sw_buf_adds(&k->history, " --parents");
        if (k->chown && *k->chown)
                sw_buf_addf(&k->history, " --chown=%s", k->chown);
        if (k->chmod)
                sw_buf_addf(&k->history, " --chmod=%s", k->chmod);
}

static const char *
again_as(copying *k, const char *prefix)
{
        const char *text = sw_df_printf(k->c->arena, "%s%s", prefix, k->text);

        if (k->st->n_steps)
                k->st->step--; /* it is the same step */
        return sw_df__step_name(k->c, k->st, text, k->st->platform, &k->st->env);
}

/* Onto nothing, and laid over the rest. */
static sw_err *
link_over(copying *k, const struct sw_llb_location *where, sw_state **out)
{
        char id[SW_ID_SIZE];
        struct sw_llb_progress_group group = { .id = sw_id_new(id),
                                               .name = k->name,
                                               .weak = true };
        const char *link = again_as(k, "LINK ");
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        sw_autoptr(sw_state) copied = NULL;
        sw_autoptr(sw_state) merged = NULL;
        sw_err *err =
                sw_state_files(nothing, k->files,
                               SW_LLB_OPTS(.name = k->name, .platform = k->st->platform,
                                           .locations = where, .n_locations = 1,
                                           .group = &group,
                                           .ignore_cache = k->st->ignore_cache),
                               &copied);
        const sw_state *trees[] = { k->st->state, copied };

        group.weak = false;
        if (!err)
                err = sw_llb_merge(trees, 2,
                                   SW_LLB_OPTS(.name = link, .locations = where,
                                               .n_locations = 1, .group = &group,
                                               .ignore_cache = k->st->ignore_cache),
                                   &merged);
        if (err)
                return err;
        *out = sw_state_reset(merged, k->st->state);
        sw_state_replace(out, sw_state_dir(*out, k->st->dir));
        return SW_OK;
}

static sw_err *
end_copy(copying *k)
{
        struct sw_llb_location where;
        sw_state *made = NULL;
        sw_err *err;

        sw_buf_addf(&k->history, " %s # buildkit", k->dest_text);
        sw_df__locate(k->c, k->cmd->range, &where);
        if (k->cmd->copy.link && !k->chmod)
                err = link_over(k, &where, &made);
        else
                err = sw_state_files(k->st->state, k->files,
                                     SW_LLB_OPTS(.name = k->name, .locations = &where,
                                                 .n_locations = 1,
                                                 .ignore_cache = k->st->ignore_cache),
                                     &made);
        if (err)
                return err;
        sw_state_replace(&k->st->state, made);
        sw_df__commit(k->c, k->st,
                      sw_df_arena_str(k->c->arena, k->history.data, k->history.len), true);
        return SW_OK;
}

static void
note_paths(copying *k, const struct command *cmd)
{
        sw_df_paths *paths = cmd->from ? cmd->from->paths : &k->st->ctx_paths;

        for (size_t i = 0; i < k->sources.n; i++) {
                const char *src = k->sources.v[i];

                if (!k->add ||
                    (strncmp(src, "http://", 7) != 0 && strncmp(src, "https://", 8) != 0))
                        sw_df__use_path(k->c, paths, src);
        }
}

sw_err *
sw_df__copy(struct conv *c, struct stage *st, struct command *cmd)
{
        sw_auto(copying) k = {
                .c = c,
                .st = st,
                .cmd = cmd->cmd,
                .source = cmd->from ? cmd->from->state : c->context,
                .add = cmd->cmd->kind == SW_DF_ADD,
                .from_context = !cmd->from,
                .files = sw_files_new(),
                .history = SW_BUF_INIT,
        };
        sw_err *err;

        if (cmd->from && !cmd->from->dispatched)
                return sw_df_err(SW_E_INVALID,
                                 "cannot copy from stage \"%s\", it needs to be defined "
                                 "before current stage \"%s\"",
                                 cmd->cmd->copy.from, st->label);
        err = expand_all(&k);
        if (err)
                return err;
        begin_texts(&k);
        for (size_t i = 0; i < k.sources.n && !err; i++)
                err = add_source(&k, k.sources.v[i]);
        for (size_t i = 0; i < cmd->cmd->copy.n_inlines && !err; i++)
                err = add_inline(&k, &cmd->cmd->copy.inlines[i]);
        if (!err)
                err = end_copy(&k);
        if (!err)
                note_paths(&k, cmd);
        return err;
}
