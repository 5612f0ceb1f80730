#!/usr/bin/env bash
# tests/model/claims.sh - spin explores tests/model/claims.pml: claims and cancellation.
#
# Every shape of the model is explored whole: all states that there are, for errors and for
# ways to go on for ever. The same model with a mistake put in must be found wrong, or this
# would pass without looking.
# shellcheck source=tests/integration/tap.sh
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"

for tool in spin gcc; do
        check "$tool is installed (./dev deps does it)" command -v $tool
done

# Two programs: one looks for errors, one for cycles.
build() {
        cp "$top_srcdir/tests/model/claims.pml" "$dir" && cd "$dir" &&
                spin -a claims.pml &&
                gcc -O0 -w -DVECTORSZ=512 -DSAFETY -o errors pan.c &&
                gcc -O0 -w -DVECTORSZ=512 -DNP -o cycles pan.c
}

verdict() { # "errors: 0, 126890 states"
        awk '/errors: [0-9]/ { sub(/.*errors:/, "errors:"); e = $0 }
             / states, stored/ && !n { n = $1 }
             END { print e ", " n " states" }' "$dir/out"
}

explore() { # explore PROGRAM ARGS: with the shape in the environment, into $dir/out
        cd "$dir" && timeout 60 "./$1" -m20000 -w22 ${2:+"$2"} >out 2>&1
        # Nothing may have cut the search short.
        ! grep -qE 'Search not completed|max search depth|out of memory' out &&
                grep -q 'errors: 0' out
}

# holds WHAT VAR=VALUE...: no error in any state, and no way to go on for ever.
holds() {
        local what=$1
        shift
        (declare -x "$@"; explore errors)
        result $? "$what: $(verdict)"
        (declare -x "$@"; explore cycles -l)
        result $? "$what, always ends: $(verdict)"
}

# wrong WHAT VAR=VALUE...: spin finds an error.
wrong() {
        local what=$1
        shift
        (declare -x "$@"; explore errors)
        grep -q 'errors: 1' "$dir/out"
        result $? "found out: $what: $(verdict)"
}

check "spin makes a program of the model" build

holds "three share a key" KEYS0=1 KEYS1=1 KEYS2=1
holds "the middle one shares a key with each of the others" KEYS0=1 KEYS1=3 KEYS2=2
holds "two share a key, one place" KEYS0=1 KEYS1=1 KEYS2=2 PLACES=1
holds "one ignores the cache" KEYS0=1 KEYS1=1 KEYS2=1 IGNORES=2
holds "all need one unit of a limit" KEYS0=1 KEYS1=3 KEYS2=2 LIMITED=7
holds "two need the unit, one place" KEYS0=1 KEYS1=3 KEYS2=2 LIMITED=6 PLACES=1
holds "the last has the first as input" KEYS0=1 KEYS1=1 KEYS2=2 NEEDS_FIRST=1 LIMITED=5
holds "it has, and ignores the cache" KEYS0=1 KEYS1=2 KEYS2=2 NEEDS_FIRST=1 IGNORES=4

wrong "who fails or is stopped passes the claim to nobody" BROKEN=1
wrong "nobody looks whether the claim is held" BROKEN=2
wrong "an op that is being stopped holds no claim" BROKEN=3
wrong "results are not handed to who waits" BROKEN=4
wrong "no look for a record right before the op runs" BROKEN=5
wrong "stopped and wanted again, it stands in no queue" BROKEN=6
wrong "who is blocked keeps its unit of the limit" BROKEN=7 LIMITED=7
wrong "an op that gave up stands in no queue" BROKEN=8

finish
