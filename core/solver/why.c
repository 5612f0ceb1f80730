/*
 * core/solver/why.c - why a vertex runs, in the words of enum sw_why.
 *
 * Decided when the op starts, from what the store knows then: after the op has run, the
 * store would know it. Thread: scheduler only.
 */
#include "core/solver/internal.h"

const char *
sw_why_name(enum sw_why why)
{
        static const char *const names[SW_WHY_COUNT] = {
                [SW_WHY_NONE] = "none",
                [SW_WHY_NO_RECORD] = "no-record",
                [SW_WHY_INPUT_KEY_NEW] = "input-key-new",
                [SW_WHY_INPUT_CONTENT_CHANGED] = "input-content-changed",
                [SW_WHY_IGNORED] = "ignored",
                [SW_WHY_RESULT_GONE] = "result-gone",
        };
        return (unsigned) why < SW_WHY_COUNT ? names[why] : "?";
}

struct note {
        uint32_t input;
        char *content;
};

static bool
take_note(void *arg, uint32_t input, const char *content)
{
        struct note *n = arg;

        if (input != n->input)
                return true;
        n->content = sw_strdup(content);
        return false;
}

/* Whether the op of @v ran before; its input's content digest of then into note->content.
 */
static bool
recall(struct sw__core *c, const struct sw__vx *v, struct note *note)
{
        sw_keystore *ks = v->cache->places[0].keys;
        bool known = false;

        if (!ks->ops->recall)
                return true;
        if (!sw__key_is_volatile(v->maps[0]))
                sw__store_problem(c,
                                  ks->ops->recall(ks, v->maps[0], &known, take_note, note));
        return known;
}

static enum sw_why
decide_input(struct sw__core *c, struct sw__vx *v, uint32_t i, char **before, char **now)
{
        struct note note = { .input = i };

        v->why_input = i;
        (void) recall(c, v, &note);
        if (!v->in[i].content || !note.content || !note.content[0] ||
            strcmp(note.content, v->in[i].content->digest) == 0) {
                free(note.content);
                return SW_WHY_INPUT_KEY_NEW;
        }
        *before = note.content;
        *now = sw_strdup(v->in[i].content->digest);
        return SW_WHY_INPUT_CONTENT_CHANGED;
}

static enum sw_why
decide(struct sw__core *c, struct sw__vx *v, char **before, char **now)
{
        struct note none = { .input = UINT32_MAX };
        struct sw__edge *e = NULL;

        if (v->ignore_cache)
                return SW_WHY_IGNORED;
        if (sw__key_is_volatile(v->maps[0])) /* never to be found again: it always runs */
                return SW_WHY_NONE;
        for (uint32_t o = 0; o < v->n_outputs && !e; o++)
                if (v->edges[o].state == SW__E_RUN)
                        e = &v->edges[o];
        if (!e)
                return SW_WHY_NO_RECORD;
        if (e->dead || e->keys.n) /* a key without a record: pruned */
                return SW_WHY_RESULT_GONE;
        if (v->n_inputs == 0 || !recall(c, v, &none))
                return SW_WHY_NO_RECORD;
        for (uint32_t i = 0; i < v->n_inputs; i++)
                if (!sw__lookup_input_known(c, e, i))
                        return decide_input(c, v, i, before, now);
        return SW_WHY_NO_RECORD; /* all seen, but not together */
}

void
sw__why_decide(struct sw__core *c, struct sw__vx *v, char **before, char **now)
{
        v->why_input = 0;
        v->why = (uint8_t) decide(c, v, before, now);
        sw__trace_add(c->trace, SW__T_WHY, v->number, v->why, 0, v->why_input, 0);
        if (v->story)
                sw__story_why(v->story, v->why, v->why_input);
}
