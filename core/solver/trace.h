/*
 * core/solver/trace.h - the ring of solver events, and its file format.
 *
 * Always on: an event is 32 bytes written into a ring. The scheduler's core writes; when it
 * is asked to (or a model test fails) the ring goes to a file or is printed.
 *
 * File: struct sw__trace_head, then head.count events, oldest first, in the byte order of
 * the machine (magic tells). Thread: one at a time, that of the core.
 */
#ifndef SLIPWAY_CORE_SOLVER_TRACE_H
#define SLIPWAY_CORE_SOLVER_TRACE_H

#include <slipway/buf.h>
#include <slipway/error.h>

SW_BEGIN_DECLS

enum sw__trace_kind {
        SW__T_NONE,
        SW__T_VERTEX,    /* made: number; arg: first 8 bytes of the digest; c: inputs */
        SW__T_GONE,      /* freed: number */
        SW__T_EDGE,      /* number, c: output; a: state, b: event; arg: state after */
        SW__T_RUN,       /* number; a: state, b: event; arg: state after */
        SW__T_ACT,       /* begun: number; a: kind; c: index */
        SW__T_ACT_END,   /* number; a: kind; b: bit 0 error, bit 1 cancelled; c: index */
        SW__T_LOOKUP,    /* number, c: output; a: 1 hit; arg: keys known */
        SW__T_STAGE,     /* inputs of number reached stage a */
        SW__T_WHY,       /* number ran; a: enum sw_why; c: input */
        SW__T_JOB,       /* job number begun */
        SW__T_JOB_END,   /* job number ended */
        SW__T_SOLVE,     /* job number; c: vertices */
        SW__T_SOLVE_END, /* job number; b: 1 error */
        SW__T_COMMIT,    /* arg: writes in the group */
        SW__T_STORE_ERR, /* arg: code */
        SW__T_KINDS
};

struct sw__trace_event {
        int64_t time; /* monotonic ns; events close together share one */
        uint16_t kind;
        uint8_t a, b;
        uint32_t c;
        uint64_t number; /* of a vertex or job */
        uint64_t arg;
};

#define SW__TRACE_MAGIC UINT64_C(0x3130454341525753) /* "SWRACE01", little endian */
struct sw__trace_head {
        uint64_t magic;
        uint32_t event_size;
        uint32_t reserved;
        uint64_t count; /* events in the file */
        uint64_t lost;  /* older ones, overwritten */
};

struct sw__trace {
        struct sw__trace_event *ring;
        uint64_t n;    /* ever written */
        uint64_t mask; /* size - 1 */
        int64_t now;   /* of the latest tick */
        int64_t (*mono)(void *arg);
        void *arg;
};

/** sw__trace_new - @events is rounded up to a power of two. */
SW_API struct sw__trace *sw__trace_new(size_t events, int64_t (*mono)(void *), void *arg);
SW_API void sw__trace_free(struct sw__trace *t);
/** sw__trace_copy - as it is now, to be written out while it goes on. */
SW_API struct sw__trace *sw__trace_copy(const struct sw__trace *t);

/* Read the clock: at the start of each piece of work. */
static inline void
sw__trace_tick(struct sw__trace *t)
{
        t->now = t->mono(t->arg);
}

static inline void
sw__trace_add(struct sw__trace *t, enum sw__trace_kind kind, uint64_t number, uint8_t a,
              uint8_t b, uint32_t c, uint64_t arg)
{
        struct sw__trace_event *e = &t->ring[t->n++ & t->mask];

        /* Reading the clock is most of the cost: what follows at once has the same time. */
        if ((t->n & 15) == 0)
                sw__trace_tick(t);
        e->time = t->now;
        e->kind = (uint16_t) kind;
        e->a = a;
        e->b = b;
        e->c = c;
        e->number = number;
        e->arg = arg;
}

/** sw__trace_dump - the file format, to @fd. Blocks. Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw__trace_dump(const struct sw__trace *t, int fd);

/** sw__trace_text - one event as a line. @first: time of the first, for relative times.
 *  @e may come from outside: unknown numbers are printed as numbers. */
SW_API void sw__trace_text(sw_buf *out, const struct sw__trace_event *e, int64_t first);

/** sw__trace_print - what is in the ring as text. */
SW_API void sw__trace_print(const struct sw__trace *t, sw_buf *out);

/** sw__trace_replay - read a dumped trace from @fd and hand out its lines, some at a time.
 *  Errors: SW_E_INVALID: not a trace; SW_E_IO; and what @put returns, which ends it. */
SW_API SW_NODISCARD sw_err *sw__trace_replay(int fd, const char *name,
                                             sw_err *(*put)(void *arg, const char *text,
                                                            size_t n),
                                             void *arg);

SW_END_DECLS
#endif
