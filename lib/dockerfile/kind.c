/* lib/dockerfile/kind.c - the names of instructions. Pure. */
#include <strings.h>
#include <string.h>

#include "lib/dockerfile/parse.h"

static const char *const names[SW_DF_KINDS] = {
        [SW_DF_ADD] = "ADD",
        [SW_DF_ARG] = "ARG",
        [SW_DF_CMD] = "CMD",
        [SW_DF_COPY] = "COPY",
        [SW_DF_ENTRYPOINT] = "ENTRYPOINT",
        [SW_DF_ENV] = "ENV",
        [SW_DF_EXPOSE] = "EXPOSE",
        [SW_DF_FROM] = "FROM",
        [SW_DF_HEALTHCHECK] = "HEALTHCHECK",
        [SW_DF_LABEL] = "LABEL",
        [SW_DF_MAINTAINER] = "MAINTAINER",
        [SW_DF_ONBUILD] = "ONBUILD",
        [SW_DF_RUN] = "RUN",
        [SW_DF_SHELL] = "SHELL",
        [SW_DF_STOPSIGNAL] = "STOPSIGNAL",
        [SW_DF_USER] = "USER",
        [SW_DF_VOLUME] = "VOLUME",
        [SW_DF_WORKDIR] = "WORKDIR",
};

const char *
sw_df_kind_name(enum sw_df_kind kind)
{
        return names[kind];
}

enum sw_df_kind
sw_df_kind_of(const char *name, size_t len)
{
        for (int k = SW_DF_UNKNOWN + 1; k < SW_DF_KINDS; k++)
                if (strlen(names[k]) == len && strncasecmp(names[k], name, len) == 0)
                        return (enum sw_df_kind) k;
        return SW_DF_UNKNOWN;
}
