#!/usr/bin/env bash
# Dockerfiles whose commands run: stages, here-documents, mounts of every kind, caches, links,
# triggers, variables, users, shells; what of it is found in the cache by the next build.
# Catches: an instruction that converts to the right op and does the wrong thing when it runs,
# a step that runs again although nothing changed, one that does not although something did.
# shellcheck disable=SC2154,SC2016
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh" || exit 99
. "$top_srcdir/tests/integration/build-kit.sh"
unset SOURCE_DATE_EPOCH {HTTP,HTTPS,FTP,NO,ALL}_PROXY {http,https,ftp,no,all}_proxy
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT
cd "$dir" || exit 99
kit_root base || exit 1
for applet in env chmod cp printenv tr readlink; do ln -sf busybox "base/bin/$applet"; done
mkdir -p ctx/src/deep other
echo one >ctx/a.txt
echo two >ctx/src/b.txt
echo three >ctx/src/deep/c.txt
echo left >ctx/src/x.o
echo elsewhere >other/f
echo top-secret >secret
# What commands run on is an image: on a directory of the client nothing is cached.
"$SLIPWAY" "${kit_config[@]}" build --progress quiet -o "type=oci,dest=$dir/layout,tar=false,name=base:1" -f - base \
        <<<$'FROM scratch\nCOPY . /\n' || exit 1

# makes WANT: the Dockerfile on standard input builds, and /out has WANT in it. ARGS: more
# flags.
ARGS=()
makes() {
        local want=$1
        cat >"$dir/Dockerfile.now"
        rm -rf "$dir/result"
        "$SLIPWAY" "${kit_config[@]}" build --progress plain --build-context base=oci-layout://layout:1 --build-context other=other \
                -f "$dir/Dockerfile.now" -o "$dir/result" "${ARGS[@]}" ctx >"$dir/said" 2>&1 || { cat "$dir/said"; return 1; }
        [ "$(cat "$dir/result/out")" = "$want" ] && return
        cat "$dir/result/out"
        return 1
}
fails() { # PART: it does not build, and that is said
        cat >"$dir/Dockerfile.now"
        if "$SLIPWAY" "${kit_config[@]}" build --progress plain --build-context base=oci-layout://layout:1 -f "$dir/Dockerfile.now" ctx >"$dir/said" 2>&1; then
                echo "it was built"
                return 1
        fi
        grep -qF -- "$1" "$dir/said" && return
        cat "$dir/said"
        return 1
}

check "stages" makes "one
two" <<'END'
FROM base AS build
WORKDIR /src
COPY . .
RUN cat a.txt src/b.txt >all
FROM scratch
COPY --from=build /src/all /out
END
check "a stage by number, which nothing else needs" makes "0" <<'END'
FROM base
RUN echo 0 >/x
FROM base
RUN false
FROM scratch
COPY --from=0 /x /out
END
check "here-documents" makes "script
program
1 \$A
kept \$A
tab" <<'END'
FROM base
ENV A=1
RUN <<EOF
set -e
echo script >/out
EOF
RUN <<EOF
#!/bin/sh
echo program >>/out
EOF
COPY <<one <<"two" <<-three /docs/
$A \$A
one
kept $A
two
	tab
	three
RUN cat /docs/one /docs/two /docs/three >>/out
END
check "variables" makes "x y-z-default--set
arg b global" <<'END'
ARG G=global
FROM base
ARG A=arg B=b G
ENV E="x y" F=z
RUN echo "$E-$F-${NOT:-default}-${NOT}-${F:+set}" >/out && echo $A $B $G >>/out
END
ARGS=(--build-arg B=build)
check "build arguments" makes "arg build global" <<'END'
ARG G=global
FROM base
ARG A=arg B=b G
RUN echo $A $B $G >/out
END
ARGS=()
check "users, directories, modes, owners" makes "1000 /w/d
-rw------- 1000 50 /w/f
drwxr-xr-x 1000 1000 /w/d" <<'END'
FROM base
WORKDIR /w
RUN chmod 777 /w
USER worker:worker
WORKDIR d
RUN echo $(id -u) $(pwd) >../out
COPY --chown=worker:staff --chmod=600 a.txt /w/f
USER root
RUN ls -ln /w/f /w/f >/dev/null; stat -c '%A %u %g %n' /w/f /w/d >>/w/out && mv /w/out /out
END
check "another shell" fails 'exit code: 1' <<'END'
FROM base
SHELL ["/bin/sh", "-euc"]
RUN false; true
END
check "a command without a shell" makes there <<'END'
FROM base
RUN ["touch", "/$HOME", "/out"]
RUN test -e '/$HOME' && test ! -e "/$HOME/out" && echo there >/out
END
check "mounts: the context, a stage, a named context" makes "one
built
elsewhere
elsewhere" <<'END'
FROM base AS b
RUN echo built >/b
FROM base
RUN --mount=target=/c --mount=from=b,source=/b,target=/b --mount=from=other,target=/o,rw cat /c/a.txt /b /o/f >/out && \
        echo written >/o/new && cp /o/f /o/g && cat /o/g >>/out
RUN test ! -e /c/a.txt && test ! -e /o/new
END
check "mounts: a directory that cannot be written to" fails 'Read-only' <<'END'
FROM base
RUN --mount=target=/c touch /c/x
END
check "mounts: tmpfs" makes "tmpfs" <<'END'
FROM base
RUN --mount=type=tmpfs,target=/t echo x >/t/x && grep ' /t ' /proc/mounts | cut -d' ' -f1 >/out 2>/dev/null || grep -c ' /t tmpfs' /proc/mounts >/dev/null && echo tmpfs >/out
RUN test ! -e /t/x
END
cache() { makes "$1" <<END
FROM base
RUN --mount=type=cache,target=/k,id=kept-$$ echo $2 >>/k/log && cp /k/log /out
END
}
check "mounts: a cache" cache "1" 1
check "which is there for the next build" cache "1
2" 2
ARGS=(--secret "id=s,src=$dir/secret")
check "mounts: secrets, as file and variable" makes "top-secret
top-secret
-r-------- 0" <<'END'
FROM base
RUN --mount=type=secret,id=s,required --mount=type=secret,id=s,env=S cat /run/secrets/s >/out && printf %s "$S" >>/out && stat -c '%A %u' /run/secrets/s >>/out
RUN test -z "$S" && test ! -e /run/secrets/s
END
ARGS=()
check "a secret that nobody gives" fails 'secret' <<'END'
FROM base
RUN --mount=type=secret,id=s,required true
END
check "which is optional" makes "none" <<'END'
FROM base
RUN --mount=type=secret,id=s test -e /run/secrets/s || echo none >/out
END
check "an agent that nobody needs" makes "none" <<'END'
FROM base
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" || echo none >/out
END
check "network: none" makes "lo" <<'END'
FROM base
RUN --network=none ls /sys/class/net >/out 2>/dev/null || tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' >/out
END
check "COPY --link, --parents, --exclude" makes "one
./src/b.txt
./src/deep/c.txt" <<'END'
FROM base
COPY --link a.txt /l/
COPY --parents --exclude=**/*.o src /p/
COPY --link --chown=1000 src/x.o /l/x
RUN cat /l/a.txt >/out && cd /p && find . -type f | sort >>/out && test "$(stat -c %U /l/x)" = worker
END
check "wildcards" makes "b.txt c.txt x.o" <<'END'
FROM base
COPY src/* /d/
RUN cd /d && echo *.* | tr -d '\n' >/out
END
check "a trigger of a stage" makes "here triggered one" <<'END'
FROM base AS a
ONBUILD COPY a.txt /t
ONBUILD RUN echo triggered >>/o
RUN echo here >/o
FROM a
RUN echo $(cat /o /t) >/out
END
ARGS=(--add-host "somewhere:10.1.2.3" --shm-size 1m --ulimit nofile=77:88 --opt hostname=inside)
check "hosts, limits, hostname" makes "10.1.2.3
77
inside" <<'END'
FROM base
RUN grep somewhere /etc/hosts | cut -c1-8 >/out; ulimit -n >>/out; hostname >>/out
END
ARGS=()

# ---- Other frontends
syntax() { # NAME: the Dockerfile asks for it, and is built
        makes one <<<"# syntax=$1
FROM scratch
COPY a.txt /out"
}
for name in docker/dockerfile:1 docker/dockerfile docker.io/docker/dockerfile:1.7-labs docker/dockerfile-upstream:master; do
        check "syntax $name" syntax "$name"
done
for name in docker/dockerfile:2 docker/dockerfile:1.99 example.com/docker/dockerfile:1 other; do
        check "syntax $name" fails "$name, an image that the frontend plugin gateway.v0 would run, which is not installed" \
                <<<"# syntax=$name
FROM scratch"
done
check "its place" grep -q '^Dockerfile.now:1$' "$dir/said"
ARGS=(--build-arg BUILDKIT_SYNTAX=other)
by_argument() { ! syntax docker/dockerfile:1 >/dev/null && grep -q 'failed with build-arg:BUILDKIT_SYNTAX = other: ' "$dir/said"; }
check "syntax by build argument" by_argument
ARGS=()
printf 'plugins:\n  frontend/dockerfile:\n    official: false\n' >off.yaml
switched_off() { "$SLIPWAY" --config off.yaml build --progress quiet -f - ctx <<<$'# syntax=docker/dockerfile:1\nFROM scratch' 2>&1 | grep -q 'option "official"'; }
check "the official one switched off" switched_off

# ---- Questions
cat >asked.Dockerfile <<'END'
FROM scratch AS base
# main the thing itself
FROM base AS main
ARG TOKEN=x
COPY . /
RUN --mount=type=secret,id=s,required --mount=type=ssh x
END
ask() { "$SLIPWAY" build --progress quiet --call "$1" -f asked.Dockerfile ctx; }
answers() { # QUESTION JQ WANT
        local got
        got=$(ask "$1,format=json" | jq -c "$2")
        [ "$got" = "$3" ] && return
        echo "$got"
        return 1
}
check "targets" answers targets '[.targets[] | [.name, .base, .default, .description]]' '[["base","scratch",null,null],["main","base",true,"the thing itself"]]'
check "outline" answers outline '[.name, .args[0].name, .secrets[0], .ssh[0].name] | tostring' \
        '"[\"main\",\"TOKEN\",{\"name\":\"s\",\"required\":true,\"location\":{\"ranges\":[{\"start\":{\"line\":6},\"end\":{\"line\":6}}]}},\"default\"]"'
check "lint" answers lint '[.warnings[].ruleName]' '["SecretsUsedInArgOrEnv"]'

# ---- Stages side by side
# Two stages that wait for each other, in a cache that they share; for 20 seconds at most.
apart() { # VERSION-OF-BUILD VERSION-OF-TEST [ALONE]: the image says who was there
        local me other wait=true text="FROM base AS up
"
        for me in "build.$1 test.$2" "test.$2 build.$1"; do
                other=${me#* } me=${me% *}
                [ -n "${3:-}" ] || wait="i=0; until [ -e /m/$other ] || [ \$i = 200 ]; do sleep 0.1; i=\$((i + 1)); done; [ -e /m/$other ]"
                text+="FROM up AS ${me%.*}
RUN --mount=type=cache,id=meet-$$,target=/m touch /m/$me && { $wait; } && echo $me >/said
"
        done
        makes "build.$1
test.$2" <<<"${text}FROM up
COPY --from=build /said /1
COPY --from=test /said /2
RUN cat /1 /2 >/out"
}
check "stages run side by side" apart 1 1
check "also when both were edited" apart 2 2
step() { # STAGE HOW: its RUN ended so
        local number
        number=$(sed -n "s/^#\([0-9]*\) \[$1 .*/\1/p" "$dir/said" | head -n 1)
        [ -n "$number" ] && grep -q "^#$number $2" "$dir/said" && return
        cat "$dir/said"
        return 1
}
one_edited() { apart 3 3 alone && apart 3 4 alone && step build CACHED && step test DONE; }
check "and the one that was not edited stays" one_edited

# ---- The cache
again() { # "CACHED of ALL": the Dockerfile of cached.Dockerfile
        "$SLIPWAY" "${kit_config[@]}" build --progress plain --build-context base=oci-layout://layout:1 "${ARGS[@]}" -f "$dir/cached.Dockerfile" ctx >"$dir/said" 2>&1 ||
                { cat "$dir/said"; return 1; }
        grep -q "^cache   $1 steps cached" "$dir/said" && return
        cat "$dir/said"
        return 1
}
cat >cached.Dockerfile <<'END'
FROM base AS one
RUN echo 1 >/1
FROM base
COPY a.txt /a
RUN cat /a >/b
COPY --from=one /1 /1
WORKDIR /w
END
check "nothing is cached at first but the base" again "1 of 7"
check "all of it is the second time" again "6 of 7"
echo changed >>ctx/src/b.txt
check "also when a file changed that is not used" again "6 of 7"
echo changed >>ctx/a.txt
check "what uses the file that changed runs, and what comes after it" again "2 of 7"
ARGS=(--no-cache-filter one)
check "no cache for one stage, and the same result of it" again "5 of 7"
ARGS=(--no-cache)
check "none at all" again "2 of 7"
finish
