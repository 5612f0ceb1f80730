/*
 * core/base/array.c - growth of typed arrays, and the list of strings.
 *
 * Invariant: n <= cap. Thread: one at a time per array.
 */
#include <string.h>

#include <slipway/array.h>
#include <slipway/buf.h>

#include "core/base/mem.h"

enum { FIRST_CAP = 8 };

void *
sw_array_grow(void *v, size_t n, size_t *cap, size_t extra, size_t size)
{
        size_t need, want;

        if (__builtin_add_overflow(n, extra, &need))
                sw__nomem(SIZE_MAX);
        if (need <= *cap)
                return v;
        want = *cap > SIZE_MAX / 2 ? need : *cap * 2;
        if (want < FIRST_CAP)
                want = FIRST_CAP;
        if (want < need)
                want = need;
        v = sw_realloc_array(v, want, size);
        *cap = want;
        return v;
}

void
sw_strlist_add(sw_strlist *l, const char *s)
{
        sw_strlist_take(l, sw_strdup(s));
}

void
sw_strlist_take(sw_strlist *l, char *s)
{
        sw_array_push(l, s);
}

void
sw_strlist_release(sw_strlist *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->v[i]);
        sw_array_release(l);
}

static int
by_bytes(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void
sw_strlist_sort(sw_strlist *l)
{
        if (l->n > 1)
                qsort(l->v, l->n, sizeof(*l->v), by_bytes);
}

bool
sw_strlist_has(const sw_strlist *l, const char *s)
{
        for (size_t i = 0; i < l->n; i++) {
                if (strcmp(l->v[i], s) == 0)
                        return true;
        }
        return false;
}

void
sw_strlist_split(sw_strlist *l, const char *s, char sep)
{
        while (*s) {
                const char *end = strchrnul(s, sep);

                if (end > s)
                        sw_strlist_take(l, sw_strndup(s, (size_t) (end - s)));
                s = *end ? end + 1 : end;
        }
}

char *
sw_strlist_join(const sw_strlist *l, const char *sep)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        for (size_t i = 0; i < l->n; i++) {
                if (i)
                        sw_buf_adds(&b, sep);
                sw_buf_adds(&b, l->v[i]);
        }
        return sw_buf_detach(&b);
}
