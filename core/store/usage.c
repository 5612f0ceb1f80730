/*
 * core/store/usage.c - disk usage, record by record.
 */
#include <slipway/time.h>

#include "core/store/survey.h"

sw_err *
sw__worker_usage(sw_worker *w, sw_ctx *ctx, const sw_filter *filter, int64_t age_limit,
                 sw_usage_fn *fn, void *arg)
{
        const int64_t cutoff = age_limit > 0 ? sw_time_now() - age_limit : INT64_MAX;
        struct sw__survey s;
        bool more = true;
        sw_err *err = sw__survey_make(w, ctx, true, &s);

        if (err)
                return sw_err_wrap(err, "disk usage");
        for (size_t i = 0; i < s.items.n && more; i++) {
                sw_auto(sw_strlist) parents = { 0 };
                struct sw_usage u;

                if (s.items.v[i].last_used > cutoff)
                        continue;
                sw__survey_tell(&s, i, &parents, &u);
                if (sw__filter_match(filter, &u))
                        more = fn(arg, &u);
        }
        sw__survey_release(&s);
        return SW_OK;
}
