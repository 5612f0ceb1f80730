/*
 * Files made by hand, byte by byte, for what flipping bits of real ones hardly ever makes:
 * everything about them is right but one thing. The file ends where memory that may not be
 * read begins.
 *
 * Catches: reading past the file; passing what LMDB cannot walk.
 */
#include <sys/mman.h>

#include "core/store/lmdbcheck.h"
#include "tests/unit/unit.h"

enum { PAGE = 4096, PAGES = 3 };

/* Two meta pages and the leaf of a list of free pages. */
static uint8_t *file;

static void
put(size_t at, uint64_t v, size_t n)
{
        memcpy(file + at, &v, n); /* little-endian, as the format is */
}

static void
put_meta(uint64_t page, uint64_t txn)
{
        const size_t at = page * PAGE;

        put(at, page, 8);
        put(at + 10, 0x08, 2);
        put(at + 16, 0xBEEFC0DE, 4);
        put(at + 20, 1, 4);
        put(at + 40, PAGE, 4);
        put(at + 44, 0x08, 2); /* the list of free pages: integer keys */
        put(at + 46, 1, 2);    /* depth */
        put(at + 56, 1, 8);    /* leaves */
        put(at + 72, 1, 8);    /* entries */
        put(at + 80, 2, 8);    /* root */
        put(at + 128, UINT64_MAX, 8);
        put(at + 136, 3, 8); /* the last page: free, never written */
        put(at + 144, txn, 8);
}

/* Page 2 with one node: freed by transaction 1, @size bytes of value at its end. */
static void
put_free_list(const void *value, size_t size)
{
        const size_t node = (8 + 8 + size + 1) & ~(size_t) 1, at = PAGE - node;

        memset(file + 2 * PAGE, 0, PAGE);
        put(2 * PAGE, 2, 8);
        put(2 * PAGE + 10, 0x02, 2);
        put(2 * PAGE + 12, 18, 2);
        put(2 * PAGE + 14, at, 2);
        put(2 * PAGE + 16, at, 2);
        put(2 * PAGE + at, size, 2);
        put(2 * PAGE + at + 6, 8, 2);
        put(2 * PAGE + at + 8, 1, 8);
        memcpy(file + 2 * PAGE + at + 16, value, size);
}

static void
make_file(void)
{
        file = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(file, MAP_FAILED);
        ck_assert_int_eq(mprotect(file + PAGES * PAGE, PAGE, PROT_NONE), 0);
        put_meta(0, 0);
        put_meta(1, 1);
}

static void
drop_file(void)
{
        munmap(file, (PAGES + 1) * PAGE);
}

static void
damaged(const char *how)
{
        sw_err *err = sw__lmdb_check(file, PAGES * PAGE);

        ck_assert_msg(err && strstr(sw_err_message(err), how), "\"%s\" instead of \"%s\"",
                      err ? sw_err_message(err) : "sound", how);
        ck_assert_int_eq(sw_err_code(err), SW_E_CORRUPT);
        sw_err_free(err);
}

/* That the file is right, or the tests below would prove nothing. */
START_TEST(sound)
{
        const uint64_t list[] = { 1, 3 };

        make_file();
        put_free_list(list, sizeof(list));
        ok(sw__lmdb_check(file, PAGES * PAGE));
        drop_file();
}
END_TEST

/* A value that has no room for its count: how many numbers follow is then anybody's guess.
 * Catches: taking it for the largest count there is, and reading on behind the file. */
START_TEST(list_without_count)
{
        make_file();
        for (size_t size = 0; size < 8; size++) {
                put_free_list("\xff\xff\xff\xff\xff\xff\xff", size);
                damaged("a list of free pages longer than its value");
        }
        drop_file();
}
END_TEST

/* Counts that do not fit the value, up to where a sum would wrap around. */
START_TEST(list_with_wrong_count)
{
        static const uint64_t counts[] = { 2, 3, 1 + (UINT64_MAX >> 3), UINT64_MAX - 1,
                                           UINT64_MAX };

        make_file();
        for (size_t i = 0; i < SW_COUNT(counts); i++) {
                const uint64_t list[] = { counts[i], 3 };

                put_free_list(list, sizeof(list));
                damaged("a list of free pages longer than its value");
        }
        drop_file();
}
END_TEST

UNIT_MAIN("lmdbcheck", sound, list_without_count, list_with_wrong_count)
