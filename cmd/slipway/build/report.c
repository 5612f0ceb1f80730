/*
 * cmd/slipway/build/report.c - see report.h: failures, and files about the build.
 * Thread: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "cmd/slipway/build/excerpt.h"
#include "cmd/slipway/build/hints.h"
#include "cmd/slipway/build/report.h"
#include "cmd/slipway/progress/colour.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

/* ---- Failures ---- */

/* The step of a failure, as the model knows it. */
static const struct model_step *
step_of(const struct report *r, const char *vertex)
{
        sw_digest d;
        const struct model_step *s;

        if (!vertex)
                return NULL;
        sw_err *err = sw_digest_parse(vertex, strlen(vertex), &d);
        if (err) {
                sw_err_drop(err, "there is no such step then");
                return NULL;
        }
        s = model_find(r->model, &d);
        return s && s->row ? s->row : s;
}

static void
add_source(sw_buf *b, const struct sw_err_source *s, const struct colours *colours)
{
        const struct sw_llb_range range = { .start_line = s->first_line,
                                            .end_line = s->last_line };
        const struct excerpt x = {
                .file = s->file,
                .data = s->data,
                .len = s->len,
                .ranges = &range,
                .n_ranges = 1,
                .first_char = s->first_char,
                .end_char = s->end_char,
                .colour = colours->error,
                .width = term_width(STDERR_FILENO),
        };

        excerpt_add(b, &x);
}

static void
add_locations(sw_buf *b, const struct sw_build_failure *f)
{
        for (size_t i = 0; i < f->n_locations; i++) {
                const struct sw_llb_vertex_location *l = &f->locations[i];
                const struct excerpt x = {
                        .file = l->map->filename,
                        .data = l->map->data,
                        .len = l->map->len,
                        .ranges = l->ranges,
                        .n_ranges = l->n_ranges,
                };

                excerpt_add(b, &x);
        }
}

/* Where more can be seen of the step; @command: it was a command that failed. */
static void
add_traces(sw_buf *b, const struct sw_build_failure *f, bool command)
{
        if (f->log_file) {
                sw_buf_adds(b, "whole log: ");
                term_add_text(b, f->log_file);
                sw_buf_addc(b, '\n');
        }
        if (f->kept)
                sw_buf_addf(b, "to look into it: slipway debug shell %s\n", f->kept);
        else if (command)
                sw_buf_adds(b, "to look into it: --on-error keep gives a shell in what it "
                               "left\n");
}

/* NAME.dockerignore is asked before the directory's own. From malloc; NULL: the latter. */
static char *
ignore_file(const struct report *r)
{
        sw_auto(sw_str) path = r->dockerfile ? sw_asprintf("%s.dockerignore", r->dockerfile)
                                             : sw_asprintf("%s/Dockerfile.dockerignore",
                                                           r->context ? r->context : ".");

        return access(path, F_OK) == 0 ? sw_steal(path) : NULL;
}

void
report_failure(const struct report *r, const sw_err *err)
{
        sw_auto(sw_str) ignore = ignore_file(r);
        struct sw_build_failure f = { .size = sizeof(f) };
        struct progress_out out = { .fd = STDERR_FILENO,
                                    .terminal = isatty(STDERR_FILENO),
                                    .colour = term_colour(STDERR_FILENO) };
        bool step = r->build && sw_build_failed_step(r->build, &f);
        struct colours colours = { .done = NULL };
        struct hint_case hint = {
                .message = sw_err_message(err),
                .step = step_of(r, step ? f.vertex : sw_err_vertex(err)),
                .context = r->context,
                .ignore_file = ignore,
                .not_root = geteuid() != 0,
                .width = term_width(STDERR_FILENO),
        };

        if (sw_err_code(err) == SW_E_CANCELLED)
                return;
        if (out.colour)
                colours_init(&colours);
        hint.colour = colours.warning;
        sw_buf_init(&out.buf);
        if (step && sw_str_eq(r->mode, "quiet")) /* others have told it */
                progress_add_failures(r->model, &out);
        if (sw_err_source(err))
                add_source(&out.buf, sw_err_source(err), &colours);
        else
                add_locations(&out.buf, &f);
        add_traces(&out.buf, &f, sw_err_code(err) == SW_E_STEP);
        hints_add(&out.buf, &hint);
        (void) fwrite(out.buf.data, 1, out.buf.len, stderr);
        sw_buf_release(&out.buf);
}

/* ---- Files ---- */

/* The directory of @path; *name: what it is called there. */
static int
open_dir_of(const char *path, const char **name)
{
        const char *slash = strrchr(path, '/');
        sw_auto(sw_str) dir =
                slash ? sw_strndup(path, (size_t) (slash - path) + 1) : sw_strdup(".");

        *name = slash ? slash + 1 : path;
        return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

sw_err *
report_place(const char *flag, const char *path)
{
        const char *name;
        struct stat st;

        if (!path)
                return SW_OK;
        sw_auto(sw_fd) fd = open_dir_of(path, &name);
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "--%s %s", flag, path);
        if (!*name || (fstatat(fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode)))
                return sw_err_sys(SW_E_IO, EISDIR, "--%s %s", flag, path);
        return SW_OK;
}

static sw_err *
write_file(const char *path, const char *p, size_t n, mode_t mode)
{
        const char *name;
        sw_auto(sw_fd) fd = open_dir_of(path, &name);

        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "write %s", path);
        return sw_err_wrap(sw_path_write_file(fd, name, p, n, mode), "write %s", path);
}

sw_err *
report_ref(const char *id, const char *path, mode_t mode)
{
        return write_file(path, id, strlen(id), mode);
}

/* A value that is an object in base64 becomes that object. */
static sw_json *
value_json(const char *text)
{
        sw_auto(sw_buf) raw = SW_BUF_INIT;
        sw_json *o = NULL;

        if (sw_json_base64(text, &raw))
                o = json_loadb(raw.data, raw.len, JSON_REJECT_DUPLICATES, NULL);
        if (json_object_size(o) > 0) /* 0 for what is none */
                return o;
        json_decref(o);
        return json_text(text);
}

static int
add_piece(const char *piece, size_t len, void *buf)
{
        sw_buf_add(buf, piece, len);
        return 0;
}

sw_err *
report_metadata(sw_build *b, size_t n_outputs, const char *path, mode_t mode)
{
        sw_autoptr(sw_json) doc = json_object();
        sw_autoptr(sw_map) values = sw_map_new(NULL);
        sw_auto(sw_strlist) keys = { 0 };
        sw_auto(sw_buf) text = SW_BUF_INIT;

        for (size_t i = 0; i < n_outputs; i++) {
                const sw_map *response = sw_build_response(b, i);
                struct sw_map_iter it;

                if (!response)
                        continue;
                it = sw_map_iter(response);
                while (sw_map_next(&it))
                        if (sw_map_set(values, it.key, it.value))
                                sw_strlist_add(&keys, it.key);
        }
        sw_strlist_sort(&keys);
        for (size_t i = 0; i < keys.n; i++)
                json_object_set_new(doc, keys.v[i],
                                    value_json(sw_map_get(values, keys.v[i])));
        if (json_dump_callback(doc, add_piece, &text, JSON_INDENT(2)) != 0)
                return sw_err_new(SW_E_INTERNAL, "the metadata cannot be written as JSON");
        return write_file(path, text.data, text.len, mode);
}
