/*
 * core/llb/state/node.c - states: nodes that carry one value each. Thread: any.
 */
#include <arpa/inet.h>
#include <string.h>

#include "core/llb/state/state.h"

sw_state *
sw_state_ref(const sw_state *s)
{
        sw__llb_object_ref(&s->o);
        return (sw_state *) s;
}

void
sw_state_unref(sw_state *s)
{
        sw__llb_object_unref(s ? &s->o : NULL);
}

void
sw__llb_state_release(sw_state *s, struct dead *dead)
{
        sw__llb_object_drop(s->out.v ? &s->out.v->o : NULL, dead);
        sw__llb_object_drop(s->prev ? &s->prev->o : NULL, dead);
        free(s->name);
        free(s->text);
        sw_platform_free(s->platform);
        free(s);
}

/* A node over @prev (NULL: none) that sets @key. */
static sw_state *
node_new(struct output out, const sw_state *prev, enum value key)
{
        sw_state *s = sw_new(sw_state);

        sw__llb_object_init(&s->o, OBJECT_STATE);
        output_ref(out);
        s->out = out;
        if (prev) {
                s->prev = sw_state_ref(prev);
                memcpy(s->at, prev->at, sizeof(s->at));
        }
        s->key = key;
        if (key != VALUE_NONE)
                s->at[key] = s;
        return s;
}

static sw_state *
text_node(const sw_state *prev, enum value key, const char *text)
{
        sw_state *s = node_new(prev->out, prev, key);

        s->text = sw_strdup(text);
        return s;
}

/* The platform a vertex was given holds for what is made of its outputs. */
static sw_state *
keep_platform(sw_state *s)
{
        const sw_platform *p = sw__llb_output_platform(s->out);
        sw_state *with;

        if (!p)
                return s;
        with = sw_state_platform(s, p);
        sw_state_unref(s);
        return with;
}

sw_state *
sw__llb_state_over(struct output out)
{
        sw_autoptr(sw_state) start = node_new(out, NULL, VALUE_NONE);

        return keep_platform(text_node(start, VALUE_DIR, "/"));
}

sw_state *
sw__llb_state_with_output(const sw_state *s, struct output out)
{
        return keep_platform(node_new(out, s, VALUE_NONE));
}

sw_state *
sw_llb_scratch(void)
{
        return sw__llb_state_over((struct output){ NULL, 0 });
}

sw_state *
sw_state_bare(const sw_state *s)
{
        return sw__llb_state_over(s->out);
}

/* Of a fresh state over the tree of @s only the topmost node stays: the platform where the
 * vertex was given one, else the directory. Below it come the values of @other. */
sw_state *
sw_state_reset(const sw_state *s, const sw_state *other)
{
        const sw_platform *p = sw__llb_output_platform(s->out);
        sw_state *top;

        if (p) {
                top = node_new(s->out, other, VALUE_PLATFORM);
                top->platform = sw_platform_normalize(p);
        } else {
                top = node_new(s->out, other, VALUE_DIR);
                top->text = sw_strdup("/");
        }
        return top;
}

sw_state *
sw_state_late(const sw_state *s, sw_late_fn fn, void *arg, void (*free_arg)(void *))
{
        struct opts none = { 0 };
        struct vertex *v = sw__llb_vertex_new(VERTEX_LATE, &none, NULL, 0);
        sw_state *late;

        v->late = (struct late){ fn, arg, free_arg, sw_state_ref(s) };
        late = node_new((struct output){ v, 0 }, NULL, VALUE_NONE);
        for (size_t i = 0; i < VALUE_COUNT; i++)
                late->at[i] = late;
        sw__llb_object_unref(&v->o);
        return late;
}

/* ---- values ------------------------------------------------------------------------ */

sw_state *
sw_state_dir(const sw_state *s, const char *dir)
{
        return text_node(s, VALUE_DIR, dir);
}

sw_state *
sw_state_user(const sw_state *s, const char *user)
{
        return text_node(s, VALUE_USER, user);
}

sw_state *
sw_state_hostname(const sw_state *s, const char *name)
{
        return text_node(s, VALUE_HOSTNAME, name);
}

sw_state *
sw_state_cgroup_parent(const sw_state *s, const char *path)
{
        return text_node(s, VALUE_CGROUP_PARENT, path);
}

sw_state *
sw_state_env(const sw_state *s, const char *key, const char *value)
{
        sw_state *n = text_node(s, VALUE_ENV, value);

        n->name = sw_strdup(key);
        return n;
}

sw_state *
sw_state_unset(const sw_state *s, const char *key)
{
        return sw_state_env(s, key, NULL);
}

sw_state *
sw_state_set(const sw_state *s, const char *key, const char *value)
{
        sw_state *n = text_node(s, VALUE_CUSTOM, value);

        n->name = sw_strdup(key);
        return n;
}

sw_state *
sw_state_platform(const sw_state *s, const sw_platform *p)
{
        sw_state *n = node_new(s->out, s, VALUE_PLATFORM);

        n->platform = sw_platform_normalize(p);
        return n;
}

sw_state *
sw_state_network(const sw_state *s, enum sw_llb_network mode)
{
        sw_state *n = node_new(s->out, s, VALUE_NETWORK);

        n->number = mode;
        return n;
}

sw_state *
sw_state_security(const sw_state *s, enum sw_llb_security mode)
{
        sw_state *n = node_new(s->out, s, VALUE_SECURITY);

        n->number = mode;
        return n;
}

sw_err *
sw_state_ulimit(const sw_state *s, const char *name, int64_t soft, int64_t hard,
                sw_state **out)
{
        if (!*name)
                return sw_err_new(SW_E_INVALID, "ulimit without a name");
        if (soft < -1 || hard < -1)
                return sw_err_new(SW_E_INVALID,
                                  "ulimit %s: %lld, %lld: a limit is 0 or more, or -1 for "
                                  "none",
                                  name, (long long) soft, (long long) hard);
        if (hard != -1 && (soft == -1 || soft > hard))
                return sw_err_new(SW_E_INVALID,
                                  "ulimit %s: the soft limit %lld is above the hard limit "
                                  "%lld",
                                  name, (long long) soft, (long long) hard);
        *out = node_new(s->out, s, VALUE_ULIMIT);
        (*out)->name = sw_strdup(name);
        (*out)->number = soft;
        (*out)->number2 = hard;
        return SW_OK;
}

/* ---- hosts ------------------------------------------------------------------------- */

/* Where the longest run of zero groups starts and ends; at least two, else none. */
static void
longest_zeros(const uint16_t g[8], int *start, int *end)
{
        *start = *end = -1;
        for (int i = 0; i < 8; i++) {
                int k = i;

                while (k < 8 && g[k] == 0)
                        k++;
                if (k - i >= 2 && k - i > *end - *start) {
                        *start = i;
                        *end = k;
                }
                if (k > i)
                        i = k - 1;
        }
}

/* As Go's net.IP prints it: inet_ntop() writes some addresses with a dotted end. */
static char *
format_ipv6(const uint8_t a[16])
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        uint16_t g[8];
        int start, end;

        for (int i = 0; i < 8; i++)
                g[i] = (uint16_t) (a[2 * i] << 8 | a[2 * i + 1]);
        longest_zeros(g, &start, &end);
        for (int i = 0; i < 8; i++) {
                if (i == start) {
                        sw_buf_adds(&b, "::");
                        i = end - 1;
                        continue;
                }
                if (i > 0 && i != end)
                        sw_buf_addc(&b, ':');
                sw_buf_addf(&b, "%x", g[i]);
        }
        return sw_buf_detach(&b);
}

static sw_err *
canonical_ip(const char *ip, char **out)
{
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        char v4[INET_ADDRSTRLEN];
        uint8_t a[16];
        const uint8_t *four = a;

        if (inet_pton(AF_INET, ip, a) != 1) {
                if (inet_pton(AF_INET6, ip, a) != 1)
                        return sw_err_new(SW_E_INVALID,
                                          "%s is neither an IPv4 nor an IPv6 address",
                                          sw__llb_shown(ip).text);
                if (memcmp(a, mapped, sizeof(mapped)) != 0) {
                        *out = format_ipv6(a);
                        return SW_OK;
                }
                four = a + sizeof(mapped);
        }
        *out = sw_strdup(inet_ntop(AF_INET, four, v4, sizeof(v4)));
        return SW_OK;
}

sw_err *
sw_state_add_host(const sw_state *s, const char *host, const char *ip, sw_state **out)
{
        sw_auto(sw_str) address = NULL;
        sw_err *err;

        if (!*host)
                return sw_err_new(SW_E_INVALID, "extra host without a name");
        err = canonical_ip(ip, &address);
        if (err)
                return sw_err_wrap(err, "extra host %s", sw__llb_shown(host).text);
        *out = node_new(s->out, s, VALUE_HOST);
        (*out)->name = sw_strdup(host);
        (*out)->text = sw_steal(address);
        return SW_OK;
}
