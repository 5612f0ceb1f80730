#!/bin/bash
# Images into registries: plain, TLS with tokens, passwords. Would catch what is sent though
# it is there, a tag that appears before all of its image, a failure that looks like a failed
# build, names in the store that are not those that were asked for.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
. "$top_srcdir/tests/integration/registry-kit.sh"

kit_root "$dir/rootfs" || exit 99
llb() { # FILE TEXT: two layers below, and one that has TEXT
        kit_llb "$1" <<END
none = scratch
root = local rootfs
base = copy none root / / contents
big = mkfile base /big 0644 "$(seq -s ' ' 4000)" time=1600000000000000000
made = mkfile big /app 0755 "#!/bin/sh\necho $2\n" time=1600000000000000000
output made
END
}
llb "$dir/app.bin" one
llb "$dir/other.bin" two
registry_start plain || exit 99
registry_start second || exit 99
token_start tokens --user "tester:secret word" --tls-cert "$dir/ca/server.pem" --tls-key "$dir/ca/server.key" || exit 99
token_realm=https://$registry_tokens/token
registry_start tls tls token || exit 99
registry_config plain 'http: true'
registry_config second 'http: true'
registry_config tls 'http: false' "ca: [$dir/ca/ca.pem]"
registry_config tokens 'http: false' "ca: [$dir/ca/ca.pem]"
kit_config=(--config "$dir/registries.yaml")
build() { kit_build --llb "$dir/app.bin" --local rootfs="$dir/rootfs" "$@"; }
push() { build -o "type=image,push=true,name=$1${2:+,$2}" "${@:3}"; }
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
peek() { skopeo inspect --tls-verify=false "$@"; }

pushed() {
        push "$registry_plain/app:1" "" --metadata-file "$dir/meta.json" &&
                [ "$(peek --format '{{.Digest}}' "docker://$registry_plain/app:1")" = "$(json 'd["containerimage.digest"]' <"$dir/meta.json")" ]
}
check "an image is pushed" pushed
copied() { skopeo copy -q --src-tls-verify=false "docker://$registry_plain/app:1" "oci:$dir/copy:1" && umoci raw unpack --image "$dir/copy:1" "$dir/files" && [ -x "$dir/files/app" ]; }
check "skopeo copies it, umoci unpacks it" copied
uploads() { grep -c '"http.request.method":"\(POST\|PUT\|PATCH\)"\|http.request.method=\(POST\|PUT\|PATCH\)' "$dir/registry/plain.log"; }
nothing_new() {
        local before after
        before=$(uploads)
        push "$registry_plain/app:1" || return 1
        after=$(uploads)
        [ $((after - before)) -le 2 ] || { echo "$before, $after requests that send"; return 1; }
}
check "what is there is not sent again" nothing_new
stored() { "$SLIPWAY" "${kit_config[@]}" images | grep -F "$registry_plain/app:1"; }
check "the store has it by its name" stored
changed() { kit_build --llb "$dir/other.bin" --local rootfs="$dir/rootfs" -o "type=image,push=true,name=$registry_plain/app:2" && peek "docker://$registry_plain/app:2"; }
check "a change of one file" changed
mounted() { push "$registry_plain/elsewhere:1" && grep 'mount=sha256' "$dir/registry/plain.log" | grep -F "from=app" | grep -q ' 201 '; }
check "layers are mounted from another repository of the host" mounted
several() { push "$registry_plain/x/a:1" '"name=unused"' 2>/dev/null && return 1
        build -o "type=image,push=true,\"name=$registry_plain/x/a:1,$registry_second/x/b:2\"" && peek "docker://$registry_plain/x/a:1" && peek "docker://$registry_second/x/b:2"; }
check "several names" several
by_digest() {
        push "$registry_plain/digest" push-by-digest=true --metadata-file "$dir/meta.json" &&
                peek --raw "docker://$registry_plain/digest@$(json 'd["containerimage.digest"]' <"$dir/meta.json")" && ! peek --raw "docker://$registry_plain/digest:latest"
}
check "by digest alone" by_digest
exits() { # STATUS WORDS COMMAND...
        local want=$1 words=$2 status
        shift 2
        "$@" 2>"$dir/said"
        status=$?
        if [ "$status" != "$want" ] || ! grep -qF -- "$words" "$dir/said"; then
                echo "status $status"
                cat "$dir/said"
                return 1
        fi
}
check "a tag cannot be pushed by digest" exits 1 "can't push tagged ref" push "$registry_plain/digest:1" push-by-digest=true
check "push without a name" exits 1 "needs name=" build -o type=image,push=true

# ---- who may ----

mkdir "$dir/docker"
auth=$(printf 'tester:secret word' | base64)
printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry_tls" "$auth" >"$dir/docker/config.json"
with_token() {
        DOCKER_CONFIG=$dir/docker push "$registry_tls/app:1" &&
                skopeo inspect --cert-dir "$dir/ca-only" --creds "tester:secret word" "docker://$registry_tls/app:1"
}
mkdir "$dir/ca-only" && cp "$dir/ca/ca.pem" "$dir/ca-only/ca.crt"
check "TLS by a CA of our own, with tokens" with_token
all_the_way() {
        skopeo copy -q --src-cert-dir "$dir/ca-only" --src-creds "tester:secret word" "docker://$registry_tls/app:1" "oci:$dir/way:1" &&
                umoci unpack --image "$dir/way:1" "$dir/bundle" && [ "$(kit_run "$dir/bundle" /app)" = one ]
}
check "copied by skopeo, unpacked by umoci, run by crun" all_the_way
printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry_tls" "$(printf 'tester:wrong' | base64)" >"$dir/docker/config.json"
refused() { DOCKER_CONFIG=$dir/docker push "$registry_tls/app:2"; }
check "a wrong password is exit status 3, and names the image" exits 3 "failed to push $registry_tls/app:2" refused
check "and the host" grep -qF "$registry_tls" "$dir/said"
nobody() { DOCKER_CONFIG=$dir/nowhere push "$registry_tls/app:2"; }
check "no password at all" exits 3 "failed to push" nobody
not_here() { push 127.0.0.1:1/app:1 registry.insecure=true; }
check "no registry" exits 3 "failed to push 127.0.0.1:1/app:1" not_here
both() { # the archive is there although the push fails
        build -o "type=image,push=true,registry.insecure=true,name=127.0.0.1:1/app:1" -o type=oci,dest="$dir/both.tar"
}
check "a failed push leaves other outputs" exits 3 "failed to push" both
check "as they are" test -s "$dir/both.tar"

# ---- faults ----

fault_start faulty "$registry_plain" || exit 99
registry_config faulty 'http: true'
through() { # WHAT RULE...
        fault_rules faulty "${@:2}"
        push "$registry_faulty/f$1:1" compression=zstd && peek "docker://$registry_plain/f$1:1"
}
check "a registry that is busy for a while" through 1 '2 ^(POST|PUT|PATCH) status 503 0'
check "an upload that breaks off" through 2 '1 ^(PUT|PATCH)./v2/f2/blobs cut 1000'
check "an answer that is lost" through 3 '1 ^PUT./v2/f3/blobs late'
no_tag() { # nothing by that tag when a blob could not be sent
        fault_rules faulty '* ^(POST|PUT|PATCH)./v2/f4/blobs status 403'
        push "$registry_faulty/f4:1" compression=zstd
}
check "a registry that takes no blob" exits 3 "failed to push" no_tag
check "has no tag" test -z "$(peek "docker://$registry_plain/f4:1" 2>/dev/null)"
half() { # killed in the middle of it, and again
        local pid
        fault_rules faulty '* ^(PUT|PATCH)./v2/f5/(blobs|manifests) stall 0 30'
        kit_build --llb "$dir/app.bin" --local rootfs="$dir/rootfs" -o "type=image,push=true,name=$registry_faulty/f5:1" 2>/dev/null &
        pid=$!
        for ((i = 0; i < 100; i++)); do
                grep -q 'v2/f5' "$dir/registry/faulty.log" && break
                sleep 0.05
        done
        pkill -KILL -P "$pid" -x slipway
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
        fault_rules faulty
        push "$registry_faulty/f5:1" && peek "docker://$registry_plain/f5:1"
}
check "killed while it pushes, it pushes the rest the next time" half

# ---- names in the store alone ----

names() { "$SLIPWAY" "${kit_config[@]}" images --format '{{range .}}{{.Name}} {{end}}' 2>/dev/null || "$SLIPWAY" "${kit_config[@]}" images; }
dangling() {
        build -o type=image,dangling-name-prefix=nothing --metadata-file "$dir/meta.json" &&
                names | grep -qF "nothing@$(json 'd["containerimage.digest"]' <"$dir/meta.json")"
}
check "dangling names" dangling
canonical() { build -o type=image,name=canon:1,name-canonical=true && names | grep -qF "docker.io/library/canon:1@sha256:"; }
check "canonical names" canonical
unstored() { build -o type=image,name=unstored:1,store=false && ! names | grep -F unstored; }
check "store=false" unstored
check "unpack" build -o type=image,name=unpacked:1,unpack=true
check "unpack and rewrite-timestamp" exits 1 'conflicts with "unpack"' build -o type=image,name=x:1,unpack=true,rewrite-timestamp=true,source-date-epoch=1

# ---- out of the store ----

saved() {
        images save canon:1 "$registry_plain/app:2" -o "$dir/saved.tar" &&
                [ "$(peek --format '{{.Digest}}' "oci-archive:$dir/saved.tar:docker.io/library/canon:1" 2>/dev/null ||
                        peek --format '{{.Digest}}' "oci-archive:$dir/saved.tar:1")" = "$(images --format '{{range .}}{{.Name}} {{.Digest}}
{{end}}' | awk '$1 == "docker.io/library/canon:1" { print $2 }')" ]
}
images() { "$SLIPWAY" "${kit_config[@]}" images "$@"; }
check "images save" saved
check "the archive has each blob once" test -z "$(tar tf "$dir/saved.tar" | sort | uniq -d)"
for_docker() { images save --as docker canon:1 >"$dir/saved-docker.tar" && peek "docker-archive:$dir/saved-docker.tar:canon:1"; }
check "for docker load, to standard output" for_docker
none() { images save nothing-like-it:1 -o "$dir/none.tar"; }
check "what is not there" exits 1 "there is no image" none
check "leaves no file" test -z "$(ls "$dir"/none.tar* 2>/dev/null)"
finish
