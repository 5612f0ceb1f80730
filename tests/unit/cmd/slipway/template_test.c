/*
 * Templates of --format: what each form prints, and that everything else is refused with
 * the place.
 */
#include <slipway/mem.h>

#include "cmd/slipway/template.h"
#include "tests/unit/unit.h"

static const struct template_field fields[] = { { "ID", "id" },
                                                { "Size", "size" },
                                                { "InUse", "inUse" },
                                                { "Parents", "parents" },
                                                { "LastUsedAt", "lastUsedAt" },
                                                { NULL, NULL } };

static char *
run(const char *text)
{
        static const char doc[] = "[{\"id\":\"a<b\",\"size\":12,\"inUse\":true,"
                                  "\"parents\":[\"x\",\"y\"],\"lastUsedAt\":null},"
                                  "{\"id\":\"c\",\"size\":0,\"inUse\":false,"
                                  "\"parents\":null,\"lastUsedAt\":\"t\"}]";
        sw_autoptr(sw_json) dot = NULL;
        sw_autoptr(template) t = NULL;
        sw_buf out = SW_BUF_INIT;

        ok(sw_json_parse("doc", doc, strlen(doc), &dot));
        ok(template_parse(text, fields, &t));
        ok(template_run(t, dot, &out));
        return sw_buf_detach(&out);
}

static void
gives(const char *text, const char *want)
{
        sw_auto(sw_str) is = run(text);

        ck_assert_msg(strcmp(is, want) == 0, "%s gives %s instead of %s", text, is, want);
}

START_TEST(forms_print_what_go_prints)
{
        gives("", "");
        gives("a\\tb\\n\\\\n", "a\tb\n\\n");
        gives("{{len .}}", "2");
        gives("{{json .}}", "[{\"id\":\"a\\u003cb\",\"size\":12,\"inUse\":true,\"parents\":"
                            "[\"x\",\"y\"],\"lastUsedAt\":null},{\"id\":\"c\",\"size\":0,"
                            "\"inUse\":false,\"parents\":null,\"lastUsedAt\":\"t\"}]");
        sw_auto(sw_str) a = run("json");
        sw_auto(sw_str) b = run("{{ json . }}");
        ck_assert_str_eq(a, b);
        gives("{{range .}}{{.ID}} {{.Size}};{{end}}.", "a<b 12;c 0;.");
        gives("{{range .}}{{.Parents}}{{.LastUsedAt}} {{end}}", "[x y]<nil> <nil>t ");
        gives("{{range .}}{{range .Parents}}({{.}}){{else}}none{{end}},{{end}}",
              "(x)(y),none,");
        gives("{{range .}}{{if .InUse}}used{{else}}free{{end}} {{end}}", "used free ");
        gives("{{range .}}{{if .Size}}some{{end}}{{end}}", "some");
        gives("{{range .}}{{if .InUse}}{{range .Parents}}{{if .}}!{{else}}?{{end}}{{end}}"
              "{{else}}-{{end}}{{end}}",
              "!!-");
        gives("x {{- /* nothing */ -}} \n y{{\"{{\"}}", "xy{{");
        gives("{{range .}}{{.ID}}{{\"\\n\\t\\\"\\\\\"}}{{end}}{{\"\"}}",
              "a<b\n\t\"\\c\n\t\"\\");
        gives("{{range .}}\n  {{- .ID -}}\n{{end}}", "a<bc");
        gives("{{range .}}{{json .ID}}{{len .Parents}}{{end}}", "\"a\\u003cb\"2\"c\"0");
}
END_TEST

static void
refused(const char *text, const char *part)
{
        template *t = NULL;

        fails(template_parse(text, fields, &t), SW_E_USAGE, part);
        ck_assert_ptr_null(t);
}

START_TEST(the_rest_is_refused)
{
        refused("{{.Foo}}", "no field .Foo (there are ID, Size");
        refused("{{range .}}", "{{end}} is missing");
        refused("{{end}}", "of nothing");
        refused("{{else}}", "of nothing");
        refused("{{if .}}{{else}}{{else}}{{end}}", "second");
        refused("{{printf \"%s\" .ID}}", "not understood at byte 2");
        refused("{{.ID | json}}", "not understood");
        refused("{{.ID", "not understood");
        refused("{{", "not understood");
        refused("{{/* x", "comment");
        refused("{{\"x}}", "not closed");
        refused("{{\"x\\q\"}}", "escape");
        refused("{{\"x\\", "escape");
        refused("{{jsonx .}}", "not understood");
        sw_auto(sw_buf) deep = SW_BUF_INIT;
        for (int i = 0; i < 40; i++)
                sw_buf_adds(&deep, "{{if .}}");
        refused(deep.data, "too deep");
        sw_auto(sw_str) huge = sw_alloc((64 << 10) + 2);
        memset(huge, 'x', (64 << 10) + 1);
        refused(huge, "longer");
}
END_TEST

START_TEST(wrong_values_are_told)
{
        sw_autoptr(template) a = NULL;
        sw_autoptr(template) b = NULL;
        sw_autoptr(sw_json) dot = json_string("text");
        sw_auto(sw_buf) out = SW_BUF_INIT;

        ok(template_parse("{{.ID}}", fields, &a));
        fails(template_run(a, dot, &out), SW_E_USAGE, "simple value");
        ok(template_parse("{{range .}}{{end}}", fields, &b));
        fails(template_run(b, dot, &out), SW_E_USAGE, "no list");
}
END_TEST

UNIT_MAIN("template", forms_print_what_go_prints, the_rest_is_refused,
          wrong_values_are_told)
