#!/usr/bin/env bash
# An image of several layers that is being unpacked when its build is killed, and then wanted
# by two builds at once. Catches: layers that are half there, layers that two unpack, waiting
# for the dead, files that stay, usage that does not add up.
#
# TEST_KILLS: how many are killed (12). TEST_SEED: of the moments.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
command -v umoci >/dev/null || { echo "Bail out! umoci is needed (./dev deps installs it)"; exit 1; }
runs=${TEST_KILLS:-12}
seed=${TEST_SEED:-$$}
RANDOM=$seed
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT
layout=$dir/layout

make_image() { # six layers, which umoci writes without the directories that they are in
        local b=$dir/bundle i k
        umoci init --layout "$layout" && umoci new --image "$layout:v1" && umoci unpack --image "$layout:v1" "$b" || return
        for i in 1 2 3 4 5 6; do
                mkdir -p "$b/rootfs/common/sub$i" && chmod 0711 "$b/rootfs/common" || return
                for k in $(seq 120); do echo "$i $k $RANDOM" >"$b/rootfs/common/sub$i/$k"; done
                head -c 1000000 /dev/urandom >"$b/rootfs/common/large$i"
                rm -f "$b/rootfs/common/large$((i - 2))"
                umoci repack --image "$layout:v1" "$b" && rm -rf "$b" && umoci unpack --image "$layout:v1" "$b" || return
        done
}
echo 'a = source oci-layout://img:v1
output a' | kit_llb "$dir/def"
args=(--oci-layout "img=$layout" --llb "$dir/def")
listing() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
build() { kit_build "${args[@]}" -o "type=tar,dest=$1"; } # what is made does not depend on who asks
is_right() { rm -rf "$dir/x" && mkdir "$dir/x" && tar -C "$dir/x" -xpf "$1" && diff -q "$dir/want" <(listing "$dir/x"); }
two_at_once() {
        build "$dir/one.tar" &
        local one=$!
        build "$dir/two.tar" && wait "$one" && is_right "$dir/one.tar" && cmp "$dir/one.tar" "$dir/two.tar"
}

check "an image in six layers" make_image
listing "$dir/bundle/rootfs" >"$dir/want"
t=$(date +%s%N)
check "two builds at once" two_at_once
took=$((($(date +%s%N) - t) / 1000000))
echo "# they took $took ms; seed $seed"

killed=0 wrong=0 sums=0 left=0
for i in $(seq "$runs"); do
        "$SLIPWAY" prune --all >"$dir/pruned" 2>&1
        kit_background "${args[@]}" -o "type=tar,dest=$dir/no.tar" 2>"$dir/err"
        pid=$!
        ms=$((RANDOM % (took / 2 + 1)))
        sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
        kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
        wait "$pid" 2>/dev/null
        two_at_once >"$dir/said" 2>&1 || { wrong=$((wrong + 1)) && sed "s/^/# run $i: /" "$dir/said"; }
        kit_usage_is_right >"$dir/said" || { sums=$((sums + 1)) && sed "s/^/# run $i: /" "$dir/said"; }
done
"$SLIPWAY" prune --all >"$dir/pruned" 2>&1
[ -z "$(find "$SLIPWAY_ROOT"/snapshots/*/[ac] "$SLIPWAY_ROOT"/content/{blobs/sha256,ingest} -mindepth 1 -maxdepth 1 2>/dev/null)" ] || left=1
result $((wrong != 0)) "$killed of $runs were killed, and those after them got the image"
result $((sums != 0)) "usage is that of du(1) each time"
result $left "all of it can be pruned"
check "no mount, lease or temporary file is left" kit_clean nothing-has-this-name
finish
