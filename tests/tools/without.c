/*
 * tests/tools/without.c - a program on a kernel that lacks system calls.
 *
 *      without CALL... -- PROGRAM ARG...
 *
 * They fail with ENOSYS for the program and all that it starts, by a seccomp filter. Needs
 * CAP_SYS_ADMIN, since programs must stay free to gain privileges.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <slipway/mem.h>

enum { CALLS_MAX = 32 };

static const struct {
        const char *name;
        unsigned nr;
} calls[] = {
        { "clone3", SYS_clone3 },
        { "close_range", SYS_close_range },
        { "faccessat2", SYS_faccessat2 },
        { "fsconfig", SYS_fsconfig },
        { "fsmount", SYS_fsmount },
        { "fsopen", SYS_fsopen },
        { "mount_setattr", SYS_mount_setattr },
        { "move_mount", SYS_move_mount },
        { "open_tree", SYS_open_tree },
        { "openat2", SYS_openat2 },
        { "pidfd_open", SYS_pidfd_open },
};

static unsigned
number_of(const char *name)
{
        for (size_t i = 0; i < SW_COUNT(calls); i++)
                if (strcmp(calls[i].name, name) == 0)
                        return calls[i].nr;
        (void) fprintf(stderr, "without: %s is not known here\n", name);
        _exit(99);
}

int
main(int argc, char **argv)
{
        struct sock_filter code[2 * CALLS_MAX + 2] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
        };
        struct sock_fprog program = { 1, code };
        int i = 1;

        for (; i < argc && i <= CALLS_MAX && strcmp(argv[i], "--") != 0; i++) {
                code[program.len++] =
                        (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                      number_of(argv[i]), 0, 1);
                code[program.len++] =
                        (struct sock_filter) BPF_STMT(BPF_RET | BPF_K,
                                                      SECCOMP_RET_ERRNO | ENOSYS);
        }
        code[program.len++] =
                (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
                (void) fprintf(stderr, "usage: without CALL... -- PROGRAM ARG...\n");
                return 99;
        }
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
                (void) fprintf(stderr, "without: seccomp: %s\n", strerror(errno));
                return 99;
        }
        (void) execvp(argv[i + 1], argv + i + 1);
        (void) fprintf(stderr, "without: %s: %s\n", argv[i + 1], strerror(errno));
        return 99;
}
