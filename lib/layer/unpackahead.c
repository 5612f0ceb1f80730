/*
 * lib/layer/unpackahead.c - the thread that reads ahead.
 *
 * A ring of slots. The lock is taken when a slot changes hands, not for what is in it:
 *
 *      filled   slots the thread has filled, ever      written by the thread
 *      emptied  slots the user is done with, ever      written by the user
 *
 * Invariants: emptied <= filled <= emptied + SLOTS; slot i is the thread's while
 * filled <= i, the user's while emptied <= i < filled. Every slot but the last is full.
 */
#include "lib/layer/unpackahead.h"

#include <pthread.h>
#include <signal.h>

enum { SLOTS = 8, SLOT_SIZE = 256 << 10 };

struct slot {
        char *bytes;
        size_t n;
};

struct sw_ahead {
        struct sw_reader in;
        struct slot slots[SLOTS];
        pthread_t thread;
        pthread_mutex_t lock; /* over what follows */
        pthread_cond_t changed;
        uint64_t filled, emptied;
        bool stop, ended;
        sw_err *err; /* with ended */
        /* the user's */
        size_t at; /* in slot emptied */
        bool holds;
        /* the thread's until it ended */
        sw_hasher *hash;
        int64_t size;
        sw_digest digest;
};

/* Fill a slot as far as it goes. */
static sw_err *
fill(struct sw_ahead *a, struct slot *s, bool *end)
{
        s->n = 0;
        while (s->n < SLOT_SIZE) {
                size_t got = 0;
                sw_err *err =
                        a->in.read(a->in.arg, s->bytes + s->n, SLOT_SIZE - s->n, &got);

                *end = !err && !got;
                if (err || !got)
                        return err;
                sw_hasher_add(a->hash, s->bytes + s->n, got);
                s->n += got;
                a->size += (int64_t) got;
        }
        return SW_OK;
}

/* Wait for a slot; false: nobody wants more. */
static bool
wait_for_room(struct sw_ahead *a, struct slot **s)
{
        pthread_mutex_lock(&a->lock);
        while (!a->stop && a->filled - a->emptied == SLOTS)
                pthread_cond_wait(&a->changed, &a->lock);
        *s = &a->slots[a->filled % SLOTS];
        bool go = !a->stop;
        pthread_mutex_unlock(&a->lock);
        return go;
}

static void *
ahead_main(void *arg)
{
        struct sw_ahead *a = arg;
        struct slot *s;
        bool end = false;
        sw_err *err = SW_OK;

        while (!end && !err && wait_for_room(a, &s)) {
                if (!s->bytes)
                        s->bytes = sw_alloc(SLOT_SIZE);
                err = fill(a, s, &end);
                if (end)
                        a->digest = sw_hasher_finish(a->hash);
                pthread_mutex_lock(&a->lock);
                a->filled += s->n > 0;
                a->err = err;
                a->ended = end || err;
                pthread_cond_signal(&a->changed);
                pthread_mutex_unlock(&a->lock);
        }
        return NULL;
}

sw_err *
sw_ahead_start(const struct sw_reader *in, struct sw_ahead **out)
{
        struct sw_ahead *a = sw_new(struct sw_ahead);
        sigset_t all, old;

        a->in = *in;
        a->hash = sw_hasher_new();
        pthread_mutex_init(&a->lock, NULL);
        pthread_cond_init(&a->changed, NULL);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        int failed = pthread_create(&a->thread, NULL, ahead_main, a);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (failed) {
                a->stop = true;
                a->ended = true;
                sw_hasher_free(a->hash);
                free(a);
                return sw_err_sys(SW_E_INTERNAL, failed, "start a thread to unpack");
        }
        *out = a;
        return SW_OK;
}

/* Give the slot in hand back. */
static void
give_back_locked(struct sw_ahead *a)
{
        a->emptied++;
        a->at = 0;
        a->holds = false;
        pthread_cond_signal(&a->changed);
}

sw_err *
sw_ahead_peek(void *ahead, const char **p, size_t *n)
{
        struct sw_ahead *a = ahead;
        struct slot *s = &a->slots[a->emptied % SLOTS];
        sw_err *err = SW_OK;

        if (!a->holds || a->at == s->n) {
                pthread_mutex_lock(&a->lock);
                if (a->holds)
                        give_back_locked(a);
                while (a->filled == a->emptied && !a->ended)
                        pthread_cond_wait(&a->changed, &a->lock);
                a->holds = a->filled > a->emptied;
                if (!a->holds && a->err)
                        err = sw_err_copy(a->err);
                pthread_mutex_unlock(&a->lock);
        }
        s = &a->slots[a->emptied % SLOTS];
        *n = a->holds ? s->n - a->at : 0;
        *p = a->holds ? s->bytes + a->at : NULL;
        return err;
}

void
sw_ahead_skip(void *ahead, size_t n)
{
        ((struct sw_ahead *) ahead)->at += n;
}

void
sw_ahead_end(struct sw_ahead *a, sw_digest *digest, int64_t *size)
{
        *digest = a->digest;
        *size = a->size;
}

void
sw_ahead_stop(struct sw_ahead *a)
{
        if (!a)
                return;
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_signal(&a->changed);
        pthread_mutex_unlock(&a->lock);
        (void) pthread_join(a->thread, NULL);
        pthread_mutex_destroy(&a->lock);
        pthread_cond_destroy(&a->changed);
        for (size_t i = 0; i < SLOTS; i++)
                free(a->slots[i].bytes);
        sw_hasher_free(a->hash);
        sw_err_drop(a->err, "who peeked got a copy");
        free(a);
}
