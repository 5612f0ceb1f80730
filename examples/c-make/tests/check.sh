#!/bin/sh
# check.sh PROGRAM
set -eu
is() {
        got=$("$program" "$1") || true
        [ "$got" = "$2" ] || { echo "roman $1: $got, not $2" >&2; exit 1; }
}
program=$1
is 1 I
is 1994 MCMXCIV
is 3888 MMMDCCCLXXXVIII
is MMXXVI 2026
is IIII "" 2>/dev/null
is 4000 "" 2>/dev/null
echo "roman: all is well"
