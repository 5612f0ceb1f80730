/*
 * cmd/slipway/verb_doctor.c - `slipway doctor`: what this machine offers for building,
 * and how to get what is not there. The looking is done in doctor/. Thread: main.
 */
#include <unistd.h>

#include "cmd/slipway/doctor/doctor.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/setup.h"
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

static const struct {
        const char *name;
        enum table_style style;
} statuses[] = {
        [DOCTOR_OK] = { "ok", TABLE_GOOD },
        [DOCTOR_WARN] = { "warn", TABLE_WARN },
        [DOCTOR_MISSING] = { "missing", TABLE_BAD },
};

static sw_err *
print_text(const doctor *d)
{
        static const char *const heads[] = { "STATUS", "WHAT", "FOUND", NULL };
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        t.wrap = true;
        for (size_t i = 0; i < d->findings.n; i++) {
                const struct doctor_finding *f = &d->findings.v[i];
                table_add_styled(&t, statuses[f->status].name, statuses[f->status].style);
                table_add(&t, f->name);
                table_add(&t, f->detail);
                if (f->remedy) {
                        sw_auto(sw_str) note = sw_asprintf("-> %s", f->remedy);
                        table_note(&t, note);
                }
        }
        table_print(&t, &out, term_width(STDOUT_FILENO), term_colour(STDOUT_FILENO));
        return out_text(&out);
}

static sw_err *
print_json(const doctor *d, bool can_build)
{
        sw_json *list = json_array(), *o = json_object();

        for (size_t i = 0; i < d->findings.n; i++) {
                const struct doctor_finding *f = &d->findings.v[i];
                sw_json *one = json_object();
                json_object_set_new(one, "status", json_text(statuses[f->status].name));
                json_object_set_new(one, "name", json_text(f->name));
                json_object_set_new(one, "found", json_text(f->detail));
                json_object_set_new(one, "remedy", json_text(f->remedy ? f->remedy : ""));
                json_array_append_new(list, one);
        }
        json_object_set_new(o, "can_build", json_boolean(can_build));
        json_object_set_new(o, "findings", list);
        return out_json(o);
}

/* Names of what is missing, for the last line. */
static void
missing_names(const doctor *d, sw_strlist *names)
{
        for (size_t i = 0; i < d->findings.n; i++)
                if (d->findings.v[i].status == DOCTOR_MISSING)
                        sw_strlist_add(names, d->findings.v[i].name);
}

static sw_err *
run_doctor(const struct cli_call *call)
{
        sw_autoptr(sw_config) config = NULL;
        sw_auto(sw_strlist) missing = { 0 };
        sw_auto(doctor) d = { 0 };
        sw_err *err = setup_config(call, &config);

        if (err)
                return err;
        sw_err *left = doctor_run(&d, sw_config_str(config, "root"));
        missing_names(&d, &missing);
        err = cli_bool(call, "json") ? print_json(&d, missing.n == 0) : print_text(&d);
        if (!err)
                err = sw_steal(left);
        sw_err_drop(left, "the first error is the one to tell");
        if (err || missing.n == 0)
                return err;
        sw_auto(sw_str) list = sw_strlist_join(&missing, ", ");
        return sw_err_new(SW_E_UNSUPPORTED, "nothing can be built here; missing: %s", list);
}

static const struct cli_flag doctor_flags[] = {
        { .name = "json",
          .type = CLI_BOOL,
          .help = "print a JSON object: can_build, and findings with status, name, found "
                  "and remedy" },
        { .name = NULL },
};

CLI_VERB(doctor) = {
        .name = "doctor",
        .summary = "say what this machine offers for building, and how to get the rest",
        .details = "Each line is ok, warn or missing; what is missing must be there before "
                   "anything can be built. A line that begins with -> says which command "
                   "or setting brings what is not there.\n"
                   "\n"
                   "Mounts are really tried, in namespaces of their own and in a temporary "
                   "directory beside the root, which is removed again. Exit status 0 when "
                   "building is possible, 1 when something is missing.\n",
        .flags = doctor_flags,
        .run = run_doctor,
};
