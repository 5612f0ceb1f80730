#!/usr/bin/env bash
# Every snapshotter in the tree keeps the rules of its kind: one TAP line per rule and plugin.
. "$top_srcdir/tests/contract/each.sh"
contract_all snapshotter snapshot
# the same by the calls of older kernels
contract snapshotter overlay --option mount-api=classic
# ... which work wherever the newer ones do
if grep -q '^ok .*overlay: probe finds that it works here' "$work/all"; then
        [ "$(grep -c '^ok .*overlay: probe finds that it works here' "$work/all")" = 2 ] ||
                echo "not ok 1 - overlay: works with mount(2), too" >>"$work/all"
fi
contract_end
