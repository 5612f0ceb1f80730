/*
 * cmd/slipway/template.h - --format: the part of Go's text/template that people use.
 *
 *      {{json .}}  {{.Field}}  {{json .Field}}  {{len .Field}}  {{"text"}}
 *      {{range .}}…{{else}}…{{end}}  {{range .Field}}…  {{if .Field}}…{{else}}…{{end}}
 *      {{- and -}} trim white space; {{/ * comments * /}}; \n \t \r \\ outside of {{ }}
 *
 * "json" alone stands for "{{json .}}". Everything else is SW_E_USAGE, and says what there
 * is. Values are JSON; fields have names as in Go, which a table maps to members.
 *
 * Thread: main.
 */
#ifndef SLIPWAY_CMD_TEMPLATE_H
#define SLIPWAY_CMD_TEMPLATE_H

#include <slipway/json.h>

struct template_field {
        const char *name;   /* "CreatedAt"; NULL ends the list */
        const char *member; /* "createdAt" */
};

typedef struct template template;

/** template_parse - @fields: borrowed. Errors: SW_E_USAGE, with the place. */
SW_NODISCARD sw_err *template_parse(const char *text, const struct template_field *fields,
                                    template **out);
void template_free(template *t);
/** template_run - append what it makes of @dot. Errors: SW_E_USAGE (a list has no field).
 */
SW_NODISCARD sw_err *template_run(const template *t, const sw_json *dot, sw_buf *out);

SW_DEFINE_AUTOPTR(template, template_free)

#endif
