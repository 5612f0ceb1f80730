#!/usr/bin/env bash
# Every exporter in the tree keeps the rules of its kind: one TAP line per rule and plugin.
# Attributes that an exporter cannot do without stand in its folder, in the file contract.
set -u
contract=$top_builddir/tests/contract/slipway-contract
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for dir in "$top_srcdir"/plugins/exporter-*/; do
        name=$(basename "$dir")
        name=${name#exporter-}
        if [ ! -e "$top_builddir/plugins/exporter_${name//-/_}.la" ]; then
                echo "ok 1 - $name # SKIP not built: --disable-exporter-$name" >>"$work/all"
                continue
        fi
        attrs=()
        [ -f "$dir/contract" ] && while read -r a; do attrs+=(--attr "$a"); done <"$dir/contract"
        if ! "$contract" --plugin-dir "$top_builddir/plugins/.libs" "${attrs[@]}" "exporter/$name" \
                >"$work/out" 2>"$work/err" && ! grep -q '^not ok' "$work/out"; then
                echo "not ok 1 - $name: the suite ran to its end" >>"$work/out"
                sed 's/^/# /' "$work/err" >>"$work/out"
        fi
        grep -v '^1\.\.' "$work/out" >>"$work/all"
done
awk '/^(not )?ok/ { n++; sub(/ok [0-9]+/, "ok " n) } { print } END { print "1.." n }' "$work/all"
