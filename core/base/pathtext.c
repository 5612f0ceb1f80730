/*
 * core/base/pathtext.c - paths as text: Go's path.Clean, path.Join and path.Base; their
 * order.
 *
 * Nothing is looked up, so nothing here says where a path leads: resolve with path.c.
 */
#include <limits.h>
#include <string.h>

#include <slipway/buf.h>
#include <slipway/mem.h>
#include <slipway/path.h>

/* Take the last component off @out, which holds @len bytes; bytes before @floor stay. */
static size_t
drop_last(const char *out, size_t len, size_t floor)
{
        while (len > floor && out[len - 1] != '/')
                len--;
        return len > floor ? len - 1 : floor;
}

char *
sw_path_clean(const char *path)
{
        bool rooted = path[0] == '/';
        size_t len = rooted; /* bytes of @out */
        size_t floor = len;  /* bytes that ".." cannot take back */
        char *out = sw_alloc(strlen(path) + 2);

        out[0] = rooted ? '/' : 0;
        while (*path) {
                size_t n = strcspn(path, "/");
                bool up = n == 2 && path[0] == '.' && path[1] == '.';

                if (up && len > floor) {
                        len = drop_last(out, len, floor);
                } else if (n > 0 && !(n == 1 && path[0] == '.') && !(up && rooted)) {
                        if (len > (size_t) rooted)
                                out[len++] = '/';
                        memcpy(out + len, path, n);
                        len += n;
                        if (up)
                                floor = len;
                }
                path += n + (path[n] == '/');
        }
        if (len == 0)
                out[len++] = '.';
        out[len] = 0;
        return out;
}

char *
sw_path_join(const char *a, const char *b)
{
        if (!*a && !*b)
                return sw_strdup("");
        if (!*a || !*b)
                return sw_path_clean(*a ? a : b);
        sw_auto(sw_buf) both = SW_BUF_INIT;

        sw_buf_adds(&both, a);
        sw_buf_addc(&both, '/');
        sw_buf_adds(&both, b);
        return sw_path_clean(both.data);
}

char *
sw_path_base(const char *path)
{
        size_t end = strlen(path), start;

        if (end == 0)
                return sw_strdup(".");
        while (end > 0 && path[end - 1] == '/')
                end--;
        if (end == 0)
                return sw_strdup("/");
        for (start = end; start > 0 && path[start - 1] != '/';)
                start--;
        return sw_strndup(path + start, end - start);
}

bool
sw_path_name_ok(const char *name)
{
        size_t n = strlen(name);

        return n > 0 && n <= NAME_MAX && strcmp(name, ".") != 0 &&
               strcmp(name, "..") != 0 && !memchr(name, '/', n);
}

/* Control characters, also those of the upper half (U+0080 to U+009F). */
static bool
has_control(const char *s)
{
        for (const unsigned char *p = (const unsigned char *) s; *p; p++)
                if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
                        return true;
        return false;
}

char *
sw_path_safe_name(const char *s)
{
        static const char blanks[] = " \t\n\v\f\r";
        const char *from = s + strspn(s, blanks);
        size_t n = strlen(from);

        while (n > 0 && strchr(blanks, from[n - 1]))
                n--;
        sw_auto(sw_str) trimmed = sw_strndup(from, n);
        sw_auto(sw_str) base = sw_path_base(trimmed);
        if (!sw_path_name_ok(base) || has_control(base))
                return sw_strdup("download");
        return sw_steal(base);
}

int
sw_path_cmp(const char *a, const char *b)
{
        while (*a && *a == *b) {
                a++;
                b++;
        }
        if (*a == *b)
                return 0;
        /* the end of the path sorts before '/', and that before everything else */
        int ka = !*a ? -2 : *a == '/' ? -1 : (unsigned char) *a;
        int kb = !*b ? -2 : *b == '/' ? -1 : (unsigned char) *b;

        return ka < kb ? -1 : 1;
}
