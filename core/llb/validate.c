/*
 * core/llb/validate.c - the rules of every op but exec and file, of edges, platforms and
 * metadata. Indexes of op->inputs are what they lead to: they were resolved before.
 *
 * Thread: any.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <slipway/text.h>

#include "core/llb/llb_priv.h"

/* The input of a build op that holds the definition. */
#define BUILD_INPUT "buildkit.llb.definition"
#define LLB_BUILDER (-1)

static sw_err *
validate_source(struct sw__llb_check *c, const Pb__SourceOp *source)
{
        const char *sep = strstr(source->identifier, "://");
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (sep && sep != source->identifier)
                return SW_OK;
        sw_buf_add_quoted(&b, source->identifier, strlen(source->identifier), 200);
        return sw__llb_bad(sw__llb_at(c, "source.identifier"),
                           "failed to parse %s: a source is scheme://reference", b.data);
}

static sw_err *
validate_build(struct sw__llb_check *c, const Pb__BuildOp *build)
{
        bool found = false;

        if (build->builder != LLB_BUILDER)
                return sw__llb_bad(sw__llb_at(c, "build.builder"),
                                   "only LLB builder is currently allowed");
        for (size_t i = 0; i < build->n_inputs; i++) {
                const Pb__BuildInputEntry *in = build->inputs[i];

                found = found || strcmp(in->key, BUILD_INPUT) == 0;
                if (!sw__llb_has_input(c, in->value->input, false))
                        return sw__llb_no_input(sw__llb_at(c, "build.inputs[%zu].input", i),
                                                in->value->input);
        }
        if (!found)
                return sw__llb_bad(sw__llb_at(c, "build.inputs"),
                                   "no llb definition input " BUILD_INPUT " found");
        return SW_OK;
}

static sw_err *
validate_merge(struct sw__llb_check *c, const Pb__MergeOp *merge)
{
        if (merge->n_inputs != c->op->n_inputs)
                return sw__llb_bad(sw__llb_at(c, "merge.inputs"),
                                   "invalid merge op with %zu inner inputs and %zu outer "
                                   "inputs",
                                   merge->n_inputs, c->op->n_inputs);
        for (size_t i = 0; i < merge->n_inputs; i++)
                if (!sw__llb_has_input(c, merge->inputs[i]->input, false))
                        return sw__llb_no_input(sw__llb_at(c, "merge.inputs[%zu].input", i),
                                                merge->inputs[i]->input);
        return SW_OK;
}

static sw_err *
validate_diff(struct sw__llb_check *c, const Pb__DiffOp *diff)
{
        if (!diff->lower || !diff->upper)
                return sw__llb_bad(sw__llb_at(c, "diff.%s",
                                              diff->lower ? "upper" : "lower"),
                                   "invalid diff op with nil lower or upper input");
        for (int i = 0; i < 2; i++) {
                int64_t input = i ? diff->upper->input : diff->lower->input;

                if (input < -1 || input >= (int64_t) c->op->n_inputs)
                        return sw__llb_bad(sw__llb_at(c, "diff.%s.input",
                                                      i ? "upper" : "lower"),
                                           "invalid diff input index %" PRId64, input);
        }
        return SW_OK;
}

static sw_err *
validate_passthrough(struct sw__llb_check *c, const Pb__PassthroughOp *pass)
{
        if (!pass->id[0])
                return sw__llb_bad(sw__llb_at(c, "passthrough.id"),
                                   "invalid passthrough op with no id");
        if (pass->n_outputs == 0)
                return sw__llb_bad(sw__llb_at(c, "passthrough.outputs"),
                                   "invalid passthrough op with no outputs");
        for (size_t i = 0; i < pass->n_outputs; i++)
                if (pass->outputs[i] < 0 || (uint64_t) pass->outputs[i] >= c->op->n_inputs)
                        return sw__llb_bad(
                                sw__llb_at(c, "passthrough.outputs[%zu]", i),
                                "invalid passthrough output input index %" PRId64,
                                pass->outputs[i]);
        return SW_OK;
}

/* A part of a platform becomes part of file names and of keys. */
static bool
is_platform_word(const char *s)
{
        for (; *s; s++)
                if (!isalnum((unsigned char) *s) && !strchr("._-", *s))
                        return false;
        return true;
}

static sw_err *
validate_platform(struct sw__llb_check *c, const Pb__Platform *p)
{
        if (!p)
                return SW_OK;
        if (!is_platform_word(p->os))
                sw__llb_at(c, "platform.OS");
        else if (!is_platform_word(p->architecture))
                sw__llb_at(c, "platform.Architecture");
        else if (!is_platform_word(p->variant))
                sw__llb_at(c, "platform.Variant");
        else
                return SW_OK;
        return sw__llb_bad(c, "invalid platform: only letters, digits and ._- are allowed");
}

/* What this slipway does not know of, it kept as unknown fields. */
static sw_err *
no_op(struct sw__llb_check *c, const Pb__Op *op)
{
        if (!op->base.n_unknown_fields)
                return sw__llb_bad(sw__llb_at(c, "op"), "invalid nil op");
        return sw__llb_bad(sw__llb_at(c, "op"),
                           "an op of a kind that is not known here (field %u): the "
                           "definition was made for a newer version",
                           op->base.unknown_fields[0].tag);
}

static sw_err *
validate_op(struct sw__llb_check *c, sw_llb_vertex *v)
{
        const Pb__Op *op = v->op;

        v->n_outputs = 1;
        switch (v->kind) {
        case SW_OP_SOURCE: return validate_source(c, op->source);
        case SW_OP_EXEC: return sw__llb_validate_exec(c, op->exec, &v->n_outputs);
        case SW_OP_FILE: return sw__llb_validate_file(c, op->file, &v->n_outputs);
        case SW_OP_BUILD: return validate_build(c, op->build);
        case SW_OP_MERGE: return validate_merge(c, op->merge);
        case SW_OP_DIFF: return validate_diff(c, op->diff);
        case SW_OP_PASSTHROUGH:
                v->n_outputs = (uint32_t) op->passthrough->n_outputs;
                return validate_passthrough(c, op->passthrough);
        default: return no_op(c, op);
        }
}

/* Inputs come before what uses them, so their outputs have been counted. */
static sw_err *
validate_edges(struct sw__llb_check *c, const sw_llb_vertex *v)
{
        for (size_t i = 0; i < v->op->n_inputs; i++) {
                struct sw_llb_edge e = v->inputs[i];

                if (e.output >= c->def->vertices[e.vertex].n_outputs)
                        return sw__llb_bad(sw__llb_at(c, "inputs[%zu].index", i),
                                           "invalid input %zu output index %" PRIu32
                                           ": vertex %s has %" PRIu32 " outputs",
                                           i, e.output,
                                           c->def->vertices[e.vertex].digest_str,
                                           c->def->vertices[e.vertex].n_outputs);
        }
        return SW_OK;
}

sw_err *
sw__llb_validate(const sw_definition *def, sw_llb_vertex *v)
{
        struct sw__llb_check c = { .def = def, .op = v->op, .digest = v->digest_str };
        sw_err *err;

        err = validate_edges(&c, v);
        if (!err)
                err = validate_platform(&c, v->op->platform);
        if (!err)
                err = validate_op(&c, v);
        return err;
}

static sw_err *
validate_cap(struct sw__llb_check *c, const char *name,
             const struct sw_definition_opts *opts)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (!sw_llb_cap_known(name)) {
                sw_buf_add_quoted(&b, name, strlen(name), 100);
                if (b.len == strlen(name) + 2) /* nothing in it that needs quotes */
                        return sw__llb_bad(sw__llb_at(c, "metadata.caps"),
                                           "unknown API capability %s", name);
                return sw__llb_bad(sw__llb_at(c, "metadata.caps"),
                                   "unknown API capability %s", b.data);
        }
        for (size_t i = 0; opts && i < opts->n_disabled_caps; i++)
                if (strcmp(opts->disabled_caps[i], name) == 0)
                        return sw__llb_bad(sw__llb_at(c, "metadata.caps"),
                                           "requested experimental feature %s has been "
                                           "disabled on the build server",
                                           name);
        return SW_OK;
}

sw_err *
sw__llb_validate_metadata(struct sw__llb_check *c, const Pb__OpMetadata *md,
                          const struct sw_definition_opts *opts)
{
        for (size_t i = 0; i < md->n_caps; i++) {
                sw_err *err = validate_cap(c, md->caps[i]->key, opts);

                if (err)
                        return err;
        }
        return SW_OK;
}
