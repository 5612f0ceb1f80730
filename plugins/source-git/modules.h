/*
 * plugins/source-git/modules.h - what is in a tree, and what .gitmodules says of the
 * submodules in it. Pure; input is hostile.
 */
#ifndef SLIPWAY_SOURCE_GIT_MODULES_H
#define SLIPWAY_SOURCE_GIT_MODULES_H

#include <slipway/array.h>

#include "plugins/source-git/ref.h"

enum { MAX_MODULES = 4096 };

struct module {
        char *name, *path; /* as .gitmodules has them; path NULL: it names none */
        char *url;         /* or NULL */
        bool none;         /* "update = none": it stays empty */
};
typedef SW_ARRAY(struct module) git_modules;
void modules_release(git_modules *m);
SW_DEFINE_AUTO(git_modules, modules_release)

/** modules_read - what git config --list -z prints of a .gitmodules. Errors: SW_E_LIMIT. */
SW_NODISCARD sw_err *modules_read(const char *text, size_t n, git_modules *out);
/** modules_find - the one at @path; NULL: there is none. */
const struct module *modules_find(const git_modules *m, const char *path);

/** remote_join - what a submodule of @base names: relative to it ("../x.git"), or whole.
 *  Errors: those of remote_parse(); SW_E_INVALID: it leads out of the server, or is a path
 *  of ours. */
SW_NODISCARD sw_err *remote_join(const struct remote *base, const char *url,
                                 struct remote *out);

/* A tree, looked over without its files: git ls-tree -r -t -l -z. */
struct link {
        char sha[65];
        char *path;
};
struct survey {
        int64_t left; /* bytes that its files may have, each as a disk has it */
        SW_ARRAY(struct link) links;
        bool names_modules; /* there is a .gitmodules */
        sw_buf line;        /* not at its end */
};
typedef struct survey git_survey;
void survey_release(struct survey *s);
SW_DEFINE_AUTO(git_survey, survey_release)
/** survey_take - the next piece of what it prints; @arg: struct survey. Errors: SW_E_LIMIT
 *  (more than .left, too many submodules), SW_E_REMOTE: that is no list. */
SW_NODISCARD sw_err *survey_take(void *arg, const char *p, size_t n);

#endif
