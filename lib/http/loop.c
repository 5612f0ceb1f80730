/*
 * lib/http/loop.c - the thread that drives all transfers.
 *
 * Callers put transfers into the inbox and wake the thread up; all calls of curl's on
 * transfers that run are made by the thread. It waits in curl_multi_poll() only, and its
 * signals are blocked: what a broken connection raises (SIGPIPE) is an error code here.
 *
 * Callers are woken up for larger pieces, or when nothing more comes for the moment: a
 * fast transfer arrives in pieces of 8 or 16 KiB, and waking somebody up for each costs
 * more than the transfer.
 */
#include <signal.h>

#include <slipway/mem.h>

#include "lib/http/xfer.h"

/* Connections kept open for later. */
#define IDLE_CONNECTIONS 16

#define IDLE_MS   60000
#define SETTLE_MS 2 /* of silence, until a caller is told of less than is worth it */

static void
put(struct sw__loop *l, struct sw__xfer *x, bool gone)
{
        pthread_mutex_lock(&l->lock);
        if (gone)
                x->wanted_gone = true;
        if (!x->queued) {
                x->queued = true;
                atomic_fetch_add(&x->refs, 1);
                x->next = l->inbox;
                l->inbox = x;
        }
        pthread_mutex_unlock(&l->lock);
        (void) curl_multi_wakeup(l->multi);
}

void
sw__loop_kick(struct sw__loop *l, struct sw__xfer *x)
{
        put(l, x, false);
}

void
sw__loop_drop(struct sw__loop *l, struct sw__xfer *x)
{
        put(l, x, true);
}

/* A transfer that runs ends: on its own, or because nobody wants it any more. */
static void
end(struct sw__loop *l, struct sw__xfer *x, CURLcode result)
{
        for (size_t i = 0; i < l->running.n; i++) {
                if (l->running.v[i] == x) {
                        l->running.v[i] = l->running.v[--l->running.n];
                        break;
                }
        }
        (void) curl_multi_remove_handle(l->multi, x->easy);
        sw__xfer_finish(x, result);
        sw__xfer_unref(x);
}

static void
begin(struct sw__loop *l, struct sw__xfer *x)
{
        atomic_fetch_add(&x->refs, 1);
        x->running = true;
        sw_array_push(&l->running, x);
        if (curl_multi_add_handle(l->multi, x->easy) != CURLM_OK)
                end(l, x, CURLE_FAILED_INIT);
}

/* Whether the inbox asks to stop. */
static bool
take_inbox(struct sw__loop *l)
{
        pthread_mutex_lock(&l->lock);
        struct sw__xfer *x = sw_steal(l->inbox);
        bool quit = l->quit;
        pthread_mutex_unlock(&l->lock);

        while (x) {
                pthread_mutex_lock(&l->lock);
                struct sw__xfer *next = x->next;
                bool gone = x->wanted_gone;
                x->queued = false;
                pthread_mutex_unlock(&l->lock);

                if (x->running && gone)
                        end(l, x, CURLE_ABORTED_BY_CALLBACK);
                else if (x->running)
                        (void) curl_easy_pause(x->easy, CURLPAUSE_CONT);
                else if (x->easy && !gone) /* else it ended meanwhile */
                        begin(l, x);
                sw__xfer_unref(x);
                x = next;
        }
        return quit;
}

static void
reap(struct sw__loop *l)
{
        int left;

        for (CURLMsg *m; (m = curl_multi_info_read(l->multi, &left));) {
                struct sw__xfer *x = NULL;
                CURLcode result = m->data.result;

                if (m->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &x);
                end(l, x, result);
        }
}

/* Whether some transfer has bytes that its caller was not told of. */
static bool
has_unsaid(const struct sw__loop *l)
{
        for (size_t i = 0; i < l->running.n; i++) {
                if (l->running.v[i]->unsaid)
                        return true;
        }
        return false;
}

static void
say_all(struct sw__loop *l)
{
        for (size_t i = 0; i < l->running.n; i++) {
                if (l->running.v[i]->unsaid)
                        sw__xfer_say(l->running.v[i]);
        }
}

static void *
run(void *arg)
{
        struct sw__loop *l = arg;
        int running, events = 0;

        while (!take_inbox(l)) {
                (void) curl_multi_perform(l->multi, &running);
                reap(l);
                bool settle = has_unsaid(l);
                (void) curl_multi_poll(l->multi, NULL, 0, settle ? SETTLE_MS : IDLE_MS,
                                       &events);
                if (settle && events == 0)
                        say_all(l);
        }
        while (l->running.n > 0)
                end(l, l->running.v[0], CURLE_ABORTED_BY_CALLBACK);
        return NULL;
}

sw_err *
sw__loop_start(struct sw__loop *l)
{
        sigset_t all, before;

        l->multi = curl_multi_init();
        if (!l->multi)
                return sw_err_new(SW_E_NOMEM, "curl_multi_init");
        (void) curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
        (void) curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long) IDLE_CONNECTIONS);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int rc = pthread_create(&l->thread, NULL, run, l);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (rc != 0) {
                curl_multi_cleanup(sw_steal(l->multi));
                return sw_err_sys(SW_E_NOMEM, rc, "start the thread of HTTP transfers");
        }
        (void) pthread_setname_np(l->thread, "http");
        l->started = true;
        return SW_OK;
}

void
sw__loop_stop(struct sw__loop *l)
{
        if (!l->started)
                return;
        pthread_mutex_lock(&l->lock);
        l->quit = true;
        pthread_mutex_unlock(&l->lock);
        (void) curl_multi_wakeup(l->multi);
        pthread_join(l->thread, NULL);
        sw_array_release(&l->running);
        curl_multi_cleanup(l->multi);
        l->started = false;
}
