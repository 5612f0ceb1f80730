/*
 * lib/http/curl.c - libcurl, opened once for the process, and its functions by their names.
 *
 * Thread: any; who comes first opens it, the others wait.
 */
#define SW__CURL_TABLE
#include "lib/http/curl.h"

#include <dlfcn.h>
#include <pthread.h>

#include <slipway/mem.h>

#define SONAME "libcurl.so.4" /* since 7.16; what <curl/curl.h> belongs to */

/* Without it: nothing is made, so nothing else is called but what takes NULL. */
static CURL *
no_easy(void)
{
        return NULL;
}

static CURLM *
no_multi(void)
{
        return NULL;
}

static CURLU *
no_url(void)
{
        return NULL;
}

static CURLcode
no_start(long flags)
{
        (void) flags;
        return CURLE_FAILED_INIT;
}

static time_t
no_date(const char *p, const time_t *unused)
{
        (void) p;
        (void) unused;
        return -1;
}

static const char *
no_words(CURLcode code)
{
        (void) code;
        return "there is no libcurl";
}

static void
free_nothing(void *p)
{
        (void) p;
}

static void
free_no_easy(CURL *p)
{
        (void) p;
}

static void
free_no_list(struct curl_slist *p)
{
        (void) p;
}

static void
free_no_url(CURLU *p)
{
        (void) p;
}

static const struct sw__curl without = {
        .curl_easy_cleanup = free_no_easy,
        .curl_easy_init = no_easy,
        .curl_easy_strerror = no_words,
        .curl_free = free_nothing,
        .curl_getdate = no_date,
        .curl_global_init = no_start,
        .curl_multi_init = no_multi,
        .curl_slist_free_all = free_no_list,
        .curl_url = no_url,
        .curl_url_cleanup = free_no_url,
};

static struct {
        pthread_once_t once;
        struct sw__curl functions;
        const struct sw__curl *use;
        char *why; /* it cannot be opened; never freed */
} curl = { .once = PTHREAD_ONCE_INIT };

static void
open_curl(void)
{
        /* Never closed: it has threads and handlers of its own. */
        void *lib = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
        bool all = lib != NULL;

#define FIND(name)                                                                         \
        if (all) {                                                                         \
                *(void **) &curl.functions.name = dlsym(lib, #name);                       \
                all = curl.functions.name != NULL;                                         \
        }
        SW__CURL_FUNCTIONS(FIND)
#undef FIND
        curl.use = all ? &curl.functions : &without;
        if (!all) {
                const char *words = dlerror();

                curl.why = sw_strdup(words ? words : SONAME " lacks a function");
        }
}

const struct sw__curl *
sw__curl(void)
{
        (void) pthread_once(&curl.once, open_curl);
        return curl.use;
}

sw_err *
sw__curl_open(void)
{
        (void) sw__curl();
        return curl.why ? sw_err_new(SW_E_UNSUPPORTED, "libcurl cannot be used: %s",
                                     curl.why)
                        : SW_OK;
}

void
sw__curl_url_cleanup(CURLU *u)
{
        if (u)
                sw__curl()->curl_url_cleanup(u);
}
