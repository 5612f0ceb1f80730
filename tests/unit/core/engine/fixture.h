/*
 * tests/unit/core/engine/fixture.h - an engine with a root of its own and the plugins of
 * the build; included by one test program each.
 */
#ifndef TESTS_UNIT_CORE_ENGINE_FIXTURE_H
#define TESTS_UNIT_CORE_ENGINE_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <slipway/engine.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "tests/unit/unit.h"

static char root[] = "/tmp/slipway-engine-XXXXXX";
static sw_host *host;
static sw_engine *engine;

static SW_UNUSED void
before(void)
{
        const char *build = getenv("top_builddir");
        sw_auto(sw_str) dir = sw_asprintf("%s/plugins/.libs", build ? build : ".");
        const char *dirs[] = { dir, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };

        ck_assert(mkdtemp(root));
        ok(sw_host_new(&opts, &host));
        ok(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root), &engine));
}

static SW_UNUSED void
after(void)
{
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        sw_engine_close(engine);
        sw_host_free(host);
        ok(sw_path_remove(tmp, root + 5));
        close(tmp);
}

#endif
