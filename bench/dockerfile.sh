#!/usr/bin/env bash
# slipway build of Dockerfiles, whole processes, each figure beside a tool that does the like in
# the same run: cached steps, commands, 50,000 files copied, and the memory that takes.
# The fastest run is shown. BENCH_FILES, BENCH_RUNS and BENCH_DIR, and why nothing is removed
# before the end, are as in bench/build.sh.
# shellcheck disable=SC2046,SC2086 # command lines are words here
set -euo pipefail
work=$(mktemp -d -p "${BENCH_DIR:-/tmp}" slipway-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
files=${BENCH_FILES:-50000} runs=${BENCH_RUNS:-5}
fastest() { # PREPARE COMMAND [RUNS]: milliseconds; PREPARE runs before each
        rm -f "$work/time.json"
        ${wrap:-} hyperfine -N -r "${3:-$runs}" --prepare "$1" --export-json "$work/time.json" "$2" >"$work/log" 2>&1 ||
                { echo "bench: $2 failed" >&2; cat "$work/log" >&2; exit 1; }
        jq '.results[0].min * 1000' "$work/time.json"
}
mkdir "$work/aside"
aside=$work/put-aside # WHAT...: by name below $work
cat >"$aside" <<'END'
#!/bin/sh
cd "$(dirname "$0")" || exit 1
for what; do
        [ ! -e "$what" ] || mv "$what" "$(mktemp -u -p aside)" || exit 1
done
sync
END
chmod +x "$aside"
calc() { awk "BEGIN { printf \"${2:-%.2f}\", $1 }"; }
row() { printf '%-36s | %11s | %13s | %s\n' "$@"; }
# crun refuses a host where both versions of cgroups are mounted; slipway hides one, and so here.
own_mounts() { # COMMAND...
        unshare -m sh -c '[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified; exec "$@"' sh "$@"
}
build() { printf 'slipway --root %s build --progress quiet %s' "$work/root" "$*"; }
once() { "$@"; }
peak() { # COMMAND...: the most memory it had, MB
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print("%.0f" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000))' "$@"
}
row what measured budget 'compared with'
true_ms=$(fastest true true 200)

# ---- Steps
if [ "$(id -u)" = 0 ] && runtime=$(command -v crun || command -v runc) && busybox=$(command -v busybox); then
        mkdir -p "$work/bundle/rootfs"/{bin,proc,dev,sys,tmp,etc} "$work/context"
        cp "$busybox" "$work/bundle/rootfs/bin/busybox"
        for name in true sh; do ln -s busybox "$work/bundle/rootfs/bin/$name"; done
        (cd "$work/bundle" && "$runtime" spec && jq '.process.args = ["/bin/sh", "-c", "true"] | .process.terminal = false
                | .root.readonly = false' config.json >c && mv c config.json)
        printf 'FROM scratch\nCOPY . /\n' >"$work/base"
        once $(build -t bench-base -f "$work/base" "$work/bundle/rootfs")
        steps() { # N
                echo 'FROM bench-base'
                for i in $(seq "$1"); do echo "RUN true $i"; done
        }
        for n in 1 10 20 21; do steps $n >"$work/run$n"; done
        once $(build -f "$work/run10" "$work/context")
        ms=$(fastest true "$(build -f "$work/run10" "$work/context")" 100)
        row "slipway build ., 10 steps cached" "$(calc "$ms") ms" '10 ms' "$(calc "$ms / $true_ms" %.1f) x true ($(calc "$true_ms") ms)"
        runtime_ms=$(wrap=own_mounts fastest true "$runtime run --bundle $work/bundle slipway-bench-$$" 30)
        one=$(fastest true "$(build --no-cache -f "$work/run1" "$work/context")" 20)
        many=$(fastest true "$(build --no-cache -f "$work/run21" "$work/context")" 10)
        each=$(calc "($many - $one) / 20" %.4f)
        row '20 RUN steps, each, beyond the runtime' "$(calc "$each - $runtime_ms") ms" '3 ms' \
                "$(calc "$each") ms a step; $(basename "$runtime") run with its own config, no seccomp: $(calc "$runtime_ms") ms"
        whole=$(fastest true "$(build --no-cache -f "$work/run20" "$work/context")" 10)
        row '20 RUN steps, whole process' "$(calc "$whole" %.0f) ms" "$(calc "20 * ($runtime_ms + 3)" %.0f) ms" '20 x (the runtime + 3 ms)'
        "$aside" root
fi

# ---- A large context
python3 - "$work/tree" "$files" <<'END'
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
size=$(du -sm --apparent-size "$work/tree" | cut -f1)
printf 'FROM scratch\nCOPY . /\n' >"$work/tree/Dockerfile"
touch "$work/mark"
copy=$(build "$work/tree")
cp_ms=$(fastest "$aside copied" "cp -a $work/tree $work/copied")
cold=$(fastest "$aside root" "$copy")
row "COPY . of $files files, $size MB, cold" "$(calc "$cold" %.0f) ms" '1 x cp -a' "$(calc "$cold / $cp_ms") x cp -a ($(calc "$cp_ms" %.0f) ms)"
find_ms=$(fastest true "find $work/tree -newer $work/mark" 20)
same=$(fastest true "$copy" 20)
row 'the same, nothing changed' "$(calc "$same" %.0f) ms" '150 ms' "$(calc "$same / $find_ms") x find -newer ($(calc "$find_ms" %.0f) ms)"
# with other content each time: what came before is cached
changed=$(fastest "sh -c 'date +%N >$work/tree/d7/e3/new'" "$copy")
row 'the same, one file changed' "$(calc "$changed" %.0f) ms" '0.5 x cold' "$(calc "$changed / $cold") x cold"
"$aside" root
row 'the same, cold: peak of memory' "$(peak $copy) MB" '-' "$(peak cp -a "$work/tree" "$work/copied2") MB of cp -a"
