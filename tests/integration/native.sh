#!/usr/bin/env bash
# The tests of whole builds once more with snapshotter native: as for the overlay, nothing of
# a build may depend on how trees are kept.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"

printf 'worker:\n  oci:\n    snapshotter: native\n' >"$dir/config"
export SLIPWAY_CONFIG=$dir/config
for test in build ops run local; do
        bash "$top_srcdir/tests/integration/$test.sh" >"$dir/said" 2>&1
        wanted=$(sed -n 's/^1\.\.//p' "$dir/said")
        seen=0
        while IFS= read -r line; do
                case $line in
                "ok "* | "not ok "*)
                        seen=$((seen + 1))
                        [[ $line == ok* ]]
                        result $? "$test: ${line#* - }"
                        ;;
                1..*) ;;
                *) echo "# ${line#\# }" ;;
                esac
        done <"$dir/said"
        check "$test: ran to its end" [ "$seen" = "$wanted" ]
done
finish
