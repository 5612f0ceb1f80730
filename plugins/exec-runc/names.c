/*
 * plugins/exec-runc/names.c - /etc/hosts and /etc/resolv.conf of a container.
 *
 * A name server on the loopback address is one that a container with a network of its own
 * cannot reach: it is left out, and where none remains public ones take its place.
 * Thread: any.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"

#define RESOLV_MAX (1 << 20)
#define STUB       "127.0.0.53" /* where systemd-resolved listens */
#define SYSTEMD    "/run/systemd/resolve/resolv.conf"

void
runc_hosts(const struct sw_exec_container *c, const char *hostname, sw_buf *out)
{
        sw_buf_addf(out, "127.0.0.1\tlocalhost %s\n", hostname);
        sw_buf_adds(out, "::1\tlocalhost ip6-localhost ip6-loopback\n");
        for (size_t i = 0; i < c->n_hosts; i++)
                sw_buf_addf(out, "%s\t%s\n", c->hosts[i].address, c->hosts[i].name);
}

struct resolv {
        sw_strlist servers, options, search;
};

static void
resolv_release(struct resolv *r)
{
        sw_strlist_release(&r->servers);
        sw_strlist_release(&r->options);
        sw_strlist_release(&r->search);
}

/* Words of one line into the list that its first one names. */
static void
read_line(struct resolv *r, char *line)
{
        sw_auto(sw_strlist) words = { 0 };

        for (char *p = line; *p; p++)
                if (*p == '\t' || *p == '\r')
                        *p = ' ';
        sw_strlist_split(&words, line, ' ');
        if (words.n < 2)
                return;
        sw_strlist *to = NULL;
        if (strcmp(words.v[0], "nameserver") == 0) {
                to = &r->servers;
        } else if (strcmp(words.v[0], "search") == 0 || strcmp(words.v[0], "domain") == 0) {
                sw_strlist_release(&r->search); /* the last one counts */
                to = &r->search;
        } else if (strcmp(words.v[0], "options") == 0) {
                to = &r->options;
        }
        for (size_t i = 1; to && i < words.n; i++) {
                if (words.v[i][0] == '#' || words.v[i][0] == ';')
                        return;
                sw_strlist_add(to, words.v[i]);
                if (to == &r->servers)
                        return;
        }
}

static void
read_resolv(struct resolv *r, const char *text)
{
        sw_auto(sw_strlist) lines = { 0 };

        sw_strlist_split(&lines, text, '\n');
        for (size_t i = 0; i < lines.n; i++)
                read_line(r, lines.v[i]);
}

static bool
is_loopback(const char *server)
{
        return sw_str_has_prefix(server, "127.") || strcmp(server, "::1") == 0 ||
               sw_str_has_prefix(server, "::1%");
}

static void
put_line(sw_buf *out, const char *word, const sw_strlist *values)
{
        if (!values->n)
                return;
        sw_auto(sw_str) text = sw_strlist_join(values, " ");
        sw_buf_addf(out, "%s %s\n", word, text);
}

/* From the text @host. Lists that are empty or NULL leave what that says. */
static void
resolv_conf_from(const char *host, bool host_network, const sw_strlist *servers,
                 const sw_strlist *options, const sw_strlist *search, sw_buf *out)
{
        static const char *const public[] = { "8.8.8.8", "8.8.4.4" };
        struct resolv r = { 0 };
        size_t n = 0;

        read_resolv(&r, host);
        const sw_strlist *use = servers && servers->n ? servers : &r.servers;
        put_line(out, "search", search && search->n ? search : &r.search);
        for (size_t i = 0; i < use->n; i++) {
                if (!host_network && is_loopback(use->v[i]))
                        continue;
                sw_buf_addf(out, "nameserver %s\n", use->v[i]);
                n++;
        }
        for (size_t i = 0; !n && !host_network && i < SW_COUNT(public); i++)
                sw_buf_addf(out, "nameserver %s\n", public[i]);
        put_line(out, "options", options && options->n ? options : &r.options);
        resolv_release(&r);
}

/* Whether @text names the local stub of systemd-resolved and nobody else. */
static bool
is_stub_only(const char *text)
{
        struct resolv r = { 0 };

        read_resolv(&r, text);
        bool only = r.servers.n == 1 && strcmp(r.servers.v[0], STUB) == 0;
        resolv_release(&r);
        return only;
}

sw_err *
runc_resolv_conf(const struct runc_exec *x, bool host_network, sw_buf *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, "/etc/resolv.conf", RESOLV_MAX);

        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "the host has no names to look up");
                err = SW_OK;
        }
        if (!err && !host_network && is_stub_only(text.data)) {
                sw_auto(sw_buf) real = SW_BUF_INIT;
                sw_err *none = sw_buf_read_file(&real, AT_FDCWD, SYSTEMD, RESOLV_MAX);

                if (!none) {
                        sw_buf_clear(&text);
                        sw_buf_add(&text, real.data, real.len);
                }
                sw_err_drop(none, "what the host itself uses will do");
        }
        if (err)
                return sw_err_wrap(err, "make /etc/resolv.conf of a container");
        resolv_conf_from(text.data, host_network,
                         sw_options_list(x->options, "nameservers"),
                         sw_options_list(x->options, "dns-options"),
                         sw_options_list(x->options, "dns-search"), out);
        return SW_OK;
}
