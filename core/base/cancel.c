/*
 * core/base/cancel.c - cancellation tokens.
 *
 *   LIVE -> CANCELLED      once, under the token's lock; never back
 *
 * Thread: any. A token's lock covers its reason, descriptor, callbacks and list of
 * children; at most one lock is held at a time, and none while a callback runs.
 * Invariants:
 *   I1  a child holds a reference to its parent; the parent lists the child without one
 *   I2  a cancelled token lists no callback; children it still lists are being freed
 *   I3  the reason is written before the state, and never again
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>

#include <slipway/cancel.h>
#include <slipway/mem.h>
#include <slipway/time.h>

/* The handle a NULL token gives: any number but 0 will do. */
#define NULL_HANDLE UINT64_MAX

struct hook {
        struct hook *next;
        uint64_t handle;
        void (*fn)(void *);
        void *arg;
};

struct sw_cancel {
        atomic_uint refs;
        atomic_bool cancelled;
        pthread_mutex_t lock;
        pthread_cond_t changed; /* state set, or a callback came back */
        char *reason;
        int fd; /* eventfd, -1 until asked for */

        struct hook *hooks;
        uint64_t last_handle;
        uint64_t running; /* handle of the callback that runs now; 0: none */
        pthread_t runner; /* valid while running != 0 */

        sw_cancel *parent;
        sw_cancel *children;    /* under this token's lock */
        sw_cancel *prev, *next; /* siblings: under the parent's lock, or on a work list */
        bool listed;            /* under the parent's lock */
};

static sw_cancel *
make_token(void)
{
        sw_cancel *c = sw_new(sw_cancel);
        pthread_condattr_t attr;

        atomic_init(&c->refs, 1);
        atomic_init(&c->cancelled, false);
        c->fd = -1;
        pthread_mutex_init(&c->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&c->changed, &attr);
        pthread_condattr_destroy(&attr);
        return c;
}

/* Under the parent's lock: put @c in front of the parent's list. */
static void
list_child_locked(sw_cancel *parent, sw_cancel *c)
{
        c->next = parent->children;
        c->prev = NULL;
        if (c->next)
                c->next->prev = c;
        parent->children = c;
        c->listed = true;
}

static void
unlist_child_locked(sw_cancel *parent, sw_cancel *c)
{
        if (c->prev)
                c->prev->next = c->next;
        else
                parent->children = c->next;
        if (c->next)
                c->next->prev = c->prev;
        c->prev = c->next = NULL;
        c->listed = false;
}

sw_cancel *
sw_cancel_new(sw_cancel *parent)
{
        sw_cancel *c = make_token();

        if (!parent)
                return c;
        c->parent = sw_cancel_ref(parent);
        pthread_mutex_lock(&parent->lock);
        if (atomic_load(&parent->cancelled)) {
                c->reason = sw_strdup(parent->reason);
                atomic_store(&c->cancelled, true);
        } else {
                list_child_locked(parent, c);
        }
        pthread_mutex_unlock(&parent->lock);
        return c;
}

sw_cancel *
sw_cancel_ref(sw_cancel *c)
{
        if (c)
                atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
        return c;
}

/* A reference to a token that is listed but may be on its way out: false when it is. */
static bool
ref_unless_dying(sw_cancel *c)
{
        unsigned n = atomic_load(&c->refs);

        while (n > 0)
                if (atomic_compare_exchange_weak(&c->refs, &n, n + 1))
                        return true;
        return false;
}

static void
destroy_token(sw_cancel *c)
{
        while (c->hooks) {
                struct hook *h = c->hooks;

                c->hooks = h->next;
                free(h);
        }
        if (c->fd >= 0)
                (void) close(c->fd);
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->lock);
        free(c->reason);
        free(c);
}

void
sw_cancel_unref(sw_cancel *c)
{
        /* A loop: the last child may take a long line of ancestors along. */
        while (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) {
                sw_cancel *parent = c->parent;

                if (parent) {
                        pthread_mutex_lock(&parent->lock);
                        if (c->listed)
                                unlist_child_locked(parent, c);
                        pthread_mutex_unlock(&parent->lock);
                }
                destroy_token(c);
                c = parent;
        }
}

/* Move the living children of @c, each with a reference, in front of the work list. */
static sw_cancel *
take_children_locked(sw_cancel *c, sw_cancel *work)
{
        sw_cancel *child = c->children;

        while (child) {
                sw_cancel *next = child->next;

                if (ref_unless_dying(child)) {
                        unlist_child_locked(c, child);
                        child->next = work;
                        work = child;
                }
                child = next;
        }
        return work;
}

/* Run the callbacks of @c one by one; the lock is held on entry and on return. */
static void
run_hooks_locked(sw_cancel *c)
{
        while (c->hooks) {
                struct hook *h = c->hooks;

                c->hooks = h->next;
                c->running = h->handle;
                c->runner = pthread_self();
                pthread_mutex_unlock(&c->lock);
                h->fn(h->arg);
                free(h);
                pthread_mutex_lock(&c->lock);
                c->running = 0;
                pthread_cond_broadcast(&c->changed);
        }
}

/* Cancel @c alone; its children join the work list that is handed back. */
static sw_cancel *
cancel_one(sw_cancel *c, const char *reason, sw_cancel *work)
{
        pthread_mutex_lock(&c->lock);
        if (!atomic_load(&c->cancelled)) {
                c->reason = sw_strdup(reason);
                atomic_store(&c->cancelled, true);
                if (c->fd >= 0)
                        (void) eventfd_write(c->fd, 1);
                pthread_cond_broadcast(&c->changed);
                work = take_children_locked(c, work);
                run_hooks_locked(c);
        }
        pthread_mutex_unlock(&c->lock);
        return work;
}

void
sw_cancel_now(sw_cancel *c, const char *reason)
{
        if (!c)
                return;
        sw_cancel *work = cancel_one(c, reason, NULL);
        while (work) {
                sw_cancel *child = work;

                work = child->next;
                child->next = NULL;
                work = cancel_one(child, reason, work);
                sw_cancel_unref(child);
        }
}

bool
sw_cancelled(const sw_cancel *c)
{
        return c && atomic_load_explicit(&c->cancelled, memory_order_acquire);
}

sw_err *
sw_cancel_check(const sw_cancel *c)
{
        if (!sw_cancelled(c))
                return SW_OK;
        if (c->reason)
                return sw_err_new(SW_E_CANCELLED, "cancelled: %s", c->reason);
        return sw_err_new(SW_E_CANCELLED, "cancelled");
}

sw_err *
sw_cancel_fd(sw_cancel *c, int *fd)
{
        int saved = 0;

        *fd = -1;
        if (!c)
                return SW_OK;
        pthread_mutex_lock(&c->lock);
        if (c->fd < 0) {
                c->fd = eventfd(atomic_load(&c->cancelled) ? 1 : 0,
                                EFD_CLOEXEC | EFD_NONBLOCK);
                saved = errno;
        }
        *fd = c->fd;
        pthread_mutex_unlock(&c->lock);
        if (*fd < 0)
                return sw_err_sys(SW_E_IO, saved, "make a cancellation descriptor");
        return SW_OK;
}

/* @ns from now on the monotonic clock, held inside what the clock can say. */
static struct timespec
deadline_after(int64_t ns)
{
        int64_t at = sw_time_mono();

        return sw_time_to_spec(ns > INT64_MAX - at ? INT64_MAX : at + ns);
}

bool
sw_cancel_wait(sw_cancel *c, int64_t timeout_ns)
{
        struct timespec until = { 0 };
        int rc = 0;

        if (timeout_ns >= 0)
                until = deadline_after(timeout_ns);
        if (!c) {
                assert(timeout_ns >= 0); /* nobody could ever end this sleep */
                while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
                       EINTR)
                        continue;
                return false;
        }
        pthread_mutex_lock(&c->lock);
        while (!atomic_load(&c->cancelled) && rc != ETIMEDOUT)
                rc = timeout_ns < 0 ? pthread_cond_wait(&c->changed, &c->lock)
                                    : pthread_cond_timedwait(&c->changed, &c->lock, &until);
        bool cancelled = atomic_load(&c->cancelled);
        pthread_mutex_unlock(&c->lock);
        return cancelled;
}

uint64_t
sw_cancel_on(sw_cancel *c, void (*fn)(void *), void *arg)
{
        if (!c)
                return NULL_HANDLE;
        struct hook *h = sw_new(struct hook);
        pthread_mutex_lock(&c->lock);
        uint64_t handle = ++c->last_handle;
        bool now = atomic_load(&c->cancelled);
        if (!now) {
                *h = (struct hook){ c->hooks, handle, fn, arg };
                c->hooks = h;
        }
        pthread_mutex_unlock(&c->lock);
        if (now) {
                free(h);
                fn(arg);
        }
        return handle;
}

void
sw_cancel_off(sw_cancel *c, uint64_t handle)
{
        if (!c)
                return;
        pthread_mutex_lock(&c->lock);
        for (struct hook **at = &c->hooks; *at; at = &(*at)->next) {
                struct hook *h = *at;

                if (h->handle != handle)
                        continue;
                *at = h->next;
                free(h);
                break;
        }
        /* It may be running: wait, unless it is the callback itself that asks. */
        while (c->running == handle && !pthread_equal(c->runner, pthread_self()))
                pthread_cond_wait(&c->changed, &c->lock);
        pthread_mutex_unlock(&c->lock);
}
