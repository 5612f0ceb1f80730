/*
 * core/llb/state/files.c - file actions and the vertex they become.
 * Thread: one at a time per sw_files; actions are immutable.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/llb/state/files.h"
#include "core/llb/state/table.h"

enum { MAX_ACTIONS = 1000000 };

struct sw_files {
        struct action *last; /* counted; NULL: none yet */
};

sw_files *
sw_files_new(void)
{
        return sw_new(sw_files);
}

void
sw_files_free(sw_files *f)
{
        if (!f)
                return;
        sw__llb_object_unref(f->last ? &f->last->o : NULL);
        free(f);
}

void
sw__llb_action_release(struct action *a, struct dead *dead)
{
        sw__llb_object_drop(a->prev ? &a->prev->o : NULL, dead);
        sw__llb_object_drop(a->from ? &a->from->o : NULL, dead);
        sw__llb_object_drop(a->from_bound ? &a->from_bound->o : NULL, dead);
        free(a->path);
        free(a->src);
        free(a->user.name);
        free(a->group.name);
        free(a->mode_str);
        sw_strlist_release(&a->include);
        sw_strlist_release(&a->exclude);
        sw_strlist_release(&a->required);
        free(a->data);
        free(a);
}

void
sw__llb_bound_release(sw_bound *b, struct dead *dead)
{
        sw__llb_object_drop(&b->last->o, dead);
        sw__llb_object_drop(&b->state->o, dead);
        free(b);
}

/* ---- owners ------------------------------------------------------------------------ */

/* A number as the Go client reads it: 32 bits with a sign, which then wraps around. What
 * is no number is a name; "root" is 0 everywhere. */
static struct owner
parse_owner(const char *s, size_t n)
{
        struct owner o = { .given = true };
        sw_auto(sw_str) text = sw_strndup(s, n);
        int64_t id = 0;
        sw_err *err = sw_parse_int(text, INT32_MIN, INT32_MAX, &id);

        if (!err)
                o.id = (uint32_t) (int32_t) id;
        else if (n && strcmp(text, "root") != 0)
                o.name = sw_steal(text);
        sw_err_drop(err, "no number: a name");
        return o;
}

static void
take_owner(struct action *a, const char *owner)
{
        const char *colon;

        if (!owner)
                return;
        a->has_owner = true;
        colon = strchr(owner, ':');
        a->user = parse_owner(owner, colon ? (size_t) (colon - owner) : strlen(owner));
        if (colon)
                a->group = parse_owner(colon + 1, strlen(colon + 1));
}

/* ---- actions ----------------------------------------------------------------------- */

/* Whether an action with this path may be added. */
static sw_err *
check_action(const sw_files *f, const char *path, bool has_time, int64_t time)
{
        if (f->last && f->last->depth + 1 >= MAX_ACTIONS)
                return sw_err_new(SW_E_LIMIT, "more than %d file actions in a list",
                                  MAX_ACTIONS);
        if (has_time && time == -1)
                return sw_err_new(
                        SW_E_INVALID,
                        "%s: the time 1 ns before 1970 stands for no time in a definition",
                        sw__llb_shown(path).text);
        return sw__llb_check_text("path of a file action", path);
}

/* A new action at the end of the list, whose own reference becomes the action's. */
static struct action *
append(sw_files *f, enum action_kind kind, const char *path)
{
        struct action *a = sw_new(struct action);

        sw__llb_object_init(&a->o, OBJECT_ACTION);
        a->kind = kind;
        a->path = sw_strdup(path);
        a->time = -1;
        a->mode = -1;
        a->prev = f->last;
        a->depth = f->last ? f->last->depth + 1 : 0;
        f->last = a;
        return a;
}

static struct action *
append_plain(sw_files *f, enum action_kind kind, const char *path,
             const struct sw_llb_file *in)
{
        struct action *a = append(f, kind, path);

        take_owner(a, in->owner);
        a->parents = in->parents;
        if (in->has_time)
                a->time = in->time;
        return a;
}

static sw_err *
take_plain(const sw_files *f, const char *path, const struct sw_llb_file *file,
           struct sw_llb_file *in)
{
        sw_err *err = sw__llb_take_options("file action", in, sizeof(*in), file);

        return err ? err : check_action(f, path, in->has_time, in->time);
}

sw_err *
sw_files_mkdir(sw_files *f, const char *path, uint32_t mode, const struct sw_llb_file *file)
{
        struct sw_llb_file in;
        sw_err *err = take_plain(f, path, file, &in);

        if (err)
                return sw_err_wrap(err, "mkdir");
        append_plain(f, ACTION_MKDIR, path, &in)->mode = (int32_t) (mode & 0777);
        return SW_OK;
}

sw_err *
sw_files_mkfile(sw_files *f, const char *path, uint32_t mode, const void *data, size_t len,
                const struct sw_llb_file *file)
{
        struct sw_llb_file in;
        struct action *a;
        sw_err *err = take_plain(f, path, file, &in);

        if (!err && len > LLB_MAX_DATA)
                err = sw_err_new(
                        SW_E_LIMIT,
                        "%s: %zu bytes are more than the %d that go into a definition",
                        sw__llb_shown(path).text, len, LLB_MAX_DATA);
        if (err)
                return sw_err_wrap(err, "mkfile");
        a = append_plain(f, ACTION_MKFILE, path, &in);
        a->mode = (int32_t) (mode & 0777);
        a->data = len ? sw_memdup(data, len) : NULL;
        a->len = len;
        return SW_OK;
}

sw_err *
sw_files_symlink(sw_files *f, const char *target, const char *path,
                 const struct sw_llb_file *file)
{
        struct sw_llb_file in;
        sw_err *err = take_plain(f, path, file, &in);

        if (!err && (!*target || !*path))
                err = sw_err_new(SW_E_INVALID, "%s to %s: neither may be empty",
                                 sw__llb_shown(path).text, sw__llb_shown(target).text);
        if (!err)
                err = sw__llb_check_text("target of a symlink", target);
        if (err)
                return sw_err_wrap(err, "symlink");
        append_plain(f, ACTION_SYMLINK, path, &in)->src = sw_strdup(target);
        return SW_OK;
}

sw_err *
sw_files_rm(sw_files *f, const char *path, const struct sw_llb_rm *rm)
{
        struct sw_llb_rm in;
        struct action *a;
        sw_err *err = sw__llb_take_options("rm", &in, sizeof(in), rm);

        if (!err)
                err = check_action(f, path, false, 0);
        if (err)
                return sw_err_wrap(err, "rm");
        a = append(f, ACTION_RM, path);
        a->allow_missing = in.allow_missing;
        a->wildcard = in.wildcard;
        return SW_OK;
}

static void
take_copy(struct action *a, const struct sw_llb_copy *in)
{
        take_owner(a, in->owner);
        if (in->has_mode)
                a->mode = (int32_t) in->mode;
        if (in->mode_str && *in->mode_str) {
                a->mode_str = sw_strdup(in->mode_str);
                a->mode = 0;
        }
        if (in->has_time)
                a->time = in->time;
        a->follow_symlink = in->follow_symlink;
        a->contents_only = in->contents_only;
        a->unpack = in->unpack;
        a->parents = in->make_parents;
        a->wildcard = in->wildcard;
        a->allow_empty_wildcard = in->allow_empty_wildcard;
        a->always_replace = in->always_replace;
        sw__llb_strlist_take(&a->include, in->include);
        sw__llb_strlist_take(&a->exclude, in->exclude);
        sw__llb_strlist_take(&a->required, in->required);
}

static sw_err *
check_copy(const sw_files *f, const char *dest, const struct sw_llb_copy *in)
{
        if (in->has_mode && in->mode > 07777)
                return sw_err_new(SW_E_INVALID, "mode %o has more than permissions",
                                  in->mode);
        return check_action(f, dest, in->has_time, in->time);
}

static sw_err *
copy(sw_files *f, const sw_state *from, sw_bound *from_bound, const char *src,
     const char *dest, const struct sw_llb_copy *how)
{
        struct sw_llb_copy in;
        struct action *a;
        sw_err *err = sw__llb_take_options("copy", &in, sizeof(in), how);

        if (!err)
                err = sw__llb_check_text("source of a copy", src);
        if (!err)
                err = check_copy(f, dest, &in);
        if (err)
                return sw_err_wrap(err, "copy %s", sw__llb_shown(src).text);
        a = append(f, ACTION_COPY, dest);
        a->src = sw_strdup(src);
        a->from = from ? sw_state_ref(from) : NULL;
        a->from_bound = from_bound ? sw_bound_ref(from_bound) : NULL;
        take_copy(a, &in);
        return SW_OK;
}

sw_err *
sw_files_copy(sw_files *f, const sw_state *from, const char *src, const char *dest,
              const struct sw_llb_copy *how)
{
        return copy(f, from, NULL, src, dest, how);
}

sw_err *
sw_files_copy_bound(sw_files *f, sw_bound *from, const char *src, const char *dest,
                    const struct sw_llb_copy *how)
{
        return copy(f, NULL, from, src, dest, how);
}

/* ---- binding ----------------------------------------------------------------------- */

static sw_bound *
bind(struct action *last, const sw_state *s)
{
        sw_bound *b = sw_new(sw_bound);

        sw__llb_object_init(&b->o, OBJECT_BOUND);
        b->last = last;
        sw__llb_object_ref(&last->o);
        b->state = sw_state_ref(s);
        return b;
}

sw_err *
sw_files_bind(const sw_files *f, const sw_state *s, sw_bound **out)
{
        if (!f->last)
                return sw_err_new(SW_E_INVALID, "a list of file actions is empty");
        *out = bind(f->last, s);
        return SW_OK;
}

sw_bound *
sw_bound_ref(sw_bound *b)
{
        sw__llb_object_ref(&b->o);
        return b;
}

void
sw_bound_unref(sw_bound *b)
{
        sw__llb_object_unref(b ? &b->o : NULL);
}

/* ---- the vertex -------------------------------------------------------------------- */

/* A chain that is being walked, from its end. */
struct walk {
        const sw_bound *bound;
        const struct action *at;
};

struct collector {
        SW_ARRAY(struct output) outputs;
        SW_ARRAY(struct walk) stack;
        struct table seen; /* bound chains walked already */
};

static void
collect(struct collector *c, struct output out)
{
        if (out.v)
                sw_array_push(&c->outputs, out);
}

static void
enter(struct collector *c, const sw_bound *b)
{
        if (sw__llb_table_find(&c->seen, b, 0))
                return;
        sw__llb_table_put(&c->seen, b, c);
        collect(c, b->state->out);
        sw_array_push(&c->stack, (struct walk){ b, b->last });
}

/* The order in which the Go client visits inputs, which is the order of the definition:
 * the state, then what is copied, the last copy first. */
static void
collect_all(struct collector *c, const sw_bound *b)
{
        enter(c, b);
        while (c->stack.n) {
                struct walk *w = &c->stack.v[c->stack.n - 1];
                const struct action *a = w->at;

                if (!a) {
                        c->stack.n--;
                        continue;
                }
                w->at = a->prev;
                if (a->from)
                        collect(c, a->from->out);
                else if (a->from_bound)
                        enter(c, a->from_bound);
        }
}

static struct vertex *
file_vertex(sw_bound *b, struct opts *opts)
{
        struct collector c = { 0 };
        struct vertex *v;

        collect_all(&c, b);
        v = sw__llb_vertex_new(VERTEX_FILE, opts, c.outputs.v, c.outputs.n);
        v->caps = CAP(FILE_BASE);
        v->files = b;
        sw__llb_table_release(&c.seen);
        sw_array_release(&c.outputs);
        sw_array_release(&c.stack);
        return v;
}

sw_err *
sw_state_files(const sw_state *s, const sw_files *f, const struct sw_llb_opts *opts,
               sw_state **out)
{
        struct opts o;
        struct vertex *v;
        sw_err *err;

        if (!f->last)
                return sw_err_new(SW_E_INVALID, "a list of file actions is empty");
        err = sw__llb_opts_take(opts, &o);
        if (err)
                return sw_err_wrap(err, "file actions");
        v = file_vertex(bind(f->last, s), &o);
        *out = sw__llb_state_with_output(s, (struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        return SW_OK;
}
