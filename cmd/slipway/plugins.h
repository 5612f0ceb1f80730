/*
 * cmd/slipway/plugins.h - what the verbs about plugins share. Thread: main.
 */
#ifndef SLIPWAY_CMD_PLUGINS_H
#define SLIPWAY_CMD_PLUGINS_H

#include <slipway/host.h>
#include <slipway/log.h>

#include "cmd/slipway/cli.h"
#include "cmd/slipway/program.h"

/* A host and what it borrows, released together. */
typedef struct plugins {
        sw_config *config;
        sw_log *log;
        sw_host *host;
} plugins;
#define PLUGINS_INIT                                                                       \
        {                                                                                  \
                NULL, NULL, NULL                                                           \
        }

/** plugins_host - a host with the directories of the flags and the environment; nothing is
 *  loaded. @config, @log: borrowed until sw_host_free. */
SW_NODISCARD sw_err *plugins_host(const struct cli_call *call, const sw_config *config,
                                  sw_log *log, sw_host **out);
/**
 * plugins_open - a host with configuration, nothing loaded yet. It logs only when the
 * command line asks for a log: reasons are printed by the verbs themselves.
 * Errors: as setup_config() and plugins_host().
 */
SW_NODISCARD sw_err *plugins_open(plugins *p, const struct cli_call *call);
void plugins_release(plugins *p);
SW_DEFINE_AUTO(plugins, plugins_release)

/** plugin_id - "exporter/image"; from malloc. */
char *plugin_id(unsigned kind, const char *name);
/** plugin_abi - "1.0", or "" when it is not known; from malloc. */
char *plugin_abi(const struct sw_plugin_info *info);
/** plugin_json - the object that `plugins --json` prints. */
sw_json *plugin_json(const struct sw_plugin_info *info);
/** plugin_descriptor - the descriptor if its fields may be read: not when it is of
 *  another ABI or was found to be wrong. Or NULL. */
const struct sw_plugin *plugin_descriptor(const struct sw_plugin_info *info);

#endif
