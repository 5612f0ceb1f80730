#!/usr/bin/env bash
# slipway build, whole processes, each figure beside a tool that does the like in the same run:
# cached definitions, a command, 50,000 files copied, hundreds of copies into one tree, export.
# BENCH_FILES makes the tree smaller; bench/kit.bash has the rest.
# shellcheck disable=SC2046,SC2086 # command lines are words here
. "${top_srcdir:?}/bench/kit.bash"
files=${BENCH_FILES:-50000}
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
if command_bundle '["/bin/true"]'; then
        commands() { # N: one after the other
                echo "l = local root"
                echo "c0 = copy scratch0 l / / contents"
                for i in $(seq "$1"); do echo "c$i = run c$((i - 1)) env=N=$i -- /bin/true"; done
                echo "output c$1"
        }
        for n in 1 21; do { echo "scratch0 = scratch"; commands $n; } | llb "run$n"; done
        once $(build --local "root=$work/bundle/rootfs" --llb "$work/run1")
        one=$(fastest true "$(build --no-cache --local "root=$work/bundle/rootfs" --llb "$work/run1")" 20)
        many=$(fastest true "$(build --no-cache --local "root=$work/bundle/rootfs" --llb "$work/run21")" 10)
        each=$(calc "($many - $one) / 20" %.4f)
        own_bundle $(build --no-cache --local "root=$work/bundle/rootfs" --llb "$work/run1")
        row 'RUN true, beyond the runtime' "$(calc "$each - $runtime_ms") ms" '3 ms' \
                "$(calc "$each") ms a step; $(basename "$runtime") run with its own config, no seccomp: $(calc "$runtime_ms") ms, with slipway's: $(calc "$own_ms") ms"
        "$aside" root
fi

# ---- A large tree
many_files "$work/tree" "$files"
touch "$work/mark"
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
find_ms=$(fastest true "find $work/tree -newer $work/mark" 20)
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
