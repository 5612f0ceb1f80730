/*
 * lib/registry/certs.c - certificates that the configuration names, read and looked at:
 * what is wrong with a file is told with its name, before any connection is made.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <slipway/text.h>

#include "lib/registry/client.h"

#define MAX_PEM (4 * 1024 * 1024)

void
sw__tls_init(struct sw__tls *t)
{
        memset(t, 0, sizeof(*t));
        sw_buf_init(&t->ca);
        sw_buf_init(&t->cert);
        sw_buf_init(&t->key);
}

void
sw__tls_release(struct sw__tls *t)
{
        sw_buf_release(&t->ca);
        sw_buf_release(&t->cert);
        if (t->key.len > 0)
                explicit_bzero(t->key.data, t->key.len);
        sw_buf_release(&t->key);
}

static sw_err *
bad_file(sw_err *err, const char *path)
{
        sw_autoptr(sw_err) e = err;

        return sw_err_new(SW_E_CONFIG, "%s: %s", path, sw_err_message(e));
}

/* Add the certificates of a file to @to. */
static sw_err *
read_certs(const char *path, sw_buf *to)
{
        size_t before = to->len;
        sw_err *err = sw_buf_read_file(to, AT_FDCWD, path, MAX_PEM);

        if (err)
                return bad_file(err, path);
        BIO *bio = BIO_new_mem_buf(to->data + before, (int) (to->len - before));
        X509 *one = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        bool good = one != NULL;
        X509_free(one);
        BIO_free(bio);
        ERR_clear_error();
        sw_buf_addc(to, '\n'); /* a last line without an end */
        return good ? SW_OK
                    : sw_err_new(SW_E_CONFIG, "%s: no certificate (PEM) is in it", path);
}

static int
no_password(char *buf, int size, int rw, void *arg)
{
        (void) buf;
        (void) size;
        (void) rw;
        (void) arg;
        return -1;
}

/* Whether the key belongs to the certificate. */
static sw_err *
check_pair(const struct sw__tls *t, const char *cert_path, const char *key_path)
{
        BIO *cb = BIO_new_mem_buf(t->cert.data, (int) t->cert.len);
        BIO *kb = BIO_new_mem_buf(t->key.data, (int) t->key.len);
        X509 *cert = cb ? PEM_read_bio_X509(cb, NULL, NULL, NULL) : NULL;
        EVP_PKEY *key = kb ? PEM_read_bio_PrivateKey(kb, NULL, no_password, NULL) : NULL;
        sw_err *err = SW_OK;

        if (!key)
                err = sw_err_new(SW_E_CONFIG,
                                 "%s: no private key (PEM, without a "
                                 "password) is in it",
                                 key_path);
        else if (!cert || X509_check_private_key(cert, key) != 1)
                err = sw_err_new(SW_E_CONFIG, "%s is not the key of certificate %s",
                                 key_path, cert_path);
        EVP_PKEY_free(key);
        X509_free(cert);
        BIO_free(kb);
        BIO_free(cb);
        ERR_clear_error();
        return err;
}

static sw_err *
read_pair(struct sw__tls *t, const char *cert, const char *key)
{
        if (t->cert.len > 0)
                return sw_err_new(SW_E_CONFIG,
                                  "%s: there is a client certificate already, "
                                  "and only one can be shown",
                                  cert);
        sw_err *err = read_certs(cert, &t->cert);
        if (err)
                return err;
        err = sw_buf_read_file(&t->key, AT_FDCWD, key, MAX_PEM);
        return err ? bad_file(err, key) : check_pair(t, cert, key);
}

/* ---- tlsconfigdir ---- */

static sw_err *
read_entry(struct sw__tls *t, const char *dir, const char *name)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, name);

        if (sw_str_has_suffix(name, ".crt"))
                return read_certs(path, &t->ca);
        if (sw_str_has_suffix(name, ".cert")) {
                sw_auto(sw_str) key =
                        sw_asprintf("%.*s.key", (int) (strlen(path) - strlen(".cert")),
                                    path);

                return read_pair(t, path, key);
        }
        return SW_OK;
}

static sw_err *
read_dir(struct sw__tls *t, const char *dir)
{
        sw_auto(sw_strlist) names = { 0 };
        DIR *d = opendir(dir);
        sw_err *err = SW_OK;

        if (!d)
                return sw_err_sys(SW_E_CONFIG, errno, "open directory %s", dir);
        for (const struct dirent *e; (e = readdir(d));)
                sw_strlist_add(&names, e->d_name);
        (void) closedir(d);
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n && !err; i++)
                err = read_entry(t, dir, names.v[i]);
        return err;
}

/* ---- the configuration ---- */

/* With certificates of our own curl leaves the system's out: put them in front. */
static void
add_system(struct sw__tls *t)
{
        sw_auto(sw_buf) own = t->ca;
        const char *path = getenv("SSL_CERT_FILE");
        char *builtin = NULL;
        CURL *easy = curl_easy_init();

        sw_buf_init(&t->ca);
        if (easy && (!path || !*path)) {
                (void) curl_easy_getinfo(easy, CURLINFO_CAINFO, &builtin);
                path = builtin;
        }
        if (path && *path) {
                sw_err *err = sw_buf_read_file(&t->ca, AT_FDCWD, path, MAX_PEM);

                if (err)
                        sw_buf_clear(&t->ca);
                sw_err_drop(err, "a machine without public CAs has only ours");
        }
        sw_buf_addc(&t->ca, '\n');
        sw_buf_add(&t->ca, own.data, own.len);
        if (easy)
                curl_easy_cleanup(easy);
}

static const sw_strlist *
list_of(const sw_config *c, const char *name, const char *key)
{
        sw_auto(sw_str) path = sw_config_key("registry", name, key, NULL);

        return sw_config_list(c, path);
}

static sw_err *
load_pairs(const sw_config *c, const char *name, struct sw__tls *tls)
{
        sw_auto(sw_str) path = sw_config_key("registry", name, "keypair", NULL);
        sw_auto(sw_strlist) items = { 0 };
        sw_err *err = SW_OK;

        sw_config_names(c, path, &items);
        for (size_t i = 0; i < items.n && !err; i++) {
                sw_auto(sw_str) cert = sw_config_key("registry", name, "keypair",
                                                     items.v[i], "cert", NULL);
                sw_auto(sw_str) key =
                        sw_config_key("registry", name, "keypair", items.v[i], "key", NULL);

                err = read_pair(tls, sw_config_str(c, cert), sw_config_str(c, key));
        }
        return err;
}

sw_err *
sw__certs_load(const sw_config *c, const char *name, struct sw__tls *tls)
{
        const sw_strlist *ca = list_of(c, name, "ca");
        const sw_strlist *dirs = list_of(c, name, "tlsconfigdir");
        sw_err *err = SW_OK;

        for (size_t i = 0; i < ca->n && !err; i++)
                err = read_certs(ca->v[i], &tls->ca);
        if (!err)
                err = load_pairs(c, name, tls);
        for (size_t i = 0; i < dirs->n && !err; i++)
                err = read_dir(tls, dirs->v[i]);
        if (!err && tls->ca.len > 0)
                add_system(tls);
        return err;
}
