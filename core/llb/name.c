/*
 * core/llb/name.c - what a vertex is called where people see it.
 *
 * No name has the user and password of a URL in it, whoever made it up.
 * Merge and diff are named after their inputs, whose names may be made up in the same way:
 * those names are cut, or a few hundred ops could have a name of many gigabytes.
 * Thread: any, one at a time per definition.
 */
#include <string.h>

#include "core/base/redact.h"
#include "core/llb/llb_priv.h"

#define CUSTOM_NAME "llb.customname"

void
sw__llb_add_file_names(sw_buf *b, const Pb__FileOp *file)
{
        for (size_t i = 0; i < file->n_actions; i++) {
                const Pb__FileAction *a = file->actions[i];

                if (a->action_case != PB__FILE_ACTION__ACTION__NOT_SET && b->len)
                        sw_buf_adds(b, ", ");
                switch (a->action_case) {
                case PB__FILE_ACTION__ACTION_MKDIR:
                        sw_buf_adds(b, "mkdir ");
                        sw_buf_adds(b, a->mkdir->path);
                        break;
                case PB__FILE_ACTION__ACTION_MKFILE:
                        sw_buf_adds(b, "mkfile ");
                        sw_buf_adds(b, a->mkfile->path);
                        break;
                case PB__FILE_ACTION__ACTION_SYMLINK:
                        sw_buf_adds(b, "symlink ");
                        sw_buf_adds(b, a->symlink->newpath);
                        sw_buf_adds(b, " -> ");
                        sw_buf_adds(b, a->symlink->oldpath);
                        break;
                case PB__FILE_ACTION__ACTION_RM:
                        sw_buf_adds(b, "rm ");
                        sw_buf_adds(b, a->rm->path);
                        break;
                case PB__FILE_ACTION__ACTION_COPY:
                        sw_buf_adds(b, "copy ");
                        sw_buf_adds(b, a->copy->src);
                        sw_buf_addc(b, ' ');
                        sw_buf_adds(b, a->copy->dest);
                        break;
                default: break;
                }
        }
}

static void
add_args(sw_buf *b, const Pb__Meta *meta)
{
        for (size_t i = 0; meta && i < meta->n_args; i++) {
                if (i)
                        sw_buf_addc(b, ' ');
                sw_buf_adds(b, meta->args[i]);
        }
}

/* As much of another vertex's name as can be left after the cut. Names made from one long
 * name would otherwise take time by its length for each of them. */
static void
add_name_of(sw_buf *b, const sw_definition *def, const sw_llb_vertex *v, size_t input)
{
        const char *name = def->vertices[v->inputs[input].vertex].name;

        sw_buf_add(b, name, strnlen(name, SW_DEFINITION_MAX_NAME + 1));
}

/* Cut @b to the limit, at the end of a character. */
static void
cut(sw_buf *b)
{
        size_t n = SW_DEFINITION_MAX_NAME;

        if (b->len <= n)
                return;
        while (n > 0 && ((unsigned char) b->data[n] & 0xc0) == 0x80)
                n--;
        sw_buf_truncate(b, n);
        sw_buf_adds(b, "…");
}

static void
add_merge(sw_buf *b, const sw_definition *def, const sw_llb_vertex *v)
{
        sw_buf_adds(b, "merge (");
        for (size_t i = 0; i < v->op->n_inputs && b->len <= SW_DEFINITION_MAX_NAME; i++) {
                if (i)
                        sw_buf_adds(b, ", ");
                add_name_of(b, def, v, i);
        }
        sw_buf_addc(b, ')');
        cut(b);
}

static void
add_side(sw_buf *b, const sw_definition *def, const sw_llb_vertex *v, int64_t input)
{
        if (input < 0) {
                sw_buf_adds(b, "scratch");
                return;
        }
        sw_buf_addc(b, '(');
        add_name_of(b, def, v, (size_t) input);
        sw_buf_addc(b, ')');
}

static void
add_diff(sw_buf *b, const sw_definition *def, const sw_llb_vertex *v)
{
        sw_buf_adds(b, "diff ");
        add_side(b, def, v, v->op->diff->lower->input);
        sw_buf_adds(b, " -> ");
        add_side(b, def, v, v->op->diff->upper->input);
        cut(b);
}

/* A password in a URL is the builder's to know, not that of whoever sees the name in a log,
 * a history or a store. @s stays as it is where it has no URL. */
static const char *
shown(sw_definition *def, const char *s)
{
        if (!strstr(s, "://"))
                return s;
        sw_auto(sw_str) clean = sw__redact(s);
        return sw__pb_arena_strndup(&def->arena, clean, strlen(clean));
}

const char *
sw__llb_make_name(sw_definition *def, const sw_llb_vertex *v)
{
        const char *custom = sw_llb_vertex_description(v, CUSTOM_NAME);
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (custom)
                return shown(def, custom);
        switch (v->kind) {
        case SW_OP_SOURCE: return shown(def, v->op->source->identifier);
        case SW_OP_BUILD: return "build";
        case SW_OP_EXEC:
                if (v->op->exec->meta->n_args == 1)
                        return shown(def, v->op->exec->meta->args[0]);
                add_args(&b, v->op->exec->meta);
                break;
        case SW_OP_FILE: sw__llb_add_file_names(&b, v->op->file); break;
        case SW_OP_MERGE: add_merge(&b, def, v); break;
        case SW_OP_DIFF: add_diff(&b, def, v); break;
        case SW_OP_PASSTHROUGH:
                sw_buf_adds(&b, "passthrough ");
                sw_buf_adds(&b, v->op->passthrough->id);
                break;
        }
        const char *name = shown(def, b.data);
        return name == b.data ? sw__pb_arena_strndup(&def->arena, b.data, b.len) : name;
}
