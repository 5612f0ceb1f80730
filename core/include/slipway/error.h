/*
 * slipway/error.h - the one error object.
 *
 * A fallible function returns sw_err *: SW_OK (NULL) for success, otherwise an error
 * that is handed to the caller, who returns it (sw_err_wrap), prints it or drops it on
 * purpose (sw_err_drop). An error has
 *
 *   a code      stable, for programs (enum sw_code)
 *   an errno    0 when no system call failed
 *   messages    a chain, outermost first, each with the source file and line it was
 *               added at; sw_err_message() joins them: "write layer x: open x: No space"
 *   a plugin    "kind/name" when one is to blame
 *   a vertex    digest string, when the error belongs to a step of a build
 *   a source    the place in a text (a Dockerfile) that it is about
 *
 * An error is owned by one thread at a time. Making one never fails: when memory is
 * gone, a static error with code SW_E_NOMEM is returned instead.
 */
#ifndef SLIPWAY_ERROR_H
#define SLIPWAY_ERROR_H

#include <slipway/api.h>
#include <slipway/cleanup.h>

SW_BEGIN_DECLS

typedef struct sw_err sw_err;

#define SW_OK ((sw_err *) NULL)

/* Codes are stable: numbers are never reused, new ones are added before SW_E_COUNT. */
enum sw_code {
        SW_E_INTERNAL = 1, /* a bug in slipway or a plugin */
        SW_E_NOMEM,        /* memory ran out */
        SW_E_CANCELLED,    /* asked to stop */
        SW_E_TIMEOUT,      /* a deadline passed */
        SW_E_INVALID,      /* input that does not follow its format or its rules */
        SW_E_USAGE,        /* wrong command line */
        SW_E_CONFIG,       /* wrong configuration */
        SW_E_NOT_FOUND,    /* the named thing is not there */
        SW_E_EXISTS,       /* the named thing is there already */
        SW_E_IO,           /* reading or writing failed */
        SW_E_LIMIT,        /* larger, longer or deeper than allowed */
        SW_E_DENIED,       /* not permitted: entitlement, credential, mode */
        SW_E_UNSUPPORTED,  /* known, but not possible here */
        SW_E_BUSY,         /* in use by somebody else */
        SW_E_CORRUPT,      /* stored data is damaged */
        SW_E_ABI,          /* plugin made for another version of slipway */
        SW_E_BROKEN,       /* plugin is there but cannot be used */
        SW_E_UNMET,        /* plugin needs another that is missing or broken */
        SW_E_STEP,         /* a step of the build failed by itself (exit status, signal) */
        SW_E_REMOTE,       /* a remote service answered with an error */
        SW_E_PUSH,         /* what was built could not be pushed */
        SW_E_COUNT
};

/* Source position of a message; made by SW_HERE, never by hand. */
struct sw_place {
        const char *file; /* static */
        int line;
};
#define SW_HERE ((struct sw_place){ __FILE__, __LINE__ })

/* Never NULL, which clang's analyzer cannot see for itself. */
#ifdef __clang_analyzer__
#define SW__SURE(e) ((e) ?: (__builtin_trap(), (sw_err *) 0))
#else
#define SW__SURE(e) (e)
#endif

/**
 * sw_err_new - make an error.   (macro: adds the place)
 * @code: what kind of failure.
 * @fmt:  message without a trailing newline or full stop; names the thing.
 * Returns: an error, handed to the caller; never NULL.
 */
#define sw_err_new(code, ...) SW__SURE(sw_err_new_at(SW_HERE, code, 0, __VA_ARGS__))

/**
 * sw_err_sys - make an error from errno; strerror(@err) ends the message.   (macro)
 * ENOMEM, ENOSPC and the like keep @code: the number is kept beside it.
 */
#define sw_err_sys(code, err, ...) SW__SURE(sw_err_new_at(SW_HERE, code, err, __VA_ARGS__))

/**
 * sw_err_wrap - say what was being done when @err came up.   (macro)
 * @err: given; may be SW_OK, then SW_OK is returned.
 * Returns: the same error with one more message in front.
 */
#define sw_err_wrap(err, ...) sw_err_wrap_at(SW_HERE, err, __VA_ARGS__)

/* What the macros above call. Thread: any.   Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_err_new_at(struct sw_place place, enum sw_code code, int sys,
                                          const char *fmt, ...) SW_PRINTF(4, 5);
SW_API SW_NODISCARD sw_err *sw_err_wrap_at(struct sw_place place, sw_err *err,
                                           const char *fmt, ...) SW_PRINTF(3, 4);

/** sw_err_copy - an independent copy, handed to the caller; SW_OK gives SW_OK. */
SW_API SW_NODISCARD sw_err *sw_err_copy(const sw_err *err);

/** sw_err_free - release @err (given; SW_OK is allowed). */
SW_API void sw_err_free(sw_err *err);

/** sw_err_drop - release an error on purpose; @why is for the reader of the code. */
static inline void
sw_err_drop(sw_err *err, const char *why)
{
        (void) why;
        sw_err_free(err);
}

/** sw_err_code - the code; 0 for SW_OK. */
SW_API int sw_err_code(const sw_err *err);

/** sw_err_code_name - "not-found" and so on, for programs; static. */
SW_API const char *sw_err_code_name(int code);

/** sw_err_errno - errno of the failed system call, or 0. */
SW_API int sw_err_errno(const sw_err *err);

/** sw_err_message - all messages, outermost first, joined by ": ".
 *  Borrowed until the error is changed or freed; "" for SW_OK. */
SW_API const char *sw_err_message(const sw_err *err);

/** sw_err_trace - one line per message with its file and line, for --debug.
 *  Returns a string from malloc, or NULL when memory ran out. */
SW_API char *sw_err_trace(const sw_err *err);

/** sw_err_set_plugin, sw_err_set_vertex - name the culprit; the first one set stays.
 *  @err: borrowed, may be SW_OK. Strings are copied. */
SW_API void sw_err_set_plugin(sw_err *err, const char *kind_slash_name);
SW_API void sw_err_set_vertex(sw_err *err, const char *digest);

/** sw_err_plugin, sw_err_vertex - as set, or NULL. Borrowed. */
SW_API const char *sw_err_plugin(const sw_err *err);
SW_API const char *sw_err_vertex(const sw_err *err);

/* A place in a text that people wrote; lines and characters count from 1. */
struct sw_err_source {
        const char *file;     /* as people know it: "Dockerfile", "docker/app.Dockerfile" */
        const char *language; /* "Dockerfile"; NULL: none */
        const char *data;     /* the whole text */
        size_t len;
        int first_line, last_line;
        int first_char, end_char; /* of the first line, first and one after the last, in
                                     bytes; 0: the whole lines */
};

/** sw_err_set_source - where in a text the mistake is; the first one set stays.
 *  @err: borrowed, may be SW_OK. All is copied. */
SW_API void sw_err_set_source(sw_err *err, const struct sw_err_source *source);
/** sw_err_source - as set, or NULL. Borrowed until the error is freed. */
SW_API const struct sw_err_source *sw_err_source(const sw_err *err);

/** sw_err_exit_status - exit status for a program that ends with @err:
 *  0 for SW_OK, 2 for SW_E_USAGE and SW_E_CONFIG, 3 for SW_E_PUSH, otherwise 1. */
SW_API int sw_err_exit_status(const sw_err *err);

SW_DEFINE_AUTOPTR(sw_err, sw_err_free)

SW_END_DECLS
#endif
