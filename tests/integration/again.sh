#!/usr/bin/env bash
# A directory that was copied before and of which little has changed. Catches: a tree that
# depends on what was built before; a file that is taken for one that was there; a layer that
# changes, or is not whole any more, when one with which it shares files goes; disk usage that
# does not add up.
# shellcheck source=tests/integration/tap.sh
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

ctx=$dir/ctx
mkdir -p "$ctx"/{one,two}
for i in $(seq 300); do
        echo "first $i" >"$ctx/one/f$i"
        echo "other $i" >"$ctx/two/f$i" # as long
done
touch -d @1000000000 "$ctx"/*/*
chmod 0600 "$ctx/one/f3"
sleep 0.2 # what changed just now is not trusted to be the same a moment later

put() { echo "$2" >"$1" && touch -d @1000000000 "$1"; } # FILE TEXT: always as old; that is in no key
copy() { printf 's = scratch\nc = local ctx\nx = copy s c %s\n%boutput x\n' "$1" "${2:-}" | kit_llb "$dir/def"; }
build() { # ROOT ARGS...
        local root=$1
        shift
        SLIPWAY_ROOT=$root kit_build --llb "$dir/def" --local "ctx=$ctx" "$@"
}
# The tree that the store with a past makes is that of one without.
same_as_new() {
        rm -rf "$dir/new"
        touch -d @1200000000 "$ctx" "$ctx"/* # times of directories are in no key
        build "$dir/store" -o "type=tar,dest=$dir/a.tar" "$@" && build "$dir/new" -o "type=tar,dest=$dir/b.tar" &&
                cmp "$dir/a.tar" "$dir/b.tar" && kit_usage_is_right
}
layers_with() { find "$dir/store/snapshots" -path "*/c/*/f[so]$1" -printf '%i\n' 2>/dev/null | sort; }
is_shared() { [ "$(layers_with "$1" | wc -l)" -gt "$(layers_with "$1" | uniq | wc -l)" ]; }

copy '/ / contents'
check "the first time" same_as_new
put "$ctx/one/f7" "changed 7"
changed() { same_as_new && is_shared /one/f8 && ! is_shared /one/f7; }
check "one file has changed: the others are shared" changed

same_size() { # as long, and as old as before
        put "$ctx/one/f9" "FIRST 9" && same_as_new &&
                [ "$(tar xOf "$dir/a.tar" one/f9)" = "FIRST 9" ]
}
check "a file that has other contents only" same_size
metadata() {
        chmod 0640 "$ctx/one/f10" && touch -d @1100000000 "$ctx/one/f11" &&
                setfattr -n user.colour -v blue "$ctx/one/f12" && touch -d @1000000000 "$ctx/one/f12" &&
                same_as_new --output "type=local,dest=$dir/out" &&
                [ "$(stat -c %a "$dir/out/one/f10") $(stat -c %Y "$dir/out/one/f11")" = "640 1100000000" ] &&
                [ "$(getfattr --only-values -n user.colour "$dir/out/one/f12")" = blue ]
}
check "files that have other metadata only" metadata
links() { # into the layer, not the one before
        ln "$ctx/one/f20" "$ctx/one/f20.again" && same_as_new && rm "$ctx/one/f20.again" && same_as_new
}
check "a file that gets another name, and loses it" links
types() {
        rm "$ctx/one/f30" && ln -s f31 "$ctx/one/f30" && rm "$ctx"/*/f32 && mkdir "$ctx/one/f32" &&
                mv "$ctx/two/f33" "$ctx/one/f33" && same_as_new
}
check "files that are something else now, or come from elsewhere" types

# The key of the step is not that of the files: two sources have one destination.
copy '/* /x contents wildcard time=5000000000'
check "two directories into one" same_as_new
loses() { rm "$ctx"/two/f4? && same_as_new && [ "$(tar xOf "$dir/a.tar" x/f41)" = "first 41" ]; }
check "what the second one hid shows when it goes" loses
gets() { put "$ctx/two/f41" "other 41" && same_as_new &&
        [ "$(tar xOf "$dir/a.tar" x/f41)" = "other 41" ]; }
check "and is hidden when it comes back" gets

# Later actions of the same step.
copy '/one / contents' 'x + rm . /f50 missing\nx + mkfile . /f51 0600 mine time=5000000000\nx + copy . c /two/f52 /f52\n'
check "files that the same step replaces" same_as_new
again() { put "$ctx/two/f52" "two 52" && put "$ctx/one/f51" "one 51" && rm "$ctx/one/f50" && same_as_new; }
check "and replaces again" again
copy '/one / contents owner=5 mode=0444 time=5000000000'
check "an owner, a mode and a time of the step's own" same_as_new
put "$ctx/one/more" more
owned() { same_as_new && is_shared /f60; }
check "are shared, too" owned

copy '/ / contents'
uncached() {
        local before; before=$(layers_with /one/f70 | uniq | wc -l)
        same_as_new --no-cache && [ "$(layers_with /one/f70 | uniq | wc -l)" = $((before + 1)) ]
}
check "without the cache" uncached

# Whoever goes first.
goes() {
        local id
        for i in 1 2 3; do put "$ctx/one/f80" "$i" && build "$dir/store" || return; done
        for id in $(basename -a "$dir"/store/snapshots/*/c/* | shuf --random-source=<(yes)); do
                "$SLIPWAY" prune --filter "id==$id" >"$dir/pruned" && kit_usage_is_right || return
        done
        "$SLIPWAY" du >"$dir/got" && same_as_new
}
check "layers that share files go in any order" goes
kept() { # what is left is whole
        local i
        for i in 1 2 3 4; do put "$ctx/one/f90" "$i" && build "$dir/store" || return; done
        put "$ctx/one/f90" 1 && "$SLIPWAY" prune --keep-storage 3 >"$dir/pruned" && kit_usage_is_right && same_as_new
}
check "and by their age" kept
two_at_once() {
        local i pids=()
        rm -rf "$dir/ctx2" && cp -a "$ctx" "$dir/ctx2" && put "$dir/ctx2/one/f1" "of the second" && same_as_new || return
        for i in 1 2 3 4 5; do
                put "$ctx/one/f100" "$i" && put "$dir/ctx2/one/f101" "$i"
                kit_background --llb "$dir/def" --local "ctx=$ctx" && pids=("$!")
                kit_background --llb "$dir/def" --local "ctx=$dir/ctx2" && pids+=("$!")
                wait "${pids[0]}" && wait "${pids[1]}" && kit_usage_is_right || return
        done
        same_as_new && "$SLIPWAY" prune --all >"$dir/pruned" && kit_usage_is_right
}
check "two processes at once" two_at_once
finish
