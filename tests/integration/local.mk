# Tests of whole programs, as scripts that print TAP.
EXTRA_DIST += tests/integration/tap.sh tests/integration/build-kit.sh tests/integration/registry-kit.sh tests/integration/standin-kit.sh tests/integration/terminal.py tests/integration/story.py
dist_check_SCRIPTS += \
	tests/integration/contenthash.py \
	tests/integration/again.sh \
	tests/integration/build.sh \
	tests/integration/build-dockerfile.sh \
	tests/integration/dockerfile.sh \
	tests/integration/build-flags.sh \
	tests/integration/cache-vectors.sh \
	tests/integration/cli.sh \
	tests/integration/docker-image.sh \
	tests/integration/fulldisk.sh \
	tests/integration/hello.sh \
	tests/integration/kill9.sh \
	tests/integration/exec.sh \
	tests/integration/git.sh \
	tests/integration/history.sh \
	tests/integration/images.sh \
	tests/integration/lazykill.sh \
	tests/integration/export-oci.sh \
	tests/integration/layer.sh \
	tests/integration/load.sh \
	tests/integration/local.sh \
	tests/integration/llb-vectors.sh \
	tests/integration/oci-layout.sh \
	tests/integration/ops.sh \
	tests/integration/mergediff.py \
	tests/integration/memory.sh \
	tests/integration/native.sh \
	tests/integration/new-plugin.sh \
	tests/integration/out-of-tree.sh \
	tests/integration/plugins-json.sh \
	tests/integration/projects.sh \
	tests/integration/push.sh \
	tests/integration/redraw.py \
	tests/integration/report.sh \
	tests/integration/told.sh \
	tests/integration/tmux.py \
	tests/integration/roots.sh \
	tests/integration/run.sh \
	tests/integration/ssh.sh \
	tests/integration/stack.sh \
	tests/integration/stress.sh \
	tests/integration/snapshotters.sh

# What projects.sh fetched.
CLEANFILES += tests/integration/busybox-arm64

# The registry client, by tests/tools/regtool; downloads.
network_scripts = tests/integration/registry-auth.sh tests/integration/registry-pull.sh \
	tests/integration/registry-push.sh tests/integration/http.sh
if HAVE_CURL
dist_check_SCRIPTS += $(network_scripts)
else
EXTRA_DIST += $(network_scripts)
endif

# Installing relinks modules where they are, so nothing else may load them meanwhile.
install_test_log = tests/integration/out-of-tree.log
$(filter-out $(install_test_log),$(TEST_LOGS)): | $(filter $(install_test_log),$(TEST_LOGS))
