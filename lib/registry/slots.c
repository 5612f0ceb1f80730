/*
 * lib/registry/slots.c - how many transfers at one time a host gets from us.
 *
 * system.maxRegistryConcurrency of blobs, and one more when that is a document: what a
 * build waits for does not stand in line behind layers. Those who wait are let in in the
 * order they came, so that layers arrive in the order they were asked for.
 */
#include <string.h>

#include "lib/registry/client.h"

struct waiter {
        bool document, granted, cancelled;
        struct waiter *next;
};

struct slot_host {
        unsigned taken;
        struct waiter *first;
        pthread_cond_t changed; /* granted, or cancelled */
};

struct wake {
        struct sw__slots *s;
        struct slot_host *h;
        struct waiter *w;
};

static void
slot_host_free(void *p)
{
        struct slot_host *h = p;

        pthread_cond_destroy(&h->changed);
        free(h);
}

void
sw__slots_init(struct sw__slots *s, unsigned limit)
{
        pthread_mutex_init(&s->lock, NULL);
        s->hosts = sw_map_new(slot_host_free);
        s->limit = limit;
}

void
sw__slots_release(struct sw__slots *s)
{
        sw_map_free(s->hosts);
        pthread_mutex_destroy(&s->lock);
}

static struct slot_host *
host_locked(struct sw__slots *s, const char *name)
{
        struct slot_host *h = sw_map_get(s->hosts, name);

        if (!h) {
                h = sw_new(struct slot_host);
                pthread_cond_init(&h->changed, NULL);
                (void) sw_map_set(s->hosts, name, h);
        }
        return h;
}

/* Let in whom there is room for; documents may pass blobs that wait. */
static void
grant_locked(struct sw__slots *s, struct slot_host *h)
{
        bool any = false;

        for (struct waiter **at = &h->first; *at;) {
                struct waiter *w = *at;

                if (h->taken < s->limit + (w->document ? 1 : 0)) {
                        *at = w->next;
                        h->taken++;
                        w->granted = any = true;
                } else {
                        at = &w->next;
                }
        }
        if (any)
                pthread_cond_broadcast(&h->changed);
}

static void
on_cancel(void *arg)
{
        struct wake *k = arg;

        pthread_mutex_lock(&k->s->lock);
        k->w->cancelled = true;
        pthread_cond_broadcast(&k->h->changed);
        pthread_mutex_unlock(&k->s->lock);
}

static void
leave_locked(struct slot_host *h, struct waiter *w)
{
        for (struct waiter **at = &h->first; *at; at = &(*at)->next) {
                if (*at == w) {
                        *at = w->next;
                        return;
                }
        }
}

sw_err *
sw__slots_take(struct sw__slots *s, sw_ctx *ctx, const char *host, bool document)
{
        sw_cancel *cancel = sw_ctx_cancel(ctx);
        struct waiter w = { .document = document };

        pthread_mutex_lock(&s->lock);
        struct slot_host *h = host_locked(s, host);
        struct waiter **end = &h->first;
        while (*end)
                end = &(*end)->next;
        *end = &w;
        grant_locked(s, h);
        bool granted = w.granted;
        pthread_mutex_unlock(&s->lock);
        if (granted)
                return SW_OK;

        struct wake k = { s, h, &w };
        uint64_t handle = sw_cancel_on(cancel, on_cancel, &k);
        pthread_mutex_lock(&s->lock);
        while (!w.granted && !w.cancelled)
                pthread_cond_wait(&h->changed, &s->lock);
        granted = w.granted;
        if (!granted)
                leave_locked(h, &w);
        pthread_mutex_unlock(&s->lock);
        sw_cancel_off(cancel, handle);
        return granted ? SW_OK : sw_cancel_check(cancel);
}

void
sw__slots_give(struct sw__slots *s, const char *host)
{
        pthread_mutex_lock(&s->lock);
        struct slot_host *h = host_locked(s, host);
        h->taken--;
        grant_locked(s, h);
        pthread_mutex_unlock(&s->lock);
}
