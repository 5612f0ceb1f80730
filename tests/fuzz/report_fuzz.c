/*
 * tests/fuzz/report_fuzz.c - what is kept of builds, whoever wrote it: records, stories,
 * and the page that is made of them.
 *
 * Input: the length of a record (two bytes, low first), the record, then a story's file;
 * where that begins with 'p', what follows are the parts of a frame that is not compressed.
 */
#include "tests/fuzz/fuzz.h"

#include <slipway/text.h>

#include "cmd/slipway/report/report.h"

/* No images here. */
bool
report_add_layers(const report *r, store *from, sw_buf *out)
{
        (void) r;
        (void) from;
        (void) out;
        return false;
}

static size_t
count(const char *page, const char *what)
{
        size_t n = 0;

        for (; (page = strstr(page, what)); page++)
                n++;
        return n;
}

/* It has our script and our style alone, and nothing that is loaded or runs. */
static void
check_page(const sw_buf *page)
{
        static const char *const never[] = { "<iframe",    "<img",    "<link",
                                             "<object",    "<embed",  " onerror=\"",
                                             " onload=\"", "href=\"j" };
        /* the script talks about tags; look at what comes before it */
        const char *script = strstr(page->data, "<script>");

        fuzz_check(script && strlen(page->data) == page->len);
        fuzz_check(sw_utf8_valid(page->data, page->len));
        fuzz_check(count(page->data, "<script") == 1 && count(page->data, "</script") == 1);
        fuzz_check(count(page->data, "<style") == 1);
        sw_auto(sw_str) before = sw_strndup(page->data, (size_t) (script - page->data));
        for (size_t i = 0; i < SW_COUNT(never); i++)
                fuzz_check(count(before, never[i]) == 0);
}

static void
write_page(const struct sw_history_build *b, sw_buf *file)
{
        sw_autoptr(sw_history_story) story = sw__story_read(file);
        sw_auto(sw_buf) page = SW_BUF_INIT;
        report r;

        report_make(story, b, &r);
        report_page(&r, NULL, &page);
        check_page(&page);
        report_release(&r);
}

static void
read_record(const uint8_t *p, size_t n)
{
        struct sw__pb_arena arena;
        sw__built *b;

        sw__pb_arena_init(&arena);
        b = sw__built_decode(&arena.allocator, p, n);
        if (b) {
                fuzz_check(b->record && strlen(b->record->ref) <= 128);
                fuzz_check(sw__built_time(b->record->createdat) > 0);
        }
        sw__pb_arena_release(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct sw_history_build build = {
                .size = sizeof(build),
                .id = "id",
                .state = SW_HISTORY_FAILED,
                .created = 1000,
                .completed = 2000000000,
                .frontend = "<b>",
                .error = "\"'<&",
                .vertex = "",
                .log_file = "",
        };
        sw_auto(sw_buf) file = SW_BUF_INIT;
        size_t n;

        if (size < 2)
                return 0;
        n = data[0] | (size_t) data[1] << 8;
        data += 2;
        size -= 2;
        n = n < size ? n : size;
        read_record(data, n);
        data += n;
        size -= n;
        if (size && *data == 'p') {
                sw_auto(sw_buf) parts = SW_BUF_INIT;

                sw_buf_add(&parts, data + 1, size - 1);
                sw__storyframe_add(&parts, &file);
        } else {
                sw_buf_add(&file, data, size);
        }
        write_page(&build, &file);
        return 0;
}
