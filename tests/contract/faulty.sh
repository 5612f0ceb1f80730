#!/usr/bin/env bash
# The suite of snapshotters finds what is wrong with one: each fault of a plugin made for it
# breaks a rule, and without a fault it keeps them all. Catches rules that cannot fail.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"

suite() {
        "$top_builddir/tests/contract/slipway-contract" --quick \
                --plugin-dir "$top_builddir/tests/contract/faulty/.libs" \
                --option "fault=$1" snapshotter/faulty >"$dir/out" 2>&1
}
passes() { suite none; }
found() { # FAULT RULE: this rule is broken
        suite "$1"
        [ $? = 1 ] && grep -q "^not ok .*$2" "$dir/out" || { grep '^not ok' "$dir/out"; return 1; }
}

check "without a fault every rule is kept" passes
check "whiteouts that are lost" found whiteout 'whiteouts hide directories'
check "opaque directories that are not" found opaque 'opaque directories hide'
check "attributes that are lost" found xattr 'a directory keeps its time'
check "hard links that are copies" found hardlink 'a hard link'
check "a device that is a whiteout" found node 'the device of whiteouts is refused'
check "times that are wrong" found time 'metadata of the upper one'
check "a view without its highest layers" found view 'whiteouts hide directories'
check "a descriptor that stays open" found leak 'keeps no descriptor'
check "a key that is prepared twice" found twice 'a key is not prepared twice'
check "usage that is wrong" found usage 'usage of all layers'
check "usage that changes behind one's back" found stamp 'says that it may have changed'
check "a layer that is not removed" found remove 'what was removed is not there'
check "a layer that is listed twice" found list 'list tells every layer once'
check "a diff that tells everything" found diff 'a diff tells what changed'
finish
