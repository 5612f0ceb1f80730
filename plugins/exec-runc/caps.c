/*
 * plugins/exec-runc/caps.c - capabilities: which a container gets, and their names.
 * Thread: any.
 */
#include <linux/capability.h>
#include <sys/prctl.h>

#include "plugins/exec-runc/runc.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* By number. */
static const char *const names[] = {
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETPCAP",
        "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
        "CAP_IPC_LOCK",
        "CAP_IPC_OWNER",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE",
        "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT",
        "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE",
        "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG",
        "CAP_MKNOD",
        "CAP_LEASE",
        "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP",
        "CAP_MAC_OVERRIDE",
        "CAP_MAC_ADMIN",
        "CAP_SYSLOG",
        "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND",
        "CAP_AUDIT_READ",
        "CAP_PERFMON",
        "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE",
};

uint64_t
runc_caps_default(void)
{
        return BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
               BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
               BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |
               BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);
}

/* A runtime fails when it is told to give what it does not have. */
uint64_t
runc_caps_here(void)
{
        uint64_t caps = 0;

        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
                        caps |= BIT(i);
        return caps;
}

json_t *
runc_caps_json(uint64_t caps)
{
        json_t *list = json_array(), *sets = json_object();

        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (caps & BIT(i))
                        json_array_append_new(list, json_string(names[i]));
        json_object_set(sets, "bounding", list);
        json_object_set(sets, "effective", list);
        json_object_set_new(sets, "permitted", list);
        return sets;
}
