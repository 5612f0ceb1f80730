/*
 * lib/http/curl.h - libcurl, opened when it is first called.
 *
 * It brings three dozen libraries with it, and loading those takes longer than a cached
 * build that asks nobody for anything. So nothing is linked with it: its functions are
 * found by name, once for the process. They are called by curl's own names; include this
 * file instead of <curl/curl.h>, and add to the list what is not in it yet.
 *
 * Where it cannot be opened sw__curl_open() says why, and the functions that make things
 * (curl_url, curl_easy_init, curl_multi_init) return NULL.
 * Thread: any.
 */
#ifndef SLIPWAY_LIB_HTTP_CURL_H
#define SLIPWAY_LIB_HTTP_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include <slipway/error.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define SW__CURL_FUNCTIONS(X)                                                              \
        X(curl_easy_cleanup)                                                               \
        X(curl_easy_getinfo)                                                               \
        X(curl_easy_init)                                                                  \
        X(curl_easy_pause)                                                                 \
        X(curl_easy_setopt)                                                                \
        X(curl_easy_strerror)                                                              \
        X(curl_free)                                                                       \
        X(curl_getdate)                                                                    \
        X(curl_global_cleanup)                                                             \
        X(curl_global_init)                                                                \
        X(curl_multi_add_handle)                                                           \
        X(curl_multi_cleanup)                                                              \
        X(curl_multi_info_read)                                                            \
        X(curl_multi_init)                                                                 \
        X(curl_multi_perform)                                                              \
        X(curl_multi_poll)                                                                 \
        X(curl_multi_remove_handle)                                                        \
        X(curl_multi_setopt)                                                               \
        X(curl_multi_wakeup)                                                               \
        X(curl_slist_append)                                                               \
        X(curl_slist_free_all)                                                             \
        X(curl_url)                                                                        \
        X(curl_url_cleanup)                                                                \
        X(curl_url_get)                                                                    \
        X(curl_url_set)

struct sw__curl {
#define SW__CURL_MEMBER(name) __typeof__(name) *name;
        SW__CURL_FUNCTIONS(SW__CURL_MEMBER)
#undef SW__CURL_MEMBER
};

/** sw__curl - its functions; static. Opens it the first time. */
const struct sw__curl *sw__curl(void);
/** sw__curl_open - Errors: SW_E_UNSUPPORTED, with the linker's words. */
SW_NODISCARD sw_err *sw__curl_open(void);

#ifndef SW__CURL_TABLE
#define curl_easy_cleanup        (sw__curl()->curl_easy_cleanup)
#define curl_easy_getinfo        (sw__curl()->curl_easy_getinfo)
#define curl_easy_init           (sw__curl()->curl_easy_init)
#define curl_easy_pause          (sw__curl()->curl_easy_pause)
#define curl_easy_setopt         (sw__curl()->curl_easy_setopt)
#define curl_easy_strerror       (sw__curl()->curl_easy_strerror)
#define curl_free                (sw__curl()->curl_free)
#define curl_getdate             (sw__curl()->curl_getdate)
#define curl_global_cleanup      (sw__curl()->curl_global_cleanup)
#define curl_global_init         (sw__curl()->curl_global_init)
#define curl_multi_add_handle    (sw__curl()->curl_multi_add_handle)
#define curl_multi_cleanup       (sw__curl()->curl_multi_cleanup)
#define curl_multi_info_read     (sw__curl()->curl_multi_info_read)
#define curl_multi_init          (sw__curl()->curl_multi_init)
#define curl_multi_perform       (sw__curl()->curl_multi_perform)
#define curl_multi_poll          (sw__curl()->curl_multi_poll)
#define curl_multi_remove_handle (sw__curl()->curl_multi_remove_handle)
#define curl_multi_setopt        (sw__curl()->curl_multi_setopt)
#define curl_multi_wakeup        (sw__curl()->curl_multi_wakeup)
#define curl_slist_append        (sw__curl()->curl_slist_append)
#define curl_slist_free_all      (sw__curl()->curl_slist_free_all)
#define curl_url                 (sw__curl()->curl_url)
#define curl_url_get             (sw__curl()->curl_url_get)
#define curl_url_set             (sw__curl()->curl_url_set)
/* A function of its own, to be named by SW_DEFINE_AUTOPTR. */
#define curl_url_cleanup sw__curl_url_cleanup
#endif
void sw__curl_url_cleanup(CURLU *u); /* NULL is fine */

#endif
