/*
 * core/llb/state/source.c - sources: scratch apart, what vertices begin with.
 * Thread: any.
 */
#include <string.h>

#include <slipway/digest.h>
#include <slipway/json.h>

#include "core/llb/imagename.h"
#include "core/llb/state/source.h"

enum { MAX_ATTRS = 1000 };

bool
sw__llb_draft_text(struct draft *d, const char *key, const char *value)
{
        if (!value || !*value)
                return false;
        sw_array_push(&d->attrs, (struct pair){ sw_strdup(key), sw_strdup(value) });
        return true;
}

bool
sw__llb_draft_flag(struct draft *d, const char *key, bool on)
{
        return sw__llb_draft_text(d, key, on ? "true" : NULL);
}

static void
add_number(struct draft *d, const char *key, int64_t value)
{
        sw_array_push(&d->attrs, (struct pair){ sw_strdup(key),
                                                sw_asprintf("%lld", (long long) value) });
}

void
sw__llb_draft_release(struct draft *d)
{
        sw__llb_pairs_free(d->attrs.v, d->attrs.n);
        memset(d, 0, sizeof(*d));
}

static sw_err *
check_attrs(const struct draft *d)
{
        for (size_t i = 0; i < d->attrs.n; i++) {
                sw_err *err = sw__llb_check_text(d->attrs.v[i].key, d->attrs.v[i].value);

                if (err)
                        return err;
        }
        return SW_OK;
}

sw_err *
sw__llb_draft_end(struct draft *d, char *identifier, const struct sw_llb_opts *opts,
                  sw_state **out)
{
        sw_auto(sw_str) id = identifier;
        struct opts o;
        struct vertex *v;
        sw_err *err = sw__llb_check_text("source identifier", id);

        if (!err)
                err = check_attrs(d);
        if (!err)
                err = sw__llb_opts_take(opts, &o);
        if (err)
                return sw_err_wrap(err, "source %s", sw__llb_shown(id).text);
        v = sw__llb_vertex_new(VERTEX_SOURCE, &o, NULL, 0);
        v->caps = d->caps;
        v->source = (struct source){ .identifier = sw_steal(id),
                                     .attrs = d->attrs.v,
                                     .n_attrs = sw__llb_pairs_sort(d->attrs.v, d->attrs.n),
                                     .want_unique = d->want_unique };
        memset(d, 0, sizeof(*d));
        *out = sw__llb_state_over((struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        return SW_OK;
}

sw_err *
sw_llb_source(const char *identifier, const struct sw_llb_pair *attrs, size_t n_attrs,
              const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(draft) d = { 0 };
        const char *sep = strstr(identifier, "://");

        if (!sep || sep == identifier)
                return sw_err_new(SW_E_INVALID, "source %s is not of the form scheme://ref",
                                  sw__llb_shown(identifier).text);
        if (n_attrs > MAX_ATTRS)
                return sw_err_new(SW_E_LIMIT, "source %s: more than %d attributes",
                                  sw__llb_shown(identifier).text, MAX_ATTRS);
        for (size_t i = 0; i < n_attrs; i++) {
                if (!attrs[i].key || !*attrs[i].key || !attrs[i].value)
                        return sw_err_new(SW_E_INVALID,
                                          "source %s: attribute %zu has no %s",
                                          sw__llb_shown(identifier).text, i,
                                          attrs[i].value ? "key" : "value");
                sw_array_push(&d.attrs, (struct pair){ sw_strdup(attrs[i].key),
                                                       sw_strdup(attrs[i].value) });
        }
        return sw__llb_draft_end(&d, sw_strdup(identifier), opts, out);
}

/* ---- images ------------------------------------------------------------------------ */

static const char *const resolve_modes[] = {
        [SW_LLB_RESOLVE_DEFAULT] = NULL,
        [SW_LLB_RESOLVE_PULL] = "pull",
        [SW_LLB_RESOLVE_LOCAL] = "local",
};

static sw_err *
check_limit(const char *what, int limit)
{
        if (limit < 0)
                return sw_err_new(SW_E_INVALID,
                                  "%s: layer limit %d must not be negative (0: all)",
                                  sw__llb_shown(what).text, limit);
        return SW_OK;
}

static sw_err *
image_draft(const char *name, const struct sw_llb_image *in, struct draft *d)
{
        sw_digest digest;
        sw_err *err = check_limit(name, in->layer_limit);

        if (!err && (unsigned) in->resolve >= SW_COUNT(resolve_modes))
                err = sw_err_new(SW_E_INVALID, "image %s: unknown resolve mode %d",
                                 sw__llb_shown(name).text, (int) in->resolve);
        if (!err && in->checksum)
                err = sw_err_wrap(sw_digest_parse(in->checksum, SIZE_MAX, &digest),
                                  "image %s: checksum", sw__llb_shown(name).text);
        if (err)
                return err;
        d->caps = CAP(IMAGE);
        sw__llb_draft_text(d, "image.resolvemode", resolve_modes[in->resolve]);
        if (in->resolve == SW_LLB_RESOLVE_PULL) /* the others may be ignored */
                d->caps |= CAP(IMAGE_RESOLVE_MODE);
        sw__llb_draft_text(d, "image.recordtype", in->internal ? "internal" : NULL);
        if (in->layer_limit) {
                add_number(d, "image.layerlimit", in->layer_limit);
                d->caps |= CAP(IMAGE_LAYER_LIMIT);
        }
        if (sw__llb_draft_text(d, "image.checksum", in->checksum))
                d->caps |= CAP(IMAGE_CHECKSUM);
        return SW_OK;
}

/* What a late image needs to make its state again, for any platform. */
struct late_image {
        struct sw_llb_image image; /* strings owned */
        char *name;
        bool add_digest;
        sw_state *plain; /* without configuration, carries the options */
};

static void
late_image_free(void *arg)
{
        struct late_image *l = (struct late_image *) arg;

        sw_state_unref(l->plain);
        free(l->name);
        free(l);
}

/* The same source under the name with the digest. */
static sw_state *
pinned(const struct late_image *l, const char *digest)
{
        const struct vertex *from = l->plain->out.v;
        struct opts none = { 0 };
        struct vertex *v = sw__llb_vertex_new(VERTEX_SOURCE, &none, NULL, 0);
        sw_state *s;

        v->caps = from->caps;
        sw__llb_opts_copy(&from->opts, &v->opts);
        v->source.identifier = sw_asprintf("docker-image://%s@%s", l->name, digest);
        v->source.n_attrs = from->source.n_attrs;
        v->source.attrs = sw__llb_pairs_copy(from->source.attrs, from->source.n_attrs);
        s = sw__llb_state_over((struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        return s;
}

static sw_err *
late_image_make(void *arg, const sw_state *s, const struct sw_llb_opts *opts,
                sw_state **out)
{
        const struct late_image *l = (const struct late_image *) arg;
        const sw_platform *p = l->plain->out.v->opts.platform;
        sw_auto(sw_str) config = NULL, digest = NULL;
        sw_autoptr(sw_state) base = NULL;
        sw_digest parsed;
        sw_err *err;

        (void) s;
        err = l->image.resolver(l->image.resolver_arg, l->name, p ? p : opts->platform,
                                l->image.resolve, &config, &digest);
        if (err)
                return sw_err_wrap(err, "configuration of image %s", l->name);
        if (l->add_digest && digest) {
                err = sw_digest_parse(digest, SIZE_MAX, &parsed);
                if (err)
                        return sw_err_wrap(err, "digest of image %s", l->name);
                base = pinned(l, digest);
        } else {
                base = sw_state_ref(l->plain);
        }
        if (!config)
                return sw_err_new(SW_E_INVALID, "image %s has no configuration", l->name);
        return sw_err_wrap(sw_state_image_config(base, config, strlen(config), out),
                           "image %s", l->name);
}

sw_err *
sw_llb_image(const char *name, const struct sw_llb_image *image,
             const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(draft) d = { 0 };
        sw_auto(sw_str) digest = NULL;
        sw_auto(sw_str) repo = NULL;
        sw_auto(sw_str) full = NULL;
        struct sw_llb_image in;
        struct late_image *late;
        sw_state *plain = NULL;
        sw_err *err = sw__llb_take_options("image", &in, sizeof(in), image);

        if (!err)
                err = sw__image_name_parse_any(name, &n, &digest);
        if (!err)
                err = image_draft(name, &in, &d);
        if (err)
                return err;
        if (!digest)
                sw_image_name_default_tag(&n);
        repo = sw_image_name_repo(&n);
        full = sw_asprintf("%s%s%s%s%s", repo, n.tag ? ":" : "", n.tag ? n.tag : "",
                           digest ? "@" : "", digest ? digest : "");
        err = sw__llb_draft_end(&d, sw_asprintf("docker-image://%s", full), opts, &plain);
        if (err || !in.resolver) {
                if (!err)
                        *out = plain;
                return err;
        }
        late = sw_new(struct late_image);
        *late = (struct late_image){ .image = in,
                                     .name = sw_steal(full),
                                     .add_digest = in.resolve_digest && !digest,
                                     .plain = plain };
        late->image.checksum = NULL; /* in the attributes */
        *out = sw_state_late(plain, late_image_make, late, late_image_free);
        return SW_OK;
}

sw_err *
sw_llb_oci_layout(const char *ref, const struct sw_llb_oci_layout *layout,
                  const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(draft) d = { 0 };
        struct sw_llb_oci_layout in;
        sw_err *err = sw__llb_take_options("OCI layout", &in, sizeof(in), layout);

        if (!err && !*ref)
                err = sw_err_new(SW_E_INVALID, "the name of an image in an OCI layout is "
                                               "empty");
        if (!err)
                err = check_limit(ref, in.layer_limit);
        if (err)
                return err;
        d.caps = CAP(OCI_LAYOUT);
        sw__llb_draft_text(&d, "oci.session", in.session);
        sw__llb_draft_text(&d, "oci.store", in.store);
        if (in.layer_limit)
                add_number(&d, "oci.layerlimit", in.layer_limit);
        return sw__llb_draft_end(&d, sw_asprintf("oci-layout://%s", ref), opts, out);
}

/* ---- single files ------------------------------------------------------------------ */

static sw_err *
add_file_attrs(struct draft *d, const char *what, const char *filename, int perm, int uid,
               int gid)
{
        sw_auto(sw_str) mode = NULL;

        if (perm < 0 || perm > 0777 || uid < 0 || gid < 0)
                return sw_err_new(SW_E_INVALID,
                                  "%s: permissions %#o must be within 0777, user %d and "
                                  "group %d not negative",
                                  sw__llb_shown(what).text, (unsigned) perm, uid, gid);
        mode = perm ? sw_asprintf("0%o", (unsigned) perm) : NULL;
        sw__llb_draft_text(d, "http.filename", filename);
        sw__llb_draft_text(d, "http.perm", mode);
        if (uid)
                add_number(d, "http.uid", uid);
        if (gid)
                add_number(d, "http.gid", gid);
        return SW_OK;
}

static sw_err *
blob(const char *scheme, bool layout, const char *ref, const struct sw_llb_blob *options,
     const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(draft) d = { 0 };
        sw_auto(sw_str) digest = NULL;
        sw_auto(sw_str) repo = NULL;
        struct sw_llb_blob in;
        sw_err *err = sw__llb_take_options("blob", &in, sizeof(in), options);

        if (!err)
                err = sw__image_name_parse_any(ref, &n, &digest);
        if (!err && (n.tag || !digest))
                err = sw_err_new(
                        SW_E_INVALID,
                        "blob %s must be named by a digest and no tag: name@sha256:…",
                        sw__llb_shown(ref).text);
        if (!err)
                err = add_file_attrs(&d, ref, in.filename, in.perm, in.uid, in.gid);
        if (err)
                return err;
        d.caps = CAP(IMAGE_BLOB);
        if (layout) {
                sw__llb_draft_text(&d, "oci.session", in.session);
                sw__llb_draft_text(&d, "oci.store", in.store);
        }
        repo = sw_image_name_repo(&n);
        return sw__llb_draft_end(&d, sw_asprintf("%s://%s@%s", scheme, repo, digest), opts,
                                 out);
}

sw_err *
sw_llb_image_blob(const char *ref, const struct sw_llb_blob *options,
                  const struct sw_llb_opts *opts, sw_state **out)
{
        return blob("docker-image+blob", false, ref, options, opts, out);
}

sw_err *
sw_llb_oci_layout_blob(const char *ref, const struct sw_llb_blob *options,
                       const struct sw_llb_opts *opts, sw_state **out)
{
        return blob("oci-layout+blob", true, ref, options, opts, out);
}

/* ---- local directories ------------------------------------------------------------- */

/* A list as a JSON array; false when there is none. */
static bool
draft_list(struct draft *d, const char *key, const char *const *list)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (!list || !list[0])
                return false;
        for (size_t i = 0; list[i]; i++) {
                sw_buf_addc(&b, i ? ',' : '[');
                sw_json_add_str(&b, list[i], strlen(list[i]));
        }
        sw_buf_addc(&b, ']');
        return sw__llb_draft_text(d, key, b.data);
}

static const char *const differs[] = {
        [SW_LLB_DIFFER_DEFAULT] = NULL,
        [SW_LLB_DIFFER_NONE] = "none",
        [SW_LLB_DIFFER_METADATA] = "metadata",
};

static void
local_draft(const struct sw_llb_local *in, struct draft *d)
{
        d->caps = CAP(LOCAL);
        d->want_unique = !in->session || !*in->session;
        if (sw__llb_draft_text(d, "local.session", in->session))
                d->caps |= CAP(LOCAL_SESSION);
        if (draft_list(d, "local.includepattern", in->include))
                d->caps |= CAP(LOCAL_INCLUDE);
        if (draft_list(d, "local.followpaths", in->follow))
                d->caps |= CAP(LOCAL_FOLLOW);
        if (draft_list(d, "local.excludepatterns", in->exclude))
                d->caps |= CAP(LOCAL_EXCLUDE);
        if (sw__llb_draft_text(d, "local.sharedkeyhint", in->shared_key_hint))
                d->caps |= CAP(LOCAL_SHARED_KEY);
        if (sw__llb_draft_text(d, "local.differ", differs[in->differ]) &&
            in->differ_required)
                d->caps |= CAP(LOCAL_DIFFER);
        if (sw__llb_draft_flag(d, "local.metadatatransfer", in->metadata_only)) {
                draft_list(d, "local.metadatatransferexclude", in->metadata_exceptions);
                d->caps |= CAP(LOCAL_METADATA);
        }
}

sw_err *
sw_llb_local(const char *name, const struct sw_llb_local *local,
             const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(draft) d = { 0 };
        struct sw_llb_local in;
        sw_err *err = sw__llb_take_options("local directory", &in, sizeof(in), local);

        if (!err && !*name)
                err = sw_err_new(SW_E_INVALID, "the name of a local directory is empty");
        if (!err && (unsigned) in.differ >= SW_COUNT(differs))
                err = sw_err_new(SW_E_INVALID, "local directory %s: unknown differ %d",
                                 sw__llb_shown(name).text, (int) in.differ);
        if (err)
                return err;
        local_draft(&in, &d);
        return sw__llb_draft_end(&d, sw_asprintf("local://%s", name), opts, out);
}

/* ---- the web ----------------------------------------------------------------------- */

static void
http_draft(const struct sw_llb_http *in, struct draft *d)
{
        d->caps = CAP(HTTP);
        if (sw__llb_draft_text(d, "http.checksum", in->checksum))
                d->caps |= CAP(HTTP_CHECKSUM);
        if (in->perm)
                d->caps |= CAP(HTTP_PERM);
        if (in->uid || in->gid)
                d->caps |= CAP(HTTP_UIDGID);
        if (sw__llb_draft_text(d, "http.authheadersecret", in->auth_header))
                d->caps |= CAP(HTTP_AUTH);
        if (sw__llb_draft_text(d, "http.header.accept", in->accept))
                d->caps |= CAP(HTTP_HEADER);
        if (sw__llb_draft_text(d, "http.header.user-agent", in->user_agent))
                d->caps |= CAP(HTTP_HEADER);
        if (sw__llb_draft_text(d, "http.sig.pubkey", in->sig_pubkey))
                d->caps |= CAP(HTTP_SIGNATURE);
        if (sw__llb_draft_text(d, "http.sig.signature", in->signature))
                d->caps |= CAP(HTTP_SIGNATURE);
}

sw_err *
sw_llb_http(const char *url, const struct sw_llb_http *http, const struct sw_llb_opts *opts,
            sw_state **out)
{
        sw_auto(draft) d = { 0 };
        struct sw_llb_http in;
        sw_digest digest;
        sw_err *err = sw__llb_take_options("http", &in, sizeof(in), http);

        if (!err && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
                err = sw_err_new(SW_E_INVALID,
                                 "%s is no URL that begins with http:// or https://",
                                 sw__llb_shown(url).text);
        if (!err && in.checksum)
                err = sw_err_wrap(sw_digest_parse(in.checksum, SIZE_MAX, &digest),
                                  "checksum of %s", sw__llb_shown(url).text);
        if (!err)
                err = add_file_attrs(&d, url, in.filename, in.perm, in.uid, in.gid);
        if (err)
                return err;
        http_draft(&in, &d);
        return sw__llb_draft_end(&d, sw_strdup(url), opts, out);
}
