/*
 * core/llb/state/making_file.c - the op of file actions. See making.h.
 *
 * Actions are numbered in the order they are done: those before an action, then the bound
 * chain it copies from, then itself. Where an action takes its tree from is an input of the
 * op, or the number of inputs plus the number of another action; how many inputs there are
 * is known only at the end.
 */
#include <string.h>

#include <slipway/path.h>

#include "core/llb/state/files.h"
#include "core/llb/state/making.h"

/* A source of a tree. */
struct ref {
        bool action;    /* number is an action's */
        int64_t number; /* -1: scratch */
};

struct step {
        const struct action *a;
        const sw_bound *bound;
        int64_t base; /* input that the bound state's tree is */
        struct ref input, second;
};

/* A chain on its way, from its start. */
struct chain {
        const sw_bound *bound;
        const struct action **actions;
        size_t n, next;
        int64_t base;
        int64_t last; /* number of the action done last; none yet: of no meaning */
};

struct file_making {
        struct making *m;
        struct inputs in;
        SW_ARRAY(struct step) steps;
        SW_ARRAY(struct chain) stack;
        struct table bounds; /* bound -> number of its last action */
};

/* ---- order ------------------------------------------------------------------------- */

static sw_err *
enter(struct file_making *f, const sw_bound *b)
{
        struct chain c = { .bound = b, .n = b->last->depth + 1 };
        const struct action *a = b->last;
        sw_err *err = sw__llb_inputs_add(f->m, &f->in, b->state->out, &c.base);

        if (err)
                return err;
        c.actions = PB_ARRAY(f->m, const struct action *, c.n);
        for (size_t i = c.n; i-- > 0; a = a->prev)
                c.actions[i] = a;
        sw_array_push(&f->stack, c);
        return SW_OK;
}

/* Where @a copies from. *wait: a bound chain that must be done first. */
static sw_err *
second_input(struct file_making *f, const struct action *a, struct ref *out,
             const sw_bound **wait)
{
        const union datum *known;

        *out = (struct ref){ false, -1 };
        *wait = NULL;
        if (a->from)
                return sw__llb_inputs_add(f->m, &f->in, a->from->out, &out->number);
        if (!a->from_bound)
                return SW_OK;
        known = sw__llb_table_find(&f->bounds, a->from_bound, 0);
        if (known)
                *out = (struct ref){ true, (int64_t) known->n };
        else
                *wait = a->from_bound;
        return SW_OK;
}

/* Do the next action of the topmost chain, or begin with what it waits for. */
static sw_err *
advance(struct file_making *f)
{
        struct chain *c = &f->stack.v[f->stack.n - 1];
        const sw_bound *wait, *bound = c->bound;
        struct step s = { .bound = c->bound, .base = c->base };
        sw_err *err;

        s.a = c->actions[c->next];
        s.input = (struct ref){ false, c->base };
        if (c->next)
                s.input = (struct ref){ true, c->last };
        err = second_input(f, s.a, &s.second, &wait);
        if (err)
                return err;
        if (wait)
                return enter(f, wait);
        c->last = (int64_t) f->steps.n;
        sw_array_push(&f->steps, s);
        if (++c->next < c->n)
                return SW_OK;
        f->stack.n--;
        sw__llb_table_add(&f->bounds, bound, 0, (union datum){ .n = f->steps.n - 1 });
        return SW_OK;
}

/* ---- messages ---------------------------------------------------------------------- */

static char *
keep(struct making *m, const char *s)
{
        return sw__pb_arena_strndup(&m->tmp, s, strlen(s));
}

static bool
ends_in(const char *s, const char *end)
{
        size_t n = strlen(s), k = strlen(end);

        return n >= k && strcmp(s + n - k, end) == 0;
}

/* Absolute, relative ones from @dir. A destination keeps the "/" or "/." at its end, which
 * says that it is a directory. */
static char *
absolute(struct making *m, const char *dir, const char *path, bool destination)
{
        sw_auto(sw_str) clean = sw_path_clean(path);
        sw_auto(sw_str) rooted = clean[0] == '/' ? NULL : sw_path_join("/", dir);
        sw_auto(sw_str) full = rooted ? sw_path_join(rooted, clean) : sw_strdup(clean);
        sw_auto(sw_str) marked = NULL;

        if (destination && ends_in(path, "/") && !ends_in(full, "/"))
                marked = sw_asprintf("%s/", full);
        else if (destination && ends_in(path, "/."))
                marked = sw_asprintf("%s%s.", full, strcmp(full, "/") == 0 ? "" : "/");
        return keep(m, marked ? marked : full);
}

static Pb__UserOpt *
pb_user(struct making *m, const struct owner *o, int64_t base)
{
        Pb__UserOpt *u;

        if (!o->given)
                return NULL;
        u = PB_NEW(m, Pb__UserOpt, PB__USER_OPT__INIT);
        if (o->name) {
                u->user_case = PB__USER_OPT__USER_BY_NAME;
                u->byname = PB_NEW(m, Pb__NamedUserOpt, PB__NAMED_USER_OPT__INIT);
                u->byname->name = o->name;
                u->byname->input = base;
        } else {
                u->user_case = PB__USER_OPT__USER_BY_ID;
                u->byid = o->id;
        }
        return u;
}

static Pb__ChownOpt *
pb_owner(struct making *m, const struct step *s)
{
        Pb__ChownOpt *c;

        if (!s->a->has_owner)
                return NULL;
        c = PB_NEW(m, Pb__ChownOpt, PB__CHOWN_OPT__INIT);
        c->user = pb_user(m, &s->a->user, s->base);
        c->group = pb_user(m, &s->a->group, s->base);
        return c;
}

static sw_err *
set_copy(struct making *m, const struct step *s, const char *dir, Pb__FileAction *pb)
{
        const struct action *a = s->a;
        const sw_state *from = a->from ? a->from : a->from_bound->state;
        const char *from_dir = "/";
        Pb__FileActionCopy *c = PB_NEW(m, Pb__FileActionCopy, PB__FILE_ACTION_COPY__INIT);
        sw_err *err = a->src[0] == '/' ? SW_OK : sw__llb_find_dir(&m->r, from, &from_dir);

        if (err)
                return err;
        c->src = absolute(m, from_dir, a->src, false);
        c->dest = absolute(m, dir, a->path, true);
        c->owner = pb_owner(m, s);
        c->mode = a->mode;
        c->modestr = pb_text(a->mode_str);
        c->timestamp = a->time;
        c->followsymlink = a->follow_symlink;
        c->dircopycontents = a->contents_only;
        c->attemptunpackdockercompatibility = a->unpack;
        c->createdestpath = a->parents;
        c->allowwildcard = a->wildcard;
        c->allowemptywildcard = a->allow_empty_wildcard;
        c->alwaysreplaceexistingdestpaths = a->always_replace;
        c->include_patterns = a->include.v;
        c->n_include_patterns = a->include.n;
        c->exclude_patterns = a->exclude.v;
        c->n_exclude_patterns = a->exclude.n;
        c->required_paths = a->required.v;
        c->n_required_paths = a->required.n;
        pb->action_case = PB__FILE_ACTION__ACTION_COPY;
        pb->copy = c;
        return SW_OK;
}

static void
set_mkdir(struct making *m, const struct step *s, const char *dir, Pb__FileAction *pb)
{
        Pb__FileActionMkDir *d =
                PB_NEW(m, Pb__FileActionMkDir, PB__FILE_ACTION_MK_DIR__INIT);

        d->path = absolute(m, dir, s->a->path, false);
        d->mode = s->a->mode;
        d->makeparents = s->a->parents;
        d->owner = pb_owner(m, s);
        d->timestamp = s->a->time;
        pb->action_case = PB__FILE_ACTION__ACTION_MKDIR;
        pb->mkdir = d;
}

static void
set_mkfile(struct making *m, const struct step *s, const char *dir, Pb__FileAction *pb)
{
        Pb__FileActionMkFile *f =
                PB_NEW(m, Pb__FileActionMkFile, PB__FILE_ACTION_MK_FILE__INIT);

        f->path = absolute(m, dir, s->a->path, false);
        f->mode = s->a->mode;
        f->data = (ProtobufCBinaryData){ s->a->len, (uint8_t *) s->a->data };
        f->owner = pb_owner(m, s);
        f->timestamp = s->a->time;
        pb->action_case = PB__FILE_ACTION__ACTION_MKFILE;
        pb->mkfile = f;
}

static void
set_symlink(struct making *m, const struct step *s, Pb__FileAction *pb)
{
        Pb__FileActionSymlink *l =
                PB_NEW(m, Pb__FileActionSymlink, PB__FILE_ACTION_SYMLINK__INIT);

        l->oldpath = s->a->src;
        l->newpath = s->a->path;
        l->owner = pb_owner(m, s);
        l->timestamp = s->a->time;
        pb->action_case = PB__FILE_ACTION__ACTION_SYMLINK;
        pb->symlink = l;
}

static void
set_rm(struct making *m, const struct step *s, const char *dir, Pb__FileAction *pb)
{
        Pb__FileActionRm *r = PB_NEW(m, Pb__FileActionRm, PB__FILE_ACTION_RM__INIT);

        r->path = absolute(m, dir, s->a->path, false);
        r->allownotfound = s->a->allow_missing;
        r->allowwildcard = s->a->wildcard;
        pb->action_case = PB__FILE_ACTION__ACTION_RM;
        pb->rm = r;
}

static sw_err *
set_action(struct making *m, const struct step *s, Pb__FileAction *pb)
{
        const char *dir;
        sw_err *err = sw__llb_find_dir(&m->r, s->bound->state, &dir);

        if (err)
                return err;
        switch (s->a->kind) {
        case ACTION_MKDIR: set_mkdir(m, s, dir, pb); break;
        case ACTION_MKFILE: set_mkfile(m, s, dir, pb); break;
        case ACTION_SYMLINK: set_symlink(m, s, pb); break;
        case ACTION_RM: set_rm(m, s, dir, pb); break;
        case ACTION_COPY: return set_copy(m, s, dir, pb);
        }
        return SW_OK;
}

/* ---- the op ------------------------------------------------------------------------ */

static int64_t
number(const struct file_making *f, struct ref r)
{
        return r.action ? (int64_t) f->in.n + r.number : r.number;
}

static sw_err *
set_actions(struct file_making *f, Pb__FileOp *file)
{
        sw_err *err = SW_OK;

        file->actions = PB_ARRAY(f->m, Pb__FileAction *, f->steps.n);
        for (size_t i = 0; !err && i < f->steps.n; i++) {
                Pb__FileAction *pb = PB_NEW(f->m, Pb__FileAction, PB__FILE_ACTION__INIT);

                pb->input = number(f, f->steps.v[i].input);
                pb->secondaryinput = number(f, f->steps.v[i].second);
                pb->output = i + 1 == f->steps.n ? 0 : -1;
                err = set_action(f->m, &f->steps.v[i], pb);
                file->actions[file->n_actions++] = pb;
        }
        return err;
}

static void
set_inputs(struct file_making *f, Pb__Op *op)
{
        op->inputs = PB_ARRAY(f->m, Pb__Input *, f->in.n);
        op->n_inputs = f->in.n;
        if (f->in.n)
                memcpy(op->inputs, f->in.v, f->in.n * sizeof(*f->in.v));
}

sw_err *
sw__llb_make_file(struct making *m, const struct vertex *v, Pb__Op *op, capset *caps)
{
        struct file_making f = { .m = m };
        sw_err *err;

        (void) caps;
        sw__llb_inputs_init(&f.in);
        op->op_case = PB__OP__OP_FILE;
        op->file = PB_NEW(m, Pb__FileOp, PB__FILE_OP__INIT);
        err = enter(&f, v->files);
        while (!err && f.stack.n)
                err = advance(&f);
        if (!err)
                err = set_actions(&f, op->file);
        set_inputs(&f, op);
        sw__llb_inputs_release(&f.in);
        sw_array_release(&f.steps);
        sw_array_release(&f.stack);
        sw__llb_table_release(&f.bounds);
        return err;
}
