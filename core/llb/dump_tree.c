/*
 * core/llb/dump_tree.c - a definition for eyes, from the result down.
 *
 *      ● copy /y /b  652a93181a46 file
 *      ├─● b  fde75354639e exec linux/amd64
 *      │ ● docker-image://docker.io/library/busybox:latest  e1432b8e2054 source linux/amd64
 *      ● copy /x /a  5a422fcc6b06 file
 *      ● a  2df36acc39c2 exec linux/amd64
 *      ○ see e1432b8e2054
 *
 * What a vertex starts from (its first input) follows below it at the same depth, so that
 * a long chain stays straight; its other inputs come in between, one step in. A vertex is
 * shown once; where it is used again there is a reference.
 * Thread: any.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/llb/dump.h"

enum { MAX_DEPTH = 24, NAME_BYTES = 72, SHORT_DIGEST = 12 };

/* A vertex still to be shown. */
struct todo {
        struct sw__llb_dump_op *op; /* NULL: not in the definition */
        const Pb__Input *input;     /* how it is used; NULL for the root */
        const char *at;             /* where a command has it mounted; or NULL or "" */
        unsigned depth;
        bool branch; /* the first line of a step in */
};

typedef SW_ARRAY(struct todo) todos;

static void
add_name(sw_buf *b, const struct sw__llb_dump_op *o)
{
        const Pb__OpMetadata *md = o->metadata;
        const Pb__Op *op = o->op;

        for (size_t i = 0; md && i < md->n_description; i++)
                if (strcmp(md->description[i]->key, "llb.customname") == 0) {
                        sw_buf_adds(b, md->description[i]->value);
                        return;
                }
        switch (op->op_case) {
        case PB__OP__OP_SOURCE: sw_buf_adds(b, op->source->identifier); break;
        case PB__OP__OP_FILE: sw__llb_add_file_names(b, op->file); break;
        case PB__OP__OP_BUILD: sw_buf_adds(b, "build"); break;
        case PB__OP__OP_MERGE: sw_buf_adds(b, "merge"); break;
        case PB__OP__OP_DIFF: sw_buf_adds(b, "diff"); break;
        case PB__OP__OP_PASSTHROUGH:
                sw_buf_addf(b, "passthrough %s", op->passthrough->id);
                break;
        case PB__OP__OP_EXEC:
                for (size_t i = 0; op->exec->meta && i < op->exec->meta->n_args; i++)
                        sw_buf_addf(b, i ? " %s" : "%s", op->exec->meta->args[i]);
                break;
        default: sw_buf_adds(b, "(no op)"); break;
        }
}

/* Safe on a terminal; quotes only where something had to be changed. */
static void
add_safe(sw_buf *out, const char *s, size_t n)
{
        size_t at = out->len;

        sw_buf_add_quoted(out, s, n, NAME_BYTES);
        if (out->len - at == n + 2 && memcmp(out->data + at + 1, s, n) == 0) {
                sw_buf_truncate(out, at);
                sw_buf_add(out, s, n);
        }
}

static void
add_short(sw_buf *out, const char *digest)
{
        if (sw_digest_is(digest, SIZE_MAX))
                sw_buf_add(out, digest + strlen("sha256:"), SHORT_DIGEST);
        else
                add_safe(out, digest, strlen(digest));
}

static void
add_platform(sw_buf *out, const Pb__Platform *p)
{
        if (!p)
                return;
        sw_buf_addc(out, ' ');
        add_safe(out, p->os, strlen(p->os));
        sw_buf_addc(out, '/');
        add_safe(out, p->architecture, strlen(p->architecture));
        if (p->variant[0]) {
                sw_buf_addc(out, '/');
                add_safe(out, p->variant, strlen(p->variant));
        }
}

static void
add_indent(sw_buf *out, const struct todo *t)
{
        for (unsigned i = 0; i + 1 < t->depth && i < MAX_DEPTH; i++)
                sw_buf_adds(out, "│ ");
        if (t->depth)
                sw_buf_adds(out, t->branch ? "├─" : "│ ");
        if (t->depth > MAX_DEPTH)
                sw_buf_addf(out, "[%u] ", t->depth);
        sw_buf_adds(out, t->op && !t->op->shown ? "● " : "○ ");
}

static const char *
kind_of(const Pb__Op *op)
{
        switch (op->op_case) {
        case PB__OP__OP_SOURCE: return "source";
        case PB__OP__OP_EXEC: return "exec";
        case PB__OP__OP_FILE: return "file";
        case PB__OP__OP_BUILD: return "build";
        case PB__OP__OP_MERGE: return "merge";
        case PB__OP__OP_DIFF: return "diff";
        case PB__OP__OP_PASSTHROUGH: return "passthrough";
        default: return "-";
        }
}

static void
add_line(sw_buf *out, const struct todo *t)
{
        sw_auto(sw_buf) name = SW_BUF_INIT;

        add_indent(out, t);
        if (t->at && t->at[0]) {
                add_safe(out, t->at, strlen(t->at));
                sw_buf_adds(out, " = ");
        }
        if (!t->op) {
                sw_buf_adds(out, "missing ");
                add_short(out, t->input->digest);
        } else if (t->op->shown) {
                sw_buf_adds(out, "see ");
                add_short(out, t->op->digest);
        } else {
                add_name(&name, t->op);
                add_safe(out, name.data, name.len);
                sw_buf_adds(out, "  ");
                add_short(out, t->op->digest);
                sw_buf_addf(out, " %s", kind_of(t->op->op));
                add_platform(out, t->op->op->platform);
        }
        if (t->input && t->input->index)
                sw_buf_addf(out, ", output %lld", (long long) t->input->index);
        sw_buf_addc(out, '\n');
}

/* The inputs of @from, the first one last: it is taken from the end, after the others. */
static void
push_inputs(const struct sw__llb_dump *d, todos *list, const struct todo *from)
{
        const Pb__Op *op = from->op->op;
        const char **at = sw__llb_dump_places(op);

        for (size_t i = 0; i < op->n_inputs; i++) {
                struct todo t = { .op = (struct sw__llb_dump_op *)
                                          sw_map_get(d->by_digest, op->inputs[i]->digest),
                                  .input = op->inputs[i],
                                  .at = at[i],
                                  .depth = from->depth + (i > 0),
                                  .branch = i > 0 };

                sw_array_push(list, t);
        }
        free(at);
}

static void
show(const struct sw__llb_dump *d, todos *list, sw_buf *out)
{
        while (list->n) {
                struct todo t = list->v[--list->n];
                bool first = t.op && !t.op->shown;

                add_line(out, &t);
                if (!first)
                        continue;
                t.op->shown = true;
                push_inputs(d, list, &t);
        }
}

void
sw__llb_dump_tree(struct sw__llb_dump *d, sw_buf *out)
{
        todos list = { 0 };

        if (d->n) {
                struct sw__llb_dump_op *last = &d->ops[d->n - 1];
                struct todo root = { .op = last };

                /* The last op says what the result is and is not a step itself. */
                last->shown = last->op->op_case == PB__OP__OP__NOT_SET;
                if (last->shown)
                        push_inputs(d, &list, &root);
                else
                        sw_array_push(&list, root);
        }
        show(d, &list, out);
        for (size_t i = d->n; i-- > 0;) {
                if (d->ops[i].shown ||
                    sw_map_get(d->by_digest, d->ops[i].digest) != &d->ops[i])
                        continue;
                sw_buf_adds(out, "not used:\n");
                sw_array_push(&list, (struct todo){ .op = &d->ops[i] });
                show(d, &list, out);
        }
        sw_array_release(&list);
}
