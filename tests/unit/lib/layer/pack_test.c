/*
 * lib/layer/pack: what comes out is what went in, to every tool that reads it; the bytes
 * depend on type and level alone. Catches lost or swapped pieces, wrong sums, bytes that
 * depend on threads or on how the input was cut, errors that nobody hears of.
 */
#include "lib/layer/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/io.h>

#include "lib/layer/unpack.h"
#include "tests/unit/lib/layer/trees.h"

/* ---- what goes in ---- */

static sw_buf tar;

/* Text, noise, zeros, files at the limits of pieces and chunks; about 12 MB. */
static const char make_input[] =
        "mkdir t; cd t; exec python3 -c '\n"
        "import os, random\n"
        "r = random.Random(1)\n"
        "w = [bytes(r.choices(b\"abcdefghij\", k=r.randint(2, 9))) for _ in range(500)]\n"
        "def text(n): return b\" \".join(r.choices(w, k=n // 6))[:n]\n"
        "for i in range(300):\n"
        "  os.makedirs(f\"d{i % 17}\", exist_ok=True)\n"
        "  open(f\"d{i % 17}/f{i}\", \"wb\").write(text(r.randint(0, 20000)))\n"
        "open(\"noise\", \"wb\").write(r.randbytes(1500000))\n"
        "open(\"zeros\", \"wb\").write(bytes(4500000))\n"
        "for d in -1, 0, 1: open(f\"c{d}\", \"wb\").write((text(1 << 18) * 17)[:(1 << (22 "
        "if d == 0 else 20)) + d])\n"
        "open(\"empty\", \"wb\")\n"
        "os.symlink(\"noise\", \"link\"); os.link(\"noise\", \"hard\"); "
        "os.mkfifo(\"pipe\")\n"
        "os.setxattr(\"noise\", \"user.k\", b\"v<>&\")\n"
        "'";

static void
begin(void)
{
        setup();
        sw_buf_init(&tar);
        free(shell(make_input));
        free(shell("tar --format=pax --xattrs --sort=name --mtime=@1 -cf in.tar -C t ."));
        ok(sw_buf_read_file(&tar, here, "in.tar", 100 << 20));
}

static void
finish(void)
{
        sw_buf_release(&tar);
        teardown();
}

/* ---- packing ---- */

struct into {
        sw_buf b;
        size_t fail_at; /* SW_E_REMOTE beyond it; 0: never */
        unsigned busy;  /* somebody is in write() */
};

static sw_err *
into_write(void *arg, const void *p, size_t n)
{
        struct into *i = arg;

        ck_assert_uint_eq(__atomic_fetch_add(&i->busy, 1, __ATOMIC_SEQ_CST), 0);
        sw_buf_add(&i->b, p, n);
        __atomic_fetch_sub(&i->busy, 1, __ATOMIC_SEQ_CST);
        return i->fail_at && i->b.len > i->fail_at ? sw_err_new(SW_E_REMOTE, "it is full")
                                                   : SW_OK;
}

/* Feed all of it, in pieces whose sizes @seed makes; 0: at once. */
static sw_err *
feed(const struct sw_tar_sink *in, unsigned seed)
{
        const char *p = tar.data;
        size_t left = tar.len;

        while (left) {
                size_t n = left;

                if (seed) {
                        seed = seed * 1103515245 + 12345;
                        n = seed % 7 == 0 ? seed >> 9 : (seed >> 16) % 5000;
                        n = n < left ? n : left;
                }
                sw_err *err = in->write(in->arg, p, n);
                if (err)
                        return err;
                p += n;
                left -= n;
        }
        return SW_OK;
}

static void
pack(enum sw_pack_type type, int level, unsigned threads, unsigned seed, struct into *to,
     struct sw_packed *out)
{
        const struct sw_pack_opts opts = { .type = type,
                                           .level = level,
                                           .threads = threads };
        const struct sw_tar_sink sink = { .write = into_write, .arg = to };
        struct sw_tar_sink in;
        sw_pack *k;

        *to = (struct into){ 0 };
        sw_buf_init(&to->b);
        ok(sw_pack_new(NULL, &opts, &sink, &k));
        sw_pack_sink(k, &in);
        ok(feed(&in, seed));
        ok(sw_pack_finish(k, out));
        const sw_digest d = sw_digest_of(to->b.data, to->b.len);
        ck_assert(sw_digest_eq(&out->digest, &d));
        ck_assert_int_eq(out->size, (int64_t) to->b.len);
}

/* What was made becomes the file "blob". @more: there is more in it than the tar. */
static void
keep(const sw_buf *b, const struct sw_packed *p, bool more)
{
        sw_auto(sw_fd) fd =
                openat(here, "blob", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_eq(sw_write_all(fd, b->data, b->len), 0);
        if (more)
                ck_assert_int_gt(p->tar_size, (int64_t) tar.len);
        else
                ck_assert_int_eq(p->tar_size, (int64_t) tar.len);
}

static void
check_diff_id(const struct sw_packed *p, const char *unpack)
{
        sw_auto(sw_str) line =
                sw_asprintf("%s | sha256sum | cut -c1-64 | tr -d '\\n'", unpack);
        sw_auto(sw_str) got = shell(line);
        char hex[SW_DIGEST_HEX_LEN + 1];

        ck_assert_str_eq(got, sw_digest_hex(&p->diff_id, hex));
}

/* Equal bytes for any number of threads and any cuts. */
static void
check_stable(enum sw_pack_type type, int level)
{
        static const unsigned threads[] = { 1, 2, 3, 8 };
        struct sw_packed first, other;
        struct into a, b;

        pack(type, level, 1, 0, &a, &first);
        for (unsigned i = 0; i < SW_COUNT(threads); i++) {
                pack(type, level, threads[i], i + 1, &b, &other);
                ck_assert_msg(a.b.len == b.b.len && !memcmp(a.b.data, b.b.data, a.b.len),
                              "%s, level %d: other bytes with %u threads",
                              sw_pack_type_name(type), level, threads[i]);
                ck_assert(sw_digest_eq(&first.diff_id, &other.diff_id));
                ck_assert(sw_digest_eq(&first.toc, &other.toc));
                sw_buf_release(&b.b);
        }
        keep(&a.b, &first, type == SW_PACK_AS_ESTARGZ);
        sw_buf_release(&a.b);
        if (type == SW_PACK_AS_TAR)
                free(shell("cmp blob in.tar"));
        if (type == SW_PACK_AS_GZIP) {
                check_diff_id(&first, "gzip -dc blob");
                free(shell(
                        "gzip -t <blob; gzip -dc <blob | cmp - in.tar; if command -v igzip "
                        ">/dev/null; then igzip -dc <blob | cmp - in.tar; fi"));
                free(shell("python3 -c 'import gzip, sys; "
                           "sys.stdout.buffer.write(gzip.open(\"blob\").read())' | cmp - "
                           "in.tar"));
        }
        if (type == SW_PACK_AS_ZSTD) {
                check_diff_id(&first, "zstd -dcq blob");
                free(shell("zstd -tq blob; zstd -dc <blob | cmp - in.tar; zstd -l blob | "
                           "tail -1 "
                           "| grep -q '^ *1 .*XXH64'"));
        }
        if (type == SW_PACK_AS_ESTARGZ)
                check_diff_id(&first, "gzip -dc blob");
}

START_TEST(test_tar)
{
        check_stable(SW_PACK_AS_TAR, -1);
}
END_TEST

START_TEST(test_gzip)
{
        check_stable(SW_PACK_AS_GZIP, -1);
        check_stable(SW_PACK_AS_GZIP, 0);
        check_stable(SW_PACK_AS_GZIP, 2);
        check_stable(SW_PACK_AS_GZIP, 5);
}
END_TEST

START_TEST(test_zstd)
{
        check_stable(SW_PACK_AS_ZSTD, -1);
        check_stable(SW_PACK_AS_ZSTD, 1);
        check_stable(SW_PACK_AS_ZSTD, 10);
}
END_TEST

START_TEST(test_estargz)
{
        check_stable(SW_PACK_AS_ESTARGZ, -1);
        check_stable(SW_PACK_AS_ESTARGZ, 6);
}
END_TEST

/* A reader of the format, as its specification says: footer, table, each file by itself. */
static const char read_stargz[] =
        "import gzip, hashlib, json, os, io, tarfile, base64, zlib, sys\n"
        "b = open(\"blob\", \"rb\").read()\n"
        "f = b[-51:]\n"
        "assert f[:4] == b\"\\x1f\\x8b\\x08\\x04\" and f[10:16] == "
        "b\"\\x1a\\0SG\\x16\\0\", f\n"
        "assert f[32:38] == b\"STARGZ\" and gzip.decompress(f) == b\"\"\n"
        "off = int(f[16:32], 16)\n"
        "t = tarfile.open(fileobj=io.BytesIO(gzip.decompress(b[off:-51])))\n"
        "m = t.next()\n"
        "assert m.name == \"stargz.index.json\"\n"
        "j = t.extractfile(m).read()\n"
        "print(\"sha256:\" + hashlib.sha256(j).hexdigest(), end=\"\")\n"
        "toc = json.loads(j)\n"
        "assert toc[\"version\"] == 1\n"
        "def sha(x): return \"sha256:\" + hashlib.sha256(x).hexdigest()\n"
        "def member(o): return zlib.decompressobj(31).decompress(b[o:])\n"
        "data, whole, seen = {}, {}, set()\n"
        "for e in toc[\"entries\"]:\n"
        "  if e[\"type\"] not in (\"reg\", \"chunk\"): continue\n"
        "  n = e[\"name\"]\n"
        "  if e[\"type\"] == \"reg\": data[n] = b\"\"; size = e.get(\"size\", 0); whole[n] "
        "= "
        "e[\"digest\"]\n"
        "  if not size: continue\n"
        "  o = e[\"offset\"]; at = e.get(\"chunkOffset\", 0)\n"
        "  assert o not in seen and at == len(data[n]) and at % (4 << 20) == 0; "
        "seen.add(o)\n"
        "  c = member(o)[:e.get(\"chunkSize\", size - at)]\n"
        "  assert sha(c) == e[\"chunkDigest\"], e\n"
        "  data[n] += c\n"
        "t = tarfile.open(\"in.tar\")\n"
        "kinds = {tarfile.REGTYPE: \"reg\", tarfile.DIRTYPE: \"dir\", tarfile.SYMTYPE: "
        "\"symlink\", tarfile.LNKTYPE: \"hardlink\", tarfile.FIFOTYPE: \"fifo\"}\n"
        "es = {e[\"name\"].rstrip(\"/\"): e for e in toc[\"entries\"] if e[\"type\"] != "
        "\"chunk\"}\n"
        "for m in t:\n"
        "  e = es.pop(m.name)\n"
        "  assert e[\"type\"] == kinds[m.type] and e.get(\"mode\", 0) == m.mode & 0o7777, "
        "(m, e)\n"
        "  assert e.get(\"uid\", 0) == m.uid and e.get(\"linkName\", \"\") == m.linkname\n"
        "  assert e[\"modtime\"] == \"1970-01-01T00:00:01Z\", e\n"
        "  x = {k[13:]: v.encode() for k, v in m.pax_headers.items() if "
        "k.startswith(\"SCHILY.xattr.\")}\n"
        "  assert {k: base64.b64decode(v) for k, v in e.get(\"xattrs\", {}).items()} == x\n"
        "  if m.isreg():\n"
        "    assert e.get(\"size\", 0) == m.size == len(data[e[\"name\"]])\n"
        "    assert data[e[\"name\"]] == t.extractfile(m).read()\n"
        "    assert whole[e[\"name\"]] == sha(data[e[\"name\"]])\n"
        "assert not es, es\n";

START_TEST(test_stargz_reader)
{
        struct sw_packed p;
        struct into to;
        char want[SW_DIGEST_STR_SIZE];

        pack(SW_PACK_AS_ESTARGZ, -1, 3, 9, &to, &p);
        keep(&to.b, &p, true);
        sw_buf_release(&to.b);
        sw_auto(sw_fd) fd = openat(here, "read.py", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ck_assert_int_eq(sw_write_all(fd, read_stargz, strlen(read_stargz)), 0);
        sw_auto(sw_str) toc =
                shell("python3 read.py 2>err || { tail -c 500 err >&2; exit 1; }");
        ck_assert_str_eq(toc, sw_digest_str(&p.toc, want));
        /* who does not know the table sees the archive alone */
        free(shell("gzip -dc <blob | head -c $(stat -c %s in.tar) | cmp - in.tar; tar -tzf "
                   "blob >names; tar -tf in.tar | cmp - names"));
}
END_TEST

/* Nothing at all, a byte, just a piece, one byte more. */
START_TEST(test_sizes)
{
        static const size_t sizes[] = {
                0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20
        };
        static const enum sw_pack_type types[] = { SW_PACK_AS_TAR, SW_PACK_AS_GZIP,
                                                   SW_PACK_AS_ZSTD };
        static const char *const tools[] = { "cat", "gzip -dc", "zstd -dcq" };

        for (size_t t = 0; t < SW_COUNT(types); t++)
                for (size_t i = 0; i < SW_COUNT(sizes); i++) {
                        const size_t all = tar.len;
                        struct sw_packed p;
                        struct into to;

                        tar.len = sizes[i];
                        pack(types[t], -1, 2, 3, &to, &p);
                        keep(&to.b, &p, false);
                        tar.len = all;
                        sw_buf_release(&to.b);
                        sw_auto(sw_str) line = sw_asprintf(
                                "%s <blob >back; head -c %zu in.tar | cmp - back", tools[t],
                                sizes[i]);
                        free(shell(line));
                }
}
END_TEST

START_TEST(test_copy)
{
        static const enum sw_pack_type types[] = { SW_PACK_AS_TAR, SW_PACK_AS_GZIP,
                                                   SW_PACK_AS_ZSTD };
        sw_auto(sw_fd) fd = openat(here, "in.tar", O_RDONLY | O_CLOEXEC);

        for (size_t t = 0; t < SW_COUNT(types); t++) {
                const struct sw_pack_opts opts = { .type = types[t], .level = -1 };
                struct into a, b = { 0 };
                const struct sw_tar_sink sink = { .write = into_write, .arg = &b };
                struct sw_packed p, q;
                struct sw_tar_sink in;
                sw_pack *k;

                pack(types[t], -1, 0, 0, &a, &p);
                sw_buf_init(&b.b);
                ok(sw_pack_new(NULL, &opts, &sink, &k));
                sw_pack_sink(k, &in);
                ok(in.write(in.arg, tar.data, 777));
                ok(in.copy(in.arg, fd, 777, (int64_t) tar.len - 777));
                ok(sw_pack_finish(k, &q));
                ck_assert(sw_digest_eq(&p.digest, &q.digest));
                ok(sw_pack_new(NULL, &opts, &sink, &k));
                sw_pack_sink(k, &in);
                fails(in.copy(in.arg, fd, 777, (int64_t) tar.len), SW_E_IO, "shorter");
                sw_pack_abandon(k);
                sw_buf_release(&a.b);
                sw_buf_release(&b.b);
        }
}
END_TEST

/* The end of the sink ends the work, wherever it is; so does leaving, and cancelling. */
START_TEST(test_faults)
{
        for (int type = SW_PACK_AS_TAR; type <= SW_PACK_AS_ZSTD; type++)
                for (int when = 0; when < 4; when++) {
                        const struct sw_pack_opts opts = { .type = (enum sw_pack_type) type,
                                                           .level = -1,
                                                           .threads = 3 };
                        struct into to = {
                                .fail_at = when == 3 ? 0 : (size_t) when * 1000000 + 1
                        };
                        const struct sw_tar_sink sink = { .write = into_write, .arg = &to };
                        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
                        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, NULL, NULL, NULL, NULL);
                        struct sw_packed p;
                        struct sw_tar_sink in;
                        sw_pack *k;

                        sw_buf_init(&to.b);
                        ok(sw_pack_new(ctx, &opts, &sink, &k));
                        sw_pack_sink(k, &in);
                        if (when == 3)
                                sw_cancel_now(cancel, "enough");
                        sw_err *err = feed(&in, 5);
                        if (!err)
                                err = sw_pack_finish(k, &p);
                        else
                                sw_pack_abandon(k);
                        ck_assert_int_eq(sw_err_code(err),
                                         when == 3 ? SW_E_CANCELLED : SW_E_REMOTE);
                        sw_err_free(err);
                        ok(sw_pack_new(NULL, &opts, &sink, &k)); /* and left at once */
                        sw_pack_abandon(k);
                        sw_buf_release(&to.b);
                }
}
END_TEST

START_TEST(test_options)
{
        const struct sw_tar_sink sink = { .write = into_write };
        struct sw_pack_opts o = { .type = SW_PACK_AS_GZIP, .level = 10 };
        enum sw_pack_type t;
        sw_pack *k;

        fails(sw_pack_new(NULL, &o, &sink, &k), SW_E_INVALID, "gzip has levels 0 to 9");
        o = (struct sw_pack_opts){ .type = SW_PACK_AS_ZSTD, .level = 23 };
        fails(sw_pack_new(NULL, &o, &sink, &k), SW_E_INVALID, "22");
        o.level = -2;
        fails(sw_pack_new(NULL, &o, &sink, &k), SW_E_INVALID, "-2");
        for (int i = SW_PACK_AS_TAR; i <= SW_PACK_AS_ZSTD; i++) {
                ok(sw_pack_type_parse(sw_pack_type_name((enum sw_pack_type) i), &t));
                ck_assert_int_eq((int) t, i);
        }
        fails(sw_pack_type_parse("lzma", &t), SW_E_INVALID,
              "unsupported compression type lzma");
}
END_TEST

UNIT_MAIN_WITH("lib/layer/pack", begin, finish, test_tar, test_gzip, test_zstd,
               test_estargz, test_stargz_reader, test_sizes, test_copy, test_faults,
               test_options)
