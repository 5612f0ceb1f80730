/*
 * core/contenthash/select.h - which entries a selection covers, and its digest.
 */
#ifndef SLIPWAY_CORE_CONTENTHASH_SELECT_H
#define SLIPWAY_CORE_CONTENTHASH_SELECT_H

#include "core/contenthash/contenthash.h"
#include "core/contenthash/tree.h"

/* An entry that is covered: of a directory its header alone. */
struct sw__hcovered {
        struct sw__hnode *node;
        char *path; /* as the selection names it: "/a/b"; owned */
        bool in;    /* else it is there only because it is what the selection names */
};
typedef SW_ARRAY(struct sw__hcovered) sw__hcover;

SW_NODISCARD sw_err *sw__hselect_digest(struct sw__hview *v, const struct sw_hash_select *s,
                                        sw_digest *out);

/* keep.c */

/* What is known of the tree of @ref; never NULL, lives as long as it. */
struct sw__htree *sw__htree_of(sw_ref *ref);
/* Remember what other processes, or the parent's tree, knew of it. The tree is locked. */
void sw__hrecall(struct sw__hview *v, sw_worker *w);
/* Write down what is known, if that is much that is new. The tree is locked. */
void sw__hkeep(struct sw__hview *v, sw_worker *w);
/* The tree that was noted under @name; NULL: there is none. */
struct sw__htree *sw__hnoted(sw_worker *w, const char *name);

#endif
