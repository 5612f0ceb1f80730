/*
 * core/solver/keystore.h - the cache store: which results exist for which cache keys.
 *
 * The model (docs/cache-format.md has the words):
 *
 *   key      a node with a text id. Three kinds:
 *              root     id = sha256("<digest>@<output>"): it depends on nothing else, so
 *                       every store that has it gives it the same id (sw__key_root)
 *              content  a root made of a content digest and output -1
 *              derived  everything else: a random id given by sw__key_new when the key is
 *                       first stored here; means nothing in another store
 *   link     from the key of an input to the key of the vertex that used it:
 *            {input, output, digest, selector}. 'A vertex whose cache map is @digest, whose
 *            input number @input has the parent key (as cut by @selector), has for its
 * output number @output the child key.' record   a result of a key: {"<worker>::<ref>",
 * created_at, priority}; a key may have several, a result may stand under several keys.
 *   note     what is remembered of an op (by the digest of its cache map) so that a miss
 * can be explained: the content digests its inputs had when it ran last.
 *
 * A derived key belongs to a vertex when for every input some key of that input has a link
 * to it. Rules that the solver keeps, not the store: a key found through one key of an
 * input is linked to the other keys of that input too; ids and digests that start with
 * "random:" (sw__key_is_volatile) are never written.
 *
 * Thread: the scheduler's only. Nothing here may call back into the solver. Functions
 * should take microseconds: they stand between every two steps of every build.
 *
 * Writes gather in a group. The first write opens it, commit() ends it; reads see the
 * writes of the open group. After kill -9 exactly the committed groups are there: all of a
 * group or nothing. The solver commits before it tells anybody that a step is complete,
 * before it sleeps, and at most SW_KEYSTORE_GROUP_MS after the first write or
 * SW_KEYSTORE_GROUP_MAX writes, whichever is first, so an implementation may hold a write
 * lock that other processes wait for while a group is open. Being safe from power loss is
 * the store's own affair (a sync from another thread); commit() need not wait for the disk.
 *
 * Errors of a read make the solver treat the lookup as a miss; errors of a write make it go
 * on without having stored. Both are logged, neither fails a build.
 */
#ifndef SLIPWAY_CORE_SOLVER_KEYSTORE_H
#define SLIPWAY_CORE_SOLVER_KEYSTORE_H

#include <string.h>

#include <slipway/digest.h>
#include <slipway/error.h>
#include <slipway/id.h>

SW_BEGIN_DECLS

#define SW_KEYSTORE_GROUP_MS  5
#define SW_KEYSTORE_GROUP_MAX 4096

/* Ids of keys, digests of cache maps and selectors are text: "sha256:<64 hex>", "random:…",
 * an id of sw_id_new(), or what an imported store calls its keys. Never longer than this.
 */
#define SW_KEY_TEXT_MAX  79
#define SW_KEY_TEXT_SIZE (SW_KEY_TEXT_MAX + 1)
#define SW_RESULT_ID_MAX 255

typedef struct sw_key_id {
        char s[SW_KEY_TEXT_SIZE]; /* NUL-terminated */
} sw_key_id;

/* Output number of a content key. */
#define SW_KEY_OUTPUT_CONTENT (-1)

struct sw_key_link {
        uint32_t input;     /* number of the input at the consumer */
        int32_t output;     /* number of the consumer's output that the child key is for */
        const char *digest; /* of the consumer's cache map; borrowed, never NULL */
        const char *selector; /* borrowed; "" for none */
};

struct sw_key_record {
        const char *result; /* "<worker>::<ref>"; borrowed, never NULL */
        int64_t created_at; /* ns since the epoch */
        int32_t priority;   /* among records of one time the lower one is better */
};

/* Callbacks of the walks: return false to end the walk. Strings are borrowed until return;
 * the store may not be called from inside. */
typedef bool sw_key_id_fn(void *arg, const char *id);
typedef bool sw_key_record_fn(void *arg, const struct sw_key_record *rec);
typedef bool sw_key_backlink_fn(void *arg, const char *parent,
                                const struct sw_key_link *link);
/* Note: the content digest of each input ("" where it had none). */
typedef bool sw_key_note_fn(void *arg, uint32_t input, const char *content);

typedef struct sw_keystore sw_keystore;

/* What a store implements. Grows at the end only; size is sizeof as compiled. Functions
 * that write may be NULL in a store that is read-only (an imported cache). */
struct sw_keystore_ops {
        uint32_t size;
        const char *name; /* for logs: "memory", "lmdb", "registry" */

        /* ---- reads ---- */
        /* exists - the key has a record or a link from it or to it. */
        sw_err *(*exists)(sw_keystore *ks, const char *id, bool *out);
        /* walk_links - children of @parent through exactly @link; order: any, but stable
         * while nothing is written. */
        sw_err *(*walk_links)(sw_keystore *ks, const char *parent,
                              const struct sw_key_link *link, sw_key_id_fn *fn, void *arg);
        /* has_link - whether @parent links to @child through exactly @link. */
        sw_err *(*has_link)(sw_keystore *ks, const char *parent,
                            const struct sw_key_link *link, const char *child, bool *out);
        /* walk_records - results of a key, any order. */
        sw_err *(*walk_records)(sw_keystore *ks, const char *id, sw_key_record_fn *fn,
                                void *arg);
        /* walk_backlinks - every (parent, link) that leads to @child. */
        sw_err *(*walk_backlinks)(sw_keystore *ks, const char *child,
                                  sw_key_backlink_fn *fn, void *arg);
        /* walk_by_result - every key that @result stands under. */
        sw_err *(*walk_by_result)(sw_keystore *ks, const char *result, sw_key_id_fn *fn,
                                  void *arg);
        /* walk_keys - every key that has a record. */
        sw_err *(*walk_keys)(sw_keystore *ks, sw_key_id_fn *fn, void *arg);
        /* recall - what remember() kept for @digest; *known false when there is none. May
         * be NULL: nothing is remembered. */
        sw_err *(*recall)(sw_keystore *ks, const char *digest, bool *known,
                          sw_key_note_fn *fn, void *arg);

        /* ---- writes: part of the open group ---- */
        /* add_link, add_record - adding what is there already changes nothing, save that
         * created_at and priority of a record are replaced. */
        sw_err *(*add_link)(sw_keystore *ks, const char *parent,
                            const struct sw_key_link *link, const char *child);
        sw_err *(*add_record)(sw_keystore *ks, const char *id,
                              const struct sw_key_record *rec);
        /* drop_record - forget one result of one key; keys and links stay, because
         * descendants are still found through them. */
        sw_err *(*drop_record)(sw_keystore *ks, const char *id, const char *result);
        /* release - a result was pruned: forget every record of it; a key left with neither
         * record nor link from it goes, with the links to it, and so on for its parents
         * (not by recursion: chains are long). */
        sw_err *(*release)(sw_keystore *ks, const char *result);
        /* remember - replace the note of @digest. @content: @n strings, "" where an input
         * has none. */
        sw_err *(*remember)(sw_keystore *ks, const char *digest, const char *const *content,
                            size_t n);
        /* commit - end the group; without one it does nothing. On error the group is lost.
         */
        sw_err *(*commit)(sw_keystore *ks);

        /* ---- life ---- */
        void (*free)(sw_keystore *ks);
};

/* Implementations embed this as their first member. */
struct sw_keystore {
        const struct sw_keystore_ops *ops;
};

/** sw__keystore_free - @ks: given; an open group is lost, so commit first. */
static inline void
sw__keystore_free(sw_keystore *ks)
{
        if (ks)
                ks->ops->free(ks);
}

/** sw__keystore_mem_new - a store that lives in memory: for tests, and for running without
 *  a root. Groups are not atomic, there being nothing to survive. */
SW_API sw_keystore *sw__keystore_mem_new(void);

/** sw__key_root - the id of a root key: sha256("<digest>@<output>") in text form; for a
 *  volatile digest "random:<hex>". @digest: at most SW_KEY_TEXT_MAX bytes. Thread: any. */
SW_API void sw__key_root(const char *digest, int32_t output, sw_key_id *out);

/* Ids for derived keys: a random beginning, drawn once, and a number. */
struct sw__key_maker {
        char begin[SW_ID_SIZE]; /* "": not drawn yet */
        uint64_t n;
};

/** sw__key_new - a fresh id for a derived key. Thread: one at a time for each maker. */
SW_API void sw__key_new(struct sw__key_maker *from, sw_key_id *out);

/** sw__key_new_volatile - a fresh id that is never stored. Thread: any. */
SW_API void sw__key_new_volatile(sw_key_id *out);

/*
 * What a store checks before it writes; all give SW_E_LIMIT. Texts have 1 to
 * SW_KEY_TEXT_MAX bytes, selectors and contents may be empty, result ids have 1 to
 * SW_RESULT_ID_MAX, notes at most SW_KEY_NOTE_MAX contents. Of anything longer a read finds
 * nothing. Thread: any.
 */
#define SW_KEY_NOTE_MAX 65536
SW_API SW_NODISCARD sw_err *sw__key_check_link(const char *parent,
                                               const struct sw_key_link *link,
                                               const char *child);
SW_API SW_NODISCARD sw_err *sw__key_check_record(const char *id, const char *result);
SW_API SW_NODISCARD sw_err *sw__key_check_note(const char *digest,
                                               const char *const *content, size_t n);

/** sw__key_is_volatile - whether an id or digest is for this process only. */
static inline bool
sw__key_is_volatile(const char *s)
{
        return strncmp(s, "random:", 7) == 0;
}

SW_DEFINE_AUTOPTR(sw_keystore, sw__keystore_free)

SW_END_DECLS
#endif
