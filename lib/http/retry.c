/*
 * lib/http/retry.c - whether, and after which time, to try again.
 */
#include <sys/random.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/http/curl.h"
#include "lib/http/retry.h"

bool
sw__is_passing(long status)
{
        return status == 408 || status == 429 || status == 500 || status == 502 ||
               status == 503 || status == 504;
}

int64_t
sw__retry_after(const struct sw__http_answer *a)
{
        const char *s = sw__http_header(a, "retry-after", 0);
        int64_t seconds = -1;

        if (!s || a->fault != SW__FAULT_NONE)
                return -1;
        sw_err *err = sw_parse_int(s, 0, INT32_MAX, &seconds);
        if (!err)
                return seconds;
        sw_err_drop(err, "then it is a date");
        time_t when = curl_getdate(s, NULL);
        if (when < 0)
                return -1;
        int64_t left = (int64_t) when - sw_time_now() / SW_NS_PER_SEC;
        return left > 0 ? left : 0;
}

int64_t
sw__backoff(int64_t first_ns, int tries)
{
        int64_t half = (first_ns << (tries - 1)) / 2;
        uint32_t r = 0;

        if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
                r = (uint32_t) sw_time_mono();
        return half + (int64_t) ((double) r / UINT32_MAX * (double) half);
}

const char *
sw__status_name(long status)
{
        switch (status) {
        case 400: return "400 Bad Request";
        case 401: return "401 Unauthorized";
        case 403: return "403 Forbidden";
        case 404: return "404 Not Found";
        case 405: return "405 Method Not Allowed";
        case 413: return "413 Content Too Large";
        case 416: return "416 Range Not Satisfiable";
        case 429: return "429 Too Many Requests";
        case 500: return "500 Internal Server Error";
        case 502: return "502 Bad Gateway";
        case 503: return "503 Service Unavailable";
        case 504: return "504 Gateway Timeout";
        default: return NULL;
        }
}
