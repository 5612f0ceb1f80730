#!/bin/bash
# Images as archives and directories: other programs read them, a command in them runs, and
# two stores make the same bytes. Would catch a manifest that nobody else understands, layers
# whose files are not those of the result, anything of this machine or moment in the bytes,
# an attribute that is not heeded or a wrong one that is.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

kit_root "$dir/rootfs" || exit 99
rm "$dir/rootfs/bin/wc" && ln "$dir/rootfs/bin/busybox" "$dir/rootfs/bin/wc"
touch -h -d @1500000000 "$dir/rootfs/bin/wc"
kit_llb "$dir/app.bin" <<'END'
none = scratch
root = local rootfs
base = copy none root / / contents
ran = run base -- sh -c "echo hello >/hello; rm /bin/tail; mkdir -p /a/b; chmod 4711 /a/b; touch -d @1600000000 /a"
made = mkfile ran /app 0755 "#!/bin/sh\ncat /hello\n" time=1600000000000000000
output made
END
build() { kit_build --llb "$dir/app.bin" --local rootfs="$dir/rootfs" "$@"; }
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }

check "an archive is written" build -o type=oci,name=app:1,dest="$dir/a.tar" --metadata-file "$dir/meta.json"
check "skopeo reads it" skopeo inspect "oci-archive:$dir/a.tar:1"
digests_agree() {
        local said there
        said=$(json 'd["containerimage.digest"]' <"$dir/meta.json")
        there=$(skopeo inspect --format '{{.Digest}}' "oci-archive:$dir/a.tar:1")
        [ "$said" = "$there" ] || { echo "$said, $there"; return 1; }
        [ "$(json 'd["containerimage.descriptor"]["digest"]' <"$dir/meta.json")" = "$said" ] &&
                [ "$(json 'd["image.name"]' <"$dir/meta.json")" = docker.io/library/app:1 ] &&
                grep -q containerimage.config.digest "$dir/meta.json"
}
check "the digest that is answered is that of the image" digests_agree
entries() { tar tf "$dir/a.tar" | grep -vxF blobs/ | LC_ALL=C sort -c && [ "$(tar tf "$dir/a.tar" | tail -n 1)" = oci-layout ]; }
check "entries are sorted" entries
check "and none is there twice" test -z "$(tar tf "$dir/a.tar" | sort | uniq -d)"

# The files of it are those of the result.
unpacked() {
        skopeo copy -q "oci-archive:$dir/a.tar:1" "oci:$dir/copied:1" &&
                umoci unpack --image "$dir/copied:1" "$dir/bundle" &&
                build -o type=local,dest="$dir/plain" &&
                diff -r --no-dereference "$dir/plain" "$dir/bundle/rootfs" &&
                [ "$(stat -c %a "$dir/bundle/rootfs/a/b")" = 4711 ] &&
                [ "$(stat -c %h "$dir/bundle/rootfs/bin/wc")" = 2 ] && [ ! -e "$dir/bundle/rootfs/bin/tail" ]
}
check "umoci unpacks the files of the result" unpacked
run_it() { [ "$(kit_run "$dir/bundle" /app)" = hello ]; }
check "crun runs it" run_it
bud() { buildah --root "$dir/buildah" --runroot "$dir/buildah-run" --storage-driver vfs "$@"; }
pulled() { # as podman does it: the same libraries
        [ "$(bud pull -q "$1" | wc -l)" = 1 ] && bud rmi -a -f >/dev/null
}
check "buildah pulls it" pulled "oci-archive:$dir/a.tar"

check "type=docker" build -o type=docker,name=app:1,dest="$dir/d.tar"
check "skopeo reads that as a docker archive" skopeo inspect "docker-archive:$dir/d.tar:app:1"
check "buildah, too" pulled "docker-archive:$dir/d.tar"
for how in compression=uncompressed compression=zstd compression=gzip,compression-level=9 compression=estargz,force-compression=true; do
        form() {
                build -o "type=oci,$how,name=app:2,dest=$dir/form.tar" && rm -rf "$dir/form" &&
                        skopeo copy -q "oci-archive:$dir/form.tar:2" "dir:$dir/form" &&
                        skopeo copy -q "oci-archive:$dir/form.tar:2" "oci:$dir/form.oci:2" && rm -rf "$dir/form.bundle" || return 1
                        if [ "$how" = compression=zstd ]; then # not umoci's
                                pulled "oci-archive:$dir/form.tar"
                                return
                        fi
                        umoci raw unpack --image "$dir/form.oci:2" "$dir/form.bundle" && diff -r --no-dereference "$dir/plain" "$dir/form.bundle"
        }
        check "$how" form
done
# containers/image takes no Docker types from an OCI archive
check "oci-mediatypes=false" build -o type=docker,oci-mediatypes=false,name=app:2,dest="$dir/form.tar"
check "buildah pulls it" pulled "docker-archive:$dir/form.tar"
types() { tar xOf "$dir/form.tar" "$(tar xOf "$dir/form.tar" index.json | json '"blobs/sha256/" + d["manifests"][0]["digest"][7:]')"; }
check "it has Docker's types" grep -q docker.distribution.manifest.v2 <(types)
check "and no others" test -z "$(types | grep vnd.oci)"

# ---- directories ----

layout() {
        build -o type=oci,tar=false,name=app:1,dest="$dir/layout" && build -o type=oci,tar=false,dest="$dir/layout" &&
                build -o type=oci,tar=false,name=app:1,dest="$dir/layout" &&
                [ "$(json 'len(d["manifests"])' <"$dir/layout/index.json")" = 2 ] &&
                skopeo inspect "oci:$dir/layout:1" && skopeo inspect "oci:$dir/layout:latest"
}
check "a directory keeps the images of other names, once each" layout
check "and nothing but blobs" test -z "$(find "$dir/layout" -name '.*' -type f)"

# ---- the same again ----

same() {
        local i
        for i in 1 2; do
                cp -a "$dir/rootfs" "$dir/rootfs$i"
                touch -d @1500000000 "$dir/rootfs$i"
                SLIPWAY_ROOT=$dir/store$i SOURCE_DATE_EPOCH=1700000000 kit_build --llb "$dir/app.bin" --local rootfs="$dir/rootfs$i" \
                        -o "type=oci,name=app:1,dest=$dir/same$i.tar,rewrite-timestamp=true$1" || return 1
        done
        rm -rf "$dir"/store[12] "$dir"/rootfs[12]
        cmp "$dir/same1.tar" "$dir/same2.tar"
}
check "two stores make the same archive" same ""
check "with zstd, too" same ,compression=zstd
late() { tar xOf "$dir/same1.tar" "$1" | zstd -dcq | TZ=UTC tar --full-time -tv | grep -E ' 202[4-9]-'; }
not_late() {
        local blob n=0
        for blob in $(tar tf "$dir/same1.tar" | grep blobs/sha256/.); do
                tar xOf "$dir/same1.tar" "$blob" | zstd -tq 2>/dev/null || continue
                n=$((n + 1))
                late "$blob" && return 1
        done
        [ "$n" = 3 ]
}
check "no time in it is later than the epoch" not_late
stdout() { build -o type=oci,dest=- | tar t | grep -q oci-layout; }
check "to standard output" stdout

# ---- what is said of it ----

notes() {
        build -o "type=oci,name=app:1,dest=$dir/n.tar,annotation.one=1,annotation-manifest-descriptor.two=2,annotation[linux/$arch].three=3" || return 1
        tar xOf "$dir/n.tar" index.json | grep -q '"two":"2"' &&
                skopeo inspect --raw "oci-archive:$dir/n.tar:1" | json 'd["annotations"]' | grep -q "'one': '1', 'three': '3'"
}
arch=$(skopeo inspect --format '{{.Architecture}}' "oci-archive:$dir/a.tar:1")
check "annotations are where they are asked for" notes
config='{"os":"linux","architecture":"s390x","config":{"Cmd":["/app"],"Labels":{"a":"b"}},"history":[{"created_by":"FROM x"}]}'
said() {
        build -o "\"type=oci\",\"name=app:1\",\"dest=$dir/c.tar\",\"containerimage.config=${config//\"/\"\"}\"" &&
                skopeo inspect --config "oci-archive:$dir/c.tar:1" >"$dir/c.json" &&
                [ "$(json 'd["architecture"], d["config"]["Cmd"], len(d["history"]), len(d["rootfs"]["diff_ids"])' <"$dir/c.json")" = "s390x ['/app'] 3 3" ]
}
check "a configuration that is given is kept, with history of the layers" said
refused() { # WORDS ATTRIBUTES
        rm -f "$dir/no.tar"
        build -o "type=${3:-oci},dest=$dir/no.tar,$2" 2>"$dir/said" && return 1
        if [ -e "$dir/no.tar" ] || ! grep -qF -- "$1" "$dir/said"; then
                cat "$dir/said"
                return 1
        fi
}
check "unknown compression" refused "unsupported compression type lzma" compression=lzma
check "zstd with Docker's types" refused "oci-mediatypes=false" compression=zstd,oci-mediatypes=false
check "a level that there is not" refused "compression-level" compression=gzip,compression-level=10
check "no bool" refused "non-bool value specified for force-compression" force-compression=maybe
check "a bad name" refused "invalid reference format" name=App
check "an unknown kind of annotation" refused "unrecognized annotation type layer" annotation-layer.a=b
check "an annotation of an index" refused "index annotations not supported for single platform export" annotation-index.a=b
check "a platform that is not there" refused "invalid annotation: no platform linux/riscv64 found in source" 'annotation[linux/riscv64].a=b'
check "a bad configuration" refused "image configuration" 'containerimage.config={}'
check "a bad epoch" refused "invalid source-date-epoch" source-date-epoch=yesterday
finish
