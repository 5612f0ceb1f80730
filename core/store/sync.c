/*
 * core/store/sync.c - how far the root has reached the disk.
 *
 * The number of the last transaction is read, then the file system is synced, then the
 * number is stored with the id of this boot: whatever was finished up to it survives a
 * power failure. Done by the janitor: a minute after something was stored, and at once when
 * something is stored and what processes before this one stored is older than that. A
 * build that stores nothing does not wait for the disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <slipway/time.h>

#include "core/store/worker_priv.h"

bool
sw__sync_parse(const char *mark, const char *boot, uint64_t *sequence, int64_t *time)
{
        const size_t n = strlen(boot);
        const char *space = mark ? strchr(mark, ' ') : NULL;
        char *end;

        *sequence = 0;
        *time = 0;
        if (!space)
                return false;
        errno = 0;
        *sequence = strtoull(space + 1, &end, 10);
        if (!errno && *end == ' ')
                *time = strtoll(end + 1, &end, 10);
        if (errno || *end)
                *sequence = 0, *time = 0; /* damaged: nothing is certain */
        return space == mark + n && strncmp(mark, boot, n) == 0;
}

char *
sw__sync_text(const char *boot, uint64_t sequence)
{
        return sw_asprintf("%s %llu %lld", boot, (unsigned long long) sequence,
                           (long long) sw_time_now());
}

sw_err *
sw__sync(sw_worker *w)
{
        sw_auto(sw__tx) tx = { 0 };
        MDB_envinfo info;
        int rc = mdb_env_info(sw__meta_env(w->meta), &info);

        if (rc)
                return sw__meta_err(rc, "look at the metadata");
        if (syncfs(w->rootfd) < 0)
                return sw_err_sys(SW_E_IO, errno, "sync the file system");
        sw_auto(sw_str) mark = sw__sync_text(w->boot, info.me_last_txnid);
        sw_err *err = sw__tx_begin(w->meta, true, &tx);
        if (!err)
                err = sw__text_put(&tx, SW_META_STORE, "synced", mark);
        return err ? err : sw__tx_commit(&tx, false);
}
