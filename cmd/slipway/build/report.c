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

#include "cmd/slipway/build/report.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

/* ---- Source of a step ---- */

#define RULE         "--------------------\n"
#define CONTEXT      2
#define CONTEXT_ONE  4
#define SOURCE_LINES 1000000

/* The lines of a text: begin of each, and one past the end of the last. */
typedef SW_ARRAY(const char *) lines;

static void
split(const struct sw_llb_source_map *map, lines *out)
{
        const char *p = map->data, *end = p + map->len;

        while (p < end && out->n < SOURCE_LINES) {
                const char *nl = memchr(p, '\n', (size_t) (end - p));

                sw_array_push(out, p);
                p = nl ? nl + 1 : end;
        }
        sw_array_push(out, end);
}

static bool
is_marked(const struct sw_llb_vertex_location *l, int64_t line)
{
        for (size_t i = 0; i < l->n_ranges; i++) {
                int64_t last = l->ranges[i].end_line;

                if (last < l->ranges[i].start_line)
                        last = l->ranges[i].start_line;
                if (line >= l->ranges[i].start_line && line <= last)
                        return true;
        }
        return false;
}

/* What is to be shown: the lines in question, grown up and down in turn. */
static bool
choose(const struct sw_llb_vertex_location *l, int64_t n, int64_t *from, int64_t *to)
{
        int64_t first = INT32_MAX, last = 0;

        for (size_t i = 0; i < l->n_ranges; i++) {
                const struct sw_llb_range *r = &l->ranges[i];
                int64_t end = r->end_line < r->start_line ? r->start_line : r->end_line;

                if (r->start_line < first)
                        first = r->start_line;
                if (end > last)
                        last = end;
        }
        if (first < 1 || first > n)
                return false;
        if (last > n)
                last = n;
        *from = first;
        *to = last;
        int pad = first == last ? CONTEXT_ONE : CONTEXT;
        for (int p = 0; p < pad;) {
                if (*from > 1) {
                        (*from)--;
                        p++;
                }
                if (*to < n) {
                        (*to)++;
                        p++;
                }
                if (*from == 1 && *to == n)
                        break;
        }
        return true;
}

static void
add_source(sw_buf *b, const struct sw_llb_vertex_location *l)
{
        lines all = { 0 };
        int64_t from, to, first;

        split(l->map, &all);
        if (choose(l, (int64_t) all.n - 1, &from, &to)) {
                for (first = from; first < to && !is_marked(l, first); first++)
                        ;
                term_add_text(b, l->map->filename);
                sw_buf_addf(b, ":%lld\n" RULE, (long long) first);
                for (int64_t i = from; i <= to; i++) {
                        size_t n = (size_t) (all.v[i] - all.v[i - 1]);
                        sw_auto(sw_str) text = sw_strndup(all.v[i - 1], n);

                        text[strcspn(text, "\r\n")] = '\0';
                        sw_buf_addf(b, " %3lld | %s ", (long long) i,
                                    is_marked(l, i) ? ">>>" : "   ");
                        term_add_text(b, text);
                        sw_buf_addc(b, '\n');
                }
                sw_buf_adds(b, RULE);
        }
        sw_array_release(&all);
}

void
report_failure(sw_build *b, const model *m, bool with_tail)
{
        struct sw_build_failure f = { .size = sizeof(f) };
        struct progress_out out = { .fd = STDERR_FILENO,
                                    .terminal = isatty(STDERR_FILENO) };

        if (!sw_build_failed_step(b, &f))
                return;
        sw_buf_init(&out.buf);
        if (with_tail)
                progress_add_failures(m, &out);
        for (size_t i = 0; i < f.n_locations; i++)
                add_source(&out.buf, &f.locations[i]);
        if (f.log_file) {
                sw_buf_adds(&out.buf, "whole log: ");
                term_add_text(&out.buf, f.log_file);
                sw_buf_addc(&out.buf, '\n');
        }
        if (f.kept)
                sw_buf_addf(&out.buf, "to look into it: slipway debug shell %s\n", f.kept);
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
                return sw_err_sys(SW_E_USAGE, errno, "--%s %s", flag, path);
        if (!*name || (fstatat(fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode)))
                return sw_err_sys(SW_E_USAGE, EISDIR, "--%s %s", flag, path);
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
