/*
 * core/store/metafile.c - the files of the metadata environment without LMDB.
 *
 * Locks, all on the file `users`:
 *
 *      opening   (range, byte 0) held by one process from enter to stay
 *      process   (range, a byte per process) held until leave: a second one of the same
 *                process is refused, because LMDB must not have a file open twice
 *      users     (flock) shared while open; exclusive shows that nobody else has it open
 *
 * Who holds `opening` and cannot get `users` exclusively knows that somebody has come
 * through inspection and not yet left, so that the file is sound; a process that dies while
 * it inspects loses both locks, and the next one inspects.
 *
 * `clean` holds boot, size, times and number of data.mdb, so any commit makes it stale
 * until the last process leaves. Being killed does no damage to the file, only power
 * failure does, and then the boot differs.
 *
 * Thread: as meta.c.
 */
#include "core/store/metafile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/aside.h"
#include "core/store/lmdbcheck.h"
#include <slipway/buf.h>
#include <slipway/io.h>
#include <slipway/mem.h>
#include <slipway/text.h>
#include <slipway/time.h>

enum { SCHEMA_TEXT_SIZE = 32, READ_SIZE = 256 << 10, REPAIRS_MAX = 8 };

static sw_err *
io_err(const char *what)
{
        const bool denied = errno == EACCES || errno == EPERM || errno == EROFS;

        return sw_err_sys(denied ? SW_E_DENIED : SW_E_IO, errno, "%s", what);
}

/* ---- coming in ---- */

/* Lock byte @at of `users` for this opening of it. */
static int
lock_byte(int fd, off_t at, bool wait, short type)
{
        struct flock l = {
                .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1
        };
        int rc;

        do
                rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l);
        while (rc < 0 && errno == EINTR);
        return rc;
}

/* A number that no other process has now, also in containers that share the root. */
static off_t
process_number(void)
{
        struct stat st = { 0 };

        if (stat("/proc/self/ns/pid", &st) < 0)
                st.st_ino = 0;
        return (off_t) (1 + (((uint64_t) st.st_ino & UINT32_MAX) << 22) +
                        ((uint64_t) getpid() & 0x3fffff));
}

/* `users` is no file that can be locked. Who sees that takes the lock of the directory, so
 * that nobody sets aside what another has just put right. */
static sw_err *
repair_users(const struct sw__metafile *f)
{
        sw_auto(sw_str) name = NULL;
        struct stat st;
        sw_err *err = SW_OK;
        int rc;

        do
                rc = flock(f->dirfd, LOCK_EX);
        while (rc < 0 && errno == EINTR);
        if (rc < 0)
                return io_err("lock the directory");
        if (fstatat(f->dirfd, "users", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISREG(st.st_mode))
                err = sw__set_aside(f->dirfd, "users", f->log, &name);
        (void) flock(f->dirfd, LOCK_UN);
        if (name)
                sw_log_line(f->log, SW_LOG_WARN, "store",
                            "users is not a file; set aside as meta/%s and made anew",
                            name);
        return err;
}

/* Open `users`, made if missing, whatever stands there. */
static sw_err *
open_users(struct sw__metafile *f)
{
        for (int i = 0; i < REPAIRS_MAX; i++) {
                struct stat st;

                sw_fd_clear(&f->users);
                f->users = openat(f->dirfd, "users",
                                  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
                                          O_NOCTTY,
                                  0600);
                if (f->users >= 0 && fstat(f->users, &st) == 0 && S_ISREG(st.st_mode))
                        return SW_OK;
                if (f->users < 0 && errno != EISDIR && errno != ELOOP && errno != ENXIO &&
                    errno != ENODEV)
                        return io_err("open users");
                sw_err *err = repair_users(f);
                if (err)
                        return err;
        }
        return sw_err_new(SW_E_IO, "users: somebody keeps putting there what is no file");
}

sw_err *
sw__metafile_enter(struct sw__metafile *f, const char *dir)
{
        if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return io_err("make it");
        f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f->dirfd < 0)
                return io_err("open it");
        sw_err *err = open_users(f);
        if (err)
                return err;
        if (lock_byte(f->users, process_number(), false, F_WRLCK) < 0)
                return errno == EAGAIN || errno == EACCES
                               ? sw_err_new(SW_E_BUSY, "this process has it open already; "
                                                       "let both use one")
                               : io_err("lock users");
        if (lock_byte(f->users, 0, true, F_WRLCK) < 0)
                return io_err("lock users");
        f->alone = flock(f->users, LOCK_EX | LOCK_NB) == 0;
        if (!f->alone && errno != EWOULDBLOCK)
                return io_err("lock users");
        return SW_OK;
}

sw_err *
sw__metafile_stay(struct sw__metafile *f)
{
        int rc;

        /* Who is leaving may have it exclusively for a moment. */
        do
                rc = flock(f->users, LOCK_SH);
        while (rc < 0 && errno == EINTR);
        if (rc < 0 || lock_byte(f->users, 0, false, F_UNLCK) < 0)
                return io_err("lock users");
        f->alone = false;
        return SW_OK;
}

/* ---- how the last process left it ---- */

/* What `clean` says of the file as it is now. */
static sw_err *
file_state(int dirfd, sw_buf *out)
{
        struct stat st;

        if (fstatat(dirfd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return sw_err_sys(errno == ENOENT ? SW_E_NOT_FOUND : SW_E_IO, errno,
                                  "look at data.mdb");
        sw_err *err =
                sw_buf_read_file(out, AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64);
        if (err)
                return err;
        sw_buf_addf(out, "%jd %jd.%09ld %jd.%09ld %ju\n", (intmax_t) st.st_size,
                    (intmax_t) st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                    (intmax_t) st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
                    (uintmax_t) st.st_ino);
        return SW_OK;
}

static bool
left_clean(int dirfd)
{
        sw_auto(sw_buf) now = SW_BUF_INIT;
        sw_auto(sw_buf) then = SW_BUF_INIT;
        sw_err *err = file_state(dirfd, &now);

        if (!err)
                err = sw_buf_read_file(&then, dirfd, "clean", 4096);
        if (err) {
                sw_err_drop(err, "what cannot be told is looked at");
                return false;
        }
        return then.len == now.len && memcmp(then.data, now.data, now.len) == 0;
}

static sw_err *
write_clean(int dirfd, const sw_buf *state)
{
        (void) unlinkat(dirfd, "clean.new", 0); /* of one who was killed here */
        sw_auto(sw_fd) fd =
                openat(dirfd, "clean.new",
                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd >= 0)
                errno = sw_write_all(fd, state->data, state->len);
        if (fd < 0 || errno || renameat(dirfd, "clean.new", dirfd, "clean") < 0)
                return io_err("write clean");
        return SW_OK;
}

/* Say how the file was left. Not synced: after a power failure the boot differs anyway. */
static void
leave_clean(const struct sw__metafile *f)
{
        sw_auto(sw_buf) state = SW_BUF_INIT;
        struct stat st;

        /* Not for a file that somebody put there meanwhile. */
        if (fstatat(f->dirfd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            st.st_ino != f->ino || left_clean(f->dirfd))
                return;
        sw_err *err = file_state(f->dirfd, &state);
        if (!err)
                err = write_clean(f->dirfd, &state);
        sw_err_drop(err, "the next process looks for damage, that is all");
}

void
sw__metafile_leave(struct sw__metafile *f, bool sound)
{
        if (f->doubt && f->dirfd >= 0)
                (void) unlinkat(f->dirfd, "clean", 0);
        else if (sound && flock(f->users, LOCK_EX | LOCK_NB) == 0)
                leave_clean(f);
        sw_fd_clear(&f->users);
        sw_fd_clear(&f->dirfd);
}

/* ---- schema ---- */

bool
sw__metafile_read_schema(const char *text, int64_t *out)
{
        const char *space = strchr(text, ' ');
        int64_t version = 0;

        if (!space || strlen(space + 1) != (size_t) (space - text) ||
            memcmp(text, space + 1, (size_t) (space - text)) != 0)
                return false;
        sw_err *err = sw_parse_int(space + 1, 1, INT32_MAX, &version);
        if (err) {
                sw_err_drop(err, "the caller has its own");
                return false;
        }
        *out = version;
        return true;
}

sw_err *
sw__metafile_too_new(int64_t schema, int newest)
{
        return sw_err_new(SW_E_UNSUPPORTED,
                          "made by a newer slipway (schema %" PRId64
                          ", this one knows %d); use that one, or another --root",
                          schema, newest);
}

/* ---- damage ---- */

/* Read the file through, so that what the disk cannot read comes up as an error here and
 * not as SIGBUS where it is mapped. */
static sw_err *
read_through(int fd, off_t size)
{
        sw_auto(sw_str) buf = sw_alloc(READ_SIZE);

        for (off_t at = 0; at < size;) {
                const ssize_t n = pread(fd, buf, READ_SIZE, at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_CORRUPT, errno, "read it at %jd",
                                          (intmax_t) at);
                if (n == 0)
                        return sw_err_new(SW_E_CORRUPT, "it became shorter");
                at += n;
        }
        return SW_OK;
}

/* A newer program may store what this one's check calls damage. */
static sw_err *
check_contents(const struct sw__metafile *f, const void *p, size_t n)
{
        sw_err *err = sw__lmdb_check(p, n);
        char text[SCHEMA_TEXT_SIZE];
        int64_t schema = 0;

        if (!err || !sw__lmdb_peek(p, n, "schema", text, sizeof(text)) ||
            !sw__metafile_read_schema(text, &schema) || schema <= f->newest)
                return err;
        sw_err_drop(err, "not ours to judge");
        return sw__metafile_too_new(schema, f->newest);
}

static sw_err *
map_and_check(const struct sw__metafile *f, int fd, off_t size)
{
        sw_err *err = read_through(fd, size);

        if (err)
                return err;
        void *p = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return io_err("read data.mdb");
        err = check_contents(f, p, (size_t) size);
        munmap(p, (size_t) size);
        return err;
}

/* SW_OK: sound, or no file at all. SW_E_CORRUPT: damaged, or of no use to us. */
static sw_err *
look_for_damage(const struct sw__metafile *f)
{
        sw_auto(sw_fd) fd = openat(f->dirfd, "data.mdb",
                                   O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 && errno == ENOENT)
                return SW_OK;
        if (fd < 0 && (errno == ENOMEM || errno == ENFILE || errno == EMFILE ||
                       errno == EROFS || errno == EINTR))
                return io_err("open data.mdb");
        if (fd < 0)
                return sw_err_sys(SW_E_CORRUPT, errno, "open it");
        if (fstat(fd, &st) < 0)
                return io_err("look at data.mdb");
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_CORRUPT, "it is not a file");
        /* LMDB begins a new one in an empty one. */
        return st.st_size == 0 ? SW_OK : map_and_check(f, fd, st.st_size);
}

/* lock.mdb holds nothing that lasts, so what LMDB could not open is taken away. */
static sw_err *
drop_useless_lock(int dirfd)
{
        struct stat st;
        sw_auto(sw_fd) fd = openat(dirfd, "lock.mdb",
                                   O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

        if (fd < 0 ? errno == ENOENT : fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                return SW_OK;
        if (unlinkat(dirfd, "lock.mdb", 0) < 0 &&
            unlinkat(dirfd, "lock.mdb", AT_REMOVEDIR) < 0)
                return io_err("remove lock.mdb, which cannot be used");
        return SW_OK;
}

sw_err *
sw__metafile_inspect(struct sw__metafile *f)
{
        sw_err *err = drop_useless_lock(f->dirfd);

        if (err || left_clean(f->dirfd))
                return err;
        err = look_for_damage(f);
        if (sw_err_code(err) != SW_E_CORRUPT)
                return err;
        sw_err *aside = sw__metafile_set_aside(f, err);
        sw_err_drop(err, "told to the log");
        return aside;
}

sw_err *
sw__metafile_set_aside(struct sw__metafile *f, const sw_err *why)
{
        sw_auto(sw_str) name = NULL;
        sw_err *err = sw__set_aside(f->dirfd, "data.mdb", f->log, &name);

        if (err)
                return err;
        (void) unlinkat(f->dirfd, "lock.mdb", 0);
        sw_log_line(
                f->log, SW_LOG_WARN, "store",
                "metadata cannot be used (%s); set aside as meta/%s and begun anew: the "
                "cache is empty",
                sw_err_message(why), name);
        return SW_OK;
}
