/*
 * plugins/exec-runc/cgroup.c - the cgroup of a container: where it is, killing and removing
 * it. What it counted: cgroupstat.c.
 *
 * The runtime makes /slipway/ID/c in every hierarchy and removes only the last component
 * when the container has ended, so /slipway/ID still has what was counted; it is ours to
 * remove. Before it is, whatever is in it gets SIGKILL.
 *
 * Thread: any, for different cgroups.
 */
#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "plugins/exec-runc/runc.h"

#define OURS      "slipway"
#define INNER     "c"
#define DEPTH_MAX 16
#define PAGE      4096
#define RETRY_MS  2

/* ---- what the machine has ------------------------------------------------------------ */

/* Undo the \040 of mountinfo, in place. */
static void
unescape(char *s)
{
        char *to = s;

        for (; *s; s++) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
                        *to++ = (char) ((s[1] - '0') * 64 + (s[2] - '0') * 8 +
                                        (s[3] - '0'));
                        s += 3;
                } else {
                        *to++ = *s;
                }
        }
        *to = 0;
}

static bool
has_controllers(const char *mount)
{
        sw_auto(sw_str) path = sw_path_join(mount, "cgroup.controllers");
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, path, PAGE);

        if (err) {
                sw_err_drop(err, "then it has none");
                return false;
        }
        return text.len > 1;
}

/* One line of mountinfo: "… MOUNTPOINT OPTIONS … - TYPE SOURCE SUPEROPTIONS". */
static void
add_mount(struct runc_cgroups *c, char *line)
{
        char *dash = strstr(line, " - "), *save = NULL, *field = line;
        bool v2;

        if (!dash || strncmp(dash + 3, "cgroup", 6) != 0 || c->n == RUNC_MAX_HIERARCHIES)
                return;
        v2 = strncmp(dash + 3, "cgroup2 ", 8) == 0;
        if (!v2 && strncmp(dash + 3, "cgroup ", 7) != 0)
                return;
        *dash = 0;
        for (int i = 0; i < 5; i++)
                field = strtok_r(i ? NULL : line, " ", &save);
        if (!field)
                return;
        unescape(field);
        const char *super = strrchr(dash + 3, ' ');
        struct runc_hierarchy *h = &c->h[c->n++];
        h->path = sw_strdup(field);
        h->controllers = v2 ? sw_strdup("") : sw_asprintf(",%s,", super ? super + 1 : "");
}

static void
find_kind(struct runc_cgroups *c)
{
        size_t v1 = 0;
        const char *second = NULL;

        for (size_t i = 0; i < c->n; i++) {
                v1 += c->h[i].controllers[0] != 0;
                if (!c->h[i].controllers[0])
                        second = c->h[i].path;
        }
        c->v2 = second && !v1;
        c->hybrid = second && v1 && has_controllers(second);
        if (c->hybrid)
                c->hybrid_path = sw_strdup(second);
}

/* Whether directories can be made in all of them. */
static bool
can_be_made(const struct runc_cgroups *c)
{
        for (size_t i = 0; i < c->n; i++) {
                if (faccessat(AT_FDCWD, c->h[i].path, W_OK, AT_EACCESS) != 0)
                        return false;
        }
        return c->n > 0;
}

void
runc_cgroups_find(struct runc_cgroups *c)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, "/proc/self/mountinfo", 16 << 20);
        char *next = text.data;

        sw_err_drop(err, "containers without cgroups are better than none");
        while (*next) {
                char *line = next, *end = strchrnul(line, '\n');

                next = *end ? end + 1 : end;
                *end = 0;
                add_mount(c, line);
        }
        find_kind(c);
        c->usable = can_be_made(c);
}

void
runc_cgroups_release(struct runc_cgroups *c)
{
        for (size_t i = 0; i < c->n; i++) {
                free(c->h[i].path);
                free(c->h[i].controllers);
        }
        free(c->hybrid_path);
        *c = (struct runc_cgroups){ 0 };
}

/* ---- one container's ----------------------------------------------------------------- */

sw_err *
runc_cgroup_plan(struct runc_cgroup *g, const struct runc_cgroups *all, const char *parent,
                 const char *id)
{
        *g = (struct runc_cgroup){ .all = all, .oom_event = -1, .oom_control = -1 };
        if (!all->usable)
                return SW_OK;
        if (parent && strstr(parent, ".slice") && strchr(parent, ':')) {
                /* "SLICE:PREFIX:": systemd makes it and keeps the books */
                g->for_spec = sw_asprintf("%s%s", parent, id);
                g->systemd = true;
                return SW_OK;
        }
        sw_auto(sw_str) below = sw_path_join("/", parent ? parent : "");
        if (strlen(below) > PATH_MAX / 4)
                return sw_err_new(SW_E_INVALID,
                                  "the name of the parent cgroup is longer "
                                  "than %d bytes",
                                  PATH_MAX / 4);
        sw_auto(sw_str) ours = sw_path_join(below, OURS);
        g->outer = sw_path_join(ours, id);
        g->for_spec = sw_path_join(g->outer, INNER);
        return SW_OK;
}

static const struct runc_hierarchy *
hierarchy_of(const struct runc_cgroups *c, const char *controller)
{
        sw_auto(sw_str) word = sw_asprintf(",%s,", controller);

        for (size_t i = 0; i < c->n; i++)
                if (strstr(c->h[i].controllers, word))
                        return &c->h[i];
        return NULL;
}

static sw_err *
write_file(int dirfd, const char *name, const char *text)
{
        sw_auto(sw_fd) fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
        ssize_t n = (ssize_t) strlen(text);

        if (fd < 0 || write(fd, text, (size_t) n) != n)
                return sw_err_sys(SW_E_IO, errno, "write %s to %s", text, name);
        return SW_OK;
}

/* Have an event counted whenever memory runs out in the outer cgroup. */
static sw_err *
watch_memory(struct runc_cgroup *g, int dirfd)
{
        char text[32];

        g->oom_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        g->oom_control = openat(dirfd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
        if (g->oom_event < 0 || g->oom_control < 0)
                return sw_err_sys(SW_E_IO, errno, "watch the memory of %s", g->outer);
        (void) snprintf(text, sizeof(text), "%d %d", g->oom_event, g->oom_control);
        return write_file(dirfd, "cgroup.event_control", text);
}

/*
 * Version 1 tells of memory that ran out only where the limit is, and forgets it with the
 * runtime's own cgroup. So the limit stands on ours too, one page lower: there it is
 * reached first, while the container sees the number that was asked for.
 */
sw_err *
runc_cgroup_prepare(struct runc_cgroup *g, const struct sw_exec_resources *r)
{
        const struct runc_hierarchy *h = hierarchy_of(g->all, "memory");
        sw_auto(sw_fd) root = -1;
        sw_auto(sw_fd) dir = -1;
        char text[32];

        if (!g->outer || !h || !r || r->memory < 2 * PAGE)
                return SW_OK;
        root = open(h->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", h->path);
        sw_err *err = sw_path_mkdirs(root, g->outer, 0755, &dir);
        if (!err) {
                (void) snprintf(text, sizeof(text), "%lld", (long long) r->memory - PAGE);
                err = write_file(dir, "memory.limit_in_bytes", text);
        }
        if (!err)
                err = watch_memory(g, dir);
        return sw_err_wrap(err, "limit the memory of %s", g->outer);
}

void
runc_cgroup_release(struct runc_cgroup *g)
{
        free(g->outer);
        free(g->for_spec);
        sw_fd_clear(&g->oom_event);
        sw_fd_clear(&g->oom_control);
        *g = (struct runc_cgroup){ .oom_event = -1, .oom_control = -1 };
}

/* ---- killing, removing --------------------------------------------------------------- */

static bool
kill_listed(int dirfd)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, dirfd, "cgroup.procs", 16 << 20);
        bool any = false;

        sw_err_drop(err, "a directory that is no cgroup any more has no processes");
        for (char *p = text.data; *p;) {
                long pid = strtol(p, &p, 10);

                if (pid > 0) {
                        (void) kill((pid_t) pid, SIGKILL);
                        any = true;
                }
                p += *p == '\n';
                if (pid <= 0)
                        break;
        }
        return any;
}

typedef bool cgroup_fn(int parentfd, const char *name, int dirfd);

/* Every cgroup of a tree, those inside first. */
static bool
walk(int parentfd, const char *name, cgroup_fn *fn, int depth)
{
        int fd = openat(parentfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;
        bool any = false;

        if (!d) {
                if (fd >= 0)
                        (void) close(fd);
                return false;
        }
        while (depth && (e = readdir(d)))
                if (e->d_type == DT_DIR && e->d_name[0] != '.')
                        any = walk(fd, e->d_name, fn, depth - 1) || any;
        any = fn(parentfd, name, fd) || any;
        (void) closedir(d);
        return any;
}

static bool
for_all(const struct runc_cgroups *all, const char *outer, cgroup_fn *fn)
{
        bool any = false;

        for (size_t i = 0; i < all->n; i++) {
                sw_auto(sw_str) dir = sw_path_join(all->h[i].path, outer);

                any = walk(AT_FDCWD, dir, fn, DEPTH_MAX) || any;
        }
        return any;
}

static bool
kill_one(int parentfd, const char *name, int dirfd)
{
        (void) parentfd;
        (void) name;
        sw_err_drop(write_file(dirfd, "cgroup.kill", "1"), "not on version 1");
        return kill_listed(dirfd);
}

bool
runc_cgroup_kill(const struct runc_cgroups *all, const char *outer)
{
        return for_all(all, outer, kill_one);
}

/* True when it is still there. */
static bool
remove_one(int parentfd, const char *name, int dirfd)
{
        (void) dirfd;
        return unlinkat(parentfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT;
}

/* They are empty as a rule, and need not be looked through then. */
static bool
remove_empty(const struct runc_cgroups *all, const char *outer)
{
        bool gone = true;

        for (size_t i = 0; i < all->n; i++) {
                sw_auto(sw_str) dir = sw_path_join(all->h[i].path, outer);

                gone = (rmdir(dir) == 0 || errno == ENOENT) && gone;
        }
        return gone;
}

sw_err *
runc_cgroup_remove(const struct runc_cgroups *all, const char *outer, int ms)
{
        int64_t deadline = sw_time_mono() + ms * SW_NS_PER_MS;

        if (remove_empty(all, outer))
                return SW_OK;
        while (for_all(all, outer, remove_one)) {
                (void) runc_cgroup_kill(all, outer);
                if (sw_time_mono() >= deadline)
                        return sw_err_new(SW_E_BUSY,
                                          "cgroup %s cannot be removed: processes in it do "
                                          "not end",
                                          outer);
                (void) poll(NULL, 0, RETRY_MS);
        }
        return SW_OK;
}
