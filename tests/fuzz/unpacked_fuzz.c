/*
 * tests/fuzz/unpacked_fuzz.c - gzip members and zstd frames. Input: one byte, then the
 * blob. In whatever pieces it comes and is asked for, the same comes out of it.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lib/layer/told.h"

enum { MAX = 8 << 20 };

/* All that comes out, and whether it ended well. */
static bool
read_all(const uint8_t *data, size_t size, size_t in_piece, size_t out_piece, sw_buf *out)
{
        struct bytes b = { .p = (const char *) data, .n = size, .piece = in_piece };
        const struct sw_reader in = { .read = bytes_read, .arg = &b };
        sw_autoptr(sw_unpacking) u = sw_unpacked_new(&in, MAX);
        struct sw_reader from;
        size_t got = 1;

        sw_unpacked_reader(u, &from);
        while (got) {
                sw_buf_reserve(out, out_piece);
                sw_err *err = from.read(from.arg, out->data + out->len, out_piece, &got);

                if (err) {
                        fuzz_check(sw_err_code(err) == SW_E_CORRUPT ||
                                   sw_err_code(err) == SW_E_LIMIT);
                        return fuzz_ok(err);
                }
                fuzz_check(got <= out_piece);
                out->len += got;
        }
        fuzz_check(out->len <= MAX);
        return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_buf) a = SW_BUF_INIT, b = SW_BUF_INIT;

        if (!size)
                return 0;
        const bool first = read_all(data + 1, size - 1, 0, 65536, &a);
        const bool second =
                read_all(data + 1, size - 1, 1 + data[0] % 16, 1 + data[0] * 7, &b);
        fuzz_check(first == second);
        fuzz_check(!first || (a.len == b.len && !memcmp(a.data, b.data, a.len)));
        return 0;
}
