/*
 * lib/image/choose.c - which image of an index is for a platform.
 */
#include <string.h>

#include <slipway/text.h>

#include "lib/image/image_priv.h"

enum { NAMED_MAX = 16 };

static const char *
text(const char *s)
{
        return s ? s : "";
}

/* "v8.2" is 802, "v3" is 300; what is no variant by number is -1. */
static int
variant_number(const char *variant, int dflt)
{
        if (!*variant)
                return dflt;
        if (*variant != 'v')
                return -1;
        const size_t whole = strcspn(variant + 1, ".");
        sw_auto(sw_str) major = sw_strndup(variant + 1, whole);
        const char *minor = variant[1 + whole] ? variant + whole + 2 : "0";
        int64_t a = -1, b = -1;
        sw_err *err = sw_parse_int(major, 0, 99, &a);

        if (!err)
                err = sw_parse_int(minor, 0, 99, &b);
        if (!err)
                return (int) (a * 100 + b);
        sw_err_drop(err, "it is no number");
        return -1;
}

/* What an architecture without a variant is. 0: its variants have no order. */
static int
first_variant(const char *arch)
{
        if (strcmp(arch, "amd64") == 0)
                return 100;
        if (strcmp(arch, "arm64") == 0)
                return 800;
        return strcmp(arch, "arm") == 0 ? 700 : 0;
}

/* How well an image for @have runs on @want, both normalized: 0 not, more is better. */
static int
rank(const sw_platform *want, const sw_platform *have)
{
        enum { EXACT = 100000, SAME_VERSION = 1 };
        int dflt = first_variant(want->arch), wanted, got, score;

        if (strcmp(want->os, have->os) != 0 || strcmp(want->arch, have->arch) != 0)
                return 0;
        if (strcmp(want->variant, have->variant) == 0) {
                score = EXACT;
        } else {
                wanted = variant_number(want->variant, dflt);
                got = variant_number(have->variant, dflt);
                if (!dflt || wanted < 0 || got <= 0 || got > wanted)
                        return 0;
                score = got * 2;
        }
        if (strcmp(text(want->os_version), text(have->os_version)) == 0)
                score += SAME_VERSION;
        return score;
}

bool
sw_image_suits(const sw_platform *have, const sw_platform *want)
{
        sw_autoptr(sw_platform) is = sw_platform_normalize(have);
        sw_autoptr(sw_platform) wanted = sw_platform_normalize(want);

        return rank(wanted, is) > 0;
}

/* Whether it may be an image at all: no attestation, nothing else that rides along. */
static bool
is_image(const sw_desc *d)
{
        enum sw_media kind = sw_media_kind(text(d->media_type));

        if (kind != SW_MEDIA_MANIFEST && kind != SW_MEDIA_INDEX)
                return false;
        if (sw_pairs_get(&d->annotations, "vnd.docker.reference.type"))
                return false;
        return !d->platform || strcmp(text(d->platform->os), "unknown") != 0 ||
               strcmp(text(d->platform->arch), "unknown") != 0;
}

static sw_err *
no_match(const sw_manifest *m, const sw_platform *want)
{
        sw_auto(sw_str) wanted = sw_platform_str(want);
        sw_auto(sw_buf) there = SW_BUF_INIT;
        size_t n = 0;

        for (size_t i = 0; i < m->entries.n; i++) {
                if (!is_image(&m->entries.v[i]) || !m->entries.v[i].platform)
                        continue;
                if (n++ == NAMED_MAX) {
                        sw_buf_adds(&there, " …");
                        break;
                }
                sw_auto(sw_str) name = sw_platform_str(m->entries.v[i].platform);
                sw_buf_adds(&there, n > 1 ? ", " : " ");
                sw_buf_add_quoted(&there, name, strlen(name), 60);
        }
        return sw_err_new(SW_E_NOT_FOUND, "no match for platform %s: there are%s", wanted,
                          n ? there.data : " no images in it");
}

sw_err *
sw_index_choose(const sw_manifest *m, const sw_platform *want, size_t *out)
{
        sw_autoptr(sw_platform) wanted = sw_platform_normalize(want);
        size_t unsaid = SIZE_MAX, found = SIZE_MAX;
        int best = 0;

        for (size_t i = 0; i < m->entries.n; i++) {
                const sw_desc *d = &m->entries.v[i];

                if (!is_image(d))
                        continue;
                if (!d->platform) {
                        unsaid = unsaid == SIZE_MAX ? i : unsaid;
                        continue;
                }
                sw_autoptr(sw_platform) have = sw_platform_normalize(d->platform);
                int score = rank(wanted, have);
                if (score > best) {
                        best = score;
                        found = i;
                }
        }
        if (found == SIZE_MAX)
                found = unsaid; /* its configuration will tell */
        if (found == SIZE_MAX)
                return no_match(m, wanted);
        *out = found;
        return SW_OK;
}
