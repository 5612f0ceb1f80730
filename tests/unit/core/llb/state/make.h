/*
 * tests/unit/core/llb/state/make.h - definitions taken apart, for the tests of the builder.
 */
#ifndef SLIPWAY_TESTS_UNIT_LLB_STATE_MAKE_H
#define SLIPWAY_TESTS_UNIT_LLB_STATE_MAKE_H

#include <slipway/definition.h>
#include <slipway/llb.h>

#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"
#include "tests/unit/unit.h"

/* A definition and its ops, in their order; the last one is no vertex. */
struct made {
        struct sw__pb_arena a;
        sw_buf bytes;
        Pb__Definition *def;
        Pb__Op **op;
        char (*digest)[SW_DIGEST_STR_SIZE];
        size_t n;
};

/* Also has it checked and loaded, as a daemon would. */
static inline void
make(struct made *m, const sw_state *s, const struct sw_llb_opts *opts)
{
        sw_autoptr(sw_definition) loaded = NULL;

        sw_buf_init(&m->bytes);
        sw__pb_arena_init(&m->a);
        ok(sw_state_marshal(s, opts, &m->bytes));
        ok(sw_definition_decode(m->bytes.data, m->bytes.len, NULL, &loaded));
        ok(sw__pb_unpack(&pb__definition__descriptor, &m->a.allocator, m->bytes.data,
                         m->bytes.len, &m->def));
        m->n = m->def->n_def;
        m->op = (Pb__Op **) sw__pb_arena_alloc(&m->a, m->n * sizeof(*m->op));
        m->digest = sw__pb_arena_alloc(&m->a, m->n * sizeof(*m->digest));
        for (size_t i = 0; i < m->n; i++) {
                sw_digest d = sw_digest_of(m->def->def[i].data, m->def->def[i].len);

                sw_digest_str(&d, m->digest[i]);
                ok(sw__pb_unpack(&pb__op__descriptor, &m->a.allocator, m->def->def[i].data,
                                 m->def->def[i].len, &m->op[i]));
        }
}

static inline void
unmake(struct made *m)
{
        sw_buf_release(&m->bytes);
        sw__pb_arena_release(&m->a);
}

/* Where the op with that digest is. */
static inline size_t
index_of(const struct made *m, const char *digest)
{
        for (size_t i = 0; i < m->n; i++)
                if (strcmp(m->digest[i], digest) == 0)
                        return i;
        ck_abort_msg("no op has digest %s", digest);
}

static inline Pb__OpMetadata *
metadata(const struct made *m, const char *digest)
{
        for (size_t i = 0; i < m->def->n_metadata; i++)
                if (strcmp(m->def->metadata[i]->key, digest) == 0)
                        return m->def->metadata[i]->value;
        ck_abort_msg("no metadata for %s", digest);
}

static inline bool
has_cap(const Pb__OpMetadata *md, const char *cap)
{
        for (size_t i = 0; i < md->n_caps; i++)
                if (strcmp(md->caps[i]->key, cap) == 0)
                        return md->caps[i]->value;
        return false;
}

/* The one before the last: what the definition is for. */
static inline Pb__Op *
result_op(const struct made *m)
{
        ck_assert_uint_ge(m->n, 2);
        return m->op[m->n - 2];
}

static inline sw_state *
image(const char *name)
{
        sw_state *s;

        ok(sw_llb_image(name, NULL, NULL, &s));
        return s;
}

static inline sw_state *
run(const sw_state *s, const char *arg)
{
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_state *root;

        sw_run_args(r, (const char *const[]){ arg, NULL });
        ok(sw_run_end(r, NULL, &root));
        return root;
}

static inline sw_state *
files(const sw_state *s, const sw_files *f)
{
        sw_state *after;

        ok(sw_state_files(s, f, NULL, &after));
        return after;
}

#endif
