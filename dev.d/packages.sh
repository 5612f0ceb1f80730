# dev.d/packages.sh - every Debian package that is needed, and for what. Sourced by ./dev.
# shellcheck shell=bash disable=SC2034

# To build.
BUILD_PACKAGES=(
        autoconf automake libtool libltdl-dev pkg-config make gcc libc6-dev git
        libjansson-dev libssl-dev libyaml-dev liblmdb-dev libarchive-dev libseccomp-dev uthash-dev
        libprotobuf-c-dev protobuf-c-compiler protobuf-compiler
        libcurl4-openssl-dev libisal-dev libzstd-dev zlib1g-dev libdeflate-dev
        check
)

# To run the tests.
TEST_PACKAGES=(
        g++ python3 mandoc man-db bash-completion bsdutils busybox-static crun runc util-linux procps jq tmux
        spin acl attr bzip2 xz-utils zstd openssh-client openssh-server
        docker-registry skopeo umoci buildah apache2-utils curl openssl ca-certificates libcap2-bin valgrind
        python3-venv python3-pip nodejs mawk passwd gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
        chromium
)

# For sanitizers, fuzzing, formatting, linting, measuring.
DEV_PACKAGES=(
        clang libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck
        abigail-tools hyperfine graphviz isal
)
