/*
 * lib/dockerfile/port.c - words of EXPOSE: [[ip:]host:]container[/protocol], ranges. Host
 * parts mean nothing to an image; they are checked, told to the checks, and dropped. Pure.
 */
#include <arpa/inet.h>
#include <strings.h>

#include "lib/dockerfile/instruct.h"
#include "lib/dockerfile/span.h"

enum { PORT_MAX = 65535, PORTS_MAX = 4 * (PORT_MAX + 1) };

struct ports {
        int first, last;
};

/* "80" or "80-90". */
static bool
read_ports(const char *s, struct ports *out)
{
        int *const into[] = { &out->first, &out->last };

        for (int i = 0; i < 2; i++) {
                int n = 0;
                const char *from = s;

                for (; *s >= '0' && *s <= '9' && n <= PORT_MAX; s++)
                        n = n * 10 + *s - '0';
                if (s == from || n > PORT_MAX)
                        return false;
                *into[i] = n;
                if (i == 0 && *s != '-')
                        out->last = n;
                if (*s != '-')
                        break;
                if (i == 0)
                        s++;
        }
        return !*s && out->first <= out->last;
}

static sw_err *
invalid(const char *what, const char *value)
{
        sw_auto(sw_str) shown = sw_df_plain(value);

        return sw_err_new(SW_E_INVALID, "%s: %s", what, shown);
}

static bool
is_ip(const char *s)
{
        char addr[sizeof(struct in6_addr)];
        size_t n = strlen(s);

        if (*s != '[')
                return inet_pton(strchr(s, ':') ? AF_INET6 : AF_INET, s, addr) == 1;
        if (s[n - 1] != ']')
                return false;
        sw_auto(sw_str) inner = sw_strndup(s + 1, n - 2);

        return inet_pton(AF_INET6, inner, addr) == 1;
}

/* What stands in front of the container's ports: "host" or "ip:host". */
static sw_err *
check_host(char *host, const char *container, const struct ports *ports)
{
        struct ports h = { 0, 0 };
        char *port = strrchr(host, ':');

        if (port)
                *port++ = '\0';
        if (port && *host && !is_ip(host))
                return invalid("invalid IP address", host);
        port = port ? port : host;
        if (!*port)
                return SW_OK;
        if (!read_ports(port, &h))
                return invalid("invalid hostPort", port);
        if (ports->last != ports->first && h.last - h.first != ports->last - ports->first) {
                sw_auto(sw_str) a = sw_df_plain(container), b = sw_df_plain(port);

                return sw_err_new(SW_E_INVALID,
                                  "invalid ranges specified for container and host Ports: "
                                  "%s and %s",
                                  a, b);
        }
        return SW_OK;
}

/* The protocol after "/", taken off @container; in lower case. */
static sw_err *
read_protocol(char *container, const char **out)
{
        static const char *const known[] = { "tcp", "udp", "sctp" };
        char *slash = strchr(container, '/');

        *out = "tcp";
        if (!slash)
                return SW_OK;
        *slash++ = '\0';
        if (!*slash)
                return SW_OK;
        for (size_t i = 0; i < SW_COUNT(known); i++)
                if (strcasecmp(slash, known[i]) == 0) {
                        *out = known[i];
                        return SW_OK;
                }
        return invalid("invalid proto", slash);
}

static bool
has_upper(const char *s)
{
        while (*s && !(*s >= 'A' && *s <= 'Z'))
                s++;
        return *s != '\0';
}

static void
tell(struct sw_df_lint *lint, const struct sw_df_cmd *cmd, const char *word, bool host)
{
        const char *slash = strchr(word, '/');
        sw_auto(sw_str) shown = sw_df_plain(word);

        if (!cmd)
                return;
        if (host)
                sw_df_lint_at(lint, cmd->node, SW_DF_RULE_EXPOSE_INVALID_FORMAT, cmd->range,
                              "EXPOSE instruction should not define an IP address or "
                              "host-port mapping, found '%s'",
                              shown);
        if (slash && has_upper(slash))
                sw_df_lint_at(lint, cmd->node, SW_DF_RULE_EXPOSE_PROTO_CASING, cmd->range,
                              "Defined protocol '%s' in EXPOSE instruction should be "
                              "lowercase",
                              shown);
}

sw_err *
sw_df_port_words(const char *word, struct sw_df_lint *lint, const struct sw_df_cmd *cmd,
                 sw_strlist *out)
{
        sw_auto(sw_str) copy = sw_strdup(word);
        char *container = strrchr(copy, ':');
        struct ports ports = { 0, 0 };
        const char *protocol;
        sw_err *err;

        if (container)
                *container++ = '\0';
        else
                container = copy;
        err = read_protocol(container, &protocol);
        if (err)
                return err;
        if (!*container) {
                sw_auto(sw_str) shown = sw_df_plain(word);

                return sw_err_new(SW_E_INVALID, "no port specified: %s<empty>", shown);
        }
        if (!read_ports(container, &ports))
                return invalid("invalid containerPort", container);
        if (container != copy)
                err = check_host(copy, container, &ports);
        if (err)
                return err;
        tell(lint, cmd, word, container != copy);
        if (out->n + (size_t) (ports.last - ports.first) >= PORTS_MAX)
                return sw_err_new(SW_E_LIMIT, "EXPOSE of more than %d ports", PORTS_MAX);
        for (int p = ports.first; p <= ports.last; p++)
                sw_strlist_take(out, sw_asprintf("%d/%s", p, protocol));
        return SW_OK;
}
