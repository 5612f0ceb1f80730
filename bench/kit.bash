# shellcheck shell=bash disable=SC2034
# bench/kit.bash - what the measurements share; sourced, not run.
#
#      $work              a folder of this run; BENCH_DIR says where it is made
#      $runs              how often what is slow is run (BENCH_RUNS)
#      "$aside" WHAT...   put away what is in $work under these names; then there is an empty out
#      fastest, median    milliseconds of a command
#      calc, row, compare figures
#      llb, build, once   slipway and what it builds
#      many_files, packable_files, command_bundle   what it works on
#
# Shown is the fastest run, the one that was disturbed least.
#
# What a run leaves is put aside and removed at the end of all: an ext4 without a journal does
# not use inodes again that were freed within the last minutes, and looks at every one of them
# for each file that is made, so that whoever runs after a large rm -rf takes ten times as long.
# For the same reason such a disk should have been left alone for a while before this is run.
set -euo pipefail
if [ -z "${top_srcdir:-}" ] || [ -z "${top_builddir:-}" ]; then
        echo "${0##*/}: top_srcdir and top_builddir are not set: run ./dev bench ${0##*/}" >&2
        exit 2
fi
work=$(mktemp -d -p "${BENCH_DIR:-/tmp}" slipway-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
runs=${BENCH_RUNS:-5}
kit_shell=-N # of hyperfine; commands that need one: --shell=bash
kit_wrap=()  # COMMAND...: around hyperfine

mkdir "$work/aside"
aside=$work/put-aside
cat >"$aside" <<'END'
#!/bin/sh
cd "$(dirname "$0")" || exit 1
for what; do
        [ ! -e "$what" ] || mv "$what" "$(mktemp -u -p aside)" || exit 1
done
mkdir -p out
sync
END
chmod +x "$aside"

kit_time() { # WHICH PREPARE COMMAND RUNS [WARM-UP]
        rm -f "$work/time.json"
        "${kit_wrap[@]}" hyperfine "$kit_shell" -w "${5:-0}" -r "$4" --prepare "$2" --export-json "$work/time.json" "$3" >"$work/log" 2>&1 ||
                { echo "bench: $3 failed" >&2; cat "$work/log" >&2; exit 1; }
        jq ".results[0].$1 * 1000" "$work/time.json"
}
fastest() { kit_time min "$1" "$2" "${3:-$runs}"; } # PREPARE COMMAND [RUNS]: PREPARE runs before each
median() { kit_time median true "$1" "$2" 20; }     # COMMAND RUNS

calc() { awk "BEGIN { printf \"${2:-%.2f}\", $1 }"; } # EXPRESSION [FORMAT]
row() { printf '%-38s | %11s | %13s | %s\n' "$@"; }
compare() { # WHAT BUDGET OURS THEIRS-NAME THEIRS
        row "$1" "$(calc "$3" %.0f) ms" "$2" "$(calc "$3 / $5") x $4 ($(calc "$5" %.0f) ms)"
}

llb() { "$top_builddir/tests/tools/llb" >"$work/$1"; }
# Words of a command line, for $( ) without quotes; root=NAME: another root than "root".
build() { printf 'slipway --root %s build --progress quiet %s' "$work/${root:-root}" "$*"; }
once() { "$@"; }

many_files() { # DIR N: of 5 kB on average
        python3 - "$@" <<'END'
import os, random, sys
top, n = sys.argv[1], int(sys.argv[2])
rnd = random.Random(1)
for i in range(n):
    d = f"{top}/d{i % 50}/e{i // 50 % 20}"
    if i < 1000:
        os.makedirs(d, exist_ok=True)
    with open(f"{d}/f{i}", "wb") as f:
        f.write(rnd.randbytes(rnd.randrange(0, 10000)))
END
}
packable_files() { # DIR: 120 MB, of which about half is left when they are packed
        python3 - "$@" <<'END'
import os, random, sys
rnd = random.Random(2)
words = [bytes(rnd.choices(b"abcdefghijklmnopqrstuvwxyz_", k=rnd.randrange(2, 12))) for _ in range(400)]
sizes = [rnd.randrange(1000, 60000) for _ in range(3000)] + [3000000] * 10
for i, n in enumerate(sizes):
    d = f"{sys.argv[1]}/d{i % 30}"
    os.makedirs(d, exist_ok=True)
    with open(f"{d}/f{i}", "wb") as f:
        f.write(rnd.randbytes(n // 8) + b" ".join(rnd.choices(words, k=n // 6))[:n * 7 // 8])
END
}

# crun refuses a host where both versions of cgroups are mounted; slipway hides one, and so here.
own_mounts() { # COMMAND...
        unshare -m sh -c '[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified; exec "$@"' sh "$@"
}
# A bundle with busybox, $work/bundle, that runs ARGS (JSON); sets $runtime and $runtime_ms. Fails
# where commands cannot be run. It is as `crun spec` makes it, but for a network of its own, which
# steps have not either: making one takes 0.7 ms.
command_bundle() { # ARGS
        local busybox name
        [ "$(id -u)" = 0 ] && runtime=$(command -v crun || command -v runc) && busybox=$(command -v busybox) || return
        mkdir -p "$work/bundle/rootfs"/{bin,proc,dev,sys,tmp,etc}
        cp "$busybox" "$work/bundle/rootfs/bin/busybox"
        for name in true sh; do ln -s busybox "$work/bundle/rootfs/bin/$name"; done
        (cd "$work/bundle" && "$runtime" spec && jq ".process.args = $1 | .process.terminal = false
                | .linux.namespaces |= map(select(.type != \"network\"))
                | .root.readonly = false" config.json >c && mv c config.json) || exit 1
        kit_wrap=(own_mounts)
        runtime_ms=$(fastest true "$runtime run --bundle $work/bundle slipway-bench-$$" 30) || exit 1
        kit_wrap=()
}
# The same with what slipway tells the runtime (seccomp, files of the box), as it is told when
# BUILD runs one step on that tree; sets $own_ms.
own_bundle() { # BUILD...
        local wrap=$work/wrap/${runtime##*/} root
        mkdir "$work/wrap" "$work/own"
        cat >"$wrap" <<END
#!/bin/sh
last=
for arg; do
        [ "\$last" != --bundle ] || cp "\$arg/config.json" "$work/own/told"
        last=\$arg
done
exec $runtime "\$@"
END
        chmod +x "$wrap"
        PATH=$work/wrap:$PATH "$@" || exit 1
        root=$(jq -r .root.path "$work/own/told")
        cp -a "$work/bundle/rootfs" "$work/own/$(basename "$root")"
        touch "$work/own/hosts" "$work/own/resolv.conf"
        sed "s#\"$(dirname "$root")/#\"$work/own/#g" "$work/own/told" | jq 'del(.linux.cgroupsPath)' >"$work/own/config.json"
        kit_wrap=(own_mounts)
        own_ms=$(fastest true "$runtime run --bundle $work/own slipway-bench-$$" 30) || exit 1
        kit_wrap=()
}
