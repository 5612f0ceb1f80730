#!/usr/bin/env bash
# Whole projects, as people have them, from their folders below examples/: a C program with make,
# a Python service in a virtual environment, a Node service with vendored modules, a static site,
# an image for two platforms. Each is built, its tests are run, its image is judged by other
# programs and run; built again, when nothing and when one file changed. There is no network but
# loopback. Would catch: an image that others cannot read or that does not run, a step that runs
# again though nothing it needs changed, one that does not though something did, caches of
# programs that are lost or mixed up, a platform mistaken for another.
# shellcheck disable=SC2154
if [ -z "${PROJECTS_APART:-}" ]; then
        dir=$(mktemp -d) || exit 99
        trap 'rm -rf "$dir"' EXIT
        . "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/standin-kit.sh"
        standin_foreign >"$dir/log" 2>&1 || { echo "Bail out! no busybox for arm64: $(tail -n 1 "$dir/log")"; exit 99; }
        rm -rf "$dir"
        export PROJECTS_APART=1 foreign_busybox
        exec unshare -mn --propagation private bash "$0"
fi
busybox ip link set lo up
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
. "$top_srcdir/tests/integration/registry-kit.sh"
. "$top_srcdir/tests/integration/standin-kit.sh"
unset SOURCE_DATE_EPOCH {FTP,ALL}_PROXY ftp_proxy all_proxy
kit_apart
binfmt=/proc/sys/fs/binfmt_misc registered=
projects_end() {
        [ -z "$registered" ] || echo -1 >"$binfmt/qemu-aarch64"
        kit_end
}
trap 'projects_end; registry_end; rm -rf "$dir"' EXIT
check "images to begin with" standin_images
cp -r "$top_srcdir/examples" "$dir/examples"
chmod -R u+w "$dir/examples"
cd "$dir/examples" || exit 99

build() { "$SLIPWAY" "${kit_config[@]}" build --progress plain "$@" >"$dir/said" 2>&1 || { cat "$dir/said"; return 1; }; }
fails_with() { # PART ARGS...
        local part=$1
        shift
        ! build "$@" >/dev/null && grep -qF -- "$part" "$dir/said" || { cat "$dir/said"; return 1; }
}
# The steps that ran, each as "STAGE N/M INSTRUCTION", sorted; those that only fetch do not count.
# COPY --link onto scratch is no step of its own: progress has only what it is laid over.
ran() {
        awk '/^#[0-9]+ \[/ && !/^#[0-9]+ \[([^]]*internal|context [^]]*)\]/ && !/\] FROM / { split($0, part, /[][]/); split(part[3], word, " "); name[$1] = part[2] " " word[1] }
                $2 == "CACHED" { delete name[$1] }
                END { for (i in name) print name[i] }' "$dir/said" | LC_ALL=C sort | tr '\n' ';'
}
runs_only() { # STEPS ARGS...
        local steps=$1
        shift
        build "$@" || return
        [ "$(ran)" = "$steps" ] || { echo "ran: $(ran)"; echo "wanted: $steps"; cat "$dir/said"; return 1; }
}
says() { grep -qF -- "$1" "$dir/said" || { cat "$dir/said"; return 1; }; }
silent() { ! grep -F -- "$1" "$dir/said"; }
bundle() { # IMAGE: any that skopeo reads, as a bundle, and its configuration in image.json
        rm -rf "$dir/layout" "$dir/bundle"
        skopeo copy -q --src-tls-verify=false "${@:2}" "$1" "oci:$dir/layout:it" &&
                skopeo inspect --config --raw "oci:$dir/layout:it" >"$dir/image.json" &&
                umoci unpack --image "$dir/layout:it" "$dir/bundle" >/dev/null 2>&1 && rm -rf "$dir/layout"
}
config() { # IMAGE EXPRESSION VALUE
        local got
        got=$(skopeo inspect --tls-verify=false --config --raw "$1" | jq -c "$2")
        [ "$got" = "$3" ] || { echo "$got"; return 1; }
}
layer_has() { # IMAGE NUMBER PATH TEXT: a file of one of its layers
        local blob
        rm -rf "$dir/layout" "$dir/bundle"
        skopeo copy -q --src-tls-verify=false "$1" "oci:$dir/layout:it" || return
        blob=$(skopeo inspect --raw "oci:$dir/layout:it" | jq -r ".layers[$2].digest")
        tar -C "$dir/layout/blobs/sha256" -xOf "$dir/layout/blobs/sha256/${blob#sha256:}" "$3" | grep -F -- "$4"
}
prints() { # TEXT [ARGUMENT...]: the container's program prints that
        local got
        got=$(kit_run "$dir/bundle" "${@:2}")
        [ "$got" = "$1" ] || { echo "$got"; return 1; }
}
serve() { # URL: the image's command in the background, until it answers there
        local i
        kit_run "$dir/bundle" >"$dir/serve.log" 2>&1 &
        server=$!
        for ((i = 0; i < 200; i++)); do
                curl -s -o "$dir/answer" "$1" && return
                kill -0 "$server" 2>/dev/null || break
                sleep 0.05
        done
}
fetch() { # TEXT ARGS...: of curl
        local got
        got=$(curl -sS "${@:2}") && [[ $got = *"$1"* ]] || { echo "$got"; cat "$dir/serve.log"; return 1; }
}
healthy() { # the image's own check, in a container beside the server's
        local -a check
        mapfile -t check < <(jq -r '.config.Healthcheck.Test[1:][]' "$dir/image.json")
        [ ${#check[@]} -gt 1 ] && kit_run "$dir/bundle" "${check[@]}"
}
stop() { # SIGNAL
        kit_signal "$server" "$1"
        wait "$server"
}

# ---- A C program with make
check "C: its tests" build --target test c-make
check "C: which pass" says "roman: all is well"
check "C: it is built" build -o "type=oci,dest=$dir/roman.tar" --build-arg VERSION=1.2 c-make
roman=oci-archive:$dir/roman.tar
check "C: the compiler ran" says "cc -O2 -Wall -Wextra -MMD -c -o obj/main.o src/main.c"
check "C: its version" config "$roman" '.config.Labels."org.opencontainers.image.version"' '"1.2"'
check "C: its command" config "$roman" '[.config.Entrypoint, .config.Cmd, .config.User]' '[["/roman"],["2026"],"65534:65534"]'
check "C: one layer" config "$roman" '.rootfs.diff_ids | length' 1
check "C: a bundle of it" bundle "$roman"
one_file() { [ "$(cd "$dir/bundle/rootfs" && find . -type f)" = ./roman ]; }
check "C: with nothing but the program" one_file
check "C: which runs" prints MMXXVI
check "C: with other arguments" prints 1994 /roman MCMXCIV
check "C: again: nothing runs" runs_only "" -o "type=oci,dest=$dir/roman.tar" --build-arg VERSION=1.2 c-make
check "C: nothing changed but its date" touch c-make/src/roman.c
check "C: nothing runs" runs_only "" -o "type=oci,dest=$dir/roman.tar" --build-arg VERSION=1.2 c-make
echo '/* A remark. */' >>c-make/src/roman.c
check "C: a remark: make runs, and what it makes is the same" runs_only \
        "build 4/5 COPY;build 5/5 RUN;build-static 1/1 RUN;" -o "type=oci,dest=$dir/roman.tar" --build-arg VERSION=1.2 c-make
check "C: one file is compiled" says "-c -o obj/roman.o src/roman.c"
check "C: and no other" silent "src/main.c"
sed -i 's/{ 1, "I" }/{ 1, "i" }/' c-make/src/roman.c
check "C: a mistake: the tests fail" fails_with "roman 1: i, not I" --target test c-make
check "C: with the line that they are on" says ">>>     make check"
sed -i 's/ROMAN_MAX  3999/ROMAN_MAX  2999/; s/"i" }/"I" }/' c-make/src/roman.[ch]
check "C: a header changed" runs_only "build 4/5 COPY;build 5/5 RUN;build-static 1/1 RUN;" \
        -o "type=oci,dest=$dir/roman.tar" --build-arg VERSION=1.2 c-make
check "C: a bundle of that" bundle "$roman"
check "C: is what is run" prints "" /roman 3000
check "C: other flags: everything is compiled" build --build-arg CFLAGS=-Os c-make
check "C: with them" says "cc -Os -MMD -c -o obj/main.o src/main.c"
check "C: on Debian" build --target dynamic -t roman:dynamic c-make
saved() { rm -rf "$dir/saved.tar" && "$SLIPWAY" images save "$1" -o "$dir/saved.tar" && bundle "oci-archive:$dir/saved.tar"; }
check "C: a bundle of that, too" saved roman:dynamic
check "C: linked with its libraries" prints MMXXVI
file_is() { ! grep -q "$1" "$dir/bundle/rootfs/usr/local/bin/roman" || return 0; }
check "C: not statically" file_is ld-linux

# ---- A Python service in a virtual environment
registry_start r || exit 99
tally=$registry_r/tally:1
check "Python: its tests" build --target test python-venv
check "Python: which pass" says "Ran 3 tests"
check "Python: it is built and pushed" build -t "$tally" --push --build-arg REVISION=abc123 python-venv
check "Python: after its tests only the rest runs" test "$(ran)" = "stage-4 1/4 RUN;stage-4 2/4 WORKDIR;stage-4 3/4 COPY;stage-4 4/4 COPY;"
check "Python: its label" config "docker://$tally" '.config.Labels."org.opencontainers.image.revision"' '"abc123"'
check "Python: its command" config "docker://$tally" '[.config.Entrypoint, .config.Cmd, .config.User, .config.ExposedPorts]' \
        '[["python","-m","tally"],["--port","8000"],"tally",{"8000/tcp":{}}]'
check "Python: a bundle of it" bundle "docker://$tally"
owners() { # what was copied belongs to whom it should
        local got
        got=$(cd "$dir/bundle/rootfs" && stat -c '%n %u:%g' app app/tally/__init__.py opt/venv | tr '\n' ' ')
        [ "$got" = "app 0:0 app/tally/__init__.py 990:990 opt/venv 0:990 " ] || { echo "$got"; return 1; }
}
check "Python: owners" owners
nothing_else() { [ "$(ls -A "$dir/bundle/rootfs/app")" = tally ] && [ ! -e "$dir/bundle/rootfs/wheels" ] && [ ! -e "$dir/bundle/rootfs/tmp/requirements.txt" ]; }
check "Python: nothing of its build" nothing_else
serve http://127.0.0.1:8000/health
check "Python: it answers" fetch '[["fish", 2], ["one", 1], ["two", 1]]' --data 'One fish, two fish' http://127.0.0.1:8000/
check "Python: it is healthy" healthy
stop TERM
check "Python: again: nothing runs" runs_only "" -t "$tally" --push --build-arg REVISION=abc123 python-venv
sed -i 's/"well"/"quite well"/' python-venv/tally/__main__.py
check "Python: its program changed" runs_only "stage-4 4/4 COPY;" -t "$tally" --push --build-arg REVISION=abc124 python-venv
echo 'def count(text): return len(words(text))' >>python-venv/vendor/wordsplit/wordsplit.py
sed -i 's/1\.2/1.3/' python-venv/requirements.txt python-venv/vendor/wordsplit/pyproject.toml
check "Python: its requirement changed" runs_only "stage-4 3/4 COPY;stage-4 4/4 COPY;venv 2/2 RUN;wheels 2/2 RUN;" \
        -t "$tally" --push --build-arg REVISION=abc124 python-venv
check "Python: it has both" layer_has "docker://$tally" -1 app/tally/__main__.py "quite well"
check "Python: and the new one" layer_has "docker://$tally" -2 opt/venv/lib/python3.11/site-packages/wordsplit.py "def count"
echo 'wordsplit==9' >python-venv/requirements.txt
check "Python: a requirement that is not there" fails_with "No matching distribution found for wordsplit==9" python-venv

# ---- A Node service with vendored modules
layout=oci:$dir/guestbook:latest
node_build() { build -o "type=oci,tar=false,dest=$dir/guestbook" "$@" node-vendored; }
check "Node: its tests" build --target test node-vendored
check "Node: which pass" says "# pass 3"
check "Node: it is built" node_build --build-arg VERSION=3.1
check "Node: variables" config "$layout" '.config.Env[-3:]' '["NODE_ENV=production","PORT=8080","APP_VERSION=3.1"]'
check "Node: its port" config "$layout" '[.config.ExposedPorts, .config.StopSignal, .config.User]' '[{"8080/tcp":{}},"SIGINT","node"]'
check "Node: a bundle of it" bundle "$layout"
serve http://127.0.0.1:8080/health
check "Node: it answers" fetch "welcome, Ada" -X POST http://127.0.0.1:8080/sign/Ada
check "Node: with its modules" fetch "<li>Ada</li>" http://127.0.0.1:8080/
check "Node: with its version" fetch 3.1 http://127.0.0.1:8080/version
check "Node: it is healthy" healthy
stop INT
check "Node: without its tests" test ! -e "$dir/bundle/rootfs/app/test"
check "Node: again: nothing runs" runs_only "" -o "type=oci,tar=false,dest=$dir/guestbook" --build-arg VERSION=3.1 node-vendored
sed -i 's/Guests/Visitors/' node-vendored/lib/guestbook.js
check "Node: a file changed" runs_only "stage-3 3/3 COPY;" -o "type=oci,tar=false,dest=$dir/guestbook" node-vendored
check "Node: it has it" layer_has "$layout" -1 app/lib/guestbook.js "<h1>Visitors</h1>"
check "Node: its tests do not like it" fails_with "who signed is on the page" --target test node-vendored
sed -i 's/2\.1\.0/2.1.1/' node-vendored/node_modules/route-table/package.json
check "Node: a module that is not the one that is wanted" fails_with "route-table: 2.1.1 is vendored, 2.1.0 wanted" node-vendored

# ---- A static site
check "site: its tests" build --target test static-site
check "site: it is built" build -t notes static-site
check "site: without drafts" silent draft
check "site: a bundle of it" saved notes
check "site: its name" test "$(jq -r '.annotations."org.opencontainers.image.title"' "$dir/bundle/config.json")" = "Harbour notes"
serve http://127.0.0.1:8080/
check "site: a page" fetch "<h1>Tides</h1>" http://127.0.0.1:8080/tides.html
check "site: the first one" fetch "ebb &amp; the wind" http://127.0.0.1:8080/
check "site: one that is not there" fetch "That page has sunk" http://127.0.0.1:8080/none.html
check "site: it is healthy" healthy
stop KILL
check "site: again: nothing runs" runs_only "" -t notes static-site
echo more >>static-site/content/draft-storms.md
check "site: a draft changed: nothing runs" runs_only "" -t notes static-site
echo 'Nobody knows why.' >>static-site/content/tides.md
check "site: a page changed" runs_only "build 4/5 COPY;build 5/5 RUN;stage-2 3/4 COPY;stage-2 4/4 WORKDIR;" -t notes static-site
check "site: a bundle of that" saved notes
check "site: has it" grep -q "Nobody knows why" "$dir/bundle/rootfs/srv/tides.html"
check "site: another title" runs_only "build 5/5 RUN;stage-2 3/4 COPY;stage-2 4/4 WORKDIR;" -t notes --build-arg SITE_TITLE=Quay static-site
sed -i 's/tides.md/gone.md/' static-site/content/index.md
check "site: a link that leads nowhere" fails_with "index.html: gone.html is not there" --target test static-site

# ---- An image for two platforms
machine=$registry_r/machine:1 two=linux/amd64,linux/arm64
index_is() { # IMAGE: both are there, and each has the configuration of its own
        local arch
        [ "$(skopeo inspect --tls-verify=false --raw "docker://$1" | jq -c '[.manifests[].platform | .os + "/" + .architecture]')" = '["linux/amd64","linux/arm64"]' ] || return
        for arch in amd64 arm64; do
                [ "$(skopeo inspect --tls-verify=false --override-arch $arch --config "docker://$1" | jq -r .architecture)" = $arch ] || return
        done
}
check "two platforms: cross-compiled" build --platform "$two" -t "$machine" --push two-platforms
check "two platforms: each is in the index" index_is "$machine"
check "two platforms: the one for this machine" bundle "docker://$machine" --override-arch amd64
check "two platforms: runs" prints "made for linux/amd64, runs on x86_64"
check "two platforms: the one for arm64" bundle "docker://$machine" --override-arch arm64
elf_machine() { [ "$(od -An -tu2 -j18 -N2 "$dir/bundle/rootfs/machine" | tr -d ' ')" = 183 ]; }
check "two platforms: is for it" elf_machine
check "two platforms: again: nothing runs" runs_only "" --platform "$two" -t "$machine" --push two-platforms
echo '/* changed */' >>two-platforms/machine.c
check "two platforms: its source changed" runs_only "linux/amd64 build 5/6 COPY;linux/amd64 build 6/6 RUN;linux/amd64->arm64 build 5/6 COPY;linux/amd64->arm64 build 6/6 RUN;" \
        --platform "$two" -t "$machine" --push two-platforms

base() { # an image for both, out of which steps run
        local arch
        for arch in amd64 arm64; do
                mkdir -p "$dir/busybox/$arch"/{bin,tmp}
                cp "$(command -v busybox)" "$dir/busybox/amd64/bin/busybox"
                for applet in sh cat tee; do ln -s busybox "$dir/busybox/$arch/bin/$applet"; done
        done
        cp "$foreign_busybox" "$dir/busybox/arm64/bin/busybox"
        printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n' |
                build -f - --platform "$two" -t "$registry_r/busybox:musl" --push "$dir/busybox"
}
check "two platforms: an image to begin with" base
index=$registry_r/busybox:musl
emulated() { build --platform "$two" --target tested --build-context "busybox:musl=docker-image://$index" -t "$machine" --push two-platforms; }
[ -e "$binfmt/register" ] || mount -t binfmt_misc binfmt_misc "$binfmt" || echo "# binfmt_misc cannot be mounted"
enabled() { grep -qsx enabled "$binfmt/qemu-$1"; }
# A machine of which nobody runs programs here: what is no program of this one is as good as one of it.
for unknown in aarch64=arm64 riscv64=riscv64 s390x=s390x loongarch64=loong64 none=; do enabled "${unknown%=*}" || break; done
unknown=${unknown#*=}
no_emulator() {
        [ -n "$unknown" ] || { echo "emulators for all machines are registered here"; return 1; }
        printf '\0' | dd of="$dir/busybox/arm64/bin/busybox" bs=1 seek=18 conv=notrunc 2>/dev/null # of no machine at all
        printf 'FROM scratch\nCOPY arm64 /\nRUN true\n' |
                fails_with "(this machine has no emulator for linux/$unknown)" -f - --platform "linux/$unknown" "$dir/busybox" &&
                says qemu-user-static
}
check "two platforms: without an emulator that is said" no_emulator
register() {
        enabled aarch64 && return
        [ -e "$binfmt/register" ] || { echo "binfmt_misc cannot be mounted here"; return 1; }
        cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$binfmt/register" || { echo "programs of arm64 cannot be registered here"; return 1; }
}
enabled aarch64 || registered=yes
check "two platforms: an emulator" register
check "two platforms: steps run on both" emulated
check "two platforms: on this machine" says "made for linux/amd64, runs on x86_64"
check "two platforms: and on the other" says "made for linux/arm64, runs on aarch64"
check "two platforms: in one index" index_is "$machine"
check "two platforms: the other one" bundle "docker://$machine" --override-arch arm64
check "two platforms: runs, emulated" prints $'made for linux/arm64, runs on aarch64\nmade for linux/arm64, runs on aarch64'
check "two platforms: doctor knows" sh -c '"$SLIPWAY" doctor | grep -q "emulators .*aarch64"'
check "nothing is left mounted" kit_nothing_left
finish
