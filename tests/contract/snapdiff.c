/*
 * tests/contract/snapdiff.c - rules of diff: what it tells, that equal trees give equal
 * calls, and that a writer makes the upper tree of what it is told.
 *
 * Trees come from random changes made through a mount; the expectation is a copy of the
 * mounted tree made by cp -a before it is unmounted.
 */
#include "tests/contract/snapshotter.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <slipway/path.h>
#include <slipway/spawn.h>

/* ---- random changes --------------------------------------------------------------------
 */

struct changes {
        uint64_t seed;
        int dirfd;
        bool root;
};

static unsigned
roll(struct changes *r, unsigned n)
{
        r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned) (r->seed >> 33) % n;
}

/* One of few paths, so that changes meet. */
static void
random_path(struct changes *r, char out[64])
{
        static const char names[] = "abcd";
        unsigned depth = 1 + roll(r, 3), n = 0;

        for (unsigned i = 0; i < depth; i++) {
                if (i)
                        out[n++] = '/';
                out[n++] = names[roll(r, 4)];
        }
        out[n] = '\0';
}

static void
random_file(struct changes *r, const char *path)
{
        char data[300];
        const unsigned n = roll(r, 300);
        sw_auto(sw_fd) fd =
                openat(r->dirfd, path,
                       O_CREAT | O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0600);

        memset(data, 'a' + (int) roll(r, 3), sizeof(data));
        if (fd < 0 || write(fd, data, n) < 0)
                return; /* there is something else: fine */
        if (roll(r, 4) == 0 && ftruncate(fd, 1 << 20) < 0)
                return;
        (void) !fchmod(fd, roll(r, 2) ? 0644 : 04755);
}

static void
random_attr(struct changes *r, const char *path)
{
        sw_auto(sw_str) full = sw_asprintf("/proc/self/fd/%d/%s", r->dirfd, path);

        if (roll(r, 3) == 0)
                (void) lremovexattr(full, "user.colour");
        else
                (void) lsetxattr(full, "user.colour", roll(r, 2) ? "red" : "green", 3, 0);
}

static void
random_node(struct changes *r, const char *path)
{
        static const mode_t types[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK };
        const unsigned t = roll(r, r->root ? 4 : 2);

        (void) mknodat(r->dirfd, path, types[t] | 0640, makedev(1, 3 + roll(r, 2)));
}

/* Some of these fail, as a rename of a directory into itself does; that is fine. */
static void
random_change(struct changes *r)
{
        char a[64], b[64];
        const struct timespec times[2] = { { 7, 7 }, { 1000 + roll(r, 3), roll(r, 2) } };

        random_path(r, a);
        random_path(r, b);
        switch (roll(r, 14)) {
        case 0:
        case 1:
        case 2: random_file(r, a); break;
        case 3:
        case 4: (void) mkdirat(r->dirfd, a, roll(r, 2) ? 0755 : 01777); break;
        case 5: (void) unlinkat(r->dirfd, a, 0); break;
        case 6: (void) unlinkat(r->dirfd, a, AT_REMOVEDIR); break;
        case 7: sw_err_drop(sw_path_remove(r->dirfd, a), "may not be there"); break;
        case 8: (void) renameat(r->dirfd, a, r->dirfd, b); break;
        case 9: (void) linkat(r->dirfd, a, r->dirfd, b, 0); break;
        case 10: (void) symlinkat(b, r->dirfd, a); break;
        case 11: random_attr(r, a); break;
        case 12: random_node(r, a); break;
        default:
                (void) utimensat(r->dirfd, a, times, AT_SYMLINK_NOFOLLOW);
                if (r->root)
                        (void) fchownat(r->dirfd, b, roll(r, 3), roll(r, 3),
                                        AT_SYMLINK_NOFOLLOW);
        }
}

static bool
copy_tree(struct snap *s, int from, const char *to)
{
        const char *const argv[] = { "cp", "-a", "/dev/fd/3/.", to, NULL };
        const struct sw_spawn_fd fds[] = { { from, 3 } };
        struct sw_spawn sp = SW_SPAWN_INIT;
        sw_auto(sw_buf) said = SW_BUF_INIT;
        struct sw_exit end = { 0 };
        bool cut;

        sp.argv = argv;
        sp.fds = fds;
        sp.n_fds = 1;
        sp.flags = SW_SPAWN_SEARCH_PATH;
        sw_err *err = sw_spawn_capture(&sp, NULL, 4096, NULL, &said, &cut, &end);
        if (!err && (end.signalled || end.value))
                err = sw_err_new(SW_E_IO, "cp: %s", said.data);
        if (err)
                contract_ok(s->c, err, "a tree can be copied with cp -a");
        return !err;
}

/* ---- the rules -------------------------------------------------------------------------
 */

/* A layer @key on @lower with random changes; *want: the tree, from a copy. */
static bool
random_layer(struct snap *s, const char *key, const struct sw_stack *lower, uint64_t seed,
             char **want)
{
        struct sw_snapshot_mount m;
        struct changes r = { .seed = seed, .root = s->root };
        sw_auto(sw_str) copy = sw_asprintf("%s/copy-%s-%llu", s->c->workdir, key,
                                           (unsigned long long) seed);

        if (!snap_prepare(s, key, lower) || !snap_mount(s, key, &m))
                return false;
        r.dirfd = m.dirfd;
        for (int i = 0; i < 40; i++)
                random_change(&r);
        bool ok = mkdir(copy, 0700) == 0 && copy_tree(s, m.dirfd, copy);
        (void) snap_unmount(s, &m);
        sw_auto(sw_fd) fd = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *want = ok ? snap_manifest(fd) : NULL;
        sw_auto(sw_fd) top = open("/", O_PATH | O_CLOEXEC);
        sw_err_drop(sw_path_remove(top, copy), "it is in the work directory");
        return ok && snap_commit(s, key);
}

/* Compare without a line for each success. */
static bool
same_quietly(struct snap *s, char *a, char *b, const char *rule, uint64_t seed)
{
        if (a && b && strcmp(a, b) == 0) {
                free(a);
                free(b);
                return true;
        }
        sw_auto(sw_str) text =
                sw_asprintf("%s (seed %llu)", rule, (unsigned long long) seed);
        snap_same(s, a, b, text);
        return false;
}

/* One round: layers x, y, z, each with random changes on those before. */
static bool
random_round(struct snap *s, uint64_t seed)
{
        char *want[3] = { NULL, NULL, NULL };
        bool ok = random_layer(s, "x", NOTHING, seed, &want[0]) &&
                  random_layer(s, "y", STACK("x"), seed + 1, &want[1]) &&
                  random_layer(s, "z", STACK("x", "y"), seed + 2, &want[2]);

        ok = ok && same_quietly(s, sw_strdup(want[0]), snap_tree(s, STACK("x")),
                                "one layer shows what was written", seed);
        ok = ok && same_quietly(s, sw_strdup(want[1]), snap_tree(s, STACK("x", "y")),
                                "two layers show what was written", seed);
        ok = ok && same_quietly(s, sw_strdup(want[2]), snap_tree(s, STACK("x", "y", "z")),
                                "three layers show what was written", seed);
        ok = ok && snap_apply(s, "whole", NOTHING, NOTHING, STACK("x", "y", "z")) &&
             same_quietly(s, sw_strdup(want[2]), snap_tree(s, STACK("whole")),
                          "a diff from nothing makes the tree", seed);
        ok = ok && snap_apply(s, "step", STACK("x"), STACK("x"), STACK("x", "y", "z")) &&
             same_quietly(s, sw_strdup(want[2]), snap_tree(s, STACK("x", "step")),
                          "a diff makes the upper tree of the lower one", seed);
        ok = ok && snap_apply(s, "back", STACK("whole"), STACK("whole"), STACK("x")) &&
             same_quietly(s, sw_strdup(want[0]), snap_tree(s, STACK("whole", "back")),
                          "a diff makes any tree of any other", seed);
        ok = ok && same_quietly(s, snap_calls(s, STACK("x"), STACK("x", "y", "z")),
                                snap_calls(s, STACK("x"), STACK("whole")),
                                "equal trees give equal calls", seed);
        ok = ok && same_quietly(s, sw_strdup(""),
                                snap_calls(s, STACK("x", "step"), STACK("whole")),
                                "nothing is told of equal trees", seed);
        static const char *const keys[] = { "x", "y", "z", "whole", "step", "back" };
        for (size_t i = 0; i < SW_COUNT(keys); i++)
                sw_err_drop(s->ops->remove(s->store, s->ctx, keys[i]), "may not be there");
        for (size_t i = 0; i < SW_COUNT(want); i++)
                free(want[i]);
        return ok;
}

static void
check_random(struct snap *s)
{
        const unsigned rounds = s->c->quick ? 3 : 25;
        unsigned good = 0;

        for (unsigned i = 0; i < rounds; i++)
                good += random_round(s, 1000 * i + 17);
        contract_check(s->c, good == rounds, "random trees: shown, told and made again",
                       "%u of %u", good, rounds);
}

static void
check_fixed(struct snap *s)
{
        struct snap_writer w;

        if (!snap_prepare(s, "low", NOTHING) || !snap_write(s, "low", &w))
                return;
        TELL(&w, mkdir, "same", META(0755, 1));
        TELL(&w, data, "same/f", META(0644, 1), "f", 1);
        TELL(&w, mkdir, "z", META(0755, 1));
        TELL(&w, data, "z/bytes", META(0644, 1), "old", 3);
        TELL(&w, data, "z/dropped", META(0644, 1), "d", 1);
        TELL(&w, data, "z/linked", META(0644, 1), "l", 1);
        if (!snap_finish(s, &w) || !snap_commit(s, "low") ||
            !snap_prepare(s, "high", STACK("low")) || !snap_write(s, "high", &w))
                return;
        TELL(&w, mkdir, "z", META(0755, 1));
        TELL(&w, data, "z/bytes", META(0644, 1), "new", 3);
        TELL(&w, whiteout, "z/dropped");
        TELL(&w, data, "z/linked", META(0644, 1), "l", 1);
        TELL(&w, hardlink, "z/again", "z/linked", META(0644, 1));
        TELL(&w, mkdir, "same", META(0755, 1));
        TELL(&w, data, "same/f", META(0644, 1), "f", 1);
        if (!snap_finish(s, &w) || !snap_commit(s, "high"))
                return;
        sw_auto(sw_str) calls = snap_calls(s, STACK("low"), STACK("low", "high"));
        sw_auto(sw_buf) names = SW_BUF_INIT;
        for (const char *p = calls; p && *p; p += strcspn(p, "\n") + 1) {
                const char *end = strchr(strchr(p, '"') + 1, '"');

                sw_buf_addf(&names, "%.*s;", (int) (end + 1 - p), p);
        }
        static const char want[] =
                "mkdir \"\";mkdir \"z\";file \"z/again\";file \"z/bytes\";"
                "whiteout \"z/dropped\";hardlink \"z/linked\";";
        contract_check(s->c, strcmp(names.data, want) == 0,
                       "a diff tells what changed, in order, with links and equal times",
                       "%s instead of %s", names.data, want);
}

void
snap_check_diff(struct contract *c)
{
        struct snap s;

        if (!snap_open(&s, c, "diff"))
                return;
        check_fixed(&s);
        check_random(&s);
        snap_close(&s);
}
