/*
 * core/store/survey_blobs.c - blobs in a survey. See survey_blobs.h.
 */
#include "core/store/survey_blobs.h"

#include <string.h>

#include "core/store/blobhold.h"
#include "core/store/recblob.h"

void
sw__survey_blobs_of(struct sw__survey *s, size_t i, const sw__rec *r, sw_strlist *out)
{
        for (size_t k = 0; k < r->n_blobs; k++) {
                char text[SW_DIGEST_STR_SIZE];
                sw_digest d;

                if (!sw__digest_of_bytes(r->blobs[k]->digest, &d))
                        continue;
                struct sw__counted_blob *b = sw_map_get(s->blobs, sw_digest_str(&d, text));
                if (!b) {
                        b = sw_new(struct sw__counted_blob);
                        (void) sw_map_set(s->blobs, text, b);
                }
                sw_array_push(&b->of, i);
                sw_strlist_add(out, text);
        }
}

void
sw__survey_measure_blobs(sw_worker *w, struct sw__survey *s)
{
        struct sw_map_iter it = SW_MAP_ITER(s->blobs);

        while (sw_map_next(&it)) {
                struct sw__counted_blob *b = it.value;
                struct sw__item *first = &s->items.v[b->of.v[0]];

                b->size = sw__blob_disk(w, it.key);
                first->size += b->size;
        }
}

int64_t
sw__survey_blob_total(const struct sw__survey *s)
{
        struct sw_map_iter it = SW_MAP_ITER(s->blobs);
        int64_t total = 0;

        while (sw_map_next(&it))
                total += ((const struct sw__counted_blob *) it.value)->size;
        return total;
}

void
sw__survey_blob_free(void *blob)
{
        struct sw__counted_blob *b = blob;

        sw_array_release(&b->of);
        free(b);
}

/* Item @i no longer has it. */
static void
leave(struct sw__survey *s, struct sw__counted_blob *b, size_t i)
{
        const bool first = b->of.n && b->of.v[0] == i;
        size_t n = 0;

        for (size_t k = 0; k < b->of.n; k++)
                if (b->of.v[k] != i)
                        b->of.v[n++] = b->of.v[k];
        b->of.n = n;
        if (!first || !n)
                return;
        s->items.v[i].size -= b->size;
        s->items.v[b->of.v[0]].size += b->size;
}

void
sw__survey_gone(struct sw__survey *s, size_t i)
{
        struct sw__item *it = &s->items.v[i];

        for (size_t k = 0; k < it->n_parents; k++)
                s->items.v[it->parents[k]].children--;
        for (size_t k = 0; k < it->blobs.n; k++) {
                struct sw__counted_blob *b = sw_map_get(s->blobs, it->blobs.v[k]);

                if (b)
                        leave(s, b, i);
        }
}
