/*
 * tests/fuzz/lmdbcheck_fuzz.c - sw__lmdb_check() on any bytes; and what it passes, LMDB can
 * read and change.
 *
 * Input: a file that begins with a meta page, as it is; or else pairs of place and byte,
 * four bytes each, that are changed in a file with something of everything in it, because
 * that gets further in than bytes without an order.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/core/store/metatool.h"

enum { FILE_MAX = 1 << 20 };

static char dir[64];
static uint8_t *base;
static size_t base_size;

static void
clean_up(void)
{
        tool_remove(dir);
}

static void
make_base(void)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_meta *m;

        snprintf(dir, sizeof(dir), "%s/sw-lmdb-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        fuzz_check(mkdtemp(dir));
        (void) atexit(clean_up);
        must(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        tool_fill(ks, 200);
        sw__keystore_free(ks);
        sw__meta_close(m);
        tool_read_file(dir, "data.mdb", &b);
        base_size = b.len;
        base = sw_memdup(b.data, b.len);
}

static bool
count_id(void *arg, const char *id)
{
        fuzz_check(*id && strlen(id) <= SW_KEY_TEXT_MAX);
        sw_strlist_add(arg, id);
        return true;
}

/* Errors are no crash: the file may hold nonsense as data. */
static void
may_fail(sw_err *err)
{
        sw_err_drop(err, "a refusal is as good as success here");
}

/* Read all, add to all, take all away. */
static void
use(sw_meta *m)
{
        const struct sw_key_link link = { 0, 0, "sha256:popular", "" };
        const struct sw_key_record rec = { "worker::new", 1, 1 };
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        sw_auto(sw_strlist) ids = { 0 };
        char id[32];

        tool_read_all(m);
        may_fail(ks->ops->walk_keys(ks, count_id, &ids));
        for (int i = 0; i < 40; i++) {
                snprintf(id, sizeof(id), "new-%d", i);
                may_fail(ks->ops->add_link(ks, "base", &link, id));
                may_fail(ks->ops->add_record(ks, id, &rec));
        }
        may_fail(ks->ops->commit(ks));
        for (int i = 0; i < 100; i++) {
                snprintf(id, sizeof(id), "worker::ref-%d", i);
                may_fail(ks->ops->release(ks, id));
        }
        may_fail(ks->ops->release(ks, "worker::shared"));
        may_fail(ks->ops->release(ks, "worker::new"));
        may_fail(ks->ops->commit(ks));
        sw__keystore_free(ks);
}

static void
try_file(const uint8_t *p, size_t n)
{
        sw_auto(sw_buf) after = SW_BUF_INIT;
        char text[32];
        sw_meta *m;

        (void) sw__lmdb_peek(p, n, "schema", text, sizeof(text));
        if (!fuzz_ok(sw__lmdb_check(p, n)))
                return;
        tool_write_file(dir, "data.mdb", p, n);
        if (!fuzz_ok(sw__meta_open(dir, NULL, &m)))
                return;
        /* What passed may still lack our databases, and was set aside then. */
        if (tool_set_aside(dir) == 0)
                use(m);
        sw__meta_close(m);
        tool_read_file(dir, "data.mdb", &after);
        fuzz_check(fuzz_ok(sw__lmdb_check(after.data, after.len)));
        if (tool_set_aside(dir)) {
                tool_remove(dir);
                fuzz_check(mkdir(dir, 0700) == 0);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t magic[] = { 0xde, 0xc0, 0xef, 0xbe };

        if (!base)
                make_base();
        if (size > FILE_MAX)
                return 0;
        if (size >= 20 && memcmp(data + 16, magic, 4) == 0) {
                try_file(data, size);
                return 0;
        }
        sw_auto(sw_str) copy = sw_memdup(base, base_size);
        for (size_t i = 0; i + 4 <= size; i += 4) {
                const size_t at = data[i] | data[i + 1] << 8 | (size_t) data[i + 2] << 16;

                copy[at % base_size] = (char) data[i + 3];
        }
        try_file((const uint8_t *) copy, base_size);
        return 0;
}
