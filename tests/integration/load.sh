#!/bin/bash
# --load: into a Docker engine by its API, into containers-storage by skopeo. Would catch an
# archive that does not arrive whole, half an image that the engine takes, an engine's no that
# nobody hears, and a build that waits for an engine that does not answer.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$dir"' EXIT
docker() { # MODE: another engine
        local i
        rm -rf "$dir/docker.sock" "$dir/docker"
        mkdir "$dir/docker"
        [ "${#pids[@]}" -gt 0 ] && kill "${pids[-1]}" && wait "${pids[-1]}" 2>/dev/null
        python3 "$top_srcdir/tests/tools/fakedocker.py" "$dir/docker.sock" "$dir/docker" "$1" 2>"$dir/docker.log" &
        pids+=($!)
        for ((i = 0; i < 200; i++)); do
                [ -S "$dir/docker.sock" ] && return
                sleep 0.02
        done
}
kit_root "$dir/rootfs" || exit 99
kit_llb "$dir/app.bin" <<'END'
none = scratch
root = local rootfs
base = copy none root / / contents
made = mkfile base /app 0755 "#!/bin/sh\necho hello\n"
output made
END
kit_llb "$dir/bad.bin" <<'END'
root = local rootfs
bad = run root -- false
output bad
END
export DOCKER_HOST=unix://$dir/docker.sock
build() { kit_build --llb "$dir/app.bin" --local rootfs="$dir/rootfs" "$@"; }
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

docker load
check "a Docker engine is found and takes the image" build --load -t app:1
check "all of it" skopeo inspect "docker-archive:$dir/docker/loaded.tar:app:1"
said() { "$SLIPWAY" build --progress plain --llb "$dir/app.bin" --local rootfs="$dir/rootfs" --load -t app:1 2>&1 | grep -F "$dir/docker.sock"; }
check "progress says where to" said
docker refuse
check "what the engine says is told" exits 1 'the Docker engine says "bad layer"' build --load -t app:1
docker early
check "an engine that goes in the middle" exits 1 'load docker.io/library/app:1' build --load -t app:1
docker load
bad() { kit_build --llb "$dir/bad.bin" --local rootfs="$dir/rootfs" --load -t app:1; }
check "a build that fails" exits 1 "failed to solve" bad
check "loads nothing" test ! -e "$dir/docker/loaded.tar"
docker hang
cancelled() {
        local pid started=$SECONDS
        kit_background --llb "$dir/app.bin" --local rootfs="$dir/rootfs" --load -t app:1 2>/dev/null
        pid=$!
        sleep 0.5
        kill -INT "$pid"
        wait "$pid"
        [ $? = 1 ] && [ $((SECONDS - started)) -lt 10 ]
}
check "an engine that does not answer is not waited for when cancelled" cancelled
rm -f "$dir/docker.sock"
check "no Docker engine where one is asked for" exits 1 "the Docker engine at" build --load -t app:1 --load-into docker
check "a name that is none" exits 2 "invalid reference format" build --load -t App

# ---- containers-storage ----

printf '[storage]\ndriver = "vfs"\nrunroot = "%s"\ngraphroot = "%s"\n' "$dir/run" "$dir/graph" >"$dir/storage.conf"
export CONTAINERS_STORAGE_CONF=$dir/storage.conf
check "containers-storage takes the image" build --load -t app:2 --load-into containers-storage
check "and has it" skopeo inspect containers-storage:docker.io/library/app:2
check "again" build --load -t app:3 --load-into containers-storage
check "nothing temporary stays" test -z "$(ls -d /var/tmp/slipway-load-* 2>/dev/null)"
finish
