/*
 * lib/http/tls.c - certificates from files, read and looked at: what is wrong with a file
 * is told with its name, before any connection is made.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <slipway/text.h>

#include "lib/http/curl.h"
#include "lib/http/tls.h"

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

sw_err *
sw__tls_read_certs(const char *path, sw_buf *to)
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

sw_err *
sw__tls_read_pair(struct sw__tls *t, const char *cert, const char *key)
{
        if (t->cert.len > 0)
                return sw_err_new(SW_E_CONFIG,
                                  "%s: there is a client certificate already, "
                                  "and only one can be shown",
                                  cert);
        sw_err *err = sw__tls_read_certs(cert, &t->cert);
        if (err)
                return err;
        err = sw_buf_read_file(&t->key, AT_FDCWD, key, MAX_PEM);
        return err ? bad_file(err, key) : check_pair(t, cert, key);
}

/* ---- a directory ---- */

static sw_err *
read_entry(struct sw__tls *t, const char *dir, const char *name)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, name);

        if (sw_str_has_suffix(name, ".crt"))
                return sw__tls_read_certs(path, &t->ca);
        if (sw_str_has_suffix(name, ".cert")) {
                sw_auto(sw_str) key =
                        sw_asprintf("%.*s.key", (int) (strlen(path) - strlen(".cert")),
                                    path);

                return sw__tls_read_pair(t, path, key);
        }
        return SW_OK;
}

sw_err *
sw__tls_read_dir(struct sw__tls *t, const char *dir)
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

void
sw__tls_add_system(struct sw__tls *t)
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
