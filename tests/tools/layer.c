/*
 * tests/tools/layer.c - lib/layer for measurements and by hand:
 *
 *      layer pack TYPE LEVEL THREADS DIR BLOB      a directory becomes a blob
 *      layer unpack BLOB STORE                     a blob becomes the layer STORE/a/l/fs
 *      layer tell BLOB TAR                         a blob becomes a tar of our own making
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/io.h>

#include "lib/layer/pack.h"
#include "lib/layer/unpack.h"
#include "lib/layer/walk.h"
#include "lib/snapdir/snapdir.h"

static sw_err *
opened(const char *name, int flags, int *fd)
{
        *fd = open(name, flags | O_CLOEXEC, 0644);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "open %s", name) : SW_OK;
}

static sw_err *
write_fd(void *arg, const void *p, size_t n)
{
        const int failed = sw_write_all(*(int *) arg, p, n);

        return failed ? sw_err_sys(SW_E_IO, failed, "write") : SW_OK;
}

static sw_err *
read_fd(void *arg, void *p, size_t n, size_t *got)
{
        const ssize_t r = read(*(int *) arg, p, n);

        *got = r > 0 ? (size_t) r : 0;
        return r < 0 ? sw_err_sys(SW_E_IO, errno, "read") : SW_OK;
}

static sw_err *
pack(char **argv)
{
        struct sw_pack_opts opts = { .level = (int) strtol(argv[1], NULL, 10),
                                     .threads = (unsigned) strtoul(argv[2], NULL, 10) };
        const struct sw_walk_opts walk = { .no_root = true, .epoch = -1 };
        sw_auto(sw_fd) dir = -1, fd = -1;
        struct sw_tar_sink out = { .write = write_fd, .arg = &fd }, in;
        sw_autoptr(sw_pack) k = NULL;
        struct sw_packed p;
        char d[SW_DIGEST_STR_SIZE], t[SW_DIGEST_STR_SIZE];
        sw_err *err = sw_pack_type_parse(argv[0], &opts.type);

        if (!err)
                err = opened(argv[3], O_RDONLY | O_DIRECTORY, &dir);
        if (!err)
                err = opened(argv[4], O_WRONLY | O_CREAT | O_TRUNC, &fd);
        if (!err)
                err = sw_pack_new(NULL, &opts, &out, &k);
        if (err)
                return err;
        sw_pack_sink(k, &in);
        sw_tar *tar = sw_tar_new(NULL, &in);
        err = sw_layer_walk(NULL, dir, &walk, sw_tar_ops(), tar);
        if (err)
                sw_tar_ops()->abandon(tar);
        else
                err = sw_tar_ops()->finish(tar);
        if (!err)
                err = sw_pack_finish(sw_steal(k), &p);
        if (!err)
                printf("%s %s %lld %lld\n", sw_digest_str(&p.diff_id, t),
                       sw_digest_str(&p.digest, d), (long long) p.tar_size,
                       (long long) p.size);
        return err;
}

static sw_err *
unpack_into(const char *blob, const struct sw_layer_ops *ops, void *w)
{
        static const struct sw_unpack_opts opts;
        struct sw_unpack_result r = { 0 };
        sw_auto(sw_fd) fd = -1;
        const struct sw_reader in = { read_fd, &fd };
        char d[SW_DIGEST_STR_SIZE];
        sw_err *err = opened(blob, O_RDONLY, &fd);

        if (!err)
                err = sw_layer_unpack(NULL, &in, &opts, ops, w, &r);
        if (!err) {
                err = ops->finish(w);
                printf("%s %lld\n", sw_digest_str(&r.diff_id, d), (long long) r.tar_size);
        } else {
                ops->abandon(w);
        }
        sw_unpack_result_release(&r);
        return err;
}

static sw_err *
unpack(char **argv)
{
        const struct sw_stack nothing = { NULL, 0 };
        const struct sw_layer_ops *ops;
        struct snapdir *s = NULL;
        sw_auto(sw_fd) dir = -1;
        void *w;
        (void) mkdir(argv[1], 0700);
        sw_err *err = opened(argv[1], O_RDONLY | O_DIRECTORY, &dir);

        if (!err)
                err = snapdir_open(dir, &s);
        if (!err)
                err = snapdir_prepare(s, "l", &nothing);
        if (!err)
                err = snapdir_write(s, NULL, "l", &ops, &w);
        if (!err)
                err = unpack_into(argv[0], ops, w);
        if (s)
                snapdir_close(s);
        return err;
}

static sw_err *
tell(char **argv)
{
        sw_auto(sw_fd) fd = -1;
        struct sw_tar_fd out;
        struct sw_tar_sink sink;
        sw_err *err = opened(argv[1], O_WRONLY | O_CREAT | O_TRUNC, &fd);

        if (err)
                return err;
        sw_tar_fd_init(&out, fd, &sink);
        err = unpack_into(argv[0], sw_tar_ops(), sw_tar_new(NULL, &sink));
        if (!err)
                err = sw_tar_fd_flush(&out);
        sw_tar_fd_release(&out);
        return err;
}

int
main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int args;
                sw_err *(*run)(char **argv);
        } verbs[] = { { "pack", 5, pack }, { "unpack", 2, unpack }, { "tell", 2, tell } };

        for (size_t i = 0; i < SW_COUNT(verbs); i++) {
                if (argc != verbs[i].args + 2 || strcmp(argv[1], verbs[i].name) != 0)
                        continue;
                sw_autoptr(sw_err) err = verbs[i].run(argv + 2);
                if (err)
                        (void) fprintf(stderr, "layer: %s\n", sw_err_message(err));
                return err ? 1 : 0;
        }
        (void) fprintf(stderr,
                       "layer pack TYPE LEVEL THREADS DIR BLOB | unpack BLOB STORE | "
                       "tell BLOB TAR\n");
        return 2;
}
