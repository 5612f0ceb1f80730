/* lib/dockerfile/config_priv.h - what the files of config.h share. */
#ifndef SLIPWAY_LIB_DOCKERFILE_CONFIG_PRIV_H
#define SLIPWAY_LIB_DOCKERFILE_CONFIG_PRIV_H

#include "lib/dockerfile/config.h"
#include "lib/dockerfile/keep.h"

enum { SW_DF_PLATFORMS_MAX = 100 };

/* Options that are gone, and what clients ask that the frontend be able to do. */
SW_NODISCARD sw_err *sw_df_config_check_removed(const sw_df_config *c);
/* "attest:TYPE". */
SW_NODISCARD sw_err *sw_df_config_check_attests(const sw_df_config *c);

#endif
