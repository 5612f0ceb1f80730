/*
 * lib/layer/unpack: what a layer writer is told of a blob, and what is refused. Each rule
 * of unpack.h has a test; archives that others made are compared with what tar(1) makes of
 * them in unpackreal_test.c.
 */
#include "lib/layer/unpack.h"

#include <slipway/path.h>

#include "lib/layer/tarhead.h"
#include "tests/unit/lib/layer/told.h"
#include "tests/unit/unit.h"

/* ---- archives by hand ---- */

static struct sw_buf arc;

static void
setup(void)
{
        sw_buf_init(&arc);
}

static void
teardown(void)
{
        sw_buf_release(&arc);
}

/* Put the sum of the header at @at right. */
static void
resum(size_t at)
{
        unsigned sum = 0;

        memset(arc.data + at + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
                sum += (unsigned char) arc.data[at + i];
        (void) snprintf(arc.data + at + 148, 7, "%06o", sum);
}

static void
pad(void)
{
        static const char zeros[512];

        sw_buf_add(&arc, zeros, (512 - arc.len % 512) % 512);
}

/* The place of the header. */
static size_t
put_bytes(char type, const char *name, const char *link, const void *p, size_t n)
{
        const struct sw_tar_entry e = { .type = type,
                                        .name = name,
                                        .link = link,
                                        .mode = 0644,
                                        .uid = 1,
                                        .gid = 2,
                                        .size = (int64_t) n,
                                        .mtime = 7,
                                        .dev_major = 1,
                                        .dev_minor = 3 };
        const sw_strlist none = { 0 };
        const struct sw_buf no_records = SW_BUF_INIT;

        ok(sw_tar_head(&arc, &e, &none, &no_records));
        const size_t at = arc.len - 512;
        sw_buf_add(&arc, p, n);
        pad();
        return at;
}

static size_t
put(char type, const char *name, const char *link, const char *data)
{
        return put_bytes(type, name, link, data, strlen(data));
}

/* Records are put as they are. */
static void
put_records(char type, const char *records)
{
        (void) put(type, "pax", "", records);
}

static void
put_record(const char *key, const char *value)
{
        size_t len = strlen(key) + strlen(value) + 3, total = len;
        char text[16];

        while ((total = len + (size_t) snprintf(text, sizeof(text), "%zu", total)) !=
               len + strlen(text))
                continue;
        (void) snprintf(text, sizeof(text), "%zu", total);
        sw_auto(sw_str) record = sw_asprintf("%zu %s=%s\n", len + strlen(text), key, value);
        put_records('x', record);
}

static void
put_end(void)
{
        static const char zeros[1024];

        sw_buf_add(&arc, zeros, sizeof(zeros));
}

/* ---- unpacking them ---- */

static const struct sw_unpack_opts plain;

static sw_err *
unpack_as(struct told *t, const struct sw_unpack_opts *opts, bool stream, size_t piece,
          struct sw_unpack_result *r)
{
        struct bytes b = { .p = arc.data, .n = arc.len, .piece = piece };
        const struct sw_reader in = { .read = bytes_read, .arg = &b };
        const struct sw_layer_ops ops = told_ops(stream);

        return sw_layer_unpack(NULL, &in, opts, &ops, t, r);
}

/* What is told, and the implied directories: "text|a,b". */
static void
gives_with(const struct sw_unpack_opts *opts, const char *want)
{
        struct sw_unpack_result r = { 0 };
        struct told t;

        told_init(&t);
        ok(unpack_as(&t, opts, true, 0, &r));
        sw_auto(sw_str) implied = sw_strlist_join(&r.implied, ",");
        if (*implied)
                sw_buf_addf(&t.text, "|%s", implied);
        ck_assert_str_eq(t.text.data, want);
        const sw_digest d = sw_digest_of(arc.data, arc.len);
        ck_assert(sw_digest_eq(&r.diff_id, &d));
        ck_assert_int_eq(r.tar_size, (int64_t) arc.len);
        sw_unpack_result_release(&r);
        told_release(&t);
        sw_buf_clear(&arc);
}

static void
gives(const char *want)
{
        gives_with(&plain, want);
}

static void
refused(enum sw_code code, const char *part)
{
        struct sw_unpack_result r = { 0 };
        struct told t;

        told_init(&t);
        fails(unpack_as(&t, &plain, true, 0, &r), code, part);
        told_release(&t);
        sw_buf_clear(&arc);
}

/* ---- what is there ---- */

START_TEST(test_kinds)
{
        (void) put('5', "d/", "", "");
        (void) put('0', "d/f", "", "hello");
        (void) put('2', "d/l", "../away", "");
        (void) put('1', "d/h", "d/f", "");
        (void) put('3', "d/c", "", "");
        (void) put('4', "d/b", "", "");
        (void) put('6', "d/p", "", "");
        (void) put('7', "d/g", "", "in one piece");
        (void) put('V', "label", "", "");
        put_end();
        gives("dir d 644 1:2 7.000000000\n"
              "file d/f 644 1:2 7.000000000 5 \"hello\"\n"
              "symlink d/l 644 1:2 7.000000000 -> ../away\n"
              "link d/h = d/f\n"
              "char d/c 644 1:2 7.000000000 1:3\n"
              "block d/b 644 1:2 7.000000000 1:3\n"
              "fifo d/p 644 1:2 7.000000000 0:0\n"
              "file d/g 644 1:2 7.000000000 12 \"in one piece\"\n");
}
END_TEST

/* "./", "/", "//", and a file whose name ends in '/' is a directory. */
START_TEST(test_names)
{
        (void) put('5', "./", "", "");
        (void) put('5', "/d//", "", "");
        (void) put('0', "./d/./f", "", "1");
        (void) put('0', "/d/g", "", "2");
        (void) put('1', "h", "/./d//f", "");
        (void) put('0', "old/", "", "");
        (void) put('0', "...", "", "");
        put_end();
        gives("dir  644 1:2 7.000000000\n"
              "dir d 644 1:2 7.000000000\n"
              "file d/f 644 1:2 7.000000000 1 \"1\"\n"
              "file d/g 644 1:2 7.000000000 1 \"2\"\n"
              "link h = d/f\n"
              "dir old 644 1:2 7.000000000\n"
              "file ... 644 1:2 7.000000000 0 \"\"\n");
}
END_TEST

START_TEST(test_refused_names)
{
        static const struct {
                char type;
                const char *name, *link, *part;
        } bad[] = {
                { '0', "../x", "", "entry \"../x\"" },
                { '0', "d/../x", "", "\"..\"" },
                { '5', "d/..", "", "\"..\"" },
                { '5', "..", "", "\"..\"" },
                { '0', "/../x", "", "\"..\"" },
                { '1', "h", "../f", "\"..\"" },
                { '1', "h", "none", "did not have" },
                { '1', "h", "d/none", "did not have" },
                { '1', "h", "none/f", "did not have" },
                { '1', "h", "f/x", "did not have" },
                { '1', "h", "d", "is a directory" },
                { '1', "d", "d/f", "would replace" },
                { '1', "h", ".", "did not have" },
                { '1', "h", "", "did not have" },
                { '1', "h", "w", "did not have" },
                { '0', "f/x", "", "no directory" },
                { '5', "f/x/", "", "no directory" },
                { '0', "l/x", "", "no directory" },
                { '0', "d/c/x", "", "no directory" },
                { '0', "f/.wh.x", "", "no directory" },
                { '0', "f/.wh..wh..opq", "", "no directory" },
                { '0', ".wh.", "", "whiteout" },
                { '0', "d/.wh..", "", "whiteout" },
                { '0', "d/.wh...", "", "whiteout" },
                { '0', ".wh.x/y", "", "below a whiteout" },
                { '0', "d/.wh.x/y/z", "", "below a whiteout" },
                { '2', ".", "x", "root" },
                { '1', "./", "f", "root" },
                { '2', "s", "", "to nothing" },
                { 'Z', "z", "", "not known" },
                { 'M', "z", "", "not known" },
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                (void) put('5', "d/", "", "");
                (void) put('3', "d/c", "", "");
                (void) put('0', "d/f", "", "1");
                (void) put('0', "f", "", "1");
                (void) put('2', "l", "d", "");
                (void) put('0', ".wh.w", "", "");
                (void) put(bad[i].type, bad[i].name, bad[i].link, "");
                put_end();
                refused(SW_E_INVALID, bad[i].part);
        }
}
END_TEST

/* An empty name can only come from a damaged header. */
START_TEST(test_no_name)
{
        const size_t at = put('0', "x", "", "");

        arc.data[at] = '\0';
        resum(at);
        put_end();
        refused(SW_E_INVALID, "without a name");
}
END_TEST

START_TEST(test_long_names)
{
        sw_auto(sw_str) deep = sw_alloc(70001);
        sw_auto(sw_str) name = sw_alloc(301);

        memset(name, 'n', 300);
        put_record("path", name);
        (void) put('0', "x", "", "");
        refused(SW_E_LIMIT, "255");
        for (int i = 0; i < 70000; i++)
                deep[i] = i % 2 ? '/' : 'd';
        put_record("path", deep);
        (void) put('0', "x", "", "");
        refused(SW_E_LIMIT, "65536");
        (void) put('L', "././@LongLink", "", deep);
        (void) put('0', "x", "", "");
        refused(SW_E_LIMIT, "header");
}
END_TEST

/* ---- order ---- */

START_TEST(test_order)
{
        (void) put('0', "a/b/f", "", "1"); /* a child before its parents */
        (void) put('5', "a/", "", "");
        (void) put('0', "x/y", "", "2");
        (void) put('0', "x", "", "3"); /* a directory becomes a file, */
        (void) put('5', "x/", "", ""); /* and one again, without what was in it */
        put_end();
        gives("dir a 755 0:0 0.000000000\n"
              "dir a/b 755 0:0 0.000000000\n"
              "file a/b/f 644 1:2 7.000000000 1 \"1\"\n"
              "dir a 644 1:2 7.000000000\n"
              "dir x 755 0:0 0.000000000\n"
              "file x/y 644 1:2 7.000000000 1 \"2\"\n"
              "file x 644 1:2 7.000000000 1 \"3\"\n"
              "dir x 644 1:2 7.000000000\n"
              "|a/b");
        (void) put('5', "x/", "", "");
        (void) put('0', "x/y", "", "2");
        (void) put('0', "x", "", "3");
        (void) put('5', "x/", "", "");
        (void) put('1', "h", "x/y", "");
        put_end();
        refused(SW_E_INVALID, "did not have");
        (void) put('5', "x/", "", ""); /* the directory of the entry before is another */
        (void) put('0', "x/y", "", "2");
        (void) put('2', "x", "/etc", "");
        (void) put('0', "x/y", "", "3");
        put_end();
        refused(SW_E_INVALID, "no directory");
        (void) put('0', "f", "", "1");
        (void) put('0', "f", "", "2"); /* the later one counts */
        (void) put('1', "f", "f", ""); /* another name of itself */
        (void) put('2', "f", "l", "");
        (void) put('1', "g", "f", ""); /* of a symlink */
        put_end();
        gives("file f 644 1:2 7.000000000 1 \"1\"\n"
              "file f 644 1:2 7.000000000 1 \"2\"\n"
              "symlink f 644 1:2 7.000000000 -> l\n"
              "link g = f\n");
}
END_TEST

START_TEST(test_whiteouts)
{
        (void) put('0', ".wh.gone", "", "");
        (void) put('0', "new/.wh.x", "", "data that mean nothing");
        (void) put('0', "both", "", "1");
        (void) put('0', ".wh.both", "", ""); /* of what lower layers have, not of this */
        (void) put('0', ".wh.again", "", "");
        (void) put('0', ".wh.again", "", "");
        (void) put('0', "again", "", "2");
        (void) put('5', "dir/", "", "");
        (void) put('0', "dir/f", "", "3");
        (void) put('0', ".wh.dir", "", "");
        (void) put('0', "dir/g", "", "4");
        (void) put('0', ".wh.made", "", "");
        (void) put('0', "made/f", "", "5");
        (void) put('0', "o/.wh..wh..opq", "", "");
        (void) put('0', ".wh..wh..opq", "", "");
        (void) put('5', ".wh..wh.plnk/", "", "");
        (void) put('0', ".wh..wh.plnk/12", "", "6");
        (void) put('0', "dir/.wh..wh.aufs", "", "");
        put_end();
        gives("gone gone\n"
              "dir new 755 0:0 0.000000000\n"
              "gone new/x\n"
              "file both 644 1:2 7.000000000 1 \"1\"\n"
              "gone again\n"
              "file again 644 1:2 7.000000000 1 \"2\"\n"
              "dir dir 644 1:2 7.000000000\n"
              "file dir/f 644 1:2 7.000000000 1 \"3\"\n"
              "opaque dir\n"
              "file dir/g 644 1:2 7.000000000 1 \"4\"\n"
              "gone made\n"
              "dir made 755 0:0 0.000000000\n"
              "file made/f 644 1:2 7.000000000 1 \"5\"\n"
              "dir o 755 0:0 0.000000000\n"
              "opaque o\n"
              "opaque \n"
              "|made,new,o");
}
END_TEST

START_TEST(test_devices)
{
        const struct sw_unpack_opts none = { .no_devices = true };

        (void) put('3', "c", "", "");
        (void) put('1', "h", "c", "");
        (void) put('6', "p", "", "");
        (void) put('0', "f", "", "1");
        (void) put('4', "f", "", "");
        put_end();
        gives_with(&none, "fifo p 644 1:2 7.000000000 0:0\n"
                          "file f 644 1:2 7.000000000 1 \"1\"\n"
                          "gone f\n");
        const size_t at = put('3', "c", "", "");
        memcpy(arc.data + at + 329,
               "0000000\0"
               "0000000",
               16);
        resum(at);
        refused(SW_E_INVALID, "entry \"c\"");
}
END_TEST

/* ---- fields ---- */

/* A file whose header has @n bytes at @at. */
static void
patched(size_t at, const char *bytes, size_t n)
{
        const size_t head = put('3', "x", "", "");

        memcpy(arc.data + head + at, bytes, n);
        resum(head);
        put_end();
}

START_TEST(test_fields)
{
        static const struct {
                size_t at;
                const char *bytes;
                size_t n;
                enum sw_code code;
        } bad[] = {
                { 100, "00x0644", 8, SW_E_INVALID },                    /* mode */
                { 108, "\x80\0\0\0\xff\xff\xff\xff", 8, SW_E_INVALID }, /* uid of "none" */
                { 108, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, SW_E_INVALID }, /* -1 */
                { 116, "\x80\1\0\0\0\0\0\0", 8, SW_E_INVALID },               /* gid */
                { 116, "9999999", 8, SW_E_INVALID },
                { 124, "-0000000001", 12, SW_E_INVALID }, /* size */
                { 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12,
                  SW_E_INVALID },
                { 124, "\x80\0\0\0\0\0\x10\0\0\0\0\0", 12, SW_E_LIMIT },
                { 124, "\x80\0\1\0\0\0\0\0\0\0\0\0", 12, SW_E_INVALID },
                { 136, "12345678901x", 12, SW_E_INVALID }, /* time */
                { 329, "0010000", 8, SW_E_INVALID },       /* device */
                { 337, "4000000", 8, SW_E_INVALID },
        };
        size_t at;

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                patched(bad[i].at, bad[i].bytes, bad[i].n);
                refused(bad[i].code, "\"x\"");
        }
        at = put('0', "x", "", ""); /* blanks, base 256, before 1970, bits of a type */
        memcpy(arc.data + at + 100, " 100755 ", 8);
        memcpy(arc.data + at + 108, "\x80\0\0\0\0\x20\0\0", 8);
        memset(arc.data + at + 116, 0, 8);
        memset(arc.data + at + 136, 0xff, 12);
        resum(at);
        put_end();
        gives("file x 755 2097152:0 -1.000000000 0 \"\"\n");
        patched(136, "\xff\x80\0\0\0\0\0\0\0\0\0\0", 12); /* longer ago than can be */
        refused(SW_E_INVALID, "time");
}
END_TEST

START_TEST(test_sums)
{
        size_t at = put('0', "x", "", "");

        arc.data[at + 1]++;
        put_end();
        refused(SW_E_INVALID, "sum");
        at = put('0', "\xff\xfe", "", ""); /* as those who summed signed bytes did */
        int sum = 0;
        memset(arc.data + at + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
                sum += (signed char) arc.data[at + i];
        (void) snprintf(arc.data + at + 148, 7, "%06o", (unsigned) sum);
        put_end();
        struct sw_unpack_result r = { 0 };
        struct told t;
        told_init(&t);
        ok(unpack_as(&t, &plain, true, 0, &r));
        told_release(&t);
}
END_TEST

/* ---- pax ---- */

START_TEST(test_pax)
{
        put_records('g', "18 comment=a word\n"
                         "11 uid=100\n"
                         "13 mtime=1.5\n"
                         "9 path=y\n");
        put_records('x', "21 path=dir/the name\n");
        (void) put('0', "x", "", "1");
        put_records('x', "11 uid=200\n"
                         "30 mtime=-1.25000000012345678\n"
                         "15 gid=5000000\n");
        (void) put('0', "z", "", "2");
        put_records('x', "7 uid=\n"
                         "15 linkpath=to\n");
        (void) put('2', "l", "x", "");
        (void) put('5', "d/", "", "");
        put_end();
        gives("dir dir 755 0:0 0.000000000\n"
              "file dir/the name 644 100:2 1.500000000 1 \"1\"\n"
              "file z 644 200:5000000 -1.-250000000 1 \"2\"\n"
              "symlink l 644 100:2 1.500000000 -> to\n"
              "dir d 644 100:2 1.500000000\n"
              "|dir");
        put_records('x', "10 size=2\n");
        const size_t at = put('0', "x", "", "abcdef");
        memcpy(arc.data + at + 124, "00000000777", 12);
        resum(at);
        put_end();
        gives("file x 644 1:2 7.000000000 2 \"ab\"\n");
}
END_TEST

START_TEST(test_pax_refused)
{
        static const char *const bad[] = {
                "x",
                "3 a\n",
                "99 uid=1\n",
                "8 uid=1",
                "08 uid=1\n8",
                "7 =abc\n",
                "6 path\n",
                " 9 uid=1\n",
                "9 uid=-1\n",
                "9 uid=1x\n",
                "28 uid=99999999999999999999\n",
                "10 mtime=\n\n",
                "11 mtime=x\n",
                "12 mtime=1x\n",
                "11 mtime=-\n",
                "11 size=-1\n",
                "20 SCHILY.xattr.=ab\n",
                "0 \n",
                "4294967304 uid=1\n",
                "27 LIBARCHIVE.xattr.a=!!!\n",
                "25 LIBARCHIVE.xattr.a=A\n",
                "26 GNU.sparse.numbytes=1\n",
                "18 uid=4294967295\n",
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                put_records('x', bad[i]);
                (void) put('0', "x", "", "1");
                put_end();
                refused(SW_E_INVALID, "");
        }
        (void) put_bytes('x', "pax", "", "12 path=a\0b\n", 12);
        (void) put('0', "x", "", "1");
        refused(SW_E_INVALID, "NUL");
}
END_TEST

START_TEST(test_xattrs)
{
        put_record("SCHILY.xattr.user.b", "2");
        put_record("SCHILY.xattr.user.a", "1");
        put_record("SCHILY.xattr.user.b", "3"); /* the later one counts */
        put_record("LIBARCHIVE.xattr.user.c%2Ed", "Y2Q=");
        put_record("LIBARCHIVE.xattr.user.c%2e", "Y2RlZg");
        put_record("LIBARCHIVE.xattr.user.a",
                   "Y2Q="); /* which gives way to the other form */
        put_record("SCHILY.xattr.trusted.overlay.opaque", "y");
        put_record("SCHILY.xattr.user.overlay.whiteout", "y");
        put_record("SCHILY.xattr.security.selinux", "y");
        put_record("SCHILY.xattr.user.none", "");
        (void) put('0', "f", "", "");
        put_record("SCHILY.xattr.user.a", "4"); /* told for the file already */
        (void) put('1', "h", "f", "");
        put_record("SCHILY.xattr.user.a", "5");
        (void) put('5', "d", "", "");
        put_end();
        gives("file f 644 1:2 7.000000000 0 \"\"\n"
              "xattr f user.b=\"3\"\n"
              "xattr f user.a=\"1\"\n"
              "xattr f user.c.d=\"cd\"\n"
              "xattr f user.c.=\"cdef\"\n"
              "xattr f user.none=\"\"\n"
              "link h = f\n"
              "dir d 644 1:2 7.000000000\n"
              "xattr d user.a=\"5\"\n");
}
END_TEST

/* ---- GNU ---- */

START_TEST(test_gnu)
{
        (void) put_bytes('L', "././@LongLink", "", "the/long\0name", 13);
        (void) put_bytes('K', "././@LongLink", "", "the target\0", 11);
        put_record("path", "not this");
        (void) put('2', "short", "short", "");
        const size_t at = put('0', "name", "", "1"); /* no prefix, but a time */
        memcpy(arc.data + at + 257, "ustar  ", 8);
        memcpy(arc.data + at + 345, "12345670123", 12);
        resum(at);
        put_end();
        gives("dir the 755 0:0 0.000000000\n"
              "symlink the/long 644 1:2 7.000000000 -> the target\n"
              "file name 644 1:2 7.000000000 1 \"1\"\n"
              "|the");
        const size_t v7 = put('\0', "dir/", "", "");
        memset(arc.data + v7 + 257, 0, 255);
        resum(v7);
        put_end();
        gives("dir dir 644 1:2 7.000000000\n");
}
END_TEST

/* Maps that lie: parts beyond the file, in the wrong order, on each other, of another
 * length than what is stored; sizes without end. */
START_TEST(test_sparse_refused)
{
        static const struct {
                const char *map, *size;
                enum sw_code code;
        } bad[] = {
                { "0,3", "2", SW_E_INVALID },
                { "0,1,0,2", "9", SW_E_INVALID },
                { "4,1,0,2", "9", SW_E_INVALID },
                { "0,2", "9", SW_E_INVALID },
                { "0,4", "9", SW_E_INVALID },
                { "0", "9", SW_E_INVALID },
                { "0,", "9", SW_E_INVALID },
                { "0,3,x", "9", SW_E_INVALID },
                { ",", "9", SW_E_INVALID },
                { "9223372036854775807,3", "9", SW_E_INVALID },
                { "0,99999999999999999999", "9", SW_E_INVALID },
                { "0,3", "9223372036854775807", SW_E_LIMIT },
                { "0,3", "", SW_E_INVALID },
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                put_record("GNU.sparse.map", bad[i].map);
                put_record("GNU.sparse.size", bad[i].size);
                (void) put('0', "x", "", "abc");
                put_end();
                refused(bad[i].code, "");
        }
        put_record("GNU.sparse.map", "2,1,5,2,9,0");
        put_record("GNU.sparse.size", "9");
        put_record("GNU.sparse.name", "y");
        (void) put('0', "x", "", "abc");
        put_end();
        gives("file y 644 1:2 7.000000000 9 \"\\x00\\x00a\\x00\\x00bc\\x00\\x00\"\n");
        put_records('x', "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 "
                         "GNU.sparse.realsize=9\n");
        (void) put('0', "x", "", "7777777\n");
        put_end();
        refused(SW_E_INVALID, "map");
        put_records('x', "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 "
                         "GNU.sparse.realsize=9\n");
        (void) put('0', "x", "", "1\n\n3\n");
        put_end();
        refused(SW_E_INVALID, "map");
}
END_TEST

/* ---- ends ---- */

START_TEST(test_ends)
{
        struct sw_unpack_result r = { 0 };

        gives(""); /* nothing at all */
        put_end();
        gives("");
        (void) put('0', "x", "", "1"); /* without an end */
        gives("file x 644 1:2 7.000000000 1 \"1\"\n");
        (void) put('0', "x", "", "1"); /* half an end; things behind it */
        sw_buf_add(&arc, (char[512]){ 0 }, 512);
        gives("file x 644 1:2 7.000000000 1 \"1\"\n");
        put_end();
        (void) put('0', "x", "", "1");
        sw_buf_adds(&arc, "whatever");
        gives("");
        sw_buf_add(&arc, (char[512]){ 0 }, 512);
        (void) put('0', "x", "", "1");
        refused(SW_E_INVALID, "empty block");
        /* cut anywhere but between entries, or in what only fills a block */
        put_record("path", "long");
        (void) put('0', "x", "", "1");
        const size_t all = arc.len;
        for (size_t n = 1; n < all; n++) {
                struct told t;

                arc.len = n;
                told_init(&t);
                sw_err *err = unpack_as(&t, &plain, true, 0, &r);
                ck_assert_msg(sw_err_code(err) == SW_E_INVALID, "cut after %zu: %s", n,
                              sw_err_message(err));
                sw_err_free(err);
                told_release(&t);
        }
        sw_buf_clear(&arc);
        put_records('g', "18 comment=a word\n"); /* which no entry has to follow */
        put_end();
        gives("");
}
END_TEST

/* ---- packed ---- */
START_TEST(test_limit)
{
        const struct sw_unpack_opts small = { .max_size = 4096 };
        struct sw_unpack_result r = { 0 };
        struct told t;

        (void) put('0', "x", "", "1");
        put_end();
        for (int i = 0; i < 5; i++)
                put_end();
        told_init(&t);
        fails(unpack_as(&t, &small, true, 0, &r), SW_E_LIMIT, "more than");
        told_release(&t);
}
END_TEST

/* Large files: streamed, or where the writer takes none, by way of a file; the same. In
 * pieces of any size. */
START_TEST(test_large)
{
        static char big[3 << 20];
        sw_auto(sw_str) first = NULL;

        for (size_t i = 0; i < sizeof(big); i++)
                big[i] = (char) (i * 31 % 251);
        (void) put_bytes('0', "a", "", big, 1 << 20);
        (void) put_bytes('0', "b", "", big, (1 << 20) + 1);
        (void) put_bytes('0', "c", "", big, sizeof(big) - 5);
        (void) put('0', "d", "", "behind");
        put_end();
        for (int i = 0; i < 6; i++) {
                static const size_t pieces[] = { 0, 511, 4096, 65537, 300001, 13 };
                struct sw_unpack_result r = { 0 };
                struct told t;

                told_init(&t);
                ok(unpack_as(&t, &plain, i % 2 == 0, pieces[i], &r));
                sw_unpack_result_release(&r);
                if (!first)
                        first = sw_strdup(t.text.data);
                ck_assert_str_eq(t.text.data, first);
                told_release(&t);
        }
        ck_assert_ptr_nonnull(strstr(first, "file c 644 1:2 7.000000000 3145723"));
}
END_TEST

/* ---- faults ---- */

START_TEST(test_faults)
{
        struct sw_unpack_result r = { 0 };
        struct told t;
        const struct sw_layer_ops ops = told_ops(true);
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, NULL, NULL, NULL, NULL);

        for (int i = 0; i < 2000; i++)
                (void) put('0', "x", "", "1234");
        struct bytes b = { .p = arc.data, .n = arc.len };
        b.err = sw_err_new(SW_E_REMOTE, "the line is dead");
        const struct sw_reader in = { .read = bytes_read, .arg = &b };
        told_init(&t);
        fails(sw_layer_unpack(NULL, &in, &plain, &ops, &t, &r), SW_E_REMOTE,
              "line is dead");
        t.refuse = "x";
        fails(unpack_as(&t, &plain, true, 0, &r), SW_E_REMOTE, "entry \"x\": refused");
        t.refuse = NULL;
        sw_cancel_now(cancel, "enough");
        b = (struct bytes){ .p = arc.data, .n = arc.len, .err = b.err };
        fails(sw_layer_unpack(ctx, &in, &plain, &ops, &t, &r), SW_E_CANCELLED, "enough");
        told_release(&t);
        sw_err_free(b.err);
}
END_TEST

UNIT_MAIN_WITH("lib/layer/unpack", setup, teardown, test_kinds, test_names,
               test_refused_names, test_no_name, test_long_names, test_order,
               test_whiteouts, test_devices, test_fields, test_sums, test_pax,
               test_pax_refused, test_xattrs, test_gnu, test_sparse_refused, test_ends,
               test_limit, test_large, test_faults)
