/*
 * core/llb/platform.c - platforms: spelling, parsing, copies. Thread: any.
 */
#include <string.h>

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/platform.h>

#include "core/llb/shown.h"

#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#elif defined(__arm__)
#define HOST_ARCH    "arm"
#define HOST_VARIANT "v7"
#elif defined(__i386__)
#define HOST_ARCH "386"
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ARCH "riscv64"
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ARCH "ppc64le"
#elif defined(__s390x__)
#define HOST_ARCH "s390x"
#elif defined(__loongarch64)
#define HOST_ARCH "loong64"
#elif defined(__mips64) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ARCH "mips64le"
#else
#error "add this architecture's name in Go"
#endif
#ifndef HOST_VARIANT
#define HOST_VARIANT ""
#endif

const sw_platform *
sw_platform_host(void)
{
        static const sw_platform host = {
                .os = "linux", .arch = HOST_ARCH, .variant = HOST_VARIANT, .os_version = ""
        };

        return &host;
}

/* ---- one block of memory ----------------------------------------------------------- */

static const char *
text(const char *s)
{
        return s ? s : "";
}

static const char *
put(char **at, const char *s)
{
        size_t n = strlen(s) + 1;
        char *start = (char *) memcpy(*at, s, n);

        *at += n;
        return start;
}

sw_platform *
sw_platform_copy(const sw_platform *p)
{
        size_t n_features = 0, size;
        const char **features;
        sw_platform *copy;
        char *at;

        if (!p)
                return NULL;
        size = strlen(text(p->os)) + strlen(text(p->arch)) + strlen(text(p->variant)) +
               strlen(text(p->os_version)) + 4;
        for (; p->os_features && p->os_features[n_features]; n_features++)
                size += strlen(p->os_features[n_features]) + 1;
        size += sizeof(*copy) + (n_features + 1) * sizeof(char *);
        copy = (sw_platform *) sw_alloc(size);
        features = (const char **) (void *) (copy + 1);
        at = (char *) (features + n_features + 1);
        copy->os = put(&at, text(p->os));
        copy->arch = put(&at, text(p->arch));
        copy->variant = put(&at, text(p->variant));
        copy->os_version = put(&at, text(p->os_version));
        for (size_t i = 0; i < n_features; i++)
                features[i] = put(&at, p->os_features[i]);
        copy->os_features = n_features ? features : NULL;
        return copy;
}

void
sw_platform_free(sw_platform *p)
{
        free(p);
}

char *
sw_platform_str(const sw_platform *p)
{
        const char *variant = text(p->variant);

        return sw_asprintf("%s/%s%s%s", text(p->os), text(p->arch), *variant ? "/" : "",
                           variant);
}

/* ---- spelling ---------------------------------------------------------------------- */

static char *
lower(const char *s)
{
        char *l = sw_strdup(text(s));

        for (char *p = l; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char) (*p - 'A' + 'a');
        return l;
}

struct spelling {
        const char *arch, *variant;       /* variant NULL: any */
        const char *to_arch, *to_variant; /* to_variant NULL: stays */
};

/* The first line that fits counts. */
static const struct spelling spellings[] = {
        { "i386", NULL, "386", "" },        { "amd64", "v1", "amd64", "" },
        { "x86_64", "v1", "amd64", "" },    { "x86-64", "v1", "amd64", "" },
        { "x86_64", NULL, "amd64", NULL },  { "x86-64", NULL, "amd64", NULL },
        { "arm64", "8", "arm64", "" },      { "arm64", "v8", "arm64", "" },
        { "aarch64", "8", "arm64", "" },    { "aarch64", "v8", "arm64", "" },
        { "aarch64", NULL, "arm64", NULL }, { "armhf", NULL, "arm", "v7" },
        { "armel", NULL, "arm", "v6" },     { "arm", "", "arm", "v7" },
        { "arm", "7", "arm", "v7" },        { "arm", "6", "arm", "v6" },
        { "arm", "5", "arm", "v5" },        { "arm", "8", "arm", "v8" },
};

static void
spell_arch(const char **arch, const char **variant)
{
        for (size_t i = 0; i < SW_COUNT(spellings); i++) {
                const struct spelling *s = &spellings[i];

                if (strcmp(*arch, s->arch) != 0 ||
                    (s->variant && strcmp(*variant, s->variant) != 0))
                        continue;
                *arch = s->to_arch;
                if (s->to_variant)
                        *variant = s->to_variant;
                return;
        }
}

static int
by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, each once; the list borrows from @in. */
static const char **
sort_features(const char *const *in)
{
        size_t n = 0, kept = 0;
        const char **v;

        while (in && in[n])
                n++;
        v = (const char **) sw_alloc_array(n + 1, sizeof(*v));
        if (n) {
                memcpy(v, in, n * sizeof(*v));
                qsort(v, n, sizeof(*v), by_text);
        }
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || strcmp(v[kept - 1], v[i]) != 0)
                        v[kept++] = v[i];
        v[kept] = NULL;
        return v;
}

sw_platform *
sw_platform_normalize(const sw_platform *p)
{
        sw_auto(sw_str) os = lower(p->os), arch = lower(p->arch),
                        variant = lower(p->variant);
        const char **features = sort_features(p->os_features);
        sw_platform view = { .os = os,
                             .arch = arch,
                             .variant = variant,
                             .os_version = p->os_version,
                             .os_features = features };
        sw_platform *out;

        if (!*os)
                view.os = sw_platform_host()->os;
        else if (strcmp(os, "macos") == 0)
                view.os = "darwin";
        spell_arch(&view.arch, &view.variant);
        out = sw_platform_copy(&view);
        free(features);
        return out;
}

/* ---- parsing ----------------------------------------------------------------------- */

static const char *const known_os[] = { "aix",     "android", "darwin",  "dragonfly",
                                        "freebsd", "hurd",    "illumos", "ios",
                                        "js",      "linux",   "nacl",    "netbsd",
                                        "openbsd", "plan9",   "solaris", "windows",
                                        "zos" };
static const char *const known_arch[] = {
        "386",     "amd64",    "amd64p32",  "arm",         "armbe",   "arm64",
        "arm64be", "ppc64",    "ppc64le",   "loong64",     "mips",    "mipsle",
        "mips64",  "mips64le", "mips64p32", "mips64p32le", "ppc",     "riscv",
        "riscv64", "s390",     "s390x",     "sparc",       "sparc64", "wasm",
};

static bool
one_of(const char *s, const char *const *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(s, list[i]) == 0)
                        return true;
        return false;
}

static bool
part_ok(const char *s, const char *more)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789_-";

        size_t n = strlen(s);

        while (*s && (strchr(letters, *s) || strchr(more, *s)))
                s++;
        return n && !*s;
}

static sw_err *
bad(const char *s, const char *why)
{
        return sw_err_new(SW_E_INVALID,
                          "platform %s: %s; say os/arch[/variant], like linux/arm64",
                          sw__llb_shown(s).text, why);
}

/* "os(version+feature+feature)": cut @os after the name. */
static sw_err *
parse_os(const char *s, char *os, const char **version, sw_strlist *features)
{
        char *open = strchr(os, '('), *plus;
        size_t n = strlen(os);

        if (!open)
                return part_ok(os, "") ? SW_OK : bad(s, "the operating system is no name");
        if (os[n - 1] != ')')
                return bad(s, "a parenthesis is not closed");
        os[n - 1] = *open = '\0';
        plus = strchr(open + 1, '+');
        if (plus) {
                sw_strlist_split(features, plus + 1, '+');
                *plus = '\0';
        }
        *version = open + 1;
        if (!part_ok(os, "") || (**version && !part_ok(*version, ".")))
                return bad(s, "the operating system or its version is no name");
        for (size_t i = 0; i < features->n; i++)
                if (!part_ok(features->v[i], "."))
                        return bad(s, "a feature of the operating system is no name");
        return SW_OK;
}

/* A single part may be either; the other half is this machine's. */
static sw_err *
parse_single(const char *s, sw_platform *p)
{
        sw_autoptr(sw_platform) as_os =
                sw_platform_normalize(&(sw_platform){ .os = p->os });
        sw_autoptr(sw_platform) as_arch =
                sw_platform_normalize(&(sw_platform){ .arch = p->os });

        if (one_of(as_os->os, known_os, SW_COUNT(known_os))) {
                p->arch = sw_platform_host()->arch;
                p->variant = sw_platform_host()->variant;
                return SW_OK;
        }
        if (!one_of(as_arch->arch, known_arch, SW_COUNT(known_arch)))
                return bad(s, "neither an operating system nor an architecture that is "
                              "known");
        p->arch = p->os;
        p->os = sw_platform_host()->os;
        return SW_OK;
}

sw_err *
sw_platform_parse(const char *s, sw_platform **out)
{
        sw_auto(sw_str) copy = NULL;
        sw_auto(sw_strlist) features = { 0 };
        sw_platform p = { 0 };
        char *parts[3] = { NULL, NULL, NULL };
        sw_err *err;

        if (strnlen(s, 256) == 256)
                return bad(s, "too long");
        copy = sw_strdup(s);
        parts[0] = copy;
        parts[1] = strchr(copy, '/');
        if (parts[1])
                *parts[1]++ = '\0';
        parts[2] = parts[1] ? strchr(parts[1], '/') : NULL;
        if (parts[2])
                *parts[2]++ = '\0';
        for (size_t i = 1; i < SW_COUNT(parts) && parts[i]; i++)
                if (!part_ok(parts[i], "."))
                        return bad(s, strchr(parts[i], '/') ? "too many parts"
                                                            : "a part is no name");
        err = parse_os(s, copy, &p.os_version, &features);
        if (err)
                return err;
        sw_strlist_take(&features, NULL);
        p.os = parts[0];
        p.arch = parts[1];
        p.variant = parts[2];
        p.os_features = (const char *const *) features.v;
        err = parts[1] ? SW_OK : parse_single(s, &p);
        if (err)
                return err;
        *out = sw_platform_normalize(&p);
        return SW_OK;
}
