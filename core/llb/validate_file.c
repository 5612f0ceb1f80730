/*
 * core/llb/validate_file.c - the rules of file: what its actions start from, what they
 * hand on, and that they do not wait for one another.
 *
 * Input indexes of an action: -1 is the empty tree, then the inputs of the op, then the
 * results of the actions, in that order.
 * Thread: any.
 */
#include <inttypes.h>

#include "core/llb/llb_priv.h"

const Pb__ChownOpt *
sw__llb_action_owner(const Pb__FileAction *a)
{
        switch (a->action_case) {
        case PB__FILE_ACTION__ACTION_COPY: return a->copy->owner;
        case PB__FILE_ACTION__ACTION_MKFILE: return a->mkfile->owner;
        case PB__FILE_ACTION__ACTION_MKDIR: return a->mkdir->owner;
        case PB__FILE_ACTION__ACTION_SYMLINK: return a->symlink->owner;
        default: return NULL;
        }
}

static bool
looked_up(const Pb__UserOpt *u)
{
        return u && u->user_case == PB__USER_OPT__USER_BY_NAME && u->byname;
}

static size_t
needs_of(const Pb__FileAction *a, int64_t out[SW__LLB_ACTION_NEEDS])
{
        const Pb__ChownOpt *owner = sw__llb_action_owner(a);
        size_t n = 0;

        out[n++] = a->input;
        out[n++] = a->secondaryinput;
        if (owner && looked_up(owner->user))
                out[n++] = owner->user->byname->input;
        if (owner && looked_up(owner->group))
                out[n++] = owner->group->byname->input;
        return n;
}

static sw_err *
validate_action(struct sw__llb_check *c, const Pb__FileOp *file, size_t i)
{
        const Pb__FileAction *a = file->actions[i];
        const int64_t end = (int64_t) (c->op->n_inputs + file->n_actions);
        int64_t needs[SW__LLB_ACTION_NEEDS];
        size_t n = needs_of(a, needs);

        if (a->action_case == PB__FILE_ACTION__ACTION__NOT_SET)
                return sw__llb_bad(sw__llb_at(c, "file.actions[%zu].action", i),
                                   "invalid nil file action");
        for (size_t k = 0; k < n; k++) {
                static const char *const names[] = { "input", "secondaryInput", "owner",
                                                     "owner" };
                static const char *const kinds[] = { "input index", "secondary input index",
                                                     "user index", "user index" };

                if (needs[k] < -1 || needs[k] >= end)
                        return sw__llb_bad(sw__llb_at(c, "file.actions[%zu].%s", i,
                                                      names[k]),
                                           "invalid %s %" PRId64 ", %" PRId64 " provided",
                                           kinds[k], needs[k], end);
        }
        if (a->output < -1)
                return sw__llb_bad(sw__llb_at(c, "file.actions[%zu].output", i),
                                   "invalid output index %" PRId64, a->output);
        return SW_OK;
}

static sw_err *
validate_outputs(struct sw__llb_check *c, const Pb__FileOp *file, uint32_t *n_outputs)
{
        bool *taken = (bool *) sw_alloc(file->n_actions);
        sw_err *err = SW_OK;
        size_t n = 0;

        for (size_t i = 0; i < file->n_actions && !err; i++) {
                int64_t o = file->actions[i]->output;

                if (o == -1)
                        continue;
                n++;
                if ((uint64_t) o >= file->n_actions)
                        continue; /* then one of those below is missing */
                if (taken[o])
                        err = sw__llb_bad(sw__llb_at(c, "file.actions[%zu].output", i),
                                          "duplicate output %" PRId64, o);
                taken[o] = true;
        }
        sw__llb_at(c, "file.actions");
        if (!err && n == 0)
                err = sw__llb_bad(c, "no outputs specified");
        for (size_t i = 0; i < n && !err; i++)
                if (!taken[i])
                        err = sw__llb_bad(c, "missing output index %zu", i);
        free(taken);
        *n_outputs = (uint32_t) n;
        return err;
}

/* Where the walk is in an action: the tree it needs to look at next. */
struct frame {
        size_t action, next;
};

enum { UNSEEN, ON_PATH, DONE };

/* Depth first through what @root needs; meeting the path again is a loop. */
static sw_err *
walk(struct sw__llb_check *c, const Pb__FileOp *file, size_t root, uint8_t *seen,
     struct frame *stack)
{
        const int64_t first = (int64_t) c->op->n_inputs;
        size_t depth = 0;

        if (seen[root] != UNSEEN)
                return SW_OK;
        stack[depth++] = (struct frame){ root, 0 };
        seen[root] = ON_PATH;
        while (depth) {
                struct frame *f = &stack[depth - 1];
                int64_t needs[SW__LLB_ACTION_NEEDS];
                size_t n = needs_of(file->actions[f->action], needs), to;

                if (f->next == n) {
                        seen[f->action] = DONE;
                        depth--;
                        continue;
                }
                if (needs[f->next++] < first)
                        continue;
                to = (size_t) (needs[f->next - 1] - first);
                if (seen[to] == ON_PATH)
                        return sw__llb_bad(sw__llb_at(c, "file.actions[%zu]", f->action),
                                           "loop from index %" PRId64,
                                           first + (int64_t) to);
                if (seen[to] == UNSEEN) {
                        seen[to] = ON_PATH;
                        stack[depth++] = (struct frame){ to, 0 };
                }
        }
        return SW_OK;
}

static sw_err *
validate_order(struct sw__llb_check *c, const Pb__FileOp *file)
{
        uint8_t *seen = (uint8_t *) sw_alloc(file->n_actions);
        struct frame *stack =
                (struct frame *) sw_alloc_array(file->n_actions, sizeof(*stack));
        sw_err *err = SW_OK;

        for (size_t i = 0; i < file->n_actions && !err; i++)
                err = walk(c, file, i, seen, stack);
        free(stack);
        free(seen);
        return err;
}

sw_err *
sw__llb_validate_file(struct sw__llb_check *c, const Pb__FileOp *file, uint32_t *n_outputs)
{
        sw_err *err = SW_OK;

        if (file->n_actions == 0)
                return sw__llb_bad(sw__llb_at(c, "file.actions"),
                                   "invalid file op with no actions");
        for (size_t i = 0; i < file->n_actions && !err; i++)
                err = validate_action(c, file, i);
        if (!err)
                err = validate_outputs(c, file, n_outputs);
        if (!err)
                err = validate_order(c, file);
        return err;
}
