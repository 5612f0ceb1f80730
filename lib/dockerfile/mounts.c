/* lib/dockerfile/mounts.c - RUN --mount. See convert_priv.h; reference 10. */
#include <string.h>

#include <slipway/path.h>

#include "lib/dockerfile/convert_priv.h"

#define CACHE_DIR "/cache"

/* One --mount of a command. */
struct mount {
        struct conv *c;
        struct stage *st;
        const struct sw_df_cmd *cmd;
        const struct sw_df_mount *m;
        const char *from;    /* "": the main context */
        struct stage *stage; /* that from= names, or scratch */
        sw_run *run;
};

static const char *
or_null(const char *s)
{
        return *s ? s : NULL;
}

/* ---- Secrets, agents ---- */

static sw_err *
add_secret(const struct mount *t)
{
        const struct sw_df_mount *m = t->m;
        sw_auto(sw_str) base = NULL, id_base = NULL, dest = NULL;
        const char *id = or_null(m->source) ?: m->id, *target = or_null(m->target);

        if (!*id) {
                if (!target)
                        return sw_df_err(SW_E_INVALID, "one of source, target required");
                base = sw_path_base(target);
                id = base;
        }
        if (!m->env && !target) {
                id_base = sw_path_base(id);
                dest = sw_asprintf("/run/secrets/%s", id_base);
                target = dest;
        }
        sw_df__note_need(t->c, &t->st->secrets, id, m->required, t->cmd->range);
        const struct sw_llb_secret secret = {
                .size = sizeof(secret),
                .id = id,
                .target = target,
                .env = m->env,
                .uid = m->has_uid ? m->uid : 0,
                .gid = m->has_gid ? m->gid : 0,
                .mode = m->has_mode ? m->mode : 0400,
                .optional = !m->required,
        };

        return sw_run_secret(t->run, &secret);
}

static sw_err *
add_agent(const struct mount *t)
{
        const struct sw_df_mount *m = t->m;

        if (*m->source)
                return sw_df_err(SW_E_INVALID, "ssh does not support source");
        sw_df__note_need(t->c, &t->st->agents, *m->id ? m->id : "default", m->required,
                         t->cmd->range);
        const struct sw_llb_ssh agent = {
                .size = sizeof(agent),
                .id = m->id,
                .target = or_null(m->target),
                .uid = m->has_uid ? m->uid : 0,
                .gid = m->has_gid ? m->gid : 0,
                .mode = m->has_mode ? m->mode : 0600,
                .optional = !m->required,
        };

        return sw_run_ssh(t->run, &agent);
}

/* ---- Trees ---- */

/* @source with a directory of the owner and mode that were asked for. */
static sw_err *
make_cache_dir(const struct mount *t, sw_state **source)
{
        const struct sw_df_mount *m = t->m;
        sw_autoptr(sw_files) f = sw_files_new();
        sw_auto(sw_str) owner =
                sw_asprintf("%u:%u", m->has_uid ? m->uid : 0, m->has_gid ? m->gid : 0);
        sw_state *made = NULL;
        sw_err *err = sw_files_mkdir(f, CACHE_DIR, m->has_mode ? m->mode : 0755,
                                     SW_LLB_FILE(.owner = owner));

        if (!err)
                err = sw_state_files(
                        *source, f,
                        SW_LLB_OPTS(.name = "[internal] setting cache mount permissions"),
                        &made);
        if (!err)
                sw_state_replace(source, made);
        return err;
}

static sw_err *
find_source(const struct mount *t, sw_state **out)
{
        const struct sw_df_mount *m = t->m;

        if (m->type == SW_DF_MOUNT_TMPFS) {
                *out = sw_llb_scratch();
                return SW_OK;
        }
        if (!*t->from) {
                *out = sw_state_ref(t->c->context);
                return SW_OK;
        }
        if (!t->stage->dispatched)
                return sw_df_err(SW_E_INVALID,
                                 "cannot mount from stage \"%s\" to \"%s\", stage needs to "
                                 "be defined before current command",
                                 t->from, m->target);
        *out = sw_state_ref(t->stage->state);
        return SW_OK;
}

static sw_err *
find_target(const struct mount *t, char **out)
{
        sw_auto(sw_str) clean = sw_path_clean(t->m->target);

        if (clean[0] == '/') {
                *out = sw_strdup(t->m->target);
        } else {
                sw_auto(sw_str) below = sw_path_join("/", t->st->dir);

                *out = sw_path_join(below, t->m->target);
        }
        if (strcmp(*out, "/") == 0)
                return sw_df_err(SW_E_INVALID, "invalid mount target \"%s\"", *out);
        return SW_OK;
}

static const char *
cache_id(const struct mount *t)
{
        sw_auto(sw_str) clean = sw_path_clean(t->m->target);

        return sw_df_printf(t->c->arena, "%s/%s", t->c->config->cache_namespace,
                            *t->m->id ? t->m->id : clean);
}

static sw_err *
add_tree(const struct mount *t)
{
        const struct sw_df_mount *m = t->m;
        bool cache = m->type == SW_DF_MOUNT_CACHE, tmpfs = m->type == SW_DF_MOUNT_TMPFS;
        sw_autoptr(sw_state) source = NULL;
        sw_auto(sw_str) target = NULL, path = sw_path_join("/", m->source);
        const char *selector = strcmp(path, "/") != 0 ? path : NULL;
        sw_err *err = find_source(t, &source);

        if (!err)
                err = find_target(t, &target);
        if (!err && !selector && (m->has_uid || m->has_gid || m->has_mode)) {
                err = make_cache_dir(t, &source);
                selector = CACHE_DIR;
        }
        if (err)
                return err;
        sw_df__use_path(t->c, *t->from ? t->stage->paths : &t->st->ctx_paths, m->source);
        return sw_run_mount(
                t->run, target, tmpfs ? NULL : source,
                SW_LLB_MOUNT(.selector = selector, .readonly = m->readonly,
                             .no_output = m->type == SW_DF_MOUNT_BIND && !m->readonly,
                             .cache_id = cache ? cache_id(t) : NULL,
                             .sharing = m->sharing == SW_DF_PRIVATE  ? SW_LLB_PRIVATE
                                        : m->sharing == SW_DF_LOCKED ? SW_LLB_LOCKED
                                                                     : SW_LLB_SHARED,
                             .tmpfs = tmpfs, .tmpfs_size = m->size));
}

sw_err *
sw_df__mounts(struct conv *c, struct stage *st, struct command *cmd,
              const struct sw_df_mount *mounts, sw_run *run)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < cmd->cmd->run.mounts.n && !err; i++) {
                struct mount t = {
                        c, st, cmd->cmd, &mounts[i], mounts[i].from, cmd->mounts[i], run
                };

                if (!*t.from && t.m->type == SW_DF_MOUNT_CACHE)
                        t.from = SCRATCH;
                if (t.m->type == SW_DF_MOUNT_SECRET)
                        err = add_secret(&t);
                else if (t.m->type == SW_DF_MOUNT_SSH)
                        err = add_agent(&t);
                else
                        err = add_tree(&t);
        }
        return err;
}
