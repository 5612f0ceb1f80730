/*
 * plugins/exec-runc/warm.c - have the kernel ready to move a process into a cgroup.
 *
 * Every runtime does that once for its container, under a lock of the kernel's whose first
 * writer in a while waits for all processors to have passed through the scheduler (an RCU
 * grace period): 5 to 20 ms, longer than all that the runtime does itself. Who comes soon
 * after that does not wait. So we go through that lock, on a thread that nobody waits for,
 * before the first container, and again when one has ended: while the next one is being
 * prepared the kernel has time to.
 *
 * What we do there is to move this process to the cgroup it is in, which changes nothing.
 * To be sure of that it is done in a hierarchy that has no threads of its own for each
 * cgroup: a named one of version 1, which limits nothing, or version 2.
 *
 * Thread: any; the janitor's, as it waits.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"

#define LIST_MAX (1 << 20)

static bool
is_named(const struct runc_hierarchy *h)
{
        return strstr(h->controllers, ",name=") != NULL;
}

/* The hierarchy to do it in; NULL: there is none. */
static const struct runc_hierarchy *
choose(const struct runc_cgroups *c)
{
        const struct runc_hierarchy *found = NULL;

        for (size_t i = 0; i < c->n; i++)
                if (is_named(&c->h[i]) || (!found && !c->h[i].controllers[0]))
                        found = &c->h[i];
        return found;
}

/* Where in @h the process is, from lines "NUMBER:CONTROLLERS:PATH". */
static char *
path_in(const struct runc_hierarchy *h, char *lines)
{
        for (char *next = lines; *next;) {
                char *line = next, *end = strchrnul(line, '\n');
                char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

                next = *end ? end + 1 : end;
                *end = 0;
                if (!path)
                        continue;
                *path++ = 0;
                sw_auto(sw_str) word = sw_asprintf(",%s,", ++list);
                bool mine = is_named(h) ? strstr(h->controllers, word) != NULL : !*list;
                if (mine && *path == '/' && !strstr(path, "/.."))
                        return sw_path_join(h->path, path + strspn(path, "/"));
        }
        return NULL;
}

char *
runc_warm_path(const struct runc_cgroups *c, char *lines)
{
        const struct runc_hierarchy *h = choose(c);

        return h ? path_in(h, lines) : NULL;
}

/* Whether @dir is the cgroup of this process, and of all its threads. What is mounted need
 * not be the hierarchy from its root on, so that a path may mean another one. */
static bool
is_ours(const char *dir)
{
        sw_auto(sw_str) list = sw_path_join(dir, "cgroup.procs");
        sw_auto(sw_str) type = sw_path_join(dir, "cgroup.type");
        sw_auto(sw_buf) text = SW_BUF_INIT;
        long self = getpid();

        sw_err_drop(sw_buf_read_file(&text, AT_FDCWD, type, LIST_MAX), "a root has none");
        if (text.len && strcmp(text.data, "domain\n") != 0)
                return false;
        sw_buf_clear(&text);
        sw_err_drop(sw_buf_read_file(&text, AT_FDCWD, list, LIST_MAX), "it is not then");
        for (char *p = text.data, *end; *p; p = end + (*end == '\n'))
                if (strtol(p, &end, 10) == self)
                        return true;
                else if (end == p)
                        break;
        return false;
}

void
runc_warm(void *exec)
{
        const struct runc_exec *x = exec;
        sw_auto(sw_buf) lines = SW_BUF_INIT;

        if (!x->cgroups.usable)
                return;
        sw_err_drop(sw_buf_read_file(&lines, AT_FDCWD, "/proc/self/cgroup", LIST_MAX),
                    "then nothing is done");
        sw_auto(sw_str) dir = runc_warm_path(&x->cgroups, lines.data);
        if (!dir || !is_ours(dir))
                return;
        sw_auto(sw_str) file = sw_path_join(dir, "cgroup.procs");
        sw_auto(sw_fd) fd = open(file, O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
                (void) !write(fd, "0", 1);
}
