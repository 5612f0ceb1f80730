#!/usr/bin/env bash
# A disk that becomes full at every stage of a build: the store on file systems of growing
# sizes. Catches: a wrong message, a crash, a result that is half there, a store that is of
# no use once there is room again.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

# Everything is mounted where nobody else sees it and it cannot stay.
if [ -z "${TEST_FULLDISK:-}" ]; then
        rm -rf "$dir"
        trap - EXIT
        TEST_FULLDISK=1 exec unshare -m --propagation private bash "$0"
fi
kit_apart
trap 'kit_end; rm -rf "$dir"' EXIT
kit_root "$dir/rootfs"
mkdir -p "$dir/ctx" "$SLIPWAY_ROOT" "$dir/out"
head -c 3000000 /dev/urandom >"$dir/ctx/big"
for i in $(seq 100); do echo "$i" >"$dir/ctx/f$i"; done
kit_llb "$dir/def" <<END
rootfs = local rootfs
ctx = local ctx
s = scratch
base = copy s rootfs / / contents
a = copy base ctx / /src contents parents
r1 = run a cache=/cache=full env=MARK=slipway-full-$$ -- /bin/sh -c "cp /src/big /copy && cp /src/big /cache/big"
m = mkfile r1 /end 644 end
output m
END
build() {
        kit_build --llb "$dir/def" --local "rootfs=$dir/rootfs" --local "ctx=$dir/ctx" --output "$1"
}
full_stages=0 bad=0 sizes=0 too_small=0 wrong=0
tell() { # WHAT FILE: something of a stage is wrong
        tail -n 3 "$2" | sed "s/^/# $1: /"
        bad=$((bad + 1)) wrong=$((wrong + 1))
}
# stage WHAT ROOM: a build in a store on a disk with little room; ROOM is a command that makes
# some.
stage() {
        local status sound
        sizes=$((sizes + 1))
        rm -f "$dir/out/x.tar"
        build type=tar,dest="$dir/out/x.tar" 2>"$dir/err"
        status=$?
        if [ $status = 0 ]; then
                [ -f "$dir/out/x.tar" ] || tell "$1, no archive" "$dir/err"
                return
        fi
        full_stages=$((full_stages + 1)) too_small=$((too_small + 1))
        if [ $status != 1 ] || ! grep -qi 'no space left\|disk is full' "$dir/err" || [ -e "$dir/out/x.tar" ]; then
                tell "$1, status $status" "$dir/err"
        fi
        $2
        if ! build type=tar,dest="$dir/out/x.tar" 2>"$dir/err" || ! tar -tf "$dir/out/x.tar" end >/dev/null; then
                tell "$1, then room" "$dir/err"
        fi
        for sound in kit_usage_is_right "kit_clean slipway-full-$$"; do
                $sound >"$dir/said" || tell "$1, then room" "$dir/said"
        done
}
unmount() { umount "$1" || { bad=$((bad + 1)); umount -l "$1"; }; }

more() { mount -o remount,size=200m "$SLIPWAY_ROOT"; }
for kb in 64 300 700 1200 1600 2000 2600 3500 4500 5400 6000 7000 8500 9500 10500 12000 14000; do
        mount -t tmpfs -o "size=${kb}k,mode=755" tmpfs "$SLIPWAY_ROOT" || break
        stage "$kb KB of tmpfs" more
        unmount "$SLIPWAY_ROOT"
done
check "small disks fail in order, and serve once there is room" [ "$bad" = 0 ]
check "several stages were hit" [ "$full_stages" -gt 5 ]

# A real file system, which has no more blocks, or no more inodes: all but a few are taken by
# somebody else, who then makes room.
disk=$dir/disk
mkdir "$disk"
ext4() {
        truncate -s 0 "$dir/image" && truncate -s 96M "$dir/image" &&
                mkfs.ext4 -q -m 0 -N 2048 "$dir/image" && mount -o loop "$dir/image" "$disk" &&
                mkdir "$disk/other" "$disk/store"
}
less() { rm -rf "$disk/other"; }
export SLIPWAY_ROOT=$disk/store
full_stages=0 bad=0
for kb in 16 100 300 1000 2500 4500 6500 9000 12000; do
        ext4
        mounted=$?
        [ $mounted = 0 ] || break
        fallocate -l $(($(stat -f -c '%a * %S' "$disk") - kb * 1024)) "$disk/other/file"
        stage "$kb KB of ext4" less
        unmount "$disk"
done
result "$mounted" "a file system in a file is mounted (loop devices, mkfs.ext4)"
check "small disks of ext4 fail in order, and serve once there is room" [ "$bad" = 0 ]
check "several of those stages were hit" [ "$full_stages" -gt 4 ]
full_stages=0 bad=0
for inodes in 0 2 5 10 20 35 60 90 130 180 250 400; do
        ext4 || break
        (cd "$disk/other" && seq $(($(stat -f -c %d .) - inodes)) | xargs touch)
        stage "$inodes inodes of ext4" less
        unmount "$disk"
done
check "disks with few inodes fail in order, and serve once there is room" [ "$bad" = 0 ]
check "several of those stages were hit, too" [ "$full_stages" -gt 4 ]
rm "$dir/image"
export SLIPWAY_ROOT=$dir/store

# Room is made before it is missing: each build leaves twice its file, which is new each time.
mount -t tmpfs -o size=30m,mode=755 tmpfs "$SLIPWAY_ROOT"
cat >>"$dir/config.yaml" <<END
worker:
  oci:
    gcpolicy:
      - all: true
        minFreeSpace: 15000000
END
keeps_going() {
        local i
        for i in $(seq 8); do
                head -c 3000000 /dev/urandom >"$dir/ctx/big"
                build "type=tar,dest=$dir/out/x.tar" || return 1
        done
        rm "$dir/out/x.tar"
}
check "what is not used any more gives way to what is built" keeps_going
umount "$SLIPWAY_ROOT"

# A disk that is full to the last block: what is removed needs room itself to be removed.
mount -t tmpfs -o size=40m,mode=755 tmpfs "$SLIPWAY_ROOT"
fills() {
        head -c 3000000 /dev/urandom >"$dir/ctx/big"
        build "type=tar,dest=$dir/out/x.tar" && rm "$dir/out/x.tar" || return 1
        dd if=/dev/zero of="$SLIPWAY_ROOT/fill" bs=4k 2>/dev/null
        [ "$(stat -f -c %f "$SLIPWAY_ROOT")" = 0 ]
}
check "a disk that is full to the last block" fills
check "prune makes room on it" "$SLIPWAY" "${kit_config[@]}" prune --all
check "and the next build goes on" build "type=tar,dest=$dir/out/x.tar"
check "nothing of it is counted wrongly" eval 'rm "$dir/out/x.tar" "$SLIPWAY_ROOT/fill" && kit_usage_is_right'
umount "$SLIPWAY_ROOT"

# The place of the output is full.
mount -t tmpfs -o size=1m,mode=755 tmpfs "$dir/out"
refused() { ! build "$1" 2>"$dir/err" && grep -qi 'no space left' "$dir/err"; }
check "a full place for an archive" refused "type=tar,dest=$dir/out/x.tar"
nothing_there() { [ -z "$(ls -A "$dir/out")" ]; }
check "leaves nothing of it" nothing_there
check "a full place for files" refused "type=local,dest=$dir/out/files"
no_part() { ! find "$dir/out" -name '.slipway-*' | grep .; }
check "leaves no part of a file" no_part
umount "$dir/out"
echo "# $sizes sizes of disk, $too_small too small for the build, $wrong of them wrong"
finish
