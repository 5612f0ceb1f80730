#!/usr/bin/env bash
# Builds of one process, pruned after each. Catches: memory or descriptors that a build or a
# pruning keeps, and what valgrind finds besides. ROUNDS: how many. valgrind 3.19 knows
# neither fsopen nor move_mount: with it, commands get no further than to their mounts, on
# whose failure all has to be given back as well.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

rounds=${ROUNDS:-90}
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT
kit_root "$dir/rootfs"
mkdir -p "$dir/ctx/sub"
for i in $(seq 40); do echo "$i" >"$dir/ctx/sub/f$i"; done
files='ctx = local ctx
s = scratch
a = copy s ctx / /src contents parents
b = mkfile a /src/sub/f1 0600 "one"
c = rm b /src/sub/f2
d = diff a c
m = merge a d
e = copy m m /src /again parents include=**/f3*'
kit_llb "$dir/files.llb" <<<"$files
output e"
kit_llb "$dir/commands.llb" <<<"$files
rootfs = local rootfs
base = copy s rootfs / / contents
r = run base cache=/cache=memory romount=/src=e tmpfs=/run -- /bin/sh -c \"cat /src/src/sub/* >/all; echo x >>/cache/x\"
y = run r -- /bin/true
output y"
again() { # PROGRAM... DEFINITION ROUNDS: what it says is in $dir/out
        local def=${*: -2:1} n=${*: -1}
        rm -rf "$SLIPWAY_ROOT"
        "${@:1:$#-2}" "$n" "$dir/config.yaml" "$SLIPWAY_ROOT" "$dir/$def.llb" "ctx=$dir/ctx" "rootfs=$dir/rootfs" \
                >"$dir/out" 2>"$dir/err" || { tail -n 20 "$dir/err"; return 1; }
}
program=$top_builddir/tests/tools/rounds
keeps_nothing() { # DEFINITION
        again "$program" "$1" "$rounds" || return
        echo "# $1, $rounds rounds: $(cat "$dir/out")" >>"$dir/notes"
        read -r _ failed _ _ _ grown _ open <"$dir/out"
        if [ "$failed" != 0 ] || [ "$open" -gt 1 ] || [ "$grown" -gt 131072 ]; then
                tail -n 5 "$dir/err"
                cat "$dir/out"
                return 1
        fi
}
check "file ops: nothing is kept" keeps_nothing files
check "commands: nothing is kept" keeps_nothing commands

no_leaks() { # DEFINITION FAILED
        local libtool=("$top_builddir/libtool" --mode=execute valgrind)
        again "${libtool[@]}" "--log-file=$dir/valgrind" --leak-check=full --error-exitcode=9 \
                --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
                "$program" "$1" 3 || { grep -v 'syscall\|handler\|README\|bug' "$dir/valgrind"; return 1; }
        grep -q 'ERROR SUMMARY: 0 errors' "$dir/valgrind" && grep -q "^failed $2 " "$dir/out"
}
if grep -qE '__(a|t)san_init' "$top_builddir/.libs/libslipway.so"; then
        cat "$dir/notes" # sanitizers look for themselves, and know all calls
        finish
        exit
fi
check "valgrind is there" valgrind --version
check "file ops: valgrind finds nothing" no_leaks files 0
check "commands that cannot be run: valgrind finds nothing" no_leaks commands 6
cat "$dir/notes"
finish
