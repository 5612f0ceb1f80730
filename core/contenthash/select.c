/*
 * core/contenthash/select.c - which entries a selection covers, and its digest.
 *
 * Without wildcard and patterns a selection is one entry, a directory with everything in
 * it. Otherwise it is a list of single entries: files, and headers of directories, which
 * are in it when they match or when something below them is. Patterns see paths as the
 * selection names them, whatever symlinks lead there. What the selection itself names, or
 * its wildcard, is always in it, since a copy makes it whatever the patterns say; the root
 * is not made by anybody.
 *
 * The walk leaves out directories in which nothing can match; what it gives is the same.
 * Thread: that of the tree.
 */
#include <string.h>

#include <slipway/path.h>
#include <slipway/pattern.h>
#include <slipway/text.h>

#include "core/contenthash/select.h"

/* A directory on the way down. */
struct level {
        struct sw_pattern_state include, exclude;
        struct sw__hcovered header; /* path NULL: it was covered already */
        bool counts;                /* it is one that what is below may bring in */
};

struct walk {
        struct sw__hview *view;
        const struct sw_hash_select *sel;
        const char *base; /* cleaned path of the selection: "" for the root */
        bool no_base;     /* a '/' at its end: without the header of the directory */
        sw_patterns *include, *exclude;
        size_t matched; /* length of the path that the wildcard matched; 0: none */
        sw_buf path;    /* of the current entry, as the selection names it */
        SW_ARRAY(struct level) levels;
        sw__hcover *out;
};

static void
cover_release(sw__hcover *c)
{
        for (size_t i = 0; i < c->n; i++)
                free(c->v[i].path);
        sw_array_release(c);
}

static bool
has_any(const char *const *list)
{
        return list && list[0];
}

static bool
is_list(const struct sw_hash_select *s)
{
        return s->wildcard || has_any(s->include) || has_any(s->exclude);
}

static sw_err *
compile(const char *const *list, const char *what, sw_patterns **out)
{
        size_t n = 0;

        if (!has_any(list))
                return SW_OK;
        while (list[n])
                n++;
        return sw_err_wrap(sw_patterns_new(list, n, out), "invalid %s patterns", what);
}

/* The path as patterns see it: relative to what the selection names. */
static const char *
candidate(const struct walk *w)
{
        size_t skip = w->sel->wildcard ? w->matched : strlen(w->base);
        const char *p = w->path.data;

        if (w->path.len < skip)
                return p;
        p += skip;
        return *p == '/' ? p + 1 : p;
}

/* State of the directory that the current entry is in: the nearest one that is kept. */
static const struct level *
above(const struct walk *w)
{
        for (size_t i = w->levels.n; i > 0; i--) {
                if (w->levels.v[i - 1].counts)
                        return &w->levels.v[i - 1];
        }
        return NULL;
}

/* Do the patterns let the current entry in? @l: gets its state when it is a directory. A
 * file that is what the selection names, or its wildcard, is copied whatever they say. */
static bool
let_in(const struct walk *w, struct level *l)
{
        const struct level *up = above(w);
        const char *path = candidate(w);

        if (!l && !*path)
                return true;
        if (w->include && !sw_patterns_match(w->include, path, up ? &up->include : NULL,
                                             l ? &l->include : NULL))
                return false;
        return !w->exclude || !sw_patterns_match(w->exclude, path, up ? &up->exclude : NULL,
                                                 l ? &l->exclude : NULL);
}

/* Does the wildcard, or the path, take the current entry? */
static bool
path_takes(struct walk *w)
{
        const char *p = w->path.data;

        if (!w->sel->wildcard || !*w->base)
                return true;
        if (w->matched > 0 && w->path.len > w->matched && p[w->matched] == '/')
                return true; /* below one that was matched */
        if (!sw_glob_match(w->base, p))
                return false;
        w->matched = w->path.len;
        return true;
}

/* @in: the patterns want it. */
static void
cover(struct walk *w, struct sw__hnode *n, bool in)
{
        for (size_t i = 0; i < w->levels.n; i++) { /* directories above come with it */
                struct sw__hcovered *h = &w->levels.v[i].header;

                if (w->levels.v[i].counts && h->path) {
                        sw_array_push(w->out, *h);
                        h->path = NULL;
                }
        }
        sw_array_push(w->out, ((struct sw__hcovered){ n, sw_strdup(w->path.data), in }));
}

/* Whether the first components of the wildcard match the current directory, and there are
 * more of them. */
static bool
wildcard_may_lead(const struct walk *w)
{
        const char *at = w->base;

        if (strpbrk(w->base, "[\\")) /* a class, or an escape, may take a '/' */
                return true;
        for (const char *p = w->path.data; *p; p++) {
                if (*p != '/')
                        continue;
                at = strchr(at, '/');
                if (!at)
                        return false;
                at++;
        }
        at = strchr(at, '/');
        if (!at)
                return false;
        sw_auto(sw_str) head = sw_strndup(w->base, (size_t) (at - w->base));
        return sw_glob_match(head, w->path.data);
}

/* Whether something in the current directory can be covered. */
static bool
may_lead(const struct walk *w, const struct level *l, bool taken, bool in)
{
        if (!taken)
                return wildcard_may_lead(w);
        if (in)
                return true;
        if (w->include && !l->exclude.bits) /* it is not included itself */
                return sw_patterns_may_match_below(w->include, candidate(w));
        return sw_patterns_may_except_below(w->exclude, candidate(w));
}

static sw_err *walk(struct walk *w, struct sw__hnode *n);

static sw_err *
walk_kids(struct walk *w, struct sw__hnode *dir)
{
        size_t len = w->path.len;
        sw_err *err = sw__hscan(w->view, dir);

        for (uint32_t i = 0; i < dir->n_kids && !err; i++) {
                sw_buf_addc(&w->path, '/');
                sw_buf_adds(&w->path, dir->kids[i]->name);
                err = walk(w, dir->kids[i]);
                sw_buf_truncate(&w->path, len);
        }
        return err;
}

/* The header of a directory. */
static void
enter(struct walk *w, struct sw__hnode *n, bool taken, bool *lead)
{
        struct level l = { .counts = false };
        bool in = false;

        if (taken) {
                in = let_in(w, &l);
                l.counts = true;
                if (in || (w->path.len && !*candidate(w)))
                        cover(w, n, in);
                else
                        l.header =
                                (struct sw__hcovered){ n, sw_strdup(w->path.data), true };
        }
        *lead = may_lead(w, &l, taken, in);
        sw_array_push(&w->levels, l);
}

static void
leave(struct walk *w)
{
        struct level *l = &w->levels.v[--w->levels.n];

        free(l->header.path);
        sw_pattern_state_release(&l->include);
        sw_pattern_state_release(&l->exclude);
}

static sw_err *
walk(struct walk *w, struct sw__hnode *n)
{
        size_t matched = w->matched;
        bool taken = path_takes(w), lead = true;
        sw_err *err = SW_OK;

        if (n->type != SW__H_DIR) {
                if (taken && let_in(w, NULL))
                        cover(w, n, true);
        } else if (w->no_base && strcmp(w->path.data, w->base) == 0) {
                err = walk_kids(w, n);
        } else {
                enter(w, n, taken, &lead);
                if (lead)
                        err = walk_kids(w, n);
                leave(w);
        }
        w->matched = matched;
        return err;
}

/* ---- where the walk begins ---- */

/* The components before the first one with a wildcard: "/a/b" of "/a/b/c*". */
static size_t
plain_prefix(const char *p)
{
        size_t end = 0;

        for (size_t i = 0;; i++) {
                if (p[i] == '\0')
                        return i; /* no wildcard at all */
                if (p[i] == '/')
                        end = i;
                else if (p[i] == '\\' && p[i + 1])
                        i++;
                else if (strchr("*?[", p[i]))
                        return end;
        }
}

static sw_err *
begin(struct walk *w, struct sw__hnode **out)
{
        size_t n = strlen(w->base);
        bool follow = false;

        if (w->sel->wildcard) {
                size_t plain = plain_prefix(w->base);

                follow = plain < n; /* only when something comes after it */
                n = plain;
        }
        sw_buf_add(&w->path, w->base, n);
        return sw__hlookup(w->view, w->path.data, follow, out);
}

static void
walk_release(struct walk *w)
{
        sw_patterns_free(w->include);
        sw_patterns_free(w->exclude);
        sw_buf_release(&w->path);
        sw_array_release(&w->levels);
}

static sw_err *
cover_all(struct walk *w)
{
        struct sw__hnode *n = NULL;
        sw_err *err = compile(w->sel->include, "include", &w->include);

        if (!err)
                err = compile(w->sel->exclude, "exclude", &w->exclude);
        if (!err && w->sel->wildcard)
                err = sw_glob_check(w->base);
        if (!err)
                err = begin(w, &n);
        if (!err && n)
                err = walk(w, n);
        return err;
}

/* "/a/b" of the path of a selection; "" of the root. */
static char *
clean_base(const char *path)
{
        char *p = sw_path_join("/", path);

        if (strcmp(p, "/") == 0)
                p[0] = '\0';
        return p;
}

/* Whether something at or below @path is wanted. */
static bool
is_covered(const struct walk *w, const char *path)
{
        size_t len = strlen(path);

        for (size_t i = 0; i < w->out->n; i++) {
                const char *p = w->out->v[i].path;

                if (w->out->v[i].in && strncmp(p, path, len) == 0 &&
                    (!p[len] || p[len] == '/'))
                        return true;
        }
        return false;
}

/* Required paths are those of the tree, or of the directory that the selection names. */
static sw_err *
check_required(const struct walk *w)
{
        const char *const *r = w->sel->required;

        for (; r && *r; r++) {
                sw_auto(sw_str) path = clean_base(*r);
                sw_auto(sw_str) below = sw_path_join(w->base, *r);

                if (!is_covered(w, path) && !is_covered(w, below))
                        return sw_err_new(SW_E_NOT_FOUND, "\"%s\": not found", *r);
        }
        return SW_OK;
}

static sw_err *
find_cover(struct sw__hview *v, const struct sw_hash_select *s, sw__hcover *out)
{
        size_t len = strlen(s->path);
        sw_auto(sw_str) base = clean_base(s->path);
        struct walk w = { .view = v, .sel = s, .base = base, .out = out };

        w.no_base = len > 0 && s->path[len - 1] == '/';
        sw_buf_init(&w.path);
        sw_err *err = cover_all(&w);
        if (!err)
                err = check_required(&w);
        walk_release(&w);
        return err;
}

/* ---- digests ---- */

static sw_err *
not_found(const char *path)
{
        return sw_err_new(SW_E_NOT_FOUND, "\"%s\": not found", path);
}

/* One thing whole. */
static sw_err *
digest_whole(struct sw__hview *v, const char *path, bool follow, sw_digest *out)
{
        struct sw__hnode *n = NULL;
        sw_auto(sw_str) clean = clean_base(path);
        sw_err *err = sw__hlookup(v, clean, follow, &n);

        if (!err && !n)
                err = not_found(*clean ? clean : "/");
        return err ? err : sw__hash_all(v, n, out);
}

/* The digest of an entry of a list. */
static sw_err *
entry_digest(struct sw__hview *v, const struct sw_hash_select *s,
             const struct sw__hcovered *c, sw_digest *out)
{
        if (s->follow_links && c->node->type == SW__H_LINK)
                return digest_whole(v, c->path, true, out);
        *out = c->node->own;
        return SW_OK;
}

static sw_err *
hash_covered(struct sw__hview *v, const sw__hcover *c)
{
        sw__hnodes nodes = { 0 };

        for (size_t i = 0; i < c->n; i++) {
                if (!c->v[i].node->hashed)
                        sw_array_push(&nodes, c->v[i].node);
        }
        sw_err *err = sw__hash_many(v, &nodes);
        sw_array_release(&nodes);
        return err;
}

static sw_err *
digest_cover(struct sw__hview *v, const struct sw_hash_select *s, const sw__hcover *c,
             sw_digest *out)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_str) clean = clean_base(s->path);
        sw_auto(sw_str) wanted = sw_path_base(clean);
        sw_err *err = hash_covered(v, c);

        for (size_t i = 0; i < c->n && !err; i++) {
                sw_auto(sw_str) base = sw_path_base(c->v[i].path);
                char text[SW_DIGEST_STR_SIZE];
                sw_digest d;

                err = entry_digest(v, s, &c->v[i], &d);
                if (err)
                        break;
                if (c->n == 1 && strcmp(wanted, base) == 0) {
                        *out = d;
                        return SW_OK;
                }
                if (i > 0)
                        sw_buf_addc(&b, '\0');
                sw_buf_adds(&b, base);
                sw_buf_add(&b, sw_digest_str(&d, text), SW_DIGEST_STR_LEN);
        }
        if (!err)
                *out = sw_digest_of(b.data, b.len);
        return err;
}

sw_err *
sw__hselect_digest(struct sw__hview *v, const struct sw_hash_select *s, sw_digest *out)
{
        sw__hcover c = { 0 };

        if (!is_list(s))
                return digest_whole(v, s->path, s->follow_links, out);
        sw_err *err = find_cover(v, s, &c);
        if (!err)
                err = digest_cover(v, s, &c, out);
        cover_release(&c);
        return err;
}
