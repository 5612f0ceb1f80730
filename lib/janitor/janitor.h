/*
 * lib/janitor/janitor.h - clearing away what the result of some work does not wait for.
 *
 * Jobs are done one after the other by a thread that is made with the first of them. All
 * are done when janitor_free() returns. A process that is killed leaves them undone, so
 * what they take away must be found by others, too.
 *
 * Thread: any; janitor_free() alone, and last.
 */
#ifndef SLIPWAY_LIB_JANITOR_H
#define SLIPWAY_LIB_JANITOR_H

struct janitor;

/** janitor_new - @name: of the thread, at most 15 bytes; borrowed for as long. */
struct janitor *janitor_new(const char *name);
/** janitor_add - have @job called with @arg (given). It must not wait for anybody. */
void janitor_add(struct janitor *j, void (*job)(void *arg), void *arg);
/** janitor_wait - until everything is done that was added before. Not from a job. */
void janitor_wait(struct janitor *j);
/** janitor_free - once everything is done. NULL is fine. */
void janitor_free(struct janitor *j);

#endif
