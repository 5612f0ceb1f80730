/*
 * core/plugin/host_priv.h - what the files of the plugin host share.
 *
 *      search.c   directories and modules linked in -> FOUND
 *      elf.c      what kind of file it is
 *      open.c     FOUND -> OPENED
 *      check.c    OPENED -> CHECKED: descriptor, ABI, table, options (options.c)
 *      order.c    needs: missing ones, cycles, init in order
 *      host.c     the machine around these: states, registry, search and check
 *      load.c     init what is wanted, with the word of the configuration; look-up
 *      missing.c  what to say when a plugin is not there
 */
#ifndef SLIPWAY_CORE_PLUGIN_HOST_PRIV_H
#define SLIPWAY_CORE_PLUGIN_HOST_PRIV_H

#include <pthread.h>
#include <sys/stat.h>

#include <slipway/array.h>
#include <slipway/host.h>
#include <slipway/map.h>

#define SW__PLUGIN_NAME_MAX 64

/* The shortest descriptor: up to the last member that is required. */
#define SW__PLUGIN_SIZE_MIN (offsetof(struct sw_plugin, ops) + sizeof(void *))

/* One directory of the search path. */
struct sw__plugin_dir {
        char *path;
        char *trouble; /* "not there", or why it cannot be read; NULL: searched */
};

/* How far the search for cycles got with a module. */
enum sw__visit { SW__UNSEEN, SW__ON_PATH, SW__SEEN };

/* One file, or one module linked into the program. Stays where it is until the host is
 * freed, as info is handed out. */
struct sw__module {
        struct sw_plugin_info info;
        char *file;            /* path; NULL when linked in */
        char *stem;            /* file name without ".so" */
        unsigned kind;         /* by the file name; 0 when that starts with no kind */
        char *name;            /* by the file name; NULL with kind 0 */
        char *id;              /* "kind/name", or the stem: how errors call it */
        struct stat st;        /* of the file, links followed */
        int st_errno;          /* why there is none, or 0 */
        void *handle;          /* of libltdl; open for as long as the process lives */
        struct sw_plugin desc; /* copy, zero where the plugin's is shorter */
        sw_options *options;
        void *self;
        enum sw__visit visit;
        char *reason; /* owns info.reason */
        sw_err *err;  /* what a look-up answers when BROKEN */
};

typedef SW_ARRAY(struct sw__module *) sw__modules;

/* libltdl has one state for the whole process, and no lock of its own. Held by who calls it
 * or reads lt_dlerror(); nothing else is called with it. */
extern pthread_mutex_t sw__ltdl_lock;

struct sw_host {
        pthread_mutex_t *lock; /* recursive; over everything below; before sw__ltdl_lock */
        const sw_config *config;
        sw_log *log;
        SW_ARRAY(struct sw__plugin_dir) dirs;
        size_t builtin_at;   /* modules linked in are searched before this directory */
        sw__modules modules; /* owned; in the order found */
        sw_map *by_stem;     /* file name without ".so" -> first module of that name */
        sw_map *by_alias;    /* "kind/name" that a plugin provides besides its own */
        sw__modules ready;   /* in the order of init */
        bool scanned, loaded;
        sw_err *dir_err; /* the first directory that could not be read */
};

/* kind.c */
SW_API bool sw__plugin_name_ok(const char *name);
/** sw__plugin_stem - "exporter_my_thing" for exporter/my-thing; from malloc. */
SW_API char *sw__plugin_stem(unsigned kind, const char *name);
/** sw__plugin_of_stem - the kind, and into *name the name (from malloc); 0: not the name
 *  of a plugin's file. */
SW_API unsigned sw__plugin_of_stem(const char *stem, char **name);

/* elf.c */
/** sw__elf_check - whether @fd, of @size bytes, can be a module for this machine: NONE,
 *  UNREADABLE or NOT_A_MODULE, with the reason added to @why. Reads headers only. */
SW_API enum sw_plugin_fault sw__elf_check(int fd, uint64_t size, sw_buf *why);

/* options.c */
/** sw__options_declared - whether a descriptor's options make sense. SW_E_INVALID. */
SW_API sw_err *sw__options_declared(const struct sw_option *decl) SW_NODISCARD;
/** sw__options_make - values from what the configuration gives, defaults for the rest.
 *  @fault: set on error. Errors: SW_E_CONFIG with the place. */
SW_API sw_err *sw__options_make(const char *id, const struct sw_option *decl,
                                const struct sw_config_option *given, size_t n,
                                sw_options **out, enum sw_plugin_fault *fault) SW_NODISCARD;
SW_API void sw__options_free(sw_options *o);
/** sw__option_place - add "FILE:LINE:COLUMN: plugins."ID".NAME: " to @b. */
void sw__option_place(sw_buf *b, const char *id, const struct sw_config_option *given);

/* general.c */
/* What is given for a plugin's options. Texts are borrowed from the configuration. */
struct sw__given {
        struct sw_config_option *v;
        size_t n;
        const char **text; /* values of those that are no lists */
        size_t n_texts;
};
/** sw__given_make - by its entry below "plugins", and by what the general configuration
 *  says of its kind. @config: NULL: nothing. */
void sw__given_make(unsigned kind, const char *id, const struct sw_option *decl,
                    const sw_config *config, struct sw__given *out);
void sw__given_release(struct sw__given *g);

/* search.c */
void sw__search_path(sw_host *h, const struct sw_host_opts *opts);
/** sw__search_all - every module of the search path, in order, known ones reused; sets
 *  dir_err. All of them are FOUND or further. */
void sw__search_all(sw_host *h);
/** sw__search_one - the first file of that stem, added to the host; or NULL. */
struct sw__module *sw__search_one(sw_host *h, const char *stem);
/** sw__search_builtin - tell libltdl of the modules linked in; false: no memory. */
bool sw__search_builtin(void);

/* open.c */
bool sw__module_open(struct sw__module *m);

/* check.c */
bool sw__module_check(struct sw__module *m, const sw_config *config);

/* order.c */
/** sw__order_check - BROKEN for each module below @m whose needs cannot be met. */
SW_API void sw__order_check(sw_host *h, struct sw__module *m);
/** sw__order_init - make @m READY after what it needs; or BROKEN. */
SW_API void sw__order_init(sw_host *h, struct sw__module *m);

/* host.c */
/** sw__host_lock, sw__host_unlock - for the public functions: plugins are loaded while
 *  workers look others up. An init may ask for more. */
void sw__host_lock(const sw_host *h);
void sw__host_unlock(const sw_host *h);
SW_API void sw__module_free(struct sw__module *m);
/** sw__module_enter - go on to @state; only legal steps. */
SW_API void sw__module_enter(struct sw__module *m, enum sw_plugin_state state);
/** sw__module_break - BROKEN, because of @fault. Always false. */
SW_API bool sw__module_break(struct sw__module *m, enum sw_plugin_fault fault,
                             const char *fmt, ...) SW_PRINTF(3, 4);
/** sw__host_known - the module of that name, or providing it, if it was found; or NULL. */
struct sw__module *sw__host_known(const sw_host *h, unsigned kind, const char *name);
/** sw__host_ensure - the same, after looking for it where that was not done yet. */
struct sw__module *sw__host_ensure(sw_host *h, unsigned kind, const char *name);

/* missing.c */
/** sw__missing_text - "not there …": near names, what is there, where was looked, the
 *  package; one line. From malloc. */
char *sw__missing_text(const sw_host *h, unsigned kind, const char *name);

#endif
