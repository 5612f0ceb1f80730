# Definitions made by BuildKit's Go client; .jsonl as debug dump-llb prints them.
EXTRA_DIST += \
	tests/data/llb/01-image-run.jsonl \
	tests/data/llb/01-image-run.llb \
	tests/data/llb/02-env-dir-user.jsonl \
	tests/data/llb/02-env-dir-user.llb \
	tests/data/llb/03-mounts.jsonl \
	tests/data/llb/03-mounts.llb \
	tests/data/llb/04-file-chain.jsonl \
	tests/data/llb/04-file-chain.llb \
	tests/data/llb/05-copy.jsonl \
	tests/data/llb/05-copy.llb \
	tests/data/llb/07-local-opts.jsonl \
	tests/data/llb/07-local-opts.llb \
	tests/data/llb/08-git.jsonl \
	tests/data/llb/08-git.llb \
	tests/data/llb/10-oci-layout.jsonl \
	tests/data/llb/10-oci-layout.llb \
	tests/data/llb/11-network-security.jsonl \
	tests/data/llb/11-network-security.llb \
	tests/data/llb/12-platform.jsonl \
	tests/data/llb/12-platform.llb \
	tests/data/llb/13-ulimit-proxy.jsonl \
	tests/data/llb/13-ulimit-proxy.llb \
	tests/data/llb/15-diamond.jsonl \
	tests/data/llb/15-diamond.llb
