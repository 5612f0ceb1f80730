#!/usr/bin/env bash
# slipway build with a context: what its frontend is told, where its files come from, what
# becomes of the result. The frontend is a fake that answers with all it was told
# (tests/fake-plugins/frontend_fake.c). Catches: a flag that does not reach the frontend or is
# taken without effect, a context that is another, standard input that is kept, a wrong exit
# status, a message without the way out.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
SLIPWAY_PLUGIN_PATH+=:$top_builddir/tests/fake-plugins/.libs
unset SOURCE_DATE_EPOCH {HTTP,HTTPS,FTP,NO,ALL}_PROXY {http,https,ftp,no,all}_proxy
cd "$dir" || exit 99
mkdir -p ctx/docker other empty
printf 'FROM scratch\n' >ctx/Dockerfile
printf 'FROM other\n' >ctx/docker/app.Dockerfile
printf 'FROM here\n' >here.Dockerfile

ask() { "$SLIPWAY" build --progress quiet --frontend fake --call outline "$@"; }
told() { # LINE ARGS...: the frontend is told LINE
        local line=$1
        shift
        ask "$@" >"$dir/told" && grep -qxF -- "$line" "$dir/told" || { cat "$dir/told"; return 1; }
}
not_told() { # PATTERN ARGS...
        local pattern=$1
        shift
        ask "$@" >"$dir/told" && ! grep -e "$pattern" "$dir/told"
}
# ---- Nothing, or too much
check "nothing to build" fails 2 'slipway build . builds the Dockerfile of this directory' build
check "two contexts" fails 2 'unexpected argument' build . .
check "a context that is not there" fails 1 "context $dir/none: No such" build "$dir/none"
check "a context that is a file" fails 1 'context here.Dockerfile is no directory; a Dockerfile by another name is given with -f' build here.Dockerfile
check "no Dockerfile" fails 1 'there is no Dockerfile in empty: name another with -f FILE' build empty
check "one that is not there" fails 1 '--file gone' build -f gone ctx
check "one that is a directory" fails 1 '--file ctx' build -f ctx ctx
check "-f without a context" fails 2 '--file goes with a context' build --frontend fake -f ctx/Dockerfile
check "a definition and a context" fails 2 '--llb is a definition' build --llb x ctx
check "a frontend's flag without one" fails 2 '--target is for a frontend' build --llb x --target a
check "a frontend that is not there" fails 1 'slipway-frontend-nowhere' build --progress quiet --frontend nowhere ctx
check "both from standard input" fails 2 'cannot both' build -f - -
check "an empty standard input" fails 1 'standard input is empty' build -
check "--quiet and --progress" fails 2 'give one of them' build -q --progress plain ctx

# ---- What cannot be had
check "a cache that nobody serves" fails 1 'slipway-cache-registry' build --cache-from type=registry,ref=x ctx
check "one by its name alone" fails 1 'slipway-cache-registry' build --cache-to e.org/cache ctx
check "buildctl's name for it" fails 1 'slipway-cache-local' build --export-cache type=local,dest=x ctx
check "no type" fails 2 'give type=TYPE' build --import-cache type= ctx
check "a bill of materials" fails 1 '--sbom=false' build --sbom true ctx
check "a record of the build" fails 1 '--provenance=false' build --provenance mode=max ctx
check "another" fails 1 'attestations' build --attest type=sbom ctx
check "rules for sources" fails 1 'no rules for sources' build --source-policy-file x ctx
check "a registry's certificates" fails 1 'slipway config explain' build --registry-auth-tlscontext host=x ctx
check "one layer of all" fails 1 'COPY --from=STAGE / /' build --squash ctx
check "another builder" fails 1 'leave it out' build --builder other ctx
check "docker's flags that say what holds anyway" ask --squash=false --isolation default --compress --rm --force-rm ctx
check "not asking for them" ask --sbom=false --provenance=false ctx

# ---- Options
check "an option of each kind" told 'build-arg:A=1' --build-arg A=1 --label a=b --platform linux/amd64 ctx
epoch() { SOURCE_DATE_EPOCH=7 told 'build-arg:SOURCE_DATE_EPOCH=7' ctx; }
check "SOURCE_DATE_EPOCH" epoch
proxy() { https_proxy=http://p told 'build-arg:HTTPS_PROXY=http://p' ctx; }
check "a proxy" proxy
check "a label that is wrong" fails 2 '--label =x' build --label =x ctx
check "a host that is wrong" fails 2 'give HOST:IP' build --add-host x ctx
check "--no-cache" told 'no-cache=' --no-cache ctx
check "the frontend's own" told 'x=y' --opt x=y ctx
check "a named directory" told 'context:other=local:other' --build-context other=other ctx
check "a named image" told 'context:base=docker-image://alpine' --build-context base=docker-image://alpine ctx
check "named contexts are announced" told \
        'frontend.caps=moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts+forward' --build-context other=other ctx
check "a named directory that is not there" fails 1 "x=$dir/none: No such" build --build-context "x=$dir/none" ctx
check "a kind of context that is not known" fails 2 "unsupported context source foo for x" build --build-context x=foo://y ctx
check "one of docker's bake" fails 2 "unsupported context source target for x" build --build-context x=target:y ctx
check "an entitlement that is not known" fails 2 "unknown entitlement fs.read" build --allow fs.read ctx

# ---- Where files come from
dockerfile() { # TEXT ARGS...: the local "dockerfile" has it, by the name that the frontend is told
        local text=$1 name
        shift
        ask "$@" >"$dir/told" </dev/null || return 1
        name=$(sed -n 's/^filename=//p' "$dir/told")
        ask --opt local=dockerfile --opt "read=${name:-Dockerfile}" --opt max=100 "$@" >"$dir/told" &&
                [ "$(sed -n 's/^was read: //p' "$dir/told")" = "$text" ] || { cat "$dir/told"; return 1; }
}
check "the Dockerfile of the context" dockerfile 'FROM scratch' ctx
check "another, by its path" dockerfile 'FROM here' -f here.Dockerfile ctx
check "another, by its path in the context" dockerfile 'FROM other' -f docker/app.Dockerfile ctx
stdin_file() {
        local said
        said=$(printf 'FROM stdin\n' | ask --opt local=dockerfile --opt read=Dockerfile "$@") && grep -qx 'was read: FROM stdin' <<<"$said"
}
check "a Dockerfile on standard input" stdin_file -f - ctx
check "without a context" stdin_file -
check "with a remote one" stdin_file -f - https://e.org/x.git
remote_key() { printf 'FROM x\n' | told dockerfilekey=dockerfile -f - https://e.org/x.git; }
check "that the frontend is told to read" remote_key
empty_context() { printf 'FROM x\n' | ask --opt read=Dockerfile - 2>&1 | grep -q 'No such file'; }
check "a Dockerfile alone has an empty context" empty_context
check "a URL" told 'context=https://e.org/x.git#v1:src' 'https://e.org/x.git#v1:src'
check "a Dockerfile in it" told 'filename=docker/x' -f docker/x git://e.org/x
archive() { # COMPRESSION
        tar -C ctx "$1" -cf - . | ask - | grep -qx 'input context: FROM scratch'
}
check "an archive" archive --no-auto-compress
check "a compressed one" archive --gzip
check "nothing of standard input is kept" test ! -e "$SLIPWAY_ROOT/stdin"
killed() { # and what a killed build left goes with the next
        mkfifo "$dir/slow"
        exec 9<>"$dir/slow"
        "$SLIPWAY" build --frontend fake - <"$dir/slow" 2>/dev/null 9>&- &
        local pid=$! i
        head -c 4096 /dev/zero | tr '\0' x >&9
        for ((i = 0; i < 200; i++)); do
                [ -n "$(ls "$SLIPWAY_ROOT/stdin" 2>/dev/null)" ] && break
                sleep 0.02
        done
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
        exec 9>&-
        [ -n "$(ls "$SLIPWAY_ROOT/stdin")" ] || { echo "nothing was kept to begin with"; return 1; }
        ask ctx >/dev/null && [ ! -e "$SLIPWAY_ROOT/stdin" ]
}
check "what a killed build left of it goes" killed
interrupted() { # while nothing comes
        local pid status
        exec 9<>"$dir/slow"
        timeout 20 "$SLIPWAY" build "$@" <"$dir/slow" 2>"$dir/err" 9>&- &
        pid=$!
        sleep 0.5 # until it waits
        kill -INT "$pid" # timeout hands it on
        wait "$pid"
        status=$?
        exec 9>&-
        [ $status = 1 ] && grep -q interrupted "$dir/err" && return
        echo "status $status"
        cat "$dir/err"
        return 1
}
check "an archive that does not come is waited for until interrupted" interrupted --frontend fake -
check "and so is a definition" interrupted --llb -
check "nothing of it is kept" test ! -e "$SLIPWAY_ROOT/stdin"

# ---- Questions
asked() { "$SLIPWAY" build --progress quiet --frontend fake "$@" ctx >"$dir/out" 2>"$dir/err"; }
lint() { ! asked --check && grep -q 'requestid=frontend.lint' "$dir/out" && grep -q 'the check found' "$dir/err"; }
check "--check, which finds something" lint
check "--call targets" asked --call targets
check "--call in JSON, which the fake has not" fails 1 'does not answer that' build --progress quiet --frontend fake --call targets,format=json ctx
check "--call of nothing known" fails 2 'there is build, check, outline, targets, convertllb and describe' build --call what ctx
check "--call with more" fails 2 'format=json' build --call outline,x=y ctx
check "--check and --call" fails 2 'give one of them' build --check --call outline ctx
nothing_written() { asked --call outline -o "$dir/none" && [ ! -e "$dir/none" ]; }
check "a question writes nothing" nothing_written

warns() {
        "$SLIPWAY" build --progress rawjson --frontend fake --opt warn=careful ctx 2>"$dir/raw" &&
                jq -se '[.[] | .warnings // [] | .[]] | length == 2 and
                        all(.level == 1 and (.short | @base64d) == "careful" and (.detail | map(@base64d)) == ["more", "words"] and
                            .url == "https://example.org/rule" and .sourceInfo.filename == "text" and
                            .range == [{"start": {"line": 2}, "end": {"line": 2}}])' "$dir/raw"
}
check "a warning as JSON" warns

# ---- What becomes of it
platforms=(--progress quiet --frontend fake --opt platforms=linux/amd64)
build() { "$SLIPWAY" build "${platforms[@]}" "$@"; }
check "-o DIR" build -o "$dir/o" ctx
check "has it" test -f "$dir/o/linux_amd64/made"
stdout_tar() { build -o - ctx | tar t | grep -q made; }
check "-o -" stdout_tar
check "-o type=cacheonly" build -o type=cacheonly -t x ctx
check "-t without an image" fails 2 'leave the name out, or add -o type=image' build -t x -o "$dir/none" ctx
check "-t keeps an image" build -t app:1 -t e.org/app ctx
images() { "$SLIPWAY" images | grep -q 'app.*1' && "$SLIPWAY" images | grep -q 'e.org/app'; }
check "by its names" images
check "a tag that is none" fails 2 '--tag App' build -t App ctx
check "-t and -o type=oci" build -t app:2 -o "type=oci,dest=$dir/x.tar" ctx
named() { tar xOf "$dir/x.tar" index.json | grep -q 'app:2'; }
check "have the name" named
once() { build -t app:4 -o type=image,name=app:4 --metadata-file "$dir/m.json" ctx && grep -qF '"image.name": "app:4"' "$dir/m.json"; }
check "a name that both say is one" once
"$SLIPWAY" build --progress plain "${platforms[@]:2}" -o type=cacheonly -o type=oci ctx 2>"$dir/err" >"$dir/x.tar"
to_stdout() { grep -q '^image .*in standard output$' "$dir/err"; }
check "an archive without a place is on standard output, and the summary says so" to_stdout
readable() { # objects of the exporters, and layers, as what they are; the context's name
        run inspect latest
        grep -q 'containerimage.descriptor = {"mediaType":' "$dir/out" && grep -q '^Layers$' "$dir/out" &&
                ! grep -q 'slipway.layers' "$dir/out" && "$SLIPWAY" history -n 1 | grep -q ' ctx$'
}
check "what was built can be read later" readable
asked() { [ "$("$SLIPWAY" history -q | wc -l)" = "$n" ]; }
n=$("$SLIPWAY" history -q | wc -l)
ask ctx >/dev/null
check "a question is no build in the history" asked
inline() { build --build-arg BUILDKIT_INLINE_CACHE=1 ctx 2>"$dir/err" && grep -q 'puts no cache into images' "$dir/err"; }
check "a cache that was to be in the image is told not to be" inline
build_name() { build --build-arg BUILDKIT_BUILD_NAME="my build" ctx && "$SLIPWAY" history -n 1 | grep -q ' my build$'; }
check "a build that was given a name has it in the history" build_name
check "annotations" build -o "type=oci,dest=$dir/a.tar" --annotation k=v --annotation index:i=w ctx
check "without an image" fails 2 'none is made' build --annotation k=v -o "$dir/o" ctx
check "that are wrong" fails 2 'give KEY=VALUE' build --annotation k -t x ctx
check "--push without a name" fails 2 '--push needs a name' build --push ctx
check "--load without a name" fails 2 '--load needs a name' build --load ctx
id() {
        local id
        id=$("$SLIPWAY" build -q --frontend fake --opt platforms=linux/amd64 --iidfile "$dir/iid" "$@" ctx) || return 1
        [[ $id == sha256:* ]] && [ "$(cat "$dir/iid")" = "$id" ]
}
check "-q prints the image's id" id -t app:3
check "also of one that has no name" id
check "--iidfile without an image" fails 1 'no image was made' build --progress quiet --frontend fake --opt platforms=linux/amd64 --iidfile "$dir/iid2" -o "$dir/o" ctx
check "--iidfile in a place that is not there" fails 1 '--iidfile' build --iidfile "$dir/none/x" ctx
host() { told force-network-mode=host --network host ctx; }
check "--network host" host
finish
