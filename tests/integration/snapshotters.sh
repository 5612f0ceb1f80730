#!/usr/bin/env bash
# The same build with every snapshotter, and with overlayfs mounted by the calls of older
# kernels: the archives must be equal to the byte. Catches: a change that a snapshotter does
# not see (a file replaced by one of the same size and time, a directory made anew, a
# renamed one, a name added to a file), or one that it makes up.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

kit_root "$dir/rootfs"
mkdir -p "$dir/ctx/tree/deep/er" "$dir/ctx/many" "$dir/ctx/gone"
for i in $(seq 50); do echo "$i" >"$dir/ctx/many/f$i"; done
echo one >"$dir/ctx/tree/a"
echo one >"$dir/ctx/tree/c"
ln "$dir/ctx/tree/a" "$dir/ctx/tree/b"
ln -s ../a "$dir/ctx/tree/deep/link"
truncate -s 3M "$dir/ctx/tree/sparse"
printf 'end' >>"$dir/ctx/tree/sparse"
echo x >"$dir/ctx/gone/x"
: >"$dir/ctx/empty"
chmod 1400 "$dir/ctx/empty"
setfattr -n user.colour -v red "$dir/ctx/tree/a" 2>/dev/null
# What looks like a whiteout or a mark of an opaque directory to overlayfs, or in an image's
# layer, is a file like any other here; from a directory, and from an archive.
mkdir -p "$dir/ctx/looks/sub"
echo x >"$dir/ctx/looks/sub/x"
: >"$dir/ctx/looks/gone"
: >"$dir/ctx/looks/.wh.sub"
: >"$dir/ctx/looks/sub/.wh..wh..opq"
chmod 1400 "$dir/ctx/looks/gone"
for name in trusted user; do
        setfattr -n $name.overlay.whiteout -v y "$dir/ctx/looks/gone"
        setfattr -n $name.overlay.opaque -v x "$dir/ctx/looks"
        setfattr -n $name.overlay.opaque -v y "$dir/ctx/looks/sub"
done 2>/dev/null
tar --xattrs --xattrs-include='*' --format=pax -cf "$dir/looks.tar" -C "$dir/ctx" looks
mv "$dir/looks.tar" "$dir/ctx/looks.tar"
find "$dir/ctx" -exec touch -h -d @1000000000 {} +

# Times of what a command makes are those of the clock: every file it touches gets one.
kit_llb "$dir/def" <<'END'
rootfs = local rootfs
ctx = local ctx
s = scratch
base = copy s rootfs / / contents
a = copy base ctx / /src contents parents
r1 = run a -- /bin/sh -c "cd /src; echo TWO >tree/c; mv tree/deep tree/moved; rm -r gone; mkdir gone; echo y >gone/y; touch -d @1000000000 tree/c; ln many/f30 many/f30.too; ln tree/c tree/third"
r2 = run r1 -- /bin/sh -c "cd /src/many; echo 9 >f8; touch -d @1000000000 f8; rm f9; cp f10 f11; chmod 4755 f12; ln -s f1 f1.link; rm -r ../tree/moved/er; mkdir ../tree/moved/er; mkdir -p ../tree/new/er"
r3 = run r2 -- /bin/sh -c "cd /; mv src/many/f13 src/many/f14; rm -r src/gone; echo file >src/gone; true"
r4 = run r3 -- /bin/true
t = copy r4 ctx /looks.tar /unpacked/ unpack parents
u = mkfile t /src/looks/sub/more 0644 "more"
v = mkfile u /unpacked/looks/sub/more 0644 "more"
w = run v -- /bin/sh -c "ls -A /src/looks /src/looks/sub /unpacked/looks /unpacked/looks/sub >/looks; touch -d @1000000000 /src/looks/sub/last"
x = rm w /src/many/f20
y = mkfile x /src/made 0600 "made\n"
d = diff a y
m1 = mkdir s /src 0755
m2 = mkfile m1 /src/tree 0644 "a file in the place of a directory\n"
merged = merge base d m2
over = merge m2 base d
z = run over -- /bin/sh -c "cd /src && ls -R . >/list && rm -r tree/new"
all = copy merged z /src /second contents parents
third = copy all y /src/looks /third/looks contents parents
end = copy third z /list /list
output end
END
kit_llb "$dir/files" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /tree /src contents parents
b = rm a /src/b
m = mkfile s /src 0600 "made\n"
c = merge b m a
d = diff b c
e = copy c d / /second parents
output e
END
runtime() { command -v crun || command -v runc; }
def=$dir/def
build() { # NAME CONFIGURATION [CALL...]: without those system calls
        printf '%s\n' "$2" >"$dir/$1.yaml"
        local without=("${@:3}")
        [ $# -le 2 ] || without=("$top_builddir/tests/tools/without" "${@:3}" --)
        "${without[@]}" "$SLIPWAY" build --config "$dir/$1.yaml" --root "$dir/store-$1" --progress quiet \
                --llb "$def" --local "rootfs=$dir/rootfs" --local "ctx=$dir/ctx" \
                --output "type=tar,dest=$dir/$1.tar,source-date-epoch=1000000001"
}
same() { # NAME [OTHER]
        local as=${2:-overlay}
        cmp "$dir/$as.tar" "$dir/$1.tar" || {
                tar -tvf "$dir/$as.tar" >"$dir/x"
                tar -tvf "$dir/$1.tar" >"$dir/y"
                diff "$dir/x" "$dir/y"
                return 1
        }
}
uses() { [ "$(ls "$dir/store-$1/snapshots")" = "$2" ]; }
overlay=$(printf 'worker:\n  oci:\n    snapshotter: overlay')
native=$(printf 'worker:\n  oci:\n    snapshotter: native')
classic=$(printf '%s\nplugins:\n  snapshotter/overlay:\n    mount-api: classic' "$overlay")

check "there is a runtime" runtime
check "overlay: builds" build overlay "$overlay"
check "overlay: is what was asked for" uses overlay overlay
check "native: builds" build native "$native"
check "native: is what was asked for" uses native native
check "native: the same archive" same native
check "mount(2): builds" build classic "$classic"
check "mount(2): the same archive" same classic
changed() { tar -xOf "$dir/native.tar" src/many/f8 | grep -qx 9; }
check "a file of the same size and time is seen to be changed" changed
listed() { ! tar -tf "$dir/native.tar" | grep -E 'src/(gone/|many/f9$|many/f20$|tree/)'; }
check "what is gone is gone" listed
looks() { # DIRECTORY ENTRY...: what is in its directory of that name
        local said
        said=$(tar -tf "$dir/native.tar" | sed -n "s|^$1/looks/||p" | LC_ALL=C sort | xargs)
        [ "$said" = "${*:2}" ] || { echo "$said"; return 1; }
}
both=(.wh.sub gone sub/ sub/.wh..wh..opq)
check "what looks like whiteouts and marks is there" looks third "${both[@]}" sub/last sub/more sub/x
check "from an archive, too" looks unpacked "${both[@]}" sub/more sub/x
check "and nothing of it takes something away in a merge" looks second sub/ sub/last sub/more
again() { # the store is of use to the next process, and nothing of the last one is left
        build native "$native" && same native &&
                [ -z "$(find "$dir/store-native/snapshots/native/t" -mindepth 1)" ] &&
                [ -z "$(find "$dir/store-native/snapshots/native/a" -mindepth 2 -name m)" ]
}
check "native: again, from the cache" again
other() { ! build native "$overlay" 2>"$dir/err" && grep -q 'made with the snapshotter native' "$dir/err"; }
check "a root is not used with another snapshotter" other

# Kernels that lack what is newer than Linux 5.2, and before that any way to mount by
# descriptor: commands need that, nothing else does.
newer=(clone3 close_range faccessat2 mount_setattr openat2 pidfd_open)
mounting=(fsconfig fsmount fsopen move_mount open_tree)
check "an older kernel: overlay builds" build old-overlay "$classic" "${newer[@]}"
check "an older kernel: the same archive" same old-overlay
check "an older kernel: native builds" build old-native "$native" "${newer[@]}"
check "an older kernel: native: the same archive" same old-native
refused() {
        ! build oldest "$1" "${newer[@]}" "${mounting[@]}" 2>"$dir/err" && grep -q 'Linux 5.2' "$dir/err"
}
check "a much older kernel: commands are refused in words" refused "$classic"
def=$dir/files
check "without commands: overlay builds" build files "$overlay"
check "a much older kernel: overlay builds" build oldest-overlay "$classic" "${newer[@]}" "${mounting[@]}"
check "a much older kernel: the same archive" same oldest-overlay files
check "a much older kernel: native builds" build oldest-native "$native" "${newer[@]}" "${mounting[@]}"
check "a much older kernel: native: the same archive" same oldest-native files
check "a much older kernel: auto finds one that works" build oldest-auto "" "${newer[@]}" "${mounting[@]}"
check "a much older kernel: auto: the same archive" same oldest-auto files
finish
