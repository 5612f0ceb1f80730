/*
 * core/ops/modeset.c - modes as chmod(1) takes them: "0755", "u=rwX,go-w".
 *
 * A clause is who (any of "ugoa"), then one or more of '+', '-' or '=' and permissions
 * ("rwxXst", or "ugo": what these have now). Without who it is everybody, less the bits of
 * the umask 022, whatever the process has.
 * Thread: any; nothing here has state.
 */
#include <string.h>

#include <slipway/array.h>
#include <slipway/text.h>

#include "core/ops/fileact.h"

#define UMASK    022
#define TEXT_MAX 1024

#define WHO_U (S_ISUID | S_IRWXU)
#define WHO_G (S_ISGID | S_IRWXG)
#define WHO_O (S_ISVTX | S_IRWXO)
#define WHO_A (WHO_U | WHO_G | WHO_O)

struct step {
        char op;      /* + - = */
        mode_t who;   /* bits that may change */
        mode_t mask;  /* bits of `bits` that count: without the umask's where nobody was
                         named */
        mode_t bits;  /* of everybody */
        bool maybe_x; /* 'X' */
        char copy[4]; /* of "ugo" */
};

struct sw__modeset {
        SW_ARRAY(struct step) steps;
};

void
sw__modeset_free(sw__modeset *m)
{
        if (!m)
                return;
        sw_array_release(&m->steps);
        free(m);
}

static sw_err *
bad_mode(const char *text)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, text, strlen(text), 100);
        return sw_err_new(SW_E_INVALID,
                          "invalid mode %s: a mode is octal (0755) or symbolic "
                          "(u=rwX,go-w)",
                          shown.data);
}

static bool
parse_octal(const char *text, sw__modeset *m)
{
        mode_t v = 0;

        if (!*text || strspn(text, "01234567") != strlen(text))
                return false;
        for (; *text; text++) {
                v = v * 8 + (mode_t) (*text - '0');
                if (v > 07777)
                        return false;
        }
        sw_array_push(&m->steps,
                      (struct step){ .op = '=', .who = WHO_A, .mask = WHO_A, .bits = v });
        return true;
}

static const char *
parse_who(const char *p, mode_t *who, mode_t *mask)
{
        *who = 0;
        for (; *p && strchr("ugoa", *p); p++)
                *who |= *p == 'u' ? WHO_U : *p == 'g' ? WHO_G : *p == 'o' ? WHO_O : WHO_A;
        *mask = *who;
        if (!*who) {
                *who = WHO_A;
                *mask = WHO_A & ~(mode_t) UMASK;
        }
        return p;
}

static const char *
parse_perms(const char *p, struct step *s)
{
        for (; *p && strchr("rwxXstugo", *p); p++) {
                switch (*p) {
                case 'r': s->bits |= 0444; break;
                case 'w': s->bits |= 0222; break;
                case 'x': s->bits |= 0111; break;
                case 'X': s->maybe_x = true; break;
                case 's': s->bits |= S_ISUID | S_ISGID; break;
                case 't': s->bits |= S_ISVTX; break;
                default:
                        if (!strchr(s->copy, *p))
                                s->copy[strlen(s->copy)] = *p;
                }
        }
        return p;
}

/* One clause, up to ',' or the end; NULL where it is none. */
static const char *
parse_clause(const char *p, sw__modeset *m)
{
        mode_t who, mask;

        p = parse_who(p, &who, &mask);
        if (!*p || !strchr("+-=", *p))
                return NULL;
        while (*p && strchr("+-=", *p)) {
                struct step s = { .op = *p, .who = who, .mask = mask };

                p = parse_perms(p + 1, &s);
                sw_array_push(&m->steps, s);
        }
        return *p == ',' || !*p ? p : NULL;
}

sw_err *
sw__modeset_new(const char *text, sw__modeset **out)
{
        sw_autoptr(sw__modeset) m = sw_new(sw__modeset);
        const char *p = text;

        if (strlen(text) > TEXT_MAX)
                return bad_mode(text);
        if (!parse_octal(text, m)) {
                do
                        p = parse_clause(p, m);
                while (p && *p++ == ',');
                if (!p)
                        return bad_mode(text);
        }
        *out = sw_steal(m);
        return SW_OK;
}

/* What 'u', 'g' or 'o' have now, for everybody. */
static mode_t
spread(mode_t mode, char whose)
{
        mode_t three = whose == 'u' ? mode >> 6 : whose == 'g' ? mode >> 3 : mode;

        three &= 7;
        return three << 6 | three << 3 | three;
}

mode_t
sw__modeset_apply(const sw__modeset *m, mode_t mode)
{
        const bool dir = S_ISDIR(mode);

        mode &= 07777;
        for (size_t i = 0; i < m->steps.n; i++) {
                const struct step *s = &m->steps.v[i];
                mode_t bits = s->bits;

                if (s->maybe_x && (dir || mode & 0111))
                        bits |= 0111;
                for (const char *c = s->copy; *c; c++)
                        bits |= spread(mode, *c);
                bits &= s->mask;
                if (s->op == '-')
                        mode &= ~bits;
                else if (s->op == '+')
                        mode |= bits;
                else
                        mode = (mode & ~s->who) | bits;
        }
        return mode;
}
