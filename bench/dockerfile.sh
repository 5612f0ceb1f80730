#!/usr/bin/env bash
# slipway build of Dockerfiles, whole processes, each figure beside a tool that does the like in
# the same run: cached steps, commands, 50,000 files copied, and the memory that takes.
# BENCH_FILES makes the tree smaller; bench/kit.bash has the rest.
# shellcheck disable=SC2046,SC2086 # command lines are words here
. "${top_srcdir:?}/bench/kit.bash"
files=${BENCH_FILES:-50000}
peak() { # COMMAND...: the most memory it had, MB
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print("%.0f" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000))' "$@"
}
row what measured budget 'compared with'
true_ms=$(fastest true true 200)

# ---- Steps
if command_bundle '["/bin/sh", "-c", "true"]'; then
        mkdir "$work/context"
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
        one=$(fastest true "$(build --no-cache -f "$work/run1" "$work/context")" 20)
        many=$(fastest true "$(build --no-cache -f "$work/run21" "$work/context")" 10)
        each=$(calc "($many - $one) / 20" %.4f)
        own_bundle $(build --no-cache -f "$work/run1" "$work/context")
        row '20 RUN steps, each, beyond the runtime' "$(calc "$each - $runtime_ms") ms" '3 ms' \
                "$(calc "$each") ms a step; $(basename "$runtime") run with its own config, no seccomp: $(calc "$runtime_ms") ms, with slipway's: $(calc "$own_ms") ms"
        whole=$(fastest true "$(build --no-cache -f "$work/run20" "$work/context")" 10)
        row '20 RUN steps, whole process' "$(calc "$whole" %.0f) ms" "$(calc "20 * ($runtime_ms + 3)" %.0f) ms" '20 x (the runtime + 3 ms)'
        "$aside" root
fi

# ---- A large context
many_files "$work/tree" "$files"
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
