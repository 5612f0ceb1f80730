/*
 * cmd/slipway/build/signals.h - SIGINT, SIGTERM and SIGHUP while a build goes on: the first
 * cancels it, the third one ends the program. Thread: main, and one of its own.
 */
#ifndef SLIPWAY_CMD_BUILD_SIGNALS_H
#define SLIPWAY_CMD_BUILD_SIGNALS_H

#include <pthread.h>
#include <signal.h>

#include <slipway/cancel.h>

struct signals {
        sw_cancel *cancel;
        sigset_t set;
        pthread_t thread;
        bool started;
};

/** signals_start - before any other thread is started: they inherit the mask. @cancel:
 *  counted until signals_stop(), since the thread may still be at it when the build that it
 *  cancelled is over and released. */
void signals_start(struct signals *s, sw_cancel *cancel);
void signals_stop(struct signals *s);

#endif
