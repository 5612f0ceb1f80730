/*
 * near_test.c - catches addresses of this machine, or of its link, that a redirect from
 * elsewhere gets to by another way of writing them, and others that are taken for such.
 */
#include "lib/http/url.h"
#include "tests/unit/unit.h"

START_TEST(near)
{
        static const char *const addresses[] = {
                "127.0.0.1",
                "127.255.255.254",
                "0.0.0.0",
                "169.254.169.254",
                "[::1]",
                "::1",
                "[::]",
                "[fe80::1]",
                "fe80::1%eth0",
                "[febf::1]",
                "[::ffff:127.0.0.1]",
                "[::ffff:a9fe:a9fe]",
                "[::127.0.0.1]",
        };

        for (size_t i = 0; i < SW_COUNT(addresses); i++)
                ck_assert_msg(sw__ip_is_near(addresses[i]), "%s", addresses[i]);
}
END_TEST

START_TEST(elsewhere)
{
        static const char *const addresses[] = {
                "128.0.0.1",   "10.0.0.1",
                "169.253.1.1", "1.127.0.1",
                "8.8.8.8",     "[2001:db8::1]",
                "[fec0::1]",   "[::ffff:10.0.0.1]",
                "[1::1]",      "localhost",
                "127.0.0.1.x", "0x7f.0.0.1",
                "example.com", "",
                "[",
        };

        for (size_t i = 0; i < SW_COUNT(addresses); i++)
                ck_assert_msg(!sw__ip_is_near(addresses[i]), "%s", addresses[i]);
}
END_TEST

UNIT_MAIN("near", near, elsewhere)
