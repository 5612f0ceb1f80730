/*
 * plugins/source-git/modules.c - see modules.h.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "plugins/source-git/modules.h"

enum { MAX_LINE = 64 * 1024, BLOCK = 4096 };

/* ---- .gitmodules ---- */

void
modules_release(git_modules *m)
{
        for (size_t i = 0; i < m->n; i++) {
                free(m->v[i].name);
                free(m->v[i].path);
                free(m->v[i].url);
        }
        sw_array_release(m);
}

/* Those of one name follow each other nearly always. */
static struct module *
named(git_modules *m, const char *name, size_t n)
{
        for (size_t i = m->n; i-- > 0;)
                if (strncmp(m->v[i].name, name, n) == 0 && m->v[i].name[n] == '\0')
                        return &m->v[i];
        if (m->n == MAX_MODULES)
                return NULL;
        sw_array_push(m, ((struct module){ .name = sw_strndup(name, n) }));
        return &m->v[m->n - 1];
}

static void
set_text(char **to, const char *value)
{
        free(*to);
        *to = sw_strdup(value);
}

/* "submodule.NAME.KEY\nVALUE"; what is anything else is not of interest. */
static sw_err *
read_setting(const char *line, git_modules *out)
{
        static const char before[] = "submodule.";
        const char *value = strchr(line, '\n');
        const char *dot = value ? memrchr(line, '.', (size_t) (value - line)) : NULL;
        const char *name = line + sizeof(before) - 1;

        if (strncmp(line, before, sizeof(before) - 1) != 0 || !dot || dot <= name)
                return SW_OK;
        struct module *m = named(out, name, (size_t) (dot - name));
        const size_t n = (size_t) (value - dot);
        if (!m)
                return sw_err_new(SW_E_LIMIT, ".gitmodules names more than %d submodules",
                                  MAX_MODULES);
        value++;
        if (strncmp(dot, ".path\n", n + 1) == 0)
                set_text(&m->path, value);
        else if (strncmp(dot, ".url\n", n + 1) == 0)
                set_text(&m->url, value);
        else if (strncmp(dot, ".update\n", n + 1) == 0)
                m->none = strcmp(value, "none") == 0;
        return SW_OK;
}

sw_err *
modules_read(const char *text, size_t n, git_modules *out)
{
        sw_err *err = SW_OK;

        for (const char *p = text, *end = text + n; p < end && !err;) {
                const size_t len = strnlen(p, (size_t) (end - p));

                if (p + len < end) /* whole */
                        err = read_setting(p, out);
                p += len + 1;
        }
        return err;
}

const struct module *
modules_find(const git_modules *m, const char *path)
{
        for (size_t i = m->n; i-- > 0;)
                if (m->v[i].path && strcmp(m->v[i].path, path) == 0)
                        return &m->v[i];
        return NULL;
}

/* ---- where a submodule is ---- */

static sw_err *
bad_url(const char *url, const char *why)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, url, strnlen(url, 300), 200);
        return sw_err_new(SW_E_INVALID, "%s %s", shown.data, why);
}

/* Where the path in a remote's URL begins. */
static const char *
path_in(const char *url)
{
        const char *host = strstr(url, "://");

        return host ? host + 3 + strcspn(host + 3, "/") : strchr(url, ':') + 1;
}

/* Take "./" and "../" from @url, and the last names from @path. */
static sw_err *
climb(const char **url, char *path)
{
        for (;;) {
                if (sw_str_has_prefix(*url, "./")) {
                        *url += 2;
                        continue;
                }
                if (!sw_str_has_prefix(*url, "../"))
                        return SW_OK;
                if (!*path)
                        return bad_url(*url, "leads out of the server");
                char *slash = strrchr(path, '/');
                *(slash ? slash : path) = '\0';
                *url += 3;
        }
}

static sw_err *
join_relative(const struct remote *base, const char *url, char **out)
{
        const char *from = path_in(base->url);
        const bool absolute = *from == '/' || strstr(base->url, "://") != NULL;
        sw_auto(sw_str) path = sw_strdup(from);

        for (size_t n = strlen(path); n > 0 && path[n - 1] == '/';)
                path[--n] = '\0';
        sw_err *err = climb(&url, path);
        if (!err)
                *out = sw_asprintf("%.*s%s%s%s", (int) (from - base->url), base->url, path,
                                   absolute || *path ? "/" : "", url);
        return err;
}

sw_err *
remote_join(const struct remote *base, const char *url, struct remote *out)
{
        sw_auto(sw_str) whole = NULL;

        if (sw_str_has_prefix(url, "./") || sw_str_has_prefix(url, "../")) {
                sw_err *err = join_relative(base, url, &whole);

                if (!err)
                        err = remote_parse(whole, out);
                if (err || (out->kind == base->kind && strcmp(out->host, base->host) == 0))
                        return err;
                remote_release(out); /* nothing is left that names a repository there */
                return bad_url(url, "leads out of the server");
        }
        /* git would look for it on this machine */
        if (url[strcspn(url, ":/")] != ':')
                return bad_url(url, "is a path, not a server's URL");
        return remote_parse(url, out);
}

/* ---- a tree ---- */

void
survey_release(struct survey *s)
{
        for (size_t i = 0; i < s->links.n; i++)
                free(s->links.v[i].path);
        sw_array_release(&s->links);
        sw_buf_release(&s->line);
}

static sw_err *
no_tree(const char *line)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, line, strlen(line), 100);
        return sw_err_new(SW_E_REMOTE, "git ls-tree: %s is no entry", shown.data);
}

/* "MODE TYPE SHA SIZE\tPATH": each is one block at least, so that names count, too. */
static sw_err *
take_entry(struct survey *s, const char *line)
{
        char type[8], sha[65], size[24], *end;
        int at = 0;

        if (sscanf(line, "%*7[0-7] %7[a-z] %64[0-9a-f] %23[-0-9]%n", type, sha, size,
                   &at) != 3 ||
            line[at] != '\t' || !ref_is_commit(sha))
                return no_tree(line);
        const char *path = line + at + 1;
        const long long bytes = strtoll(size, &end, 10);
        const int64_t room = bytes > BLOCK ? bytes : BLOCK;
        if (room > s->left)
                return sw_err_new(SW_E_LIMIT, "the files of it are too large");
        s->left -= room;
        if (strcmp(path, ".gitmodules") == 0)
                s->names_modules = true;
        if (strcmp(type, "commit") != 0)
                return SW_OK;
        if (s->links.n == MAX_MODULES)
                return sw_err_new(SW_E_LIMIT, "there are more than %d submodules in it",
                                  MAX_MODULES);
        struct link l = { .path = sw_strdup(path) };
        (void) snprintf(l.sha, sizeof(l.sha), "%s", sha);
        sw_array_push(&s->links, l);
        return SW_OK;
}

sw_err *
survey_take(void *arg, const char *p, size_t n)
{
        struct survey *s = arg;

        while (n > 0) {
                const size_t len = strnlen(p, n);
                sw_err *err = SW_OK;

                if (len > MAX_LINE - s->line.len)
                        return sw_err_new(SW_E_LIMIT, "a path of more than %d bytes",
                                          MAX_LINE);
                sw_buf_add(&s->line, p, len);
                if (len == n)
                        return SW_OK;
                err = take_entry(s, s->line.data);
                if (err)
                        return err;
                sw_buf_clear(&s->line);
                p += len + 1;
                n -= len + 1;
        }
        return SW_OK;
}
