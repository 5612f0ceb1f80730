#!/usr/bin/env bash
# Layers as blobs: 120 MB of files (57 MB packed) through lib/layer, each figure beside the tools
# that do the like in the same run. The fastest of BENCH_RUNS runs; BENCH_DIR says where.
# What a run leaves is removed at the end of all: see bench/build.sh for why.
set -euo pipefail
work=$(mktemp -d -p "${BENCH_DIR:-/tmp}" slipway-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
layer=$top_builddir/tests/tools/layer runs=${BENCH_RUNS:-10}
mkdir "$work/aside"
aside=$work/put-aside # WHAT...: by name below $work; then there is an empty "out"
cat >"$aside" <<'END'
#!/bin/sh
cd "$(dirname "$0")" || exit 1
for what; do
        [ ! -e "$what" ] || mv "$what" "$(mktemp -u -p aside)" || exit 1
done
mkdir out
sync
END
chmod +x "$aside"
fastest() { # COMMAND: milliseconds; "out" is a new directory each time
        hyperfine -S bash -r "$runs" --prepare "$aside out" --export-json "$work/time.json" "$1" >"$work/log" 2>&1 ||
                { echo "bench: $1 failed" >&2; cat "$work/log" >&2; exit 1; }
        jq '.results[0].min * 1000' "$work/time.json"
}
calc() { awk "BEGIN { printf \"${2:-%.2f}\", $1 }"; }
row() { printf '%-36s | %11s | %13s | %s\n' "$@"; }
compare() { # WHAT BUDGET OURS THEIRS
        local ours theirs
        ours=$(fastest "$3") theirs=$(fastest "$4")
        row "$1" "$(calc "$ours" %.0f) ms" "$2" "$(calc "$ours / $theirs") x ($(calc "$theirs" %.0f) ms)"
}
row what measured budget 'compared with'

python3 - "$work/tree" <<'END'
import os, random, sys
rnd = random.Random(2)
words = [bytes(rnd.choices(b"abcdefghijklmnopqrstuvwxyz_", k=rnd.randrange(2, 12))) for _ in range(400)]
sizes = [rnd.randrange(1000, 60000) for _ in range(3000)] + [3000000] * 10
for i, n in enumerate(sizes):
    d = f"{sys.argv[1]}/d{i % 30}"
    os.makedirs(d, exist_ok=True)
    with open(f"{d}/f{i}", "wb") as f:
        f.write(rnd.randbytes(n // 8) + b" ".join(rnd.choices(words, k=n // 6))[:n * 7 // 8])
END
tar -cf "$work/in.tar" -C "$work/tree" .
igzip -1 -c "$work/in.tar" >"$work/in.tgz"
zstd -3 -q -c "$work/in.tar" >"$work/in.tzst"
cd "$work"

compare 'unpack gzip' '1.2 x' "$layer unpack in.tgz out/store" 'igzip -dc in.tgz | tar -x -C out'
compare 'unpack zstd' '-' "$layer unpack in.tzst out/store" 'zstd -dcq in.tzst | tar -x -C out'
compare 'unpack tar' '-' "$layer unpack in.tar out/store" 'tar -xf in.tar -C out'
compare 'pack with gzip' '1.3 x' "$layer pack gzip -1 0 tree out/blob" 'tar -c -C tree . | igzip -1 -c >out/blob'
compare 'pack with gzip, level 6' '-' "$layer pack gzip 6 0 tree out/blob" 'tar -c -C tree . | gzip -6 >out/blob'
compare 'pack with zstd' '1.3 x' "$layer pack zstd -1 0 tree out/blob" 'tar -c -C tree . | zstd -3 -T2 -q >out/blob'
compare 'pack with estargz' '-' "$layer pack estargz -1 0 tree out/blob" 'tar -c -C tree . | igzip -1 -c >out/blob'
compare 'pack as tar' '-' "$layer pack uncompressed -1 0 tree out/blob" 'tar -cf out/blob -C tree .'
