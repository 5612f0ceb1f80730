/*
 * plugins/exec-runc/filter.c - the seccomp profile as the program that the kernel runs.
 *
 * A runtime compiles the profile anew for every container, which takes longer than all else
 * it does. crun can be handed the program instead. It is made once on a machine, by
 * libseccomp, and kept in the run directory under the digest of what it was made from; the
 * library is loaded for that alone. Where anything of this is missing there is no program,
 * and the runtime compiles the profile.
 *
 * Thread: any; called with the plugin's lock held.
 */
#include "plugins/exec-runc/runc.h"

#ifdef HAVE_SECCOMP_H
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>
#include <slipway/digest.h>
#include <slipway/path.h>

#define LIBRARY    "libseccomp.so.2"
#define FILE_NAME  "../seccomp"
#define FILTER_MAX (4096 * 8) /* BPF_MAXINSNS instructions */

/* Calls are searched for in a tree by their numbers. The kernel tries every number when it
 * takes a filter, which takes three times as long with a list; so does a command whenever
 * it makes a call that depends on an argument. */
#define FILTER_TREE 2

/* ---- the library --------------------------------------------------------------------- */

#define FUNCTIONS(F)                                                                       \
        F(init)                                                                            \
        F(release)                                                                         \
        F(arch_resolve_name)                                                               \
        F(arch_add)                                                                        \
        F(syscall_resolve_name)                                                            \
        F(attr_set)                                                                        \
        F(rule_add_array)                                                                  \
        F(export_bpf)

struct library {
#define MEMBER(f) __typeof__(&seccomp_##f) f;
        FUNCTIONS(MEMBER)
#undef MEMBER
        void *handle;
};

/* Functions come out of the linker as pointers to data. */
static bool
take_function(void *handle, const char *name, void *slot, size_t size)
{
        void *p = dlsym(handle, name);

        memcpy(slot, &p, size);
        return p != NULL;
}

static bool
library_open(struct library *l)
{
        bool complete = true;

        l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!l->handle)
                return false;
#define TAKE(f)                                                                            \
        complete = take_function(l->handle, "seccomp_" #f, &l->f, sizeof(l->f)) && complete;
        FUNCTIONS(TAKE)
#undef TAKE
        return complete;
}

static void
library_close(struct library *l)
{
        if (l->handle)
                (void) dlclose(l->handle);
}

/* ---- compiling ----------------------------------------------------------------------- */

/* As runtimes do it: calls that the library does not know are left out. */
static bool
add_call(const struct library *l, scmp_filter_ctx f, const struct runc_call *c)
{
        static const enum scmp_compare ops[] = { [RUNC_EQUAL] = SCMP_CMP_EQ,
                                                 [RUNC_NOT_EQUAL] = SCMP_CMP_NE,
                                                 [RUNC_MASKED_EQUAL] = SCMP_CMP_MASKED_EQ };
        const struct scmp_arg_cmp arg = {
                .arg = c->arg, .op = ops[c->op], .datum_a = c->a, .datum_b = c->b
        };
        int number = l->syscall_resolve_name(c->name);
        uint32_t action = c->err ? SCMP_ACT_ERRNO((uint32_t) c->err) : SCMP_ACT_ALLOW;

        return number == __NR_SCMP_ERROR ||
               l->rule_add_array(f, action, number, c->op != RUNC_ANY, &arg) == 0;
}

static bool
add_arch(const struct library *l, scmp_filter_ctx f, const char *name)
{
        char lower[32] = "";
        uint32_t arch;

        name += strlen("SCMP_ARCH_");
        for (size_t i = 0; name[i] && i < sizeof(lower) - 1; i++)
                lower[i] = (char) tolower((unsigned char) name[i]);
        arch = l->arch_resolve_name(lower);
        if (!arch)
                return false;
        int rc = l->arch_add(f, arch);
        return rc == 0 || rc == -EEXIST;
}

static bool
fill(const struct library *l, scmp_filter_ctx f, const struct runc_profile *p)
{
        for (size_t i = 0; i < p->n_archs; i++)
                if (!add_arch(l, f, p->archs[i]))
                        return false;
        for (size_t i = 0; i < p->n_allowed; i++)
                if (!add_call(l, f, &(const struct runc_call){ .name = p->allowed[i] }))
                        return false;
        for (size_t i = 0; i < p->n_conditional; i++)
                if (!add_call(l, f, &p->conditional[i]))
                        return false;
        return true;
}

static bool
compile(const struct library *l, sw_buf *out)
{
        sw_auto(sw_fd) file = memfd_create("seccomp", MFD_CLOEXEC);
        scmp_filter_ctx f = l->init(SCMP_ACT_ERRNO(EPERM));
        struct runc_profile profile;
        bool good;

        runc_seccomp_profile(&profile);
        good = f && file >= 0 && fill(l, f, &profile);
        if (good) /* before version 2.5 of the library it is a list */
                (void) l->attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, FILTER_TREE);
        good = good && l->export_bpf(f, file) == 0 && lseek(file, 0, SEEK_SET) == 0;
        if (f)
                l->release(f);
        if (!good)
                return false;
        sw_err *err = sw_buf_read_fd(out, file, FILTER_MAX, "filter");
        good = !err && out->len && out->len % 8 == 0;
        sw_err_drop(err, "the runtime compiles it then");
        return good;
}

/* ---- keeping ------------------------------------------------------------------------- */

/* What a kept one must have been made from, as its first line. A library that was replaced
 * since knows more calls at most; the run directory does not outlive the next start. */
static void
mark_of(const char *profile, char out[SW_DIGEST_STR_SIZE])
{
        sw_auto(sw_str) text = sw_asprintf("tree %d\n%s", FILTER_TREE, profile);
        sw_digest d = sw_digest_of(text, strlen(text));

        (void) sw_digest_str(&d, out);
}

/* "DIGEST\nBASE64" in @kept, if it is of @mark. */
static char *
find_kept(const sw_buf *kept, const char *mark)
{
        size_t n = strlen(mark);

        return kept->len > n + 1 && memcmp(kept->data, mark, n) == 0 &&
                               kept->data[n] == '\n' && strlen(kept->data) == kept->len
                       ? sw_strdup(kept->data + n + 1)
                       : NULL;
}

/* The program of the profile, from malloc; NULL: it cannot be made. */
static char *
make(void)
{
        struct library l;
        sw_auto(sw_buf) program = SW_BUF_INIT;
        char *text = NULL;

        if (library_open(&l) && compile(&l, &program)) {
                text = sw_alloc_array(program.len / 3 + 2, 4);
                (void) EVP_EncodeBlock((unsigned char *) text,
                                       (const unsigned char *) program.data,
                                       (int) program.len);
        }
        library_close(&l);
        return text;
}

static void
keep(int dirfd, const char *mark, const char *text)
{
        sw_auto(sw_fd) dir = openat(dirfd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_str) file = sw_asprintf("%s\n%s", mark, text);

        sw_err_drop(sw_path_write_file(dir, "seccomp", file, strlen(file), 0600),
                    "it is made again then");
}

char *
runc_filter(int dirfd, const char *profile)
{
        char mark[SW_DIGEST_STR_SIZE];
        sw_auto(sw_buf) kept = SW_BUF_INIT;

        mark_of(profile, mark);
        sw_err_drop(sw_buf_read_file(&kept, dirfd, FILE_NAME, FILTER_MAX * 2),
                    "there is none so far");
        char *text = find_kept(&kept, mark);
        if (!text && (text = make()))
                keep(dirfd, mark, text);
        return text;
}

#else

char *
runc_filter(int dirfd, const char *profile)
{
        (void) dirfd;
        (void) profile;
        return NULL;
}

#endif
