/*
 * tests/fuzz/hashfile_fuzz.c - what is kept of content hashes and of the states of a
 * directory's files, as if its checksum were right. What is taken over is written again,
 * and that must be taken over whole.
 */
#include <slipway/mem.h>

#include "core/contenthash/tree.h"
#include "plugins/source-local/local.h"
#include "tests/fuzz/fuzz.h"

static void
try_tree(const void *p, size_t n)
{
        struct sw__htree *t = sw__htree_new(NULL), *again = sw__htree_new(NULL);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_buf) c = SW_BUF_INIT;

        if (sw__hunpack(t, p, n)) {
                sw__hpack(t, &b);
                fuzz_check(sw__hunpack(again, b.data, b.len));
                fuzz_check(again->n_hashed == t->n_hashed);
                sw__hpack(again, &c);
                fuzz_check(b.len == c.len && memcmp(b.data, c.data, b.len) == 0);
        }
        sw__htree_free(t);
        sw__htree_free(again);
}

static void
try_states(const void *p, size_t n)
{
        static struct sw_entry entries[] = {
                { .path = "a" }, { .path = "a/b" }, { .path = "a.c" }, { .path = "z" }
        };
        struct item items[4] = { 0 }, others[4] = { 0 };
        struct list l = { .n = 4, .v = entries, .items = items };
        struct list again = { .n = 4, .v = entries, .items = others };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        size_t known = statcache_apply(p, n, &l);

        fuzz_check(known <= 4);
        statcache_pack(&l, &b);
        fuzz_check(statcache_apply(b.data, b.len, &again) == known);
        for (size_t i = 0; i < 4; i++)
                fuzz_check(items[i].known == others[i].known);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        void *p = sw_alloc(size ? size : 1); /* aligned as when it was read */

        if (size)
                memcpy(p, data, size);
        try_tree(p, size);
        try_states(p, size);
        free(p);
        return 0;
}
