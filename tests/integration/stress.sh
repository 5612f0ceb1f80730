#!/usr/bin/env bash
# Processes that build and prune on one root at once. Catches: something that is pruned while
# a build uses it, a build that waits for ever, a lock or a lease that stays, a store that
# does not add up in the end.
#
# TEST_SECONDS: how long (15; the long run is 600). TEST_BUILDERS, TEST_PRUNERS: 2 of each.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
seconds=${TEST_SECONDS:-15} builders=${TEST_BUILDERS:-2} pruners=${TEST_PRUNERS:-2}
marker=slipway-stress-$$
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT
kit_root "$dir/rootfs"

kit_llb "$dir/def" <<END
rootfs = local rootfs
ctx = local ctx
s = scratch
base = copy s rootfs / / contents
a = copy base ctx / /src contents parents
r1 = run a cache=/cache=stress env=MARK=$marker -- /bin/sh -c "cat /src/* | sha256sum >/sum; echo x >>/cache/log"
r2 = run a env=MARK=$marker scratchmount=/out -- /bin/sh -c "cp /src/f1 /out/copy"
o = result r2 /out
d = diff a r1
m = merge base d o
z = mkfile m /end 644 end
output z
END

builder() { # N: until the time is over; prints how many builds were right, and what was wrong
        local n=0 ctx=$dir/ctx$1 out=$dir/out$1 i
        mkdir "$ctx"
        for i in 1 2 3 4 5; do head -c 20000 /dev/urandom >"$ctx/f$i"; done
        for i in $(seq 6 400); do echo "$i" >"$ctx/f$i"; done # so many that layers share them
        while [ "$SECONDS" -lt "$seconds" ]; do
                # sometimes what was built before, sometimes something new
                [ $((RANDOM % 3)) = 0 ] || echo "$1 $((RANDOM % 4))" >"$ctx/f$((RANDOM % 5 + 1))"
                if ! kit_build --llb "$dir/def" --local "rootfs=$dir/rootfs" --local "ctx=$ctx" \
                        --output "type=local,dest=$out,mode=delete" 2>"$dir/err$1"; then
                        echo "wrong: $(tail -n 3 "$dir/err$1" | tr '\n' ' ')"
                elif [ "$(cat "$out/sum")" != "$(cat "$ctx"/* | sha256sum)" ] ||
                        ! cmp -s "$out/copy" "$ctx/f1" || [ "$(cat "$out/end")" != end ]; then
                        echo "wrong: the result of build $n"
                fi
                n=$((n + 1))
        done
        echo "builds $n"
}

pruner() { # N
        local n=0 how
        while [ "$SECONDS" -lt "$seconds" ]; do
                case $((RANDOM % 5)) in
                0) how=(--all) ;;
                1) how=(--keep-storage 3) ;;
                2) how=(--filter 'type==exec.cachemount' --filter 'description~=copy') ;;
                3) how=(--keep-duration 1s) ;;
                *) how=() ;;
                esac
                "$SLIPWAY" prune "${how[@]}" >"$dir/pruned$1" 2>&1 ||
                        echo "wrong: prune ${how[*]}: $(tail -n 3 "$dir/pruned$1" | tr '\n' ' ')"
                "$SLIPWAY" du >"$dir/used$1" 2>&1 || echo "wrong: du: $(tail -n 3 "$dir/used$1" | tr '\n' ' ')"
                n=$((n + 1))
                sleep "0.0$((RANDOM % 10))"
        done
        echo "prunes $n"
}

SECONDS=0 pids=()
for i in $(seq "$builders"); do builder "$i" >"$dir/said$i" & pids+=($!); done
for i in $(seq "$pruners"); do pruner "$i" >"$dir/saidp$i" & pids+=($!); done
wait "${pids[@]}"
builds=$(cat "$dir"/said* | awk '/^builds/ { n += $2 } END { print n }')
prunes=$(cat "$dir"/said* | awk '/^prunes/ { n += $2 } END { print n }')
grep -h '^wrong' "$dir"/said* | sort | uniq -c | head -n 40 | sed 's/^/# /'
wrong=$(grep -hc '^wrong' "$dir"/said* | awk '{ n += $1 } END { print n }')

check "nothing went wrong" [ "$wrong" = 0 ]
check "there was work" [ "$builds" -gt "$builders" ]
check "no container, mount, process, cgroup, lease or temporary file is left" kit_clean "$marker"
check "usage is that of du(1)" kit_usage_is_right
check "all of it can be pruned" "$SLIPWAY" prune --all
empty() { [ -z "$(find "$SLIPWAY_ROOT"/snapshots/*/[ac] -mindepth 1)" ]; }
check "and no layer is left" empty
check "usage is that of du(1) then" kit_usage_is_right
echo "# $seconds s: $builds builds by $builders processes and $prunes prunes by $pruners at once, $wrong wrong"
finish
