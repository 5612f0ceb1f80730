#!/usr/bin/env bash
# Images of registries as sources, from a real registry, through a proxy that makes
# mistakes, with and without credentials. Catches: layers fetched though nobody looks at
# them, an image that is fetched again, what is broken taken for whole, a failure that
# leaves something behind, a build that needs the network for what it knows by digest.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
. "$top_srcdir/tests/integration/registry-kit.sh"
for tool in docker-registry skopeo umoci; do
        command -v $tool >/dev/null || { echo "Bail out! $tool is needed (./dev deps installs it)"; exit 1; }
done
kit_apart
trap 'registry_end; kit_end; rm -rf "$dir"' EXIT
export DOCKER_CONFIG=$dir/docker
mkdir "$DOCKER_CONFIG"

# shellcheck disable=SC2034 # kit_build takes it
configure() { cat "$dir/config.yaml" "$dir/registries.yaml" >"$dir/all.yaml" && kit_config=(--config "$dir/all.yaml"); }
make_image() {
        local b=$dir/bundle l=$dir/layout i
        umoci init --layout "$l" && umoci new --image "$l:v1" && umoci unpack --image "$l:v1" "$b" || return
        kit_root "$b/rootfs"
        for i in 1 2 3; do
                umoci repack --image "$l:v1" "$b" && rm -rf "$b" && umoci unpack --image "$l:v1" "$b" || return
                head -c 2000000 /dev/urandom >"$b/rootfs/large$i" && echo "$i" >"$b/rootfs/last" || return
        done
        umoci repack --image "$l:v1" "$b" && rm -rf "$b" && umoci unpack --image "$l:v1" "$b"
}
start() {
        registry_start plain && fault_start proxy "$registry_plain" && registry_start tls tls htpasswd &&
                token_start tokens --user 'tester:secret word' && registry_start guarded token || return
        skopeo copy -q --dest-tls-verify=false "oci:$dir/layout:v1" "docker://$registry_plain/base/app:v1" || return
        for r in "$registry_tls" "$registry_guarded"; do
                skopeo copy -q --dest-tls-verify=false --dest-creds 'tester:secret word' "oci:$dir/layout:v1" "docker://$r/base/app:v1" || return
        done
        registry_config tls 'http: false' "ca: [$dir/ca/ca.pem]"
        registry_localhost=localhost:${registry_tls#*:}
        registry_config localhost 'http: false'
        configure
}
ask() { # NAME FILE [ATTR...]: a definition that is the image
        local name=$1 file=$2
        shift 2
        echo "a = source docker-image://$name $*
output a" | kit_llb "$file"
}
fetched() { grep -c 'GET /v2/.*/blobs/.* -> 20[06]' "$dir/registry/proxy.log"; }

lazy() {
        fault_rules proxy
        ask "$registry_proxy/base/app:v1" "$dir/def"
        SLIPWAY_ROOT=$dir/lazy kit_build --llb "$dir/def" || return
        # the configuration is a blob, too
        [ "$(fetched)" -le 1 ] || { cat "$dir/registry/proxy.log"; return 1; }
}
pulled() {
        fault_rules proxy
        kit_build --llb "$dir/def" -o "type=local,dest=$dir/out" && diff -r --no-dereference "$dir/bundle/rootfs" "$dir/out"
}
ran() {
        {
                echo "a = source docker-image://$registry_proxy/base/app:v1"
                echo 'r = run a -- /bin/sh -c "cat /last; sha256sum /large1 /large2 /large3 >/sums"'
                echo 'o = result r /'
                echo 'output o'
        } | kit_llb "$dir/def2"
        fault_rules proxy
        kit_build --llb "$dir/def2" -o "type=local,dest=$dir/ran" || return
        [ "$(fetched)" = 0 ] || { cat "$dir/registry/proxy.log"; return 1; }
        (cd "$dir/bundle/rootfs" && sed 's, /, ,' "$dir/ran/sums" | sha256sum -c --quiet)
}
by_digest() { # known by its digest, it is built though the registry is not to be reached
        local digest
        digest=$(skopeo inspect --raw --tls-verify=false "docker://$registry_plain/base/app:v1" | sha256sum | cut -c1-64)
        ask "$registry_proxy/base/app@sha256:$digest" "$dir/def3"
        kit_build --llb "$dir/def3" -o "type=local,dest=$dir/out3" || return
        fault_rules proxy '* . status 503'
        rm -rf "$dir/out3"
        kit_build --llb "$dir/def3" -o "type=local,dest=$dir/out3" && [ -s "$dir/out3/last" ]
}
newer() { # with one layer more: only that is fetched, and who waits is told of the others
        local b=$dir/bundle2 l=$dir/layout n
        umoci unpack --image "$l:v1" "$b" && echo more >"$b/rootfs/more" && umoci repack --image "$l:v2" "$b" &&
                skopeo copy -q --dest-tls-verify=false "oci:$l:v2" "docker://$registry_plain/base/app:v2" || return
        n=$(jq '.layers | length' "$l/blobs/sha256/$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "v1").digest' "$l/index.json" | cut -d: -f2)")
        fault_rules proxy
        ask "$registry_proxy/base/app:v2" "$dir/def4"
        "$SLIPWAY" "${kit_config[@]}" build --progress plain --llb "$dir/def4" -o "type=local,dest=$dir/out4" >"$dir/said" 2>&1 &&
                [ -s "$dir/out4/more" ] && [ "$(fetched)" = 2 ] && # the configuration, too
                [ "$(grep -cE ' sha256:[0-9a-f]{64}: exists' "$dir/said")" = "$n" ] && grep -q 'extracting sha256' "$dir/said" ||
                { echo "$n layers"; cat "$dir/said" "$dir/registry/proxy.log"; return 1; }
}
through() { # RULE...: the whole image, on a root of its own, though the proxy does that
        fault_rules proxy "$@"
        rm -rf "$dir/fault" "$dir/outf"
        SLIPWAY_ROOT=$dir/fault kit_build --llb "$dir/def" -o "type=local,dest=$dir/outf" || return
        grep -q '\[' "$dir/registry/proxy.log" || { echo "the proxy did nothing:"; cat "$dir/registry/proxy.log"; return 1; }
        diff -r --no-dereference "$dir/bundle/rootfs" "$dir/outf" && SLIPWAY_ROOT=$dir/fault kit_usage_is_right
}
not_through() { # WHY RULE...: refused, with these words, and nothing stays
        local why=$1
        shift
        fault_rules proxy "$@"
        rm -rf "$dir/fault" "$dir/outf"
        if SLIPWAY_ROOT=$dir/fault kit_build --llb "$dir/def" -o "type=local,dest=$dir/outf" 2>"$dir/err"; then
                echo "it was built"
                return 1
        fi
        grep -qi -- "$why" "$dir/err" || { cat "$dir/err"; return 1; }
        [ ! -e "$dir/outf" ] && [ -z "$(find "$dir/fault/content/ingest" -mindepth 1)" ] &&
                SLIPWAY_ROOT=$dir/fault kit_usage_is_right || return
        fault_rules proxy
        SLIPWAY_ROOT=$dir/fault kit_build --llb "$dir/def" -o "type=local,dest=$dir/outf" &&
                diff -r --no-dereference "$dir/bundle/rootfs" "$dir/outf"
}
login() { # HOST: credentials in Docker's file
        printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" "$(printf 'tester:%s' "${2:-secret word}" | base64)" >"$DOCKER_CONFIG/config.json"
}
with_password() { # NAME: of the registry
        local host=registry_$1
        ask "${!host}/base/app:v1" "$dir/defp"
        login "${!host}"
        rm -rf "$dir/auth" "$dir/outp"
        SLIPWAY_ROOT=$dir/auth kit_build --llb "$dir/defp" -o "type=local,dest=$dir/outp" && [ -s "$dir/outp/large3" ]
}
denied() { # NAME PASSWORD WHY...
        local host=registry_$1 why
        ask "${!host}/base/app:v1" "$dir/defp"
        if [ -n "$2" ]; then login "${!host}" "$2"; else rm -f "$DOCKER_CONFIG/config.json"; fi
        shift 2
        rm -rf "$dir/auth"
        ! SLIPWAY_ROOT=$dir/auth kit_build --llb "$dir/defp" -o "type=local,dest=$dir/outd" 2>"$dir/err" || return
        for why; do
                grep -qF -- "$why" "$dir/err" || { echo "no '$why' in:"; cat "$dir/err"; return 1; }
        done
        [ ! -e "$dir/outd" ]
}
missing() { # WHAT WHY
        ask "$1" "$dir/defm"
        ! SLIPWAY_ROOT=$dir/auth kit_build --llb "$dir/defm" 2>"$dir/err" && grep -qi -- "$2" "$dir/err" || { cat "$dir/err"; return 1; }
}

check "an image" make_image
start >"$dir/started" 2>&1 # not in a shell of its own: it sets variables
check "registries, a proxy, a token server" [ $? = 0 ]
check "what nobody looks at is not fetched" lazy
check "an image is the tree that it was made of" pulled
check "a command runs in it, and nothing is fetched again" ran
check "known by its digest, it needs no network" by_digest
check "a newer one with the same layers: they are told of" newer
check "usage is that of du(1)" kit_usage_is_right
check "a connection that breaks in a layer" through '2 GET.*blobs drop 300000'
check "busy twice" through '2 . status 503'
check "too many requests" through '1 manifests status 429 1'
check "an error of the server for each blob" through '4 GET.*blobs status 500'
check "no ranges when it breaks" through '1 GET.*blobs drop 100000' '* GET.*blobs norange'
check "a byte of a layer is another one" not_through 'something else' '* GET.*blobs corrupt 200'
check "a layer that is longer" not_through 'something else\|bytes\|longer\|size' '* GET.*blobs extra 100'
check "a layer that is not there" not_through 'not found\|404' '* GET.*blobs status 404'
check "a manifest that is another" not_through 'something else' '* GET.*manifests corrupt 30'
check "TLS and a password" with_password tls
check "a token" with_password guarded
check "a wrong password names the host and where it was looked for" denied tls wrong "$registry_tls" config.json
check "a wrong password for a token" denied guarded wrong "$registry_guarded" config.json
check "none at all" denied guarded '' "$registry_guarded"
check "a tag that is not there" missing "$registry_plain/base/app:v9" 'base/app:v9: not found$'
check "a repository that is not there" missing "$registry_plain/base/none:v1" 'not found'
check "a certificate of nobody's" missing "$registry_localhost/base/app:v1" 'certificate\|SSL\|TLS'
check "a name that is none" missing "$registry_plain/Base:v1" 'invalid reference format'
check "no container, mount, lease or temporary file is left" kit_clean nothing-has-this-name
finish
