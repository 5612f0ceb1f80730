/*
 * core/llb/state/making_ops.c - ops of sources, merges, diffs, passthroughs and nested
 * builds. See making.h.
 */
#include <string.h>

#include "core/llb/state/making.h"

/* ---- sources ----------------------------------------------------------------------- */

static bool
platform_matters(const char *identifier)
{
        return strncmp(identifier, "docker-image://", 15) == 0 ||
               strncmp(identifier, "oci-layout://", 13) == 0;
}

/* Attributes with the one that makes a local directory unlike any other, in its place. */
static const struct pair *
with_unique(struct making *m, const struct vertex *v, size_t *n)
{
        const struct source *s = &v->source;
        struct pair *attrs = PB_ARRAY(m, struct pair, s->n_attrs + 1);
        struct pair unique = { pb_text("local.unique"),
                               pb_text(v->opts.local_unique ? v->opts.local_unique
                                                            : m->local_unique) };
        size_t i = 0;

        for (; i < s->n_attrs && strcmp(s->attrs[i].key, unique.key) < 0; i++)
                attrs[i] = s->attrs[i];
        attrs[i] = unique;
        for (; i < s->n_attrs; i++)
                attrs[i + 1] = s->attrs[i];
        *n = s->n_attrs + 1;
        return attrs;
}

sw_err *
sw__llb_make_source(struct making *m, const struct vertex *v, Pb__Op *op, capset *caps)
{
        const struct source *s = &v->source;
        const struct pair *attrs = s->attrs;
        size_t n = s->n_attrs;
        Pb__SourceOp *source = PB_NEW(m, Pb__SourceOp, PB__SOURCE_OP__INIT);

        if (s->want_unique) {
                attrs = with_unique(m, v, &n);
                *caps |= CAP(LOCAL_UNIQUE);
        }
        source->identifier = s->identifier;
        source->attrs = sw__llb_pb_pairs(&m->tmp, attrs, n);
        source->n_attrs = n;
        op->op_case = PB__OP__OP_SOURCE;
        op->source = source;
        if (platform_matters(s->identifier))
                op->platform = sw__llb_pb_platform(m, v->opts.platform ? v->opts.platform
                                                                       : m->platform);
        return SW_OK;
}

/* ---- the others -------------------------------------------------------------------- */

/* Inputs as they are given, equal ones too. What turned out to be scratch has position -1
 * and is left out. */
static sw_err *
plain_inputs(struct making *m, const struct vertex *v, Pb__Op *op, int64_t *positions)
{
        op->inputs = PB_ARRAY(m, Pb__Input *, v->n_inputs);
        for (size_t i = 0; i < v->n_inputs; i++) {
                const struct entry *e;
                Pb__Input *in;
                int64_t index;
                sw_err *err = sw__llb_input_of(m, v->inputs[i], &e, &index);

                if (err)
                        return err;
                positions[i] = e ? (int64_t) op->n_inputs : -1;
                if (!e)
                        continue;
                in = PB_NEW(m, Pb__Input, PB__INPUT__INIT);
                in->digest = pb_text(e->digest);
                in->index = index;
                op->inputs[op->n_inputs++] = in;
        }
        return SW_OK;
}

static sw_err *
make_merge(struct making *m, Pb__Op *op)
{
        Pb__MergeOp *merge = PB_NEW(m, Pb__MergeOp, PB__MERGE_OP__INIT);

        if (!op->n_inputs)
                return sw_err_new(SW_E_INVALID, "all inputs turned out to be scratch");
        merge->inputs = PB_ARRAY(m, Pb__MergeInput *, op->n_inputs);
        for (size_t i = 0; i < op->n_inputs; i++) {
                Pb__MergeInput *in = PB_NEW(m, Pb__MergeInput, PB__MERGE_INPUT__INIT);

                in->input = (int64_t) i;
                merge->inputs[merge->n_inputs++] = in;
        }
        op->op_case = PB__OP__OP_MERGE;
        op->merge = merge;
        return SW_OK;
}

static sw_err *
make_diff(struct making *m, const int64_t *positions, Pb__Op *op)
{
        Pb__DiffOp *diff = PB_NEW(m, Pb__DiffOp, PB__DIFF_OP__INIT);

        diff->lower = PB_NEW(m, Pb__LowerDiffInput, PB__LOWER_DIFF_INPUT__INIT);
        diff->upper = PB_NEW(m, Pb__UpperDiffInput, PB__UPPER_DIFF_INPUT__INIT);
        diff->lower->input = positions[0];
        diff->upper->input = positions[1];
        op->op_case = PB__OP__OP_DIFF;
        op->diff = diff;
        return SW_OK;
}

static sw_err *
make_passthrough(struct making *m, const struct vertex *v, const int64_t *positions,
                 Pb__Op *op)
{
        Pb__PassthroughOp *pass = PB_NEW(m, Pb__PassthroughOp, PB__PASSTHROUGH_OP__INIT);

        pass->id = v->pass.id;
        pass->outputs = PB_ARRAY(m, int64_t, v->pass.n);
        for (size_t i = 0; i < v->pass.n; i++) {
                int64_t position = positions[v->pass.outputs[i]];

                if (position < 0)
                        return sw_err_new(
                                SW_E_INVALID,
                                "output %zu of passthrough %s turned out to be scratch", i,
                                sw__llb_shown(v->pass.id).text);
                pass->outputs[pass->n_outputs++] = position;
        }
        op->op_case = PB__OP__OP_PASSTHROUGH;
        op->passthrough = pass;
        return SW_OK;
}

static sw_err *
make_build(struct making *m, const struct vertex *v, Pb__Op *op)
{
        Pb__BuildOp *build = PB_NEW(m, Pb__BuildOp, PB__BUILD_OP__INIT);
        Pb__BuildInputEntry *in =
                PB_NEW(m, Pb__BuildInputEntry, PB__BUILD_INPUT_ENTRY__INIT);
        struct pair file = { pb_text("llbbuild.filename"), v->filename };

        if (!op->n_inputs)
                return sw_err_new(SW_E_INVALID,
                                  "the tree with the definition turned out to be scratch");
        build->builder = -1; /* the solver itself */
        in->key = pb_text("buildkit.llb.definition");
        in->value = PB_NEW(m, Pb__BuildInput, PB__BUILD_INPUT__INIT);
        build->inputs = PB_ARRAY(m, Pb__BuildInputEntry *, 1);
        build->inputs[0] = in;
        build->n_inputs = 1;
        build->n_attrs = v->filename ? 1 : 0;
        build->attrs = sw__llb_pb_pairs(&m->tmp, &file, build->n_attrs);
        op->op_case = PB__OP__OP_BUILD;
        op->build = build;
        op->platform =
                sw__llb_pb_platform(m, v->opts.platform ? v->opts.platform : m->platform);
        return SW_OK;
}

sw_err *
sw__llb_make_other(struct making *m, const struct vertex *v, Pb__Op *op)
{
        int64_t *positions = PB_ARRAY(m, int64_t, v->n_inputs);
        sw_err *err = plain_inputs(m, v, op, positions);

        if (err)
                return err;
        switch (v->kind) {
        case VERTEX_MERGE: return make_merge(m, op);
        case VERTEX_DIFF: return make_diff(m, positions, op);
        case VERTEX_PASSTHROUGH: return make_passthrough(m, v, positions, op);
        case VERTEX_BUILD: return make_build(m, v, op);
        default: break;
        }
        return sw_err_new(SW_E_INTERNAL, "vertex of kind %d cannot be marshalled",
                          (int) v->kind);
}
