/*
 * cmd/slipway/doctor/trial.c - hidden verb `doctor-try DIR`; see trial.h.
 *
 * Thread: main, the only one: unshare(CLONE_NEWUSER) allows no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cmd/slipway/doctor/trial.h"
#include "cmd/slipway/program.h"

void
trial_say(struct trial *t, const char *name, int err)
{
        json_object_set_new(t->results, name, json_text(err ? strerror(err) : ""));
}

/* Write a line to a file of /proc/self. Returns 0 or an errno. */
static int
write_self(const char *name, const char *text)
{
        sw_auto(sw_str) path = sw_asprintf("/proc/self/%s", name);
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return errno;
        return write(fd, text, strlen(text)) < 0 ? errno : 0;
}

int
trial_new_userns(int more)
{
        sw_auto(sw_str) uid_map = sw_asprintf("0 %u 1", (unsigned) geteuid());
        sw_auto(sw_str) gid_map = sw_asprintf("0 %u 1", (unsigned) getegid());

        if (unshare(CLONE_NEWUSER | more) != 0)
                return errno;
        int err = write_self("uid_map", uid_map);
        if (!err)
                err = write_self("setgroups", "deny");
        return err ? err : write_self("gid_map", gid_map);
}

static int
enter_namespaces(void)
{
        if (unshare(CLONE_NEWNS) != 0) {
                int err = trial_new_userns(CLONE_NEWNS);
                if (err)
                        return err;
        }
        /* Nothing mounted here may show up in the namespace we came from. */
        return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ? errno : 0;
}

static void
try_reflink(struct trial *t)
{
        sw_auto(sw_str) from = sw_asprintf("%s/reflink-from", t->dir);
        sw_auto(sw_str) to = sw_asprintf("%s/reflink-to", t->dir);
        sw_auto(sw_fd) src = open(from, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        sw_auto(sw_fd) dst = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        static const char block[4096] = "slipway";

        if (src < 0 || dst < 0 || write(src, block, sizeof(block)) != sizeof(block))
                trial_say(t, "reflink", errno);
        else
                trial_say(t, "reflink", ioctl(dst, FICLONE, src) != 0 ? errno : 0);
}

static sw_err *
run_doctor_try(const struct cli_call *call)
{
        struct trial t = { .dir = cli_argument(call, 0), .results = json_object() };

        try_reflink(&t);
        int err = enter_namespaces();
        trial_say(&t, "namespace", err);
        if (!err) {
                trial_overlays(&t);
                trial_mount_api(&t);
                trial_idmap(&t);
        }
        return out_json(t.results);
}

static const struct cli_arg try_args[] = {
        { .name = "DIR",
          .min = 1,
          .max = 1,
          .help = "an empty directory to try things in" },
        { .name = NULL },
};

CLI_VERB(doctor_try) = {
        .name = "doctor-try",
        .summary = "try mounts in namespaces of its own, for slipway doctor",
        .args = try_args,
        .run = run_doctor_try,
        .hidden = true,
};
