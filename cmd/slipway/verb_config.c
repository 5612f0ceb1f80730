/*
 * cmd/slipway/verb_config.c - `slipway config`: groups what is done with configuration.
 * Thread: main.
 */
#include "cmd/slipway/cli.h"

CLI_VERB(config) = {
        .name = "config",
        .summary = "check a configuration file, or explain the configuration in force",
        .details = "The configuration is YAML. Its keys are those of buildkitd.toml, with "
                   "the same names and nesting; options of plugins stand below plugins. "
                   "A later origin wins over an earlier one: default, file, environment, "
                   "flag.\n",
};
