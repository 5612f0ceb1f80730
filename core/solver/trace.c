/*
 * core/solver/trace.c - writing the ring of solver events out.
 *
 * Thread: that of the core.
 */
#include <unistd.h>

#include <slipway/io.h>
#include <slipway/mem.h>

#include "core/solver/trace.h"

struct sw__trace *
sw__trace_new(size_t events, int64_t (*mono)(void *), void *arg)
{
        struct sw__trace *t = sw_new(struct sw__trace);
        size_t size = 1;

        while (size < events)
                size *= 2;
        t->ring = sw_alloc_array(size, sizeof(*t->ring));
        t->mask = size - 1;
        t->mono = mono;
        t->arg = arg;
        return t;
}

void
sw__trace_free(struct sw__trace *t)
{
        if (!t)
                return;
        free(t->ring);
        free(t);
}

struct sw__trace *
sw__trace_copy(const struct sw__trace *t)
{
        struct sw__trace *copy = sw_memdup(t, sizeof(*t));

        copy->ring = sw_memdup(t->ring, (size_t) (t->mask + 1) * sizeof(*t->ring));
        return copy;
}

static uint64_t
first_kept(const struct sw__trace *t)
{
        return t->n > t->mask + 1 ? t->n - (t->mask + 1) : 0;
}

sw_err *
sw__trace_dump(const struct sw__trace *t, int fd)
{
        uint64_t first = first_kept(t), start = first & t->mask;
        uint64_t count = t->n - first, part = t->mask + 1 - start;
        struct sw__trace_head head = {
                .magic = SW__TRACE_MAGIC,
                .event_size = sizeof(struct sw__trace_event),
                .count = count,
                .lost = first,
        };
        int err = sw_write_all(fd, &head, sizeof(head));

        part = part < count ? part : count;
        if (!err)
                err = sw_write_all(fd, t->ring + start, part * sizeof(*t->ring));
        if (!err)
                err = sw_write_all(fd, t->ring, (count - part) * sizeof(*t->ring));
        return err ? sw_err_sys(SW_E_IO, err, "write the trace of the solver") : SW_OK;
}

void
sw__trace_print(const struct sw__trace *t, sw_buf *out)
{
        uint64_t first = first_kept(t);

        if (first)
                sw_buf_addf(out, "(%llu older events are lost)\n",
                            (unsigned long long) first);
        for (uint64_t i = first; i < t->n; i++)
                sw__trace_text(out, &t->ring[i & t->mask], t->ring[first & t->mask].time);
}
