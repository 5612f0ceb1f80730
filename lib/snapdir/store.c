/*
 * lib/snapdir/store.c - the store's directories: stacks, states of layers.
 *
 * Invariant: a/<key> and c/<key> appear and go by one rename each.
 *
 * Thread: any; `known` and `checked` are what calls share in memory.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/io.h>

#include "lib/snapdir/snapdir.h"

/* A file of keys is not longer: some 400,000 of them. */
#define LOWER_MAX (10 << 20)

enum {
        HIGH = 64, /* layers: from there on it pays to remember what was checked */
        FEW = 4,   /* new ones, that are looked for below one by one */
};

void
snapdir_temp(struct snapdir *s, char out[SNAPDIR_PATH])
{
        (void) snprintf(out, SNAPDIR_PATH, "t/%s/%u", s->proc,
                        atomic_fetch_add(&s->next, 1));
}

sw_err *
snapdir_discard(struct snapdir *s, const char *path)
{
        char temp[SNAPDIR_PATH];

        snapdir_temp(s, temp);
        if (renameat(s->dirfd, path, s->dirfd, temp) < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "remove", path);
        return sw_path_remove(s->dirfd, temp);
}

struct discarded {
        struct snapdir *s;
        char temp[SNAPDIR_PATH];
};

static void
remove_discarded(void *arg)
{
        struct discarded *d = arg;

        sw_err_drop(sw_path_remove(d->s->dirfd, d->temp), "the next open sweeps it");
        free(d);
}

/* As snapdir_discard(), but nobody waits for it. */
static void
discard_later(struct snapdir *s, const char *path)
{
        struct discarded *d = sw_new(struct discarded);

        d->s = s;
        snapdir_temp(s, d->temp);
        if (renameat(s->dirfd, path, s->dirfd, d->temp) == 0)
                janitor_add(s->janitor, remove_discarded, d);
        else
                free(d);
}

/* ---- stacks ------------------------------------------------------------------------ */

static const char *const fs_names[] = { "fs", "fo" };

/* Which name a committed layer's directory has, if that was seen. */
static const char *
known(struct snapdir *s, const char *key)
{
        pthread_mutex_lock(&s->lock);
        const char *name = sw_map_get(s->known, key);
        pthread_mutex_unlock(&s->lock);
        return name;
}

static void
set_known(struct snapdir *s, const char *key, const char *name)
{
        pthread_mutex_lock(&s->lock);
        if (name)
                (void) sw_map_set(s->known, key, (void *) (uintptr_t) name);
        else
                (void) sw_map_remove(s->known, key);
        if (!name)
                sw_strlist_release(&s->checked);
        pthread_mutex_unlock(&s->lock);
}

/* Whether @key is in @state. */
static bool
is_there(struct snapdir *s, char state, const char *key)
{
        char path[SNAPDIR_PATH];

        (void) snprintf(path, sizeof(path), "%c/%s", state, key);
        return faccessat(s->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static sw_err *
check_committed(struct snapdir *s, const char *key, bool *opaque)
{
        const char *name = known(s, key);
        sw_err *err = name ? SW_OK : sw_id_check("layer", key);

        for (size_t i = 0; i < SW_COUNT(fs_names) && !name && !err; i++) {
                char path[SNAPDIR_PATH];

                (void) snprintf(path, sizeof(path), "c/%s/%s", key, fs_names[i]);
                if (faccessat(s->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        set_known(s, key, name = fs_names[i]);
        }
        if (!err && !name)
                return sw_err_new(SW_E_NOT_FOUND, "there is no committed layer %s", key);
        *opaque = name == fs_names[1];
        return err;
}

/* Of a key that is there twice the upper one counts: whatever the lower one hides, the
 * upper one hides as well, and the other way round. */
static void
drop_doubles(struct snapdir_stack *st)
{
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        size_t to = st->keys.n;

        for (size_t i = st->keys.n; i-- > 0;)
                if (sw_map_set(seen, st->keys.v[i], seen))
                        st->keys.v[--to] = st->keys.v[i];
        if (to > 0)
                memmove(st->keys.v, st->keys.v + to,
                        (st->keys.n - to) * sizeof(*st->keys.v));
        st->keys.n -= to;
}

/* Add a key on top. */
static sw_err *
stack_add(struct snapdir *s, struct snapdir_stack *st, const char *key)
{
        bool opaque = false;
        sw_err *err = check_committed(s, key, &opaque);

        if (opaque) {
                st->keys.n = 0;
                st->opaque = true;
        }
        sw_array_push(&st->keys, key);
        return err;
}

/* Whether what is remembered is the bottom of the stack. */
static bool
is_checked_locked(const struct snapdir *s, const char *const *keys, size_t n)
{
        if (!s->checked.n || s->checked.n > n)
                return false;
        for (size_t i = 0; i < s->checked.n; i++)
                if (strcmp(s->checked.v[i], keys[i]) != 0)
                        return false;
        return true;
}

/* Add the keys at the bottom of @in that were checked before; how many. */
static size_t
add_checked(struct snapdir *s, const struct sw_stack *in, struct snapdir_stack *out)
{
        pthread_mutex_lock(&s->lock);
        const size_t n = is_checked_locked(s, in->keys, in->n) ? s->checked.n : 0;
        pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; i < n; i++)
                sw_array_push(&out->keys, in->keys[i]);
        return n;
}

static void
remember_checked(struct snapdir *s, const struct snapdir_stack *st)
{
        pthread_mutex_lock(&s->lock);
        if (!is_checked_locked(s, st->keys.v, st->keys.n))
                sw_strlist_release(&s->checked);
        for (size_t i = s->checked.n; i < st->keys.n; i++)
                sw_strlist_add(&s->checked, st->keys.v[i]);
        pthread_mutex_unlock(&s->lock);
}

/* Whether no key from @n on is below itself. */
static bool
are_new(const struct snapdir_stack *st, size_t n)
{
        for (size_t i = n; i < st->keys.n; i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(st->keys.v[k], st->keys.v[i]) == 0)
                                return false;
        return true;
}

sw_err *
snapdir_stack_check(struct snapdir *s, const struct sw_stack *in, struct snapdir_stack *out)
{
        const bool high = in && in->n >= HIGH;
        const size_t before = high ? add_checked(s, in, out) : 0;
        sw_err *err = SW_OK;

        for (size_t i = before; in && i < in->n && !err; i++)
                err = stack_add(s, out, in->keys[i]);
        if (err)
                return err;
        if (out->opaque || !before || in->n - before > FEW || !are_new(out, before))
                drop_doubles(out);
        if (high && !out->opaque && out->keys.n == in->n)
                remember_checked(s, out);
        return SW_OK;
}

sw_err *
snapdir_stack_read(struct snapdir *s, const char *key, struct snapdir_stack *out)
{
        char path[SNAPDIR_PATH], *save = NULL;

        (void) snprintf(path, sizeof(path), "a/%s/lower", key);
        sw_err *err = sw_buf_read_file(&out->text, s->dirfd, path, LOWER_MAX);
        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "prepared on nothing");
                return SW_OK;
        }
        for (char *k = err ? NULL : strtok_r(out->text.data, "\n", &save); k && !err;
             k = strtok_r(NULL, "\n", &save))
                err = stack_add(s, out, k);
        return err;
}

void
snapdir_stack_path(const struct snapdir_stack *st, size_t i, char out[SNAPDIR_PATH])
{
        (void) snprintf(out, SNAPDIR_PATH, "c/%s/%s", st->keys.v[i],
                        fs_names[i == 0 && st->opaque]);
}

void
snapdir_stack_dirs(const struct snapdir_stack *st, sw_strlist *out)
{
        char path[SNAPDIR_PATH];

        for (size_t i = st->keys.n; i-- > 0;) {
                snapdir_stack_path(st, i, path);
                sw_strlist_add(out, path);
        }
}

void
snapdir_stack_release(struct snapdir_stack *st)
{
        sw_array_release(&st->keys);
        sw_buf_release(&st->text);
}

/* ---- layers ------------------------------------------------------------------------ */

sw_err *
snapdir_open_layer(struct snapdir *s, char state, const char *key, int *fd, bool *opaque)
{
        char path[SNAPDIR_PATH];

        for (int i = 0; i < 2; i++) {
                (void) snprintf(path, sizeof(path), "%c/%s/%s", state, key, fs_names[i]);
                *fd = openat(s->dirfd, path,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (*fd >= 0) {
                        *opaque = i == 1;
                        return SW_OK;
                }
                if (errno != ENOENT)
                        return snapdir_err(errno, "open layer", key);
        }
        return sw_err_new(SW_E_NOT_FOUND, "there is no %s layer %s",
                          state == 'a' ? "active" : "committed", key);
}

bool
snapdir_is_plain(struct snapdir *s, char state, const char *key)
{
        char path[SNAPDIR_PATH];

        (void) snprintf(path, sizeof(path), "%c/%s/hides", state, key);
        return faccessat(s->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* The root of a new layer looks as that of the tree below it, since it hides that; on
 * nothing it is always the same. */
static sw_err *
make_root(struct snapdir *s, const char *path, const struct snapdir_stack *lower)
{
        sw_auto(sw_fd) below = -1;
        bool opaque;

        if (mkdirat(s->dirfd, path, 0755) < 0)
                return snapdir_err(errno, "make", path);
        sw_auto(sw_fd) fd = openat(s->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return snapdir_err(errno, "open", path);
        if (lower->keys.n) {
                sw_err *err = snapdir_open_layer(s, 'c', lower->keys.v[lower->keys.n - 1],
                                                 &below, &opaque);
                if (err)
                        return err;
                return snapdir_like(fd, below);
        }
        const struct timespec epoch[2] = { { 0, 0 }, { 0, 0 } };
        if (((s->lost & 0755) && fchmod(fd, 0755) < 0) || futimens(fd, epoch) < 0)
                return snapdir_err(errno, "make", path);
        return SW_OK;
}

static sw_err *
write_lower(struct snapdir *s, const char *path, const struct snapdir_stack *lower)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        for (size_t i = 0; i < lower->keys.n; i++) {
                sw_buf_adds(&text, lower->keys.v[i]);
                sw_buf_addc(&text, '\n');
        }
        if (!text.len)
                return SW_OK;
        sw_auto(sw_fd) fd =
                openat(s->dirfd, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0)
                return snapdir_err(errno, "make", path);
        int err = sw_write_all(fd, text.data, text.len);
        return err ? snapdir_err(err, "write", path) : SW_OK;
}

/* a/<key> as a whole, below t/. */
static sw_err *
make_layer(struct snapdir *s, const char *temp, const struct snapdir_stack *lower)
{
        char path[SNAPDIR_PATH + 8];

        if (mkdirat(s->dirfd, temp, 0700) < 0)
                return snapdir_err(errno, "make", temp);
        (void) snprintf(path, sizeof(path), "%s/fs", temp);
        sw_err *err = make_root(s, path, lower);
        if (err)
                return err;
        (void) snprintf(path, sizeof(path), "%s/lower", temp);
        return write_lower(s, path, lower);
}

sw_err *
snapdir_prepare(struct snapdir *s, const char *key, const struct sw_stack *lower)
{
        sw_auto(snapdir_stack) stack = SNAPDIR_STACK_INIT;
        char temp[SNAPDIR_PATH], path[SNAPDIR_PATH];
        sw_err *err = sw_id_check("layer", key);

        if (!err)
                err = snapdir_stack_check(s, lower, &stack);
        if (err)
                return err;
        if (is_there(s, 'c', key))
                return sw_err_new(SW_E_EXISTS, "there is a committed layer %s already",
                                  key);
        snapdir_temp(s, temp);
        (void) snprintf(path, sizeof(path), "a/%s", key);
        err = make_layer(s, temp, &stack);
        if (!err && renameat2(s->dirfd, temp, s->dirfd, path, RENAME_NOREPLACE) == 0)
                return SW_OK;
        if (!err && errno == EEXIST)
                err = sw_err_new(SW_E_EXISTS, "there is an active layer %s already", key);
        else if (!err)
                err = snapdir_err(errno, "make layer", key);
        sw_err_drop(sw_path_remove(s->dirfd, temp), "the first error is told");
        return err;
}

sw_err *
snapdir_commit(struct snapdir *s, const char *key)
{
        char from[SNAPDIR_PATH], to[SNAPDIR_PATH];
        sw_err *err = sw_id_check("layer", key);

        if (err)
                return err;
        (void) snprintf(from, sizeof(from), "a/%s", key);
        (void) snprintf(to, sizeof(to), "c/%s", key);
        if (renameat2(s->dirfd, from, s->dirfd, to, RENAME_NOREPLACE) < 0) {
                if (errno == ENOENT)
                        return sw_err_new(SW_E_NOT_FOUND, "there is no active layer %s",
                                          key);
                return snapdir_err(errno, "commit layer", key);
        }
        /* it is committed; what is left goes with the layer */
        (void) snprintf(to, sizeof(to), "c/%s/lower", key);
        (void) unlinkat(s->dirfd, to, 0);
        (void) snprintf(to, sizeof(to), "c/%s/work", key);
        discard_later(s, to);
        (void) snprintf(to, sizeof(to), "c/%s/m", key);
        discard_later(s, to);
        return SW_OK;
}

/* ---- remove and list --------------------------------------------------------------- */

typedef sw_err *entry_fn(struct snapdir *s, const char *dir, const char *name, void *arg);

/* Call @fn for every name in a directory of the store. */
static sw_err *
each_entry(struct snapdir *s, const char *path, entry_fn *fn, void *arg)
{
        sw_auto(sw_fd) fd =
                openat(s->dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        sw_err *err = SW_OK;
        const struct dirent *e;

        if (fd < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "read", path);
        DIR *dir = fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", path);
        (void) sw_fd_steal(&fd);
        for (errno = 0; !err && (e = readdir(dir)); errno = 0)
                if (e->d_name[0] != '.')
                        err = fn(s, path, e->d_name, arg);
        if (!err && errno)
                err = snapdir_err(errno, "read", path);
        (void) closedir(dir);
        return err;
}

/* What was made of several layers, of which this is one, goes with it. */
static sw_err *
remove_part(struct snapdir *s, const char *dir, const char *name, void *arg)
{
        char path[SNAPDIR_PATH * 2], top[SNAPDIR_PATH];

        (void) arg;
        if (strncmp(name, "p.", 2) != 0)
                return SW_OK;
        (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
        ssize_t n = readlinkat(s->dirfd, path, top, sizeof(top) - 1);
        if (n < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "read", path);
        top[n] = '\0';
        (void) snprintf(path, sizeof(path), "c/%s/f.%s", top, name + 2);
        return snapdir_discard(s, path);
}

sw_err *
snapdir_remove(struct snapdir *s, const char *key)
{
        char path[SNAPDIR_PATH];
        sw_err *err = sw_id_check("layer", key);

        if (err)
                return err;
        set_known(s, key, NULL);
        (void) snprintf(path, sizeof(path), "c/%s", key);
        err = each_entry(s, path, remove_part, NULL);
        if (!err)
                err = snapdir_discard(s, path);
        if (err)
                return err;
        (void) snprintf(path, sizeof(path), "a/%s", key);
        return snapdir_discard(s, path);
}

struct listing {
        sw_ctx *ctx;
        sw_snapshot_fn *fn;
        void *arg;
        sw_map *active; /* told; a layer may be committed while we list */
        bool committed, ended;
};

static sw_err *
list_one(struct snapdir *s, const char *dir, const char *name, void *arg)
{
        struct listing *l = arg;

        (void) s;
        (void) dir;
        if (l->ended || (l->committed && sw_map_has(l->active, name)))
                return SW_OK;
        if (!l->committed)
                (void) sw_map_set(l->active, name, l);
        l->ended = !l->fn(l->arg, name, l->committed);
        return sw_ctx_check(l->ctx);
}

sw_err *
snapdir_list(struct snapdir *s, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        sw_autoptr(sw_map) active = sw_map_new(NULL);
        struct listing l = { .ctx = ctx, .fn = fn, .arg = arg, .active = active };
        sw_err *err = each_entry(s, "a", list_one, &l);

        l.committed = true;
        if (!err)
                err = each_entry(s, "c", list_one, &l);
        return err;
}
