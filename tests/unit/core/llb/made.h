/*
 * tests/unit/core/llb/made.h - definitions put together by hand, also wrong ones.
 *
 *      struct made m = { 0 };
 *      const char *src = made_source(&m, "local://ctx");
 *      Pb__Op op = ...;
 *      made_add(&m, &op);              returns its digest
 *      made_finish(&m);                the last op, pointing at the latest digest
 *      ... m.out.data, m.out.len ...
 *      made_release(&m);
 */
#ifndef SLIPWAY_TESTS_UNIT_LLB_MADE_H
#define SLIPWAY_TESTS_UNIT_LLB_MADE_H

#include <slipway/array.h>
#include <slipway/definition.h>

#include "core/llb/marshal.h"
#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"

struct made {
        SW_ARRAY(ProtobufCBinaryData) ops;
        SW_ARRAY(char *) digests;
        SW_ARRAY(Pb__OpMetadataEntry) metadata;
        Pb__Source *source; /* borrowed, or NULL */
        sw_buf out;         /* the definition, once finished */
};

/* Text for a protobuf-c member, which is not const. */
#define S(s) ((char *) (s))
/* A list of pointers with its length, for "n_x, x" members. */
#define LIST(T, ...)                                                                       \
        (T *[])                                                                            \
        {                                                                                  \
                __VA_ARGS__                                                                \
        }

static SW_UNUSED const char *
made_add_bytes(struct made *m, const void *p, size_t n)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_digest d = sw_digest_of(p, n);

        sw_array_push(&m->ops, (ProtobufCBinaryData){ n, sw_memdup(p, n) });
        sw_array_push(&m->digests, sw_strdup(sw_digest_str(&d, digest)));
        return m->digests.v[m->digests.n - 1];
}

static SW_UNUSED const char *
made_add(struct made *m, const Pb__Op *op)
{
        sw_buf b = SW_BUF_INIT;
        const char *digest;

        sw__llb_pack_op(op, &b);
        digest = made_add_bytes(m, b.data, b.len);
        sw_buf_release(&b);
        return digest;
}

static SW_UNUSED const char *
made_source(struct made *m, const char *identifier)
{
        Pb__SourceOp source = PB__SOURCE_OP__INIT;
        Pb__Op op = PB__OP__INIT;

        source.identifier = S(identifier);
        op.op_case = PB__OP__OP_SOURCE;
        op.source = &source;
        return made_add(m, &op);
}

/* Borrowed until made_finish(). */
static SW_UNUSED void
made_metadata(struct made *m, const char *digest, Pb__OpMetadata *md)
{
        Pb__OpMetadataEntry e = PB__OP_METADATA_ENTRY__INIT;

        e.key = S(digest);
        e.value = md;
        sw_array_push(&m->metadata, e);
}

/* The definition of the ops so far, without a last op. */
static SW_UNUSED void
made_close(struct made *m)
{
        Pb__Definition def = PB__DEFINITION__INIT;
        Pb__OpMetadataEntry **md = sw_alloc_array(m->metadata.n + 1, sizeof(*md));

        for (size_t i = 0; i < m->metadata.n; i++)
                md[i] = &m->metadata.v[i];
        def.def = m->ops.v;
        def.n_def = m->ops.n;
        def.metadata = md;
        def.n_metadata = m->metadata.n;
        def.source = m->source;
        sw_buf_init(&m->out);
        sw__pb_pack(&def.base, &m->out);
        free(md);
}

static SW_UNUSED void
made_finish_at(struct made *m, const char *digest, int64_t index)
{
        Pb__Input in = PB__INPUT__INIT;
        Pb__Op op = PB__OP__INIT;

        in.digest = S(digest);
        in.index = index;
        op.inputs = LIST(Pb__Input, &in);
        op.n_inputs = 1;
        made_add(m, &op);
        made_close(m);
}

static SW_UNUSED void
made_finish(struct made *m)
{
        made_finish_at(m, m->digests.v[m->digests.n - 1], 0);
}

static SW_UNUSED void
made_release(struct made *m)
{
        for (size_t i = 0; i < m->ops.n; i++) {
                free(m->ops.v[i].data);
                free(m->digests.v[i]);
        }
        sw_array_release(&m->ops);
        sw_array_release(&m->digests);
        sw_array_release(&m->metadata);
        if (m->out.data)
                sw_buf_release(&m->out);
}

/* ---- ops that follow the rules, to be changed ---- */

/* A command "true" on one input at the root. */
struct made_exec {
        Pb__Input in, in2;
        Pb__Input *ins[2];
        Pb__Mount root, more;
        Pb__Mount *mounts[2];
        char *args[1];
        Pb__Meta meta;
        Pb__ExecOp exec;
        Pb__Op op;
};

static SW_UNUSED void
made_exec_init(struct made_exec *e, const char *digest)
{
        *e = (struct made_exec){ .in = PB__INPUT__INIT,
                                 .in2 = PB__INPUT__INIT,
                                 .root = PB__MOUNT__INIT,
                                 .more = PB__MOUNT__INIT,
                                 .meta = PB__META__INIT,
                                 .exec = PB__EXEC_OP__INIT,
                                 .op = PB__OP__INIT };
        e->in.digest = e->in2.digest = S(digest);
        e->ins[0] = &e->in;
        e->ins[1] = &e->in2;
        e->root.dest = S("/");
        e->more.dest = S("/more");
        e->more.output = -1;
        e->more.input = -1;
        e->mounts[0] = &e->root;
        e->mounts[1] = &e->more;
        e->args[0] = S("true");
        e->meta.args = e->args;
        e->meta.n_args = 1;
        e->exec.meta = &e->meta;
        e->exec.mounts = e->mounts;
        e->exec.n_mounts = 1;
        e->op.inputs = e->ins;
        e->op.n_inputs = 1;
        e->op.op_case = PB__OP__OP_EXEC;
        e->op.exec = &e->exec;
}

/* mkdir, then a copy from the second input into it, which is the output. */
struct made_file {
        Pb__Input in, in2;
        Pb__Input *ins[2];
        Pb__FileActionMkDir mkdir;
        Pb__FileActionCopy copy;
        Pb__ChownOpt owner;
        Pb__UserOpt user;
        Pb__NamedUserOpt named;
        Pb__FileAction a, b;
        Pb__FileAction *actions[2];
        Pb__FileOp file;
        Pb__Op op;
};

static SW_UNUSED void
made_file_init(struct made_file *f, const char *digest)
{
        *f = (struct made_file){ .in = PB__INPUT__INIT,
                                 .in2 = PB__INPUT__INIT,
                                 .mkdir = PB__FILE_ACTION_MK_DIR__INIT,
                                 .copy = PB__FILE_ACTION_COPY__INIT,
                                 .owner = PB__CHOWN_OPT__INIT,
                                 .user = PB__USER_OPT__INIT,
                                 .named = PB__NAMED_USER_OPT__INIT,
                                 .a = PB__FILE_ACTION__INIT,
                                 .b = PB__FILE_ACTION__INIT,
                                 .file = PB__FILE_OP__INIT,
                                 .op = PB__OP__INIT };
        f->in.digest = f->in2.digest = S(digest);
        f->ins[0] = &f->in;
        f->ins[1] = &f->in2;
        f->mkdir.path = S("/d");
        f->a.output = -1;
        f->a.secondaryinput = -1;
        f->a.action_case = PB__FILE_ACTION__ACTION_MKDIR;
        f->a.mkdir = &f->mkdir;
        f->copy.src = S("/s");
        f->copy.dest = S("/d/");
        f->b.input = 2;
        f->b.secondaryinput = 1;
        f->b.action_case = PB__FILE_ACTION__ACTION_COPY;
        f->b.copy = &f->copy;
        f->user.user_case = PB__USER_OPT__USER_BY_NAME;
        f->user.byname = &f->named;
        f->owner.user = &f->user;
        f->actions[0] = &f->a;
        f->actions[1] = &f->b;
        f->file.actions = f->actions;
        f->file.n_actions = 2;
        f->op.inputs = f->ins;
        f->op.n_inputs = 2;
        f->op.op_case = PB__OP__OP_FILE;
        f->op.file = &f->file;
}

#endif
