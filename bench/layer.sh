#!/usr/bin/env bash
# Layers as blobs: 120 MB of files (57 MB packed) through lib/layer, each figure beside the tools
# that do the like in the same run.
. "${top_srcdir:?}/bench/kit.bash"
layer=$top_builddir/tests/tools/layer runs=${BENCH_RUNS:-10} kit_shell=--shell=bash
beside() { # WHAT BUDGET OURS THEIRS: "out" is a new directory each time
        local ours theirs
        ours=$(fastest "$aside out" "$3") theirs=$(fastest "$aside out" "$4")
        compare "$1" "$2" "$ours" "$4" "$theirs"
}
row what measured budget 'compared with'

packable_files "$work/tree"
tar -cf "$work/in.tar" -C "$work/tree" .
igzip -1 -c "$work/in.tar" >"$work/in.tgz"
zstd -3 -q -c "$work/in.tar" >"$work/in.tzst"
cd "$work"

beside 'unpack gzip' '1.2 x' "$layer unpack in.tgz out/store" 'igzip -dc in.tgz | tar -x -C out'
beside 'unpack zstd' '-' "$layer unpack in.tzst out/store" 'zstd -dcq in.tzst | tar -x -C out'
beside 'unpack tar' '-' "$layer unpack in.tar out/store" 'tar -xf in.tar -C out'
beside 'pack with gzip' '1.3 x' "$layer pack gzip -1 0 tree out/blob" 'tar -c -C tree . | igzip -1 -c >out/blob'
beside 'pack with gzip, level 6' '-' "$layer pack gzip 6 0 tree out/blob" 'tar -c -C tree . | gzip -6 >out/blob'
beside 'pack with zstd' '1.3 x' "$layer pack zstd -1 0 tree out/blob" 'tar -c -C tree . | zstd -3 -T2 -q >out/blob'
beside 'pack with estargz' '-' "$layer pack estargz -1 0 tree out/blob" 'tar -c -C tree . | igzip -1 -c >out/blob'
beside 'pack as tar' '-' "$layer pack uncompressed -1 0 tree out/blob" 'tar -cf out/blob -C tree .'
