#!/usr/bin/env bash
# The plugin loads, is listed as ready, and keeps the rules of its kind.
set -u
"$SLIPWAY" --plugin-dir "$top_builddir/plugins/.libs" plugins show @KIND@/@NAME@ 2>&1 | sed 's/^/# /'
exec "$top_builddir/tests/contract/slipway-contract" --plugin-dir "$top_builddir/plugins/.libs" @KIND@/@NAME@
