#!/usr/bin/env bash
# slipway build, whole processes, each figure beside a tool that does the like in the same run:
# cached definitions, a command, 50,000 files copied, hundreds of copies into one tree, export.
#
# Shown is the fastest run, the one that was disturbed least. BENCH_FILES makes the tree
# smaller, BENCH_RUNS sets the number of slow runs, BENCH_DIR says where.
#
# What a run leaves is put aside and removed at the end of all: an ext4 without a journal does
# not use inodes again that were freed within the last minutes, and looks at every one of them
# for each file that is made, so that whoever runs after a large rm -rf takes ten times as long.
# For the same reason such a disk should have been left alone for a while before this is run.
# shellcheck disable=SC2046,SC2086 # command lines are words here
set -euo pipefail
work=$(mktemp -d -p "${BENCH_DIR:-/tmp}" slipway-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
files=${BENCH_FILES:-50000} runs=${BENCH_RUNS:-5}
llb() { "$top_builddir/tests/tools/llb" >"$work/$1"; }
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
row what measured budget 'compared with'

# ---- Fully cached
chain() { # N: steps, each over the one before it
        echo "s0 = scratch"
        for i in $(seq "$1"); do echo "s$i = mkfile s$((i - 1)) /f$i 0644 text$i"; done
        echo "output s$1"
}
true_ms=$(fastest true true 200)
for n in 10 100; do
        chain "$n" | llb "chain$n"
        once $(build --llb "$work/chain$n")
        ms=$(fastest true "$(build --llb "$work/chain$n")" 100)
        row "cached, $n steps, whole process" "$(calc "$ms") ms" '10 ms' \
                "$(calc "$ms / $true_ms" %.1f) x true ($(calc "$true_ms") ms)"
done

# ---- A command, beyond what the runtime takes
if [ "$(id -u)" = 0 ] && runtime=$(command -v crun || command -v runc) && busybox=$(command -v busybox); then
        mkdir -p "$work/bundle/rootfs"/{bin,proc,dev,sys,tmp,etc}
        cp "$busybox" "$work/bundle/rootfs/bin/busybox"
        ln -s busybox "$work/bundle/rootfs/bin/true"
        (cd "$work/bundle" && "$runtime" spec && jq '.process.args = ["/bin/true"] | .process.terminal = false
                | .root.readonly = false' config.json >c && mv c config.json)
        commands() { # N: one after the other
                echo "l = local root"
                echo "c0 = copy scratch0 l / / contents"
                for i in $(seq "$1"); do echo "c$i = run c$((i - 1)) env=N=$i -- /bin/true"; done
                echo "output c$1"
        }
        for n in 1 21; do { echo "scratch0 = scratch"; commands $n; } | llb "run$n"; done
        runtime_ms=$(wrap=own_mounts fastest true "$runtime run --bundle $work/bundle slipway-bench-$$" 30)
        once $(build --local "root=$work/bundle/rootfs" --llb "$work/run1")
        one=$(fastest true "$(build --no-cache --local "root=$work/bundle/rootfs" --llb "$work/run1")" 20)
        many=$(fastest true "$(build --no-cache --local "root=$work/bundle/rootfs" --llb "$work/run21")" 10)
        each=$(calc "($many - $one) / 20" %.4f)
        row 'RUN true, beyond the runtime' "$(calc "$each - $runtime_ms") ms" '3 ms' \
                "$(calc "$each") ms a step; $(basename "$runtime") run with its own config, no seccomp: $(calc "$runtime_ms") ms"
        "$aside" root
fi

# ---- A large tree
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
llb copy <<'END'
s = scratch
l = local tree
c = copy s l / / contents
output c
END
copy=$(build --local "tree=$work/tree" --llb "$work/copy")
cp_ms=$(fastest "$aside copied" "cp -a $work/tree $work/copied")
cold=$(fastest "$aside root" "$copy")
row "COPY $files files, $size MB, cold" "$(calc "$cold" %.0f) ms" '1 x cp -a' "$(calc "$cold / $cp_ms") x cp -a ($(calc "$cp_ms" %.0f) ms)"
find_ms=$(fastest true "find $work/tree -newer $work/bundle" 20)
same=$(fastest true "$copy" 20)
row 'the same, nothing changed' "$(calc "$same" %.0f) ms" '150 ms' "$(calc "$same / $find_ms") x find -newer ($(calc "$find_ms" %.0f) ms)"
# with other content each time: what came before is cached
changed=$(fastest "sh -c 'date +%N >$work/tree/d7/e3/new'" "$copy")
row 'the same, one file changed' "$(calc "$changed" %.0f) ms" '0.5 x cold' "$(calc "$changed / $cold") x cold"
"$aside" root tree copied

# ---- Hundreds of copies into one tree
copies() { # N
        echo "s0 = scratch"
        echo "l = local small"
        for i in $(seq "$1"); do echo "s$i = copy s$((i - 1)) l /f$i /"; done
        echo "output s$1"
}
mkdir "$work/small"
for i in $(seq 2000); do echo "$i" >"$work/small/f$i"; done
small_ms=$(fastest "$aside copied" "cp -a $work/small $work/copied")
copies 500 | llb copies500
copies 2000 | llb copies2000
build500=$(build --local "small=$work/small" --llb "$work/copies500")
cold=$(fastest "$aside root" "$build500")
row '500 copies into one tree, cold' "$(calc "$cold" %.0f) ms" '600 ms' "$(calc "$cold / 500") ms a copy; cp -a of 2000 such files: $(calc "$small_ms" %.0f) ms"
same=$(fastest true "$build500" 20)
row 'the same, cached' "$(calc "$same" %.1f) ms" '40 ms' "$(calc "$same / $true_ms" %.1f) x true"
"$aside" root
many=$(fastest "$aside root" "$(build --local "small=$work/small" --llb "$work/copies2000" -o "type=local,dest=$work/out2000")" 1)
[ "$(find "$work/out2000" -type f | wc -l)" = 2000 ] || { echo "bench: 2000 copies: files are missing" >&2; exit 1; }
row '2000 copies, exported' "$(calc "$many" %.0f) ms" 'works' "$(calc "$many / 2000") ms a copy"
"$aside" root out2000 small

# ---- Export
python3 - "$work/big" <<'END'
import os, random, sys
rnd = random.Random(2)
for i in range(3000):
    d = f"{sys.argv[1]}/d{i % 30}"
    os.makedirs(d, exist_ok=True)
    with open(f"{d}/f{i}", "wb") as f:
        f.write(rnd.randbytes(rnd.randrange(1000, 79000)))
END
size=$(du -sm --apparent-size "$work/big" | cut -f1)
llb diff <<'END'
s = scratch
l = local tree
base = mkfile s /base 0644 text
c = copy base l / / contents
d = diff base c
output d
END
export=$(build --local "tree=$work/big" --llb "$work/diff" -o "type=tar,dest=$work/out.tar")
tar_ms=$(fastest "rm -f $work/tar.tar" "tar -cf $work/tar.tar -C $work/big ." 10)
once $export
export_ms=$(fastest "rm -f $work/out.tar" "$export" 10)
row "diff and tar of a layer of $size MB" "$(calc "$export_ms" %.0f) ms" '1.43 x tar -c' "$(calc "$export_ms / $tar_ms") x tar -c ($(calc "$tar_ms" %.0f) ms)"
copy_ms=$(fastest "$aside copied" "cp -a $work/big $work/copied" 5)
export=$(build --local "tree=$work/big" --llb "$work/copy" -o "type=local,dest=$work/out")
export_ms=$(fastest "$aside out" "$export" 5)
row "export of it as files, cached" "$(calc "$export_ms" %.0f) ms" '-' "$(calc "$export_ms / $copy_ms") x cp -a ($(calc "$copy_ms" %.0f) ms)"
