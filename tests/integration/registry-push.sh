#!/usr/bin/env bash
# Pushing with the registry client. Catches: a blob that is sent although it is there, or not
# sent although it is not; an upload that breaks off and is given up, or ends with something
# else than the blob; a location that leads elsewhere; a push that hides why it failed.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/registry-kit.sh"
n=0
new() { # a blob that no registry has, in $file; $blob is its digest
        file=$dir/blob-$((n++))
        head -c "${1:-9000000}" /dev/urandom >"$file"
        blob=sha256:$(sha256sum <"$file" | cut -c1-64)
}
# arrived NAME REPO: the registry has it, as it should be
arrived() { t fetch "$1/$2" "$blob" "$(stat -c %s "$file")" | cmp - "$file"; }
sent() { # NAME REPO ARG...
        local name=$1 repo=$2
        shift 2
        prints sent "$@" push "$name/$repo" "$file" && arrived "$name" "$repo"
}

registry_start plain || exit 1
fault_start bad "$registry_plain" || exit 1
oci_start whole || exit 1

for name in "$registry_plain" "$registry_whole"; do
        for size in 0 1 9000000; do
                new "$size"
                check "$size bytes arrive" sent "$name" a/b
                check "  in chunks, too" sent "$name" "c$size/d" --chunked
        done
done
new
t push "$registry_plain/a/b" "$file" >"$dir/out"
check "what is there is not sent" prints existed push "$registry_plain/a/b" "$file"
check "  nor what another repository has" prints mounted push "$registry_plain/e/f" "$file" no/such a/b
check "  and is right" arrived "$registry_plain" e/f
new
check "what none of them has is sent" prints sent push "$registry_plain/e/f" "$file" no/such a/b
oci_start absolute --absolute || exit 1
check "a location may be a whole URL" sent "$registry_absolute" a/b --chunked
oci_start coarse --least 12000000 || exit 1
new 20000000
check "a registry that wants larger chunks gets them" sent "$registry_coarse" a/b --chunked
check "  two of them" logged coarse 2 '^PATCH .*-> 202'

# ---- what breaks off ----
new
fault_rules bad '1 ^PUT cut 7000000'
check "a push that breaks off goes on in chunks" sent "$registry_bad" a/b --retry-ms 20
check "  two, and the end" logged bad 2 '^PATCH .*-> 202'
new
fault_rules bad '2 ^PATCH cut 3000000'
check "so does one in chunks, twice" sent "$registry_bad" a/b --chunked
new
fault_rules bad '1 ^PUT late'
check "an answer that is lost is not taken for a failure" sent "$registry_bad" a/b
new
fault_rules bad '1 ^PATCH late' '1 ^PUT late'
check "  nor in chunks" sent "$registry_bad" a/b --chunked
new
fault_rules bad '1 ^POST status 503' '1 ^PATCH status 500' '1 ^PUT status 502' '1 ^HEAD status 429 0'
check "what passes passes" sent "$registry_bad" a/b --chunked
new
fault_rules bad '* ^(PUT|PATCH) cut 1000'
check "what always breaks off is given up" refuses remote "tried 6 times" push "$registry_bad/a/b" "$file"
fault_rules bad '* ^PUT status 413'
check "what is refused is told" refuses limit "413 Content Too Large" push "$registry_bad/a/b" "$file"
check "  once" logged bad 1 '^PUT'
oci_start resumed --cut 5000000 || exit 1
new
check "a registry that goes on where it stands is sent the rest" sent "$registry_resumed" a/b
check "  from there" eval 'logged resumed 1 "^GET /v2/a/b/blobs/uploads/.*204" && logged resumed 1 "^POST"'
oci_start resumed2 --cut 3000000 || exit 1
new
check "  in chunks, too" sent "$registry_resumed2" a/b --chunked
check "  in the same session" eval 'logged resumed2 1 "^POST"'
new
fault_rules bad '1 ^PUT status 404'
check "a session that is lost is begun anew" sent "$registry_bad" a/b
new
pairs=()
for _ in {1..12}; do pairs+=('1 ^PATCH none' '1 ^PATCH status 404'); done
fault_rules bad '* ^GET.*/uploads/ status 404' "${pairs[@]}"
check "  but not for ever" refuses not-found "404 Not Found" --chunked push "$registry_bad/a/b" "$file"
fault_rules bad '* ^POST header Location https://127.0.0.1:1/x'
new
check "a session elsewhere is tried there" refuses remote "127.0.0.1 port 1" --user u --secret s push "$registry_bad/a/b" "$file"
fault_rules bad '* ^POST header Location file:///etc/passwd'
check "  but not anywhere" refuses remote "neither http nor https" push "$registry_bad/a/b" "$file"
fault_rules bad '* ^POST header Location -'
check "a session without a place is told" refuses remote "does not say where" push "$registry_bad/a/b" "$file"
fault_rules bad '* ^PUT header Docker-Content-Digest sha256:0'
check "a registry that takes it for something else is told" refuses corrupt "something else" push "$registry_bad/a/b" "$file"

# ---- manifests ----
new 100
t push "$registry_plain/a/b" "$file" >"$dir/out"
printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":100},"layers":[]}' \
        "$manifest_type" "$blob" >"$dir/manifest"
manifest=sha256:$(sha256sum <"$dir/manifest" | cut -c1-64)
check "a manifest gets a tag" t manifest "$registry_plain/a/b:one" "$manifest_type" "$dir/manifest"
check "  by which it is found" prints "$manifest_type $manifest $(stat -c %s "$dir/manifest")" resolve "$registry_plain/a/b:one"
check "one without is found by its digest" eval 't manifest "$registry_plain/a/b" "$manifest_type" "$dir/manifest" digest && t resolve "$registry_plain/a/b@$manifest"'
sed 's/"layers":\[\]/"layers":[{"mediaType":"a\/b","digest":"sha256:'"$(printf 'b%.0s' {1..64})"'","size":5}]/' "$dir/manifest" >"$dir/lacking"
check "one that lacks a blob is refused, in the registry's words" refuses remote "MANIFEST_BLOB_UNKNOWN" manifest "$registry_plain/a/b:two" "$manifest_type" "$dir/lacking"
fault_rules bad '2 ^PUT status 503'
check "what passes passes" t manifest "$registry_bad/a/b:three" "$manifest_type" "$dir/manifest"
fault_rules bad '* ^PUT header Docker-Content-Digest sha256:0'
check "a registry that takes it for something else is told" refuses corrupt "something else" manifest "$registry_bad/a/b:three" "$manifest_type" "$dir/manifest"

# ---- cancelling, changing ----
new
fault_rules bad '* ^PUT status 503'
check "a push is cancelled at once" refuses cancelled enough --retry-ms 20000 --cancel-after 500 push "$registry_bad/a/b" "$file"
check "  in time" eval '! grep "too late" "$dir/err"'
registry_start secure tls || exit 1 # not in a check, whose shell ends before the registry does
check "over TLS it works as well" eval 'printf "registry:\n  \"localhost:%s\": { http: false, ca: [\"%s\"] }\n" "${registry_secure#*:}" "$dir/ca/ca.pem" >"$dir/tls.yaml" &&
        t --config "$dir/tls.yaml" push "localhost:${registry_secure#*:}/a/b" "$file" && t --config "$dir/tls.yaml" fetch "localhost:${registry_secure#*:}/a/b" "$blob" 9000000 | cmp - "$file"'
finish
