#!/usr/bin/env bash
# Layers that lib/layer packs, unpacked by umoci on top of each other, are the trees they were made
# of; and what lib/layer makes of layers that Python made, whiteouts and all, is understood by it.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
layer=$top_builddir/tests/tools/layer
if [ "$(id -u)" != 0 ] || ! command -v umoci >/dev/null; then
        echo "1..0 # SKIP needs root and umoci"
        exit 0
fi
cd "$dir" || exit 99

mkdir -p t/d/sub t/gone t/hidden
(
        cd t || exit 99
        echo one >d/one; ln d/one d/two; ln -s one d/link; mkfifo d/fifo; mknod d/null c 1 3
        head -c 3000000 /dev/urandom >large; truncate -s 2M sparse; echo end >>sparse
        echo x >gone/x; echo y >gone/y; echo z >hidden/z; echo file >turns; mkdir becomes; echo b >becomes/b
        echo long >"$(printf '%0200d' 0)"; echo n >'naïve name'
        chmod 4755 d/one; chmod 1777 d/sub; chown 1234:4321 large
        python3 -c 'import os; os.setxattr("d/one", "user.k", b"v\0w")
os.setxattr("large", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))'
        touch -d @1234567890 d/one d/sub; touch -hd @99 d/link; touch -d @4242 d
)
# A second layer: whiteouts, an opaque directory, a file where a directory was and the reverse.
python3 - <<'END'
import io, tarfile
t = tarfile.open("second.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, data=b"", **more):
    i = tarfile.TarInfo(name)
    i.size, i.mtime, i.mode = len(data), 77, 0o755 if more.get("type") == tarfile.DIRTYPE else 0o644
    for k, v in more.items():
        setattr(i, k, v)
    t.addfile(i, io.BytesIO(data))
add("gone/.wh.x")
add("gone", type=tarfile.DIRTYPE)
add("hidden", type=tarfile.DIRTYPE)
add("hidden/.wh..wh..opq")
add("hidden/new", b"new\n")
add(".wh.sparse")
add("turns", type=tarfile.DIRTYPE)
add("turns/in", b"in\n")
add("becomes", b"a file\n")
add("linked", type=tarfile.LNKTYPE, linkname="becomes")
t.close()
END

blob() { # FILE: put it into the layout; prints "digest size"
        local d
        d=$(sha256sum "$1" | cut -c1-64)
        cp "$1" "image/blobs/sha256/$d"
        echo "sha256:$d $(stat -c %s "$1")"
}
desc() { # MEDIATYPE DIGEST SIZE
        jq -n --arg t "$1" --arg d "$2" --argjson s "$3" '{mediaType: $t, digest: $d, size: $s}'
}
image() { # MEDIATYPE LAYER DIFFID...: "image", tagged "t"
        local type=$1 layers=() ids=() m
        shift
        rm -rf image && mkdir -p image/blobs/sha256
        echo '{"imageLayoutVersion":"1.0.0"}' >image/oci-layout
        while [ $# -gt 0 ]; do
                # shellcheck disable=SC2046
                layers+=("$(desc "$type" $(blob "$1"))") ids+=("$2")
                shift 2
        done
        jq -n '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: $ARGS.positional}}' \
                --args "${ids[@]}" >config.json
        # shellcheck disable=SC2046
        m=$(desc application/vnd.oci.image.config.v1+json $(blob config.json))
        printf '%s\n' "${layers[@]}" | jq -s --argjson c "$m" \
                '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $c, layers: .}' >manifest.json
        # shellcheck disable=SC2046
        desc application/vnd.oci.image.manifest.v1+json $(blob manifest.json) |
                jq '{schemaVersion: 2, manifests: [. + {annotations: {"org.opencontainers.image.ref.name": "t"}}]}' >image/index.json
}
look() { # DIR: everything that can be seen
        (cd "$1" && python3 - <<'END'
import os, hashlib, stat
for d, ds, fs in os.walk("."):
    ds.sort()
    for f in sorted(ds + fs):
        p = os.path.join(d, f); s = os.lstat(p); r = stat.S_ISREG(s.st_mode)
        l = os.readlink(p) if stat.S_ISLNK(s.st_mode) else hashlib.sha256(open(p, "rb").read()).hexdigest() if r else ""
        print(ascii(p), oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns // 10**9, l, r and s.st_nlink, s.st_rdev,
              {x: os.getxattr(p, x, follow_symlinks=False) for x in sorted(os.listxattr(p, follow_symlinks=False))
               if x != "user.rootlesscontainers"})
END
        )
}
unpacked() { # WHAT ROOTFS-TO-COMPARE-WITH
        rm -rf bundle
        check "$1: umoci unpacks it" umoci unpack --image image:t bundle
        look bundle/rootfs >got
        look "$2" >want
        check "$1: it is what was packed" diff want got
}

for type in gzip estargz uncompressed; do
        media=application/vnd.oci.image.layer.v1.tar+gzip
        [ $type != uncompressed ] || media=application/vnd.oci.image.layer.v1.tar
        read -r id _ < <("$layer" pack $type -1 0 t blob)
        image $media blob "$id"
        unpacked "$type" t
done

read -r id _ < <("$layer" pack gzip 6 0 t first)
check 'a layer with whiteouts is told' "$layer" tell second.tar told.tar
gzip -nc second.tar >second.gz
gzip -nc told.tar >told.gz
image application/vnd.oci.image.layer.v1.tar+gzip first "$id" second.gz "sha256:$(sha256sum second.tar | cut -c1-64)"
umoci unpack --image image:t theirs >/dev/null 2>&1
image application/vnd.oci.image.layer.v1.tar+gzip first "$id" told.gz "sha256:$(sha256sum told.tar | cut -c1-64)"
unpacked 'told again by the tar writer' theirs/rootfs
check 'whiteouts were heeded' bash -c '! test -e bundle/rootfs/gone/x && test -e bundle/rootfs/gone/y &&
        ! test -e bundle/rootfs/sparse && ! test -e bundle/rootfs/hidden/z && test -e bundle/rootfs/hidden/new &&
        test -d bundle/rootfs/turns && test bundle/rootfs/becomes -ef bundle/rootfs/linked'
finish
