#!/usr/bin/env bash
# Stacks of more layers than a mount takes (500): made, written on, merged, taken apart, run
# in, exported, read again from the cache, pruned. Catches: layers put together in the wrong
# order, a run of them that is taken for another, a limit somewhere. LAYERS: how many.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

layers=${LAYERS:-1200}
kit_root "$dir/rootfs"
# Files come again after 700 steps, and every 50th step removes one that is there.
awk -v n="$layers" 'BEGIN {
        print "rootfs = local rootfs\ns = scratch\nl0 = copy s rootfs / / contents"
        for (i = 1; i < n; i++)
                if (i % 50 == 0)
                        printf "l%d = rm l%d /f%d\n", i, i - 1, (i - 7) % 700
                else
                        printf "l%d = mkfile l%d /f%d 0644 \"%d\\n\"\n", i, i - 1, i % 700, i
        printf "d = diff l0 l%d\nm = merge l5 d\n", n - 1
        print "r = run m -- /bin/sh -c \"cat /f* >/seen; rm /f1; echo run >/f2\""
        print "c = copy r r /f2 /copied\noutput c"
}' >"$dir/text"
awk -v n="$layers" 'BEGIN {
        for (i = 1; i < n; i++)
                if (i % 50 == 0)
                        delete f["f" (i - 7) % 700]
                else
                        f["f" i % 700] = i
        for (k in f)
                print k, f[k]
}' | sort >"$dir/want"
kit_llb "$dir/def" <"$dir/text"
sed 's/^output .*/x = mkfile c \/more 0644 "more"\noutput x/' "$dir/text" | kit_llb "$dir/more"
build() { # DEFINITION OUTPUT
        kit_build --llb "$1" --local "rootfs=$dir/rootfs" -o "$2"
}
exported() { # DIRECTORY: has what is wanted
        cut -d' ' -f2 "$dir/want" | sort >"$dir/x"
        sort "$1/seen" | diff - "$dir/x" || return 1
        (cd "$1" && grep . f*) | tr : ' ' | sort >"$dir/y"
        grep -v '^f[12] ' "$dir/want" | sort - <(echo f2 run) | diff "$dir/y" - || return 1
        [ "$(cat "$1/copied")" = run ] && [ ! -e "$1/f1" ] && [ -x "$1/bin/busybox" ]
}
of_tar() { mkdir "$dir/of-tar" && tar xf "$dir/x.tar" -C "$dir/of-tar" && exported "$dir/of-tar"; }

check "$layers layers are built, and an archive made of them" build "$dir/def" "type=tar,dest=$dir/x.tar"
check "it has what it should" of_tar
check "from the cache, into a directory" build "$dir/def" "type=local,dest=$dir/out"
check "it has that, too" exported "$dir/out"
check "one more on top" build "$dir/more" "type=local,dest=$dir/out2"
check "all of it is there" exported "$dir/out2"
check "du says what du(1) says" kit_usage_is_right
nothing() { "$SLIPWAY" prune --all >/dev/null && kit_usage_is_right && ! find "$SLIPWAY_ROOT/snapshots" -type f -name busybox | grep .; }
check "all of it goes" nothing
few=$((layers / 3))
sed "s/^d = .*/d = diff l0 l$few/" "$dir/text" | kit_llb "$dir/few"
printf 'worker:\n  oci:\n    snapshotter: native\n' >"$dir/native.yaml"
native() {
        SLIPWAY_CONFIG=$dir/native.yaml SLIPWAY_ROOT=$dir/native build "$dir/few" "type=tar,dest=$dir/n.tar" &&
                SLIPWAY_ROOT=$dir/other build "$dir/few" "type=tar,dest=$dir/o.tar" &&
                tar xOf "$dir/n.tar" seen >"$dir/x" && tar xOf "$dir/o.tar" seen | diff - "$dir/x"
}
check "native: $few layers give what they give with overlay" native
finish
