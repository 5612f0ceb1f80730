/*
 * plugins/exec-runc/user.c - users and groups by the root's own /etc/passwd and /etc/group.
 *
 * The files are whatever the image says: a FIFO, a device, a symlink to anywhere, a
 * gigabyte. They are opened without waiting, below the root, and read only when they are
 * regular and of at most 10 MiB.
 *
 * "" is user 0; "uid:gid" needs no file; "name", "uid", with ":group" by name or number.
 * What a user's other groups are is asked only where no group is named.
 *
 * Thread: any.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"

#define FILE_MAX   (10 << 20)
#define ID_MAX     INT32_MAX
#define MAX_FIELDS 7
#define MAX_GROUPS 65536

/* Lines of "a:b:c", one by one. */
struct lines {
        sw_buf text;
        char *next;
        char *field[MAX_FIELDS];
        size_t n;
};

static sw_err *
open_lines(int rootfd, const char *path, struct lines *l)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = sw_path_open(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd);

        *l = (struct lines){ .text = SW_BUF_INIT };
        l->next = l->text.data;
        if (err && (sw_err_code(err) == SW_E_NOT_FOUND)) {
                sw_err_drop(err, "a root without the file has no names");
                return SW_OK;
        }
        if (err)
                return err;
        if (fstat(fd, &st) != 0)
                return sw_err_sys(SW_E_IO, errno, "look at %s of the container", path);
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_INVALID, "%s of the container is no regular file",
                                  path);
        if (st.st_size > FILE_MAX)
                return sw_err_new(SW_E_INVALID, "%s of the container is larger than 10 MiB",
                                  path);
        err = sw_buf_read_fd(&l->text, fd, FILE_MAX, path);
        l->next = l->text.data;
        return err;
}

static bool
next_line(struct lines *l)
{
        while (*l->next) {
                char *line = l->next, *end = strchrnul(line, '\n');

                l->next = *end ? end + 1 : end;
                *end = 0;
                line += strspn(line, " \t\r");
                if (!*line)
                        continue;
                for (l->n = 0; l->n < MAX_FIELDS; l->n++)
                        l->field[l->n] = NULL;
                l->n = 0;
                for (char *f = line; f && l->n < MAX_FIELDS;) {
                        l->field[l->n++] = f;
                        f = strchr(f, ':');
                        if (f && l->n < MAX_FIELDS)
                                *f++ = 0;
                }
                return true;
        }
        return false;
}

static bool
parse_id(const char *s, uint32_t *out)
{
        int64_t n;
        sw_err *err = s ? sw_parse_int(s, 0, ID_MAX, &n) : sw_err_new(SW_E_INVALID, "none");

        if (err) {
                sw_err_drop(err, "it is a name then");
                return false;
        }
        *out = (uint32_t) n;
        return true;
}

/* A number that is too large is no name either. */
static bool
is_number(const char *s)
{
        return *s && s[strspn(s, "0123456789")] == 0;
}

/* The entry of the user called or numbered @name; its name into @found. */
static sw_err *
find_user(int rootfd, const char *name, struct runc_user *u, char **found)
{
        struct lines l;
        uint32_t number = 0, uid, gid;
        bool numeric = parse_id(name, &number);
        sw_err *err = open_lines(rootfd, "/etc/passwd", &l);

        while (!err && !*found && next_line(&l)) {
                if (!parse_id(l.n > 2 ? l.field[2] : NULL, &uid))
                        continue;
                if (strcmp(l.field[0], name) != 0 && !(numeric && uid == number))
                        continue;
                u->uid = uid;
                u->gid = parse_id(l.n > 3 ? l.field[3] : NULL, &gid) ? gid : 0;
                *found = sw_strdup(l.field[0]);
                if (l.n > 5 && l.field[5][0]) {
                        free(u->home);
                        u->home = sw_strdup(l.field[5]);
                }
        }
        sw_buf_release(&l.text);
        if (err || *found)
                return err;
        if (numeric) {
                u->uid = number;
                return SW_OK;
        }
        if (is_number(name))
                return sw_err_new(SW_E_INVALID, "user %s is out of range", name);
        return sw_err_new(SW_E_INVALID,
                          "unable to find user %s: no matching entries in passwd file",
                          name);
}

static bool
in_list(const char *list, const char *name)
{
        size_t n = strlen(name);

        while (list && *list) {
                size_t len = strcspn(list, ",");

                if (len == n && memcmp(list, name, n) == 0)
                        return true;
                list += len;
                list += *list == ',';
        }
        return false;
}

/* The group called or numbered @name. */
static sw_err *
find_group(int rootfd, const char *name, struct runc_user *u)
{
        struct lines l;
        uint32_t number = 0, gid;
        bool numeric = parse_id(name, &number), found = false;
        sw_err *err = open_lines(rootfd, "/etc/group", &l);

        while (!err && !found && next_line(&l)) {
                if (!parse_id(l.n > 2 ? l.field[2] : NULL, &gid))
                        continue;
                found = strcmp(l.field[0], name) == 0 || (numeric && gid == number);
                if (found)
                        u->gid = gid;
        }
        sw_buf_release(&l.text);
        if (err || found)
                return err;
        if (numeric) {
                u->gid = number;
                return SW_OK;
        }
        if (is_number(name))
                return sw_err_new(SW_E_INVALID, "group %s is out of range", name);
        return sw_err_new(SW_E_INVALID,
                          "unable to find group %s: no matching entries in group file",
                          name);
}

/* The groups that list the user called @name. */
static sw_err *
find_groups(int rootfd, const char *name, struct runc_user *u)
{
        struct lines l;
        uint32_t gid;
        sw_err *err = open_lines(rootfd, "/etc/group", &l);

        while (!err && next_line(&l))
                if (l.n > 3 && in_list(l.field[3], name) && parse_id(l.field[2], &gid) &&
                    u->groups.n < MAX_GROUPS)
                        sw_array_push(&u->groups, gid);
        sw_buf_release(&l.text);
        return err;
}

/* The home directory of a user known by number. A file that cannot be read is fine. */
static void
find_home(int rootfd, struct runc_user *u)
{
        char number[16];
        struct runc_user seen = { 0 };
        sw_auto(sw_str) found = NULL;

        (void) snprintf(number, sizeof(number), "%u", u->uid);
        sw_err_drop(find_user(rootfd, number, &seen, &found), "'/' is as good");
        if (seen.home) {
                free(u->home);
                u->home = seen.home;
        }
}

static sw_err *
look_up(int rootfd, const char *name, const char *group, struct runc_user *out)
{
        sw_auto(sw_str) found = NULL;
        sw_err *err = find_user(rootfd, name, out, &found);

        if (!err && group && *group)
                return find_group(rootfd, group, out);
        if (!err && found)
                err = find_groups(rootfd, found, out);
        return err;
}

sw_err *
runc_user_find(int rootfd, const char *user, struct runc_user *out)
{
        const char *colon = strchr(user, ':');
        sw_auto(sw_str) name = sw_strndup(user, colon ? (size_t) (colon - user) : SIZE_MAX);

        *out = (struct runc_user){ .home = sw_strdup("/") };
        if (colon && parse_id(name, &out->uid) && parse_id(colon + 1, &out->gid)) {
                find_home(rootfd, out);
                return SW_OK;
        }
        sw_err *err = look_up(rootfd, *name ? name : "0", colon ? colon + 1 : NULL, out);
        if (err && !*user) { /* nobody asked for anybody */
                sw_err_drop(err, "user 0 needs no file");
                sw_array_release(&out->groups);
                out->uid = out->gid = 0;
                err = SW_OK;
        }
        if (err)
                runc_user_release(out);
        return err;
}

void
runc_user_release(struct runc_user *u)
{
        sw_array_release(&u->groups);
        free(u->home);
        u->home = NULL;
}
