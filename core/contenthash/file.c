/*
 * core/contenthash/file.c - what is known of a tree, in a file.
 *
 *      header | records | digests | text
 *
 * Records stand in the order in which a walk meets the entries, each with how many follow
 * that are in it; digests in the same order, of those that have them. Numbers are as this
 * machine writes them: the file does not travel. One that is damaged, cut short, or another
 * program's, is as good as none.
 * Thread: one at a time for one tree.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include <slipway/path.h>

#include "core/contenthash/tree.h"

#define MAGIC     "swhash 1"
#define MAX_FILE  ((size_t) 1 << 31)
#define DEPTH_MAX 4096 /* a path has no more components */

enum { SCANNED = 1, STALE = 2, HASHED = 4, SUMMED = 8 };

struct header {
        char magic[8];
        uint64_t records, digests, text;
};

struct record {
        uint32_t name, link; /* offsets into the text; link 0: none */
        uint32_t kids;
        uint8_t type, flags, zero[2];
};

/* ---- writing ---- */

struct packing {
        sw_buf records, digests, text;
};

static uint32_t
put_text(struct packing *p, const char *s)
{
        size_t at = p->text.len;

        sw_buf_add(&p->text, s, strlen(s) + 1);
        return (uint32_t) at;
}

static void
put_node(struct packing *p, const struct sw__hnode *n)
{
        struct record r = { .type = n->type };

        r.name = put_text(p, n->name);
        r.link = n->link ? put_text(p, n->link) : 0;
        r.kids = n->n_kids;
        r.flags = (uint8_t) ((n->scanned ? SCANNED : 0) | (n->stale ? STALE : 0) |
                             (n->hashed ? HASHED : 0) | (n->summed ? SUMMED : 0));
        sw_buf_add(&p->records, &r, sizeof(r));
        if (n->hashed)
                sw_buf_add(&p->digests, n->own.b, SW_DIGEST_LEN);
        if (n->summed)
                sw_buf_add(&p->digests, n->all.b, SW_DIGEST_LEN);
        for (uint32_t i = 0; i < n->n_kids; i++)
                put_node(p, n->kids[i]);
}

void
sw__hpack(const struct sw__htree *t, sw_buf *out)
{
        struct packing p = { SW_BUF_INIT, SW_BUF_INIT, SW_BUF_INIT };
        struct header h = { .records = 0 };

        sw_buf_addc(&p.text, '\0'); /* offset 0 is no text */
        put_node(&p, t->root);
        memcpy(h.magic, MAGIC, sizeof(h.magic));
        h.records = p.records.len / sizeof(struct record);
        h.digests = p.digests.len / SW_DIGEST_LEN;
        h.text = p.text.len;
        sw_buf_reserve(out, sizeof(h) + p.records.len + p.digests.len + p.text.len);
        sw_buf_add(out, &h, sizeof(h));
        sw_buf_add(out, p.records.data, p.records.len);
        if (p.digests.len)
                sw_buf_add(out, p.digests.data, p.digests.len);
        sw_buf_add(out, p.text.data, p.text.len);
        sw_buf_release(&p.records);
        sw_buf_release(&p.digests);
        sw_buf_release(&p.text);
}

sw_err *
sw__hsave(const struct sw__htree *t, int dirfd, const char *name)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw__hpack(t, &b);
        if (b.len > MAX_FILE)
                return sw_err_new(SW_E_LIMIT, "hashes of a tree take %zu bytes", b.len);
        return sw_path_put(dirfd, name, b.data, b.len);
}

/* ---- reading ---- */

struct unpacking {
        struct sw__htree *t;
        const struct record *r;
        const char *digests, *text;
        uint64_t n_records, n_digests, n_text;
        uint64_t at, digest; /* the next ones */
        uint64_t kids;       /* of those so far: one for each record but the root's */
};

/* The parts, if there is room for them. */
static bool
take_apart(const char *p, size_t n, struct unpacking *u)
{
        struct header h;

        if (n < sizeof(h) || n > MAX_FILE)
                return false;
        memcpy(&h, p, sizeof(h));
        const size_t body = n - sizeof(h);
        if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 ||
            h.records > body / sizeof(struct record) || h.digests > body / SW_DIGEST_LEN ||
            h.text > body || h.text == 0 ||
            h.records * sizeof(struct record) + h.digests * SW_DIGEST_LEN + h.text != body)
                return false;
        u->r = (const void *) (p + sizeof(h));
        u->digests = (const char *) (u->r + h.records);
        u->text = u->digests + h.digests * SW_DIGEST_LEN;
        u->n_records = h.records;
        u->n_digests = h.digests;
        u->n_text = h.text;
        return u->text[h.text - 1] == '\0';
}

static bool
take_digest(struct unpacking *u, sw_digest *out)
{
        if (u->digest == u->n_digests)
                return false;
        memcpy(out->b, u->digests + u->digest++ * SW_DIGEST_LEN, SW_DIGEST_LEN);
        return true;
}

/* A name that can be in a directory, or the root's. */
static bool
name_ok(const char *name, bool root)
{
        if (root || !*name)
                return root && !*name;
        return !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* What is known of an entry, but for what is in it. */
static bool
take_node(struct unpacking *u, const struct record *r, struct sw__hnode *n)
{
        if (r->type > SW__H_LINK || r->name >= u->n_text || r->link >= u->n_text ||
            (r->link != 0) != (r->type == SW__H_LINK) ||
            (r->type != SW__H_DIR && (r->kids || r->flags & ~(unsigned) HASHED)) ||
            (r->kids && !(r->flags & (SCANNED | STALE))) || r->kids > u->n_records)
                return false;
        n->type = r->type;
        n->name =
                sw__harena_str(&u->t->arena, u->text + r->name, strlen(u->text + r->name));
        n->link = r->link ? sw__harena_str(&u->t->arena, u->text + r->link,
                                           strlen(u->text + r->link))
                          : NULL;
        n->listed = SW__H_UNLISTED;
        n->scanned = r->flags & SCANNED;
        n->stale = r->flags & STALE;
        n->hashed = r->flags & HASHED;
        n->summed = r->flags & SUMMED;
        u->t->n_hashed += n->hashed;
        return (!n->hashed || take_digest(u, &n->own)) &&
               (!n->summed || take_digest(u, &n->all));
}

static bool
take_tree(struct unpacking *u, struct sw__hnode *n, unsigned depth)
{
        if (u->at == u->n_records || depth > DEPTH_MAX)
                return false;
        const struct record *r = &u->r[u->at++];
        if (!take_node(u, r, n) || !name_ok(n->name, !n->parent) ||
            r->kids > u->n_records - 1 - u->kids)
                return false;
        u->kids += r->kids;
        n->kids =
                r->kids ? sw__harena_get(&u->t->arena, r->kids * sizeof(struct sw__hnode *))
                        : NULL;
        for (uint32_t i = 0; i < r->kids; i++) {
                struct sw__hnode *k = sw__harena_get(&u->t->arena, sizeof(*k));

                k->parent = n;
                if (!take_tree(u, k, depth + 1) ||
                    (i > 0 && strcmp(n->kids[i - 1]->name, k->name) >= 0))
                        return false;
                n->kids[i] = k;
                n->n_kids = i + 1;
        }
        return true;
}

bool
sw__hunpack(struct sw__htree *t, const void *p, size_t n)
{
        struct unpacking u = { .t = t };
        struct sw__hnode *root = sw__harena_get(&t->arena, sizeof(*root));

        if (!take_apart(p, n, &u) || !take_tree(&u, root, 0) || u.at != u.n_records ||
            u.digest != u.n_digests || root->type != SW__H_DIR) {
                t->n_hashed = 0;
                return false;
        }
        t->root = root;
        return true;
}

bool
sw__hload(struct sw__htree *t, int dirfd, const char *name)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_path_get(dirfd, name, MAX_FILE, &b);

        if (err) {
                sw_err_drop(err, "without it the tree is read again");
                return false;
        }
        return sw__hunpack(t, b.data, b.len);
}
