#!/bin/bash
# What slipway build tells when it is over: the summary of one that went well, excerpt and
# hint of one that failed, warnings. Catches: reasons that are not those, a digest that is
# another image's, words where only JSON may be, excerpts that differ from the reference's,
# carets beside their word, files that are looked for in the wrong place.
# shellcheck disable=SC2016,SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
kit_apart
app=$dir/app
mkdir "$app" && kit_root "$app/rootfs" || exit 99
cat >"$app/Dockerfile" <<'END'
FROM scratch AS base
COPY rootfs /
FROM base
COPY src /src
RUN cat /src/* >/all
END
mkdir "$app/src"
echo one >"$app/src/one"
echo two >"$app/src/two"

build() { # ARGS...: progress as lines, in $dir/err
        "$SLIPWAY" "${kit_config[@]}" build --progress plain "$@" "$app" >"$dir/out" 2>"$dir/err"
}
told() { # PART: a line of what was told, whole
        grep -qxF -- "$1" "$dir/err" || { cat "$dir/err"; return 1; }
}
summary() { # after the lines of progress; times, sizes and digests are taken out
        sed -n '/^$/h;/^#/h;/^#/!H;${x;p}' "$dir/err" | sed '/^#/d;/^$/d' | sed 's/sha256:[0-9a-f]*/DIGEST/;s/, [0-9.]*[kM]*B$/, SIZE/'
}
tells() { # WANTED ARGS...: its summary is WANTED
        local want=$1
        shift
        build "$@" || { cat "$dir/err"; return 1; }
        [ "$(summary)" = "$want" ] || { summary; cat "$dir/err"; return 1; }
}

# ---- The summary
check "the first time" tells 'cache   0 of 3 steps cached: none was run like this before
image   app:1 DIGEST, in slipway'"'"'s store' -t app:1 --metadata-file "$dir/meta"
digest() { grep -q "^image .*$(jq -r '."containerimage.digest"' "$dir/meta")," "$dir/err"; }
check "the digest is the image's" digest
layers() {
        jq -r '."slipway.layers".layers | map("\(.by) \(.size > 0)") | .[]' "$dir/meta" >"$dir/layers"
        diff "$dir/layers" - <<'END'
COPY rootfs / # buildkit true
COPY src /src # buildkit true
RUN /bin/sh -c cat /src/* >/all # buildkit true
END
}
check "its layers, and what made them" layers
sed -i 's/cat /echo loud; cat /' "$app/Dockerfile"
loud() { # what a step printed can be found later, all of it
        build && grep -rqx loud "$("$SLIPWAY" inspect latest | sed -n 's/^Logs: *//p')"
}
check "inspect names the place of the logs" loud
sed -i 's/echo loud; //' "$app/Dockerfile"
check "the second time" tells 'cache   3 of 3 steps cached
result  in the cache only; --output says where to put it'
echo three >"$app/src/three"
echo 2 >"$app/src/two"
check "files that changed" tells 'cache   1 of 3 steps cached; [stage-1 1/2] COPY src /src: src/three, src/two changed
files   '"$dir/files" -o "type=local,dest=$dir/files"
sed -i 's/cat/cat -u/' "$app/Dockerfile"
check "a step that is new" tells 'cache   2 of 3 steps cached; [stage-1 2/2] RUN cat -u /src/* >/all: never run like this before
archive '"$dir/a.tar, SIZE" -o "type=tar,dest=$dir/a.tar"
check "the cache was not asked" tells 'cache   0 of 3 steps cached, as told
image   docker.io/library/app:2 DIGEST in '"$dir/o.tar, SIZE" --no-cache -o "type=oci,name=app:2,dest=$dir/o.tar"
check "SLIPWAY_SUMMARY=off" eval 'SLIPWAY_SUMMARY=off build && ! grep -q "^cache" "$dir/err"'
quiet() {
        "$SLIPWAY" "${kit_config[@]}" build --quiet -t app:1 "$app" >"$dir/out" 2>"$dir/err" &&
                [ ! -s "$dir/err" ] && grep -qx 'sha256:[0-9a-f]*' "$dir/out"
}
check "--quiet tells the image alone" quiet
raw() { build --progress rawjson && jq -e . "$dir/err" >"$dir/json"; }
check "rawjson is nothing but JSON" raw
on_terminal() {
        script -qec "stty cols 60 rows 20; TERM=xterm NO_COLOR=1 $SLIPWAY ${kit_config[*]} build --no-cache -t app:1 $app" /dev/null </dev/null >"$dir/tty" 2>&1
        sed 's/\r$//' "$dir/tty" | grep -q '^layers  [0-9.]*MB in 3: [0-9.]*MB COPY rootfs /' &&
                ! sed 's/\r$//' "$dir/tty" | grep '^[a-z]' | grep '.\{60\}'
}
check "on a terminal: the layers, and no line is too wide" on_terminal

# ---- Failures
fails_with() { # WANTED: what is told after the lines of progress
        cat >"$dir/want"
        build && return 1
        grep -v -e '^#' -e '^$' "$dir/err" | diff - "$dir/want"
}
printf 'FROM base\nCOPY\trootfs /\nRUNN  make\n' >"$app/Dockerfile"
check "an unknown instruction" fails_with <<'END'
Dockerfile:3
--------------------
   1 |     FROM base
   2 |     COPY	rootfs /
   3 | >>> RUNN  make
     |     ^^^^
   4 |     
--------------------
slipway: dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)
END
printf 'FROM scratch\nCOPY rootfs /\nCOPY --chwon=1 src /\n' >"$app/Dockerfile"
check "an unknown flag" fails_with <<'END'
Dockerfile:3
--------------------
   1 |     FROM scratch
   2 |     COPY rootfs /
   3 | >>> COPY --chwon=1 src /
     |          ^^^^^^^^^
   4 |     
--------------------
slipway: dockerfile parse error on line 3: unknown flag: --chwon (did you mean chown?)
END
printf 'FROM scratch\nCOPY rootfs /\nRUN echo first; \\\n    nosuch\nRUN true\n' >"$app/Dockerfile"
command_fails() {
        build && return 1
        told ' > [3/4] RUN echo first;     nosuch:' || told ' > [2/3] RUN echo first;     nosuch:' || return 1
        sed -n '/^Dockerfile/,$p' "$dir/err" | grep -v '^whole log' | diff - <(cat <<'END'
Dockerfile:3
--------------------
   2 |     COPY rootfs /
   3 | >>> RUN echo first; \
   4 | >>>     nosuch
   5 |     RUN true
--------------------
to look into it: --on-error keep gives a shell in what it left
hint: nosuch is not in this image: install it in an earlier step, or look at its spelling and at PATH
slipway: failed to solve: process "/bin/sh -c echo first;     nosuch" did not complete successfully: exit code: 127 (command not found)
END
)
}
check "a command that is not there" command_fails
log_kept() { grep -q "first" "$(sed -n 's/^whole log: //p' "$dir/err")"; }
check "the whole log is where it says" log_kept

printf 'FROM scratch\nCOPY gone /\n' >"$app/Dockerfile"
hint() { build && return 1; grep -q "^hint: .*$1" "$dir/err" || { cat "$dir/err"; return 1; }; }
check "a file that is nowhere" hint 'below the directory'
printf 'FROM scratch\nCOPY src/one /\n' >"$app/Dockerfile"
echo src >"$app/.dockerignore"
check "a file that is left out" hint 'src/one is in the directory, but .dockerignore leaves it out'
rm "$app/.dockerignore"
echo src >"$app/Dockerfile.dockerignore"
check "by the Dockerfile's own list" hint "but $app/Dockerfile.dockerignore leaves it out"
rm "$app/Dockerfile.dockerignore"

# ---- Warnings
printf 'FROM scratch\nMAINTAINER me\nCOPY src /\n' >"$app/Dockerfile"
warned() {
        build || return 1
        told '1 warning (--check says more):' &&
                told ' - Dockerfile:2: MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label' &&
                told '   https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/' &&
                [ "$(grep -c '^#[0-9]* WARN: MaintainerDeprecated' "$dir/err")" = 1 ]
}
check "a warning, with its place, once" warned
check "--check tells it alone" eval '! build --check; ! grep -q "says more" "$dir/err"'
kit_end
finish
