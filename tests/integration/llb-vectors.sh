#!/usr/bin/env bash
# llb-vectors.sh - definitions that BuildKit's Go client made, printed as buildctl prints
# them. Catches: any difference, by a byte, in decoding, digests or printing.
#
# tests/data/llb has NAME.llb and NAME.jsonl; where a newer set lies beside the source tree
# it is compared as well.
set -u
# shellcheck disable=SC2154 # set by the makefile
data=("$top_srcdir"/tests/data/llb/*.llb)
for f in "$top_srcdir"/../shared/vectors/llb/*.llb; do
        [ -f "$f" ] && data+=("$f")
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0

check() { # WHAT COMMAND...: one test
        local what=$1
        shift
        n=$((n + 1))
        if "$@" >"$tmp/log" 2>&1; then
                echo "ok $n - $what"
        else
                echo "not ok $n - $what"
                sed 's/^/# /' "$tmp/log" | head -20
        fi
}

same_json() { # FILE
        "$SLIPWAY" debug dump-llb "$1" >"$tmp/out" && cmp "$tmp/out" "${1%.llb}.jsonl"
}

from_stdin() { # FILE
        "$SLIPWAY" debug dump-llb <"$1" | cmp - "${1%.llb}.jsonl" &&
                "$SLIPWAY" debug dump-llb - <"$1" | cmp - "${1%.llb}.jsonl"
}

# Every digest is a node; every input an edge.
whole_dot() { # FILE
        local digests inputs
        digests=$(grep -c . "${1%.llb}.jsonl")
        inputs=$(grep -o '"digest":' "${1%.llb}.jsonl" | wc -l)
        "$SLIPWAY" debug dump-llb --dot "$1" >"$tmp/dot" &&
                [ "$(grep -c ' shape=' "$tmp/dot")" -eq "$digests" ] &&
                [ "$(grep -c ' -> ' "$tmp/dot")" -eq "$inputs" ]
}

# Every vertex but the last op has its line.
whole_tree() { # FILE
        "$SLIPWAY" debug dump-llb --tree "$1" >"$tmp/tree" &&
                [ "$(grep -c '● ' "$tmp/tree")" -eq "$(($(grep -c . "${1%.llb}.jsonl") - 1))" ]
}

fails() { # COMMAND...
        ! "$@"
}

for f in "${data[@]}"; do
        name=$(basename "$f" .llb)
        check "$name: JSON" same_json "$f"
        check "$name: dot" whole_dot "$f"
        check "$name: tree" whole_tree "$f"
done
check "standard input" from_stdin "${data[0]}"
check "--dot and --tree together" fails "$SLIPWAY" debug dump-llb --dot --tree "${data[0]}"
printf '\377' >"$tmp/broken"
check "broken file" fails "$SLIPWAY" debug dump-llb "$tmp/broken"
check "missing file" fails "$SLIPWAY" debug dump-llb "$tmp/none"
echo "1..$n"
