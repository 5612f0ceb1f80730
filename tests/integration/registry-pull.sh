#!/usr/bin/env bash
# Pulling with the registry client. Catches: what was fetched and is not what was named; a
# transfer that broke off and is given up, or begun anew; a registry that makes us wait for
# ever, send credentials elsewhere, or read without end; mirrors, certificates and plain
# HTTP that are not as configured; errors that do not name what failed.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/registry-kit.sh"
index_type=application/vnd.oci.image.index.v1+json

# fetches NAME [ARG...]: the blob comes whole, and is right.
fetches() {
        local name=$1
        shift
        t "$@" fetch "$name/some/repo" "$layer" "$size" >"$dir/got" 2>"$dir/err" && [ "sha256:$(sha256sum <"$dir/got" | cut -c1-64)" = "$layer" ] &&
                return
        cat -v "$dir/err"
        return 1
}

registry_start plain || exit 1
head -c 3000000 /dev/urandom >"$dir/file"
registry_put plain some/repo v1 "$dir/file" || exit 1
read -r _ manifest msize < <("$regtool" resolve "$registry_plain/some/repo:v1")
"$regtool" document "$registry_plain/some/repo" "$manifest_type" "$manifest" >"$dir/manifest"
# shellcheck disable=SC2034 # in commands for eval
read -r layer size config < <(python3 -c 'import json, sys
m = json.load(open(sys.argv[1])); print(m["layers"][0]["digest"], m["layers"][0]["size"], m["config"]["digest"])' "$dir/manifest")
none=sha256:$(printf 'a%.0s' {1..64})
fault_start bad "$registry_plain" || exit 1
repo=$registry_bad/some/repo

# ---- what is right ----
check "a tag is resolved" prints "$manifest_type $manifest $msize" resolve "$registry_plain/some/repo:v1"
check "a digest is resolved" prints "$manifest_type $manifest $msize" resolve "$registry_plain/some/repo@$manifest"
check "a manifest is what the registry has" test "sha256:$(sha256sum <"$dir/manifest" | cut -c1-64)" = "$manifest"
check "a configuration comes as a document" eval 't document "$registry_plain/some/repo" application/vnd.oci.image.config.v1+json "$config" | grep -q amd64'
check "a blob is fetched" fetches "$registry_plain"
check "tags are listed" prints v1 tags "$registry_plain/some/repo"
check "localhost is plain HTTP, too" prints v1 tags "localhost:${registry_plain#*:}/some/repo"
head -c 1000000 "$dir/got" >"$dir/part"
fault_rules bad
check "a blob goes on where it stopped" eval 't fetch "$repo" "$layer" "$size" "$dir/part" | cmp - <(tail -c +1000001 "$dir/got")'
check "  by a range" logged bad 1 'range=bytes=1000000- .*-> 206'
fault_rules bad
check "several come one after another" t --repeat 5 fetch-all "$repo" "$layer:$size"
check "  over one connection" logged bad 1 '^connection'
eight=()
for _ in {1..8}; do eight+=("$layer:$size"); done
fault_rules bad '* . delay 0.3'
check "several come at once" t fetch-all "$repo" "${eight[@]}"
check "  four" eval 'logged bad 4 "^connection" && ! grep -E "busy=[5-9]" "$dir/registry/bad.log"'
printf 'system:\n  maxRegistryConcurrency: 2\n' >"$dir/two.yaml"
fault_rules bad '* . delay 0.3'
check "  or as many as is configured" eval 't --config "$dir/two.yaml" fetch-all "$repo" "${eight[@]}" && ! grep -E "busy=[3-9]" "$dir/registry/bad.log" && grep "busy=2" "$dir/registry/bad.log"'
check "a blob whose size is not known is fetched" eval 't fetch "$registry_plain/some/repo" "$layer" -1 | cmp - "$dir/got"'

# ---- what is not there ----
check "a missing tag is told" refuses not-found "$registry_plain/some/repo:v2" resolve "$registry_plain/some/repo:v2"
check "a missing blob is told, with the registry's words" refuses not-found "BLOB_UNKNOWN: blob unknown to registry" fetch "$registry_plain/some/repo" "$none" 5
check "a missing repository has no tags" refuses not-found "NAME_UNKNOWN" tags "$registry_plain/no/such"
check "whether it is there is told" prints no has "$registry_plain/some/repo" "$none"
check "  of manifests as well" prints yes has "$registry_plain/some/repo" "$manifest" manifest
check "nobody listens: it is told after three tries" refuses remote "127.0.0.1:1, tried 3 times" resolve 127.0.0.1:1/x
check "a host that does not exist is told" refuses remote "no.such.host.invalid" resolve no.such.host.invalid/x

# ---- lies ----
fault_rules bad '* ^GET.*/blobs/ corrupt 5000'
check "a blob with a wrong byte is refused" refuses corrupt "what came has digest" fetch "$repo" "$layer" "$size"
fault_rules bad '* ^GET.*/blobs/ truncate 5000'
check "a blob that is shorter than it says is refused" refuses corrupt "has 5000 bytes of it, where the descriptor says $size" fetch "$repo" "$layer" "$size"
fault_rules bad '* ^GET.*/blobs/ extra 7'
check "a blob that is longer than it says is refused" refuses corrupt "where the descriptor says $size" fetch "$repo" "$layer" "$size"
check "  also where the descriptor says that length" refuses corrupt "has digest" fetch "$repo" "$layer" $((size + 7))
fault_rules bad '* ^GET.*/manifests/ corrupt 5'
check "a manifest with a wrong byte is refused" refuses corrupt "sent something else than $manifest" document "$repo" "$manifest_type" "$manifest"
fault_rules bad "* ^HEAD header Docker-Content-Digest $none"
check "a digest that is not the one asked for is refused" refuses corrupt "something else" resolve "$repo@$manifest"
fault_rules bad '* ^HEAD header Docker-Content-Digest -'
check "a registry that does not tell the digest is asked for the document" prints "$manifest_type $manifest $msize" resolve "$repo:v1"
fault_rules bad '* ^HEAD header Docker-Content-Digest -' "* ^GET header Docker-Content-Digest $none"
check "  and one that tells a wrong one is refused" refuses corrupt "something else" resolve "$repo:v1"
fault_rules bad '* ^HEAD status 405'
check "a registry without HEAD is asked with GET" prints "$manifest_type $manifest $msize" resolve "$repo:v1"
check "a document over the limit is not taken" refuses limit "larger than 100" document "$repo" "$manifest_type" "$manifest" 100
fault_rules bad '* ^GET hugebody'
check "a body without end is not read to it" refuses limit "larger than 1000000" document "$repo" "$manifest_type" "$manifest" 1000000
fault_rules bad '* ^(GET|HEAD) hugehead'
check "a head without end is not read to it" refuses limit "head of the answer is too large" document "$repo" "$manifest_type" "$manifest"
fault_rules bad '* ^GET.*/manifests/ status 400 - {"errors":[{"code":"X\u001b[31mY","message":"a\u0007b\u202ec"}]}'
check "control characters do not reach the terminal" refuses remote 'X\x1b' document "$repo" "$manifest_type" "$manifest"

# ---- what passes ----
fault_rules bad '3 ^GET.*/blobs/ drop 700000'
check "a transfer that breaks off goes on, three times" fetches "$registry_bad"
check "  from where it stopped" logged bad 1 'range=bytes=2100000-'
fault_rules bad '3 ^GET.*/blobs/ drop 0'
check "  also when it breaks off before the first byte" fetches "$registry_bad"
fault_rules bad '1 ^GET.*/blobs/ drop 700000' '* ^GET.*/blobs/ norange'
check "  also when the registry knows no ranges" fetches "$registry_bad"
fault_rules bad '1 ^GET.*/blobs/ drop 700000' '* ^GET.*/blobs/ badrange'
check "another range than the one asked for is refused" refuses corrupt "another range" fetch "$repo" "$layer" "$size"
fault_rules bad '* ^GET.*/blobs/ drop 10'
check "one that always breaks off is given up" refuses remote "tried 6 times" fetch "$repo" "$layer" "$size"
fault_rules bad '1 ^GET.*/blobs/ stall 900000 30'
check "a transfer that stands still is taken up again" fetches "$registry_bad" --stall 1
for code in 408 429 500 502 503 504; do
        fault_rules bad "2 ^(GET|HEAD) status $code"
        check "status $code passes" prints "$manifest_type $manifest $msize" resolve "$repo:v1"
done
fault_rules bad '* ^HEAD status 503'
check "status 503 that does not pass is told" refuses remote "503 Service Unavailable, 6 times" resolve "$repo:v1"
check "  after six tries" logged bad 6 '^HEAD'
fault_rules bad '1 ^HEAD status 429 1'
check "Retry-After is kept to" eval 'a=${EPOCHREALTIME/./}; t resolve "$repo:v1" && b=${EPOCHREALTIME/./} && [ $((b - a)) -ge 1000000 ]'
fault_rules bad '* ^HEAD status 429 3600'
check "  but not for an hour" refuses remote "left alone for 3600 s" resolve "$repo:v1"
fault_rules bad '* ^GET status 400'
check "what does not pass is not tried again" refuses remote "400 Bad Request" document "$repo" "$manifest_type" "$manifest"
check "  at all" logged bad 1 '^GET'

# ---- redirects ----
fault_start target "$registry_plain" || exit 1
fault_rules target
fault_rules bad "* ^GET.*/blobs/ redirect 307 http://$registry_target%p"
check "a redirect to another host is followed" fetches "$registry_bad" --user u --secret s
fault_rules bad "* . redirect 302 %p"
check "redirects in a circle end" refuses remote "redirected 10 times" resolve "$repo:v1"
fault_rules bad '* . redirect 302 file:///etc/passwd'
check "a redirect to a file is not followed" refuses remote "neither http nor https" resolve "$repo:v1"
fault_rules bad '* . redirect 302 gopher://x/'
check "  nor any other" refuses remote "leads to gopher" resolve "$repo:v1"

# ---- mirrors ----
fault_start mirror "$registry_plain" || exit 1
registry_config plain 'http: true'
registry_config mirror 'http: true'
printf '  "docker.io":\n    mirrors: ["%s"]\n  "main.invalid":\n    mirrors: ["%s/some", "%s"]\n' "$registry_mirror" "$registry_mirror" "$registry_mirror" >>"$dir/registries.yaml"
printf '  "%s":\n    mirrors: ["%s"]\n    http: true\n' "$registry_bad" "$registry_mirror" >>"$dir/registries.yaml"
m() { t --config "$dir/registries.yaml" "$@"; }
fault_rules bad
fault_rules mirror
check "a mirror is asked first" eval 'm resolve "$repo:v1" && logged bad 0 . && logged mirror 1 "^HEAD .*ns="'
check "  also one with a path" eval '[ "$(m resolve main.invalid/repo:v1)" = "$manifest_type $manifest $msize" ]'
fault_rules mirror '* . status 500'
check "one that fails is passed over" eval 'm resolve "$repo:v1"'
check "  with a warning" eval 'm resolve "$repo:v1" 2>&1 | grep -q "mirror $registry_mirror of $registry_bad is passed over"'
fault_rules mirror '* . status 404'
check "one that lacks it is passed over, without" eval '[ -z "$(m resolve "$repo:v1" 2>&1 >/dev/null)" ]'
check "  which is told when nobody else can be asked" refuses remote "not found at mirror $registry_mirror" --config "$dir/registries.yaml" resolve main.invalid/repo:v1
fault_rules mirror '1 ^GET.*/blobs/ drop 700000' '* . status 404'
fault_rules bad
check "a blob that a mirror begins is ended by the registry" eval 'm fetch "$repo" "$layer" "$size" | cmp - "$dir/got"'
check "  from where it stopped" logged bad 1 'range=bytes=700000-'
fault_rules mirror
check "mirrors are not asked for tags" eval 'm tags "$repo" && logged mirror 0 .'
check "  nor by who pushes" eval 'm --push resolve "$repo:v1" && logged mirror 0 .'

# ---- TLS ----
registry_start secure tls || exit 1
registry_start strict mtls || exit 1
secure=localhost:${registry_secure#*:}
strict=localhost:${registry_strict#*:}
cat >"$dir/tls.yaml" <<END
registry:
  "$secure": { http: false, ca: ["$dir/ca/ca.pem"] }
  "$strict": { http: false, ca: ["$dir/ca/ca.pem"], keypair: [{ cert: "$dir/ca/client.pem", key: "$dir/ca/client.key" }] }
  "127.0.0.1:${secure#*:}": { http: false }
  "127.0.0.1:${strict#*:}": { http: false, tlsconfigdir: ["$dir/ca/dir"] }
END
mkdir "$dir/ca/dir"
cp "$dir/ca/ca.pem" "$dir/ca/dir/ca.crt"
cp "$dir/ca/client.pem" "$dir/ca/dir/client.cert"
cp "$dir/ca/client.key" "$dir/ca/dir/client.key"
s() { t --config "$dir/tls.yaml" "$@"; }
check "a private CA is trusted where it is configured" refuses not-found "NAME_UNKNOWN" --config "$dir/tls.yaml" tags "$secure/none"
check "  HTTP/2 is spoken there" grep -q 'GET /v2/none/tags/list.*HTTP/2.0' "$dir/registry/secure.log"
check "  and nowhere else, which is told" refuses remote "cannot be trusted (its CA goes to the configuration: registry.\"127.0.0.1:${secure#*:}\".ca)" --config "$dir/tls.yaml" tags "127.0.0.1:${secure#*:}/none"
check "a client certificate is shown where it is configured" refuses not-found "NAME_UNKNOWN" --config "$dir/tls.yaml" tags "$strict/none"
check "  also from a directory" refuses not-found "NAME_UNKNOWN" --config "$dir/tls.yaml" tags "127.0.0.1:${strict#*:}/none"
sed "s/, keypair:.*/ }/" "$dir/tls.yaml" >"$dir/nokey.yaml"
check "  without one it is refused" refuses remote "registry $strict" --config "$dir/nokey.yaml" tags "$strict/none"
check "any certificate will do with --insecure" refuses not-found "NAME_UNKNOWN" --insecure tags "$secure/none"
check "  and plain HTTP" prints v1 --insecure tags "$registry_plain/some/repo"
printf 'registry:\n  "%s": { http: false }\n' "$registry_plain" >"$dir/plain.yaml"
check "plain HTTP where TLS is wanted is told" refuses remote "does not speak TLS with us (if it speaks plain HTTP" --config "$dir/plain.yaml" tags "$registry_plain/some/repo"
bad_config() { # PART LINES: of the table of x.invalid
        printf 'registry:\n  "x.invalid": %s\n' "$2" >"$dir/bad.yaml"
        refuses config "$1" --config "$dir/bad.yaml" tags x.invalid/y
}
check "a CA file that is not there is told" bad_config "$dir/none.pem: " "{ ca: [\"$dir/none.pem\"] }"
check "a CA file without a certificate is told" bad_config "$dir/file: no certificate" "{ ca: [\"$dir/file\"] }"
check "a key that is no key is told" bad_config "$dir/ca/ca.pem: no private key" "{ keypair: [{ cert: \"$dir/ca/client.pem\", key: \"$dir/ca/ca.pem\" }] }"
check "a key of another certificate is told" bad_config "$dir/ca/server.key is not the key of certificate $dir/ca/client.pem" "{ keypair: [{ cert: \"$dir/ca/client.pem\", key: \"$dir/ca/server.key\" }] }"
rm "$dir/ca/dir/client.key"
check "a directory that lacks a key is told" bad_config "$dir/ca/dir/client.key: " "{ tlsconfigdir: [\"$dir/ca/dir\"] }"
check "a directory that is not there is told" bad_config "$dir/ca/none" "{ tlsconfigdir: [\"$dir/ca/none\"] }"

# ---- proxies ----
fault_rules target
check "a proxy of the environment is used" eval 'HTTP_PROXY="http://$registry_target" t --insecure resolve plain.invalid/some/repo:v1 >/dev/null 2>&1; logged target 1 "HEAD http://plain.invalid/v2/some/repo/manifests/v1" || logged target 1 "^HEAD"'
fault_rules target
check "  not for this machine" eval 'HTTP_PROXY="http://$registry_target" t resolve "$registry_plain/some/repo:v1" && logged target 0 .'
check "  nor where NO_PROXY says so" eval 'HTTP_PROXY="http://$registry_target" NO_PROXY=plain.invalid t --insecure resolve plain.invalid/some/repo:v1; logged target 0 .'

# ---- cancelling ----
fault_rules bad '* ^GET.*/blobs/ stall 900000 30'
check "a transfer that stands still is cancelled at once" refuses cancelled enough --cancel-after 300 fetch "$repo" "$layer" "$size"
check "  in time" eval '! grep "too late" "$dir/err"'
fault_rules bad '* ^HEAD status 503'
check "so is one that waits to be tried again" refuses cancelled enough --retry-ms 20000 --cancel-after 300 resolve "$repo:v1"
check "  in time" eval '! grep "too late" "$dir/err"'
fault_rules bad
check "and one that waits for its sink" refuses cancelled enough --slow 20000 --cancel-after 500 fetch "$repo" "$layer" "$size"
check "  in time" eval '! grep "too late" "$dir/err"'
check "and one that waits for its turn" refuses cancelled enough --slow 20000 --cancel-after 500 fetch-all "$repo" "$layer:$size" "$layer:$size" "$layer:$size" "$layer:$size" "$layer:$size" "$layer:$size"
check "  in time" eval '! grep "too late" "$dir/err"'
check "a sink that fails ends it, in its own words" eval 't fetch "$repo" "$layer" "$size" 2>&1 >/dev/full | grep -q "^io: the sink: No space left"'
mkdir "$dir/nocurl" && echo none >"$dir/nocurl/libcurl.so.4"
LD_LIBRARY_PATH=$dir/nocurl check "a libcurl that cannot be opened is told" refuses unsupported "libcurl cannot be used: $dir/nocurl" resolve "$repo:v1"

# ---- pages and referrers ----
oci_start pages --page 2 || exit 1
for tag in a b c d e; do
        t manifest "$registry_pages/r:$tag" "$manifest_type" "$dir/manifest" || exit 1
done
check "tags come in pages" prints "$(printf '%s\n' a b c d e)" tags "$registry_pages/r"
oci_start foreign --page 2 --foreign-link || exit 1
for tag in a b c; do
        t manifest "$registry_foreign/r:$tag" "$manifest_type" "$dir/manifest" || exit 1
done
check "pages on another host are not asked for" refuses remote "another host" tags "$registry_foreign/r"
for kind in sbom signature sbom; do
        printf '{"schemaVersion":2,"artifactType":"application/%s","subject":{"mediaType":"%s","digest":"%s","size":%s},"x":"%s"}' \
                "$kind" "$manifest_type" "$manifest" "$msize" "$((n++))" >"$dir/ref-$n"
        t manifest "$registry_pages/r:x" "$manifest_type" "$dir/ref-$n" digest || exit 1
done
check "referrers are listed, in pages" eval '[ "$(t referrers "$registry_pages/r" "$manifest" | wc -l)" = 3 ]'
check "  of one type" eval '[ "$(t referrers "$registry_pages/r" "$manifest" application/sbom | wc -l)" = 2 ]'
check "there are none where nothing refers" prints "" referrers "$registry_plain/some/repo" "$none"
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[{"mediaType":"%s","digest":"%s","size":%s,"artifactType":"application/sbom"}]}' \
        "$index_type" "$manifest_type" "$manifest" "$msize" >"$dir/index"
t manifest "$registry_plain/some/repo:sha256-${layer#*:}" "$index_type" "$dir/index"
check "a registry without that has them under a tag" prints "$manifest application/sbom" referrers "$registry_plain/some/repo" "$layer"
oci_start quiet --quiet --no-head || exit 1
t manifest "$registry_quiet/r:a" "$manifest_type" "$dir/manifest"
check "a registry that says little is asked for the document" prints "$manifest_type $manifest $msize" resolve "$registry_quiet/r:a"
finish
