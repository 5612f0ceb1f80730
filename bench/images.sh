#!/usr/bin/env bash
# Images: 120 MB of files (about 50 MB packed) out of and into a registry on loopback and an
# archive, as whole processes, each figure beside the tools that do the like in the same run.
# shellcheck disable=SC2046,SC2086,SC2154 # command lines are words here; registry-kit.sh sets variables
. "${top_srcdir:?}/bench/kit.bash"
dir=$work runs=${BENCH_RUNS:-10} kit_shell=--shell=bash
# shellcheck source=tests/integration/registry-kit.sh
. "$top_srcdir/tests/integration/registry-kit.sh"
trap 'set +e; registry_end; rm -rf "$dir"' EXIT
row what measured budget 'compared with'

packable_files "$dir/tree"
mb=$(du -sm --apparent-size "$dir/tree" | cut -f1)
registry_start store
printf 's = scratch\nl = local tree\nc = copy s l / / contents\noutput c\n' | llb one
{
        printf 's0 = scratch\nl = local tree\n'
        for i in $(seq 10); do
                printf 's%d = copy s%d l /d*%d / wildcard\n' "$i" $((i - 1)) $((i - 1))
        done
        printf 'output s10\n'
} | llb ten
local="--local tree=$dir/tree"

# ---- An archive
once $(root=made build "$local" --llb "$dir/one")
cp -a "$dir/made" "$dir/unpacked" # nothing in it is packed yet
tar_ms=$(fastest "$aside out/t.gz" "tar -c -C $dir/tree . | igzip -1 -c >$dir/out/t.gz")
ours=$(fastest "$aside root out/a.tar && cp -a $dir/unpacked $dir/root && sync" \
        "$(build "$local" --llb "$dir/one" -o "type=oci,dest=$dir/out/a.tar")")
compare "OCI archive of $mb MB, gzip" '1.3 x' "$ours" 'tar | igzip -1' "$tar_ms"
again=$(fastest "$aside out/a.tar" "$(build "$local" --llb "$dir/one" -o "type=oci,dest=$dir/out/a.tar")")
cp_ms=$(fastest "$aside out/b.tar" "cp $dir/out/a.tar $dir/out/b.tar")
compare 'the same again, layers are there' '-' "$again" 'cp of it' "$cp_ms"

# ---- Push
for n in one ten; do
        once $(root=made build "$local" --llb "$dir/$n" -o "type=image,name=$registry_store/$n:1,push=true")
done
blobs_of() { # NAME: digests of its blobs
        curl -sSf -H "Accept: $manifest_type" "http://$registry_store/v2/$1/manifests/1" | jq -r '.layers[].digest, .config.digest'
}
mkdir "$dir/blobs"
for d in $(blobs_of one); do
        curl -sSf -o "$dir/blobs/$d" "http://$registry_store/v2/one/blobs/$d"
done
layer=$(blobs_of one | head -n 1)
packed=$(calc "$(stat -c %s "$dir/blobs/$layer") / 1e6" %.0f)
cat >"$dir/curl-push" <<END
#!/bin/bash
set -e
cd "$dir/blobs"
for d in *; do
        at=\$(curl -sSf -X POST -D - -o /dev/null "http://$registry_store/v2/pushed/blobs/uploads/" | sed -n 's/^[Ll]ocation: *//p' | tr -d '\r')
        curl -sSf -T "\$d" "\$at&digest=\$d"
done
END
chmod +x "$dir/curl-push"
cat >"$dir/empty" <<END
#!/bin/sh
cd "$dir/registry/store/docker/registry/v2" || exit 1
rm -rf repositories/pushed
find blobs -name data -size +1k -exec mv {} {}.aside ';'
sync
END
chmod +x "$dir/empty"
restore() { find "$dir/registry/store/docker/registry/v2/blobs" -name data.aside -exec sh -c 'mv "$1" "${1%.aside}"' sh {} ';'; }
curl_ms=$(fastest "$dir/empty" "$dir/curl-push")
ours=$(fastest "$dir/empty" "$(root=made build "$local" --llb "$dir/one" -o "type=image,name=$registry_store/pushed:1,push=true")")
restore
compare "push of $packed MB" '1.3 x' "$ours" 'curl -T of the blobs' "$curl_ms"

# ---- Pull
for n in one ten; do
        printf 'i = source docker-image://%s/%s:1\nm = mkfile i /made 0644 text\noutput m\n' "$registry_store" $n | llb "pull-$n"
done
cat >"$dir/curl-pull" <<END
#!/bin/bash
set -e -o pipefail
curl -sSf "http://$registry_store/v2/one/blobs/$layer" | igzip -d -c | tar -x -C "$dir/out"
END
chmod +x "$dir/curl-pull"
curl_ms=$(fastest "$aside out" "$dir/curl-pull")
one=$(fastest "$aside root" "$(build --llb "$dir/pull-one")")
compare "pull and unpack of $mb MB, a layer" '1.5 x' "$one" 'curl | igzip -d | tar -x' "$curl_ms"
ten=$(fastest "$aside root" "$(build --llb "$dir/pull-ten")")
row 'the same in ten layers' "$(calc "$ten" %.0f) ms" '1 x' "$(calc "$ten / $one") x the one layer"
again=$(fastest true "$(build --llb "$dir/pull-ten")")
row 'the same, nothing changed' "$(calc "$again" %.0f) ms" '-' "$(calc "$again / $ten" %.3f) x the first time"

# ---- A push after one file changed
fault_start counted "$registry_store"
{ printf 'b = source docker-image://%s/ten:1\nl = local small\nc = copy b l / /small contents\noutput c\n' "$registry_store"; } | llb changed
mkdir "$dir/small"
for i in 1 2; do
        head -c 50000 /dev/urandom >"$dir/small/file"
        fault_rules counted
        once $(root=made build --local "small=$dir/small" --llb "$dir/changed" -o "type=image,name=$registry_counted/small:$i,push=true")
done
sleep 0.2 # the proxy writes its log after the answer
sent=$(sed -nE 's/^(POST|PUT|PATCH) .* body=([0-9]+) .*/\2/p' "$dir/registry/counted.log" | awk '{ s += $1 } END { print s }')
new=$(curl -sSf -H "Accept: $manifest_type" "http://$registry_store/v2/small/manifests/2" | jq '.layers[-1].size')
row 'push after one file changed' "$(calc "($sent - $new) / 1000" %.1f) kB" '100 kB' "sent beyond the changed layer of $(calc "$new / 1000" %.1f) kB"
