/*
 * core/plugin/open.c - load a module and find its descriptor: FOUND -> OPENED.
 *
 * The file is bound by plain dlopen(RTLD_NOW) before libltdl sees it, for two reasons:
 * libltdl binds lazily, so that a missing function would end the program in the middle of
 * a build; and when it fails it says 'file not found' whatever the linker said. libltdl
 * then only takes a handle on what is in memory already. A module stays loaded for as long
 * as the process lives: its descriptor, strings and code may be in use anywhere.
 *
 * Thread: main, before workers start (libltdl is not thread-safe).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <ltdl.h>
#include <string.h>
#include <sys/statvfs.h>

#include <slipway/text.h>

#include "core/plugin/host_priv.h"

pthread_mutex_t sw__ltdl_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *
file_type(mode_t mode)
{
        switch (mode & S_IFMT) {
        case S_IFDIR: return "a directory";
        case S_IFIFO: return "a FIFO";
        case S_IFSOCK: return "a socket";
        default: return "a device";
        }
}

/* The file is there, regular, readable, and ELF for this machine. */
static bool
check_file(struct sw__module *m)
{
        sw_auto(sw_buf) why = SW_BUF_INIT;
        enum sw_plugin_fault fault;

        if (m->st_errno == ENOENT)
                return sw__module_break(m, SW_FAULT_UNREADABLE,
                                        "a symbolic link to a file that is not there");
        if (m->st_errno)
                return sw__module_break(m, SW_FAULT_UNREADABLE, "cannot be looked at: %s",
                                        strerror(m->st_errno));
        if (!S_ISREG(m->st.st_mode))
                return sw__module_break(m, SW_FAULT_NOT_A_MODULE, "%s, not a file",
                                        file_type(m->st.st_mode));

        /* O_NONBLOCK: should a FIFO have taken its place since, this does not wait. */
        sw_auto(sw_fd) fd = open(m->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return sw__module_break(m, SW_FAULT_UNREADABLE, "cannot be opened: %s",
                                        strerror(errno));
        fault = sw__elf_check(fd, (uint64_t) m->st.st_size, &why);
        return fault == SW_FAULT_NONE || sw__module_break(m, fault, "%s", why.data);
}

/* The linker's words, without the path of the module in front of them. */
static const char *
linker_words(const struct sw__module *m)
{
        const char *words = dlerror();

        if (!words)
                return "no reason given";
        if (sw_str_has_prefix(words, m->file) && words[strlen(m->file)] == ':')
                words += strlen(m->file) + 1;
        return words + strspn(words, " ");
}

/* Load it and bind every symbol. */
static bool
bind_file(struct sw__module *m)
{
        struct statvfs fs;

        /* Not closed: see the top. */
        if (dlopen(m->file, RTLD_NOW | RTLD_LOCAL))
                return true;
        if (statvfs(m->file, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
                return sw__module_break(m, SW_FAULT_UNREADABLE,
                                        "its file system is mounted noexec: move it or "
                                        "remount (%s)",
                                        linker_words(m));
        return sw__module_break(m, SW_FAULT_UNRESOLVED, "%s", linker_words(m));
}

/* Have libltdl take a handle on what is loaded or linked in. */
static bool
take_handle(struct sw__module *m)
{
        sw_auto(sw_str) archive = m->file ? NULL : sw_asprintf("%s.a", m->stem);
        lt_dladvise advise;
        bool ready = lt_dladvise_init(&advise) == 0;

        if (ready) {
                ready = lt_dladvise_resident(&advise) == 0 &&
                        (m->file ? lt_dladvise_local(&advise)
                                 : lt_dladvise_preload(&advise)) == 0;
                if (ready)
                        m->handle = lt_dlopenadvise(m->file ? m->file : archive, advise);
                (void) lt_dladvise_destroy(&advise);
        }
        if (m->handle)
                return true;

        const char *words = lt_dlerror();
        return sw__module_break(m, SW_FAULT_UNRESOLVED, "libltdl cannot open it: %s",
                                words ? words : "no reason given");
}

/* How many bytes the symbol at @p has, as far as its symbol table tells: else SIZE_MAX. */
static size_t
symbol_size(const void *p)
{
        Dl_info info;
        void *found = NULL;
        const ElfW(Sym) * symbol;

        if (!dladdr1(p, &info, &found, RTLD_DL_SYMENT) || !found || info.dli_saddr != p)
                return SIZE_MAX;
        symbol = (const ElfW(Sym) *) found;
        return symbol->st_size ? symbol->st_size : SIZE_MAX;
}

/* The head of the descriptor, in m->desc, is of our ABI, and its size is no less than what
 * is needed and no more than the @have bytes that are there. */
static bool
check_head(struct sw__module *m, size_t have)
{
        const struct sw_plugin *d = &m->desc;

        if (d->magic != SW_PLUGIN_MAGIC)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its descriptor starts with 0x%08x instead of "
                                        "0x%08x: write it with SW_PLUGIN_V1",
                                        d->magic, SW_PLUGIN_MAGIC);
        m->info.abi_major = d->abi_major;
        m->info.abi_minor = d->abi_minor;
        if (d->abi_major != SW_ABI_MAJOR)
                return sw__module_break(m, SW_FAULT_ABI_MAJOR,
                                        "built for plugin ABI %u.%u, this slipway has "
                                        "%d.%d: build it again with this slipway's headers",
                                        d->abi_major, d->abi_minor, SW_ABI_MAJOR,
                                        SW_ABI_MINOR);
        if (d->size < SW__PLUGIN_SIZE_MIN)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its descriptor says it has %u bytes, at least %zu "
                                        "are needed",
                                        d->size, SW__PLUGIN_SIZE_MIN);
        if (d->size > have)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its descriptor says it has %u bytes, but it has "
                                        "%zu",
                                        d->size, have);
        return true;
}

/* Copy as much of the descriptor as both sides know of. Its own idea of its size is not
 * trusted beyond what the symbol has. */
static bool
copy_descriptor(struct sw__module *m, const void *p)
{
        const size_t head = offsetof(struct sw_plugin, kind);
        size_t have = symbol_size(p);

        if (have < head)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its descriptor has %zu bytes, less than a header",
                                        have);
        memcpy(&m->desc, p, head);
        if (!check_head(m, have))
                return false;
        memcpy(&m->desc, p,
               m->desc.size < sizeof(m->desc) ? m->desc.size : sizeof(m->desc));
        return true;
}

/* The file name as libltdl makes a symbol's prefix of it. */
static char *
symbol_name(const struct sw__module *m)
{
        char *name = sw_asprintf("%s_LTX_sw_plugin", m->stem);

        for (char *p = name; *p; p++)
                if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                      (*p >= '0' && *p <= '9')))
                        *p = '_';
        return name;
}

/* Its descriptor; NULL: it has none, or could not be opened, and is broken then. */
static const void *
find_symbol(struct sw__module *m)
{
        const void *p = NULL;

        (void) pthread_mutex_lock(&sw__ltdl_lock);
        if (take_handle(m))
                p = lt_dlsym((lt_dlhandle) m->handle, "sw_plugin");
        (void) pthread_mutex_unlock(&sw__ltdl_lock);
        return p;
}

bool
sw__module_open(struct sw__module *m)
{
        const void *p;

        if (m->file && (!check_file(m) || !bind_file(m)))
                return false;
        p = find_symbol(m);
        if (!m->handle)
                return false;
        if (!p) {
                sw_auto(sw_str) symbol = symbol_name(m);

                return sw__module_break(m, SW_FAULT_NO_DESCRIPTOR,
                                        "does not export %s: not a slipway plugin, or its "
                                        "file was renamed",
                                        symbol);
        }
        if (!copy_descriptor(m, p))
                return false;
        sw__module_enter(m, SW_PLUGIN_OPENED);
        return true;
}
