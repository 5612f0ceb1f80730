/*
 * plugins/exec-runc/cgroupstat.c - what the cgroup of a container counted: processor time,
 * the most memory, bytes read and written, whether memory ran out.
 *
 * Everything here is best effort: what a kernel does not count stays "not known".
 * Thread: any, for different cgroups.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include <slipway/path.h>

#include "plugins/exec-runc/runc.h"

#define STAT_MAX (1 << 20)

/* A file of the cgroup in the hierarchy that has @controller ("" for version 2); "" where
 * there is none. */
static void
read_file(const struct runc_cgroup *g, const char *controller, const char *name,
          sw_buf *out)
{
        sw_auto(sw_str) word = sw_asprintf(",%s,", controller);

        sw_buf_clear(out);
        for (size_t i = 0; i < g->all->n; i++) {
                const struct runc_hierarchy *h = &g->all->h[i];

                if (*controller ? !strstr(h->controllers, word) : h->controllers[0] != 0)
                        continue;
                sw_auto(sw_str) dir = sw_path_join(h->path, g->outer);
                sw_auto(sw_str) path = sw_path_join(dir, name);
                sw_err_drop(sw_buf_read_file(out, AT_FDCWD, path, STAT_MAX), "not counted");
                return;
        }
}

static int64_t
number_in(const sw_buf *b)
{
        char *end;
        int64_t n = strtoll(b->data, &end, 10);

        return end == b->data ? -1 : n;
}

/* Of a file with lines "KEY VALUE". */
static int64_t
value_of(const sw_buf *b, const char *key)
{
        size_t len = strlen(key);

        for (const char *p = b->data; *p; p = strchrnul(p, '\n'), p += *p != 0)
                if (strncmp(p, key, len) == 0 && p[len] == ' ')
                        return strtoll(p + len, NULL, 10);
        return -1;
}

/* The sum of what follows @word and one more character, over all lines. */
static int64_t
sum_of(const sw_buf *b, const char *word)
{
        int64_t sum = 0;
        size_t len = strlen(word);

        for (const char *p = b->data; (p = strstr(p, word)); p += len)
                sum += strtoll(p + len + 1, NULL, 10);
        return sum;
}

static void
read_v2(const struct runc_cgroup *g, struct sw_exec_status *out)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        read_file(g, "", "cpu.stat", &b);
        int64_t us = value_of(&b, "usage_usec");
        out->cpu_ns = us < 0 ? out->cpu_ns : us * 1000;
        read_file(g, "", "memory.peak", &b);
        out->memory_peak = number_in(&b);
        read_file(g, "", "memory.events", &b);
        out->out_of_memory = value_of(&b, "oom_kill") > 0;
        read_file(g, "", "io.stat", &b);
        if (b.len) {
                out->io_read = sum_of(&b, " rbytes");
                out->io_written = sum_of(&b, " wbytes");
        }
}

static void
read_v1(const struct runc_cgroup *g, struct sw_exec_status *out)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        uint64_t events = 0;

        read_file(g, "cpuacct", "cpuacct.usage", &b);
        int64_t ns = number_in(&b);
        out->cpu_ns = ns < 0 ? out->cpu_ns : ns;
        read_file(g, "memory", "memory.max_usage_in_bytes", &b);
        out->memory_peak = number_in(&b);
        if (g->oom_event >= 0 && read(g->oom_event, &events, sizeof(events)) > 0)
                out->out_of_memory = events > 0;
        read_file(g, "blkio", "blkio.throttle.io_service_bytes_recursive", &b);
        if (b.len) {
                out->io_read = sum_of(&b, " Read");
                out->io_written = sum_of(&b, " Write");
        }
}

void
runc_cgroup_read(const struct runc_cgroup *g, struct sw_exec_status *out)
{
        if (!g->outer)
                return;
        if (g->all->v2)
                read_v2(g, out);
        else
                read_v1(g, out);
}
