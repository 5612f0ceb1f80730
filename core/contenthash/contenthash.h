/*
 * core/contenthash/contenthash.h - digests of what an op uses of a tree, byte for byte
 * those of BuildKit (reference/cache.md section 3).
 *
 * Hashes of a tree's entries are kept with the ref: in memory while it is held, and below
 * <root>/hashes for stored refs, so that nothing is read twice; a new layer only has what
 * it changes hashed. A directory that is not stored (source-local) brings the digests of
 * its files along, from its stat cache (sw_listing.known).
 *
 * Thread: any; files are read by several threads.
 */
#ifndef SLIPWAY_CORE_CONTENTHASH_H
#define SLIPWAY_CORE_CONTENTHASH_H

#include "core/store/refs.h"

SW_BEGIN_DECLS

/* What is used of a tree: as the copy action of a file op says it. */
struct sw_hash_select {
        const char *path; /* cleaned, absolute: "/src"; "/": all. A '/' at its end, save of
                             "/" itself, leaves the directory's own header out */
        bool wildcard;    /* the path is a pattern, component by component */
        bool follow_links;
        const char *const *include; /* NULL-ended; or NULL */
        const char *const *exclude;
        const char *const *required;
};

/**
 * sw__contenthash - the digest of one selection of @ref (NULL: the empty tree).
 * Errors: SW_E_NOT_FOUND: the path, or a required one ("\"/x\": not found"), SW_E_INVALID
 * (pattern), SW_E_IO.
 */
SW_API SW_NODISCARD sw_err *sw__contenthash(sw_worker *w, sw_ctx *ctx, sw_ref *ref,
                                            const struct sw_hash_select *sel,
                                            sw_digest *out);

/** sw__contenthash_key - the key of several: sha256 of their digests joined with NUL. */
SW_API SW_NODISCARD sw_err *sw__contenthash_key(sw_worker *w, sw_ctx *ctx, sw_ref *ref,
                                                const struct sw_hash_select *sel, size_t n,
                                                sw_digest *out);

/** sw__contenthash_note - keep what is known of the tree of @ref under @name ("op-…"), in
 *  the place of what was kept there, to be compared with another one later. Best effort. */
SW_API void sw__contenthash_note(sw_worker *w, sw_ref *ref, const char *name);

/** sw__contenthash_changed - paths whose hashes differ between the tree noted under @name
 *  and that of @ref, within the selections; at most @max. None where none was noted. */
SW_API SW_NODISCARD sw_err *sw__contenthash_changed(sw_worker *w, sw_ctx *ctx,
                                                    const char *name, sw_ref *ref,
                                                    const struct sw_hash_select *sel,
                                                    size_t n, size_t max,
                                                    sw_strlist *paths);

SW_END_DECLS
#endif
