/*
 * tests/unit/plugins/exec-runc/filter_test.c - the compiled seccomp filter, run call by
 * call in an interpreter of its instructions, against the profile it is made from. How a
 * call's number is called is asked of libseccomp, which is loaded as the plugin does.
 */
#include "plugins/exec-runc/runc.h"

#include <fcntl.h>

#include <slipway/path.h>

#include "tests/unit/tmp.h"

#ifdef HAVE_SECCOMP_H
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/evp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#define NUMBERS 1024
#define FORBIDS (SECCOMP_RET_ERRNO | EPERM)

static char dir[128];
static struct sock_filter *program;
static size_t n_program;
static char *(*name_of)(uint32_t arch, int number);

static void
set_up(void)
{
        void *handle = dlopen("libseccomp.so.2", RTLD_NOW), *f;

        ck_assert_ptr_nonnull(handle);
        f = dlsym(handle, "seccomp_syscall_resolve_num_arch");
        memcpy(&name_of, &f, sizeof(name_of));
        unit_mkdtemp(dir, sizeof(dir), "filter");
        sw_auto(sw_str) path = sw_path_join(dir, "exec");
        ck_assert_int_eq(mkdir(path, 0700), 0);
        sw_auto(sw_fd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_str) profile = runc_seccomp_text();
        sw_auto(sw_str) text = runc_filter(fd, profile), again = runc_filter(fd, profile);
        ck_assert_ptr_nonnull(text);
        ck_assert_str_eq(text, again); /* the kept one */
        unsigned char *bytes = sw_alloc(strlen(text) + 1);
        int n = EVP_DecodeBlock(bytes, (const unsigned char *) text, (int) strlen(text));
        ck_assert_int_gt(n, 0);
        program = (struct sock_filter *) bytes;
        n_program = (size_t) n / sizeof(*program);
}

static void
tear_down(void)
{
        free(program);
        ok(sw_path_remove(AT_FDCWD, dir));
}

static bool
jumps(const struct sock_filter *i, uint32_t a)
{
        switch (BPF_OP(i->code)) {
        case BPF_JEQ: return a == i->k;
        case BPF_JGT: return a > i->k;
        case BPF_JGE: return a >= i->k;
        default: ck_assert_uint_eq(BPF_OP(i->code), BPF_JSET); return a & i->k;
        }
}

/* What the kernel answers to a call. */
static uint32_t
answer(const struct seccomp_data *d)
{
        uint32_t a = 0;

        for (size_t at = 0; at < n_program; at++) {
                const struct sock_filter *i = &program[at];

                switch (BPF_CLASS(i->code)) {
                case BPF_LD:
                        ck_assert_uint_eq(i->code, BPF_LD | BPF_W | BPF_ABS);
                        ck_assert_uint_le(i->k + sizeof(a), sizeof(*d));
                        memcpy(&a, (const char *) d + i->k, sizeof(a));
                        break;
                case BPF_ALU:
                        ck_assert_uint_eq(i->code, BPF_ALU | BPF_AND | BPF_K);
                        a &= i->k;
                        break;
                case BPF_JMP:
                        at += BPF_OP(i->code) == BPF_JA ? i->k
                              : jumps(i, a)             ? i->jt
                                                        : i->jf;
                        break;
                default: ck_assert_uint_eq(i->code, BPF_RET | BPF_K); return i->k;
                }
        }
        ck_abort_msg("the program has no end");
        return 0;
}

/* What the profile says to a call without arguments that matter: 1 yes, 0 no, -1 they do.
 */
static int
is_allowed(const char *name)
{
        struct runc_profile p;

        runc_seccomp_profile(&p);
        for (size_t i = 0; name && i < p.n_conditional; i++)
                if (strcmp(p.conditional[i].name, name) == 0)
                        return -1;
        for (size_t i = 0; name && i < p.n_allowed; i++)
                if (strcmp(p.allowed[i], name) == 0)
                        return 1;
        return 0;
}

static void
check_all(uint32_t arch, uint32_t token, uint32_t above, int *n_allowed)
{
        for (int nr = 0; nr < NUMBERS; nr++) {
                struct seccomp_data d = { .nr = nr | (int) above, .arch = arch };
                char *name = name_of(token, d.nr);
                int allowed = is_allowed(name);

                if (allowed >= 0)
                        ck_assert_msg(answer(&d) == (allowed ? SECCOMP_RET_ALLOW : FORBIDS),
                                      "%s, %#x of %#x: %#x", name ? name : "(none)",
                                      (unsigned) d.nr, arch, answer(&d));
                *n_allowed += allowed == 1;
                free(name);
        }
}

/* Catches: a tree that leads some number to its neighbour's answer, on any architecture. */
START_TEST(every_number)
{
        int n = 0;

#if defined(__x86_64__)
        check_all(SCMP_ARCH_X86_64, SCMP_ARCH_X86_64, 0, &n);
        ck_assert_int_gt(n, 250);
        check_all(SCMP_ARCH_X86, SCMP_ARCH_X86, 0, &n);
        check_all(SCMP_ARCH_X86_64, SCMP_ARCH_X32, 0x40000000, &n);
        ck_assert_int_gt(n, 750);
#elif defined(__aarch64__)
        check_all(SCMP_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0, &n);
        ck_assert_int_gt(n, 200);
        check_all(SCMP_ARCH_ARM, SCMP_ARCH_ARM, 0, &n);
#endif
        struct seccomp_data other = { .arch = 0x12345678 };
        ck_assert_uint_ne(answer(&other), SECCOMP_RET_ALLOW);
}
END_TEST

static uint32_t
ask(int nr, uint64_t arg)
{
        struct seccomp_data d = { .nr = nr, .args = { arg } };

#if defined(__x86_64__)
        d.arch = SCMP_ARCH_X86_64;
#elif defined(__aarch64__)
        d.arch = SCMP_ARCH_AARCH64;
#endif
        return answer(&d);
}

/* Catches: arguments not looked at, or at the wrong half of them. */
START_TEST(arguments)
{
#if defined(__x86_64__) || defined(__aarch64__)
        ck_assert_uint_eq(ask(__NR_clone, SIGCHLD), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(__NR_clone, 0x10000000 | SIGCHLD), FORBIDS); /* user ns. */
        ck_assert_uint_eq(ask(__NR_clone3, 0), SECCOMP_RET_ERRNO | ENOSYS);
        ck_assert_uint_eq(ask(__NR_socket, AF_INET), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(__NR_socket, AF_VSOCK), FORBIDS);
        ck_assert_uint_eq(ask(__NR_personality, 8), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(__NR_personality, 0xffffffff), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(__NR_personality, 9), FORBIDS);
        ck_assert_uint_eq(ask(__NR_personality, UINT64_C(1) << 32), FORBIDS);
#endif
}
END_TEST
#endif

int
main(void)
{
        Suite *s = suite_create("filter");
        TCase *t = tcase_create("filter");

#ifdef HAVE_SECCOMP_H
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, every_number);
        tcase_add_test(t, arguments);
#endif
        suite_add_tcase(s, t);
        SRunner *r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        int failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
