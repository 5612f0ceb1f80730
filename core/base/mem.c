/*
 * core/base/mem.c - allocations that cannot fail, and those sized by input that can.
 *
 * Thread: any. Every helper that "never returns NULL" ends in sw__nomem() instead; nothing
 * else in slipway turns a failed allocation into an abort.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"

void
sw__nomem(size_t size)
{
        char line[64];
        int n = snprintf(line, sizeof(line), "slipway: out of memory (%zu bytes)\n", size);

        /* One write, not stdio: its buffers may be what could not be had. */
        if (n > 0 && write(STDERR_FILENO, line, (size_t) n) < 0)
                abort();
        abort();
}

void *
sw_alloc(size_t size)
{
        void *p = calloc(1, size ? size : 1);

        if (!p)
                sw__nomem(size);
        return p;
}

void *
sw_alloc_array(size_t n, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(n, size, &bytes))
                sw__nomem(SIZE_MAX);
        return sw_alloc(bytes);
}

void *
sw_realloc_array(void *p, size_t n, size_t size)
{
        size_t bytes;
        void *grown;

        if (__builtin_mul_overflow(n, size, &bytes))
                sw__nomem(SIZE_MAX);
        /* realloc(p, 0) may free p and return NULL; ask for a byte to keep it simple. */
        grown = realloc(p, bytes ? bytes : 1);
        if (!grown)
                sw__nomem(bytes);
        return grown;
}

char *
sw_strdup(const char *s)
{
        return (char *) (s ? sw_memdup(s, strlen(s) + 1) : NULL);
}

char *
sw_strndup(const char *s, size_t n)
{
        char *copy;
        size_t len;

        if (!s)
                return NULL;
        len = strnlen(s, n);
        copy = (char *) sw_realloc_array(NULL, len + 1, 1);
        memcpy(copy, s, len);
        copy[len] = '\0';
        return copy;
}

void *
sw_memdup(const void *p, size_t n)
{
        void *copy;

        if (!p)
                return NULL;
        copy = sw_realloc_array(NULL, n, 1);
        memcpy(copy, p, n);
        return copy;
}

char *
sw_asprintf(const char *fmt, ...)
{
        char *out = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&out, fmt, ap);
        va_end(ap);
        if (n < 0)
                sw__nomem(0);
        return out;
}
