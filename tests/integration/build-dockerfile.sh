#!/usr/bin/env bash
# Dockerfiles through the command line, without commands that need a runtime: contexts of each
# kind, what flags make of the image, questions, mistakes. Catches: a flag whose option the
# frontend does not take, an archive that is another tree than the directory it was made of, a
# named context that is ignored, a mistake without its place or with a wrong exit status.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
unset SOURCE_DATE_EPOCH {HTTP,HTTPS,FTP,NO,ALL}_PROXY {http,https,ftp,no,all}_proxy
cd "$dir" || exit 99
mkdir -p ctx/sub extra
cat >ctx/Dockerfile <<'END'
ARG WHICH=one
FROM scratch AS files
COPY a.txt sub /files/
FROM scratch AS other
COPY other.Dockerfile /other
FROM scratch
ARG WHICH
LABEL which=$WHICH
ENV WHICH=$WHICH
COPY --from=files /files /
CMD ["/run", "it"]
END
printf 'FROM scratch\nCOPY a.txt /other-file\n' >ctx/other.Dockerfile
printf 'FROM extra AS e\nFROM scratch\nCOPY --from=e /x /from-base\nCOPY --from=extra /x /from-context\n' >extra.Dockerfile
echo a >ctx/a.txt
echo b >ctx/sub/b.txt
echo secret >ctx/sub/left.out
echo '**/left.out' >ctx/.dockerignore
mkdir ctx/named
echo x >ctx/named/x
echo x >extra/x

build() { kit_build "$@"; }
tree() { # FILES ARGS...: what is built is these files
        local files=$1 got
        shift
        rm -rf "$dir/out"
        build -o "$dir/out" "$@" || return 1
        got=$(cd "$dir/out" && find . -type f | sort | tr '\n' ' ')
        [ "$got" = "$files " ] || { echo "$got"; return 1; }
}
config() { # EXPRESSION VALUE ARGS...: of the image's configuration
        local expression=$1 value=$2 got
        shift 2
        build -o "type=oci,dest=$dir/image.tar" "$@" || return 1
        got=$(skopeo inspect --config "oci-archive:$dir/image.tar" | jq -c "$expression")
        [ "$got" = "$value" ] || { echo "$got"; return 1; }
}

# ---- Contexts
check "a directory, and what .dockerignore leaves out" tree './a.txt ./b.txt' ctx
check "a stage of it" tree './files/a.txt ./files/b.txt' --target files ctx
check "another Dockerfile" tree './other-file' -f ctx/other.Dockerfile ctx
from_stdin() { tree './here' -f - ctx <<<$'FROM scratch\nCOPY a.txt /here'; }
check "one from standard input" from_stdin
alone() { tree './made' - <<<$'FROM scratch\nCOPY <<END /made\nx\nEND'; }
check "one alone" alone
no_files() { ! build - <<<$'FROM scratch\nCOPY a.txt /' 2>"$dir/err" && grep -q 'a.txt' "$dir/err"; }
check "which has no files" no_files
archive() { tar -C ctx "$1" -cf - . | tree './a.txt ./b.txt ./left.out' -; } # no .dockerignore, as with any archive
check "an archive" archive --no-auto-compress
check "one that is compressed" archive --gzip
in_archive() { tar -C ctx -cf - . | tree './other-file' -f other.Dockerfile -; }
check "another Dockerfile in it" in_archive
check "a named directory" tree './from-base ./from-context' -f extra.Dockerfile --build-context extra=extra ctx
layout() {
        build -o "type=oci,dest=$dir/layout,tar=false,name=extra:1" -f - extra <<<$'FROM scratch\nCOPY x /x' &&
                tree './from-base ./from-context' -f extra.Dockerfile --build-context "extra=oci-layout://$dir/layout:1" ctx
}
check "an image in a directory" layout

# ---- From servers
www=$dir/www
mkdir "$www"
python3 "$top_srcdir/tests/tools/gitserver.py" "$www" 2>"$dir/server.err" &
server=$!
python3 -u -m http.server --bind 127.0.0.1 --directory "$www" 0 >"$dir/files.log" 2>&1 &
files=$!
# One that does not say when a file was changed.
python3 -u - "$www" >"$dir/untimed.log" 2>&1 <<'END' &
import functools, http.server, sys
class Untimed(http.server.SimpleHTTPRequestHandler):
    def send_header(self, key, value):
        if key != "Last-Modified":
            super().send_header(key, value)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Untimed, directory=sys.argv[1]))
print("on port", server.server_address[1])
server.serve_forever()
END
untimed=$!
trap 'kill $server $files $untimed 2>/dev/null; rm -rf "$dir"' EXIT
repository() {
        export HOME=$dir GIT_CONFIG_NOSYSTEM=1
        git init -q -b main "$dir/repo" && cp -r ctx "$dir/repo/app" &&
                git -C "$dir/repo" add -A && git -C "$dir/repo" -c user.name=t -c user.email=t@e.org commit -q -m x &&
                git clone -q --mirror "$dir/repo" "$www/repo.git"
}
check "a repository is there" repository
tar -C ctx -czf "$www/context.tgz" .
tar -C ctx --mtime=@1000000000 -czf "$www/old.tgz" .
for ((i = 0; i < 200; i++)); do
        web=$(sed -nE 's/.* port ([0-9]+).*/\1/p' "$dir/files.log")
        untimed_port=$(sed -nE 's/.* port ([0-9]+).*/\1/p' "$dir/untimed.log")
        [ -s "$www/.port" ] && [ -n "$web" ] && [ -n "$untimed_port" ] && break
        sleep 0.05
done
git=http://127.0.0.1:$(cat "$www/.port")/git/repo.git web=http://127.0.0.1:$web
check "a git repository" tree './a.txt ./b.txt ./left.out' "$git#main:app"
check "another Dockerfile in it" tree './other-file' -f other.Dockerfile "$git#main:app"
git_stdin() { tree './from-git' -f - "$git#main:app" <<<$'FROM scratch\nCOPY a.txt /from-git'; }
check "one from standard input with it" git_stdin
check "a repository as a named context" tree './from-base ./from-context' -f extra.Dockerfile --build-context "extra=$git#main:app/named" ctx
check "an archive of a web server" tree './a.txt ./b.txt ./left.out' "$web/context.tgz"
no_branch() { ! build "$git#gone" 2>"$dir/err" && grep -q gone "$dir/err"; }
check "a branch that is not there" no_branch
no_file() { ! build "$web/none" 2>"$dir/err" && grep -q 404 "$dir/err"; }
check "an archive that is not there" no_file

# ---- The image
check "its command" config .config.Cmd '["/run","it"]' ctx
check "a build argument's default" config .config.Labels.which '"one"' ctx
check "a build argument" config .config.Labels.which '"two"' --build-arg WHICH=two ctx
from_env() { WHICH=three config .config.Labels.which '"three"' --build-arg WHICH ctx; }
check "from the environment" from_env
check "a label" config '.config.Labels.which, .config.Labels.more' $'"mine"\n"x"' --label which=mine --label more=x ctx
dated() { SOURCE_DATE_EPOCH=1000000000 config .created '"2001-09-09T01:46:40Z"' ctx; }
check "SOURCE_DATE_EPOCH" dated
check "that of an archive's newest file" config .created '"2001-09-09T01:46:40Z"' --build-arg SOURCE_DATE_EPOCH=context "http://127.0.0.1:$untimed_port/old.tgz"
no_time() { config '.created != "2001-09-09T01:46:40Z"' true --build-arg SOURCE_DATE_EPOCH=context "$web/old.tgz"; }
check "unless the server has another time" no_time
check "a platform" config .architecture '"riscv64"' --platform linux/riscv64 ctx
several() {
        build --platform linux/amd64,linux/arm64 -o "type=oci,dest=$dir/many,tar=false" ctx &&
                [ "$(jq -r '.manifests[0].digest' "$dir/many/index.json" | sed 's|:|/|;s|^|many/blobs/|' | xargs jq -c '[.manifests[].platform.architecture]')" = '["amd64","arm64"]' ]
}
check "several platforms" several
kept() { build -t mine:1 ctx && "$SLIPWAY" images -q | grep -qx docker.io/library/mine:1; }
check "kept by its name" kept
on_kept() { tree './a.txt ./b.txt ./more' -f - extra <<<$'FROM mine:1\nCOPY x /more'; }
check "what is kept is there to begin with" on_kept
registry_first() { tree '' --pull -f - extra <<<$'FROM 127.0.0.1:1/mine:1' 2>&1 | grep -q 127.0.0.1:1; }
check "unless there is --pull" registry_first
other_platform() { # it is not taken for one of this machine; nor is an index without it
        local which
        for which in linux/s390x linux/s390x,linux/riscv64; do
                build -t 127.0.0.1:1/other --platform "$which" ctx || return
                build -f - extra <<<$'FROM 127.0.0.1:1/other' >"$dir/said" 2>&1 && return 1
                grep -qE 'the one that is kept here is for (linux/s390x|other platforms): .*127.0.0.1:1' "$dir/said" || { cat "$dir/said"; return 1; }
        done
        build -f - extra <<<$'FROM --platform=linux/riscv64 127.0.0.1:1/other\nCOPY x /'
}
check "and it is for the platform" other_platform

# ---- Questions
check_clean() { "$SLIPWAY" build --progress quiet --check ctx | grep -q 'no warnings'; }
check "nothing to mend" check_clean
printf 'from scratch as A\nMAINTAINER me\n' >bad.Dockerfile
check_bad() { ! "$SLIPWAY" build --progress quiet --check -f bad.Dockerfile ctx >"$dir/said" 2>&1 && grep -q MaintainerDeprecated "$dir/said"; }
check "something" check_bad
check "a build argument says which" "$SLIPWAY" build --progress quiet --check --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=all -f bad.Dockerfile ctx
check_json() { "$SLIPWAY" build --progress quiet --call check,format=json -f bad.Dockerfile ctx 2>/dev/null | jq -e '.warnings | length > 0' >/dev/null; }
check "as JSON" check_json
outline() { "$SLIPWAY" build --progress quiet --call outline ctx | grep -q WHICH; }
check "the outline" outline
targets() { "$SLIPWAY" build --progress quiet --call targets ctx | grep -q '^files'; }
check "the targets" targets
converted() { "$SLIPWAY" build --progress quiet --call convertllb ctx | jq -e '(.def | length) == (.metadata | length) and .source.infos[0].filename == "Dockerfile"' >/dev/null; }
check "the definition as JSON" converted
check "what can be asked" "$SLIPWAY" build --progress quiet --call describe ctx

# ---- Mistakes
wrong() { # STATUS PART DOCKERFILE ARGS...
        local want=$1 part=$2 text=$3
        shift 3
        printf '%b' "$text" | "$SLIPWAY" build --progress plain -f - "$@" ctx >"$dir/said" 2>&1
        [ $? = "$want" ] && grep -qF -- "$part" "$dir/said" && return
        cat "$dir/said"
        return 1
}
check "an instruction that is none" wrong 1 'unknown instruction: COPPY' 'FROM scratch\nCOPPY a b\n'
check "its place" grep -q 'Dockerfile:2' "$dir/said"
check "a file that is not there" wrong 1 'nothing.here' 'FROM scratch\nCOPY nothing.here /\n'
check "its place" grep -q 'Dockerfile:2' "$dir/said"
check "a directive that cannot be read" wrong 1 'invalid check option "nope"' '# syntax=docker/dockerfile:1\n# check=nope=1\nFROM scratch\n'
check "its place" grep -q 'Dockerfile:2' "$dir/said"
check "an owner without a tree to look him up in" wrong 1 'invalid user index: -1' 'FROM scratch\nCOPY --link --chown=daemon a.txt /\n'
check "his name" grep -q 'look up the owner daemon' "$dir/said"
check "a stage that is not there" wrong 1 'target stage "x" could not be found' 'FROM scratch\n' --target x
check "an empty Dockerfile" wrong 1 'Dockerfile' '# nothing\n'
check "SOURCE_DATE_EPOCH that is none" wrong 1 'invalid SOURCE_DATE_EPOCH' 'FROM scratch\n' --build-arg SOURCE_DATE_EPOCH=soon
check "warnings are told, and do no harm" wrong 0 'MaintainerDeprecated' 'FROM scratch\nMAINTAINER me\nCOPY a.txt /\n'
finish
