/*
 * tests/contract/snapshotter.h - what the files of the snapshotter suite share.
 */
#ifndef SLIPWAY_TESTS_CONTRACT_SNAPSHOTTER_H
#define SLIPWAY_TESTS_CONTRACT_SNAPSHOTTER_H

#include <slipway/snapshotter.h>

#include "tests/contract/contract.h"

/* A store of the plugin under test, in a directory of its own. */
struct snap {
        struct contract *c;
        const struct sw_snapshotter_ops *ops;
        void *self;
        void *store; /* NULL: closed */
        int dirfd;
        char *path;
        sw_ctx *ctx;
        bool root; /* owners, devices and trusted attributes can be set */
};

#define STACK(...)                                                                         \
        (&(const struct sw_stack){ (const char *const[]){ __VA_ARGS__ },                   \
                                   sizeof((const char *const[]){ __VA_ARGS__ }) /          \
                                           sizeof(const char *) })
#define NOTHING (&(const struct sw_stack){ NULL, 0 })

#define META(mode_, mtime_)                                                                \
        (&(const struct sw_layer_meta){ (mode_), snap_uid, snap_gid, (mtime_) })
extern uid_t snap_uid;
extern gid_t snap_gid;

/* Open the store; a failure is a broken rule, and false. */
bool snap_open(struct snap *s, struct contract *c, const char *name);
void snap_reopen(struct snap *s);
void snap_close(struct snap *s);

/* Each calls the operation and, when it fails, says so as a broken rule; false then. */
bool snap_prepare(struct snap *s, const char *key, const struct sw_stack *lower);
bool snap_commit(struct snap *s, const char *key);
bool snap_view(struct snap *s, const struct sw_stack *st, struct sw_snapshot_mount *m);
bool snap_mount(struct snap *s, const char *key, struct sw_snapshot_mount *m);
bool snap_unmount(struct snap *s, struct sw_snapshot_mount *m);

/* A writer with the first error it met. */
struct snap_writer {
        const struct sw_layer_ops *ops;
        void *w;
        sw_err *err;
};
bool snap_write(struct snap *s, const char *key, struct snap_writer *w);
/* finish; an error, of any call, is a broken rule. */
bool snap_finish(struct snap *s, struct snap_writer *w);
/* w->err = call, if there was none yet. */
#define TELL(wr, op, ...)                                                                  \
        do {                                                                               \
                if (!(wr)->err)                                                            \
                        (wr)->err = (wr)->ops->op((wr)->w, __VA_ARGS__);                   \
        } while (0)

/* Everything that can be seen of a tree, one entry a line, in order. From malloc. */
char *snap_manifest(int dirfd);
/* The same by lookups. */
char *snap_looked(const struct sw_snapshotter_ops *ops, void *look);
/* The same of the view of a stack; NULL after a broken rule. Lookups have to tell the same,
 * where the snapshotter has them. */
char *snap_tree(struct snap *s, const struct sw_stack *st);
/* Check that two manifests are equal; shows the first line that is not. @a, @b: given. */
void snap_same(struct snap *s, char *a, char *b, const char *rule);
/* Check that the view of a stack has exactly these paths ("a a/b c"). */
void snap_paths(struct snap *s, const struct sw_stack *st, const char *paths,
                const char *rule);

/* A layer writer that notes the calls as text. */
extern const struct sw_layer_ops snap_recorder;
/* The calls of a diff; NULL after a broken rule. From malloc. */
char *snap_calls(struct snap *s, const struct sw_stack *lower,
                 const struct sw_stack *upper);
/* A new committed layer @key on @on with what the diff from @lower to @upper tells. */
bool snap_apply(struct snap *s, const char *key, const struct sw_stack *on,
                const struct sw_stack *lower, const struct sw_stack *upper);
/* A committed layer with one file, named and filled with @key. */
bool snap_simple(struct snap *s, const char *key, const struct sw_stack *lower);

/* Check that usage of all layers and of the rest is what du(1) says. Opens the store again.
 */
void snap_check_usage(struct snap *s);

/* Parts of the suite. */
void snap_check_layers(struct contract *c); /* snaplayers.c */
void snap_check_writer(struct contract *c); /* snapwriter.c */
void snap_check_share(struct contract *c);  /* snapshare.c */
void snap_check_diff(struct contract *c);   /* snapdiff.c */
void snap_check_faults(struct contract *c); /* snapfaults.c */

#endif
