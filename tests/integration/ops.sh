#!/usr/bin/env bash
# The ops that work on trees, through whole builds: file (copy, mkdir, mkfile, rm, symlink,
# archives), merge, diff, build. Catches: an entry that comes out with other metadata than it
# should, a path that leaves its root, whiteouts where nothing was, an order that depends on
# the file system, a flag that is parsed and forgotten.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

# What is in an archive: mode, owner, size, name, target; of a device its number for size.
listing() { tar tvf "$1" --numeric-owner | awk '{ $4 = $5 = ""; gsub(/ +/, " "); print }'; }

# comes WHAT <<END: the definition above a line "--", what comes out of it below.
comes() {
        local what=$1
        sed '/^--$/,$d' >"$dir/all" "$dir/given"
        sed '1,/^--$/d' >"$dir/want" "$dir/given"
        kit_llb "$dir/def" <"$dir/all" &&
                kit_build --local ctx="$dir/ctx" --llb "$dir/def" -o "type=tar,dest=$dir/got.tar" &&
                listing "$dir/got.tar" >"$dir/got" && diff -u "$dir/want" "$dir/got"
}
gives() {
        cat >"$dir/given"
        check "$1" comes "$1"
}
# refuses WHAT PART <<END: the build of the definition fails, with PART in its last line.
fails_with() {
        kit_llb "$dir/def" <"$dir/given" || return
        run build --progress quiet --local ctx="$dir/ctx" --llb "$dir/def" -o type=tar,dest=/dev/null
        if [ "$status" -ne 1 ] || ! tail -n 1 "$dir/err" | grep -qF -- "$1"; then
                cat "$dir/err"
                return 1
        fi
}
refuses() {
        cat >"$dir/given"
        check "$1" fails_with "$2"
}

ctx=$dir/ctx
mkdir -p "$ctx"/{d/sub/deep,empty,etc}
echo one >"$ctx/one"
echo two >"$ctx/d/two"
echo three >"$ctx/d/sub/three.txt"
echo four >"$ctx/d/sub/deep/four.c"
ln -s two "$ctx/d/relative"
ln -s /d/two "$ctx/d/absolute"
ln -s ../../../../one "$ctx/d/outward"
ln -s sub "$ctx/d/todir"
ln -s loop2 "$ctx/loop1"
ln -s loop1 "$ctx/loop2"
ln -s /etc/passwd "$ctx/dangling"
chmod 755 "$ctx" "$ctx"/{d,empty,etc} "$ctx"/d/sub{,/deep}
chmod 640 "$ctx/one"
chmod 4755 "$ctx/d/two"
chmod 644 "$ctx/d/sub/three.txt" "$ctx/d/sub/deep/four.c"
printf 'root:x:0:0::/:/bin/sh\nbad line\n:x:9:9::/:\nweb:x:33:44:a:b:c\nbig:x:4294967295:1::/:\nweb:x:1:1::/:\n' >"$ctx/etc/passwd"
printf 'root:x:0:\nstaff:x:50:web\n' >"$ctx/etc/group"
touch -d @1000000000 "$ctx/one"
chmod 644 "$ctx"/etc/*

# ---- The small actions
gives "mkdir, mkfile, symlink, in one step" <<'END'
s = scratch
a = mkdir s /d 01755
a + mkdir . /d/e/f 0700 parents owner=7:8
a + mkfile . /d/e/file 0604 "text" owner=9
a + symlink . /d/e /link
a + mkfile . /link/through 0644 ""
a + symlink . nowhere /d/dangling owner=5:6
output a
--
drwxr-xr-x 0/0 0 d/
lrwxrwxrwx 5/6 0 d/dangling -> nowhere
drwx------ 7/8 0 d/e/
drwx------ 7/8 0 d/e/f/
-rw----r-- 9/9 4 d/e/file
-rw-r--r-- 0/0 0 d/e/through
lrwxrwxrwx 0/0 0 link -> /d/e
END
gives "mkdir of what is there, mkfile over a file that keeps owner and mode" <<'END'
s = scratch
a = mkdir s /d 0700 owner=1:2
b = mkdir a /d 0755
c = mkfile b /d/f 0640 "longer text" owner=3:4
e = mkfile c /d/f 0777 "x"
output e
--
drwx------ 1/2 0 d/
-rw-r----- 3/4 1 d/f
END
refuses "mkdir below nothing" 'mkdir /a/b' <<'END'
s = scratch
a = mkdir s /a/b 0755
output a
END
refuses "mkfile over a directory" 'no regular file' <<'END'
s = scratch
a = mkdir s /a 0755
a + mkfile . /a 0644 "x"
output a
END
refuses "symlink onto what is there" '/l' <<'END'
s = scratch
a = mkfile s /l 0644 "x"
b = symlink a x /l
output b
END
gives "rm: wildcards, what is missing, a link and not its target" <<'END'
s = scratch
a = mkdir s /d/sub 0755 parents
a + mkfile . /d/a.o 0644 ""
a + mkfile . /d/b.o 0644 ""
a + mkfile . /d/c.c 0644 ""
a + symlink . c.c /d/l.o
a + mkfile . /d/sub/e.o 0644 ""
b = rm a /d/*.o wildcard
c = rm b /d/none missing
d = rm c /nowhere/*.x wildcard
e = rm d /d/*/e.o wildcard
output e
--
drwxr-xr-x 0/0 0 d/
-rw-r--r-- 0/0 0 d/c.c
drwxr-xr-x 0/0 0 d/sub/
END
refuses "rm of what is missing" '/none' <<'END'
s = scratch
a = mkdir s /d 0755
b = rm a /none
output b
END
refuses "rm of the root" 'invalid empty path' <<'END'
s = scratch
a = mkdir s /d 0755
b = rm a /
output b
END
gives "what is removed and made again has nothing of before in it" <<'END'
s = scratch
a = mkdir s /d/old 0755 parents
a + mkfile . /f 0600 "file"
b = rm a /d
b + mkdir . /d 0711
b + mkfile . /d/new 0644 "n"
b + rm . /f
b + mkdir . /f 0755
c = rm b /f
c + mkfile . /f 0644 "again"
output c
--
drwx--x--x 0/0 0 d/
-rw-r--r-- 0/0 1 d/new
-rw-r--r-- 0/0 5 f
END
gives "a directory that a link leads to; an absolute link stays in the tree; '..' at the root" <<'END'
s = scratch
a = mkdir s /real/in 0755 parents
a + symlink . /real /abs
a + symlink . ../../../real/in /up
a + mkfile . /abs/in/../f1 0644 ""
a + mkfile . /up/f2 0644 ""
a + mkfile . /../../f3 0644 ""
a + mkdir . /abs/in/g/h 0755 parents
output a
--
lrwxrwxrwx 0/0 0 abs -> /real
-rw-r--r-- 0/0 0 f3
drwxr-xr-x 0/0 0 real/
-rw-r--r-- 0/0 0 real/f1
drwxr-xr-x 0/0 0 real/in/
-rw-r--r-- 0/0 0 real/in/f2
drwxr-xr-x 0/0 0 real/in/g/
drwxr-xr-x 0/0 0 real/in/g/h/
lrwxrwxrwx 0/0 0 up -> ../../../real/in
END
refuses "links in a circle" 'too many levels of symbolic links' <<'END'
s = scratch
a = symlink s b /a
a + symlink . a /b
a + mkfile . /a/x 0644 ""
output a
END

# ---- Copy: where things go
gives "copy: a directory, its contents, into what is there, under a new name" <<'END'
ctx = local ctx
s = scratch
a = mkdir s /there 0700
a + copy . ctx /empty /new
a + copy . ctx /empty /there
a + copy . ctx /d/sub /there/c contents
a + copy . ctx /one /there
a + copy . ctx /one /there/as
a + copy . ctx /one /made/on/the/way/ parents
output a
--
drwxr-xr-x 0/0 0 made/
drwxr-xr-x 0/0 0 made/on/
drwxr-xr-x 0/0 0 made/on/the/
drwxr-xr-x 0/0 0 made/on/the/way/
-rw-r----- 0/0 4 made/on/the/way/one
drwxr-xr-x 0/0 0 new/
drwx------ 0/0 0 there/
-rw-r----- 0/0 4 there/as
drwxr-xr-x 0/0 0 there/c/
drwxr-xr-x 0/0 0 there/c/deep/
-rw-r--r-- 0/0 5 there/c/deep/four.c
-rw-r--r-- 0/0 6 there/c/three.txt
drwxr-xr-x 0/0 0 there/empty/
-rw-r----- 0/0 4 there/one
END
gives "copy: nothing is followed; the link at the end is when it is asked for" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /d/absolute /kept
b = copy a ctx /d/absolute /followed follow
c = copy b ctx /d/todir /dirlink
e = copy c ctx /d/todir /dir follow
f = copy e ctx /d/todir/deep/four.c /through
output f
--
drwxr-xr-x 0/0 0 dir/
drwxr-xr-x 0/0 0 dir/deep/
-rw-r--r-- 0/0 5 dir/deep/four.c
-rw-r--r-- 0/0 6 dir/three.txt
lrwxrwxrwx 0/0 0 dirlink -> sub
-rwsr-xr-x 0/0 4 followed
lrwxrwxrwx 0/0 0 kept -> /d/two
-rw-r--r-- 0/0 5 through
END
gives "copy: wildcards" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /*/*wo /a/ wildcard parents
b = copy a ctx /[^a-d]* /b/ wildcard parents
c = copy b ctx /none* /c/ wildcard empty
output c
--
drwxr-xr-x 0/0 0 a/
-rwsr-xr-x 0/0 4 a/two
drwxr-xr-x 0/0 0 b/
drwxr-xr-x 0/0 0 b/empty/
drwxr-xr-x 0/0 0 b/etc/
-rw-r--r-- 0/0 25 b/etc/group
-rw-r--r-- 0/0 97 b/etc/passwd
lrwxrwxrwx 0/0 0 b/loop1 -> loop2
lrwxrwxrwx 0/0 0 b/loop2 -> loop1
-rw-r----- 0/0 4 b/one
END
refuses "copy: a wildcard that matches nothing" '/none* not found' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /none* /c/ wildcard parents
output a
END
refuses "copy: a broken wildcard" '/[' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /[ /c/ wildcard parents
output a
END
refuses "copy: no such source" '/none' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /none /c/ parents
output a
END
refuses "copy: a destination whose parent is missing" 'failed to stat /x/y' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /one /x/y
output a
END
refuses "copy: the source is a link in a circle" 'symlinks on the way' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /loop1 /x follow
output a
END
refuses "copy: a file over a directory" 'cannot replace a directory with a file' <<'END'
ctx = local ctx
s = scratch
a = mkdir s /x/two 0755 parents
b = copy a ctx /d /x contents
output b
END
refuses "copy: a directory over a file" 'cannot copy to non-directory' <<'END'
ctx = local ctx
s = scratch
a = mkfile s /sub 0644 ""
b = copy a ctx /d / contents
output b
END
gives "copy: always replace: file for directory, link for link, directory for file" <<'END'
ctx = local ctx
s = scratch
a = mkdir s /x/two/in 0755 parents
a + mkfile . /x/sub 0644 ""
a + symlink . /elsewhere /x/relative
a + mkfile . /x/kept 0644 ""
b = copy a ctx /d /x contents replace
output b
--
drwxr-xr-x 0/0 0 x/
lrwxrwxrwx 0/0 0 x/absolute -> /d/two
-rw-r--r-- 0/0 0 x/kept
lrwxrwxrwx 0/0 0 x/outward -> ../../../../one
lrwxrwxrwx 0/0 0 x/relative -> two
drwxr-xr-x 0/0 0 x/sub/
drwxr-xr-x 0/0 0 x/sub/deep/
-rw-r--r-- 0/0 5 x/sub/deep/four.c
-rw-r--r-- 0/0 6 x/sub/three.txt
lrwxrwxrwx 0/0 0 x/todir -> sub
-rwsr-xr-x 0/0 4 x/two
END
gives "copy: a directory that is there keeps its metadata, one below takes the source's" <<'END'
ctx = local ctx
s = scratch
a = mkdir s /x/sub 0700 parents owner=1:2
b = copy a ctx /d /x contents include=sub/**
output b
--
drwx------ 1/2 0 x/
drwxr-xr-x 1/2 0 x/sub/
drwxr-xr-x 0/0 0 x/sub/deep/
-rw-r--r-- 0/0 5 x/sub/deep/four.c
-rw-r--r-- 0/0 6 x/sub/three.txt
END
gives "copy: into the link to a directory; over the link to a file" <<'END'
ctx = local ctx
s = scratch
a = mkdir s /real 0755
a + symlink . real /dl
a + mkfile . /target 0600 "long text here"
a + symlink . target /fl
b = copy a ctx /one /dl
b + copy . ctx /one /fl
b + copy . ctx /d/sub /dl
output b
--
lrwxrwxrwx 0/0 0 dl -> real
lrwxrwxrwx 0/0 0 fl -> target
drwxr-xr-x 0/0 0 real/
-rw-r----- 0/0 4 real/one
drwxr-xr-x 0/0 0 real/sub/
drwxr-xr-x 0/0 0 real/sub/deep/
-rw-r--r-- 0/0 5 real/sub/deep/four.c
-rw-r--r-- 0/0 6 real/sub/three.txt
-rw-r----- 0/0 4 target
END
gives "copy: include, exclude, exceptions" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx / /i contents parents include=**/*.c include=d/two
b = copy a ctx / /e contents parents exclude=d exclude=!d/sub/*.txt exclude=loop* exclude=etc
output b
--
drwxr-xr-x 0/0 0 e/
drwxr-xr-x 0/0 0 e/d/
drwxr-xr-x 0/0 0 e/d/sub/
-rw-r--r-- 0/0 6 e/d/sub/three.txt
lrwxrwxrwx 0/0 0 e/dangling -> /etc/passwd
drwxr-xr-x 0/0 0 e/empty/
-rw-r----- 0/0 4 e/one
drwxr-xr-x 0/0 0 i/
drwxr-xr-x 0/0 0 i/d/
drwxr-xr-x 0/0 0 i/d/sub/
drwxr-xr-x 0/0 0 i/d/sub/deep/
-rw-r--r-- 0/0 5 i/d/sub/deep/four.c
-rwsr-xr-x 0/0 4 i/d/two
END
gives "copy: what is required is there" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx / /i contents parents include=d/sub/** required=d/sub/deep
output a
--
drwxr-xr-x 0/0 0 i/
drwxr-xr-x 0/0 0 i/d/
drwxr-xr-x 0/0 0 i/d/sub/
drwxr-xr-x 0/0 0 i/d/sub/deep/
-rw-r--r-- 0/0 5 i/d/sub/deep/four.c
-rw-r--r-- 0/0 6 i/d/sub/three.txt
END
refuses "copy: what is required is not there" 'd/sub/none' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx / /i contents parents include=d/sub/** required=d/sub/none
output a
END

# ---- Copy: owners, modes, times
gives "owners: numbers, names of the tree itself, user and group apart" <<'END'
ctx = local ctx
s = scratch
t = copy s ctx /etc /etc
a = copy t ctx /one /1 owner=7
b = copy a ctx /one /2 owner=7:8
c = copy b ctx /one /3 owner=web
e = copy c ctx /one /4 owner=web:staff
f = copy e ctx /one /5 owner=nobody:none
g = copy f ctx /one /6 owner=0:staff
h = copy g ctx /d /7 owner=web:50
output h
--
-rw-r----- 7/7 4 1
-rw-r----- 7/8 4 2
-rw-r----- 33/44 4 3
-rw-r----- 33/50 4 4
-rw-r----- 0/0 4 5
-rw-r----- 0/50 4 6
drwxr-xr-x 33/50 0 7/
lrwxrwxrwx 33/50 0 7/absolute -> /d/two
lrwxrwxrwx 33/50 0 7/outward -> ../../../../one
lrwxrwxrwx 33/50 0 7/relative -> two
drwxr-xr-x 33/50 0 7/sub/
drwxr-xr-x 33/50 0 7/sub/deep/
-rw-r--r-- 33/50 5 7/sub/deep/four.c
-rw-r--r-- 33/50 6 7/sub/three.txt
lrwxrwxrwx 33/50 0 7/todir -> sub
-rwsr-xr-x 33/50 4 7/two
drwxr-xr-x 0/0 0 etc/
-rw-r--r-- 0/0 25 etc/group
-rw-r--r-- 0/0 97 etc/passwd
END
gives "modes: octal, symbolic; links have none" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /d /o mode=0751
b = copy a ctx /d /s mode=u=rwX,go=rX
c = copy b ctx /d/two /t mode=u-s,o+t,g=u
output c
--
drwxr-x--x 0/0 0 o/
lrwxrwxrwx 0/0 0 o/absolute -> /d/two
lrwxrwxrwx 0/0 0 o/outward -> ../../../../one
lrwxrwxrwx 0/0 0 o/relative -> two
drwxr-x--x 0/0 0 o/sub/
drwxr-x--x 0/0 0 o/sub/deep/
-rwxr-x--x 0/0 5 o/sub/deep/four.c
-rwxr-x--x 0/0 6 o/sub/three.txt
lrwxrwxrwx 0/0 0 o/todir -> sub
-rwxr-x--x 0/0 4 o/two
drwxr-xr-x 0/0 0 s/
lrwxrwxrwx 0/0 0 s/absolute -> /d/two
lrwxrwxrwx 0/0 0 s/outward -> ../../../../one
lrwxrwxrwx 0/0 0 s/relative -> two
drwxr-xr-x 0/0 0 s/sub/
drwxr-xr-x 0/0 0 s/sub/deep/
-rw-r--r-- 0/0 5 s/sub/deep/four.c
-rw-r--r-- 0/0 6 s/sub/three.txt
lrwxrwxrwx 0/0 0 s/todir -> sub
-rwxr-xr-x 0/0 4 s/two
-rwxrwxr-t 0/0 4 t
END
refuses "a mode that is none" 'invalid mode' <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /d /s mode=u=rwk
output a
END
same_times() { # the times of what was made, of what was copied, and that of a step
        kit_llb "$dir/def" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /one /kept
a + copy . ctx /one /set time=1500000000123456789
a + mkfile . /file 0644 "" time=1400000000000000000
a + mkdir . /p/q 0755 parents time=1300000000000000000
a + symlink . x /p/l time=1200000000000000000
a + mkdir . /before 0755 time=-1000000000
output a
END
        rm -rf "$dir/o" && kit_build --local ctx="$ctx" --llb "$dir/def" -o "type=local,dest=$dir/o" &&
                (cd "$dir/o" && stat -c '%n %.9Y' kept set file p p/q p/l before) >"$dir/got" &&
                diff -u - "$dir/got" <<'END'
kept 1000000000.000000000
set 1500000000.123456789
file 1400000000.000000000
p 1300000000.000000000
p/q 1300000000.000000000
p/l 1200000000.000000000
before -1.000000000
END
}
check "times: the source's, those that were asked for" same_times

# ---- What is more than bytes: links, attributes, holes, devices
tree=$dir/tree
mkdir -p "$tree/d"
echo linked >"$tree/a"
ln "$tree/a" "$tree/b"
ln "$tree/a" "$tree/d/c"
ln -s a "$tree/d/s"
ln "$tree/d/s" "$tree/d/s2"
truncate -s 16M "$tree/sparse"
printf x | dd of="$tree/sparse" bs=1 seek=8M conv=notrunc status=none
printf 'x' >"$tree/capable"
setcap cap_net_raw+ep "$tree/capable"
setfattr -n user.colour -v 'blue' "$tree/d"
setfattr -n user.empty "$tree/a"
mkfifo "$tree/fifo"
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$tree/sock"
tar c -S --xattrs --xattrs-include='*' -C "$tree" -f "$ctx/tree.tar" a b d sparse capable fifo
mknod "$dir/null" c 1 3 && mknod "$dir/disk" b 7 9 &&
        tar r -C "$dir" -f "$ctx/tree.tar" --mode=0660 null disk
extract() { # what the definition on standard input makes is in $dir/o, with all it has
        rm -rf "$dir/o" && mkdir "$dir/o" && kit_llb "$dir/def" &&
                kit_build --local ctx="$ctx" --local tree="$tree" --llb "$dir/def" -o type=tar |
                tar x --xattrs --xattrs-include='*' --numeric-owner -p -C "$dir/o"
}
holes() { # no layer has data where the file has none
        local f n=0
        while read -r f; do
                [ "$(stat -c %b "$f")" -lt 64 ] || return 1
                n=$((n + 1))
        done < <(find "$SLIPWAY_ROOT/snapshots" -name sparse)
        [ "$n" -gt 0 ]
}
special() { # after being unpacked or read, and copied once more
        extract && holes &&
                [ "$dir/o/x/a" -ef "$dir/o/x/b" ] && [ "$dir/o/x/a" -ef "$dir/o/x/d/c" ] &&
                [ "$(stat -c %h "$dir/o/x/a")" = 3 ] && [ "$(readlink "$dir/o/x/d/s2")" = a ] &&
                cmp "$tree/sparse" "$dir/o/x/sparse" &&
                getcap "$dir/o/x/capable" | grep -q cap_net_raw &&
                [ "$(getfattr --only-values -n user.colour "$dir/o/x/d")" = blue ] &&
                getfattr -n user.empty "$dir/o/x/a" >"$dir/got" && [ -p "$dir/o/x/fifo" ]
}
unpacked() {
        special <<'END' && [ "$(stat -c '%F %t,%T %a' "$dir"/o/x/{null,disk} | tr '\n' ';')" = 'character special file 1,3 660;block special file 7,9 660;' ]
ctx = local ctx
s = scratch
a = copy s ctx /tree.tar /u unpack parents
b = copy s a /u /x
output b
END
}
check "an archive, and a copy of what was in it" unpacked
read_in_place() {
        special <<'END'
tree = local tree
s = scratch
a = copy s tree / /u parents contents
b = copy s a /u /x
output b
END
}
check "a directory of the client's, and a copy of what was in it" read_in_place
chowned() { # the kernel would drop capabilities with the owner; set-id bits too
        extract <<'END' && [ "$(stat -c %u:%a "$dir/o/two")" = 1:4755 ] && getcap "$dir/o/capable" | grep -q net_raw
tree = local tree
ctx = local ctx
s = scratch
a = copy s tree /capable /capable owner=1
b = copy a ctx /d/two /two owner=1
output b
END
}
check "a new owner, and still set-user-id" chowned

# ---- Archives
mkdir "$dir/ar"
echo hello >"$dir/ar/f"
chmod 640 "$dir/ar/f"
tar c -C "$dir/ar" --mtime=@0 --owner=5 --group=6 -f "$ctx/plain" ./f
gzip -n -k -c "$ctx/plain" >"$ctx/gz"
bzip2 -k -c "$ctx/plain" >"$ctx/bz2"
xz -k -c "$ctx/plain" >"$ctx/xz"
zstd -q -c "$ctx/plain" >"$ctx/zst"
echo text | gzip >"$ctx/text.gz"
head -c 600 /dev/zero >"$ctx/zeros"
acl_stays() { # lists of the machine's users are in no content key, so in no copy
        setfattr -n trusted.machine -v 1 "$tree/a" && setfacl -m u:5:rw "$tree/d" 2>/dev/null
        extract <<'END' && ! getfattr -d -m - -R "$dir/o" 2>/dev/null | grep -v 'user\.\|security.capability' | grep "="
tree = local tree
s = scratch
a = copy s tree / /t parents contents
output a
END
}
check "attributes of the client's machine are not copied" acl_stays
gives "archives of every kind; what is none is copied" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /plain /plain unpack parents
b = copy a ctx /gz /gz/ unpack parents
c = copy b ctx /bz2 /bz2 unpack parents
e = copy c ctx /xz /xz unpack parents owner=8:9
f = copy e ctx /zst /deep/er/zst unpack parents
g = copy f ctx /text.gz /text.gz unpack parents
h = copy g ctx /zeros /zeros unpack parents
i = copy h ctx /one /one unpack parents
j = copy i ctx /gz /not.gz
k = copy j ctx /d /dir unpack
output k
--
drwxr-xr-x 0/0 0 bz2/
-rw-r----- 5/6 6 bz2/f
drwxr-xr-x 0/0 0 deep/
drwxr-xr-x 0/0 0 deep/er/
drwxr-xr-x 0/0 0 deep/er/zst/
-rw-r----- 5/6 6 deep/er/zst/f
drwxr-xr-x 0/0 0 dir/
lrwxrwxrwx 0/0 0 dir/absolute -> /d/two
lrwxrwxrwx 0/0 0 dir/outward -> ../../../../one
lrwxrwxrwx 0/0 0 dir/relative -> two
drwxr-xr-x 0/0 0 dir/sub/
drwxr-xr-x 0/0 0 dir/sub/deep/
-rw-r--r-- 0/0 5 dir/sub/deep/four.c
-rw-r--r-- 0/0 6 dir/sub/three.txt
lrwxrwxrwx 0/0 0 dir/todir -> sub
-rwsr-xr-x 0/0 4 dir/two
drwxr-xr-x 0/0 0 gz/
-rw-r----- 5/6 6 gz/f
-rw-r--r-- 0/0 120 not.gz
-rw-r----- 0/0 4 one
drwxr-xr-x 0/0 0 plain/
-rw-r----- 5/6 6 plain/f
-rw-r--r-- 0/0 25 text.gz
drwxr-xr-x 8/9 0 xz/
-rw-r----- 8/9 6 xz/f
-rw-r--r-- 0/0 600 zeros
END
hostile() { # NAME: python that adds to the archive t
        python3 - "$ctx/$1" <<END
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
def add(name, data=b"", **kw):
    i = tarfile.TarInfo(name)
    i.size = len(data)
    for k, v in kw.items():
        setattr(i, k, v)
    t.addfile(i, io.BytesIO(data))
$2
t.close()
END
}
L='type=tarfile.SYMTYPE' H='type=tarfile.LNKTYPE' D='type=tarfile.DIRTYPE, mode=0o755'
hostile up 'add("../up", b"x")'
hostile up2 'add("a/../../up", b"x")'
hostile absolute 'add("/abs", b"x"); add("/../rootup", b"y") if 0 else None'
hostile through "add('l', $L, linkname='/etc'); add('l/evil', b'x'); add('m', $L, linkname='../../..'); add('m/evil2', b'y')"
hostile hardout "add('h', $H, linkname='../../one')"
hostile hardabs "add('f', b'data'); add('h', $H, linkname='/f')"
hostile hardnone "add('h', $H, linkname='gone')"
hostile over "add('d', $D); add('d/x', b'1'); add('d', b'file'); add('d', $L, linkname='e'); add('d', $D); add('d/y', b'2')"
hostile loop "add('a', $L, linkname='b'); add('b', $L, linkname='a'); add('a/x', b'1')"
hostile rootlink "add('.', $L, linkname='/etc'); add('passwd', b'evil')"
hostile deep "add('/'.join(['d'] * 1900), b'x')"
hostile opaque "add('d', $D, pax_headers={'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.ok': '1'})"
hostile whiteout "add('w', type=tarfile.CHRTYPE, devmajor=0, devminor=0)"
for bad in up up2 hardout hardnone loop whiteout; do
        refuses "archive: $bad" "unpack" <<END
ctx = local ctx
s = scratch
a = copy s ctx /$bad /dest/in unpack parents
output a
END
done
gives "archives: absolute names, links that lead out" <<'END'
ctx = local ctx
s = scratch
a = mkdir s /etc 0755
a + copy . ctx /absolute /dest unpack parents
a + copy . ctx /through /dest unpack parents
a + copy . ctx /hardabs /dest unpack parents
a + copy . ctx /over /over unpack parents
a + copy . ctx /rootlink /rl unpack parents
output a
--
drwxr-xr-x 0/0 0 dest/
-rw-r--r-- 0/0 1 dest/abs
drwxr-xr-x 0/0 0 dest/etc/
-rw-r--r-- 0/0 1 dest/etc/evil
-rw-r--r-- 0/0 1 dest/evil2
-rw-r--r-- 0/0 4 dest/f
hrw-r--r-- 0/0 0 dest/h link to dest/f
lrwxrwxrwx 0/0 0 dest/l -> /etc
lrwxrwxrwx 0/0 0 dest/m -> ../../..
drwxr-xr-x 0/0 0 etc/
drwxr-xr-x 0/0 0 over/
drwxr-xr-x 0/0 0 over/d/
-rw-r--r-- 0/0 1 over/d/y
drwxr-xr-x 0/0 0 rl/
-rw-r--r-- 0/0 4 rl/passwd
END
gives "archives onto what is there; attributes of overlays" <<'END'
ctx = local ctx
s = scratch
a = mkdir s /o/d/old 0700 parents
a + mkfile . /o/f 0600 "longer than it was"
a + symlink . / /o/l
b = copy a ctx /plain /o unpack parents
c = copy b ctx /opaque /o unpack parents
e = copy c ctx /through /o unpack parents
output e
--
drwx------ 0/0 0 o/
drwxr-xr-x 0/0 0 o/d/
drwx------ 0/0 0 o/d/old/
drwxr-xr-x 0/0 0 o/etc/
-rw-r--r-- 0/0 1 o/etc/evil
-rw-r--r-- 0/0 1 o/evil2
-rw-r----- 5/6 6 o/f
lrwxrwxrwx 0/0 0 o/l -> /etc
lrwxrwxrwx 0/0 0 o/m -> ../../..
END
deep_archive() { # a path as long as paths may be
        kit_llb "$dir/def" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx /deep / unpack
output a
END
        kit_build --local ctx="$ctx" --llb "$dir/def" -o type=tar | tar t | tail -n 1 | wc -c
}
check "an archive with a path as long as paths may be" [ "$(deep_archive)" = 3800 ]
refuses "what is required of a tree that the same step makes" '"made/none": not found' <<'END'
ctx = local ctx
s = scratch
m = mkdir s /made/here 0755 parents
a = copy s m / /i contents parents required=made/here
b = copy a m / /j contents parents required=made/none
output b
END
same_layers() { # a tree made in another order, in another store, by other threads: the same archive
        local many=$dir/many i
        mkdir -p "$many/one" "$many/two"
        for i in $(seq 300); do echo "$i" >"$many/one/file$i"; done
        ln "$many/one/file7" "$many/one/again"
        touch -d @1234567890 "$many"/one/* "$many/one"
        for i in $(seq 300 -1 1) ; do cp -p "$many/one/file$i" "$many/two/"; done
        ln "$many/two/file7" "$many/two/again"
        touch -d @1234567890 "$many/two"
        kit_llb "$dir/def" <<'END'
ctx = local ctx
s = scratch
a = copy s ctx / / contents
b = copy a ctx / /twice parents time=5
output b
END
        for i in one two; do
                "$SLIPWAY" build --progress quiet --root "$dir/store-$i" --local ctx="$many/$i" --llb "$dir/def" \
                        -o type=tar,dest="$dir/$i.tar" || return
        done
        cmp "$dir/one.tar" "$dir/two.tar"
}
check "equal trees give equal archives" same_layers

# ---- Merge and diff
gives "merge: later ones on top, directories joined; whiteouts of a diff, opaque ones" <<'END'
s = scratch
a = mkdir s /d/gone 0755 parents
a + mkfile . /d/gone/x 0644 "x"
a + mkfile . /d/kept 0644 "k"
a + mkfile . /file 0644 "f"
b = rm a /d/gone
b + mkdir . /d/gone 0700
b + mkfile . /d/gone/y 0644 "y"
b + rm . /file
diff = diff a b
c = mkdir s /d/gone 0755 parents
c + mkfile . /d/gone/z 0644 "z"
c + mkfile . /file 0644 "other"
c + mkfile . /d/mine 0644 "m"
m = merge c diff
output m
--
drwxr-xr-x 0/0 0 d/
drwx------ 0/0 0 d/gone/
-rw-r--r-- 0/0 1 d/gone/y
-rw-r--r-- 0/0 1 d/mine
END
gives "diff: of unrelated trees, of kinds that change" <<'END'
s = scratch
a = mkdir s /was/dir 0755 parents
a + mkfile . /was/file 0644 ""
a + mkfile . /wasfile 0644 ""
a + mkfile . /same 0644 "s" time=1000000000
b = mkfile s /was 0644 "now a file"
b + mkdir . /wasfile/in 0755 parents
b + mkfile . /same 0644 "s" time=1000000000
d = diff a b
m = merge a d
output m
--
-rw-r--r-- 0/0 1 same
-rw-r--r-- 0/0 10 was
drwxr-xr-x 0/0 0 wasfile/
drwxr-xr-x 0/0 0 wasfile/in/
END
gives "diff: nothing between equal trees, all against nothing" <<'END'
s = scratch
a = mkfile s /f 0644 "f"
n = diff a a
u = diff s a
m = merge n u
output m
--
-rw-r--r-- 0/0 1 f
END
nothing_moves() { # 20 MB, merged and taken apart, and the store is as large as before
        local before after
        mkdir -p "$dir/big" && head -c 20M /dev/urandom >"$dir/big/data"
        kit_llb "$dir/def" <<'END'
big = local big
s = scratch
a = copy s big / / contents
b = mkfile s /b 0644 "b"
c = mkfile b /c 0644 "c"
output a
END
        "$SLIPWAY" build --progress quiet --root "$dir/big.store" --local big="$dir/big" --llb "$dir/def" || return
        before=$(du -sk "$dir/big.store/snapshots" | cut -f1)
        kit_llb "$dir/def" <<'END'
big = local big
s = scratch
a = copy s big / / contents
b = mkfile s /b 0644 "b"
c = mkfile b /c 0644 "c"
d = diff b c
m = merge a d b
e = mkfile m /e 0644 "e"
f = diff a e
g = merge f a
output g
END
        "$SLIPWAY" build --progress quiet --root "$dir/big.store" --local big="$dir/big" --llb "$dir/def" \
                -o type=tar | tar t | sort | tr '\n' ' ' >"$dir/got" || return
        after=$(du -sk "$dir/big.store/snapshots" | cut -f1)
        [ "$(cat "$dir/got")" = "b c data e " ] && [ $((after - before)) -lt 1000 ]
}
check "merge and diff move no data" nothing_moves
many_layers() { # more than the kernel mounts at once
        {
                echo "s = scratch"
                for i in $(seq 600); do echo "a$i = mkfile s /f$i 0644 \"$i\""; done
                printf 'm = merge'
                printf ' a%s' $(seq 600)
                printf '\nw = mkfile m /f1 0644 "changed"\nd = diff m w\nx = merge m d\noutput x\n'
        } | kit_llb "$dir/def" || return
        kit_build --llb "$dir/def" -o "type=tar,dest=$dir/got.tar" &&
                [ "$(tar tf "$dir/got.tar" | wc -l)" = 600 ] && [ "$(tar xOf "$dir/got.tar" f1)" = changed ]
}
check "a merge of 600 trees" many_layers

# ---- Builds inside builds
kit_llb "$ctx/buildkit.llb.definition" <<'END'
s = scratch
a = mkfile s /inner 0644 "made by the inner one"
output a
END
cp "$ctx/buildkit.llb.definition" "$ctx/other.llb"
gives "a definition that a step made" <<'END'
ctx = local ctx
s = scratch
d = copy s ctx /buildkit.llb.definition /
i = build d
o = mkfile i /outer 0644 "o"
j = build ctx file=other.llb
m = merge o j
r = requires m group o
output r
--
-rw-r--r-- 0/0 21 inner
-rw-r--r-- 0/0 1 outer
END
refuses "a definition that is not there" 'none.llb' <<'END'
ctx = local ctx
i = build ctx file=none.llb
output i
END
refuses "a definition that is none" 'failed to load LLB' <<'END'
ctx = local ctx
i = build ctx file=one
output i
END
circles() { # definitions that hold the step that builds them: alone, in turn
        local err="it would wait for itself"
        mkdir -p "$dir/defs" "$dir/other"
        echo 'd = local defs
n = build d
output n' | kit_llb "$dir/def"
        cp "$dir/def" "$dir/defs/buildkit.llb.definition"
        run build --progress quiet --llb "$dir/def" --local defs="$dir/defs" -o type=tar
        [ "$status" = 1 ] && grep -qF "$err" "$dir/err" || { cat "$dir/err"; return 1; }
        echo 'd = local defs
o = local other
n = build d label="A"
p = build o label="B"
m = merge n p
output m' | kit_llb "$dir/def"
        echo 'd = local defs
n = build d
f = copy n n / /x
output f' | kit_llb "$dir/other/buildkit.llb.definition"
        echo 'o = local other
n = build o
output n' | kit_llb "$dir/defs/buildkit.llb.definition"
        run build --progress quiet --llb "$dir/def" --local defs="$dir/defs" --local other="$dir/other" -o type=tar
        [ "$status" = 1 ] && grep -qF "$err" "$dir/err" || { cat "$dir/err"; return 1; }
}
check "a build that would wait for itself" timeout 60 bash -c "$(declare -f circles kit_llb run); dir=$dir; circles"

# ---- What a copy makes of a directory that it names, though nothing in it is wanted
named_dirs() {
        local n
        mkdir -p "$dir/named"/{a,b} && touch "$dir/named/a/no" && chmod 755 "$dir/named"/{a,b}
        echo 'ctx = local ctx
s = scratch
a = copy s ctx /* /to/ parents wildcard include=wanted
output a' | kit_llb "$dir/def"
        for n in 1 2 3; do
                case $n in
                2) chmod 700 "$dir/named/a" ;;
                3) mv "$dir/named/b" "$dir/named/c" ;;
                esac
                kit_build --local ctx="$dir/named" --llb "$dir/def" -o "type=tar,dest=$dir/got.tar" &&
                        listing "$dir/got.tar" | cut -d' ' -f1,4 || return
        done >"$dir/got"
        printf '%s\n' 'drwxr-xr-x to/' 'drwxr-xr-x to/a/' 'drwxr-xr-x to/b/' \
                'drwxr-xr-x to/' 'drwx------ to/a/' 'drwxr-xr-x to/b/' \
                'drwxr-xr-x to/' 'drwx------ to/a/' 'drwxr-xr-x to/c/' | diff -u - "$dir/got"
}
check "directories that a wildcard names are in the key, with nothing in them wanted" named_dirs
swapped() {
        local n
        mkdir -p "$dir/swap"/{a,b}
        echo one | tee "$dir/swap/a/x" >"$dir/swap/a/y"
        echo two | tee "$dir/swap/b/y" >"$dir/swap/b/x"
        for n in 'a/x b/y' 'b/x a/y'; do
                echo "ctx = local ctx
s = scratch
a = copy s ctx /${n% *} /1
a + copy . ctx /${n#* } /2
output a" | kit_llb "$dir/def"
                kit_build --local ctx="$dir/swap" --llb "$dir/def" -o "type=local,dest=$dir/swapped" || return
                cat "$dir/swapped"/[12]
        done >"$dir/got"
        printf '%s\n' one two two one | diff -u - "$dir/got"
}
check "copies of one input whose directories changed places" swapped

# ---- Hostile ones
unknown_op() { # field 9 of pb.Op
        python3 -c 'import hashlib, sys
ld = lambda f, b: bytes([f << 3 | 2, len(b)]) + b
op = ld(9, b"")
last = ld(1, ld(1, b"sha256:" + hashlib.sha256(op).hexdigest().encode()))
sys.stdout.buffer.write(ld(1, op) + ld(1, last))' >"$dir/def"
        fails 1 'of a kind that is not known here (field 9)' build --progress quiet --llb "$dir/def" &&
                grep -q 'vertex sha256:' "$dir/err"
}
check "an op of a later version is named as such, with its digest" unknown_op
mkfifo "$ctx/pipe"
truncate -s 11M "$ctx/huge"
for bad in pipe huge loop1; do
        refuses "the list of users is $bad" '/etc/passwd' <<END
ctx = local ctx
s = scratch
a = copy s ctx /$bad /etc/passwd parents
a + symlink . loop1 /etc/loop2
a + symlink . loop2 /etc/loop1
b = mkfile a /x 0644 "x" owner=web
output b
END
done
refuses "a name that is too long" 'File name too long' <<END
s = scratch
a = mkfile s /$(printf 'a%.0s' $(seq 300)) 0644 "x"
output a
END
refuses "a path that is too long" 'the path is too long' <<END
s = scratch
a = mkfile s /$(printf 'a/%.0s' $(seq 3000)) 0644 "x"
output a
END
gives "a tree copied into itself" <<'END'
s = scratch
a = mkdir s /d/e 0755 parents
b = copy a a /d /d/e/x parents
output b
--
drwxr-xr-x 0/0 0 d/
drwxr-xr-x 0/0 0 d/e/
drwxr-xr-x 0/0 0 d/e/x/
drwxr-xr-x 0/0 0 d/e/x/e/
END

finish
