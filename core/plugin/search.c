/*
 * core/plugin/search.c - where plugins are: the search path and the program itself.
 *
 * Order: --plugin-dir, SLIPWAY_PLUGIN_PATH, pluginDirs of the configuration, modules
 * linked into the program (libtool's -dlpreopen), the default directory. Within one place
 * by file name. Only names that end in ".so" and do not start with '.' are looked at. One
 * file that is reached twice under one name (a symlink, a directory named twice) counts
 * once.
 *
 * Thread: main.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ltdl.h>
#include <string.h>

#include <slipway/text.h>

#include "core/plugin/host_priv.h"

/* The list that libtool writes for a program linked with -dlpreopen; others have none. */
#pragma weak lt__PROGRAM__LTX_preloaded_symbols

static void
add_dir(sw_host *h, const char *path)
{
        if (!path[0])
                return;
        for (size_t i = 0; i < h->dirs.n; i++)
                if (strcmp(h->dirs.v[i].path, path) == 0)
                        return;
        sw_array_push(&h->dirs, (struct sw__plugin_dir){ .path = sw_strdup(path) });
}

void
sw__search_path(sw_host *h, const struct sw_host_opts *opts)
{
        sw_auto(sw_strlist) list = { 0 };

        for (size_t i = 0; opts->dirs && opts->dirs[i]; i++)
                add_dir(h, opts->dirs[i]);
        if (opts->path)
                sw_strlist_split(&list, opts->path, ':');
        for (size_t i = 0; i < list.n; i++)
                add_dir(h, list.v[i]);
        if (opts->config) {
                const sw_strlist *more = sw_config_list(opts->config, "pluginDirs");

                for (size_t i = 0; i < more->n; i++)
                        add_dir(h, more->v[i]);
        }
        h->builtin_at = h->dirs.n;
        if (!opts->no_default_dir)
                add_dir(h, SW_PLUGINDIR);
}

/* A module of that file name without ".so"; path NULL: linked in. */
static struct sw__module *
module_new(const char *path, const char *stem)
{
        struct sw__module *m = sw_new(struct sw__module);
        unsigned kind;

        m->file = sw_strdup(path);
        m->stem = sw_strdup(stem);
        m->kind = kind = sw__plugin_of_stem(stem, &m->name);
        m->id = kind ? sw_asprintf("%s/%s", sw_kind_name(kind), m->name) : sw_strdup(stem);
        m->info = (struct sw_plugin_info){
                .name = "",
                .version = "",
                .summary = "",
                .file = m->file ? m->file : "(built in)",
                .state = SW_PLUGIN_FOUND,
                .reason = "",
        };
        if (path && stat(path, &m->st) != 0)
                m->st_errno = errno;
        return m;
}

static bool
same_file(const struct sw__module *a, const struct sw__module *b)
{
        if (!a->file || !b->file)
                return a->file == b->file;
        if (a->st_errno || b->st_errno)
                return strcmp(a->file, b->file) == 0;
        return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino;
}

/* The modules found so far, and those known from before the search that have not been
 * come across in it. */
struct search {
        sw__modules found;
        sw__modules before;
};

/* Take @m (given) unless its file was reached before; keep what a search for one plugin
 * had opened already. */
static void
search_add(struct search *s, struct sw__module *m)
{
        for (size_t i = 0; i < s->found.n; i++) {
                struct sw__module *old = s->found.v[i];

                if (strcmp(old->stem, m->stem) == 0 && same_file(old, m)) {
                        sw__module_free(m);
                        return;
                }
        }
        for (size_t i = 0; i < s->before.n; i++) {
                struct sw__module *old = s->before.v[i];

                if (old && strcmp(old->stem, m->stem) == 0 && same_file(old, m)) {
                        sw__module_free(m);
                        s->before.v[i] = NULL;
                        m = old;
                        break;
                }
        }
        sw_array_push(&s->found, m);
}

/* Names in @path that look like modules, sorted; errno value when it cannot be read. */
static int
list_dir(const char *path, sw_strlist *out)
{
        sw_auto(sw_fd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *e;
        int failed;

        if (!dir)
                return errno;
        (void) sw_fd_steal(&fd);
        while (errno = 0, (e = readdir(dir)) != NULL)
                if (e->d_name[0] != '.' && sw_str_has_suffix(e->d_name, ".so"))
                        sw_strlist_add(out, e->d_name);
        failed = errno;
        (void) closedir(dir);
        sw_strlist_sort(out);
        return failed;
}

static void
search_dir(sw_host *h, struct sw__plugin_dir *d, struct search *s)
{
        sw_auto(sw_strlist) names = { 0 };
        int failed = list_dir(d->path, &names);

        if (failed) {
                free(d->trouble);
                d->trouble = sw_strdup(failed == ENOENT ? "not there" : strerror(failed));
        }
        if (failed && failed != ENOENT && !h->dir_err)
                h->dir_err = sw_err_sys(failed == EACCES || failed == EPERM ? SW_E_DENIED
                                                                            : SW_E_IO,
                                        failed, "plugin directory %s", d->path);
        for (size_t i = 0; i < names.n; i++) {
                sw_auto(sw_str) path = sw_asprintf("%s/%s", d->path, names.v[i]);
                sw_auto(sw_str) stem = sw_strndup(names.v[i], strlen(names.v[i]) - 3);

                search_add(s, module_new(path, stem));
        }
}

/* Call @fn for each module that was linked into the program and named as a plugin; stop
 * when it returns false. */
static void
each_builtin(bool (*fn)(void *arg, const char *stem), void *arg)
{
        const lt_dlsymlist *s = lt_preloaded_symbols;

        for (; s && s->name; s++) {
                sw_auto(sw_str) name = NULL;

                if (s->address || !sw_str_has_suffix(s->name, ".a"))
                        continue; /* a symbol, or the program itself */
                sw_auto(sw_str) stem = sw_strndup(s->name, strlen(s->name) - 2);
                if (sw__plugin_of_stem(stem, &name) && !fn(arg, stem))
                        return;
        }
}

static bool
add_builtin(void *arg, const char *stem)
{
        search_add((struct search *) arg, module_new(NULL, stem));
        return true;
}

void
sw__search_all(sw_host *h)
{
        struct search s = { .before = h->modules };

        h->modules = (sw__modules){ 0 };
        for (size_t i = 0; i <= h->dirs.n; i++) {
                if (i == h->builtin_at)
                        each_builtin(add_builtin, &s);
                if (i < h->dirs.n)
                        search_dir(h, &h->dirs.v[i], &s);
        }
        /* A file that went away after it was loaded is still in use. */
        for (size_t i = 0; i < s.before.n; i++)
                if (s.before.v[i])
                        sw_array_push(&s.found, s.before.v[i]);
        sw_array_release(&s.before);
        h->modules = s.found;
}

struct wanted {
        const char *stem;
        bool there;
};

static bool
is_wanted(void *arg, const char *stem)
{
        struct wanted *w = (struct wanted *) arg;

        w->there = strcmp(stem, w->stem) == 0;
        return !w->there;
}

struct sw__module *
sw__search_one(sw_host *h, const char *stem)
{
        struct sw__module *m = NULL;
        struct stat st;

        for (size_t i = 0; i <= h->dirs.n && !m; i++) {
                struct wanted w = { .stem = stem };

                if (i == h->builtin_at)
                        each_builtin(is_wanted, &w);
                if (w.there)
                        m = module_new(NULL, stem);
                else if (i < h->dirs.n) {
                        sw_auto(sw_str) path =
                                sw_asprintf("%s/%s.so", h->dirs.v[i].path, stem);

                        /* lstat: a dangling link is a broken plugin, not a missing one;
                         * so is what cannot be looked at. */
                        if (lstat(path, &st) == 0 || errno != ENOENT)
                                m = module_new(path, stem);
                }
        }
        if (m)
                sw_array_push(&h->modules, m);
        return m;
}

bool
sw__search_builtin(void)
{
        const lt_dlsymlist *s = lt_preloaded_symbols;

        return !s || lt_dlpreload(s) == 0;
}
