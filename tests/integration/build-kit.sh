# build-kit.sh - what the scripts that build share; sourced after tap.sh, which gave $dir.
#
#      kit_root DIR       a root file system that commands can run in: busybox and links to it
#      kit_llb FILE       a definition from standard input (tests/tools/llb.c)
#      kit_build ...      slipway build on the root directory of this test, no progress
#      kit_background ... the same, not waited for
#      kit_apart          containers get a run directory and a cgroup of this test's own
#      kit_nothing_left   no mount of this test is in our namespace
#      kit_run BUNDLE [COMMAND [ARGUMENT...]]   a command, or that of the image, in what umoci
#                         unpacked: by crun and not by slipway
#      kit_signal PID SIGNAL   to what the kit_run that is in the background as PID runs
#      kit_clean          what has to be so when no slipway runs: see there
# shellcheck shell=bash disable=SC2154
export SLIPWAY_ROOT=${dir:?}/store SLIPWAY_PLUGIN_PATH=$top_builddir/plugins/.libs
kit_cgroup=slipway-test-$$
kit_config=()

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
kit_build() { "$SLIPWAY" "${kit_config[@]}" build --progress quiet "$@"; }
kit_background() { # the same; $! is slipway itself, not a shell around it
        (exec "$SLIPWAY" "${kit_config[@]}" build --progress quiet "$@") &
}

kit_apart() {
        printf 'plugins:\n  executor/runc:\n    run-dir: %s\n    cgroup-parent: %s\n' "$dir/run" "/$kit_cgroup" >"$dir/config.yaml"
        kit_config=(--config "$dir/config.yaml")
}

# crun refuses cgroups of version 2 beside those of version 1: out of sight with them.
kit_crun() {
        # shellcheck disable=SC2016
        unshare -m sh -c 'mountpoint -q /sys/fs/cgroup && [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] &&
                umount -l $(awk "\$3 == \"cgroup2\" { print \$2 }" /proc/mounts)
                exec crun --cgroup-manager=disabled "$@"' sh --root "$dir/crun" "$@" </dev/null
}

kit_run() {
        python3 - "$1/config.json" "${@:2}" <<'END' || return 1
import json, sys
c = json.load(open(sys.argv[1]))
c["process"]["terminal"] = False
if sys.argv[2:]:
    c["process"]["args"] = sys.argv[2:]
c["linux"].pop("resources", None)
c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] in ("pid", "mount", "ipc", "uts")]
c["mounts"] = [m for m in c["mounts"] if m["destination"] == "/proc"]
json.dump(c, open(sys.argv[1], "w"))
END
        mkdir -p "$1"/rootfs/{proc,dev} # crun makes neither
        kit_crun run --bundle "$1" "slipway-test-$BASHPID"
}
kit_signal() { kit_crun kill "slipway-test-$1" "$2"; }

kit_end() { # the cgroup that kit_apart named
        find /sys/fs/cgroup -depth -type d -path "*/$kit_cgroup*" -exec rmdir {} + 2>/dev/null
}

# Nothing of this test is mounted in our namespace.
kit_nothing_left() { ! grep -F "$SLIPWAY_ROOT" /proc/self/mountinfo; }

# What slipway says is stored is what du(1) says of the whole root, to the byte.
kit_usage_is_right() {
        local said real
        said=$("$SLIPWAY" du --format '{{json .}}' | python3 -c 'import json, sys
print(sum(r["size"] for r in json.load(sys.stdin)))') || return 1
        real=$(du -s --block-size=1 "$SLIPWAY_ROOT" | cut -f1)
        [ "$said" = "$real" ] && return 0
        echo "slipway du: $said, du: $real"
        "$SLIPWAY" du | tail -n 12
        (cd "$SLIPWAY_ROOT" && du -B1 --max-depth 3 | grep -v /c/)
        return 1
}

# No mount of this test in any namespace, no container, cgroup or lease, no temporary file,
# no process whose environment or arguments have $1.
kit_clean() {
        local left pid
        echo "$1" >"$dir/pattern" # not an argument of grep, which would find itself
        left=$(grep -lF -e "$SLIPWAY_ROOT/" -e "$dir/run/" /proc/[0-9]*/mountinfo 2>/dev/null
                grep -lszf "$dir/pattern" /proc/[0-9]*/environ /proc/[0-9]*/cmdline
                find "$dir/run/exec" "$dir/run/box" "$SLIPWAY_ROOT"/{leases,running,content/ingest,snapshots/*/t} -mindepth 1 2>/dev/null
                find /sys/fs/cgroup -type d -path "*/$kit_cgroup/slipway/*" 2>/dev/null
                find "$dir" -path "$dir/rootfs" -prune -o -name '.slipway-*' -print)
        [ -z "$left" ] && return 0
        printf 'left: %s\n' $left
        for pid in $(sed -n 's|^/proc/\([0-9]*\)/.*|\1|p' <<<"$left" | sort -u); do
                ps -o pid,ppid,stat,wchan,args "$pid"
        done
        return 1
}
