/*
 * core/config/default.c - the defaults of this user.
 *
 * Root works in the system's directories, everybody else in their own (XDG base
 * directories). "Root" inside a user namespace that an ordinary user made counts as that
 * user, whose name stands in USER.
 *
 * Thread: any that may call getenv.
 */
#include <fcntl.h>
#include <pwd.h>
#include <string.h>

#include "core/config/internal.h"

/* An absolute path from the environment; anything else counts as unset, as XDG says. */
static const char *
dir_from_env(const char *name)
{
        const char *s = getenv(name);

        if (!s || *s != '/')
                return NULL;
        for (const char *p = s; *p; p++) {
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return NULL;
        }
        return s;
}

/* The user's home directory, from malloc, or NULL. */
static char *
home_dir(void)
{
        const char *home = dir_from_env("HOME");
        struct passwd entry, *found = NULL;
        char space[4096];

        if (home)
                return sw_strdup(home);
        if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) != 0 || !found ||
            !found->pw_dir || *found->pw_dir != '/')
                return NULL;
        return sw_strdup(found->pw_dir);
}

static char *
below_home(const char *rest)
{
        sw_auto(sw_str) home = home_dir();

        return home ? sw_asprintf("%s/%s", home, rest) : NULL;
}

/* The directory that an XDG variable names, from malloc, or NULL. */
static char *
xdg_dir(const char *name)
{
        const char *dir = dir_from_env(name);

        if (dir)
                return sw_strdup(dir);
        if (strcmp(name, "XDG_DATA_HOME") == 0)
                return below_home(".local/share");
        if (strcmp(name, "XDG_CONFIG_HOME") == 0)
                return below_home(".config");
        if (strcmp(name, "XDG_RUNTIME_DIR") == 0)
                return sw_asprintf("/run/user/%u", (unsigned) geteuid());
        return NULL;
}

static char *
expand(const char *pattern)
{
        const char *dollar = strchr(pattern, '$');

        if (!dollar)
                return sw_strdup(pattern);

        sw_auto(sw_str) name = sw_strndup(dollar + 1, strcspn(dollar + 1, "/"));
        sw_auto(sw_str) dir = xdg_dir(name);
        if (!dir)
                return NULL;
        return sw_asprintf("%.*s%s%s", (int) (dollar - pattern), pattern, dir,
                           dollar + 1 + strlen(name));
}

/* Whether this is the namespace where uid 0 is the machine's root. */
static bool
in_first_user_namespace(void)
{
        sw_auto(sw_buf) map = SW_BUF_INIT;
        unsigned long field[3]; /* first id inside, outside, how many */
        sw_err *err = sw_buf_read_file(&map, AT_FDCWD, "/proc/self/uid_map", 4096);

        if (err) {
                sw_err_drop(err, "a kernel without user namespaces, or no /proc");
                return true;
        }
        char *p = map.data;
        for (size_t i = 0; i < SW_COUNT(field); i++)
                field[i] = strtoul(p, &p, 10);
        return field[0] == 0 && field[1] == 0 && field[2] == UINT32_MAX;
}

static bool
is_user(void)
{
        const char *user;

        if (geteuid() != 0)
                return true;
        if (in_first_user_namespace())
                return false;
        user = getenv("USER");
        return user && *user && strcmp(user, "root") != 0;
}

char *
sw__config_default_path(void)
{
        return expand(is_user() ? "$XDG_CONFIG_HOME/slipway/slipway.yaml"
                                : SW_SYSCONFDIR "/slipway/slipway.yaml");
}

/* The default of one row as a value; NULL when the user has none. */
static struct sw__val *
default_value(const struct sw__config_key *row, bool user)
{
        sw_auto(sw_strlist) items = { 0 };
        sw_auto(sw_str) text =
                user && row->dflt_user ? expand(row->dflt_user) : sw_strdup(row->dflt);

        if (!text)
                return NULL;
        if (row->type == SW_CONFIG_LIST)
                sw_strlist_split(&items, text, ',');
        else
                sw_strlist_add(&items, text);

        struct sw__val *v = sw__val_new(row, row->path, SW_FROM_DEFAULT, "");
        for (size_t i = 0; i < items.n; i++) {
                sw_err *err = sw__val_add(v, items.v[i], strlen(items.v[i]), SW__PLAIN);

                if (err) {
                        sw_err_drop(err, "the user's directory has an unusable name");
                        sw__val_free(v);
                        return NULL;
                }
        }
        sw__val_finish(v);
        return v;
}

void
sw__config_defaults(sw_config *c)
{
        bool user = is_user();
        size_t n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        for (size_t i = 0; i < n; i++) {
                struct sw__val *v;

                if (sw__row_is_dynamic(&rows[i]) || !rows[i].dflt)
                        continue;
                v = default_value(&rows[i], user);
                if (v)
                        sw__config_put(c, v);
        }
}
