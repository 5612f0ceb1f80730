/*
 * core/llb/state/files.h - file actions: chains of immutable, counted actions.
 *
 * An action knows the one before it. A chain does nothing by itself: it is bound to a
 * state, whose tree the first action works on and whose directory relative paths start at.
 * A vertex is one bound chain; a copy may take its source from another one.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_FILES_H
#define SLIPWAY_CORE_LLB_STATE_FILES_H

#include "core/llb/state/state.h"

enum action_kind {
        ACTION_MKDIR = 1,
        ACTION_MKFILE,
        ACTION_SYMLINK,
        ACTION_RM,
        ACTION_COPY,
};

/* One half of an owner. */
struct owner {
        bool given;
        char *name; /* NULL: by number */
        uint32_t id;
};

struct action {
        struct object o;
        enum action_kind kind;
        struct action *prev; /* counted; NULL at the start */
        size_t depth;        /* actions before this one */
        char *path;          /* RM, MKDIR, MKFILE: it; SYMLINK: where; COPY: destination */
        char *src;           /* COPY: source; SYMLINK: what it points to */
        bool has_owner;
        struct owner user, group;
        int64_t time; /* -1: not given */
        int32_t mode; /* COPY: -1: not given */
        char *mode_str;
        bool parents, allow_missing, wildcard;
        bool follow_symlink, contents_only, unpack, allow_empty_wildcard, always_replace;
        sw_strlist include, exclude, required;
        void *data;
        size_t len;
        sw_state *from;       /* COPY: counted; or */
        sw_bound *from_bound; /* this one */
};

struct sw_bound {
        struct object o;
        struct action *last;
        sw_state *state;
};

#endif
