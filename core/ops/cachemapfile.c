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

/* What is used of one of the op's inputs. */
struct used {
        selections sel;
        bool base;    /* actions work on the whole of it: selections do not count */
        bool unclear; /* last elements of the paths do not tell which digest is whose */
};

static void
select_owner(const Pb__UserOpt *u, const char *path, struct used *in, size_t n)
{
        if (!u || u->user_case != PB__USER_OPT__USER_BY_NAME)
                return;
        if (u->byname->input >= 0 && (uint64_t) u->byname->input < n)
                sw_array_push(&in[u->byname->input].sel,
                              (struct sw_hash_select){ .path = path,
                                                       .follow_links = true });
}

static void
select_copy(const Pb__FileAction *a, struct used *in, size_t n, struct sw__op_keys *k)
{
        const Pb__FileActionCopy *copy = a->copy;

        if (a->secondaryinput < 0 || (uint64_t) a->secondaryinput >= n)
                return;
        sw_array_push(&in[a->secondaryinput].sel,
                      (struct sw_hash_select){
                              .path = copy->src,
                              .wildcard = copy->allowwildcard && has_wildcards(copy->src),
                              .follow_links = copy->followsymlink,
                              .include = as_list(k, copy->include_patterns,
                                                 copy->n_include_patterns),
                              .exclude = as_list(k, copy->exclude_patterns,
                                                 copy->n_exclude_patterns),
                              .required = as_list(k, copy->required_paths,
                                                  copy->n_required_paths),
                      });
}

static void
select_action(const Pb__FileAction *a, struct used *in, size_t n, struct sw__op_keys *k)
{
        const Pb__ChownOpt *owner = NULL;

        switch (a->action_case) {
        case PB__FILE_ACTION__ACTION_COPY:
                owner = a->copy->owner;
                select_copy(a, in, n, k);
                break;
        case PB__FILE_ACTION__ACTION_MKFILE: owner = a->mkfile->owner; break;
        case PB__FILE_ACTION__ACTION_MKDIR: owner = a->mkdir->owner; break;
        case PB__FILE_ACTION__ACTION_SYMLINK: owner = a->symlink->owner; break;
        default: break;
        }
        if (owner) {
                select_owner(owner->user, "/etc/passwd", in, n);
                select_owner(owner->group, "/etc/group", in, n);
        }
        if (a->input >= 0 && (uint64_t) a->input < n)
                in[a->input].base = true;
}

/* Digests are told in the order of the paths, and a copy has the last element of its path
 * in the key. That is all there is to know which digest is whose: the order of the paths
 * must be that of their last elements, all of them different. One that contains another is
 * all that is selected. */
static bool
is_unclear(const selections *sel)
{
        const char **v = sw_alloc_array(sel->n, sizeof(*v));
        size_t n = 0;
        bool unclear = false;

        for (size_t i = 0; i < sel->n; i++)
                v[i] = sel->v[i].path;
        qsort(v, sel->n, sizeof(*v), sw__keys_by_bytes);
        for (size_t i = 0; i < sel->n; i++)
                if (!n || strcmp(v[n - 1], v[i]) != 0)
                        v[n++] = v[i];
        for (size_t i = 1; i < n && !unclear; i++) {
                sw_auto(sw_str) before = sw_path_base(v[i - 1]);
                sw_auto(sw_str) name = sw_path_base(v[i]);

                unclear = strcmp(before, name) >= 0;
        }
        unclear |= sw__keys_dedupe(v, n) < n;
        free(v);
        return unclear;
}

/* What a copy takes of one of the op's inputs stands in the selection; its own message has
 * no more than the last element then, as BuildKit's has. Not where that is not enough: an
 * input that is worked on has no selection, and one of several paths may be any of them.
 * Then the key is not BuildKit's, for whom such copies are all one. */
static void
add_copy(sw_buf *b, const Pb__FileAction *a, const struct used *in, size_t n)
{
        Pb__FileActionCopy copy = *a->copy;
        sw_auto(sw_str) base = sw_path_base(copy.src);
        sw_auto(sw_str) path = sw_path_join("/", copy.src);

        if (a->secondaryinput >= 0 && (uint64_t) a->secondaryinput < n) {
                const struct used *from = &in[a->secondaryinput];

                if (from->base ? !strchr(path + 1, '/') : !from->unclear)
                        copy.src = base;
        }
        sw__llb_add_json(b, &copy.base);
}

static void
add_action(sw_buf *b, const Pb__FileAction *a, const struct used *in, size_t n)
{
        switch (a->action_case) {
        case PB__FILE_ACTION__ACTION_COPY: add_copy(b, a, in, n); break;
        case PB__FILE_ACTION__ACTION_MKFILE: sw__llb_add_json(b, &a->mkfile->base); break;
        case PB__FILE_ACTION__ACTION_MKDIR: sw__llb_add_json(b, &a->mkdir->base); break;
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
        struct used *in = sw_alloc_array(n, sizeof(*in));
        sw_auto(sw_buf) b = SW_BUF_INIT, json = SW_BUF_INIT;

        for (size_t i = 0; i < file->n_actions; i++)
                select_action(file->actions[i], in, n, out);
        for (size_t i = 0; i < n; i++)
                in[i].unclear = is_unclear(&in[i].sel);
        sw_buf_adds(&b, "{\"Type\":\"buildkit.file.v0\",\"Actions\":[");
        for (size_t i = 0; i < file->n_actions; i++) {
                sw_buf_clear(&json);
                add_action(&json, file->actions[i], in, n);
                if (i)
                        sw_buf_addc(&b, ',');
                sw_json_add_base64(&b, json.data, json.len);
        }
        sw_buf_addc(&b, ']');
        add_indexes(&b, file);
        sw_buf_addc(&b, '}');
        out->digest = sw_digest_of(b.data, b.len);
        for (size_t i = 0; i < n; i++) {
                if (in[i].sel.n && !in[i].base)
                        file_dep(&in[i].sel, &out->deps[i], out);
                sw_array_release(&in[i].sel);
        }
        free(in);
        return SW_OK;
}
