/*
 * tests/contract/main.c - slipway-contract: load one plugin and run the suite of its kind.
 *
 *      slipway-contract [--plugin-dir DIR]... [--attr KEY=VALUE]...
 *                       [--option NAME=VALUE]... [--quick] KIND/NAME
 *
 * Exit status: 0 every rule is kept, 1 a rule is broken or the plugin does not load,
 * 2 wrong command line.
 */
#include "tests/contract/contract.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>

void
contract_check(struct contract *c, bool ok, const char *rule, const char *fmt, ...)
{
        printf("%sok %u - %s: %s\n", ok ? "" : "not ", ++c->n, c->info->name, rule);
        if (!ok) {
                c->failed++;
                if (fmt) {
                        va_list ap;

                        printf("# seen: ");
                        va_start(ap, fmt);
                        vprintf(fmt, ap);
                        va_end(ap);
                        printf("\n");
                }
        }
        fflush(stdout);
}

void
contract_ok(struct contract *c, sw_err *err, const char *rule)
{
        contract_check(c, !err, rule, "%s", sw_err_message(err));
        sw_err_free(err);
}

static bool
code_listed(int code, const int *codes)
{
        if (!codes)
                return true;
        for (; *codes; codes++)
                if (*codes == code)
                        return true;
        return false;
}

void
contract_refused(struct contract *c, sw_err *err, const int *codes, const char *rule)
{
        const char *m = sw_err_message(err);
        size_t len = strlen(m);

        if (!err)
                contract_check(c, false, rule, "it succeeded");
        else if (sw_err_code(err) <= 0 || sw_err_code(err) >= SW_E_COUNT)
                contract_check(c, false, rule, "error code %d is unknown",
                               sw_err_code(err));
        else if (!code_listed(sw_err_code(err), codes))
                contract_check(c, false, rule, "error code %s does not fit: %s",
                               sw_err_code_name(sw_err_code(err)), m);
        else if (!len || strchr(m, '\n') || m[len - 1] == '.')
                contract_check(c, false, rule,
                               "message is not one line without a full stop: %s", m);
        else
                contract_check(c, true, rule, NULL);
        sw_err_free(err);
}

unsigned
contract_count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        if (!d)
                return 0;
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static bool
one_line(const char *s)
{
        return s && *s && !strchr(s, '\n');
}

void
contract_descriptor(struct contract *c)
{
        const struct sw_plugin *d = c->info->descriptor;

        contract_check(c, one_line(d->summary), "the summary is one line", NULL);
        contract_check(c, one_line(d->version) && !strpbrk(d->version, " \t"),
                       "the version is a word", NULL);
        for (const struct sw_option *o = d->options; o && o->name; o++) {
                sw_auto(sw_str) rule =
                        sw_asprintf("option %s has help of one line", o->name);

                contract_check(c, one_line(o->help), rule, NULL);
        }
        contract_check(c, !d->init || d->shutdown || !d->options,
                       "a plugin with init and options has a shutdown", NULL);
}

static void
usage(FILE *f)
{
        fprintf(f, "usage: slipway-contract [--plugin-dir DIR]... [--attr KEY=VALUE]... "
                   "[--option NAME=VALUE]... [--quick] KIND/NAME\n"
                   "Check that a plugin keeps the rules of its kind; prints TAP.\n");
}

struct arguments {
        SW_ARRAY(const char *) dirs;
        SW_ARRAY(struct sw_attr) attrs;
        sw_strlist keys;    /* owns the keys of attrs */
        sw_strlist options; /* NAME=VALUE, of the plugin */
        bool quick;
        unsigned kind;
        const char *name;
};

static void
arguments_release(struct arguments *a)
{
        sw_array_release(&a->dirs);
        sw_array_release(&a->attrs);
        sw_strlist_release(&a->keys);
        sw_strlist_release(&a->options);
}

static bool
parse_attr(struct arguments *a, const char *text)
{
        const char *eq = strchr(text, '=');

        if (!eq || eq == text) {
                fprintf(stderr, "slipway-contract: --attr %s: must be KEY=VALUE\n", text);
                return false;
        }
        char *key = sw_strndup(text, (size_t) (eq - text));
        sw_strlist_take(&a->keys, key);
        sw_array_push(&a->attrs, (struct sw_attr){ key, eq + 1 });
        return true;
}

static bool
parse_plugin(struct arguments *a, const char *text)
{
        const char *slash = strchr(text, '/');
        sw_auto(sw_str) kind = sw_strndup(text, slash ? (size_t) (slash - text) : 0);

        a->kind = sw_kind_parse(kind);
        if (!a->kind || !slash || !slash[1]) {
                fprintf(stderr,
                        "slipway-contract: %s: must be KIND/NAME, such as "
                        "exporter/discard\n",
                        text);
                return false;
        }
        a->name = slash + 1;
        return true;
}

/* Returns -1 to go on, otherwise the exit status. */
static int
parse_arguments(int argc, char **argv, struct arguments *a)
{
        static const struct option options[] = {
                { "plugin-dir", required_argument, NULL, 'p' },
                { "attr", required_argument, NULL, 'a' },
                { "option", required_argument, NULL, 'o' },
                { "quick", no_argument, NULL, 'q' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        int o;

        while ((o = getopt_long(argc, argv, "p:a:o:qh", options, NULL)) != -1) {
                if (o == 'h') {
                        usage(stdout);
                        return 0;
                }
                if (o == 'p')
                        sw_array_push(&a->dirs, optarg);
                else if (o == 'o')
                        sw_strlist_add(&a->options, optarg);
                else if (o == 'q')
                        a->quick = true;
                else if (o != 'a' || !parse_attr(a, optarg))
                        return 2;
        }
        sw_array_push(&a->dirs, NULL);
        if (optind + 1 != argc) {
                usage(stderr);
                return 2;
        }
        return parse_plugin(a, argv[optind]) ? -1 : 2;
}

/* What --option says, as the configuration of the plugin. */
static sw_err *
configure(const struct arguments *a, sw_config *config)
{
        sw_auto(sw_str) id = sw_asprintf("%s/%s", sw_kind_name(a->kind), a->name);

        for (size_t i = 0; i < a->options.n; i++) {
                const char *text = a->options.v[i], *eq = strchr(text, '=');

                if (!eq || eq == text)
                        return sw_err_new(SW_E_USAGE, "--option %s: must be NAME=VALUE",
                                          text);
                sw_auto(sw_str) name = sw_strndup(text, (size_t) (eq - text));
                sw_auto(sw_str) key = sw_config_key("plugins", id, name, NULL);
                sw_err *err = sw_config_set(config, key, eq + 1, SW_FROM_FLAG, "--option");
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
run_suites(struct contract *c, const struct arguments *a)
{
        sw_err *err = sw_host_require(c->host, a->kind, a->name);

        if (err)
                return err;
        c->info = sw_host_find(c->host, a->kind, a->name);
        contract_descriptor(c);
        if (a->kind == SW_KIND_EXPORTER)
                contract_exporter(c);
        else if (a->kind == SW_KIND_EXECUTOR)
                contract_executor(c);
        else if (a->kind == SW_KIND_FRONTEND)
                contract_frontend(c);
        else if (a->kind == SW_KIND_SNAPSHOTTER)
                contract_snapshotter(c);
        else
                printf("# only the rules of every kind: this tool knows none of kind %s\n",
                       sw_kind_name(a->kind));
        printf("1..%u\n", c->n);
        return SW_OK;
}

static sw_err *
run(const struct arguments *a, unsigned *failed)
{
        const char *tmp = getenv("TMPDIR");
        sw_auto(sw_str) workdir = sw_asprintf("%s/slipway-contract-XXXXXX",
                                              tmp && *tmp == '/' ? tmp : "/tmp");
        struct contract c = { .attrs = a->attrs.v,
                              .n_attrs = a->attrs.n,
                              .workdir = workdir,
                              .quick = a->quick };
        sw_autoptr(sw_config) config = sw_config_new();
        struct sw_host_opts opts = { .dirs = a->dirs.v,
                                     .path = getenv("SLIPWAY_PLUGIN_PATH"),
                                     .config = config };
        sw_err *err = configure(a, config);

        if (!err)
                err = sw_host_new(&opts, &c.host);
        if (err)
                return err;
        if (!mkdtemp(workdir))
                err = sw_err_sys(SW_E_IO, errno, "make %s", workdir);
        if (!err)
                err = run_suites(&c, a);
        sw_host_free(c.host);

        sw_auto(sw_fd) root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_err *left = sw_path_remove(root, workdir);
        *failed = c.failed;
        if (err) {
                sw_err_drop(left, "the first error is the one to tell");
                return err;
        }
        return left;
}

int
main(int argc, char **argv)
{
        struct arguments a = { 0 };
        unsigned failed = 0;
        int status = parse_arguments(argc, argv, &a);

        if (status < 0) {
                sw_err *err = run(&a, &failed);

                if (err)
                        fprintf(stderr, "slipway-contract: %s\n", sw_err_message(err));
                status = err ? sw_err_exit_status(err) : failed > 0;
                sw_err_free(err);
        }
        arguments_release(&a);
        return status;
}
