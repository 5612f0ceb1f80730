/*
 * tests/fuzz/owner_fuzz.c - modes as chmod takes them, and users in /etc/passwd and
 * /etc/group of a tree. Input: a kind, then a mode; or a name, NUL, the file.
 */
#include <sys/stat.h>

#include "core/ops/fileact.h"
#include "tests/fuzz/fuzz.h"

static void
try_mode(const char *text)
{
        sw__modeset *m;

        if (!fuzz_ok(sw__modeset_new(text, &m)))
                return;
        for (unsigned mode = 0; mode < 010000; mode += 0111) {
                mode_t file = sw__modeset_apply(m, S_IFREG | mode);
                mode_t dir = sw__modeset_apply(m, S_IFDIR | mode);

                fuzz_check(!(file & ~07777u) && !(dir & ~07777u));
                fuzz_check((file & ~0111u) == (dir & ~0111u) || strpbrk(text, "ugo"));
        }
        sw__modeset_free(m);
}

/* The same, by sscanf and patience. */
static bool
naive(const char *text, const char *name, bool passwd, unsigned long *id,
      unsigned long *gid)
{
        sw_auto(sw_str) copy = sw_strdup(text);
        char *rest = copy, *line;

        while ((line = strsep(&rest, "\n"))) {
                char *fields[4] = { 0 };
                unsigned n = 0;

                line += strspn(line, " \t");
                while (n < 4 && line)
                        fields[n++] = strsep(&line, ":");
                if (n < (passwd ? 4 : 3) || strcmp(fields[0], name) != 0)
                        continue;
                for (unsigned i = 2; i < (passwd ? 4 : 3); i++) {
                        size_t len = strlen(fields[i]);

                        if (!len || len > 10 || strspn(fields[i], "0123456789") != len ||
                            strtoull(fields[i], NULL, 10) >= UINT32_MAX)
                                n = 0;
                }
                if (!n)
                        continue;
                *id = strtoul(fields[2], NULL, 10);
                *gid = passwd ? strtoul(fields[3], NULL, 10) : 0;
                return true;
        }
        return false;
}

static void
try_file(const char *name, const char *text, size_t len, bool passwd)
{
        uint32_t id = 0, gid = 0;
        unsigned long nid = 0, ngid = 0;
        bool found = sw__owner_find(text, len, name, passwd ? 7 : 4, &id, &gid);

        if (strlen(text) != len) /* the other one sees no further than a NUL */
                return;
        fuzz_check(found == naive(text, name, passwd, &nid, &ngid));
        fuzz_check(!found || (id == nid && gid == ngid));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text;
        size_t n;

        if (!size)
                return 0;
        text = sw_alloc(size); /* zeroed: it ends with NUL */
        memcpy(text, data + 1, size - 1);
        n = strlen(text);
        if (data[0] % 3 == 0)
                try_mode(text);
        else if (n + 1 < size)
                try_file(text, text + n + 1, size - n - 2, data[0] % 3 == 1);
        free(text);
        return 0;
}
