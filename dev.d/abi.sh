#!/usr/bin/env bash
# dev.d/abi.sh TOP - compare the library and installed headers with those of the last tag.
# Fails on an incompatible change; additions are listed and fine.
set -euo pipefail
cd "$1"
tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
if [ -z "$tag" ]; then
        echo "abi: no tag v* yet, so there is nothing to compare with; the ABI promise starts with the first"
        exit 0
fi

work=$(mktemp -d)
trap 'git worktree remove --force "$work/old" 2>/dev/null || true; rm -rf "$work"' EXIT
git worktree add -q --detach "$work/old" "$tag"

library() { # SOURCE BUILD: print the path of the library built there
        (cd "$1" && ./bootstrap >/dev/null 2>&1 && mkdir -p "$2" && cd "$2" &&
                "$1/configure" -q CFLAGS="-g -O0" >/dev/null 2>&1 && make -s -j"$(nproc)" libslipway.la >/dev/null 2>&1)
        echo "$2/.libs/libslipway.so"
}
echo "abi: comparing with $tag"
old=$(library "$work/old" "$work/old-build")
new=$(library "$1" "$work/new-build")
# Bits 2 and 3 of abidiff's status: a change, and one that is incompatible for certain.
status=0
abidiff --no-added-syms --headers-dir1 "$work/old/core/include" --headers-dir2 core/include \
        --drop-private-types "$old" "$new" || status=$?
[ $((status & 8)) -eq 0 ] || { echo "abi: incompatible with $tag: raise SW_ABI_MAJOR and the library's version-info"; exit 1; }
[ $((status & 3)) -eq 0 ] || { echo "abi: abidiff itself failed"; exit 1; }
echo "abi: compatible with $tag"
