#!/usr/bin/env bash
# dev.d/bench.sh TOP [PATTERN] - run the measurements whose name matches.
#
# Each bench/NAME.sh or bench/NAME_bench prints one line per figure:
#       what | measured | budget | compared with
# Budgets are never tests: machines differ. Ratios are against a tool named in the same run.
set -euo pipefail
cd "$1"
pattern=${2:-.}
export PATH=$1/build-bench/prefix/bin:$PATH
export LD_LIBRARY_PATH=$1/build-bench/prefix/lib
export top_srcdir=$1 top_builddir=$1/build-bench
unset SLIPWAY_PLUGIN_PATH SLIPWAY_CONFIG SLIPWAY_ROOT

found=0
for b in bench/*.sh build-bench/bench/*_bench; do
        [ -f "$b" ] && grep -qE -- "$pattern" <<<"$(basename "$b")" || continue
        found=1
        printf '== %s\n' "$(basename "$b")"
        case $b in
        *.sh) bash "$b" ;;
        *) "$b" ;;
        esac
done
[ "$found" -eq 1 ] || { echo "bench: nothing matches '$pattern'"; exit 1; }
