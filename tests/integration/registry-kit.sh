# registry-kit.sh - registries on loopback for scripts; sourced after tap.sh, which gave $dir.
#
#      registry_start NAME [tls] [mtls] [htpasswd] [token] [delete] [http2-off]
#              a docker-registry of the test's own, on a port that was free; sets
#              registry_NAME=127.0.0.1:PORT and registry_pid_NAME; its files are in
#              $dir/registry/NAME, its log in $dir/registry/NAME.log
#                 tls       certificate by the test's CA ($dir/ca/ca.pem; also for localhost)
#                 mtls      and wants a client certificate of it ($dir/ca/client.pem, .key)
#                 htpasswd  user "tester", password "secret word"
#                 token     asks for tokens of the token server (started before)
#      registry_stop NAME
#      registry_config NAME [LINE...]
#              adds registry."HOST:PORT" to $dir/registries.yaml, with these lines in it
#      registry_put NAME REPO TAG FILE   skopeo: an image with FILE as its layer
#      token_start NAME [ARG...]         the token server (tests/tools/tokenserver.py)
#      oci_start NAME [ARG...]           a registry in memory (tests/tools/ociserver.py)
#      fault_start NAME UPSTREAM         a proxy that makes mistakes (tests/tools/faultproxy.py)
#      fault_rules NAME [RULE...]        what it does wrong from now on; see there. Empties its log
#
#      t ARGS...                 tests/tools/regtool, with retries that do not take long
#      prints WANT ARGS...       it succeeds and prints that
#      refuses CODE PART ARGS... it fails with that code, and one printable line that has PART in it
#      logged NAME N REGEX       so many lines of NAME's log are such
#
# What was started is killed at the end, by its pid. Logs are shown when a test failed.
# shellcheck shell=bash disable=SC2154,SC2034
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY no_proxy
regtool=$top_builddir/tests/tools/regtool
manifest_type=application/vnd.oci.image.manifest.v1+json
registry_pids=()
registry_names=()
mkdir -p "${dir:?}/registry"

registry_end() {
        local pid name
        for pid in "${registry_pids[@]}"; do
                kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
        done
        [ "${tap_failed:-0}" = 0 ] && return
        for name in "${registry_names[@]}"; do
                echo "# log of $name:"
                tail -n "${REGISTRY_LOG_LINES:-5}" "$dir/registry/$name.log" | cut -c1-160 | sed 's/^/#   /'
        done
}
trap 'registry_end; rm -rf "$dir"' EXIT

# registry_wait NAME PATTERN: until the log says on which port it listens; sets the variables.
registry_wait() {
        local port="" i
        for ((i = 0; i < 200; i++)); do
                port=$(sed -nE "s/.*$2.*/\\1/p" "$dir/registry/$1.log" | head -n 1)
                [ -n "$port" ] && break
                kill -0 "${registry_pids[-1]}" 2>/dev/null || break
                sleep 0.05
        done
        [ -n "$port" ] || {
                echo "# $1 did not start:"
                sed 's/^/#   /' "$dir/registry/$1.log"
                return 1
        }
        printf -v "registry_${1//-/_}" '127.0.0.1:%s' "$port"
        printf -v "registry_pid_${1//-/_}" '%s' "${registry_pids[-1]}"
}

# registry_spawn NAME PATTERN COMMAND...: in the background; its log tells the port.
registry_spawn() {
        local name=$1 pattern=$2
        shift 2
        : >"$dir/registry/$name.log"
        "$@" >>"$dir/registry/$name.log" 2>&1 </dev/null &
        registry_pids+=($!)
        registry_names+=("$name")
        registry_wait "$name" "$pattern"
}

# registry_ca: a CA, and certificates by it for servers on loopback and for clients.
registry_ca() {
        [ -e "$dir/ca/ca.pem" ] && return
        mkdir -p "$dir/ca"
        (cd "$dir/ca" || exit 1
                openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=test CA" -keyout ca.key -out ca.pem
                printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >server.ext
                printf 'extendedKeyUsage=clientAuth\n' >client.ext
                for who in server client; do
                        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=test $who" -keyout $who.key -out $who.csr
                        openssl x509 -req -days 2 -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $who.ext -out $who.pem
                done) >"$dir/ca/log" 2>&1 || {
                sed 's/^/# /' "$dir/ca/log"
                return 1
        }
}

registry_start() {
        local name=$1 what conf=$dir/registry/$1.yml auth="" tls="" more=""
        shift
        for what; do
                case $what in
                tls | mtls)
                        registry_ca || return 1
                        tls="  tls:
    certificate: $dir/ca/server.pem
    key: $dir/ca/server.key
"
                        [ "$what" = mtls ] && tls+="    clientcas: [$dir/ca/ca.pem]
"
                        ;;
                htpasswd)
                        htpasswd -Bbn -C 4 tester 'secret word' >"$dir/registry/htpasswd"
                        auth="auth: { htpasswd: { realm: test, path: $dir/registry/htpasswd } }"
                        ;;
                token)
                        auth="auth:
  token: { realm: '$token_realm', service: test-service, issuer: test-issuer, rootcertbundle: $dir/ca/ca.pem }"
                        ;;
                delete) more=", delete: { enabled: true }" ;;
                http2-off) tls+="  http2: { disabled: true }
" ;;
                esac
        done
        cat >"$conf" <<END
version: 0.1
log: { level: info }
storage: { filesystem: { rootdirectory: $dir/registry/$name }$more }
http:
  addr: 127.0.0.1:0
  secret: for tests
$tls$auth
END
        registry_spawn "$name" 'listening on 127\.0\.0\.1:([0-9]+)' docker-registry serve "$conf"
}

registry_stop() {
        local pid=registry_pid_${1//-/_}
        kill "${!pid}" 2>/dev/null && wait "${!pid}" 2>/dev/null
}

registry_config() {
        local host=registry_${1//-/_} line
        [ -e "$dir/registries.yaml" ] || echo 'registry:' >"$dir/registries.yaml"
        shift
        echo "  \"${!host}\":" >>"$dir/registries.yaml"
        for line; do
                echo "    $line" >>"$dir/registries.yaml"
        done
}

registry_put() {
        local host=registry_${1//-/_} d
        d=$(mktemp -d "$dir/put.XXXXXX")
        mkdir -p "$d/blobs/sha256" "$d/tree"
        python3 - "$d" "$4" "$3" <<'END' && skopeo copy -q --dest-tls-verify=false "oci:$d:$3" "docker://${!host}/$2:$3"
import gzip, hashlib, io, json, sys, tarfile
root, path, tag = sys.argv[1:]
def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{root}/blobs/sha256/{digest}", "wb").write(data)
    return "sha256:" + digest, len(data)
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as t:
    t.add(path, "file")
layer, size = blob(gzip.compress(tar.getvalue(), 1, mtime=0))
config, csize = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar.getvalue()).hexdigest()]}}).encode())
oci = "application/vnd.oci.image."
manifest, msize = blob(json.dumps({"schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
    "config": {"mediaType": oci + "config.v1+json", "digest": config, "size": csize},
    "layers": [{"mediaType": oci + "layer.v1.tar+gzip", "digest": layer, "size": size}]}).encode())
open(f"{root}/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
json.dump({"schemaVersion": 2, "manifests": [{"mediaType": oci + "manifest.v1+json", "digest": manifest,
    "size": msize, "annotations": {"org.opencontainers.image.ref.name": tag}}]}, open(f"{root}/index.json", "w"))
END
}

token_start() {
        local name=$1
        shift
        registry_ca || return 1
        registry_spawn "$name" 'listening on port ([0-9]+)' python3 "$top_srcdir/tests/tools/tokenserver.py" \
                --key "$dir/ca/ca.key" --cert "$dir/ca/ca.pem" "$@" || return 1
        local host=registry_${name//-/_}
        token_realm="http://${!host}/token"
}

oci_start() {
        local name=$1
        shift
        registry_spawn "$name" 'listening on port ([0-9]+)' python3 "$top_srcdir/tests/tools/ociserver.py" "$@"
}

fault_start() {
        : >"$dir/registry/$1.rules"
        registry_spawn "$1" 'listening on port ([0-9]+)' python3 "$top_srcdir/tests/tools/faultproxy.py" "$2" "$dir/registry/$1.rules"
}

fault_rules() {
        local file=$dir/registry/$1.rules
        shift
        printf '%s\n' "$@" >"$file.new"
        mv "$file.new" "$file"
        : >"${file%.rules}.log"
}

t() { timeout 60 "$regtool" --retry-ms 20 "$@"; }

prints() {
        local want=$1 got
        shift
        got=$(t "$@" 2>"$dir/err") && [ "$got" = "$want" ] && return
        printf 'wanted: %s\ngot: %s\n' "$want" "$got"
        cat -v "$dir/err"
        return 1
}

refuses() {
        local code=$1 part=$2
        shift 2
        if t "$@" >"$dir/out" 2>"$dir/err" || [[ $(tail -n 1 "$dir/err") != "$code: "*"$part"* ]] ||
                LC_ALL=C grep -q '[^[:print:]]' <(tail -n 1 "$dir/err"); then
                echo "wanted: $code: $part"
                cat -v "$dir/err"
                return 1
        fi
}

logged() {
        local n
        n=$(grep -cE -- "$3" "$dir/registry/$1.log")
        [ "$n" = "$2" ] && return
        echo "$n requests, wanted $2: $3"
        cat "$dir/registry/$1.log"
        return 1
}
