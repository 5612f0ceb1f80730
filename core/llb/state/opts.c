/*
 * core/llb/state/opts.c - taking options: versions of structs, copies, checks.
 * Thread: any.
 */
#include <string.h>

#include "core/llb/state/state.h"

sw_err *
sw__llb_take_options(const char *what, void *ours, size_t our_size, const void *theirs)
{
        uint32_t size;

        memset(ours, 0, our_size);
        if (!theirs)
                return SW_OK;
        memcpy(&size, theirs, sizeof(size));
        if (size < sizeof(size))
                return sw_err_new(SW_E_INVALID,
                                  "%s: the struct of options has no size; use its macro",
                                  what);
        for (size_t i = our_size; i < size; i++)
                if (((const unsigned char *) theirs)[i] != 0)
                        return sw_err_new(SW_E_UNSUPPORTED,
                                          "%s: an option is set that this version of "
                                          "slipway does not know",
                                          what);
        memcpy(ours, theirs, size < our_size ? size : our_size);
        return SW_OK;
}

sw_err *
sw__llb_check_text(const char *what, const char *s)
{
        if (s && strnlen(s, LLB_MAX_TEXT + 1) > LLB_MAX_TEXT)
                return sw_err_new(SW_E_LIMIT, "%s is longer than %d bytes", what,
                                  LLB_MAX_TEXT);
        return SW_OK;
}

void
sw__llb_strlist_take(sw_strlist *dst, const char *const *list)
{
        for (size_t i = 0; list && list[i]; i++)
                sw_strlist_add(dst, list[i]);
}

/* ---- pairs ------------------------------------------------------------------------ */

void
sw__llb_pairs_free(struct pair *v, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(v[i].key);
                free(v[i].value);
        }
        free(v);
}

struct pair *
sw__llb_pairs_copy(const struct pair *v, size_t n)
{
        struct pair *copy = (struct pair *) sw_alloc_array(n, sizeof(*v));

        for (size_t i = 0; i < n; i++)
                copy[i] = (struct pair){ sw_strdup(v[i].key), sw_strdup(v[i].value) };
        return copy;
}

/* A copy in one piece: the list and behind it the strings. */
static struct pair *
pairs_block(const struct pair *v, size_t n)
{
        size_t size = n * sizeof(*v);
        struct pair *copy;
        char *at;

        for (size_t i = 0; i < n; i++)
                size += strlen(v[i].key) + strlen(v[i].value) + 2;
        copy = (struct pair *) sw_alloc(size);
        at = (char *) (copy + n);
        for (size_t i = 0; i < n; i++) {
                copy[i].key = at;
                at = stpcpy(at, v[i].key) + 1;
                copy[i].value = at;
                at = stpcpy(at, v[i].value) + 1;
        }
        return copy;
}

/* Insertion sort: stable, and these lists have a handful of entries. */
static void
sort_stable(struct pair *v, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                struct pair p = v[i];
                size_t k = i;

                for (; k > 0 && strcmp(v[k - 1].key, p.key) > 0; k--)
                        v[k] = v[k - 1];
                v[k] = p;
        }
}

size_t
sw__llb_pairs_sort(struct pair *v, size_t n)
{
        size_t kept = 0;

        sort_stable(v, n);
        for (size_t i = 0; i < n; i++) {
                if (i + 1 < n && strcmp(v[i].key, v[i + 1].key) == 0) {
                        free(v[i].key);
                        free(v[i].value);
                } else {
                        v[kept++] = v[i];
                }
        }
        return kept;
}

/* ---- struct opts ------------------------------------------------------------------ */

enum { MAX_PAIRS = 1000, MAX_LOCATIONS = 10000 };

static sw_err *
check_description(const struct sw_llb_opts *in)
{
        sw_err *err = sw__llb_check_text("name of a vertex", in->name);

        if (!err && in->n_description > MAX_PAIRS)
                err = sw_err_new(SW_E_LIMIT, "more than %d descriptions of a vertex",
                                 MAX_PAIRS);
        for (size_t i = 0; i < in->n_description && !err; i++) {
                const struct sw_llb_pair *p = &in->description[i];

                if (!p->key || !p->value)
                        return sw_err_new(SW_E_INVALID,
                                          "description %zu of a vertex has no %s", i,
                                          p->key ? "value" : "key");
                err = sw__llb_check_text("description of a vertex", p->value);
        }
        return err;
}

/* Of equal keys the last one stays. */
static size_t
last_of_each(struct pair *v, size_t n)
{
        size_t kept = 0;

        sort_stable(v, n);
        for (size_t i = 0; i < n; i++)
                if (i + 1 == n || strcmp(v[i].key, v[i + 1].key) != 0)
                        v[kept++] = v[i];
        return kept;
}

static sw_err *
take_description(const struct sw_llb_opts *in, struct opts *out)
{
        struct pair few[4], *v = few; /* borrowed strings */
        size_t n = 0;
        sw_err *err = check_description(in);

        if (err || (!in->n_description && !in->name))
                return err;
        if (in->n_description >= SW_COUNT(few))
                v = (struct pair *) sw_alloc_array(in->n_description + 1, sizeof(*v));
        for (size_t i = 0; i < in->n_description; i++)
                v[n++] = (struct pair){ (char *) in->description[i].key,
                                        (char *) in->description[i].value };
        if (in->name)
                v[n++] = (struct pair){ (char *) "llb.customname", (char *) in->name };
        out->n_description = last_of_each(v, n);
        out->description = pairs_block(v, out->n_description);
        if (v != few)
                free(v);
        return SW_OK;
}

static sw_err *
take_resources(const struct sw_llb_resources *in, struct opts *out)
{
        if (in->memory < 0 || in->memory_swap < -1 || in->cpu_quota < -1)
                return sw_err_new(SW_E_INVALID,
                                  "resources: memory %lld, memory and swap %lld, cpu quota "
                                  "%lld: must not be negative (-1 for the latter two: no "
                                  "limit)",
                                  (long long) in->memory, (long long) in->memory_swap,
                                  (long long) in->cpu_quota);
        out->has_resources = true;
        out->resources = *in;
        out->resources.cpuset_cpus = sw_strdup(in->cpuset_cpus);
        out->resources.cpuset_mems = sw_strdup(in->cpuset_mems);
        return SW_OK;
}

static sw_err *
check_locations(const struct sw_llb_opts *in)
{
        if (in->n_locations > MAX_LOCATIONS)
                return sw_err_new(SW_E_LIMIT, "more than %d source locations of a vertex",
                                  MAX_LOCATIONS);
        for (size_t i = 0; i < in->n_locations; i++) {
                const struct sw_llb_location *l = &in->locations[i];

                if (!l->map)
                        return sw_err_new(SW_E_INVALID, "source location %zu has no map",
                                          i);
                if (l->n_ranges > MAX_LOCATIONS)
                        return sw_err_new(SW_E_LIMIT,
                                          "source location %zu has more than %d ranges", i,
                                          MAX_LOCATIONS);
        }
        return SW_OK;
}

/* A copy in one piece: the list and behind it the ranges. The maps are counted. */
static struct location *
locations_block(const struct location *v, size_t n)
{
        size_t n_ranges = 0;
        struct location *copy;
        struct sw_llb_range *at;

        for (size_t i = 0; i < n; i++)
                n_ranges += v[i].n;
        copy = (struct location *) sw_alloc(n * sizeof(*copy) + n_ranges * sizeof(*at));
        at = (struct sw_llb_range *) (copy + n);
        for (size_t i = 0; i < n; i++) {
                copy[i] = (struct location){ sw_source_map_ref(v[i].map), at, v[i].n };
                if (v[i].n)
                        memcpy(at, v[i].ranges, v[i].n * sizeof(*at));
                at += v[i].n;
        }
        return copy;
}

static sw_err *
take_locations(const struct sw_llb_opts *in, struct opts *out)
{
        struct location few[2], *v = few; /* borrowed */
        const size_t n = in->n_locations;
        sw_err *err = check_locations(in);

        if (err || !n)
                return err;
        if (n > SW_COUNT(few))
                v = (struct location *) sw_alloc_array(n, sizeof(*v));
        for (size_t i = 0; i < n; i++)
                v[i] = (struct location){ in->locations[i].map,
                                          (struct sw_llb_range *) in->locations[i].ranges,
                                          in->locations[i].n_ranges };
        out->locations = locations_block(v, n);
        out->n_locations = n;
        if (v != few)
                free(v);
        return SW_OK;
}

static void
take_caps(const char *const *caps, struct opts *out)
{
        out->caps_known = caps != NULL;
        for (size_t i = 0; caps && caps[i]; i++)
                if (strcmp(caps[i], sw__llb_cap_names[CAP_EXEC_META_SETS_DEFAULT_PATH]) ==
                    0)
                        out->sets_default_path = true;
}

static sw_err *
take_all(const struct sw_llb_opts *in, struct opts *out)
{
        sw_err *err;

        out->ignore_cache = in->ignore_cache;
        out->platform = sw_platform_copy(in->platform);
        sw__llb_strlist_take(&out->filters, in->filters);
        out->local_unique = sw_strdup(in->local_unique);
        if ((unsigned) in->export_cache > SW_LLB_EXPORT_CACHE_OFF)
                return sw_err_new(SW_E_INVALID, "unknown mode %d of exporting cache",
                                  (int) in->export_cache);
        out->export_cache = in->export_cache;
        if (in->group) {
                out->group_id = sw_strdup(in->group->id ? in->group->id : "");
                out->group_name = sw_strdup(in->group->name ? in->group->name : "");
                out->group_weak = in->group->weak;
        }
        take_caps(in->caps, out);
        if (in->resources) {
                err = take_resources(in->resources, out);
                if (err)
                        return err;
        }
        err = take_description(in, out);
        if (err)
                return err;
        return take_locations(in, out);
}

sw_err *
sw__llb_opts_take(const struct sw_llb_opts *theirs, struct opts *out)
{
        struct sw_llb_opts in;
        struct dead dead = { NULL };
        sw_err *err;

        memset(out, 0, sizeof(*out));
        err = sw__llb_take_options("vertex options", &in, sizeof(in), theirs);
        if (err)
                return err;
        err = take_all(&in, out);
        if (err) {
                sw__llb_opts_release(out, &dead);
                sw__llb_object_bury(&dead);
        }
        return err;
}

void
sw__llb_opts_copy(const struct opts *o, struct opts *out)
{
        *out = *o;
        out->platform = sw_platform_copy(o->platform);
        out->description = pairs_block(o->description, o->n_description);
        memset(&out->filters, 0, sizeof(out->filters));
        for (size_t i = 0; i < o->filters.n; i++)
                sw_strlist_add(&out->filters, o->filters.v[i]);
        out->group_id = sw_strdup(o->group_id);
        out->group_name = sw_strdup(o->group_name);
        out->resources.cpuset_cpus = sw_strdup(o->resources.cpuset_cpus);
        out->resources.cpuset_mems = sw_strdup(o->resources.cpuset_mems);
        out->locations = locations_block(o->locations, o->n_locations);
        out->local_unique = sw_strdup(o->local_unique);
}

void
sw__llb_opts_release(struct opts *o, struct dead *dead)
{
        sw_platform_free(o->platform);
        free(o->description);
        sw_strlist_release(&o->filters);
        free(o->group_id);
        free(o->group_name);
        free((char *) o->resources.cpuset_cpus);
        free((char *) o->resources.cpuset_mems);
        for (size_t i = 0; i < o->n_locations; i++)
                sw__llb_object_drop(&o->locations[i].map->o, dead);
        free(o->locations);
        free(o->local_unique);
        memset(o, 0, sizeof(*o));
}
