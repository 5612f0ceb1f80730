/*
 * plugins/source-local/statcache.c - digests of files with the state the files had, kept
 * between builds, so that an unchanged directory is not read again.
 *
 * A file for each directory and set of patterns:
 *      header | records, in order of path | text of paths
 * all numbers as this machine writes them: the file does not travel. One that is damaged,
 * or another program's, is as good as none.
 *
 * A digest is taken over when device, inode, mode, size and both times are the same, and
 * the file had not changed shortly before it was read (racy in list.c).
 * Thread: any; one at a time for one list.
 */
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>

#include "plugins/source-local/local.h"

#define MAGIC    "swstat 1"
#define MAX_FILE ((size_t) 1 << 31)

struct header {
        char magic[8];
        uint64_t n;    /* records */
        uint64_t text; /* bytes */
};

struct record {
        uint64_t dev, ino;
        int64_t size, mtime, ctime;
        uint32_t mode;
        uint32_t path; /* offset into the text */
        uint8_t digest[SW_DIGEST_LEN];
};

/* A file that was read and found sound. */
struct stored {
        const struct record *v;
        size_t n;
        const char *text;
};

/* Whether all of it holds together. */
static bool
look_at(const void *p, size_t n, struct stored *s)
{
        struct header h;

        if (n < sizeof(h) || n > MAX_FILE)
                return false;
        memcpy(&h, p, sizeof(h));
        size_t body = n - sizeof(h);
        if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.n > body / sizeof(*s->v) ||
            h.text != body - h.n * sizeof(*s->v))
                return false;
        s->v = (const void *) ((const char *) p + sizeof(h));
        s->n = h.n;
        s->text = (const char *) (s->v + s->n);
        if (s->n > 0 && (h.text == 0 || s->text[h.text - 1] != '\0'))
                return false;
        for (size_t i = 0; i < s->n; i++) {
                if (s->v[i].path >= h.text)
                        return false;
        }
        return true;
}

static void
take_over(struct item *it, const struct record *r)
{
        if (it->dev != r->dev || it->ino != r->ino || it->mode != r->mode ||
            it->size != r->size || it->mtime != r->mtime || it->ctime != r->ctime)
                return;
        memcpy(it->digest.b, r->digest, SW_DIGEST_LEN);
        it->known = true;
}

size_t
statcache_apply(const void *p, size_t n, struct list *l)
{
        struct stored s;
        size_t known = 0, j = 0;

        if (!look_at(p, n, &s))
                return 0;
        for (size_t i = 0; i < l->n; i++) { /* both are sorted */
                int c = 1;

                while (j < s.n && (c = sw_path_cmp(s.text + s.v[j].path, l->v[i].path)) < 0)
                        j++;
                if (j == s.n)
                        break;
                if (c == 0)
                        take_over(&l->items[i], &s.v[j]);
                known += l->items[i].known;
        }
        return known;
}

void
statcache_load(int dirfd, const char *name, struct list *l)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_path_get(dirfd, name, MAX_FILE, &b);

        if (!err)
                (void) statcache_apply(b.data, b.len, l);
        sw_err_drop(err, "without it everything is read again");
}

void
statcache_pack(const struct list *l, sw_buf *out)
{
        struct header h = { .n = 0 };
        struct record r = { .path = 0 };

        memcpy(h.magic, MAGIC, sizeof(h.magic));
        for (size_t i = 0; i < l->n; i++) {
                if (!l->items[i].known || l->items[i].racy)
                        continue;
                h.n++;
                h.text += strlen(l->v[i].path) + 1;
        }
        sw_buf_reserve(out, sizeof(h) + h.n * sizeof(r) + h.text);
        sw_buf_add(out, &h, sizeof(h));
        for (size_t i = 0; i < l->n; i++) {
                const struct item *it = &l->items[i];

                if (!it->known || it->racy)
                        continue;
                r.dev = it->dev;
                r.ino = it->ino;
                r.size = it->size;
                r.mtime = it->mtime;
                r.ctime = it->ctime;
                r.mode = it->mode;
                memcpy(r.digest, it->digest.b, SW_DIGEST_LEN);
                sw_buf_add(out, &r, sizeof(r));
                r.path += (uint32_t) strlen(l->v[i].path) + 1;
        }
        for (size_t i = 0; i < l->n; i++) {
                if (l->items[i].known && !l->items[i].racy)
                        sw_buf_add(out, l->v[i].path, strlen(l->v[i].path) + 1);
        }
}

void
statcache_save(int dirfd, const char *name, const struct list *l, sw_log *log)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        statcache_pack(l, &b);
        if (b.len > MAX_FILE)
                return;
        sw_err *err = sw_path_put(dirfd, name, b.data, b.len);
        if (err)
                sw_log_line(log, SW_LOG_WARN, "source/local",
                            "digests of files are not kept: %s", sw_err_message(err));
        sw_err_drop(err, "they are made again");
}
