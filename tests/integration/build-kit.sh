# build-kit.sh - what the scripts that build share; sourced after tap.sh, which gave $dir.
#
#      kit_root DIR       a root file system that commands can run in: busybox and links to it
#      kit_llb FILE       a definition from standard input (tests/tools/llb.c)
#      kit_build ...      slipway build on the root directory of this test, no progress
# shellcheck shell=bash disable=SC2154
export SLIPWAY_ROOT=$dir/store SLIPWAY_PLUGIN_PATH=$top_builddir/plugins/.libs

kit_root() {
        local applet busybox
        busybox=$(command -v busybox) || { echo "# busybox is not there: install busybox-static"; return 1; }
        mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,root,var}
        cp "$busybox" "$1/bin/busybox"
        for applet in sh echo cat ls cp mv rm mkdir touch sleep true false id env head tail dd kill sha256sum \
                stat mount hostname wc grep find sort test; do
                ln -sf busybox "$1/bin/$applet"
        done
        printf 'root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000::/home/worker:/bin/sh\n' >"$1/etc/passwd"
        printf 'root:x:0:\nworker:x:1000:\nstaff:x:50:worker\n' >"$1/etc/group"
}

kit_llb() { "$top_builddir/tests/tools/llb" >"$1"; }
kit_build() { "$SLIPWAY" build --progress quiet "$@"; }

# Nothing of ours is mounted in this namespace, and no process has its files open.
kit_nothing_left() {
        ! grep -F "$SLIPWAY_ROOT" /proc/self/mountinfo
}

# What slipway says it uses is what du(1) says: all but the metadata and the leases.
kit_usage_is_right() {
        local said real
        said=$("$SLIPWAY" du --format '{{json .}}' | python3 -c 'import json, sys
print(sum(r["size"] for r in json.load(sys.stdin)))') || return 1
        real=$(du -s --block-size=1 --exclude=meta --exclude=leases --exclude=logs "$SLIPWAY_ROOT/snapshots" |
                cut -f1)
        echo "# slipway du: $said, du: $real"
        [ "$said" -le "$real" ] && [ "$((real - said))" -le "${1:-65536}" ]
}
