/*
 * core/base/error.c - the error object.
 *
 * The joined message is kept ready, so that reading it allocates nothing. A wrap puts
 * its words in front; each message is found again by its distance from the *end* of the
 * text, which a wrap does not change:
 *
 *      text:  "write layer x: open x: No space left on device"
 *      links: [0] from_end = 31 "open x: No space..."     innermost first
 *             [1] from_end = 46 "write layer x"
 *
 * Invariants: an error that is not nomem_error has n_links >= 1 and text != NULL.
 * nomem_error is what is returned when an error cannot be made: it is constant, shared
 * by all threads, and never written, wrapped or freed.
 * Thread: one at a time per error. errno is preserved by every function here that is
 * given an error to release or extend.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <slipway/error.h>

struct link {
        struct sw_place place;
        size_t from_end; /* distance of its first byte from the end of the text */
        size_t len;      /* of this message alone, in bytes */
};

/* A place and the texts it points to, in one block. */
struct err_source {
        struct sw_err_source place;
        char texts[];
};

struct sw_err {
        enum sw_code code;
        int sys;
        char *text;
        size_t text_len;
        struct link *links; /* innermost first */
        size_t n_links, cap_links;
        char *plugin, *vertex;
        struct err_source *source; /* NULL: none */
        struct link first;         /* links points here until there is a second one */
};

static const struct sw_err nomem_error = {
        .code = SW_E_NOMEM,
        .sys = ENOMEM,
};
static const char nomem_text[] = "out of memory";

static const char *const code_names[SW_E_COUNT] = {
        [SW_E_INTERNAL] = "internal",
        [SW_E_NOMEM] = "nomem",
        [SW_E_CANCELLED] = "cancelled",
        [SW_E_TIMEOUT] = "timeout",
        [SW_E_INVALID] = "invalid",
        [SW_E_USAGE] = "usage",
        [SW_E_CONFIG] = "config",
        [SW_E_NOT_FOUND] = "not-found",
        [SW_E_EXISTS] = "exists",
        [SW_E_IO] = "io",
        [SW_E_LIMIT] = "limit",
        [SW_E_DENIED] = "denied",
        [SW_E_UNSUPPORTED] = "unsupported",
        [SW_E_BUSY] = "busy",
        [SW_E_CORRUPT] = "corrupt",
        [SW_E_ABI] = "abi",
        [SW_E_BROKEN] = "broken",
        [SW_E_UNMET] = "unmet",
        [SW_E_STEP] = "step",
        [SW_E_REMOTE] = "remote",
        [SW_E_PUSH] = "push",
};

/* The shared error as the caller's; the const is what keeps us from writing to it. */
static sw_err *
nomem(void)
{
        return (sw_err *) &nomem_error;
}

static bool
is_nomem(const sw_err *err)
{
        return err == &nomem_error;
}

static char *join(const char *fmt, va_list ap, const char *sep, const char *tail,
                  size_t *head_len) SW_PRINTF(1, 0);

/* Format fmt and append tail: a malloc'd string, or NULL. *@head_len: without the tail. */
static char *
join(const char *fmt, va_list ap, const char *sep, const char *tail, size_t *head_len)
{
        va_list again;
        char *text;
        int n;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (n < 0)
                return NULL;

        text = (char *) malloc((size_t) n + strlen(sep) + strlen(tail) + 1);
        if (!text)
                return NULL;
        (void) vsnprintf(text, (size_t) n + 1, fmt, ap);
        for (char *nul; (nul = (char *) memchr(text, 0, (size_t) n));)
                *nul = '?'; /* from a %c: the text must be as long as it says */
        (void) stpcpy(stpcpy(text + n, sep), tail);
        *head_len = (size_t) n;
        return text;
}

sw_err *
sw_err_new_at(struct sw_place place, enum sw_code code, int sys, const char *fmt, ...)
{
        int saved = errno;
        char space[128];
        const char *why = sys ? strerror_r(sys, space, sizeof(space)) : "";
        sw_err *err = (sw_err *) calloc(1, sizeof(*err));
        va_list ap;
        size_t len;

        assert(code >= SW_E_INTERNAL && code < SW_E_COUNT);
        if (err) {
                va_start(ap, fmt);
                err->text = join(fmt, ap, sys ? ": " : "", why, &len);
                va_end(ap);
        }
        if (!err || !err->text) {
                free(err);
                errno = saved;
                return nomem();
        }

        err->code = code;
        err->sys = sys;
        err->text_len = strlen(err->text);
        err->links = &err->first;
        err->n_links = err->cap_links = 1;
        err->first = (struct link){ place, err->text_len, err->text_len };
        errno = saved;
        return err;
}

/* Room for one more link; false when memory is gone, the error is then as before. */
static bool
grow_links(sw_err *err)
{
        size_t cap = err->cap_links * 2 + 2;
        bool embedded = err->links == &err->first;
        struct link *links;

        if (err->n_links < err->cap_links)
                return true;
        links = (struct link *) realloc(embedded ? NULL : err->links, cap * sizeof(*links));
        if (!links)
                return false;
        if (embedded)
                links[0] = err->first;
        err->links = links;
        err->cap_links = cap;
        return true;
}

sw_err *
sw_err_wrap_at(struct sw_place place, sw_err *err, const char *fmt, ...)
{
        int saved = errno;
        char *text = NULL;
        va_list ap;
        size_t len;

        if (!err || is_nomem(err))
                return err;
        if (grow_links(err)) {
                va_start(ap, fmt);
                text = join(fmt, ap, ": ", err->text, &len);
                va_end(ap);
        }
        /* Without memory the cause matters more than what was being done. */
        if (text) {
                free(err->text);
                err->text = text;
                err->text_len += len + 2;
                err->links[err->n_links++] = (struct link){ place, err->text_len, len };
        }
        errno = saved;
        return err;
}

/* strdup that passes NULL through; *@failed is set when memory is gone. */
static char *
dup_or_null(const char *s, bool *failed)
{
        char *copy = s ? strdup(s) : NULL;

        *failed |= s && !copy;
        return copy;
}

/* @n bytes and a NUL behind those that are there; where they went. */
static const char *
put_text(char **at, const char *s, size_t n)
{
        char *put = *at;

        memcpy(put, s, n);
        put[n] = 0;
        *at += n + 1;
        return put;
}

/* NULL: memory is gone. */
static struct err_source *
source_dup(const struct sw_err_source *from)
{
        size_t file = strlen(from->file);
        size_t language = from->language ? strlen(from->language) : 0;
        struct err_source *copy = (struct err_source *) malloc(sizeof(*copy) + file +
                                                               language + from->len + 3);
        char *at;

        if (!copy)
                return NULL;
        at = copy->texts;
        copy->place = *from;
        copy->place.file = put_text(&at, from->file, file);
        copy->place.data = put_text(&at, from->len ? from->data : "", from->len);
        if (from->language)
                copy->place.language = put_text(&at, from->language, language);
        return copy;
}

sw_err *
sw_err_copy(const sw_err *err)
{
        bool failed = false;
        sw_err *copy;

        if (!err)
                return SW_OK;
        if (is_nomem(err))
                return nomem();

        copy = (sw_err *) malloc(sizeof(*copy));
        if (!copy)
                return nomem();
        *copy = *err;
        copy->text = dup_or_null(err->text, &failed);
        copy->plugin = dup_or_null(err->plugin, &failed);
        copy->vertex = dup_or_null(err->vertex, &failed);
        copy->source = err->source ? source_dup(&err->source->place) : NULL;
        failed |= err->source && !copy->source;
        copy->cap_links = err->n_links;
        copy->links = (struct link *) malloc(err->n_links * sizeof(*copy->links));
        if (failed || !copy->links) {
                sw_err_free(copy);
                return nomem();
        }
        memcpy(copy->links, err->links, err->n_links * sizeof(*copy->links));
        return copy;
}

void
sw_err_free(sw_err *err)
{
        int saved = errno;

        if (!err || is_nomem(err))
                return;
        if (err->links != &err->first)
                free(err->links);
        free(err->text);
        free(err->plugin);
        free(err->vertex);
        free(err->source);
        free(err);
        errno = saved;
}

int
sw_err_code(const sw_err *err)
{
        return err ? (int) err->code : 0;
}

const char *
sw_err_code_name(int code)
{
        if (code == 0)
                return "ok";
        return code > 0 && code < SW_E_COUNT ? code_names[code] : "unknown";
}

int
sw_err_errno(const sw_err *err)
{
        return err ? err->sys : 0;
}

const char *
sw_err_message(const sw_err *err)
{
        if (!err)
                return "";
        return is_nomem(err) ? nomem_text : err->text;
}

/* The path without the "../" that a build outside the source tree puts in front. */
static const char *
place_file(const struct sw_place *place)
{
        const char *file = place->file ? place->file : "?";

        while (strncmp(file, "../", 3) == 0)
                file += 3;
        return file;
}

char *
sw_err_trace(const sw_err *err)
{
        char *out = NULL;
        size_t size = 0;
        bool failed;
        FILE *f;

        if (!err || is_nomem(err))
                return strdup(sw_err_message(err));
        f = open_memstream(&out, &size);
        if (!f)
                return NULL;
        for (size_t i = err->n_links; i-- > 0;) {
                const struct link *l = &err->links[i];

                (void) fprintf(f, "%s:%d: ", place_file(&l->place), l->place.line);
                (void) fwrite(err->text + err->text_len - l->from_end, 1, l->len, f);
                (void) fputc('\n', f);
        }
        failed = ferror(f) != 0;
        if (fclose(f) != 0 || failed) {
                free(out);
                return NULL;
        }
        return out;
}

/* The first name set stays: the place nearest to the failure knows best. */
static void
set_once(char **field, const char *value)
{
        int saved = errno;

        if (!*field && value)
                *field = strdup(value);
        errno = saved;
}

void
sw_err_set_plugin(sw_err *err, const char *kind_slash_name)
{
        if (err && !is_nomem(err))
                set_once(&err->plugin, kind_slash_name);
}

void
sw_err_set_vertex(sw_err *err, const char *digest)
{
        if (err && !is_nomem(err))
                set_once(&err->vertex, digest);
}

const char *
sw_err_plugin(const sw_err *err)
{
        return err ? err->plugin : NULL;
}

const char *
sw_err_vertex(const sw_err *err)
{
        return err ? err->vertex : NULL;
}

void
sw_err_set_source(sw_err *err, const struct sw_err_source *source)
{
        int saved = errno;

        if (err && !is_nomem(err) && !err->source)
                err->source = source_dup(source);
        errno = saved;
}

const struct sw_err_source *
sw_err_source(const sw_err *err)
{
        return err && err->source ? &err->source->place : NULL;
}

int
sw_err_exit_status(const sw_err *err)
{
        if (!err)
                return 0;
        if (err->code == SW_E_USAGE || err->code == SW_E_CONFIG)
                return 2;
        return err->code == SW_E_PUSH ? 3 : 1;
}
