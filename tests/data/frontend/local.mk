# Definitions that BuildKit's Dockerfile frontend made, in protobuf's JSON: digests left out
# where they depend on a session, inputs as positions in the list.
EXTRA_DIST += \
	tests/data/frontend/001-basic.json \
	tests/data/frontend/002-scratch-copy.json \
	tests/data/frontend/003-multistage.json \
	tests/data/frontend/004-env-arg.json \
	tests/data/frontend/006-heredoc-run.json \
	tests/data/frontend/007-heredoc-copy.json \
	tests/data/frontend/008-run-mounts.json \
	tests/data/frontend/009-run-network-security.json \
	tests/data/frontend/011-add.json \
	tests/data/frontend/012-add-git.json \
	tests/data/frontend/013-workdir-user.json \
	tests/data/frontend/015-health-shell-etc.json \
	tests/data/frontend/016-health-none.json \
	tests/data/frontend/017-target.json \
	tests/data/frontend/019-from-stage-index.json \
	tests/data/frontend/020-copy-from-image.json \
	tests/data/frontend/021-escape-directive.json \
	tests/data/frontend/022-comments-continuation.json \
	tests/data/frontend/023-no-cache-stage.json \
	tests/data/frontend/024-labels-opts.json \
	tests/data/frontend/026-proxy-args.json \
	tests/data/frontend/027-global-arg-scope.json \
	tests/data/frontend/028-predefined.json \
	tests/data/frontend/029-named-context.json \
	tests/data/frontend/030-many-copies.json \
	tests/data/frontend/031-json-run.json \
	tests/data/frontend/032-env-in-paths.json \
	tests/data/frontend/033-run-quotes.json \
	tests/data/frontend/034-copy-link-chown.json \
	tests/data/frontend/035-arg-in-from-unused.json \
	tests/data/frontend/036-multi-targets-platforms.json \
	tests/data/frontend/037-resources.json \
	tests/data/frontend/038-add-many.json \
	tests/data/frontend/039-utf8.json \
	tests/data/frontend/040-crlf.json \
	tests/data/frontend/119-reserved-stage.json
