/*
 * cmd/slipway/doctor/version.c - see version.h.
 *
 * A flaw is fixed in one version per series (major.minor); later series have the fix from
 * their start, earlier ones never. Thread: main.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/slipway/doctor/version.h"

#define MAX_FIXES 4

struct fix {
        int major, minor, patch, rc; /* rc 0: every candidate of that patch has it too */
};

static const struct flaw {
        const char *program, *cve;
        const char *feature; /* only builds with this have the flaw; or NULL */
        struct fix fixes[MAX_FIXES];
} flaws[] = {
        { "runc", "CVE-2024-21626", NULL, { { 1, 1, 12, 0 } } },
        { "runc",
          "CVE-2025-31133",
          NULL,
          { { 1, 2, 8, 0 }, { 1, 3, 3, 0 }, { 1, 4, 0, 3 } } },
        { "runc",
          "CVE-2025-52565",
          NULL,
          { { 1, 2, 8, 0 }, { 1, 3, 3, 0 }, { 1, 4, 0, 3 } } },
        { "runc",
          "CVE-2025-52881",
          NULL,
          { { 1, 2, 8, 0 }, { 1, 3, 3, 0 }, { 1, 4, 0, 3 } } },
        { "crun", "CVE-2025-24965", "+LIBKRUN", { { 1, 20, 0, 0 } } },
};

/* Digits at *@s, at most six; moves *@s behind them. */
static bool
take_number(const char **s, int *out)
{
        int n = 0, digits = 0;

        for (; isdigit((unsigned char) **s) && digits < 6; (*s)++, digits++)
                n = n * 10 + (**s - '0');
        *out = n;
        return digits > 0;
}

bool
doctor_version_parse(const char *text, struct doctor_version *out)
{
        struct doctor_version v = { .rc = INT_MAX };
        const char *s = text;

        if (!take_number(&s, &v.major) || *s++ != '.' || !take_number(&s, &v.minor))
                return false;
        if (*s == '.' && isdigit((unsigned char) s[1])) {
                s++;
                (void) take_number(&s, &v.patch);
        }
        if ((*s == '-' || *s == '~') && strncmp(s + 1, "rc", 2) == 0) {
                s += s[3] == '.' ? 4 : 3;
                if (!take_number(&s, &v.rc))
                        return false;
        }
        v.extra = s;
        *out = v;
        return true;
}

/* < 0, 0, > 0: the series of @v is before, of, after that of @f. */
static int
compare_series(const struct doctor_version *v, const struct fix *f)
{
        return v->major != f->major ? v->major - f->major : v->minor - f->minor;
}

static bool
is_fixed(const struct doctor_version *v, const struct flaw *flaw)
{
        const struct fix *f = flaw->fixes;
        bool after_all = true;

        for (size_t i = 0; i < MAX_FIXES && (f[i].major || f[i].minor); i++) {
                int order = compare_series(v, &f[i]);
                if (order == 0)
                        return v->patch > f[i].patch ||
                               (v->patch == f[i].patch && v->rc >= f[i].rc);
                if (order < 0)
                        after_all = false;
        }
        return after_all;
}

void
doctor_add_flaws(sw_buf *out, const char *program, const struct doctor_version *v,
                 const char *features)
{
        const char *sep = "";

        for (size_t i = 0; i < SW_COUNT(flaws); i++) {
                if (strcmp(flaws[i].program, program) != 0 || is_fixed(v, &flaws[i]))
                        continue;
                if (flaws[i].feature && !strstr(features, flaws[i].feature))
                        continue;
                sw_buf_addf(out, "%s%s", sep, flaws[i].cve);
                sep = ", ";
        }
}
