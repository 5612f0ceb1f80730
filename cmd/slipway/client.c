/* cmd/slipway/client.c - see client.h. */
#include "cmd/slipway/client.h"

#include <slipway/text.h>

/* What is wrong with the value itself is a wrong command line; what it names and is not
 * there, or cannot be read, is not. */
static sw_err *
wrong_usage(sw_err *err, const char *flag, const char *value)
{
        sw_err *wrong;

        if (sw_err_code(err) != SW_E_USAGE && sw_err_code(err) != SW_E_INVALID)
                return sw_err_wrap(err, "--%s %s", flag, value);
        wrong = sw_err_new(SW_E_USAGE, "--%s %s: %s", flag, value, sw_err_message(err));
        sw_err_drop(err, "told as a wrong command line");
        return wrong;
}

sw_err *
client_add(sw_local_session *client, const struct cli_call *call, const char *flag,
           sw_err *(*add)(sw_local_session *, const char *) )
{
        sw_auto(sw_strlist) specs = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, flag, &specs);
        for (size_t i = 0; i < specs.n && !err; i++)
                err = wrong_usage(add(client, specs.v[i]), flag, specs.v[i]);
        return err;
}
