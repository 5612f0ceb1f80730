/*
 * tests/unit/lib/dockerfile/cases.h - tables of cases in text files,
 * tests/data/dockerfile-cases/.
 *
 *      === what the case is about            starts a case
 *      FROM busybox                          input, up to
 *      ---
 *      stage 0 from "busybox"                what is expected, up to the next case
 *
 * Empty lines before "===" and "---" and lines that start with ";" between cases belong to
 * nothing. A name that ends in " [escaped]" has \r \t \xNN \\ in its input taken for what
 * they mean, and no line end after its last line; one in " [open]" only the latter.
 *
 * SW_CASES_WRITE=1 in the environment writes what came out into the file instead of
 * comparing; then read the difference before you commit it.
 */
#ifndef SLIPWAY_TESTS_DOCKERFILE_CASES_H
#define SLIPWAY_TESTS_DOCKERFILE_CASES_H

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/text.h>

#include "tests/unit/unit.h"

struct one_case {
        char *name;
        sw_buf in, raw, want, notes; /* raw: the input as the file has it */
};
typedef SW_ARRAY(struct one_case) case_list;

static void
case_unescape(const sw_buf *raw, sw_buf *out)
{
        for (const char *p = raw->data; *p; p++) {
                unsigned byte;

                if (*p != '\\') {
                        sw_buf_addc(out, *p);
                        continue;
                }
                p++;
                if (*p == 'x' && sscanf(p + 1, "%2x", &byte) == 1) {
                        sw_buf_addc(out, (char) byte);
                        p += 2;
                } else {
                        sw_buf_addc(out, *p == 'r' ? '\r' : *p == 't' ? '\t' : *p);
                }
        }
}

static void
case_finish(struct one_case *c)
{
        bool escaped = sw_str_has_suffix(c->name, " [escaped]");

        while (sw_str_has_suffix(c->want.data, "\n\n"))
                sw_buf_truncate(&c->want, c->want.len - 1);
        if (escaped)
                case_unescape(&c->raw, &c->in);
        else
                sw_buf_add(&c->in, c->raw.data, c->raw.len);
        if ((escaped || sw_str_has_suffix(c->name, " [open]")) && c->in.len)
                sw_buf_truncate(&c->in, c->in.len - 1);
}

static case_list
cases_read(const char *path)
{
        case_list all = { 0 };
        sw_buf text = SW_BUF_INIT, notes = SW_BUF_INIT, *into = NULL;

        ok(sw_buf_read_file(&text, AT_FDCWD, path, 16 * 1024 * 1024));
        for (char *p = text.data, *next; *p; p = next) {
                size_t n = strcspn(p, "\n");

                next = p + n + (p[n] != '\0');
                if (n > 4 && memcmp(p, "=== ", 4) == 0) {
                        struct one_case c = { sw_strndup(p + 4, n - 4), SW_BUF_INIT,
                                              SW_BUF_INIT, SW_BUF_INIT, notes };

                        notes = (sw_buf) SW_BUF_INIT;
                        sw_array_push(&all, c);
                        into = &all.v[all.n - 1].raw;
                } else if (n == 3 && memcmp(p, "---", 3) == 0 && all.n) {
                        into = &all.v[all.n - 1].want;
                } else if (*p == ';' && (!all.n || into == &all.v[all.n - 1].want)) {
                        sw_buf_add(&notes, p, (size_t) (next - p));
                } else if (into) {
                        sw_buf_add(into, p, (size_t) (next - p));
                }
        }
        for (size_t i = 0; i < all.n; i++)
                case_finish(&all.v[i]);
        sw_buf_release(&text);
        sw_buf_release(&notes);
        return all;
}

static void
cases_release(case_list *all)
{
        for (size_t i = 0; i < all->n; i++) {
                free(all->v[i].name);
                sw_buf_release(&all->v[i].in);
                sw_buf_release(&all->v[i].raw);
                sw_buf_release(&all->v[i].want);
                sw_buf_release(&all->v[i].notes);
        }
        sw_array_release(all);
}

static void
cases_put(FILE *out, const struct one_case *c, const char *got)
{
        size_t n = c->raw.len;

        fprintf(out, "%s=== %s\n%.*s---\n%s\n", c->notes.data, c->name, (int) n,
                c->raw.data, got);
}

/* Run every case of @file through @run, which appends what came out. All that differ are
 * told before the test fails. */
static size_t
cases_run(const char *file, void (*run)(const struct one_case *c, sw_buf *out))
{
        const char *top = getenv("top_srcdir"), *write = getenv("SW_CASES_WRITE");
        char *path =
                sw_asprintf("%s/tests/data/dockerfile-cases/%s", top ? top : ".", file);
        case_list all = cases_read(path);
        FILE *rewritten = write && *write ? fopen(path, "we") : NULL;
        size_t bad = 0, n = all.n;

        for (size_t i = 0; i < n; i++) {
                sw_buf got = SW_BUF_INIT;

                run(&all.v[i], &got);
                if (rewritten)
                        cases_put(rewritten, &all.v[i], got.data);
                else if (strcmp(got.data, all.v[i].want.data) != 0 && ++bad)
                        fprintf(stderr, "%s: %s\n--- wanted\n%s--- got\n%s", file,
                                all.v[i].name, all.v[i].want.data, got.data);
                sw_buf_release(&got);
        }
        if (rewritten)
                fclose(rewritten);
        ck_assert_msg(bad == 0, "%s: %zu of %zu cases differ", file, bad, n);
        printf("# %s: %zu cases\n", file, n);
        fflush(stdout);
        cases_release(&all);
        free(path);
        return n;
}

#endif
