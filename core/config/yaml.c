/*
 * core/config/yaml.c - YAML events with positions, and the mistakes found in a file.
 *
 * libyaml reads; here is said what of YAML a configuration may use. Anchors, aliases,
 * tags and further documents are refused: each makes the file mean something that is not
 * to be seen where it stands. Depth is limited while reading, so that nested brackets
 * cost no more than their first few.
 *
 * Before parsing, the text is checked for bytes that YAML has no room for, because
 * libyaml tells neither line nor column of those.
 *
 * Thread: that of the caller. Invariant: once `stopped`, no more events are read.
 */
#include <assert.h>
#include <string.h>
#include <yaml.h>

#include "core/base/utf8.h"
#include "core/config/internal.h"

struct sw__yaml {
        yaml_parser_t parser;
        yaml_event_t event; /* what info borrows from */
        struct sw__event_info info;
        struct sw__report *report;
        const char *text;
        size_t len;
        size_t depth; /* open lists and maps */
        bool stopped;

        /* The latest complaint about a value, while its end was not seen. */
        struct {
                bool open;
                size_t n, len; /* of the report before it */
                size_t depth;  /* the value has ended when fewer are open */
        } blamed;
};

static bool
report_full(const struct sw__report *r)
{
        return r->n >= SW__CONFIG_MAX_COUNTED;
}

void
sw__report_add(struct sw__report *r, int line, int column, const char *key, sw_err *err)
{
        if (sw_err_code(err) == SW_E_NOMEM)
                r->nomem = true;
        if (r->n++ < SW__CONFIG_MAX_ERRORS) {
                if (r->n > 1)
                        sw_buf_addc(&r->lines, '\n');
                sw__buf_add_escaped(&r->lines, r->name, strlen(r->name), SIZE_MAX, '\0');
                if (line > 0)
                        sw_buf_addf(&r->lines, ":%d:%d", line, column);
                sw_buf_adds(&r->lines, ": ");
                if (*key) {
                        sw__buf_add_escaped(&r->lines, key, strlen(key), 200, '\0');
                        sw_buf_adds(&r->lines, ": ");
                }
                sw_buf_adds(&r->lines, sw_err_message(err));
        }
        sw_err_drop(err, "its message is in the report now");
}

void
sw__report_too_large(struct sw__report *r)
{
        sw__report_add(r, 0, 0, "",
                       sw_err_new(SW_E_CONFIG, "is larger than %zu bytes",
                                  SW__CONFIG_MAX_SIZE));
}

/* How many mistakes there are beside those that are told. */
static void
add_rest(struct sw__report *r)
{
        size_t rest = r->n > SW__CONFIG_MAX_ERRORS ? r->n - SW__CONFIG_MAX_ERRORS : 0;

        if (rest)
                sw_buf_addf(&r->lines, "\nand %zu more mistake%s%s", rest,
                            rest == 1 ? "" : "s",
                            report_full(r) ? " or more; the rest was not read" : "");
}

sw_err *
sw__report_take(struct sw__report *r)
{
        sw_err *err = SW_OK;

        if (r->nomem)
                err = sw_err_new(SW_E_NOMEM, "%s: out of memory", r->name);
        else if (r->n > 0) {
                add_rest(r);
                err = sw_err_new(SW_E_CONFIG, "%s", r->lines.data);
        }
        sw_buf_release(&r->lines);
        r->n = 0;
        return err;
}

/* Line and column, from 1, of the byte at @offset. */
static void
position(const char *text, size_t offset, int *line, int *column)
{
        *line = *column = 1;
        for (size_t i = 0; i < offset; i++) {
                if (text[i] == '\n') {
                        ++*line;
                        *column = 1;
                } else if (((unsigned char) text[i] & 0xc0) != 0x80) {
                        ++*column;
                }
        }
}

/* The first byte of the character there; '\0' behind the end of the text. */
static char
byte_at(const struct sw__yaml *y, int line, int column)
{
        const char *p = y->text, *end = y->text + y->len;

        while (p < end && --line > 0) {
                p = memchr(p, '\n', (size_t) (end - p));
                p = p ? p + 1 : end;
        }
        while (p < end && column > 1) {
                p++;
                column -= p == end || ((unsigned char) *p & 0xc0) != 0x80;
        }
        return p < end ? *p : '\0';
}

static void
report_byte(struct sw__yaml *y, size_t offset, const char *what)
{
        int line, column;

        position(y->text, offset, &line, &column);
        sw__report_add(y->report, line, column, "",
                       sw_err_new(SW_E_CONFIG, "%s (byte 0x%02x)", what,
                                  (unsigned char) y->text[offset]));
        y->stopped = true;
}

/* Find the first byte that no configuration may hold. */
static void
check_bytes(struct sw__yaml *y)
{
        size_t n;

        if (y->len > SW__CONFIG_MAX_SIZE) {
                sw__report_too_large(y->report);
                y->stopped = true;
                return;
        }
        for (size_t i = 0; i < y->len; i += n) {
                unsigned char byte = (unsigned char) y->text[i];
                uint32_t c;

                n = sw__utf8_decode(y->text + i, y->len - i, &c);
                if (n == 0) {
                        report_byte(y, i, "not UTF-8");
                        return;
                }
                if ((byte < 0x20 && !strchr("\t\n\r", byte)) || byte == 0x7f ||
                    byte == '\0') {
                        report_byte(y, i, byte ? "control character" : "NUL");
                        return;
                }
        }
}

/*
 * Refuse %TAG before libyaml sees it: its time grows with the square of their number.
 * In column 1 such a line cannot be part of a value that is worth having.
 */
static void
check_directives(struct sw__yaml *y)
{
        const char *p = y->text, *end = y->text + y->len;

        for (int line = 1; p < end && !y->stopped; line++) {
                const char *next = memchr(p, '\n', (size_t) (end - p));

                if (end - p >= 4 && memcmp(p, "%TAG", 4) == 0) {
                        sw__report_add(y->report, line, 1, "",
                                       sw_err_new(SW_E_CONFIG,
                                                  "tags (%%TAG) are not supported"));
                        y->stopped = true;
                }
                p = next ? next + 1 : end;
        }
}

struct sw__yaml *
sw__yaml_new(const char *text, size_t len, struct sw__report *r)
{
        static const char bom[] = "\xef\xbb\xbf";
        struct sw__yaml *y = sw_new(struct sw__yaml);

        if (len >= 3 && memcmp(text, bom, 3) == 0) {
                text += 3;
                len -= 3;
        }
        y->text = text;
        y->len = len;
        y->report = r;
        check_bytes(y);
        check_directives(y);
        if (!yaml_parser_initialize(&y->parser)) {
                r->nomem = true;
                y->stopped = true;
                return y;
        }
        yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&y->parser, (const unsigned char *) text, len);
        return y;
}

void
sw__yaml_free(struct sw__yaml *y)
{
        yaml_event_delete(&y->event);
        yaml_parser_delete(&y->parser);
        free(y);
}

/* What libyaml could not read, at the place it says. */
static void
report_syntax(struct sw__yaml *y)
{
        const yaml_parser_t *p = &y->parser;
        int line = (int) p->problem_mark.line + 1;
        int column = (int) p->problem_mark.column + 1;
        const char *problem = p->problem ? p->problem : "cannot be read";

        y->stopped = true;
        if (p->error == YAML_MEMORY_ERROR) {
                y->report->nomem = true;
                return;
        }
        if (y->blamed.open) {
                y->report->n = y->blamed.n;
                sw_buf_truncate(&y->report->lines, y->blamed.len);
        }
        if (p->error == YAML_READER_ERROR)
                position(y->text, p->problem_offset < y->len ? p->problem_offset : y->len,
                         &line, &column);
        else if (byte_at(y, line, column) == '\t')
                problem = "a tab where YAML wants spaces";

        sw__report_add(y->report, line, column, "",
                       p->context && p->error != YAML_READER_ERROR
                               ? sw_err_new(SW_E_CONFIG, "not valid YAML: %s, %s",
                                            p->context, problem)
                               : sw_err_new(SW_E_CONFIG, "not valid YAML: %s", problem));
}

static void
report_here(struct sw__yaml *y, const char *key, const char *what)
{
        sw__report_add(y->report, (int) y->event.start_mark.line + 1,
                       (int) y->event.start_mark.column + 1, key,
                       sw_err_new(SW_E_CONFIG, "%s", what));
}

/* Whether the value complained of has come to its end. */
static void
end_blamed(struct sw__yaml *y)
{
        if (y->depth < y->blamed.depth)
                y->blamed.open = false;
}

static bool
read_event(struct sw__yaml *y)
{
        if (y->stopped || report_full(y->report)) {
                y->stopped = true;
                return false;
        }
        yaml_event_delete(&y->event);
        if (!yaml_parser_parse(&y->parser, &y->event)) {
                report_syntax(y);
                return false;
        }
        end_blamed(y);
        return true;
}

static bool
is_null(const yaml_event_t *e)
{
        static const char *const words[] = { "", "~", "null", "Null", "NULL" };

        if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
                return false;
        for (size_t i = 0; i < SW_COUNT(words); i++) {
                if (strcmp((const char *) e->data.scalar.value, words[i]) == 0)
                        return true;
        }
        return false;
}

/* Anchors and tags say something about a value that is not in it. */
static void
refuse_marks(struct sw__yaml *y, const char *key, const void *anchor, const void *tag)
{
        if (anchor)
                report_here(y, key, "anchors (&NAME) are not supported");
        if (tag)
                report_here(y, key, "tags (!NAME) are not supported");
}

static void
take_scalar(struct sw__yaml *y, const char *key)
{
        const yaml_event_t *e = &y->event;
        bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

        y->info.type = SW__EV_SCALAR;
        y->info.text = (const char *) e->data.scalar.value;
        y->info.len = e->data.scalar.length;
        y->info.style = plain ? SW__PLAIN : SW__QUOTED;
        y->info.null = is_null(e);
        refuse_marks(y, key, e->data.scalar.anchor, e->data.scalar.tag);
}

static void
open_node(struct sw__yaml *y, const char *key, enum sw__event type, const void *anchor,
          const void *tag)
{
        y->info.type = type;
        refuse_marks(y, key, anchor, tag);
        if (++y->depth > SW__CONFIG_MAX_DEPTH) {
                report_here(y, key, "nested too deep");
                y->stopped = true;
        }
}

/* Turn the event at hand into info. */
static void
take_event(struct sw__yaml *y, const char *key)
{
        const yaml_event_t *e = &y->event;

        y->info = (struct sw__event_info){
                .line = (int) e->start_mark.line + 1,
                .column = (int) e->start_mark.column + 1,
        };
        switch (e->type) {
        case YAML_SCALAR_EVENT: take_scalar(y, key); break;
        case YAML_ALIAS_EVENT:
                y->info.type = SW__EV_ALIAS;
                report_here(y, key,
                            "aliases (*NAME) are not supported: they hide where a value "
                            "comes from; write the value here");
                break;
        case YAML_SEQUENCE_START_EVENT:
                open_node(y, key, SW__EV_LIST, e->data.sequence_start.anchor,
                          e->data.sequence_start.tag);
                break;
        case YAML_MAPPING_START_EVENT:
                open_node(y, key, SW__EV_MAP, e->data.mapping_start.anchor,
                          e->data.mapping_start.tag);
                break;
        default: /* an end, balanced by libyaml */
                y->info.type = SW__EV_END;
                y->depth -= y->depth > 0;
                end_blamed(y);
                break;
        }
}

bool
sw__yaml_begin(struct sw__yaml *y)
{
        if (!read_event(y)) /* the beginning of the stream */
                return false;
        if (!read_event(y))
                return false;
        if (y->event.type != YAML_DOCUMENT_START_EVENT)
                return false; /* the end of an empty stream */
        return sw__yaml_next(y, "");
}

bool
sw__yaml_next(struct sw__yaml *y, const char *key)
{
        if (!read_event(y))
                return false;
        take_event(y, key);
        return !y->stopped;
}

void
sw__yaml_complain(struct sw__yaml *y, const char *key, sw_err *err)
{
        bool many = y->info.type == SW__EV_LIST || y->info.type == SW__EV_MAP;

        y->blamed.open = true;
        y->blamed.n = y->report->n;
        y->blamed.len = y->report->lines.len;
        y->blamed.depth = many ? y->depth : SIZE_MAX; /* a single value: the next event */
        sw__report_add(y->report, y->info.line, y->info.column, key, err);
}

const struct sw__event_info *
sw__yaml_event(const struct sw__yaml *y)
{
        return &y->info;
}

void
sw__yaml_skip(struct sw__yaml *y, const char *key)
{
        size_t outside = y->depth;

        if (y->info.type != SW__EV_LIST && y->info.type != SW__EV_MAP)
                return;
        outside--;
        while (y->depth > outside && sw__yaml_next(y, key))
                continue;
}

void
sw__yaml_finish(struct sw__yaml *y)
{
        if (!read_event(y)) /* the end of the document */
                return;
        if (!read_event(y))
                return;
        if (y->event.type == YAML_DOCUMENT_START_EVENT)
                report_here(y, "", "a second document; a configuration is one");
}
