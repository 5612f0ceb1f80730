/* cmd/slipway/client.c - see client.h. */
#include "cmd/slipway/client.h"

#include <slipway/text.h>

/* Whatever is wrong with the value of a flag is a wrong command line. */
static sw_err *
wrong_usage(sw_err *err, const char *flag, const char *value)
{
        sw_err *wrong;

        if (!err)
                return SW_OK;
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
