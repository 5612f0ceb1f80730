/*
 * core/store/chainid.c - names by which layers are found. See chainid.h.
 */
#include "core/store/chainid.h"

#include <stdio.h>
#include <string.h>

void
sw__chain_next(sw_digest *chain, bool first, const sw_digest *diff_id)
{
        char text[2 * SW_DIGEST_STR_SIZE];

        if (first) {
                *chain = *diff_id;
                return;
        }
        (void) sw_digest_str(chain, text);
        text[SW_DIGEST_STR_LEN] = ' ';
        (void) sw_digest_str(diff_id, text + SW_DIGEST_STR_SIZE);
        *chain = sw_digest_of(text, 2 * SW_DIGEST_STR_LEN + 1);
}

void
sw__chain_name(const sw_digest *chain, char out[SW__CHAIN_NAME_SIZE])
{
        char text[SW_DIGEST_STR_SIZE];

        snprintf(out, SW__CHAIN_NAME_SIZE, "chainid:%s", sw_digest_str(chain, text));
}

/* A layer that is here and has a diff id; *out NULL: it is another one. */
static sw_err *
get_known(sw__tx *tx, const char *key, sw__rec **out, sw_digest *diff_id)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__rec_get(tx, key, &rec);

        *out = NULL;
        if (!err && rec && rec->state == SW__REC_COMMITTED && sw__rec_diff_id(rec, diff_id))
                *out = sw_steal(rec);
        return err;
}

sw_err *
sw__chain_of(sw__tx *tx, struct sw_stack stack, sw_digest *chain, bool *known)
{
        sw_err *err = SW_OK;

        *known = true;
        for (size_t i = 0; i < stack.n && *known && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;
                sw_digest diff_id;

                err = get_known(tx, stack.keys[i], &rec, &diff_id);
                *known = rec != NULL;
                if (rec)
                        sw__chain_next(chain, i == 0, &diff_id);
        }
        return err;
}

static bool
has_name(const sw__rec *rec, const char *name)
{
        for (size_t i = 0; i < rec->n_names; i++)
                if (strcmp(rec->names[i], name) == 0)
                        return true;
        return false;
}

/* Whether the ref of layer @i was made on that of the layer below, so that its stack is the
 * beginning of this one. */
static bool
is_straight(const sw__rec *rec, struct sw_stack stack, size_t i)
{
        return i == 0 ? rec->n_parents == 0
                      : rec->n_parents == 1 &&
                                strcmp(rec->parents[0], stack.keys[i - 1]) == 0;
}

static sw_err *
add_name(sw__tx *tx, const char *id, sw__rec *rec, const sw_digest *chain)
{
        char name[SW__CHAIN_NAME_SIZE];

        sw__chain_name(chain, name);
        return has_name(rec, name) ? SW_OK : sw__rec_add_name(tx, id, rec, name);
}

static sw_err *
name_whole(sw__tx *tx, const char *id, const sw_digest *chain)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__rec_get(tx, id, &rec);

        return err || !rec ? err : add_name(tx, id, rec, chain);
}

sw_err *
sw__chain_name_all(sw__tx *tx, const char *id, struct sw_stack stack)
{
        bool straight = true;
        sw_err *err = SW_OK;
        sw_digest chain;

        for (size_t i = 0; i < stack.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;
                sw_digest diff_id;

                err = get_known(tx, stack.keys[i], &rec, &diff_id);
                if (err || !rec)
                        return err;
                sw__chain_next(&chain, i == 0, &diff_id);
                straight = straight && is_straight(rec, stack, i);
                if (straight)
                        err = add_name(tx, stack.keys[i], rec, &chain);
        }
        if (!err && id && stack.n && !straight)
                err = name_whole(tx, id, &chain);
        return err;
}
