# dev.d/demo-llb.sh TOP - a C program from LLB: a root file system with a compiler is made with
# shellcheck shell=bash
# debootstrap (once, in build/demo), the program is built in it by slipway, and run.
#
# Packages come from where this machine's own come from: the first main archive that apt
# lists, or $SLIPWAY_DEMO_MIRROR.
set -euo pipefail
top=$1 work=$1/build/demo
say() { printf '== %s\n' "$*"; }

[ "$(id -u)" = 0 ] || { echo "demo: making a root file system needs root: sudo ./dev demo" >&2; exit 1; }

mirror=${SLIPWAY_DEMO_MIRROR:-}
if [ -z "$mirror" ]; then
        # "http://HOST/debian bookworm/main amd64 Packages": the archive, its release
        read -r mirror suite < <(apt-cache policy |
                awk '$2 ~ /^(http|https|file|mirror)[^ ]*:/ && $3 ~ "/main$" && $3 !~ /-(updates|security|backports)/ && $2 !~ /security/ {
                        sub("/main$", "", $3); print $2, $3; exit }') || true
fi
[ -n "$mirror" ] || { echo "demo: apt knows no archive; run apt-get update, or set SLIPWAY_DEMO_MIRROR=URL" >&2; exit 1; }
suite=${SLIPWAY_DEMO_SUITE:-${suite:-bookworm}}

mkdir -p "$work"
if [ ! -e "$work/toolchain.done" ]; then
        say "a root with a compiler: debootstrap, release $suite (once)"
        rm -rf "$work/toolchain"
        # Packages are unpacked, not configured: a compiler needs no more, and so it works
        # where chroots may not mount.
        debootstrap --variant=minbase --foreign --include=gcc,libc6-dev "$suite" "$work/toolchain" "$mirror" \
                >"$work/debootstrap.log" 2>&1 || { tail "$work/debootstrap.log" >&2; exit 1; }
        for deb in "$work"/toolchain/var/cache/apt/archives/*.deb; do
                dpkg-deb --fsys-tarfile "$deb" |
                        tar -x -C "$work/toolchain" --no-same-owner --keep-directory-symlink
        done
        rm -rf "$work"/toolchain/{debootstrap,var/cache/apt/archives,var/lib/apt/lists}
        if [ -L "$work/toolchain/proc" ]; then rm "$work/toolchain/proc"; mkdir "$work/toolchain/proc"; fi
        ln -sf gcc "$work/toolchain/usr/bin/cc"
        touch "$work/toolchain.done"
fi

say "a program that says how: examples/llb-c-program"
"${CC:-cc}" -std=gnu11 -O2 -I"$top/core/include" "$top/examples/llb-c-program/main.c" -o "$work/llb-c-program" \
        -L"$top/build/.libs" -lslipway -ljansson -Wl,-rpath,"$top/build/.libs"
"$work/llb-c-program" >"$work/definition"

export SLIPWAY_PLUGIN_PATH=$top/build/plugins/.libs
build() {
        "$top/build/cmd/slipway/slipway" --root "$work/store" build --llb "$work/definition" \
                --local "toolchain=$work/toolchain" --local "src=$work/src" --output "type=local,dest=$work/out" "$@"
}
rm -rf "$work/src"
cp -R "$top/examples/llb-c-program/src" "$work/src"
say "slipway build"
build
say "what came out of it"
"$work/out/hello"
say "again: nothing changed"
build --progress quiet --explain
echo "#define GREETING \"hello again, $(date +%H:%M:%S)\"" >"$work/src/greeting.h"
say "again: src/greeting.h changed"
build --progress quiet --explain
"$work/out/hello"
