#!/usr/bin/env bash
# Roots that cannot be used, and roots that can after all. Catches: messages that do not say
# which root and what to do, an empty list where there is an error, a root that no
# configuration can use any more.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
kit_llb "$dir/def" <<END
s = scratch
a = mkfile s /hello 0644 hi
output a
END
mkdir "$dir/r"
build() { # ROOT ARGS...
        local root=$1
        shift
        run --root "$root" "$@" build --progress quiet --llb "$dir/def" -o "type=local,dest=$dir/made"
}
refused() { # PART ROOT VERB...: one line that names the root and has PART in it
        local part=$1 root=$2
        shift 2
        run --root "$root" "$@"
        if [ "$status" = 0 ] || [ "$(wc -l <"$dir/err")" != 1 ] ||
                ! grep -qF "root $root" "$dir/err" || ! grep -qF -- "$part" "$dir/err"; then
                cat "$dir/err"
                return 1
        fi
}
all_refuse() { # PART ROOT
        refused "$1" "$2" build --progress quiet --llb "$dir/def" -o "type=local,dest=$dir/made" &&
                refused "$1" "$2" du && refused "$1" "$2" prune
}

# ---- No roots
touch "$dir/r/file"
check "a file" all_refuse 'is no directory: choose another with --root' "$dir/r/file"
mkdir "$dir/r/new"
echo 7 >"$dir/r/new/VERSION"
check "one of a newer slipway" all_refuse 'made by a newer slipway (version 7, this one knows 1)' "$dir/r/new"
mkdir "$dir/r/bad"
echo garbage >"$dir/r/bad/VERSION"
check "a version that is none" all_refuse 'VERSION (remove the file' "$dir/r/bad"
long=$dir/r/$(printf 'x%.0s' {1..300})
check "a name that is too long" all_refuse 'too long a name' "$long"
path=$dir/r/$(printf '%0200d/' {1..30})
check "a path that is too long" fails 2 'path is longer than' --root "$path" du
absent() { says 'Total:' --root "$dir/r/absent" "$1" && [ ! -e "$dir/r/absent" ]; }
check "du makes none" absent du
check "prune makes none" absent prune

# ---- Roots of others
build "$dir/r/ok"
check "a root" [ "$status" = 0 ]
read_only() {
        PART="is on a file system that is read-only: choose another with --root" \
                unshare -m --propagation private bash -c '
                        mount --bind "$0/r/ok" "$0/r/ok" && mount -o remount,bind,ro "$0/r/ok" || exit
                        for verb in du prune "build --progress quiet --llb $0/def -o type=local,dest=$0/made"; do
                                "$SLIPWAY" --root "$0/r/ok" $verb >"$0/out" 2>"$0/err" && exit 1
                                grep -qF "root $0/r/ok $PART" "$0/err" || { cat "$0/err"; exit 1; }
                        done' "$dir"
}
not_mine() { # root without its power over files is anybody, who still gets at slipway itself
        chown -R 65534:65534 "$dir/r/ok"
        setpriv --bounding-set -dac_override,-dac_read_search \
                "$SLIPWAY" --root "$dir/r/ok" du >"$dir/out" 2>"$dir/err"
        status=$?
        chown -R 0:0 "$dir/r/ok"
        [ "$status" != 0 ] && grep -qF "root $dir/r/ok is not open to this user: choose another with --root" "$dir/err" ||
                { cat "$dir/out" "$dir/err"; return 1; }
}
if [ "$(id -u)" = 0 ]; then
        check "read-only" read_only
        check "somebody else's" not_mine
fi

# ---- Another snapshotter
printf 'worker:\n  oci:\n    snapshotter: native\n' >"$dir/native.yaml"
printf 'worker:\n  oci:\n    snapshotter: overlay\n' >"$dir/overlay.yaml"
if [ -d "$dir/r/ok/snapshots/overlay" ]; then
        other=native
else
        other=overlay
fi
switch_refused() {
        run --root "$dir/r/ok" --config "$dir/$other.yaml" build --no-cache --progress quiet --llb "$dir/def" -o "type=local,dest=$dir/made"
        echo "status $status"; cat "$dir/err"
        [ "$status" != 0 ] && grep -q 'cannot be used with' "$dir/err"
}
check "another snapshotter while there are layers" switch_refused
check "prune does not mind" "$SLIPWAY" --root "$dir/r/ok" --config "$dir/$other.yaml" prune --all
build "$dir/r/ok" --config "$dir/$other.yaml"
check "another snapshotter when there are none" [ "$status" = 0 ]
SLIPWAY_ROOT=$dir/r/ok
check "leaves nothing of the other" kit_usage_is_right
finish
