#!/usr/bin/env bash
# Credentials of registries. Catches: a registry that asks for a password or a token and does
# not get it; credentials or tokens that another host, another session or an error gets to
# see; tokens that are asked for again and again, or used after their end; refusals that do
# not say what was refused, and where credentials would have had to be.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/registry-kit.sh"
export DOCKER_CONFIG=$dir/docker
unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME
mkdir "$DOCKER_CONFIG"
head -c 2000000 /dev/urandom >"$dir/file"
blob=sha256:$(sha256sum <"$dir/file" | cut -c1-64)
printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":2000000},"layers":[]}' \
        "$manifest_type" "$blob" >"$dir/manifest"

# ---- basic ----
registry_start basic htpasswd || exit 1
tester=(--user tester --secret 'secret word')
check "a password gets in" prints sent "${tester[@]}" push "$registry_basic/a/b" "$dir/file"
check "  and again" prints existed "${tester[@]}" push "$registry_basic/a/b" "$dir/file"
check "without one it is refused, which names what was asked for and where one would have been" \
        refuses denied "scope repository:a/b:pull; asked without credentials, for none were found for $registry_basic; credentials are looked for in $DOCKER_CONFIG/config.json" --session tags "$registry_basic/a/b"
check "  also where there is no client" refuses denied "there is no client that could have credentials" tags "$registry_basic/a/b"
check "a wrong one is refused" refuses denied "asked as user tester; credentials are looked for in the command line" --user tester --secret wrong tags "$registry_basic/a/b"
check "an identity token is no password" refuses denied "asked with the token for" --secret token tags "$registry_basic/a/b"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry_basic" "$(printf 'tester:secret word' | base64)" >"$DOCKER_CONFIG/config.json"
check "the client's own are used" prints existed --session push "$registry_basic/a/b" "$dir/file"
printf '{"auths":{"%s":{"auth":7}}}' "$registry_basic" >"$DOCKER_CONFIG/config.json"
check "a broken file is told" refuses invalid "$DOCKER_CONFIG/config.json: auths.\"$registry_basic\"" --session tags "$registry_basic/a/b"
fault_start through "$registry_basic" || exit 1
fault_rules through
check "what was asked for once comes unasked" t "${tester[@]}" --repeat 3 has "$registry_through/a/b" "$blob"
check "  so that only the first request is refused" logged through 1 'auth=none .*-> 401'
fault_start elsewhere "$registry_basic" || exit 1
fault_rules elsewhere
fault_rules through "1 ^GET.*/blobs/ none" "* ^GET.*/blobs/ redirect 307 http://$registry_elsewhere%p"
t "${tester[@]}" fetch "$registry_through/a/b" "$blob" 2000000 >"$dir/out" 2>"$dir/err"
check "credentials do not go to the host of a redirect" logged elsewhere 1 'auth=none'
check "  which is told when it wants some" grep -q "^denied: " "$dir/err"
fault_rules through '* . status 401'
check "a registry that does not say what it wants is told" refuses denied "401 Unauthorized" "${tester[@]}" tags "$registry_through/a/b"
fault_rules through '* . header WWW-Authenticate Negotiate'
check "one that wants something else, too" refuses unsupported 'by "negotiate"; there is basic and bearer' "${tester[@]}" tags "$registry_through/a/b"
fault_rules through '* . header WWW-Authenticate Basic realm="x'
check "and one that says it wrongly" refuses invalid 'WWW-Authenticate header' "${tester[@]}" tags "$registry_through/a/b"
fault_rules through '* . header WWW-Authenticate Bearer realm="ftp://x/"'
check "and one whose token server is none" refuses remote 'names a token server that is no http URL' "${tester[@]}" tags "$registry_through/a/b"

# ---- tokens ----
token_start tokens --user 'tester:secret word' --identity 'an-identity' --public public/one || exit 1
registry_start token token || exit 1
fault_start gate "$registry_token" || exit 1
fault_rules gate
emptied() { : >"$dir/registry/tokens.log"; }
emptied
check "a password becomes a token" prints sent "${tester[@]}" push "$registry_gate/a/b" "$dir/file"
check "  by POST" logged tokens 1 '^POST grant=password who=tester scopes=repository:a/b:pull,push -> 200'
check "  once for all requests" logged tokens 1 .
check "  and one refusal" logged gate 1 '-> 401'
check "a manifest is pushed with one, too" t "${tester[@]}" manifest "$registry_gate/a/b:v1" "$manifest_type" "$dir/manifest"
emptied
check "an identity token becomes a token" prints v1 --secret an-identity tags "$registry_token/a/b"
check "  by POST" logged tokens 1 '^POST grant=refresh_token .*scopes=repository:a/b:pull -> 200'
check "a wrong one is refused" refuses denied "asked with the token" --secret wrong tags "$registry_token/a/b"
check "a wrong password is refused, and the token server's words told" refuses denied 'status 401 (incorrect username or password); scope repository:a/b:pull; asked as user tester' --user tester --secret wrong tags "$registry_token/a/b"
emptied
check "without credentials a token for nothing comes, and the registry refuses it" refuses denied "asked without credentials" tags "$registry_token/a/b"
check "  by GET" logged tokens 1 '^GET grant=basic who=- scopes=repository:a/b:pull -> 200'
check "what is public may be pulled" prints sent "${tester[@]}" push "$registry_token/public/one" "$dir/file"
check "  by anybody" prints yes has "$registry_token/public/one" "$blob"
check "  but not pushed to" refuses denied "scope repository:public/one:pull,push" push "$registry_token/public/one" "$top_srcdir/LICENSE"
emptied
check "a blob is mounted with a token for both repositories" prints mounted "${tester[@]}" push "$registry_token/c/d" "$dir/file" a/b
check "  which was asked for" logged tokens 1 'scopes=repository:c/d:pull,push repository:a/b:pull -> 200'
emptied
check "tokens are kept" t "${tester[@]}" --repeat 5 has "$registry_token/a/b" "$blob"
check "  so that one is enough" logged tokens 1 .
check "several at once ask for one" eval 'emptied; t "${tester[@]}" fetch-all "$registry_token/a/b" "$blob:2000000" "$blob:2000000" "$blob:2000000" && logged tokens 1 .'
head -c 3000000 /dev/urandom >"$dir/file2"
fault_rules gate '1 ^PATCH cut 100' '1 ^PUT cut 100'
check "what breaks off goes on with the one there is" eval 'emptied; prints sent "${tester[@]}" --chunked push "$registry_gate/a/b" "$dir/file2" && logged tokens 1 .'

# ---- tokens that end (docker-registry takes them for a minute longer) ----
token_start brief --user 'tester:secret word' --life -57 --claim 300 || exit 1
registry_start brief_token token || exit 1
fault_start delayed "$registry_brief_token" || exit 1
fault_rules delayed '* ^PATCH delay 1.6'
head -c 9000000 /dev/urandom >"$dir/file3"
: >"$dir/registry/brief.log"
check "a token that ends during a push is asked for anew" prints sent "${tester[@]}" --chunked push "$registry_delayed/a/b" "$dir/file3"
check "  more than once" eval '[ "$(grep -c "POST grant=password" "$dir/registry/brief.log")" -ge 2 ]'
token_start short --user 'tester:secret word' --life 300 --claim 1 || exit 1
registry_start short_token token || exit 1
: >"$dir/registry/short.log"
check "one that says it ends soon is asked for in time" eval 't "${tester[@]}" --repeat 2 --pause 1000 has "$registry_short_token/a/b" "$blob" && logged short 2 .'

# ---- token servers that are otherwise ----
for code in 404 405 400; do
        token_start "get$code" --user 'tester:secret word' --post "$code" || exit 1
        registry_start "by_get$code" token || exit 1
        name=registry_by_get$code
        check "one that answers POST with $code is asked by GET" prints no "${tester[@]}" has "${!name}/a/b" "$blob"
done
token_start access --user 'tester:secret word' --name access_token || exit 1
registry_start by_access token || exit 1
check "one that calls it access_token is understood" prints no "${tester[@]}" has "$registry_by_access/a/b" "$blob"
token_start none --no-field token || exit 1
registry_start by_none token || exit 1
check "one that gives none is told" refuses invalid "there is no token in the answer" has "$registry_by_none/a/b" "$blob"
token_start odd --raw '{"token":"a\nb"}' || exit 1
registry_start by_odd token || exit 1
check "one whose token would be another header is told" refuses invalid "characters that no header may have" has "$registry_by_odd/a/b" "$blob"
token_start garbage --raw 'the-token-is-x' || exit 1
registry_start by_garbage token || exit 1
check "one that speaks no JSON is told" refuses remote "the answer is no JSON" has "$registry_by_garbage/a/b" "$blob"
kill "$registry_pid_garbage"
check "one that does not answer is told" refuses remote "token for registry $registry_by_garbage" has "$registry_by_garbage/a/b" "$blob"
finish
