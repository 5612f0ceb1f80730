#!/bin/sh
# compiler.sh [--install] - the name of the compiler for $TARGETARCH; Debian's is installed where
# there is none.
set -eu
case $TARGETARCH in
"$BUILDARCH") name=gcc package= ;;
amd64) name=x86_64-linux-gnu-gcc package=gcc-x86-64-linux-gnu ;;
arm64) name=aarch64-linux-gnu-gcc package=gcc-aarch64-linux-gnu ;;
*) echo "no compiler for $TARGETPLATFORM is known here" >&2; exit 1 ;;
esac
if [ "${1:-}" = --install ] && ! command -v "$name" >/dev/null; then
        apt-get update
        apt-get install -y --no-install-recommends "$package" "libc6-dev-$TARGETARCH-cross"
        rm -rf /var/lib/apt/lists
fi
command -v "$name"
