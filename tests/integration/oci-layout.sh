#!/usr/bin/env bash
# Images in OCI layouts as sources: what umoci made comes out as umoci unpacks it, what
# lies is refused and leaves nothing. Catches: layers in the wrong order, whiteouts that are
# taken for files, a digest that is not checked, a tag that is not found, bytes that stay
# after a failure, layers that are unpacked though nobody looks at them.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
command -v umoci >/dev/null || { echo "Bail out! umoci is needed (./dev deps installs it)"; exit 1; }
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT
layout=$dir/layout

# Three layers: busybox; files of all kinds; some of them gone, one changed.
make_image() {
        local b=$dir/bundle
        umoci init --layout "$layout" && umoci new --image "$layout:v1" &&
                umoci unpack --image "$layout:v1" "$b" || return
        kit_root "$b/rootfs"
        umoci repack --image "$layout:v1" "$b" && rm -rf "$b" && umoci unpack --image "$layout:v1" "$b" || return
        mkdir -p "$b/rootfs/data/sub" "$b/rootfs/gone/deep" && echo one >"$b/rootfs/data/one" &&
                ln "$b/rootfs/data/one" "$b/rootfs/data/hard" && ln -s ../data/one "$b/rootfs/data/sub/soft" &&
                mkfifo "$b/rootfs/data/pipe" && echo x >"$b/rootfs/gone/deep/x" && echo y >"$b/rootfs/gone/y" &&
                chown 1000:50 "$b/rootfs/data/sub" && chmod 2750 "$b/rootfs/data/sub" &&
                setfattr -n user.note -v hello "$b/rootfs/data/one" &&
                head -c 3000000 /dev/urandom >"$b/rootfs/data/large" || return
        umoci repack --image "$layout:v1" "$b" && rm -rf "$b" && umoci unpack --image "$layout:v1" "$b" || return
        rm -r "$b/rootfs/gone/deep" "$b/rootfs/data/hard" && echo two >"$b/rootfs/data/one" &&
                rm -r "$b/rootfs/data/sub" && mkdir "$b/rootfs/data/sub" && echo new >"$b/rootfs/data/sub/new" || return
        umoci repack --image "$layout:v1" "$b" && rm -rf "$b" && umoci unpack --image "$layout:v1" "$b"
}
listing() { # DIR: everything that is in a tree, in words
        (cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %n %l\n' | sed -E 's/^(\S+ d .* [0-9.]+) [0-9]+ /\1 - /' | sort
                find . -type f -print0 | sort -z | xargs -0 sha256sum
                getfattr -R -d . 2>/dev/null)
}
build() { kit_build --oci-layout "img=$layout" "$@"; }
same_tree() {
        echo 'a = source oci-layout://img:v1
output a' | kit_llb "$dir/def"
        build --llb "$dir/def" -o "type=local,dest=$dir/out" || return
        # The local exporter makes files the caller's; what it does not keep is seen through tar.
        build --llb "$dir/def" -o "type=tar,dest=$dir/out.tar" || return
        rm -rf "$dir/x" && mkdir "$dir/x" && tar -C "$dir/x" --xattrs --xattrs-include='*' -xpf "$dir/out.tar" || return
        diff <(listing "$dir/bundle/rootfs") <(listing "$dir/x")
}
runs() {
        kit_llb "$dir/def2" <<'END'
a = source oci-layout://img:v1
r = run a -- /bin/sh -c "cat /data/one /data/sub/new; test ! -e /gone/deep; test ! -e /data/hard; sha256sum /data/large >/sum"
o = result r /
output o
END
        build --llb "$dir/def2" -o "type=local,dest=$dir/ran" &&
                [ "$(cut -c1-64 "$dir/ran/sum")" = "$(sha256sum <"$dir/bundle/rootfs/data/large" | cut -c1-64)" ]
}
not_unpacked() { # a build that wants nothing of the files unpacks nothing
        local root=$dir/lazy
        SLIPWAY_ROOT=$root build --llb "$dir/def" || return
        [ -z "$(find "$root"/snapshots/*/[ac] -mindepth 1 -maxdepth 1 2>/dev/null)" ]
}
refused() { # WHY IDENTIFIER [ATTR...]
        local why=$1
        shift
        echo "a = source $*
output a" | kit_llb "$dir/bad"
        if SLIPWAY_ROOT=$dir/other build --llb "$dir/bad" -o "type=local,dest=$dir/no" 2>"$dir/err"; then
                echo "it was built"
                return 1
        fi
        grep -q "$why" "$dir/err" || { cat "$dir/err"; return 1; }
        [ ! -e "$dir/no" ]
}
nothing_stays() { # but for layers that were what they were said to be
        local SLIPWAY_ROOT=$dir/other
        [ -z "$(find "$SLIPWAY_ROOT"/snapshots/*/a -mindepth 1 -maxdepth 1 2>/dev/null)" ] &&
                [ -z "$(find "$SLIPWAY_ROOT/content/ingest" -mindepth 1)" ] && kit_usage_is_right
}
# An image like the first one, changed by a line of python: m (manifest), c (configuration),
# path(DIGEST) of a blob.
lying() { # TAG PYTHON
        python3 - "$layout" "$1" "$2" <<'END'
import hashlib, json, os, sys
d, tag, code = sys.argv[1:]
def path(x): return os.path.join(d, 'blobs/sha256', x.split(':')[1])
def put(b):
    x = 'sha256:' + hashlib.sha256(b).hexdigest()
    with open(path(x), 'wb') as f: f.write(b)
    return x
index = json.load(open(os.path.join(d, 'index.json')))
REF = 'org.opencontainers.image.ref.name'
first = next(e for e in index['manifests'] if e['annotations'][REF] == 'v1')
m = json.load(open(path(first['digest'])))
c = json.load(open(path(m['config']['digest'])))
exec(code)
text = json.dumps(c).encode()
m['config'].update(digest=put(text), size=len(text))
text = json.dumps(m).encode()
index['manifests'].append({'mediaType': m.get('mediaType', first['mediaType']), 'digest': put(text), 'size': len(text), 'annotations': {REF: tag}})
json.dump(index, open(os.path.join(d, 'index.json'), 'w'))
END
}

check "an image in three layers" make_image
check "is unpacked as umoci unpacks it" same_tree
check "commands run in it" runs
check "the second time it is cached" runs
check "what nobody looks at is not unpacked" not_unpacked
check "usage is that of du(1)" kit_usage_is_right
check "a tag that is not there" refused "called v9" oci-layout://img:v9
check "a store that is not offered" refused "oci-layout other=DIR" oci-layout://other:v1
check "a checksum that is another" refused "does not match checksum" oci-layout://img:v1 image.checksum=sha256:"$(printf %064d 0)"
check "more layers wanted than there are" refused "layer limit 9" oci-layout://img:v1 oci.layerlimit=9
lying mt "m['layers'][0]['mediaType'] = 'application/x-thing'"
check "a layer of an unknown type" refused "media type application/x-thing" oci-layout://img:mt
lying diff "c['rootfs']['diff_ids'][1] = 'sha256:' + '0' * 64"
check "a layer that is not what the configuration says" refused "configuration says sha256:0000" oci-layout://img:diff
lying size "m['layers'][2]['size'] += 1"
check "a layer of another size" refused "bytes, not\|does not have the size" oci-layout://img:size
lying flip "b = bytearray(open(path(m['layers'][2]['digest']), 'rb').read()); b[len(b) // 2] ^= 1; x = m['layers'][2]['digest'][:-4] + 'beef'; open(path(x), 'wb').write(b); m['layers'][2]['digest'] = x"
check "a layer with one bit changed" refused "not what its name says\|broken\|corrupt\|damaged" oci-layout://img:flip
lying count "c['rootfs']['diff_ids'].pop()"
check "fewer diff ids than layers" refused "its manifest has" oci-layout://img:count
echo rubbish >"$layout/blobs/sha256/$(printf %064d 1)"
check "a manifest that is rubbish" refused "img@sha256" oci-layout://img@sha256:"$(printf %064d 1)"
check "nothing of them stays" nothing_stays

limited() {
        echo 'a = source oci-layout://img:v1 oci.layerlimit=2
output a' | kit_llb "$dir/def3"
        rm -rf "$dir/two" && build --llb "$dir/def3" -o "type=local,dest=$dir/two" && [ -e "$dir/two/gone/deep/x" ]
}
blob() {
        local d
        d=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"])' "$layout/index.json")
        echo "a = source oci-layout+blob://img@$d oci.store=img http.filename=../.m.json http.perm=0640 http.uid=7
output a" | kit_llb "$dir/def4"
        build --llb "$dir/def4" -o "type=tar,dest=$dir/blob.tar" &&
                [ "$(tar -tvf "$dir/blob.tar" --numeric-owner | grep -c -- '-rw-r----- 7/0 .* \.m\.json')" = 1 ] &&
                tar -xOf "$dir/blob.tar" .m.json | cmp - "$layout/blobs/sha256/${d#sha256:}"
}
claims() { # a manifest that says its gzip layers are what we made of them with zstd
        local l=$dir/claims out=$dir/claims-out
        cp -a "$layout" "$l" && python3 - "$l" <<'END' || return
import hashlib, json, sys
root = sys.argv[1]
index = json.load(open(f"{root}/index.json"))
desc = index["manifests"][0]
manifest = json.load(open(f"{root}/blobs/sha256/{desc['digest'][7:]}"))
for layer in manifest["layers"]:
    layer["annotations"] = {"dev.slipway.packed": "zstd -1", "some.other": "note"}
data = json.dumps(manifest).encode()
desc["digest"], desc["size"] = "sha256:" + hashlib.sha256(data).hexdigest(), len(data)
open(f"{root}/blobs/sha256/{desc['digest'][7:]}", "wb").write(data)
json.dump(index, open(f"{root}/index.json", "w"))
END
        SLIPWAY_ROOT=$dir/claimed kit_build --oci-layout "img=$l" --llb "$dir/def" \
                -o "type=oci,tar=false,dest=$out,compression=zstd,force-compression=true" || return
        python3 - "$out" <<'END'
import json, sys
blob = lambda d: open(f"{sys.argv[1]}/blobs/sha256/{d[7:]}", "rb").read()
manifest = json.loads(blob(json.load(open(f"{sys.argv[1]}/index.json"))["manifests"][0]["digest"]))
for layer in manifest["layers"]:
    assert blob(layer["digest"])[:4] == b"\x28\xb5\x2f\xfd", "not zstd"
    assert not any(k.startswith("dev.slipway") for k in layer.get("annotations", {})), layer
END
}
true_one() { # those that lied about the same layers are not taken for it
        SLIPWAY_ROOT=$dir/other build --llb "$dir/def" -o "type=local,dest=$dir/outt" &&
                cmp "$dir/outt/data/large" "$dir/bundle/rootfs/data/large"
}
check "the true image is built on the same root" true_one
check "the first two layers alone" limited
check "a blob as a file" blob
check "a manifest cannot claim what the store notes" claims
check "all of it can be pruned" "$SLIPWAY" prune --all
check "usage is that of du(1) then" kit_usage_is_right
finish
