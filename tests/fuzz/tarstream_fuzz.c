/*
 * tests/fuzz/tarstream_fuzz.c - tar streams, told to a layer writer that aborts when it is
 * told what slipway/layer.h does not allow. Input: one byte of options, then the stream;
 * sums of headers in it are put right, so that what is behind them is reached.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lib/layer/told.h"

/* What looks like a header: the magic at its place. */
static void
mend_sums(char *p, size_t size)
{
        for (size_t at = 0; at + 512 <= size; at += 512) {
                char *h = p + at, text[8];
                unsigned sum = 0;

                if (memcmp(h + 257, "ustar", 5) != 0)
                        continue;
                memset(h + 148, ' ', 8);
                for (size_t i = 0; i < 512; i++)
                        sum += (unsigned char) h[i];
                (void) snprintf(text, sizeof(text), "%06o", sum);
                memcpy(h + 148, text, 7);
        }
}

/* @err: given; a code that unpack.h names. */
static void
check_code(sw_err *err)
{
        const int code = sw_err_code(err);

        fuzz_check(!code || code == SW_E_INVALID || code == SW_E_CORRUPT ||
                   code == SW_E_LIMIT || code == SW_E_IO);
        (void) fuzz_ok(err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t how = size ? data[0] : 0;
        const struct sw_unpack_opts opts = { .no_devices = how & 1, .max_size = 32 << 20 };
        const struct sw_layer_ops ops = told_ops(how & 2);
        char *p = sw_memdup(size ? data : (const uint8_t *) "", size ? size : 1);
        struct bytes b = { .p = p + !!size, .n = size - !!size, .piece = how >> 2 };
        const struct sw_reader in = { .read = bytes_read, .arg = &b };
        struct sw_unpack_result r = { 0 };
        struct told t;

        mend_sums(p + !!size, b.n);
        told_init(&t);
        t.quiet = true;
        sw_err *err = sw_layer_unpack(NULL, &in, &opts, &ops, &t, &r);
        for (size_t i = 0; !err && i < r.implied.n; i++)
                fuzz_check(!strcmp(told_kind(&t, r.implied.v[i]), "d") &&
                           (!i || strcmp(r.implied.v[i - 1], r.implied.v[i]) < 0));
        check_code(err);
        sw_unpack_result_release(&r);
        told_release(&t);
        free(p);
        return 0;
}
