/*
 * lib/http/tls.h - trust, and what is shown to servers, from PEM files.
 *
 * Errors: SW_E_CONFIG, naming the file. Thread: any.
 */
#ifndef SLIPWAY_LIB_HTTP_TLS_H
#define SLIPWAY_LIB_HTTP_TLS_H

#include "lib/http/http.h"

void sw__tls_init(struct sw__tls *t);
void sw__tls_release(struct sw__tls *t);

/** sw__tls_read_certs - add the certificates of a file to @to. */
SW_NODISCARD sw_err *sw__tls_read_certs(const char *path, sw_buf *to);
/** sw__tls_read_pair - the one certificate that is shown, and its key. */
SW_NODISCARD sw_err *sw__tls_read_pair(struct sw__tls *t, const char *cert,
                                       const char *key);
/** sw__tls_read_dir - *.crt are trusted, NAME.cert and NAME.key are shown. */
SW_NODISCARD sw_err *sw__tls_read_dir(struct sw__tls *t, const char *dir);
/** sw__tls_add_system - with certificates of our own curl leaves the system's out: put them
 *  in front. */
void sw__tls_add_system(struct sw__tls *t);

#endif
