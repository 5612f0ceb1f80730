/*
 * core/ops/cachemap.c - the definition key of an op and what its inputs add to it, byte for
 * byte as BuildKit computes them (reference/cache.md section 2), so that both find what the
 * other stored.
 *
 * A key is the SHA-256 of JSON as Go's encoding/json writes it; the parts that do not
 * change a result (names of secrets' proxies, where a cache is kept, what is selected of an
 * input) are taken out first.
 * Thread: any; nothing here has state.
 */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "core/ops/cachemap_priv.h"

void
sw__op_keys_release(struct sw__op_keys *k)
{
        for (size_t i = 0; i < k->n_deps; i++)
                free(k->deps[i].selects);
        free(k->deps);
        sw_strlist_release(&k->texts);
        *k = (struct sw__op_keys){ 0 };
}

void
sw__op_source_digest(const char *key, char out[SW_KEY_TEXT_SIZE])
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_digest d;

        sw_buf_addf(&b, "buildkit.source.v0:%s", key);
        d = sw_digest_of(b.data, b.len);
        if (sw_str_has_prefix(key, "session:")) {
                memcpy(out, "random:", sizeof("random:"));
                (void) sw_digest_hex(&d, out + strlen(out));
        } else {
                (void) sw_digest_str(&d, out);
        }
}

static void
add_str(sw_buf *b, const char *s)
{
        sw_json_add_str(b, s, strlen(s));
}

const char *
sw__keys_keep(struct sw__op_keys *k, char *s)
{
        sw_strlist_take(&k->texts, s);
        return s;
}

int
sw__keys_by_bytes(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
sw__keys_join(const char *const *v, size_t n, char out[SW_DIGEST_STR_SIZE])
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_digest d;

        for (size_t i = 0; i < n; i++) {
                if (i)
                        sw_buf_addc(&b, '\0');
                sw_buf_adds(&b, v[i]);
        }
        d = sw_digest_of(b.data, b.len);
        (void) sw_digest_str(&d, out);
}

/* Whether one of the sorted paths contains @path: whether it has one of its parents. A
 * parent longer than any path can be is in no tree and not looked for. "/" contains nothing
 * here, as in the reference, where a second slash would have to follow it. */
static bool
is_contained(const char *path, const char *const *sorted, size_t n)
{
        char parent[PATH_MAX];

        for (size_t i = 0; path[i] && i < sizeof(parent); i++) {
                const char *p = parent;

                if (path[i] == '/') {
                        parent[i] = '\0';
                        if (bsearch(&p, sorted, n, sizeof(p), sw__keys_by_bytes))
                                return true;
                }
                parent[i] = path[i];
        }
        return false;
}

size_t
sw__keys_dedupe(const char **v, size_t n)
{
        const char **sorted = sw_alloc_array(n, sizeof(*sorted));
        size_t kept = 0;

        qsort(v, n, sizeof(*v), sw__keys_by_bytes);
        if (n)
                memcpy(sorted, v, n * sizeof(*v));
        for (size_t i = 0; i < n; i++)
                if (!(i && strcmp(v[i], sorted[i - 1]) == 0) &&
                    !is_contained(v[i], sorted, n))
                        v[kept++] = v[i];
        free(sorted);
        return kept;
}

/* ---- ops whose message is the key --------------------------------------------------- */

sw_err *
sw__op_keys_plain(const struct sw__op *op, struct sw__op_keys *out)
{
        static const struct {
                const char *type, *member;
        } kinds[] = {
                [PB__OP__OP_MERGE] = { "buildkit.merge.v0", "Merge" },
                [PB__OP__OP_DIFF] = { "buildkit.diff.v0", "Diff" },
                [PB__OP__OP_BUILD] = { "buildkit.build.v0", "Exec" },
                [PB__OP__OP_PASSTHROUGH] = { "buildkit.passthrough.v0", "Passthrough" },
        };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addf(&b, "{\"Type\":\"%s\",\"%s\":", kinds[op->pb->op_case].type,
                    kinds[op->pb->op_case].member);
        /* the members of the oneof are all pointers to messages */
        sw__llb_add_json(&b, &op->pb->merge->base);
        sw_buf_addc(&b, '}');
        out->digest = sw_digest_of(b.data, b.len);
        return SW_OK;
}

/* ---- exec --------------------------------------------------------------------------- */

/* The id of a cache is no part of the key, but where it is the one a Dockerfile gives by
 * default: "<dest>" or "<namespace>/<dest>", shared. */
static bool
forget_cache_id(const Pb__Mount *m)
{
        const char *slash;

        if (!m->cacheopt)
                return false;
        if (m->cacheopt->sharing != PB__CACHE_SHARING_OPT__SHARED)
                return true;
        slash = strchr(m->cacheopt->id, '/');
        return strcmp(m->cacheopt->id, m->dest) != 0 &&
               !(slash && strcmp(slash + 1, m->dest) == 0);
}

/* One plain mount of the root, which keys do not mention. @m: its selector is not asked. */
static bool
is_plain_root(const Pb__Mount *m)
{
        return strcmp(m->dest, "/") == 0 && !m->readonly &&
               m->mounttype == PB__MOUNT_TYPE__BIND && !m->cacheopt && !m->sshopt &&
               !m->secretopt && !m->resultid[0];
}

/* What of a command is in its key. Everything here is borrowed or on the heap until
 * release. */
struct exec_copy {
        Pb__ExecOp exec;
        Pb__Meta meta;
        Pb__HostIP *hosts, **host_ptrs;
        Pb__Mount *mounts, **mount_ptrs;
        Pb__CacheOpt *caches;
};

static void
copy_hosts(struct exec_copy *c, const Pb__Meta *meta)
{
        size_t n = meta->n_extrahosts;

        c->hosts = sw_alloc_array(n, sizeof(*c->hosts));
        c->host_ptrs = sw_alloc_array(n, sizeof(Pb__HostIP *));
        for (size_t i = 0; i < n; i++) {
                c->hosts[i] = *meta->extrahosts[i];
                c->hosts[i].ip = (char *) "";
                c->host_ptrs[i] = &c->hosts[i];
        }
        c->meta.extrahosts = c->host_ptrs;
}

/* @several: of each input, whether its content does not tell which part of it is where.
 * Then the key is not BuildKit's, for whom such mounts may change places. */
static void
copy_mounts(struct exec_copy *c, const Pb__ExecOp *exec, const bool *several,
            size_t n_inputs)
{
        size_t n = exec->n_mounts;

        c->mounts = sw_alloc_array(n, sizeof(*c->mounts));
        c->mount_ptrs = sw_alloc_array(n, sizeof(Pb__Mount *));
        c->caches = sw_alloc_array(n, sizeof(*c->caches));
        for (size_t i = 0; i < n; i++) {
                Pb__Mount *m = &c->mounts[i];

                *m = *exec->mounts[i];
                if (m->input < 0 || (uint64_t) m->input >= n_inputs || !several[m->input])
                        m->selector = (char *) "";
                if (forget_cache_id(m)) {
                        c->caches[i] = *m->cacheopt;
                        c->caches[i].id = (char *) "";
                        c->caches[i].sharing = PB__CACHE_SHARING_OPT__SHARED;
                        m->cacheopt = &c->caches[i];
                }
                c->mount_ptrs[i] = m;
        }
        c->exec.mounts = c->mount_ptrs;
        if (n == 1 && is_plain_root(&c->mounts[0]))
                c->exec.n_mounts = 0;
}

static void
release_copy(struct exec_copy *c)
{
        free(c->hosts);
        free(c->host_ptrs);
        free(c->mounts);
        free(c->mount_ptrs);
        free(c->caches);
}

static void
add_platform(sw_buf *b, const sw_platform *p)
{
        const char *const *f = p->os_features;

        sw_buf_adds(b, ",\"OS\":");
        add_str(b, p->os);
        sw_buf_adds(b, ",\"Arch\":");
        add_str(b, p->arch);
        if (p->variant && p->variant[0]) {
                sw_buf_adds(b, ",\"Variant\":");
                add_str(b, p->variant);
        }
        if (p->os_version && p->os_version[0]) {
                sw_buf_adds(b, ",\"OSVersion\":");
                add_str(b, p->os_version);
        }
        if (f && *f) {
                sw_buf_adds(b, ",\"OSFeatures\":[");
                for (size_t i = 0; f[i]; i++) {
                        if (i)
                                sw_buf_addc(b, ',');
                        add_str(b, f[i]);
                }
                sw_buf_addc(b, ']');
        }
}

/* Whether a hit by content of what is mounted can be wrong: the output of a mount of a part
 * has the other parts of its input, too. */
static bool
content_is_safe(const Pb__Mount *m, const char *selector)
{
        return m->output == -1 || m->readonly || strcmp(selector, "/") == 0;
}

static sw_err *
mount_content(const Pb__Mount *m, const char *selector, bool *out)
{
        bool safe = content_is_safe(m, selector);

        switch (m->contentcache) {
        case PB__MOUNT_CONTENT_CACHE__OFF: *out = false; return SW_OK;
        case PB__MOUNT_CONTENT_CACHE__ON:
                *out = true;
                if (safe)
                        return SW_OK;
                return sw_err_new(SW_E_INVALID,
                                  "invalid mount cache content: %s is a writable mount of "
                                  "a part of its input and has an output",
                                  m->dest);
        default:
                /* the whole root is much to hash for little */
                *out = safe && strcmp(m->dest, "/") != 0;
                return SW_OK;
        }
}

/* Selectors of input @i: one per mount, in their order; content only where every mount
 * allows it. *several: it is by content, of more than one part. */
static sw_err *
exec_dep(const Pb__ExecOp *exec, size_t i, struct sw__op_keys *out, bool *several)
{
        struct sw__op_dep *dep = &out->deps[i];
        const char **paths = sw_alloc_array(exec->n_mounts, sizeof(*paths));
        size_t n = 0;
        bool content = true;
        sw_err *err = SW_OK;

        for (size_t k = 0; k < exec->n_mounts && !err; k++) {
                const Pb__Mount *m = exec->mounts[k];
                bool mine;

                if (m->input != (int64_t) i)
                        continue;
                paths[n] = sw__keys_keep(out, sw_path_join("/", m->selector));
                err = mount_content(m, paths[n++], &mine);
                content = content && mine;
        }
        if (!err && n)
                sw__keys_join(paths, n, dep->selector);
        dep->content = n && content;
        if (!err && dep->content) {
                for (size_t k = 1; k < n; k++)
                        *several |= strcmp(paths[k], paths[0]) != 0;
                n = sw__keys_dedupe(paths, n);
                dep->selects = sw_alloc_array(n, sizeof(*dep->selects));
                for (dep->n_selects = 0; dep->n_selects < n; dep->n_selects++)
                        dep->selects[dep->n_selects] = (struct sw_hash_select){
                                .path = paths[dep->n_selects],
                                .follow_links = true,
                        };
        }
        free(paths);
        return err;
}

sw_err *
sw__op_keys_exec(const struct sw__op *op, struct sw__op_keys *out)
{
        const Pb__ExecOp *exec = op->pb->exec;
        struct exec_copy c = { .exec = *exec, .meta = *exec->meta };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        bool *several = sw_alloc_array(out->n_deps, sizeof(*several));
        sw_err *err = SW_OK;

        for (size_t i = 0; i < out->n_deps && !err; i++)
                err = exec_dep(exec, i, out, &several[i]);
        c.exec.meta = &c.meta;
        c.meta.proxy_env = NULL;
        copy_hosts(&c, exec->meta);
        copy_mounts(&c, exec, several, out->n_deps);
        sw_buf_adds(&b, "{\"Type\":\"buildkit.exec.v0\",\"Exec\":");
        sw__llb_add_json(&b, &c.exec.base);
        add_platform(&b, sw_llb_vertex_platform(op->v));
        sw_buf_addc(&b, '}');
        release_copy(&c);
        free(several);
        out->digest = sw_digest_of(b.data, b.len);
        return err;
}
