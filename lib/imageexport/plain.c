/*
 * lib/imageexport/plain.c - a result that is a directory, with no store behind it: one
 * layer, packed into a file without a name. For programs that have trees of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <slipway/io.h>
#include <slipway/time.h>

#include "lib/imageexport/imageexport_priv.h"
#include "lib/layer/tar.h"
#include "lib/layer/walk.h"

struct plain {
        const struct layers_job *j;
        int fd;
        sw_pack *pack;
        struct sw_tar_sink in;
};

static sw_err *
out_write(void *arg, const void *p, size_t n)
{
        const struct plain *k = arg;
        int failed = sw_write_all(k->fd, p, n);

        return failed ? sw_err_sys(SW_E_IO, failed, "write a layer") : SW_OK;
}

static sw_err *
in_write(void *arg, const void *p, size_t n)
{
        struct plain *k = arg;

        sw_imageexport_add(k->j->task, (int64_t) n);
        return k->in.write(k->in.arg, p, n);
}

static sw_err *
open_unnamed(int *out)
{
        const char *tmp = getenv("TMPDIR");

        *out = open(tmp && *tmp ? tmp : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        return *out >= 0 ? SW_OK : sw_err_sys(SW_E_IO, errno, "make a file for a layer");
}

static sw_err *
tell(struct plain *k)
{
        const struct layers_job *j = k->j;
        const struct sw_tar_sink sink = { .write = in_write, .arg = k };
        const struct sw_walk_opts opts = { .no_root = true, .epoch = -1 };
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_autoptr(sw_tree) tree = NULL;
        sw_err *err = sw_ref_open(j->ctx, j->ref, &tree);

        if (err)
                return err;
        sw_tar *tar = sw_tar_new(j->ctx, &sink);
        if (j->e->rewrite && j->epoch >= 0)
                sw_tar_clamp(tar, j->epoch * SW_NS_PER_SEC);
        err = sw_layer_walk(j->ctx, sw_tree_fd(tree), &opts, ops, tar);
        if (err) {
                ops->abandon(tar);
                return err;
        }
        err = ops->finish(tar);
        return err ? err : sw_tree_close(sw_steal(tree));
}

static sw_err *
pack(struct plain *k, struct sw_packed *out)
{
        const struct sw_pack_opts opts = { .type = k->j->e->pack, .level = k->j->e->level };
        const struct sw_tar_sink sink = { .write = out_write, .arg = k };
        sw_err *err = sw_pack_new(k->j->ctx, &opts, &sink, &k->pack);

        if (err)
                return err;
        sw_pack_sink(k->pack, &k->in);
        err = tell(k);
        if (!err)
                err = sw_pack_finish(sw_steal(k->pack), out);
        sw_pack_abandon(k->pack);
        return err;
}

sw_err *
plain_make(const struct layers_job *j)
{
        sw_auto(sw_fd) fd = -1;
        struct sw_made_layer l = { .fd = -1 };
        struct sw_packed packed;
        sw_err *err;

        if (!j->ref)
                return SW_OK;
        err = open_unnamed(&fd);
        if (err)
                return err;
        struct plain k = { .j = j, .fd = fd };
        err = pack(&k, &packed);
        if (err)
                return err;
        layer_describe(j->e, &packed, &l);
        l.fd = sw_fd_steal(&fd);
        sw_array_push(&j->image->layers, l);
        return SW_OK;
}
