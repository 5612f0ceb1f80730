/*
 * plugins/source-local/local.h - a client's directory as a tree that is not copied.
 *
 *      plugin.c     the source: identifier, attributes, key
 *      spec.c       what of the directory is wanted
 *      follow.c     paths with the targets of their symlinks
 *      walk.c       the directory, by two threads or more, into ...
 *      list.c       ... a list of entries, sorted
 *      statcache.c  digests of files, kept between builds
 *      dirref.c     the ref: listing, and a copy for those that need one
 *      report.c     what is big in it
 */
#ifndef SLIPWAY_PLUGIN_SOURCE_LOCAL_H
#define SLIPWAY_PLUGIN_SOURCE_LOCAL_H

#include <pthread.h>

#include <slipway/array.h>
#include <slipway/map.h>
#include <slipway/pattern.h>
#include <slipway/pool.h>
#include <slipway/worker.h>

/* What of the directory is wanted. */
struct spec {
        char *name; /* of the directory, as the session knows it */
        sw_strlist include, exclude, follow;
        bool has_follow;
};

/* follow.c: add to @include what follow says; *all: there is no limit after all. */
SW_NODISCARD sw_err *follow_paths(int root, const sw_strlist *follow, sw_strlist *include,
                                  bool *all);

/* An entry beside what slipway/ref.h says of it: the state of the file, and its digest. */
struct item {
        uint64_t dev, ino;
        int64_t ctime;
        int64_t size, mtime; /* of the file: those of the entry, until learnt anew */
        uint32_t mode;
        bool known; /* digest is that of this state */
        bool racy;  /* changed so lately that a later change may not show */
        sw_digest digest;
};

/* The list that a walk gives. Strings are in one block. */
struct list {
        size_t n;
        struct sw_entry *v;
        struct item *items;
        char *text;
        int64_t begun; /* when the walk began, ns since the epoch */
};
void list_free(struct list *l);

/* An entry as the walk found it. */
struct found {
        uint32_t name, link;  /* offsets into the directory's text; link 0: none */
        bool wanted;          /* itself; else only if something below is */
        bool gone;            /* vanished since the directory was read */
        bool is_dir;          /* as the directory has it, before stat */
        struct found_dir *in; /* of a directory that was walked */
        struct stat st;
};

struct found_dir {
        char *path; /* "" for the root */
        sw_buf text;
        SW_ARRAY(struct found) v;
};

/* walk.c: @include, @exclude may be NULL. @out: to be put into a list, then freed. */
SW_NODISCARD sw_err *walk_directory(sw_ctx *ctx, int root, const sw_patterns *include,
                                    const sw_patterns *exclude, struct found_dir **out);
void found_dir_free(struct found_dir *d);

/* list.c */
SW_NODISCARD sw_err *list_make(struct found_dir *root, int64_t begun, struct list **out);

/* statcache.c: digests that hold still are put into @l. */
void statcache_load(int dirfd, const char *name, struct list *l);
/* Write those of @l down; a failure is told to @log alone. */
void statcache_save(int dirfd, const char *name, const struct list *l, sw_log *log);
/* The parser: @p is what was kept. Returns how many digests were taken over. */
size_t statcache_apply(const void *p, size_t n, struct list *l);
/* What there is to keep. */
void statcache_pack(const struct list *l, sw_buf *out);

/* report.c: what is big among what is not known yet. */
void report_biggest(sw_ctx *ctx, const char *name, const struct list *l);

/* What the plugin has for all its refs. */
struct local {
        sw_log *log;
        sw_pool *saver; /* writes states of refs that are let go of, which must not wait */
};

/* dirref.c: @dirfd, @list: given; @statedir: given, -1: nothing is kept. @local: outlives
 * it; NULL: states are written by who lets go of it. */
sw_ref *dirref_new(sw_worker *worker, const char *name, int dirfd, struct list *list,
                   int statedir, const char *cache_name, const struct local *local);

#endif
