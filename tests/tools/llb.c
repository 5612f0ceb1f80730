/*
 * tests/tools/llb.c - definitions from a few words, for tests and benchmarks.
 *
 *      NAME = scratch
 *      NAME = local ID            [include=P]... [exclude=P]... [follow=P]... [hint=H]
 *      NAME = source IDENTIFIER   [KEY=VALUE]...
 *      NAME = mkfile BASE PATH MODE TEXT        [owner=U] [time=NS]
 *      NAME = mkdir BASE PATH MODE              [owner=U] [time=NS] [parents]
 *      NAME = rm BASE PATH                      [missing] [wildcard]
 *      NAME = symlink BASE TARGET PATH          [owner=U] [time=NS]
 *      NAME = copy BASE FROM SRC DEST           [contents] [parents] [wildcard] [empty]
 *                                 [follow] [unpack] [replace] [owner=U] [mode=M]
 *                                 [include=P]... [exclude=P]... [required=P]... [time=NS]
 *      NAME + mkfile|mkdir|rm|symlink|copy . ...  one more action of the same step
 *      NAME = run BASE OPTION... -- ARG...
 *              readonly  host  nonet  insecure  dir=D  env=K=V  user=U  hostname=H  valid=N
 *              addhost=NAME=IP  ulimit=NAME=SOFT=HARD  tmpfs=DEST[=BYTES]  memory=BYTES
 *              mount=DEST=STATE[=SELECTOR]  romount=...  scratchmount=DEST
 *              cache=DEST=ID[=shared|private|locked[=STATE]]  ssh=ID
 *              secret=ID=TARGET[=MODE[=UID]]  secretenv=ID=VAR  optsecret=...
 * optsecretenv=... NAME = result RUN DEST NAME = merge STATE... NAME = diff LOWER UPPER
 *      NAME = build STATE                       [file=F]
 *      NAME = requires STATE ID DEPENDENCY...
 *      output NAME
 *
 * A word in double quotes may hold spaces and \n. Every action takes label=TEXT (the name
 * of the step), where=FILE:LINE:TEXT (its place in a text; '/' ends a line) and nocache.
 * What begins with '#' is a comment. Mistakes end the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slipway/llb.h>
#include <slipway/map.h>

struct line {
        sw_strlist words;
        size_t n_args; /* words before "--" */
        unsigned number;
};

static sw_map *states; /* NAME -> sw_state */
static sw_map *runs;   /* NAME -> sw_run */
static sw_map *steps;  /* NAME -> struct step */

/* File actions that more can follow. */
struct step {
        sw_files *f;
        sw_state *base;
        const struct sw_llb_opts *opts;
};

static void
check(const struct line *l, sw_err *err)
{
        if (!err)
                return;
        fprintf(stderr, "llb: line %u: %s\n", l->number, sw_err_message(err));
        exit(1);
}

static const char *
word(const struct line *l, size_t i)
{
        if (i >= l->n_args)
                check(l, sw_err_new(SW_E_INVALID, "word %zu is missing", i + 1));
        return l->words.v[i];
}

static const sw_state *
state_named(const struct line *l, const char *name)
{
        const sw_state *s = sw_map_get(states, name);

        if (!s)
                check(l, sw_err_new(SW_E_INVALID, "there is no %s", name));
        return s;
}

static const sw_state *
state(const struct line *l, size_t i)
{
        return state_named(l, word(l, i));
}

/* ---- options: KEY or KEY=VALUE behind the words that an action needs ---- */

static bool
flag(const struct line *l, const char *key)
{
        for (size_t i = 3; i < l->n_args; i++)
                if (!strcmp(l->words.v[i], key))
                        return true;
        return false;
}

/* The value of the next KEY=VALUE from *i on; NULL when there is none. */
static const char *
next(const struct line *l, const char *key, size_t *i)
{
        size_t n = strlen(key);

        for (; *i < l->n_args; (*i)++)
                if (!strncmp(l->words.v[*i], key, n) && l->words.v[*i][n] == '=')
                        return l->words.v[(*i)++] + n + 1;
        return NULL;
}

static const char *
value(const struct line *l, const char *key)
{
        size_t i = 3;

        return next(l, key, &i);
}

/* What it makes is never freed, for it runs for a moment: nothing to look for. */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
        return 1;
}

/* All of them, ended by NULL; NULL when there are none. */
static const char *const *
values(const struct line *l, const char *key)
{
        const char **v = sw_alloc_array(l->n_args + 1, sizeof(*v));
        size_t n = 0, i = 3;

        while ((v[n] = next(l, key, &i)))
                n++;
        if (!n) {
                free(v);
                return NULL;
        }
        return v;
}

/* "where=FILE:LINE:TEXT": the place of the step in a text whose lines TEXT has, '/' between
 * them. */
static void
add_place(const struct line *l, struct sw_llb_opts *o)
{
        const char *where = value(l, "where");
        char *text = where ? sw_strdup(where) : NULL;
        char *number = text ? strchr(text, ':') : NULL;
        char *lines = number ? strchr(number + 1, ':') : NULL;
        struct sw_llb_location *place;
        struct sw_llb_range *range;

        if (!lines)
                return;
        *number++ = *lines++ = '\0';
        for (char *p = lines; *p; p++)
                if (*p == '/')
                        *p = '\n';
        range = sw_new(struct sw_llb_range);
        range->start_line = range->end_line = atoi(number);
        place = sw_new(struct sw_llb_location);
        place->map = sw_source_map_new(text, "", lines, strlen(lines), NULL);
        place->ranges = range;
        place->n_ranges = 1;
        o->locations = place;
        o->n_locations = 1;
}

static const struct sw_llb_opts *
opts(const struct line *l)
{
        struct sw_llb_opts *o = sw_new(struct sw_llb_opts);

        *o = *SW_LLB_OPTS(.name = value(l, "label"), .ignore_cache = flag(l, "nocache"));
        add_place(l, o);
        return o;
}

/* ---- sources ---- */

static void
make_local(const struct line *l, sw_state **out)
{
        check(l, sw_llb_local(word(l, 3),
                              SW_LLB_LOCAL(.include = values(l, "include"),
                                           .exclude = values(l, "exclude"),
                                           .follow = values(l, "follow"),
                                           .shared_key_hint = value(l, "hint")),
                              opts(l), out));
}

static void
make_source(const struct line *l, sw_state **out)
{
        struct sw_llb_pair *pairs = sw_alloc_array(l->n_args, sizeof(*pairs));
        size_t n = 0;

        for (size_t i = 4; i < l->n_args; i++) {
                char *eq = strchr(l->words.v[i], '=');

                if (!eq)
                        continue;
                pairs[n].key = sw_strndup(l->words.v[i], (size_t) (eq - l->words.v[i]));
                pairs[n++].value = eq + 1;
        }
        check(l, sw_llb_source(word(l, 3), pairs, n, opts(l), out));
}

/* ---- files ---- */

static uint32_t
mode(const char *text)
{
        return (uint32_t) strtoul(text, NULL, 8);
}

static void
add_copy(const struct line *l, sw_files *f)
{
        const char *m = value(l, "mode"), *time = value(l, "time");
        bool octal = m && m[0] >= '0' && m[0] <= '7';

        check(l, sw_files_copy(f, state(l, 4), word(l, 5), word(l, 6),
                               SW_LLB_COPY(.owner = value(l, "owner"), .has_mode = octal,
                                           .mode = octal ? mode(m) : 0,
                                           .mode_str = octal ? NULL : m,
                                           .has_time = time != NULL,
                                           .time = time ? strtoll(time, NULL, 10) : 0,
                                           .follow_symlink = flag(l, "follow"),
                                           .contents_only = flag(l, "contents"),
                                           .unpack = flag(l, "unpack"),
                                           .make_parents = flag(l, "parents"),
                                           .wildcard = flag(l, "wildcard"),
                                           .allow_empty_wildcard = flag(l, "empty"),
                                           .always_replace = flag(l, "replace"),
                                           .include = values(l, "include"),
                                           .exclude = values(l, "exclude"),
                                           .required = values(l, "required"))));
}

static void
add_action(const struct line *l, const char *what, sw_files *f)
{
        const char *time = value(l, "time");
        const struct sw_llb_file *file =
                SW_LLB_FILE(.owner = value(l, "owner"), .parents = flag(l, "parents"),
                            .has_time = time != NULL,
                            .time = time ? strtoll(time, NULL, 10) : 0);

        if (!strcmp(what, "mkfile"))
                check(l, sw_files_mkfile(f, word(l, 4), mode(word(l, 5)), word(l, 6),
                                         strlen(word(l, 6)), file));
        else if (!strcmp(what, "mkdir"))
                check(l, sw_files_mkdir(f, word(l, 4), mode(word(l, 5)), file));
        else if (!strcmp(what, "rm"))
                check(l, sw_files_rm(f, word(l, 4),
                                     SW_LLB_RM(.allow_missing = flag(l, "missing"),
                                               .wildcard = flag(l, "wildcard"))));
        else if (!strcmp(what, "symlink"))
                check(l, sw_files_symlink(f, word(l, 4), word(l, 5), file));
        else
                add_copy(l, f);
}

/* "=": the first action of a step; "+": one more. */
static void
make_files(const struct line *l, const char *what, sw_state **out)
{
        struct step *s = sw_map_get(steps, word(l, 0));

        if (!strcmp(word(l, 1), "+") && !s)
                check(l, sw_err_new(SW_E_INVALID, "%s has no actions yet", word(l, 0)));
        if (!strcmp(word(l, 1), "=")) {
                s = sw_new(struct step);
                *s = (struct step){ sw_files_new(), sw_state_ref(state(l, 3)), opts(l) };
                sw_map_set(steps, word(l, 0), s);
        }
        add_action(l, what, s->f);
        check(l, sw_state_files(s->base, s->f, s->opts, out));
}

/* ---- commands ---- */

/* The part of @text up to '=', from malloc; *rest behind it, or NULL. */
static char *
part(const char *text, const char **rest)
{
        const char *eq = text ? strchr(text, '=') : NULL;

        *rest = eq ? eq + 1 : NULL;
        return eq ? sw_strndup(text, (size_t) (eq - text)) : sw_strdup(text);
}

static void
add_mounts(const struct line *l, sw_run *r, const char *key, bool readonly)
{
        const char *v, *rest;

        for (size_t i = 4; (v = next(l, key, &i));) {
                char *dest = part(v, &rest);
                char *name = part(rest, &rest);

                check(l,
                      sw_run_mount(r, dest, state_named(l, name ? name : ""),
                                   SW_LLB_MOUNT(.readonly = readonly, .selector = rest)));
        }
}

static void
add_secrets(const struct line *l, sw_run *r, const char *prefix, bool optional)
{
        char file[16], env[16];
        const char *v, *rest;

        (void) snprintf(file, sizeof(file), "%ssecret", prefix);
        (void) snprintf(env, sizeof(env), "%ssecretenv", prefix);
        for (size_t i = 4; (v = next(l, file, &i));) {
                char *id = part(v, &rest);
                char *target = part(rest, &rest);
                char *m = part(rest ? rest : "0400", &rest);

                struct sw_llb_secret o = { .size = sizeof(o), .id = id, .target = target };

                o.mode = mode(m);
                o.uid = (uint32_t) atoi(rest ? rest : "0");
                o.optional = optional;
                check(l, sw_run_secret(r, &o));
        }
        for (size_t i = 4; (v = next(l, env, &i));) {
                char *id = part(v, &rest);

                check(l, sw_run_secret(r, SW_LLB_SECRET(.id = id, .env = rest,
                                                        .optional = optional)));
        }
}

static void
add_other_mounts(const struct line *l, sw_run *r)
{
        const char *v, *rest;

        for (size_t i = 4; (v = next(l, "tmpfs", &i));) {
                char *dest = part(v, &rest);

                check(l, sw_run_mount(r, dest, NULL,
                                      SW_LLB_MOUNT(.tmpfs = true,
                                                   .tmpfs_size = rest ? atoll(rest) : 0)));
        }
        for (size_t i = 4; (v = next(l, "scratchmount", &i));)
                check(l, sw_run_mount(r, v, NULL, NULL));
        for (size_t i = 4; (v = next(l, "cache", &i));) {
                char *dest = part(v, &rest);
                char *id = part(rest, &rest);
                char *how = part(rest ? rest : "", &rest);
                enum sw_llb_sharing sharing = !strcmp(how, "locked")    ? SW_LLB_LOCKED
                                              : !strcmp(how, "private") ? SW_LLB_PRIVATE
                                                                        : SW_LLB_SHARED;

                check(l, sw_run_mount(r, dest, rest ? state_named(l, rest) : NULL,
                                      SW_LLB_MOUNT(.cache_id = id, .sharing = sharing)));
        }
        add_secrets(l, r, "", false);
        add_secrets(l, r, "opt", true);
        for (size_t i = 4; (v = next(l, "ssh", &i));)
                check(l, sw_run_ssh(r, SW_LLB_SSH(.id = v)));
}

/* The base with what the command runs in. */
static sw_state *
surroundings(const struct line *l)
{
        sw_state *s = sw_state_ref(state(l, 3)), *made;
        const char *v, *rest;

        if ((v = value(l, "dir")))
                sw_state_replace(&s, sw_state_dir(s, v));
        if ((v = value(l, "user")))
                sw_state_replace(&s, sw_state_user(s, v));
        if ((v = value(l, "hostname")))
                sw_state_replace(&s, sw_state_hostname(s, v));
        if (flag(l, "host") || flag(l, "nonet"))
                sw_state_replace(&s, sw_state_network(s, flag(l, "host")
                                                                 ? SW_LLB_NETWORK_HOST
                                                                 : SW_LLB_NETWORK_NONE));
        if (flag(l, "insecure"))
                sw_state_replace(&s, sw_state_security(s, SW_LLB_SECURITY_INSECURE));
        for (size_t i = 4; (v = next(l, "env", &i));) {
                char *key = part(v, &rest);

                sw_state_replace(&s, sw_state_env(s, key, rest ? rest : ""));
        }
        for (size_t i = 4; (v = next(l, "addhost", &i));) {
                char *host = part(v, &rest);

                check(l, sw_state_add_host(s, host, rest, &made));
                sw_state_replace(&s, made);
        }
        for (size_t i = 4; (v = next(l, "ulimit", &i));) {
                char *name = part(v, &rest);
                char *soft = part(rest, &rest);

                check(l, sw_state_ulimit(s, name, atoll(soft), atoll(rest ? rest : soft),
                                         &made));
                sw_state_replace(&s, made);
        }
        return s;
}

static void
make_run(const struct line *l, sw_state **out)
{
        sw_autoptr(sw_state) base = surroundings(l);
        sw_run *r = sw_run_new(base);
        const char **args = sw_alloc_array(l->words.n + 1, sizeof(*args));
        const char *valid = value(l, "valid"), *memory = value(l, "memory");
        struct sw_llb_opts *o = sw_new(struct sw_llb_opts);
        struct sw_llb_resources limits = { 0 };

        for (size_t i = l->n_args + 1; i < l->words.n; i++)
                args[i - l->n_args - 1] = l->words.v[i];
        sw_run_args(r, args);
        if (flag(l, "readonly"))
                sw_run_readonly_root(r);
        if (valid) {
                int code = atoi(valid);

                check(l, sw_run_valid_exit_codes(r, &code, 1));
        }
        add_mounts(l, r, "mount", false);
        add_mounts(l, r, "romount", true);
        add_other_mounts(l, r);
        limits.memory = memory ? atoll(memory) : 0;
        *o = *opts(l);
        o->resources = memory ? &limits : NULL;
        check(l, sw_run_end(r, o, out));
        free(o);
        sw_map_set(runs, word(l, 0), r);
}

/* ---- the rest ---- */

static void
make_result(const struct line *l, sw_state **out)
{
        const sw_run *r = sw_map_get(runs, word(l, 3));

        if (!r)
                check(l, sw_err_new(SW_E_INVALID, "there is no run %s", word(l, 3)));
        check(l, sw_run_result(r, word(l, 4), out));
}

static void
make_merge(const struct line *l, sw_state **out)
{
        const sw_state **v = sw_alloc_array(l->n_args, sizeof(*v));
        size_t n = 0;

        for (size_t i = 3; i < l->n_args; i++)
                if (strncmp(l->words.v[i], "label=", 6) != 0)
                        v[n++] = state(l, i);
        check(l, sw_llb_merge(v, n, opts(l), out));
}

static void
make_requires(const struct line *l, sw_state **out)
{
        const sw_state **deps = sw_alloc_array(l->n_args, sizeof(*deps));
        size_t n = 0;

        for (size_t i = 5; i < l->n_args; i++)
                deps[n++] = state(l, i);
        check(l, sw_state_requires(state(l, 3), word(l, 4), deps, n, NULL, out));
}

static void
assign(const struct line *l)
{
        const char *what = word(l, 2);
        sw_state *s = NULL;

        if (strcmp(word(l, 1), "=") != 0 && strcmp(word(l, 1), "+") != 0)
                check(l, sw_err_new(SW_E_INVALID, "there is no \"=\""));
        if (!strcmp(what, "scratch"))
                s = sw_llb_scratch();
        else if (!strcmp(what, "local"))
                make_local(l, &s);
        else if (!strcmp(what, "source"))
                make_source(l, &s);
        else if (!strcmp(what, "run"))
                make_run(l, &s);
        else if (!strcmp(what, "result"))
                make_result(l, &s);
        else if (!strcmp(what, "merge"))
                make_merge(l, &s);
        else if (!strcmp(what, "requires"))
                make_requires(l, &s);
        else if (!strcmp(what, "build"))
                check(l, sw_state_build(state(l, 3), value(l, "file"), opts(l), &s));
        else if (!strcmp(what, "diff"))
                check(l, sw_llb_diff(state(l, 3), state(l, 4), opts(l), &s));
        else if (!strcmp(what, "mkfile") || !strcmp(what, "mkdir") || !strcmp(what, "rm") ||
                 !strcmp(what, "symlink") || !strcmp(what, "copy"))
                make_files(l, what, &s);
        else
                check(l, sw_err_new(SW_E_INVALID, "%s is not known", what));
        sw_map_set(states, word(l, 0), s);
}

static void
output(const struct line *l)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;

        check(l, sw_state_marshal(state(l, 1), NULL, &def));
        if (fwrite(def.data, 1, def.len, stdout) != def.len || fflush(stdout) == EOF)
                check(l, sw_err_sys(SW_E_IO, errno, "write"));
}

/* Words of @text: quotes keep spaces, \n in them is a new line. */
static void
split(const char *text, struct line *l)
{
        while (*(text += strspn(text, " \t\n"))) {
                sw_auto(sw_buf) w = SW_BUF_INIT;

                for (bool quoted = false; *text && (quoted || !strchr(" \t\n", *text));
                     text++)
                        if (*text == '"')
                                quoted = !quoted;
                        else if (*text == '\\' && text[1]) {
                                text++;
                                sw_buf_addc(&w, *text == 'n' ? '\n' : *text);
                        } else
                                sw_buf_addc(&w, *text);
                if (!strcmp(w.data, "--") && !l->n_args)
                        l->n_args = l->words.n;
                sw_strlist_add(&l->words, w.data);
        }
        if (!l->n_args)
                l->n_args = l->words.n;
}

static void
free_state(void *s)
{
        sw_state_unref(s);
}

static void
free_run(void *r)
{
        sw_run_free(r);
}

static void
free_step(void *p)
{
        struct step *s = p;

        sw_files_free(s->f);
        sw_state_unref(s->base);
        free(s);
}

int
main(void)
{
        char *text = NULL;
        size_t room = 0;
        unsigned number = 0;

        states = sw_map_new(free_state);
        runs = sw_map_new(free_run);
        steps = sw_map_new(free_step);
        while (getline(&text, &room, stdin) >= 0) {
                struct line l = { .number = number + 1 };

                number++;

                split(text, &l);
                if (l.words.n && l.words.v[0][0] != '#') {
                        if (!strcmp(l.words.v[0], "output"))
                                output(&l);
                        else
                                assign(&l);
                }
                sw_strlist_release(&l.words);
        }
        free(text);
        sw_map_free(steps);
        sw_map_free(runs);
        sw_map_free(states);
        return 0;
}
