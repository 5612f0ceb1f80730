/* Unit tests of core/base/digest.c. */
#include <pthread.h>

#include <slipway/digest.h>

#include "tests/unit/unit.h"

#define EMPTY   "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC     "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TWO     "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
#define MILLION "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

/* The examples of FIPS 180. */
static const struct {
        const char *bytes, *digest;
} vectors[] = {
        { "", EMPTY },
        { "abc", ABC },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", TWO },
};

/* Would catch a wrong algorithm, a wrong spelling, and a context that keeps old bytes. */
START_TEST(known_vectors)
{
        for (int round = 0; round < 3; round++) {
                for (size_t i = 0; i < SW_COUNT(vectors); i++) {
                        char text[SW_DIGEST_STR_SIZE], hex[SW_DIGEST_HEX_LEN + 1];
                        const char *bytes = vectors[i].bytes;
                        sw_digest d = sw_digest_of(bytes, strlen(bytes));

                        ck_assert_str_eq(sw_digest_str(&d, text), vectors[i].digest);
                        ck_assert_str_eq(sw_digest_hex(&d, hex), vectors[i].digest + 7);
                }
        }
        sw_digest none = sw_digest_of(NULL, 0);
        char text[SW_DIGEST_STR_SIZE];
        ck_assert_str_eq(sw_digest_str(&none, text), EMPTY);
}
END_TEST

/* Would catch a hasher that is not fresh after its first digest, and one that depends on
 * how the bytes are cut. */
START_TEST(hasher_starts_afresh)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        char text[SW_DIGEST_STR_SIZE];
        sw_digest d = sw_hasher_finish(h);

        ck_assert_str_eq(sw_digest_str(&d, text), EMPTY);
        for (int piece = 1; piece <= 1000; piece *= 10) {
                char as[1000];

                memset(as, 'a', sizeof(as));
                for (int left = 1000000; left > 0; left -= piece)
                        sw_hasher_add(h, as, (size_t) piece);
                sw_hasher_add(h, NULL, 0);
                d = sw_hasher_finish(h);
                ck_assert_str_eq(sw_digest_str(&d, text), MILLION);
        }
        sw_hasher_add(h, "left over", 9);
        sw_hasher_free(NULL);
}
END_TEST

/* Would catch two users of one hasher state: a hasher and one-shot digests interleaved. */
START_TEST(hashers_are_independent)
{
        sw_autoptr(sw_hasher) a = sw_hasher_new();
        sw_autoptr(sw_hasher) b = sw_hasher_new();
        sw_digest abc = sw_digest_of("abc", 3), d;

        sw_hasher_add(a, "a", 1);
        sw_hasher_add(b, "ab", 2);
        d = sw_digest_of("x", 1);
        ck_assert(!sw_digest_eq(&abc, &d));
        sw_hasher_add(a, "bc", 2);
        sw_hasher_add(b, "c", 1);
        d = sw_hasher_finish(a);
        ck_assert(sw_digest_eq(&abc, &d));
        d = sw_hasher_finish(b);
        ck_assert(sw_digest_eq(&abc, &d));
}
END_TEST

static void *
hash_often(void *arg)
{
        for (int i = 0; i < 20000; i++) {
                char text[SW_DIGEST_STR_SIZE];
                sw_digest d = sw_digest_of("abc", 3);

                if (strcmp(sw_digest_str(&d, text), ABC) != 0)
                        return arg;
        }
        return NULL;
}

/* Would catch a context shared by threads, and one that leaks when its thread ends. */
START_TEST(threads_do_not_disturb_each_other)
{
        pthread_t threads[8];

        for (size_t i = 0; i < SW_COUNT(threads); i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, hash_often, threads), 0);
        for (size_t i = 0; i < SW_COUNT(threads); i++) {
                void *wrong;

                ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
                ck_assert_ptr_null(wrong);
        }
}
END_TEST

/* Would catch every laxness by which two texts name one digest, or a path is smuggled in.
 */
START_TEST(parsing_is_strict)
{
        static const struct {
                const char *text, *why;
        } bad[] = {
                { "", "does not start with sha256:" },
                { "sha256", "does not start with sha256:" },
                { "sha256:", "64 digits" },
                { "SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                  "does not start" },
                { "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                  "does not start" },
                { " " EMPTY, "does not start" },
                { EMPTY " ", "64 digits" },
                { EMPTY "\n", "64 digits" },
                { EMPTY "0", "64 digits" },
                { "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
                  "64 digits" },
                { "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
                  "not 0-9 or a-f" },
                { "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85g",
                  "not 0-9 or a-f" },
                { "sha256:../../../../../../../../../../../../../../../../../../etc/"
                  "passwd",
                  "not 0-9 or a-f" },
                { "sha256:"
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8\x1b\xff",
                  "\\xff\"" },
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_digest d;

                memset(&d, 0x5a, sizeof(d));
                fails(sw_digest_parse(bad[i].text, SIZE_MAX, &d), SW_E_INVALID, bad[i].why);
                ck_assert(!sw_digest_is(bad[i].text, SIZE_MAX));
                for (size_t k = 0; k < SW_DIGEST_LEN; k++) /* set only on success */
                        ck_assert_uint_eq(d.b[k], 0x5a);
        }
}
END_TEST

/* Would catch a length that is not respected, in either direction, and a NUL that ends. */
START_TEST(length_counts)
{
        char long_text[SW_DIGEST_STR_SIZE + 10] = ABC "tail", with_nul[] = ABC;
        sw_digest d, abc = sw_digest_of("abc", 3);

        ok(sw_digest_parse(long_text, SW_DIGEST_STR_LEN, &d));
        ck_assert(sw_digest_eq(&d, &abc));
        ck_assert(sw_digest_is(long_text, SW_DIGEST_STR_LEN));
        fails(sw_digest_parse(long_text, SW_DIGEST_STR_LEN + 1, &d), SW_E_INVALID, "64");
        fails(sw_digest_parse(long_text, 0, &d), SW_E_INVALID, "does not start");
        with_nul[20] = '\0';
        fails(sw_digest_parse(with_nul, SW_DIGEST_STR_LEN, &d), SW_E_INVALID, "not 0-9");
        fails(sw_digest_parse(with_nul, SIZE_MAX, &d), SW_E_INVALID, "64");
}
END_TEST

/* Would catch a message as long as the hostile text. */
START_TEST(message_is_cut)
{
        char text[5000];
        sw_digest d;
        sw_autoptr(sw_err) err = NULL;

        memset(text, 'x', sizeof(text));
        err = sw_digest_parse(text, sizeof(text), &d);
        ck_assert_ptr_nonnull(err);
        ck_assert_uint_lt(strlen(sw_err_message(err)), 200);
}
END_TEST

/* Would catch a comparison of a part, or one by signed bytes. */
START_TEST(compares_all_bytes_unsigned)
{
        sw_digest a = { { 0 } }, b = { { 0 } };

        ck_assert_int_eq(sw_digest_cmp(&a, &b), 0);
        for (size_t i = 0; i < SW_DIGEST_LEN; i++) {
                b = a;
                b.b[i] = 0x80;
                ck_assert(!sw_digest_eq(&a, &b));
                ck_assert_int_lt(sw_digest_cmp(&a, &b), 0);
                ck_assert_int_gt(sw_digest_cmp(&b, &a), 0);
        }
}
END_TEST

/* Would catch digits swapped within a byte: text to bytes and back for every byte. */
START_TEST(round_trip)
{
        for (int byte = 0; byte < 256; byte++) {
                char text[SW_DIGEST_STR_SIZE];
                sw_digest a, b;

                for (size_t i = 0; i < SW_DIGEST_LEN; i++)
                        a.b[i] = (uint8_t) (byte + (int) i);
                ok(sw_digest_parse(sw_digest_str(&a, text), SIZE_MAX, &b));
                ck_assert(sw_digest_eq(&a, &b));
        }
}
END_TEST

UNIT_MAIN("digest", known_vectors, hasher_starts_afresh, hashers_are_independent,
          threads_do_not_disturb_each_other, parsing_is_strict, length_counts,
          message_is_cut, compares_all_bytes_unsigned, round_trip)
