#!/usr/bin/env bash
# Directories of the client in builds: as a root, as mounts, merged, taken apart and
# exported. Catches: an op that cannot use a tree which is nobody's layers; a directory that
# is copied once more by each build; hard links and modes lost on the way; a client's file
# that a command wrote to.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

kit_root "$dir/bb" || { echo "1..1"; echo "not ok 1 - busybox is there"; exit 0; }
mkdir -p "$dir/ctx/sub"
echo hi >"$dir/ctx/sub/a"
ln "$dir/ctx/sub/a" "$dir/ctx/sub/b"
ln -s a "$dir/ctx/sub/link"
chmod 4755 "$dir/ctx/sub/a"
sleep 0.2 # what changed just now is not trusted to be the same a moment later
build() { # NAME ARGS...: the definition on standard input, exported to $dir/NAME
        local name=$1
        shift
        rm -rf "${dir:?}/$name"
        kit_llb "$dir/def" && kit_build --llb "$dir/def" --local context="$dir/ctx" \
                --local bb="$dir/bb" -o "type=local,dest=$dir/$name" "$@"
}
# Files, not names: views of snapshot-native are hard links.
layers() { find "$SLIPWAY_ROOT/snapshots" -name busybox -type f -printf '%i\n' | sort -u | wc -l; }

as_root() {
        build o1 <<-END && [ "$(cat "$dir/o1/made")" = here ] && [ ! -e "$dir/bb/made" ]
	r = local bb
	a = run r -- sh -c "echo here >/made"
	output a
	END
}
check "a command runs on a local directory" as_root
again() {
        local before after; before=$(layers)
        build o1 --no-cache <<-END && after=$(layers) && [ "$before" = 1 ] && [ "$after" = 1 ]
	r = local bb
	a = run r -- sh -c "echo again >/made"
	output a
	END
}
check "which is copied once, whoever needs it" again
mounted() {
        build o2 <<-END && [ "$(cat "$dir/o2/new")" = hi ] && [ ! -e "$dir/ctx/new" ]
	r = local bb
	c = local context
	a = run r mount=/rw=c romount=/ro=c romount=/sub=c=sub -- sh -e -c "cat /ro/sub/link >/rw/new; cmp /sub/a /rw/new; ! touch /ro/x; ! touch /sub/a"
	o = result a /rw
	output o
	END
}
check "it is mounted, for reading and for writing" mounted
kept_links() { [ "$dir/o2/sub/a" -ef "$dir/o2/sub/b" ] && [ "$(readlink "$dir/o2/sub/link")" = a ]; }
check "its links are kept" kept_links
merged() {
        build o3 <<-END && cmp "$dir/o3/sub/a" "$dir/ctx/sub/a" && [ ! -e "$dir/o3/bin" ]
	r = local bb
	c = local context
	m = merge r c
	d = diff r m
	output d
	END
}
check "merge and diff" merged
unwrapped() {
        build o4 <<-END && diff -r "$dir/o4" "$dir/ctx" && [ "$dir/o4/sub/a" -ef "$dir/o4/sub/b" ]
	c = local context
	output c
	END
}
check "a local directory is the result" unwrapped
changed() {
        echo more >"$dir/ctx/sub/c"
        unwrapped && [ -e "$dir/o4/sub/c" ]
}
check "and what it is now" changed

# ---- Why a step runs
mkdir -p "$dir/many"/d{1..20}
for d in "$dir/many"/*; do (cd "$d" && touch f{1..100}); done
kit_llb "$dir/copy" <<-END
	s = scratch
	c = local context
	a = copy s c / /app contents label="copy it"
	output a
	END
explained() { # PART: --explain says it of the copy
        "$SLIPWAY" build --progress quiet --explain --llb "$dir/copy" --local context="$dir/many" 2>"$dir/err"
        grep -F "copy it  [" "$dir/err" | grep -F -- "$1"
}
check "a step that never ran" explained "it was never run with these inputs"
check "nothing changed" explained "[cached]"
touch "$dir/many/d3/f33"
check "a time changed, which is nothing" explained "[cached]"
echo x >"$dir/many/d3/f33"
check "one file of many changed" explained "; changed: local://context: d3/f33]"
rm "$dir/many/d20/f100"
mkdir "$dir/many/d21"
mv "$dir/many/d1/f7" "$dir/many/d1/g"
check "files that come and go" explained "; changed: local://context: d1/f7, d1/g, d20/f100, d21]"
check "a second build of the same" explained "[cached]"
nothing_mounted() { ! grep -F "$SLIPWAY_ROOT" /proc/self/mountinfo; }
check "nothing is left mounted" nothing_mounted
finish
