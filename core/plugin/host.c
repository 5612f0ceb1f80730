/*
 * core/plugin/host.c - the plugin host: states of plugins, registry, search and check.
 *
 *      FOUND ----> OPENED ----> CHECKED ----> READY
 *        |  \         \            |
 *        |   +---------+-----------+--> BROKEN
 *        +--> DISABLED
 *
 * legal[] lists every step. Invariants, checked by module_check_invariants() after each:
 *   I1  BROKEN exactly when there is a fault, an error and a reason
 *   I2  info.descriptor is set once CHECKED was reached, and never before
 *   I3  options are set once CHECKED was reached
 *   I4  only a READY module has a self, and h->ready has each of those once
 * Further: by_stem has the first module of each file name that can be a plugin's; so the
 * first one in the search path has the name, be it broken or not. A plugin's own name
 * goes before a name that another one provides.
 *
 * Threads: any; every public function takes the lock, for a build loads what it needs as
 * it goes. What is told of a READY module no longer changes.
 */
#include <assert.h>
#include <ltdl.h>
#include <string.h>

#include <slipway/text.h>

#include "core/base/utf8.h"
#include "core/plugin/host_priv.h"

#define REASON_MAX ((size_t) 4096) /* bytes of it that are kept */
#define BIT(s)     (1U << (s))

static const unsigned legal[] = {
        [SW_PLUGIN_FOUND] =
                BIT(SW_PLUGIN_OPENED) | BIT(SW_PLUGIN_BROKEN) | BIT(SW_PLUGIN_DISABLED),
        [SW_PLUGIN_OPENED] = BIT(SW_PLUGIN_CHECKED) | BIT(SW_PLUGIN_BROKEN),
        [SW_PLUGIN_CHECKED] = BIT(SW_PLUGIN_READY) | BIT(SW_PLUGIN_BROKEN),
        [SW_PLUGIN_READY] = 0,
        [SW_PLUGIN_BROKEN] = 0,
        [SW_PLUGIN_DISABLED] = 0,
};

static void
module_check_invariants(const struct sw__module *m)
{
        const struct sw_plugin_info *i = &m->info;
        const bool broken = i->state == SW_PLUGIN_BROKEN;

        assert(broken == (i->fault != SW_FAULT_NONE) && broken == (m->err != NULL) &&
               (!broken || i->reason[0])); /* I1 */
        assert(!(BIT(i->state) & (BIT(SW_PLUGIN_CHECKED) | BIT(SW_PLUGIN_READY))) ||
               (i->descriptor && m->options)); /* I2, I3 */
        assert(!(BIT(i->state) & (BIT(SW_PLUGIN_FOUND) | BIT(SW_PLUGIN_OPENED))) ||
               !i->descriptor);                          /* I2 */
        assert(i->state == SW_PLUGIN_READY || !m->self); /* I4 */
        (void) i;
        (void) broken;
}

void
sw__module_enter(struct sw__module *m, enum sw_plugin_state state)
{
        assert(legal[m->info.state] & BIT(state));
        m->info.state = state;
}

/* The code a look-up answers with. */
static enum sw_code
fault_code(enum sw_plugin_fault fault)
{
        switch (fault) {
        case SW_FAULT_ABI_MAJOR:
        case SW_FAULT_ABI_MINOR: return SW_E_ABI;
        case SW_FAULT_UNMET_NEED:
        case SW_FAULT_NEED_CYCLE: return SW_E_UNMET;
        case SW_FAULT_OPTION_TYPE:
        case SW_FAULT_OPTION_UNKNOWN: return SW_E_CONFIG;
        default: return SW_E_BROKEN;
        }
}

/* One line that a terminal may be shown, whatever a plugin or a file name says. */
static char *
harmless(const char *text)
{
        sw_buf b = SW_BUF_INIT;

        sw__buf_add_escaped(&b, text, strlen(text), REASON_MAX, '\0');
        return sw_buf_detach(&b);
}

bool
sw__module_break(struct sw__module *m, enum sw_plugin_fault fault, const char *fmt, ...)
{
        sw_auto(sw_buf) reason = SW_BUF_INIT;
        sw_auto(sw_str) id = harmless(m->id);
        sw_auto(sw_str) file = harmless(m->info.file);
        enum sw_code code = fault_code(fault);
        va_list ap;

        va_start(ap, fmt);
        sw_buf_vaddf(&reason, fmt, ap);
        va_end(ap);
        m->reason = harmless(reason.len ? reason.data : "no reason given");
        m->info.reason = m->reason;
        m->info.fault = fault;
        /* What is wrong with the configuration starts with its own place. */
        m->err = code == SW_E_CONFIG
                         ? sw_err_new(code, "%s", m->reason)
                         : sw_err_new(code, "plugin %s (%s): %s", id, file, m->reason);
        sw_err_set_plugin(m->err, id);
        sw__module_enter(m, SW_PLUGIN_BROKEN);
        module_check_invariants(m);
        return false;
}

void
sw__module_free(struct sw__module *m)
{
        sw__options_free(m->options);
        sw_err_free(m->err);
        free(m->reason);
        free(m->file);
        free(m->stem);
        free(m->name);
        free(m->id);
        free(m);
}

static pthread_mutex_t *
new_lock(void)
{
        pthread_mutex_t *lock = sw_new(pthread_mutex_t);
        pthread_mutexattr_t attr;

        (void) pthread_mutexattr_init(&attr);
        (void) pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
        (void) pthread_mutex_init(lock, &attr);
        (void) pthread_mutexattr_destroy(&attr);
        return lock;
}

void
sw__host_lock(const sw_host *h)
{
        (void) pthread_mutex_lock(h->lock);
}

void
sw__host_unlock(const sw_host *h)
{
        (void) pthread_mutex_unlock(h->lock);
}

static sw_err *
start_ltdl(void)
{
        sw_err *err = SW_OK;

        (void) pthread_mutex_lock(&sw__ltdl_lock);
        /* Never matched by lt_dlexit(), which would unload what is still in use. */
        if (lt_dlinit() != 0 || !sw__search_builtin()) {
                const char *words = lt_dlerror();

                err = sw_err_new(SW_E_INTERNAL, "libltdl does not start: %s",
                                 words ? words : "no reason given");
        }
        (void) pthread_mutex_unlock(&sw__ltdl_lock);
        return err;
}

sw_err *
sw_host_new(const struct sw_host_opts *opts, sw_host **out)
{
        sw_err *err = start_ltdl();

        if (err)
                return err;
        sw_host *h = sw_new(sw_host);
        h->lock = new_lock();
        h->config = opts->config;
        h->log = opts->log;
        h->by_stem = sw_map_new(NULL);
        h->by_alias = sw_map_new(NULL);
        sw__search_path(h, opts);
        *out = h;
        return SW_OK;
}

void
sw_host_free(sw_host *h)
{
        if (!h)
                return;
        while (h->ready.n > 0) {
                struct sw__module *m = h->ready.v[--h->ready.n];

                if (m->desc.shutdown)
                        m->desc.shutdown(sw_steal(m->self));
        }
        for (size_t i = 0; i < h->modules.n; i++)
                sw__module_free(h->modules.v[i]);
        for (size_t i = 0; i < h->dirs.n; i++) {
                free(h->dirs.v[i].path);
                free(h->dirs.v[i].trouble);
        }
        sw_array_release(&h->ready);
        sw_array_release(&h->modules);
        sw_array_release(&h->dirs);
        sw_map_free(h->by_stem);
        sw_map_free(h->by_alias);
        sw_err_free(h->dir_err);
        (void) pthread_mutex_destroy(h->lock);
        free(h->lock);
        free(h);
}

/* Kind and name by the file name, for one that is not opened. */
static void
name_by_file(struct sw__module *m)
{
        m->info.kind = m->kind;
        m->info.name = m->name;
}

/* From FOUND as far as it goes without others. */
static void
bring_up(sw_host *h, struct sw__module *m)
{
        const struct sw__module *first;

        if (m->info.state != SW_PLUGIN_FOUND)
                return;
        if (m->kind && h->config && !sw_config_plugin_enabled(h->config, m->id)) {
                name_by_file(m);
                m->info.reason = "switched off in the configuration";
                sw__module_enter(m, SW_PLUGIN_DISABLED);
        }
        first = m->kind ? (const struct sw__module *) sw_map_get(h->by_stem, m->stem)
                        : NULL;
        if (m->kind && !first)
                (void) sw_map_set(h->by_stem, m->stem, m);
        if (m->info.state == SW_PLUGIN_DISABLED)
                return;
        if (first) {
                name_by_file(m);
                (void) sw__module_break(m, SW_FAULT_DUPLICATE,
                                        "%s is taken by %s, which is earlier in the search "
                                        "path: remove one of the two",
                                        m->id, first->info.file);
        } else if (sw__module_open(m) && sw__module_check(m, h->config)) {
                module_check_invariants(m);
        }
}

/* Register what @m provides besides its own name; the first one has it. */
static void
provide(sw_host *h, struct sw__module *m)
{
        const char *const *alias = m->info.descriptor ? m->desc.provides : NULL;

        for (; alias && *alias; alias++) {
                sw_auto(sw_str) id = sw_asprintf("%s/%s", sw_kind_name(m->kind), *alias);
                const struct sw__module *other =
                        (const struct sw__module *) sw_map_get(h->by_alias, id);

                if (!other)
                        (void) sw_map_set(h->by_alias, id, m);
                else if (other != m)
                        sw_log_line(h->log, SW_LOG_WARN, m->id,
                                    "%s is provided by %s already, not by %s", id,
                                    other->info.file, m->info.file);
        }
}

/* Find everything, open and check it. */
static void
scan_all(sw_host *h)
{
        if (h->scanned)
                return;
        h->scanned = true;
        sw__search_all(h);
        for (size_t i = 0; i < h->modules.n; i++)
                bring_up(h, h->modules.v[i]);
        for (size_t i = 0; i < h->modules.n; i++)
                provide(h, h->modules.v[i]);
}

struct sw__module *
sw__host_known(const sw_host *h, unsigned kind, const char *name)
{
        struct sw__module *m;

        if (!sw_kind_name(kind) || !sw__plugin_name_ok(name))
                return NULL;
        sw_auto(sw_str) stem = sw__plugin_stem(kind, name);
        m = (struct sw__module *) sw_map_get(h->by_stem, stem);
        if (m)
                return m;
        sw_auto(sw_str) id = sw_asprintf("%s/%s", sw_kind_name(kind), name);
        return (struct sw__module *) sw_map_get(h->by_alias, id);
}

struct sw__module *
sw__host_ensure(sw_host *h, unsigned kind, const char *name)
{
        struct sw__module *m = sw__host_known(h, kind, name);

        if (m || h->scanned)
                return m;
        if (sw_kind_name(kind) && sw__plugin_name_ok(name)) {
                sw_auto(sw_str) stem = sw__plugin_stem(kind, name);

                m = sw__search_one(h, stem);
                if (m) {
                        bring_up(h, m);
                        return m;
                }
        }
        scan_all(h);
        return sw__host_known(h, kind, name);
}

sw_err *
sw_host_scan(sw_host *h)
{
        sw_err *err;

        sw__host_lock(h);
        scan_all(h);
        for (size_t i = 0; i < h->modules.n; i++)
                sw__order_check(h, h->modules.v[i]);
        err = sw_err_copy(h->dir_err);
        sw__host_unlock(h);
        return err;
}

size_t
sw_host_count(const sw_host *h)
{
        size_t n;

        sw__host_lock(h);
        n = h->modules.n;
        sw__host_unlock(h);
        return n;
}

const struct sw_plugin_info *
sw_host_get(const sw_host *h, size_t i)
{
        const struct sw_plugin_info *info;

        sw__host_lock(h);
        assert(i < h->modules.n);
        info = &h->modules.v[i]->info;
        sw__host_unlock(h);
        return info;
}

const struct sw_plugin_info *
sw_host_find(const sw_host *h, unsigned kind, const char *name)
{
        const struct sw__module *m;

        sw__host_lock(h);
        m = sw__host_known(h, kind, name);
        sw__host_unlock(h);
        return m ? &m->info : NULL;
}

void
sw_host_dirs(const sw_host *h, sw_strlist *out)
{
        sw__host_lock(h);
        for (size_t i = 0; i < h->dirs.n; i++)
                sw_strlist_add(out, h->dirs.v[i].path);
        sw__host_unlock(h);
}
