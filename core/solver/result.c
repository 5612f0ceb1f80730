/*
 * core/solver/result.c - results: counted, opaque, named.
 *
 * Thread: any.
 */
#include "core/solver/op.h"

struct sw_result {
        int refs; /* atomic */
        const struct sw_result_ops *ops;
        void *data;
        bool named;
        char id[];
};

sw_result *
sw__result_new(const char *id, const struct sw_result_ops *ops, void *data)
{
        size_t n = id ? strlen(id) : 0;
        sw_result *r = sw_alloc(sizeof(*r) + n + 1);

        r->refs = 1;
        r->ops = ops;
        r->data = data;
        /* What is too long to be stored has no name: it is never looked for. */
        r->named = id && n <= SW_RESULT_ID_MAX;
        if (id)
                memcpy(r->id, id, n);
        return r;
}

sw_result *
sw__result_ref(sw_result *r)
{
        __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
        return r;
}

void
sw__result_unref(sw_result *r)
{
        if (!r || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL))
                return;
        if (r->ops && r->ops->release)
                r->ops->release(r->data);
        free(r);
}

void *
sw__result_data(const sw_result *r)
{
        return r->data;
}

const char *
sw__result_id(const sw_result *r)
{
        return r->named ? r->id : NULL;
}
