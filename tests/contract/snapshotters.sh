#!/usr/bin/env bash
# Every snapshotter in the tree keeps the rules of its kind: one TAP line per rule and plugin.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/contract/each.sh"
contract_all snapshotter snapshot
# the same by the calls of older kernels
contract snapshotter overlay --option mount-api=classic --quick
# ... which work wherever the newer ones do
if grep -q '^ok .*overlay: probe finds that it works here' "$work/all"; then
        [ "$(grep -c '^ok .*overlay: probe finds that it works here' "$work/all")" = 2 ] ||
                echo "not ok 1 - overlay: works with mount(2), too" >>"$work/all"
fi
# "native" is what is left where the store lies on an overlay, as in many containers; there
# neither another overlay nor a device 0:0 can be made.
mkdir "$work/l" "$work/u" "$work/w" "$work/m"
if unshare -m true 2>/dev/null; then
        # shellcheck disable=SC2016
        unshare -m --propagation private bash -c 'mount -t overlay overlay \
                -o "lowerdir=$0/l,upperdir=$0/u,workdir=$0/w" "$0/m" && TMPDIR=$0/m exec "$@"' "$work" \
                "$contract" --plugin-dir "$top_builddir/plugins/.libs" --quick snapshotter/native |
                grep -v '^1\.\.' | sed 's/ - native:/& on an overlay:/' >"$work/out"
        grep -q 'keeps no descriptor after close' "$work/out" ||
                echo "not ok 1 - native on an overlay: the suite ran to its end" >>"$work/out"
        cat "$work/out" >>"$work/all"
else
        echo "ok 1 - native on an overlay # SKIP no mount namespace can be made" >>"$work/all"
fi
# In a user namespace attributes are those of user.*, and there are no devices.
if unshare -U --map-root-user -m true 2>/dev/null; then
        for name in overlay native; do
                unshare -U --map-root-user -m "$contract" --plugin-dir "$top_builddir/plugins/.libs" \
                        --quick "snapshotter/$name" | grep -v '^1\.\.' |
                        sed "s/ - $name:/& in a user namespace:/" >"$work/out"
                grep -q 'keeps no descriptor after close\|says why it does not work here' "$work/out" ||
                        echo "not ok 1 - $name in a user namespace: the suite ran to its end" >>"$work/out"
                cat "$work/out" >>"$work/all"
        done
fi
contract_end
