/*
 * core/llb/dump_dot.c - a definition for graphviz, as buildctl draws it: shapes by kind,
 * arrows from what is used to what uses it, with the place a command has it mounted at.
 *
 * Thread: any.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/llb/dump.h"

static void
add_quoted(sw_buf *b, const char *s)
{
        sw_buf_addc(b, '"');
        for (; *s; s++) {
                unsigned char c = (unsigned char) *s;

                switch (c) {
                case '"': sw_buf_adds(b, "\\\""); break;
                case '\\': sw_buf_adds(b, "\\\\"); break;
                case '\a': sw_buf_adds(b, "\\a"); break;
                case '\b': sw_buf_adds(b, "\\b"); break;
                case '\f': sw_buf_adds(b, "\\f"); break;
                case '\n': sw_buf_adds(b, "\\n"); break;
                case '\r': sw_buf_adds(b, "\\r"); break;
                case '\t': sw_buf_adds(b, "\\t"); break;
                case '\v': sw_buf_adds(b, "\\v"); break;
                default:
                        if (c < 0x20 || c == 0x7f)
                                sw_buf_addf(b, "\\x%02x", c);
                        else
                                sw_buf_addc(b, (char) c);
                }
        }
        sw_buf_addc(b, '"');
}

static void
add_actions(sw_buf *b, const Pb__FileOp *file)
{
        for (size_t i = 0; i < file->n_actions; i++) {
                const Pb__FileAction *a = file->actions[i];

                if (i)
                        sw_buf_addc(b, ',');
                switch (a->action_case) {
                case PB__FILE_ACTION__ACTION_COPY:
                        sw_buf_addf(b, "copy{src=%s, dest=%s}", a->copy->src,
                                    a->copy->dest);
                        break;
                case PB__FILE_ACTION__ACTION_MKFILE:
                        sw_buf_addf(b, "mkfile{path=%s}", a->mkfile->path);
                        break;
                case PB__FILE_ACTION__ACTION_MKDIR:
                        sw_buf_addf(b, "mkdir{path=%s}", a->mkdir->path);
                        break;
                case PB__FILE_ACTION__ACTION_RM:
                        sw_buf_addf(b, "rm{path=%s}", a->rm->path);
                        break;
                case PB__FILE_ACTION__ACTION_SYMLINK:
                        sw_buf_addf(b, "symlink{oldpath=%s, newpath=%s}",
                                    a->symlink->oldpath, a->symlink->newpath);
                        break;
                default: break;
                }
        }
}

/* The label into @b; returns the shape. */
static const char *
add_label(sw_buf *b, const struct sw__llb_dump_op *o)
{
        const Pb__Op *op = o->op;

        switch (op->op_case) {
        case PB__OP__OP_SOURCE: sw_buf_adds(b, op->source->identifier); return "ellipse";
        case PB__OP__OP_BUILD: sw_buf_adds(b, "build"); return "box3d";
        case PB__OP__OP_MERGE: sw_buf_adds(b, "merge"); return "invtriangle";
        case PB__OP__OP_DIFF: sw_buf_adds(b, "diff"); return "doublecircle";
        case PB__OP__OP_FILE: add_actions(b, op->file); return "note";
        case PB__OP__OP_EXEC:
                for (size_t i = 0; op->exec->meta && i < op->exec->meta->n_args; i++) {
                        if (i)
                                sw_buf_addc(b, ' ');
                        sw_buf_adds(b, op->exec->meta->args[i]);
                }
                return "box";
        default: sw_buf_adds(b, o->digest); return "plaintext";
        }
}

/* Arrows to @o from its inputs. */
static void
add_arrows(sw_buf *out, const struct sw__llb_dump_op *o)
{
        const char **at = sw__llb_dump_places(o->op);

        for (size_t i = 0; i < o->op->n_inputs; i++) {
                sw_buf_adds(out, "  ");
                add_quoted(out, o->op->inputs[i]->digest);
                sw_buf_addf(out, " -> \"%s\" [label=", o->digest);
                add_quoted(out, at[i]);
                sw_buf_adds(out, "];\n");
        }
        free(at);
}

void
sw__llb_dump_dot(const struct sw__llb_dump *d, sw_buf *out)
{
        sw_auto(sw_buf) label = SW_BUF_INIT;

        sw_buf_adds(out, "digraph {\n");
        for (size_t i = 0; i < d->n; i++) {
                const char *shape;

                sw_buf_clear(&label);
                shape = add_label(&label, &d->ops[i]);
                sw_buf_addf(out, "  \"%s\" [label=", d->ops[i].digest);
                add_quoted(out, label.data);
                sw_buf_addf(out, " shape=\"%s\"];\n", shape);
        }
        for (size_t i = 0; i < d->n; i++)
                add_arrows(out, &d->ops[i]);
        sw_buf_adds(out, "}\n");
}
