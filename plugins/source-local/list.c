/*
 * plugins/source-local/list.c - what a walk found, as one sorted list.
 *
 * Directories that were only kept for what might be in them are left out when nothing is.
 * Thread: one.
 */
#include <string.h>

#include <slipway/mem.h>
#include <slipway/time.h>

#include "plugins/source-local/local.h"

/* A change this close to the walk may be followed by one that leaves no trace in the
 * times: those of a file system have grains. That of Linux's clock for files is 10 ms at
 * most; a time that is a whole second is of one that keeps seconds (or, as FAT, every
 * other). */
#define RACY_NS       (SW_NS_PER_SEC / 10)
#define RACY_WHOLE_NS (2 * SW_NS_PER_SEC)

void
list_free(struct list *l)
{
        if (!l)
                return;
        free(l->v);
        free(l->items);
        free(l->text);
        free(l);
}

struct sizes {
        size_t n, text;
};

/* Drop what is not wanted; count the rest. Returns whether something is left of @d. */
static bool
settle(struct found_dir *d, struct sizes *s)
{
        size_t kept = 0, len = strlen(d->path);

        for (size_t i = 0; i < d->v.n; i++) {
                struct found *f = &d->v.v[i];
                struct sizes before = *s;
                bool more = f->in && settle(f->in, s);

                if (f->gone || (!f->wanted && !more)) {
                        found_dir_free(f->in);
                        *s = before;
                        continue;
                }
                s->n++;
                s->text += (len ? len + 1 : 0) + strlen(d->text.data + f->name) + 1;
                s->text += f->link ? strlen(d->text.data + f->link) + 1 : 0;
                d->v.v[kept++] = *f;
        }
        d->v.n = kept;
        return kept > 0;
}

struct fill {
        struct list *l;
        size_t n;
        char *text;
        sw_map *links; /* of files with several names: 1 + index of the first */
};

static const char *
put(struct fill *f, const char *dir, const char *name)
{
        const char *at = f->text;

        if (*dir) {
                f->text = stpcpy(f->text, dir);
                *f->text++ = '/';
        }
        f->text = stpcpy(f->text, name) + 1;
        return at;
}

static int64_t
grain(int64_t time)
{
        return time % SW_NS_PER_SEC == 0 ? RACY_WHOLE_NS : RACY_NS;
}

/* The modification time is looked at, too, for file systems that keep no other. */
static bool
is_racy(const struct item *it, int64_t begun)
{
        return it->ctime > begun - grain(it->ctime) ||
               (it->mtime > begun - grain(it->mtime) &&
                it->mtime < begun + grain(it->mtime));
}

/* The earlier name of the same file, if there is one. */
static uint32_t
same_as(struct fill *f, const struct stat *st, size_t i)
{
        uint64_t key[2] = { st->st_dev, st->st_ino };

        if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
                return 0;
        uintptr_t first = (uintptr_t) sw_map_get_bytes(f->links, key, sizeof(key));
        if (!first)
                (void) sw_map_set_bytes(f->links, key, sizeof(key), (void *) (i + 1));
        return (uint32_t) first;
}

static void
fill_entry(struct fill *f, const struct found_dir *d, const struct found *e)
{
        const struct stat *st = &e->st;
        size_t i = f->n++;

        f->l->v[i] = (struct sw_entry){
                .path = put(f, d->path, d->text.data + e->name),
                .link = e->link ? put(f, "", d->text.data + e->link) : NULL,
                .size = S_ISREG(st->st_mode) ? st->st_size : 0,
                .mtime = sw_time_from_spec(&st->st_mtim),
                .mode = st->st_mode,
                .rdev = st->st_rdev,
                .same_as = same_as(f, st, i),
        };
        f->l->items[i] = (struct item){
                .dev = st->st_dev,
                .ino = st->st_ino,
                .ctime = sw_time_from_spec(&st->st_ctim),
                .size = st->st_size,
                .mtime = sw_time_from_spec(&st->st_mtim),
                .mode = st->st_mode,
        };
        f->l->items[i].racy = is_racy(&f->l->items[i], f->l->begun);
}

static void
fill(struct fill *f, const struct found_dir *d)
{
        for (size_t i = 0; i < d->v.n; i++) {
                fill_entry(f, d, &d->v.v[i]);
                if (d->v.v[i].in)
                        fill(f, d->v.v[i].in);
        }
}

sw_err *
list_make(struct found_dir *root, int64_t begun, struct list **out)
{
        struct sizes s = { 0 };

        (void) settle(root, &s);
        if (s.n >= UINT32_MAX)
                return sw_err_new(SW_E_LIMIT, "%zu files are more than fit in a list", s.n);
        struct list *l = sw_new(struct list);
        l->begun = begun;
        l->n = s.n;
        l->v = sw_alloc_array(s.n ? s.n : 1, sizeof(*l->v));
        l->items = sw_alloc_array(s.n ? s.n : 1, sizeof(*l->items));
        l->text = sw_alloc(s.text ? s.text : 1);
        struct fill f = { .l = l, .text = l->text, .links = sw_map_new(NULL) };
        fill(&f, root);
        sw_map_free(f.links);
        *out = l;
        return SW_OK;
}
