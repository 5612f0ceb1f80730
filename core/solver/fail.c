/*
 * core/solver/fail.c - a vertex has failed.
 *
 * The failure is one counted object for all that fail with it: a chain of a hundred
 * thousand vertices shares one error. It names the vertex where it began. Thread: scheduler
 * only.
 */
#include "core/solver/internal.h"

struct sw__failure *
sw__failure_ref(struct sw__failure *f)
{
        if (f)
                f->refs++;
        return f;
}

void
sw__failure_unref(struct sw__failure *f)
{
        if (!f || --f->refs)
                return;
        sw_err_free(f->err);
        free(f);
}

void
sw__vx_fail_with(struct sw__core *c, struct sw__vx *v, struct sw__failure *f)
{
        if (v->failure)
                return;
        v->failure = sw__failure_ref(f);
        sw__edge_post_all(c, v, SW__EV_FAIL);
}

void
sw__vx_fail(struct sw__core *c, struct sw__vx *v, sw_err *err)
{
        char text[SW_DIGEST_STR_SIZE];

        if (v->failure) {
                sw_err_drop(err, "the vertex has failed already");
                return;
        }
        struct sw__failure *f = sw_new(struct sw__failure);
        f->refs = 1;
        f->err = err;
        f->vertex = v->digest;
        sw_err_set_vertex(f->err, sw_digest_str(&v->digest, text));
        sw__notice_vertex(c, v, false, f);
        sw__vx_fail_with(c, v, f);
        sw__failure_unref(f);
}
