# dev.d/demo.sh TOP - examples/hello as an image, which is then run.
# shellcheck shell=bash
#
# The Dockerfile begins with the image busybox. No registry is asked for it: an image that
# slipway makes of Debian's busybox stands in for it. What is built is unpacked by umoci and run
# by crun.
set -euo pipefail
top=$1 work=$1/build/demo
say() { printf '== %s\n' "$*"; }
[ "$(id -u)" = 0 ] || { echo "demo: running containers needs root: sudo ./dev demo" >&2; exit 1; }

busybox=$work/busybox image=$work/hello.tar
export SLIPWAY_PLUGIN_PATH=$top/build/plugins/.libs
slipway() { "$top/build/cmd/slipway/slipway" --root "$work/store" "$@"; }

if [ ! -e "$busybox/index.json" ]; then
        say "an image to begin with: Debian's busybox (once)"
        root=$work/busybox-root
        mkdir -p "$root"/{bin,dev,etc,proc,root,sys,tmp}
        cp "$(command -v busybox)" "$root/bin/busybox"
        "$root/bin/busybox" --list | while read -r applet; do
                [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
        done
        printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
        printf 'FROM scratch\nCOPY . /\nCMD ["/bin/sh"]\n' |
                slipway build --progress quiet -f - -o "type=oci,tar=false,dest=$busybox" "$root"
fi

run_image() { # the archive $image, as crun runs it
        rm -rf "$work/layout" "$work/bundle"
        mkdir -p "$work/layout"
        tar -C "$work/layout" -xf "$image"
        umoci unpack --image "$work/layout:latest" "$work/bundle" >/dev/null 2>&1
        # A plain container: the command of the image, as its user, in its root.
        python3 - "$work/bundle/config.json" <<'END'
import json, sys
c = json.load(open(sys.argv[1]))
c["process"]["terminal"] = False
c["linux"].pop("resources", None)
c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] in ("pid", "mount", "ipc", "uts")]
c["mounts"] = [m for m in c["mounts"] if m["destination"] == "/proc"]
json.dump(c, open(sys.argv[1], "w"))
END
        # crun refuses cgroups of version 2 beside those of version 1: out of its sight with them.
        # shellcheck disable=SC2016
        unshare -m sh -c 'mountpoint -q /sys/fs/cgroup && [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] &&
                umount -l $(awk "\$3 == \"cgroup2\" { print \$2 }" /proc/mounts)
                exec crun --cgroup-manager=disabled "$@"' sh --root "$work/crun" run --bundle "$work/bundle" "slipway-demo-$$" </dev/null
}

say "slipway build -t hello --build-context busybox=oci-layout://build/demo/busybox examples/hello"
slipway build -t hello --build-context "busybox=oci-layout://$busybox" "$top/examples/hello"
say "slipway images"
slipway images
slipway images save hello -o "$image"
say "the image, run by crun"
run_image
say "again, with --build-arg FROM_WHERE=here"
slipway build --progress quiet --explain -t hello --build-context "busybox=oci-layout://$busybox" --build-arg FROM_WHERE=here "$top/examples/hello"
slipway images save hello -o "$image"
run_image
