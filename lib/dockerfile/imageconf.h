/*
 * lib/dockerfile/imageconf.h - image configurations as instructions change them.
 *
 * One is made of a base image's JSON, or for scratch; changed by instructions; copied for
 * stages that go on from it; and written as Go's encoding/json writes the reference's
 * struct, since its bytes are hashed. All memory is the arena's, so that histories and
 * strings are shared between copies.
 * Not thread-safe; the copies of one belong to the arena's thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_IMAGECONF_H
#define SLIPWAY_LIB_DOCKERFILE_IMAGECONF_H

#include <slipway/buf.h>
#include <slipway/platform.h>

#include "lib/dockerfile/keep.h"

/* A list of strings. Those in @v are never changed; the array is, by its owner alone. */
struct sw_df_list {
        const char **v;
        size_t n, cap;
};
void sw_df_list_add(struct sw_df_arena *a, struct sw_df_list *l, const char *s); /* kept */
void sw_df_list_copy(struct sw_df_arena *a, struct sw_df_list *l, const char *const *v,
                     size_t n);

/* Strings by name; a set where values are NULL. Sorted and each once after
 * sw_df_table_settle(), which who goes through it calls first. */
struct sw_df_entry {
        const char *key, *value;
};
struct sw_df_table {
        struct sw_df_entry *v;
        size_t n, cap;
        size_t n_sorted; /* private: how many are in order */
};
/** sw_df_table_settle - put it into order. */
void sw_df_table_settle(struct sw_df_table *t);
/** sw_df_table_get - the value, or NULL. */
const char *sw_df_table_get(const struct sw_df_table *t, const char *key);
/** sw_df_table_set - both strings are kept, not copied. */
void sw_df_table_set(struct sw_df_arena *a, struct sw_df_table *t, const char *key,
                     const char *value);

struct sw_df_history {
        const struct sw_df_history *prev; /* the one before; NULL: it is the first */
        const char *created, *created_by, *author, *comment; /* NULL: not said */
        bool empty_layer;
};

struct sw_df_image_health {
        struct sw_df_list test;
        int64_t interval, timeout, start_period, start_interval; /* ns; 0: inherited */
        int64_t retries;                                         /* 0: inherited */
};

struct sw_df_image {
        const char *created, *author; /* NULL: not said */
        const char *arch, *os, *variant, *os_version;
        struct sw_df_list os_features;
        /* Of the container. */
        const char *user, *workdir, *stop_signal;
        struct sw_df_table ports, volumes, labels;
        struct sw_df_list env, entrypoint, cmd, onbuild, shell;
        bool args_escaped;
        const struct sw_df_image_health *health; /* NULL: none */
        /* Of the layers. */
        const char *rootfs_type;
        struct sw_df_list diff_ids;
        bool has_diff_ids;                   /* also when the list is empty */
        const struct sw_df_history *history; /* the last; NULL: none */
        size_t n_history;
        bool has_layer_history; /* one of the entries stands for a layer */
};

/** sw_df_image_parse - Errors: SW_E_INVALID, SW_E_LIMIT. */
SW_NODISCARD sw_err *sw_df_image_parse(struct sw_df_arena *a, const char *json, size_t len,
                                       struct sw_df_image *out);
/** sw_df_image_scratch - what FROM scratch starts with. */
void sw_df_image_scratch(struct sw_df_arena *a, const sw_platform *platform,
                         struct sw_df_image *out);
/** sw_df_image_copy - one that can be changed apart from @src. */
void sw_df_image_copy(struct sw_df_arena *a, const struct sw_df_image *src,
                      struct sw_df_image *out);
/** sw_df_image_set_env - in the place of the one of that name, or at the end. */
void sw_df_image_set_env(struct sw_df_arena *a, struct sw_df_image *img, const char *key,
                         const char *value);
/** sw_df_image_add_history - @created_by is kept; @created: RFC 3339, or NULL. */
void sw_df_image_add_history(struct sw_df_arena *a, struct sw_df_image *img,
                             const char *created_by, bool empty_layer, const char *created);
/** sw_df_image_settle - settle its tables, before it is written. */
void sw_df_image_settle(struct sw_df_image *img);
/** sw_df_image_write - appended. Its tables are settled. */
void sw_df_image_write(const struct sw_df_image *img, sw_buf *out);

/* Texts as Go's fmt prints values. */
/** sw_df_add_quoted - "%q" of a string. */
void sw_df_add_quoted(sw_buf *b, const char *s);
/** sw_df_add_quoted_list - "%q" of a list: ["a" "b"]. */
void sw_df_add_quoted_list(sw_buf *b, const struct sw_df_list *l);
/** sw_df_add_plain_list - "%v" of a list: [a b]. */
void sw_df_add_plain_list(sw_buf *b, const struct sw_df_list *l);
/** sw_df_add_health - "%+v". */
void sw_df_add_health(sw_buf *b, const struct sw_df_image_health *h);

#endif
