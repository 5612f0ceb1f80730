/*
 * core/config/check.c - whether one scalar is what its key wants.
 *
 * Errors say what is wrong with the text, quoted and cut; where it stands is added by the
 * caller. Text from outside is shown escaped only.
 *
 * Thread: any.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/time.h>

#include "core/config/internal.h"

#define SHOWN_MAX 60

/* @s would do without its quotes. */
static SW_NODISCARD sw_err *
is_quoted(const char *s)
{
        return sw_err_new(SW_E_CONFIG, "\"%s\" is text because of its quotes; remove them",
                          s);
}

/* "TEXT" is not WHAT. */
static SW_NODISCARD sw_err *
is_not(const char *s, const char *what)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, s, strlen(s), SHOWN_MAX);
        return sw_err_new(SW_E_CONFIG, "%s is not %s", shown.data, what);
}

static bool
has_control(const char *s)
{
        for (; *s; s++) {
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        return true;
        }
        return false;
}

bool
sw__made_of(const char *s, const char *more)
{
        const char *p = s;

        while (isalnum((unsigned char) *p) || (*p && strchr(more, *p)))
                p++;
        return p > s && *p == '\0';
}

bool
sw__check_name(const char *s)
{
        return isalnum((unsigned char) *s) && sw__made_of(s, "._-");
}

static sw_err *
check_choice(const struct sw__config_key *row, const char *s)
{
        sw_auto(sw_strlist) known = { 0 };
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_strlist_split(&known, row->choices, ' ');
        if (sw_strlist_has(&known, s))
                return SW_OK;

        sw_auto(sw_str) list = sw_strlist_join(&known, ", ");
        const char *near = sw_near(s, (const char *const *) known.v, known.n);
        sw_buf_add_quoted(&shown, s, strlen(s), SHOWN_MAX);
        if (near)
                return sw_err_new(SW_E_CONFIG, "%s is none of %s (did you mean %s?)",
                                  shown.data, list, near);
        return sw_err_new(SW_E_CONFIG, "%s is none of %s", shown.data, list);
}

/* A path. In a file it is absolute; elsewhere it is taken from the working directory,
 * which never changes. @out: set when it had to be made absolute. */
static sw_err *
check_path(const char *s, enum sw__style style, char **out)
{
        char cwd[PATH_MAX];

        if (*s == '\0')
                return sw_err_new(SW_E_CONFIG, "is empty; leave the key out instead");
        if (strlen(s) >= PATH_MAX)
                return sw_err_new(SW_E_CONFIG, "path is longer than %d bytes",
                                  PATH_MAX - 1);
        if (*s == '/')
                return SW_OK;
        if (style != SW__ARGUMENT)
                return is_not(s, "an absolute path");
        if (!getcwd(cwd, sizeof(cwd)))
                return sw_err_sys(SW_E_CONFIG, errno,
                                  "relative path without a working directory");
        *out = sw_path_join(cwd, s);
        return SW_OK;
}

/* Length of the scheme of @s; 0 when it has none. */
static size_t
scheme_len(const char *s)
{
        size_t len = strcspn(s, ":");

        for (size_t i = 0; i < len; i++) {
                if (!isalnum((unsigned char) s[i]) && !strchr("+.-", s[i]))
                        return 0;
        }
        return strncmp(s + len, "://", 3) == 0 ? len : 0;
}

static sw_err *
check_address(const char *s)
{
        static const char *const known[] = { "unix", "tcp", "fd" };
        size_t len = scheme_len(s);

        if (len == 0 && *s == '/') {
                sw_auto(sw_buf) shown = SW_BUF_INIT;

                sw_buf_add_quoted(&shown, s, strlen(s), SHOWN_MAX);
                return sw_err_new(SW_E_CONFIG,
                                  "%s is a path without a scheme (did you mean unix://?)",
                                  shown.data);
        }
        if (len == 0)
                return is_not(s, "an address with a scheme: unix://PATH, "
                                 "tcp://HOST:PORT or fd://");
        if (strncmp(s, "npipe:", 6) == 0)
                return sw_err_new(SW_E_CONFIG, "npipe:// means something on Windows only");
        if (strncmp(s, "unix://", 7) == 0 && s[7] != '/')
                return is_not(s, "unix:// with an absolute path");
        if (strcmp(s, "tcp://") == 0)
                return is_not(s, "tcp:// with a host and a port");
        for (size_t i = 0; i < SW_COUNT(known); i++) {
                if (strlen(known[i]) == len && strncmp(s, known[i], len) == 0)
                        return SW_OK;
        }

        sw_auto(sw_str) scheme = sw_strndup(s, len);
        const char *near = sw_near(scheme, known, SW_COUNT(known));
        return sw_err_new(SW_E_CONFIG, "unknown scheme %s://%s%s%s", scheme,
                          near ? " (did you mean " : ": unix, tcp and fd are known",
                          near ? near : "", near ? "://?)" : "");
}

static sw_err *
check_hostport(const char *s)
{
        const char *colon = strrchr(s, ':');
        int64_t port;

        if (scheme_len(s) > 0 || *s == '/')
                return check_address(s);
        sw_err *err =
                colon ? sw_parse_int(colon + 1, 0, 65535, &port) : is_not(s, "HOST:PORT");
        if (err) {
                sw_err_drop(err, "said better below");
                return is_not(s, "HOST:PORT or unix://PATH");
        }
        return SW_OK;
}

static bool
is_ip(const char *s, int *bits)
{
        unsigned char addr[sizeof(struct in6_addr)];

        if (inet_pton(AF_INET, s, addr) == 1) {
                *bits = 32;
                return true;
        }
        *bits = 128;
        return inet_pton(AF_INET6, s, addr) == 1;
}

static sw_err *
check_ip(const char *s)
{
        sw_auto(sw_str) addr = sw_strndup(s, strcspn(s, "%"));
        const char *zone = strchr(s, '%');
        int bits;

        if (!is_ip(addr, &bits) || (zone && (bits != 128 || !sw__check_name(zone + 1))))
                return is_not(s, "an IP address");
        return SW_OK;
}

static sw_err *
check_cidr(const char *s)
{
        sw_auto(sw_str) addr = sw_strndup(s, strcspn(s, "/"));
        const char *slash = strchr(s, '/');
        int64_t prefix;
        int bits;

        if (!slash || !is_ip(addr, &bits))
                return is_not(s, "a network such as 10.10.0.0/16");
        sw_err *err = sw_parse_int(slash + 1, 0, bits, &prefix);
        if (err) {
                sw_err_drop(err, "said better below");
                return is_not(s, "a network with a prefix length that fits its address");
        }
        return SW_OK;
}

/* One to four parts between slashes. */
static sw_err *
check_platform(const char *s)
{
        size_t slashes = 0;

        for (const char *p = s; *p; p++)
                slashes += *p == '/';
        if (slashes > 3 || *s == '/' || sw_str_has_suffix(s, "/") || strstr(s, "//") ||
            !sw__made_of(s, "/._()+-"))
                return is_not(s, "a platform such as linux/amd64 or linux/arm/v7");
        return SW_OK;
}

static sw_err *
check_repository(const char *s)
{
        const char *slash = strrchr(s, '/');

        if (strchr(s, '@') || strchr(slash ? slash : s, ':'))
                return is_not(s, "a repository: leave out the tag and the digest");
        if (strstr(s, "//") || !sw__made_of(s, "/._:[]-"))
                return is_not(s, "an image repository");
        return SW_OK;
}

static sw_err *
check_mirror(const char *s)
{
        if (scheme_len(s) > 0)
                return is_not(s, "HOST[:PORT][/PATH]: leave out the scheme; for plain "
                                 "HTTP give the mirror a key registry.\"HOST\".http");
        if (*s == '/' || !sw__made_of(s, "/._:[]~-"))
                return is_not(s, "HOST[:PORT][/PATH]");
        return SW_OK;
}

static sw_err *
check_line(const char *s, bool blanks)
{
        if (*s == '\0')
                return sw_err_new(SW_E_CONFIG, "is empty; leave the key out instead");
        if (!blanks && strpbrk(s, " \t"))
                return is_not(s, "a single word");
        return SW_OK;
}

/* What a string or an item of a list must look like. */
static sw_err *
check_text(const struct sw__config_key *row, const char *s, enum sw__style style,
           char **out)
{
        bool free_text = row->check == SW__CHECK_ANY || row->check == SW__CHECK_OPTION ||
                         row->check == SW__CHECK_TREE;

        if (!free_text && has_control(s))
                return is_not(s, "free of control characters");

        switch (row->check) {
        case SW__CHECK_WORD: return check_line(s, false);
        case SW__CHECK_LINE: return check_line(s, true);
        case SW__CHECK_CHOICE: return check_choice(row, s);
        case SW__CHECK_PATH: return check_path(s, style, out);
        case SW__CHECK_PROGRAM:
                return strchr(s, '/') ? check_path(s, style, out) : check_line(s, false);
        case SW__CHECK_ADDRESS: return check_address(s);
        case SW__CHECK_HOSTPORT: return check_hostport(s);
        case SW__CHECK_NAME:
                return sw__check_name(s) ? SW_OK
                                         : is_not(s, "a name: letters, digits, '.', '_' "
                                                     "and '-'");
        case SW__CHECK_IP: return check_ip(s);
        case SW__CHECK_CIDR: return check_cidr(s);
        case SW__CHECK_PLATFORM: return check_platform(s);
        case SW__CHECK_REPOSITORY: return check_repository(s);
        case SW__CHECK_MIRROR: return check_mirror(s);
        case SW__CHECK_WINDOWS:
                return sw_err_new(SW_E_CONFIG,
                                  "means something on Windows only; remove it");
        default: return SW_OK;
        }
}

static sw_err *
check_bool(const char *s, enum sw__style style, struct sw__val *v)
{
        bool b;
        sw_err *err = sw_parse_bool(s, &b);

        if (err) {
                sw_err_drop(err, "said better below");
                return is_not(s, "true or false");
        }
        if (style == SW__QUOTED)
                return is_quoted(s);
        v->num = b;
        return SW_OK;
}

/* The bounds that go with the check of a number. */
static sw_err *
check_bounds(const struct sw__config_key *row, const char *s, int64_t n)
{
        if (row->check == SW__CHECK_NATURAL && n < 0)
                return is_not(s, "zero or more");
        if (row->check == SW__CHECK_POSITIVE && n <= 0)
                return is_not(s, "one or more");
        if (row->check == SW__CHECK_ID && (n < 0 || n > UINT32_MAX - 1))
                return is_not(s, "a user or group id");
        return SW_OK;
}

static sw_err *
check_int(const struct sw__config_key *row, const char *s, enum sw__style style,
          struct sw__val *v)
{
        int64_t n;
        sw_err *err = sw_parse_int(s, INT64_MIN, INT64_MAX, &n);

        if (err) {
                sw_err_drop(err, "said better below");
                return is_not(s, "a whole number");
        }
        if (style == SW__QUOTED)
                return is_quoted(s);
        err = check_bounds(row, s, n);
        if (!err)
                v->num = n;
        return err;
}

static sw_err *
check_duration(const struct sw__config_key *row, const char *s, struct sw__val *v)
{
        int64_t ns;
        sw_err *err = sw_duration_parse(s, &ns);

        if (err) {
                sw_err_drop(err, "said better below");
                return is_not(s, "a duration such as 1h30m, 250ms or 20 (seconds)");
        }
        err = check_bounds(row, s, ns);
        if (!err)
                v->num = ns;
        return err;
}

static sw_err *
check_diskspace(const char *s, struct sw__val *v)
{
        size_t len = strlen(s);
        bool percent = len > 0 && s[len - 1] == '%';
        sw_auto(sw_str) digits = sw_strndup(s, percent ? len - 1 : len);
        int64_t n;
        sw_err *err = percent ? sw_parse_int(digits, 0, 100, &n) : sw_parse_size(s, &n);

        if (err || n < 0) {
                sw_err_drop(err, "said better below");
                return is_not(s, percent ? "a share of the disk from 0% to 100%"
                                         : "a size such as 512MB, 1073741824 or 10%");
        }
        v->num = n;
        v->percent = percent;
        return SW_OK;
}

sw_err *
sw__check_scalar(const struct sw__config_key *row, enum sw_config_type type, const char *s,
                 enum sw__style style, struct sw__val *v, char **out)
{
        sw_auto(sw_str) made = NULL;
        sw_err *err;

        switch (type) {
        case SW_CONFIG_BOOL: err = check_bool(s, style, v); break;
        case SW_CONFIG_INT: err = check_int(row, s, style, v); break;
        case SW_CONFIG_DURATION: err = check_duration(row, s, v); break;
        case SW_CONFIG_DISKSPACE: err = check_diskspace(s, v); break;
        default: err = check_text(row, s, style, &made); break;
        }
        if (err)
                return err;
        *out = made ? sw_steal(made) : sw_strdup(s);
        return SW_OK;
}
