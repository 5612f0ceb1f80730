#!/usr/bin/env bash
# Builds that are killed at random moments. Catches: a store that the next build cannot use, a
# file that is half written under its name, a mount, a process, a control group or a
# temporary file that stays, usage that does not add up.
#
# SLIPWAY_KILL_RUNS: how many are killed (20; the long run is 500).
. "$top_srcdir/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
runs=${SLIPWAY_KILL_RUNS:-20}
marker=slipway-kill-$$

kit_root "$dir/rootfs"
mkdir -p "$dir/ctx/src"
for i in $(seq 200); do head -c 5000 /dev/urandom >"$dir/ctx/src/f$i"; done
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
build() {
        kit_build --llb "$dir/def" --local "rootfs=$dir/rootfs" --local "ctx=$dir/ctx" \
                --output "type=local,dest=$1,mode=delete"
}
is_right() { [ "$(cat "$1/sum")" = "$(cat "$dir"/ctx/src/* | sha256sum)" ] && cmp "$1/copy" "$dir/ctx/src/f1"; }

time_ms() { local t; t=$(date +%s%N); "$@" || return 1; echo $((($(date +%s%N) - t) / 1000000)); }
took=$(time_ms build "$dir/out0"); check "an undisturbed build" is_right "$dir/out0"
echo "# it took ${took:=1000} ms"

left_processes() { pgrep -f "$marker" || grep -lsz "MARK=$marker" /proc/[0-9]*/environ; }
nothing_runs() { # the dead program's containers go with it, or with the next start
        local i
        for i in $(seq 50); do [ -z "$(left_processes)" ] && return 0; sleep 0.1; done
        left_processes; return 1
}

killed=0 wrong=0
for i in $(seq "$runs"); do
        head -c $((RANDOM % 9000)) /dev/urandom >"$dir/ctx/src/f$((RANDOM % 200 + 1))"
        echo "$i" >"$dir/ctx/src/f1"
        build "$dir/out" 2>"$dir/err" & pid=$!
        sleep "$(printf '0.%03d' $((RANDOM % (took > 950 ? 950 : took))))"
        kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
        wait "$pid" 2>/dev/null
        if [ $((i % 5)) = 0 ] || [ "$i" = "$runs" ]; then
                build "$dir/out" 2>"$dir/err" && is_right "$dir/out" ||
                        { wrong=$((wrong + 1)); sed 's/^/# /' "$dir/err"; }
        fi
done
echo "# $runs builds, $killed killed, $wrong of the builds after them wrong"
check "builds after killed ones are right" [ "$wrong" = 0 ]
check "some were killed" [ "$killed" -gt 0 ]
check "no process is left" nothing_runs
check "no mount is left" kit_nothing_left
check "usage is that of du(1)" kit_usage_is_right
no_temporary() { ! find "$dir/out" "$SLIPWAY_ROOT/content/ingest" -name '.slipway-*' 2>/dev/null | grep .; }
check "no temporary file is left in the output" no_temporary
check "all of it can be pruned" "$SLIPWAY" prune --all
check "and built again" build "$dir/out"
check "which is right" is_right "$dir/out"
finish
