/*
 * core/ops/owner.c - who owns what a file op makes: names looked up in a tree's own
 * /etc/passwd and /etc/group.
 *
 * The files are the tree's, so nothing about them is certain: they are read only when they
 * are regular and at most 10 MiB, resolved inside the tree, and lines that are not what
 * passwd(5) says are skipped.
 * Thread: any.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/ops/fileact.h"

#define FILE_MAX ((size_t) 10 << 20)

/* A decimal number that is the whole of @s. */
static bool
parse_id(const char *s, size_t len, uint32_t *out)
{
        uint64_t v = 0;

        if (!len || len > 10)
                return false;
        for (size_t i = 0; i < len; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return false;
                v = v * 10 + (uint64_t) (s[i] - '0');
        }
        if (v >= UINT32_MAX) /* that is -1, which means "leave it" to chown(2) */
                return false;
        *out = (uint32_t) v;
        return true;
}

/* "name:password:id:gid-or-members…" */
static bool
parse_line(const char *line, size_t len, const char *name, unsigned fields, uint32_t *id,
           uint32_t *gid)
{
        const char *part[4] = { 0 }, *end = line + len;
        size_t n[4] = { 0 }, wanted = fields == 7 ? 4 : 3;

        for (size_t i = 0; i < wanted; i++) {
                const char *colon = memchr(line, ':', (size_t) (end - line));

                part[i] = line;
                n[i] = (size_t) ((colon ? colon : end) - line);
                if (!colon && i + 1 < wanted)
                        return false;
                line = colon ? colon + 1 : end;
        }
        return n[0] == strlen(name) && memcmp(part[0], name, n[0]) == 0 &&
               parse_id(part[2], n[2], id) && (fields != 7 || parse_id(part[3], n[3], gid));
}

bool
sw__owner_find(const char *text, size_t len, const char *name, unsigned fields,
               uint32_t *id, uint32_t *gid)
{
        const char *end = text + len;

        while (text < end) {
                const char *nl = memchr(text, '\n', (size_t) (end - text));
                const char *stop = nl ? nl : end;

                while (text < stop && (*text == ' ' || *text == '\t'))
                        text++;
                if (parse_line(text, (size_t) (stop - text), name, fields, id, gid))
                        return true;
                text = nl ? nl + 1 : end;
        }
        return false;
}

/* A tree without the file has no such user. */
static sw_err *
look_up(const struct sw__view *v, const char *file, const char *name, unsigned fields,
        uint32_t *id, uint32_t *gid)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw__view_read(v, file, FILE_MAX, &text);

        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "no such file: no such name");
                return SW_OK;
        }
        if (err)
                return sw__file_wrap(err, "look up the owner", name, " in ", file);
        (void) sw__owner_find(text.data, text.len, name, fields, id, gid);
        return SW_OK;
}

/* A name, and no tree at all to look it up in: a copy on nothing, as --link makes it. */
static sw_err *
check_tree(const Pb__UserOpt *u)
{
        sw_err *err;

        if (!u || u->user_case != PB__USER_OPT__USER_BY_NAME || u->byname->input >= 0)
                return SW_OK;
        err = sw_err_new(SW_E_INVALID,
                         "invalid user index: %lld: an empty tree has no names of users or "
                         "groups; give the number",
                         (long long) u->byname->input);
        return sw__file_wrap(err, "look up the owner", u->byname->name, NULL, NULL);
}

sw_err *
sw__owner_read(const Pb__ChownOpt *o, const struct sw__view *users,
               const struct sw__view *groups, struct sw__owner *out)
{
        const Pb__UserOpt *u = o ? o->user : NULL, *g = o ? o->group : NULL;
        uint32_t uid = 0, gid = 0;
        sw_err *err = check_tree(u);

        if (!err)
                err = check_tree(g);
        if (err)
                return err;
        if (u && u->user_case == PB__USER_OPT__USER_BY_ID)
                uid = gid = u->byid;
        else if (u && u->user_case == PB__USER_OPT__USER_BY_NAME && users)
                err = look_up(users, "/etc/passwd", u->byname->name, 7, &uid, &gid);
        if (!err && g && g->user_case == PB__USER_OPT__USER_BY_ID)
                gid = g->byid;
        else if (!err && g && g->user_case == PB__USER_OPT__USER_BY_NAME && groups)
                err = look_up(groups, "/etc/group", g->byname->name, 4, &gid, NULL);
        if (!err && (uid == UINT32_MAX || gid == UINT32_MAX))
                err = sw_err_new(SW_E_INVALID, "invalid owner %u:%u", uid, gid);
        if (!err)
                *out = (struct sw__owner){ .set = o != NULL, .uid = uid, .gid = gid };
        return err;
}
