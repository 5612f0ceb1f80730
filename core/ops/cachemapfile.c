/*
 * core/ops/cachemapfile.c - the key of a file op; see cachemap.c.
 *
 * What a copy takes of an input, and where owners are looked up in it, is selected: the
 * input's content key is of that alone, unless an action works on the whole of it.
 * Thread: any; nothing here has state.
 */
#include <inttypes.h>
#include <string.h>

#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "core/ops/cachemap_priv.h"

typedef SW_ARRAY(struct sw_hash_select) selections;

static bool
has_wildcards(const char *s)
{
        for (; *s; s++) {
                if (*s == '\\' && s[1])
                        s++;
                else if (strchr("*?[", *s))
                        return true;
        }
        return false;
}

static bool
has_filters(const struct sw_hash_select *s)
{
        return s->wildcard || (s->include && s->include[0]) ||
               (s->exclude && s->exclude[0]) || (s->required && s->required[0]);
}

/* A repeated field as a NULL-ended list; the strings stay the op's. */
static const char *const *
as_list(struct sw__op_keys *k, char *const *v, size_t n)
{
        const char **list;

        if (!n)
                return NULL;
        list = sw_alloc_array(n + 1, sizeof(*list));
        for (size_t i = 0; i < n; i++)
                list[i] = v[i];
        sw_strlist_take(&k->texts, (char *) list); /* freed with the texts */
        return list;
}

static void
select_owner(const Pb__UserOpt *u, const char *path, selections *sel, size_t n)
{
        if (!u || u->user_case != PB__USER_OPT__USER_BY_NAME)
                return;
        if (u->byname->input >= 0 && (uint64_t) u->byname->input < n)
                sw_array_push(&sel[u->byname->input],
                              (struct sw_hash_select){ .path = path,
                                                       .follow_links = true });
}

static void
select_owners(const Pb__ChownOpt *o, selections *sel, size_t n)
{
        if (!o)
                return;
        select_owner(o->user, "/etc/passwd", sel, n);
        select_owner(o->group, "/etc/group", sel, n);
}

/* What is copied from one of the op's inputs. */
struct copied {
        sw_strlist paths; /* cleaned, from "/" */
        bool whole;       /* the last elements do not tell which of them an action means */
};

static void
note_copy(const Pb__FileAction *a, struct copied *copied, size_t n)
{
        if (a->action_case == PB__FILE_ACTION__ACTION_COPY && a->secondaryinput >= 0 &&
            (uint64_t) a->secondaryinput < n)
                sw_strlist_take(&copied[a->secondaryinput].paths,
                                sw_path_join("/", a->copy->src));
}

/* Whether two of the paths have one last element, or one contains another and so is all
 * that is selected. */
static bool
is_ambiguous(sw_strlist *paths)
{
        sw_auto(sw_strlist) names = { 0 };
        bool same = false;

        sw_strlist_sort(paths);
        const char **v = sw_alloc_array(paths->n, sizeof(*v));
        size_t n = 0;
        for (size_t i = 0; i < paths->n; i++)
                if (!n || strcmp(v[n - 1], paths->v[i]) != 0)
                        v[n++] = paths->v[i];
        for (size_t i = 0; i < n; i++)
                sw_strlist_take(&names, sw_path_base(v[i]));
        sw_strlist_sort(&names);
        for (size_t i = 1; i < n; i++)
                same |= strcmp(names.v[i - 1], names.v[i]) == 0;
        same |= sw__keys_dedupe(v, n) < n;
        free(v);
        return same;
}

/* What a copy takes of one of the op's inputs stands in the selection; its own message has
 * no more than the last element then, as BuildKit's has. Not where that is not enough: an
 * input that is worked on has no selection, and one of several paths may be any of them.
 * Then the key is not BuildKit's, for whom such copies are all one. */
static void
add_copy(sw_buf *b, const Pb__FileAction *a, const struct copied *copied, selections *sel,
         size_t n, struct sw__op_keys *k)
{
        Pb__FileActionCopy copy = *a->copy;
        sw_auto(sw_str) base = NULL;

        select_owners(copy.owner, sel, n);
        if (a->secondaryinput >= 0 && (uint64_t) a->secondaryinput < n) {
                sw_array_push(&sel[a->secondaryinput],
                              (struct sw_hash_select){
                                      .path = copy.src,
                                      .wildcard =
                                              copy.allowwildcard && has_wildcards(copy.src),
                                      .follow_links = copy.followsymlink,
                                      .include = as_list(k, copy.include_patterns,
                                                         copy.n_include_patterns),
                                      .exclude = as_list(k, copy.exclude_patterns,
                                                         copy.n_exclude_patterns),
                                      .required = as_list(k, copy.required_paths,
                                                          copy.n_required_paths),
                              });
                sw_auto(sw_str) path = sw_path_join("/", copy.src);
                if (!copied[a->secondaryinput].whole || !strchr(path + 1, '/'))
                        copy.src = base = sw_path_base(copy.src);
        }
        sw__llb_add_json(b, &copy.base);
}

static void
add_action(sw_buf *b, const Pb__FileAction *a, const struct copied *copied, selections *sel,
           size_t n, struct sw__op_keys *k)
{
        switch (a->action_case) {
        case PB__FILE_ACTION__ACTION_COPY: add_copy(b, a, copied, sel, n, k); break;
        case PB__FILE_ACTION__ACTION_MKFILE:
                select_owners(a->mkfile->owner, sel, n);
                sw__llb_add_json(b, &a->mkfile->base);
                break;
        case PB__FILE_ACTION__ACTION_MKDIR:
                select_owners(a->mkdir->owner, sel, n);
                sw__llb_add_json(b, &a->mkdir->base);
                break;
        case PB__FILE_ACTION__ACTION_RM: sw__llb_add_json(b, &a->rm->base); break;
        default: sw__llb_add_json(b, &a->symlink->base); break;
        }
}

/* Each action works on the one before, the first on input 0, copies take from input 1, and
 * the last one makes the output: such indexes are left out of the key. */
static bool
has_default_indexes(const Pb__FileOp *file)
{
        for (size_t i = 0; i < file->n_actions; i++) {
                const Pb__FileAction *a = file->actions[i];
                bool last = i + 1 == file->n_actions;
                int64_t before = i ? (int64_t) (file->n_actions + i - 1) : 0;

                if (a->input != before || a->output != (last ? 0 : -1))
                        return false;
                if (a->secondaryinput != -1 && a->secondaryinput != 1)
                        return false;
        }
        return true;
}

static void
add_indexes(sw_buf *b, const Pb__FileOp *file)
{
        if (has_default_indexes(file))
                return;
        sw_buf_adds(b, ",\"indexes\":[");
        for (size_t i = 0; i < file->n_actions; i++)
                sw_buf_addf(b, "%s[%" PRId64 ",%" PRId64 ",%" PRId64 "]", i ? "," : "",
                            file->actions[i]->input, file->actions[i]->secondaryinput,
                            file->actions[i]->output);
        sw_buf_addc(b, ']');
}

/* All paths, later ones first. */
static void
file_selector(const selections *s, char out[SW_DIGEST_STR_SIZE])
{
        const char **paths = sw_alloc_array(s->n, sizeof(*paths));

        for (size_t i = 0; i < s->n; i++)
                paths[i] = s->v[i].path;
        qsort(paths, s->n, sizeof(*paths), sw__keys_by_bytes);
        for (size_t i = 0; i < s->n / 2; i++) {
                const char *t = paths[i];

                paths[i] = paths[s->n - 1 - i];
                paths[s->n - 1 - i] = t;
        }
        sw__keys_join(paths, s->n, out);
        free(paths);
}

/* The plain selections that follow links, or those that do not, without what others
 * contain. */
static void
add_plain(const selections *from, bool follow, struct sw__op_dep *dep)
{
        const char **paths = sw_alloc_array(from->n, sizeof(*paths));
        size_t n = 0;

        for (size_t i = 0; i < from->n; i++)
                if (!has_filters(&from->v[i]) && from->v[i].follow_links == follow)
                        paths[n++] = from->v[i].path;
        n = sw__keys_dedupe(paths, n);
        for (size_t i = 0; i < n; i++)
                dep->selects[dep->n_selects++] = (struct sw_hash_select){
                        .path = paths[i],
                        .follow_links = follow,
                };
        free(paths);
}

struct ranked {
        struct sw_hash_select select;
        size_t rank;
};

static int
by_path(const void *a, const void *b)
{
        const struct ranked *x = a, *y = b;
        int c = strcmp(x->select.path, y->select.path);

        return c ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

/* Stable: of equal paths, those without filters come first, and the others as they were. */
static void
sort_selects(struct sw_hash_select *v, size_t n)
{
        struct ranked *r = sw_alloc_array(n, sizeof(*r));

        for (size_t i = 0; i < n; i++)
                r[i] = (struct ranked){ v[i], i };
        qsort(r, n, sizeof(*r), by_path);
        for (size_t i = 0; i < n; i++)
                v[i] = r[i].select;
        free(r);
}

static void
file_dep(const selections *s, struct sw__op_dep *dep, struct sw__op_keys *k)
{
        file_selector(s, dep->selector);
        dep->content = true;
        dep->selects = sw_alloc_array(s->n, sizeof(*dep->selects));
        add_plain(s, false, dep);
        add_plain(s, true, dep);
        for (size_t i = 0; i < s->n; i++)
                if (has_filters(&s->v[i]))
                        dep->selects[dep->n_selects++] = s->v[i];
        sort_selects(dep->selects, dep->n_selects);
        for (size_t i = 0; i < dep->n_selects; i++)
                dep->selects[i].path =
                        sw__keys_keep(k, sw_path_join("/", dep->selects[i].path));
}

sw_err *
sw__op_keys_file(const struct sw__op *op, struct sw__op_keys *out)
{
        const Pb__FileOp *file = op->pb->file;
        size_t n = out->n_deps;
        selections *sel = sw_alloc_array(n, sizeof(*sel));
        bool *base = sw_alloc_array(n, sizeof(*base)); /* actions work on the whole of it */
        struct copied *copied = sw_alloc_array(n, sizeof(*copied));
        sw_auto(sw_buf) b = SW_BUF_INIT, json = SW_BUF_INIT;

        for (size_t i = 0; i < file->n_actions; i++) {
                const int64_t input = file->actions[i]->input;

                note_copy(file->actions[i], copied, n);
                if (input >= 0 && (uint64_t) input < n)
                        base[input] = true;
        }
        for (size_t i = 0; i < n; i++)
                copied[i].whole = base[i] || is_ambiguous(&copied[i].paths);
        sw_buf_adds(&b, "{\"Type\":\"buildkit.file.v0\",\"Actions\":[");
        for (size_t i = 0; i < file->n_actions; i++) {
                sw_buf_clear(&json);
                add_action(&json, file->actions[i], copied, sel, n, out);
                if (i)
                        sw_buf_addc(&b, ',');
                sw_json_add_base64(&b, json.data, json.len);
        }
        sw_buf_addc(&b, ']');
        add_indexes(&b, file);
        sw_buf_addc(&b, '}');
        out->digest = sw_digest_of(b.data, b.len);
        for (size_t i = 0; i < n; i++) {
                if (sel[i].n && !base[i])
                        file_dep(&sel[i], &out->deps[i], out);
                sw_array_release(&sel[i]);
                sw_strlist_release(&copied[i].paths);
        }
        free(sel);
        free(base);
        free(copied);
        return SW_OK;
}
