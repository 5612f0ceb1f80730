/* lib/dockerfile/keep.c - see keep.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/dockerfile/keep.h"

char *
sw_df_dup(struct sw_df_arena *a, const char *s)
{
        return s ? sw_df_arena_str(a, s, strlen(s)) : NULL;
}

char *
sw_df_printf(struct sw_df_arena *a, const char *fmt, ...)
{
        va_list ap, again;
        char small[256], *s;
        int n;

        va_start(ap, fmt);
        va_copy(again, ap);
        n = vsnprintf(small, sizeof(small), fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n < sizeof(small)) {
                va_end(again);
                return sw_df_arena_str(a, small, (size_t) n);
        }
        s = (char *) sw_df_arena_take(a, (size_t) (n < 0 ? 0 : n) + 1);
        if (n > 0)
                (void) vsnprintf(s, (size_t) n + 1, fmt, again);
        va_end(again);
        return s;
}
