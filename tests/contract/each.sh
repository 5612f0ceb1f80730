# shellcheck shell=bash disable=SC2154
# tests/contract/each.sh - run the contract tool over every plugin of a kind; sourced.
#
#       . "$top_srcdir/tests/contract/each.sh"
#       contract exporter discard [OPTION...]   one plugin, with options of the tool
#       contract_all exporter exporter          every folder plugins/exporter-*
#       contract_end                            the plan, and what was seen
#
# Attributes that a plugin cannot do without stand in its folder, in the file contract.
contract=${top_builddir:?see tests/integration/tap.sh}/tests/contract/slipway-contract
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
: >"$work/all"

# One run of the tool; a run that did not come to its end is a failure by itself.
contract() {
        local kind=$1 name=$2
        shift 2
        if ! "$contract" --plugin-dir "$top_builddir/plugins/.libs" "$@" "$kind/$name" \
                >"$work/out" 2>"$work/err" && ! grep -q '^not ok' "$work/out"; then
                echo "not ok 1 - $name: the suite ran to its end" >>"$work/out"
                sed 's/^/# /' "$work/err" >>"$work/out"
        fi
        grep -v '^1\.\.' "$work/out" >>"$work/all"
}

contract_all() { # KIND FOLDER
        local kind=$1 dir name attrs
        for dir in "$top_srcdir/plugins/$2"-*/; do
                name=$(basename "$dir")
                name=${name#"$2"-}
                if [ ! -e "$top_builddir/plugins/${kind}_${name//-/_}.la" ]; then
                        echo "ok 1 - $name # SKIP not built: --disable-$2-$name" >>"$work/all"
                        continue
                fi
                attrs=()
                [ -f "$dir/contract" ] && while read -r a; do attrs+=(--attr "$a"); done <"$dir/contract"
                contract "$kind" "$name" "${attrs[@]}"
        done
}

contract_end() {
        awk '/^(not )?ok/ { n++; sub(/ok [0-9]+/, "ok " n) } { print } END { print "1.." n }' "$work/all"
}
