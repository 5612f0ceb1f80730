/*
 * core/solver/keystore_lmdb_place.c - keys and values of the key store on LMDB as bytes.
 * Thread: any; no state.
 */
#include <arpa/inet.h>
#include <string.h>

#include "core/solver/keystore_lmdb_impl.h"

static bool
place_add(struct sw__keydb_place *p, const char *s)
{
        const size_t n = strnlen(s, SW_KEY_TEXT_SIZE);

        if (n > SW_KEY_TEXT_MAX)
                return false;
        memcpy(p->b + p->len, s, n + 1);
        p->len += n + 1;
        return true;
}

bool
sw__keydb_place_make(const char *parent, const struct sw_key_link *link,
                     struct sw__keydb_place *p)
{
        const uint32_t numbers[2] = { htonl(link->input), htonl((uint32_t) link->output) };

        p->len = 0;
        if (!place_add(p, parent) || !place_add(p, link->digest) ||
            !place_add(p, link->selector))
                return false;
        memcpy(p->b + p->len, numbers, sizeof(numbers));
        p->len += sizeof(numbers);
        return true;
}

bool
sw__keydb_is_id(const char *id)
{
        return *id && strnlen(id, SW_KEY_TEXT_SIZE) <= SW_KEY_TEXT_MAX;
}

bool
sw__keydb_is_result(const char *result)
{
        return *result && strnlen(result, SW_RESULT_ID_MAX + 1) <= SW_RESULT_ID_MAX;
}

bool
sw__keydb_parse(MDB_val v, const char **parent, struct sw_key_link *link)
{
        const char *s = v.mv_data, *parts[3];
        size_t left = v.mv_size;
        uint32_t numbers[2];

        for (int i = 0; i < 3; i++) {
                const size_t n = strnlen(s, left);

                if (n == left || n > SW_KEY_TEXT_MAX)
                        return false;
                parts[i] = s;
                s += n + 1;
                left -= n + 1;
        }
        if (left != sizeof(numbers) || !*parts[0] || !*parts[1])
                return false;
        memcpy(numbers, s, sizeof(numbers));
        *parent = parts[0];
        *link = (struct sw_key_link){
                .input = ntohl(numbers[0]),
                .output = (int32_t) ntohl(numbers[1]),
                .digest = parts[1],
                .selector = parts[2],
        };
        return true;
}

bool
sw__keydb_id(MDB_val v, sw_key_id *out)
{
        if (v.mv_size == 0 || v.mv_size > SW_KEY_TEXT_MAX ||
            memchr(v.mv_data, 0, v.mv_size))
                return false;
        memcpy(out->s, v.mv_data, v.mv_size);
        out->s[v.mv_size] = '\0';
        return true;
}

MDB_val
sw__keydb_record(const char *id, const char *result, char out[SW__KEYDB_RECORD_KEY_MAX])
{
        const size_t n = strlen(id) + 1, m = strlen(result);

        memcpy(out, id, n);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its length is known */
        memcpy(out + n, result, m);
        return sw__keydb_val(out, n + m);
}
