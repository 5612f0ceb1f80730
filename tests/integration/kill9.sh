#!/usr/bin/env bash
# Builds that are killed at random moments, each followed by one that is not. Catches: a store
# that the next build cannot use, a file that is half written under its name, a container, a
# mount, a process, a cgroup or a temporary file that stays, usage that does not add up.
#
# TEST_KILLS: how many are killed (40; the long run is 500). TEST_SEED: of the moments.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
runs=${TEST_KILLS:-40}
seed=${TEST_SEED:-$$}
RANDOM=$seed
marker=slipway-kill-$$
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT

kit_root "$dir/rootfs"
mkdir -p "$dir/ctx/src"
for i in $(seq 0 399); do head -c 2500 /dev/urandom >"$dir/ctx/src/f$i"; done
kit_llb "$dir/def" <<END
rootfs = local rootfs
ctx = local ctx
s = scratch
base = copy s rootfs / / contents
a = copy base ctx /src /src contents parents
r1 = run a cache=/cache=kill9 env=MARK=$marker -- /bin/sh -c "sleep 0.05; cat /src/* | sha256sum >/sum; echo x >>/cache/log"
r2 = run a env=MARK=$marker scratchmount=/out -- /bin/sh -c "(sleep 30 &) ; cp /src/f1 /out/copy; rm -r /src"
o = result r2 /out
d = diff a r1
m = merge base d o
z = rm m /bin/busybox
output z
END
args=(--llb "$dir/def" --local "rootfs=$dir/rootfs" --local "ctx=$dir/ctx"
        --output "type=local,dest=$dir/out,mode=delete")
build() { kit_build "${args[@]}"; }
is_right() {
        [ "$(cat "$dir/out/sum")" = "$(cat "$dir"/ctx/src/* | sha256sum)" ] &&
                cmp "$dir/out/copy" "$dir/ctx/src/f1"
}
# A child that was forked just before its builder was killed may not be gone when the next build
# is over, on a busy machine; what it holds is for the sweeps after that.
is_clean() {
        for _ in 1 2 3 4 5; do
                kit_clean "$marker" >"$dir/left" && return
                sleep 0.2
                echo "again $RANDOM" >"$dir/ctx/src/f1"
                build 2>"$dir/err" || return
        done
        return 1
}
time_ms() { local t; t=$(date +%s%N); "$@" || return 1; echo $((($(date +%s%N) - t) / 1000000)); }

took=$(time_ms build)
check "an undisturbed build" is_right
echo "# it took ${took:=1000} ms; seed $seed"

killed=0 wrong=0 dirty=0 sums=0
for i in $(seq "$runs"); do
        head -c $((RANDOM % 9000)) /dev/urandom >"$dir/ctx/src/f$((RANDOM % 400))"
        echo "$i" >"$dir/ctx/src/f1"
        kit_background "${args[@]}" 2>"$dir/err"
        pid=$!
        ms=$((RANDOM % (took + 1)))
        sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
        kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
        wait "$pid" 2>/dev/null
        [ $((RANDOM % 4)) = 0 ] && [ "$i" -lt "$runs" ] && continue # the next one meets two
        now=$(time_ms build 2>"$dir/err") && is_right ||
                { wrong=$((wrong + 1)) && sed "s/^/# run $i: /" "$dir/err"; }
        took=$(((3 * took + ${now:-$took}) / 4)) # the machine may be busy now and then
        is_clean || { dirty=$((dirty + 1)) && sed "s/^/# run $i: /" "$dir/left"; }
        kit_usage_is_right >"$dir/sums" || { sums=$((sums + 1)) && sed "s/^/# run $i: /" "$dir/sums"; }
done
check "builds after killed ones are right" [ "$wrong" = 0 ]
check "many were killed" [ "$killed" -gt $((runs / 3)) ]
check "no container, mount, process, cgroup, lease or temporary file is left" [ "$dirty" = 0 ]
check "usage is that of du(1)" [ "$sums" = 0 ]
check "all of it can be pruned" "$SLIPWAY" prune --all
check "and built again" build
check "which is right" is_right
echo "# $runs builds, $killed killed; after them $wrong builds wrong, $dirty times something left, $sums times usage wrong"
finish
