/* cmd/slipway/build/signals.c - see signals.h. */
#include "cmd/slipway/build/signals.h"

#include <unistd.h>

static void *
signals_main(void *arg)
{
        struct signals *s = arg;
        int sig, n = 0;

        while (sigwait(&s->set, &sig) == 0) {
                if (sig == SIGUSR2)
                        return NULL;
                if (++n >= 3)
                        _exit(128 + sig);
                sw_cancel_now(s->cancel, sig == SIGINT   ? "interrupted"
                                         : sig == SIGHUP ? "the terminal is gone"
                                                         : "terminated");
        }
        return NULL;
}

void
signals_start(struct signals *s, sw_cancel *cancel)
{
        s->cancel = sw_cancel_ref(cancel);
        (void) sigemptyset(&s->set);
        (void) sigaddset(&s->set, SIGINT);
        (void) sigaddset(&s->set, SIGTERM);
        (void) sigaddset(&s->set, SIGHUP);
        (void) sigaddset(&s->set, SIGUSR2);
        (void) pthread_sigmask(SIG_BLOCK, &s->set, NULL);
        s->started = pthread_create(&s->thread, NULL, signals_main, s) == 0;
        if (!s->started) /* without it, signals do what they always do */
                (void) pthread_sigmask(SIG_UNBLOCK, &s->set, NULL);
}

void
signals_stop(struct signals *s)
{
        if (s->started) {
                (void) pthread_kill(s->thread, SIGUSR2);
                (void) pthread_join(s->thread, NULL);
        }
        sw_cancel_unref(sw_steal(s->cancel));
}
