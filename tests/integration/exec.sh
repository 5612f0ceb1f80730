#!/usr/bin/env bash
# Commands in real containers, as a definition asks for them: users, mounts, secrets, caches,
# networks, limits, how they end, and what is left when they or slipway are killed. Every
# check is made with each runtime that is installed. Catches: an option that does not reach
# the container, one that reaches too far, a container or a file that stays.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh" || exit 99
. "$top_srcdir/tests/integration/build-kit.sh"

# Nothing is left out: what this needs and is not there has failed.
need() { # WHAT COMMAND...
        local what=$1
        shift
        "$@" >"$dir/need" 2>&1 && return
        printf '1..1\nnot ok 1 - %s\n' "$what"
        sed 's/^/#   /' "$dir/need"
        exit 1
}
need "run as root" test "$(id -u)" = 0
need "mount namespaces" unshare -m true
need "python3" python3 -c ''
need "busybox-static" kit_root "$dir/ctx"
for applet in awk cut nc ip readlink sed seq setsid stty tr tty ulimit unshare usleep yes mknod od ps chmod su; do
        ln -sf busybox "$dir/ctx/bin/$applet"
done
printf 'worker2:x:1001:\nwheel:x:10:root,worker\n' >>"$dir/ctx/etc/group"
chmod 1777 "$dir/ctx/tmp"
# not in $TMPDIR, which may be in /dev: there is another one in a container
outside=$(mktemp -d -p /var/tmp) || exit 99
trap 'rm -rf "$dir" "$outside"' EXIT
ln -s /../../../../../.."$outside" "$dir/ctx/escape"
echo hosts-file-of-the-host >"$outside/marker"

HEAD="s = scratch
c = local ctx
base = copy s c / / contents
"
build() { "$SLIPWAY" build --progress plain --local ctx="$dir/ctx" "$@"; }

# step OPTIONS -- COMMAND: what the command prints; FLAGS are those of slipway build. Its
# exit status is slipway's.
NAP=$((100000 + $$)) # seconds: how the processes of this test are told from all others
FLAGS=()
serial=0
step() {
        serial=$((serial + 1)) # a step that ran is not run again; nocache would drop caches
        printf '%sr = run base label=%s addhost=n%s=127.1.1.1 %s\noutput r\n' "$HEAD" "step" "$BASHPID-$serial-$RANDOM" "$*" | kit_llb "$dir/def" || return
        build --llb "$dir/def" "${FLAGS[@]}" >"$dir/plain" 2>&1
        local status=$?
        sed -n 's/^#[0-9]* [0-9][0-9.]* //p' "$dir/plain"
        return $status
}
shell() { # OPTIONS -- SCRIPT: with sh -c
        local script=${*##*-- } options=${*%%-- *}
        script=${script//\\/\\\\}
        script=${script//\"/\\\"}
        step "$options" -- sh -c "\"$script\""
}
# gives TEXT OPTIONS -- SCRIPT: prints exactly that, and ends well.
gives() {
        local want=$1 got status
        shift
        got=$(shell "$@")
        status=$?
        if [ "$status" != 0 ] || [ "$got" != "$want" ]; then
                printf 'status %s; wanted: %s; got: %s\n' "$status" "$want" "$got"
                tail -n 5 "$dir/plain"
                return 1
        fi
}
# refuses PART OPTIONS -- SCRIPT: the build fails and says PART.
refuses() {
        local part=$1
        shift
        if shell "$@" >"$dir/got" || ! grep -qF -- "$part" "$dir/plain"; then
                echo "wanted: $part"
                cat "$dir/got" "$dir/plain"
                return 1
        fi
}
# with WORDS... -- COMMAND...: with those flags of slipway build
with() {
        FLAGS=()
        while [ "$1" != -- ]; do
                FLAGS+=("$1")
                shift
        done
        shift
        "$@"
        local status=$?
        FLAGS=()
        return $status
}

# agent SOCKET: one that answers in capitals; $agent is its process.
agent() {
        python3 - "$1" <<'PY' &
import socket, sys, signal; signal.signal(signal.SIGPIPE, signal.SIG_IGN)
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8)
while True:
        c, _ = s.accept()
        data = c.recv(100)
        if data[:4] == b"\0\0\0\x01":  # a message of the protocol: its type comes back, plus one
                data = data[:4] + bytes([data[4] + 1])
        try:
                c.sendall(data.upper())
        except OSError:
                pass  # who only looked whether somebody is there
        c.close()
PY
        agent=$!
        while [ ! -S "$1" ]; do sleep 0.05; done
}

all() {
# ---- Who
check "root without asking" gives "0 0 0 10" "-- echo \$(id -u) \$(id -g) \$(id -G)"
check "a name, with its groups" gives "1000 1000 1000 10 50 /home/worker" "user=worker -- echo \$(id -u) \$(id -g) \$(id -G) \$HOME"
check "a number that has a name" gives "1000 1000" "user=1000 -- echo \$(id -u) \$(id -g)"
check "a number that has none" gives "4321 0" "user=4321 -- echo \$(id -u) \$(id -g)"
check "two numbers" gives "12 34 34" "user=12:34 -- echo \$(id -u) \$(id -g) \$(id -G)"
check "a name and a group" gives "1000 50" "user=worker:staff -- echo \$(id -u) \$(id -g)"
check "a user that is not there" refuses "unable to find user nobody2: no matching entries in passwd file" "user=nobody2 -- true"
check "a group that is not there" refuses "unable to find group nogroup2" "user=0:nogroup2 -- true"
check "a number out of range" refuses "out of range" "user=4294967296 -- true"
mv "$dir/ctx/etc/passwd" "$dir/passwd"
mkfifo "$dir/ctx/etc/passwd"
check "a named pipe as passwd" refuses "passwd" "user=worker -- true"
rm "$dir/ctx/etc/passwd"
truncate -s 11M "$dir/ctx/etc/passwd"
check "a huge passwd" refuses "10 MiB" "user=worker -- true"
rm "$dir/ctx/etc/passwd"
ln -s "../../../../../../..$dir/passwd" "$dir/ctx/etc/passwd"
check "a passwd that leads out of the root" refuses "unable to find user worker" "user=worker -- true"
check "root needs none of that" gives 0 "-- id -u"
rm "$dir/ctx/etc/passwd"
mv "$dir/passwd" "$dir/ctx/etc/passwd"

# ---- Where and with what
check "variables" gives "bar 'x y' /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "env=FOO=bar \"env=Q='x y'\" -- echo \$FOO \"\$Q\" \$PATH"
check "no variable of the host's" gives "HOME PATH PWD SHLVL" "-- env | cut -d= -f1 | grep -v ^_ | sort | tr '\\n' ' ' | sed 's/ \$//'"
check "a directory that is made" gives "/a/b 1000:1000 755" "dir=/a/b user=worker -- echo \$(pwd) \$(stat -c '%u:%g %a' /a/b)"
check "one behind a symlink stays inside" gives "no" "dir=/escape/sub -- ls / >/dev/null; test -e /escape/marker && echo yes || echo no"
check "and was not made outside" test ! -e "$outside/sub"
check "host name and hosts" gives "box box 10.1.2.3 db" "hostname=box addhost=db=10.1.2.3 -- echo \$(hostname) \$(grep -o 'localhost box' /etc/hosts | cut -d' ' -f2) \$(grep db /etc/hosts)"
check "the default host name" gives buildkitsandbox "-- hostname"
check "resolv.conf cannot be written" gives "no" "-- (echo x >>/etc/resolv.conf) 2>/dev/null && echo yes || echo no"
check "limits" gives "123 456" "ulimit=nofile=123=456 -- echo \$(ulimit -Sn) \$(ulimit -Hn)"
check "a limit nobody knows" refuses "ulimit sillyness is unknown" "ulimit=sillyness=1=1 -- true"
check "no descriptors but three" gives "0 1 2" "-- ls /proc/self/fd | grep -v 3 | tr '\\n' ' ' | sed 's/ \$//'"
check "standard input is empty" gives "" "-- cat"

# ---- Files
readonly_root() {
        printf '%sr = run base nocache readonly scratchmount=/o -- sh -c "(touch /x) 2>/dev/null && echo yes || echo no; touch /o/x"\no = result r /o\noutput o\n' "$HEAD" | kit_llb "$dir/def" &&
                build --llb "$dir/def" 2>&1 | grep -q ' no$'
}
check "a root that is read-only" readonly_root
check "a tmpfs" gives "tmpfs 1777" "tmpfs=/scratch -- echo \$(grep ' /scratch ' /proc/mounts | cut -d' ' -f3) \$(stat -c %a /scratch)"
check "of a size" gives 1024k "tmpfs=/scratch=1048576 -- grep ' /scratch ' /proc/mounts | grep -o 'size=[0-9k]*' | cut -d= -f2"
HEAD0=$HEAD
HEAD="${HEAD}d = mkdir s /sub 0755
d1 = mkfile d /sub/file 0644 \"hello\\n\"
d2 = mkfile d1 /top 0644 \"top\\n\"
"
check "a mount, and a part of one" gives "hello top hello" "mount=/all=d2 mount=/part=d2=sub mount=/one=d2=sub/file -- cat /part/file >/x; echo \$(cat /part/file /all/top /one)"
check "one that is read-only" gives "no" "romount=/all=d2 -- (touch /all/x) 2>/dev/null && echo yes || echo no"
check "a part that leads out" refuses "No such file" "mount=/part=d2=../../etc -- cat /part/passwd"
check "a target behind a symlink stays inside" gives "hello" "mount=/escape/in=d2=sub -- cat /escape/in/file"
check "and nothing was made outside" test "$(ls -A "$outside")" = marker
HEAD=$HEAD0
stubs() {
        printf '%se = rm base /proc\nf = rm e /etc/hosts missing\nr = run f nocache tmpfs=/new/deep -- true\nx = diff f r\noutput x\n' "$HEAD" | kit_llb "$dir/def" &&
                rm -rf "$dir/o" && build --llb "$dir/def" -o "type=local,dest=$dir/o" 2>"$dir/plain" && [ -z "$(find "$dir/o" ! -type d; find "$dir/o" -mindepth 1 -maxdepth 1 ! -name new ! -name etc)" ]
}
check "what was made to mount on is gone afterwards" stubs
outputs() {
        printf '%sr = run base nocache scratchmount=/out mount=/src=c -- sh -c "echo a >/out/a; echo b >/src/b; echo c >/c"\no = result r /out\np = result r /src\nm = copy s o /a /a\nn = copy m p /b /b\nq = copy n r /c /c\noutput q\n' "$HEAD" | kit_llb "$dir/def" &&
                rm -rf "$dir/o" && build --llb "$dir/def" -o "type=local,dest=$dir/o" 2>"$dir/plain" && [ "$(cat "$dir/o/a" "$dir/o/b" "$dir/o/c" | tr '\n' ' ')" = "a b c " ]
}
check "results of several mounts" outputs
links() { # mounted as it is, without a copy action in between
        printf '%sr = run base nocache mount=/m=c -- stat -c "%%h" /m/etc/passwd\noutput r\n' "$HEAD" | kit_llb "$dir/def" &&
                build --llb "$dir/def" 2>&1 | grep -q ' 2$'
}
ln "$dir/ctx/etc/passwd" "$dir/ctx/etc/passwd-"
check "hard links of a directory of the client's" links
rm "$dir/ctx/etc/passwd-"
check "and the client's directory is as it was" test ! -e "$dir/ctx/b"

# ---- Caches
check "a cache is filled" gives "" "cache=/cache=one$RT -- echo kept >/cache/file"
check "and there the next time" gives kept "cache=/other=one$RT -- cat /other/file"
check "another id is another cache" gives no "cache=/cache=two$RT -- test -e /cache/file && echo yes || echo no"
check "a cache on a tree" gives "root" "cache=/cache=three$RT=shared=c -- cut -d: -f1 /cache/etc/passwd | head -n 1"
owner() {
        printf '%sm = mkdir s /c 0750 owner=1000:50\nr = run base nocache cache=/cache=four%s=shared=m -- stat -c "%%u:%%g %%a" /cache/c\noutput r\n' "$HEAD" "$RT" | kit_llb "$dir/def" &&
                build --llb "$dir/def" 2>&1 | grep -q ' 1000:50 750$'
}
check "its mode and owner" owner
two_at_once() { # SHARING: what two builds see of each other, at once
        local i
        for i in 1 2; do
                printf '%sr = run base env=I=%s env=S=%s cache=/cache=both%s%s=%s -- sh -c "touch /cache/$I; n=0; while [ $n -lt 20 ]; do sleep 0.05; n=$((n+1)); done; echo saw $(ls /cache); rm -f /cache/$I"\noutput r\n' \
                        "$HEAD" "$i" "$RT$1" "$RT" "$1" "$1" | kit_llb "$dir/def$i"
        done
        build --llb "$dir/def1" >"$dir/one" 2>&1 &
        build --llb "$dir/def2" >"$dir/two" 2>&1
        wait $!
        cat "$dir/one" "$dir/two" | sed -n 's/^#[0-9]* [0-9.]* saw //p' | sort | tr '\n' ','
}
locked() { [ "$(two_at_once locked)" = "1,2," ]; }
private() { local got; got=$(two_at_once private); [ "$got" = "1,2," ] || { echo "$got"; cat "$dir/one" "$dir/two"; return 1; }; }
# In one build, two steps see each other's files; they wait for that.
shared() {
        local i
        {
                printf '%s' "$HEAD"
                for i in 1 2; do
                        printf 'r%s = run base nocache env=I=%s cache=/cache=shared%s=shared -- sh -c "touch /cache/$I; n=0; while [ $n -lt 400 ] && [ ! -e /cache/$((3-I)) ]; do sleep 0.05; n=$((n+1)); done; echo saw $(ls /cache)"\n' "$i" "$i" "$RT"
                done
                printf 'm = merge r1 r2\noutput m\n'
        } | kit_llb "$dir/def"
        build --llb "$dir/def" >"$dir/plain" 2>&1
        [ "$(sed -n 's/^#[0-9]* [0-9.]* saw //p' "$dir/plain" | sort | tr '\n' ',')" = "1 2,1 2," ] || { cat "$dir/plain"; return 1; }
}
check "a shared one has several users" shared
check "what each wrote stays" gives "1 2" "cache=/cache=shared$RT -- echo \$(ls /cache)"
# Two builds are two processes: the later one does not wait, and gets a tree of its own.
apart() { local got; got=$(two_at_once shared); [ "$got" = "1,2," ] || { echo "$got"; cat "$dir/one" "$dir/two"; return 1; }; }
check "in another build at the same time it is another one" apart
check "a locked one has one user at a time" locked
check "a private one has one user" private

# ---- Secrets and agents
printf 'top secret' >"$dir/secret"
check "a secret as a file" with --secret "id=key,src=$dir/secret" -- gives "top secret 400 0" "secret=key=/run/key -- echo \$(cat /run/key) \$(stat -c '%a %u' /run/key)"
check "of a user and mode" with --secret "id=key,src=$dir/secret" -- gives "440 1000" "secret=key=/run/key=0440=1000 -- stat -c '%a %u' /run/key"
check "as a variable" with --secret "id=key,src=$dir/secret" -- gives "top secret" "secretenv=key=KEY -- echo \$KEY"
check "one that is missing" refuses "secret key: not found" "secret=key=/run/key -- true"
check "one that may be missing" gives "no" "optsecret=key=/run/key -- test -e /run/key && echo yes || echo no"
check "a variable that may be missing is empty" gives "[]" "optsecretenv=key=KEY -- test -n \"\${KEY+x}\" && echo \"[\$KEY]\""
secret_stays() {
        printf 'never to be seen' >"$dir/hidden"
        printf '%sr = run base nocache secret=key=/run/key secretenv=key=KEY -- sh -c "cat /run/key | wc -c"\noutput r\n' "$HEAD" | kit_llb "$dir/def" &&
                build --llb "$dir/def" --secret "id=key,src=$dir/hidden" -o "type=tar,dest=$dir/x.tar" >"$dir/plain" 2>&1 &&
                grep -q ' 16$' "$dir/plain" && ! grep -qa 'never to be seen' "$dir/x.tar" "$dir/plain" &&
                ! grep -rqa 'never to be seen' "$SLIPWAY_ROOT" "$RUN_DIR"
}
check "it is in no layer, log or key" secret_stays
agent "$dir/agent"
check "an agent answers" with --ssh "default=$dir/agent,raw=true" -- gives "HELLO" "ssh=default -- ask \$SSH_AUTH_SOCK hello"
check "again and again" with --ssh "default=$dir/agent,raw=true" -- gives "A B" "ssh=default -- echo \$(ask \$SSH_AUTH_SOCK a) \$(ask \$SSH_AUTH_SOCK b)"
check "listing keys gets through" with --ssh "default=$dir/agent" -- gives "12" "ssh=default -- ask \$SSH_AUTH_SOCK 11"
check "signing does" with --ssh "default=$dir/agent" -- gives "14" "ssh=default -- ask \$SSH_AUTH_SOCK 13"
check "adding keys does not" with --ssh "default=$dir/agent" -- gives "5" "ssh=default -- ask \$SSH_AUTH_SOCK 17"
kill "$agent"
rm -f "$dir/agent"
check "no agent" refuses 'no SSH key "default" forwarded from the client' "ssh=default -- true"

# ---- Network, security
check "no network" gives "lo" "nonet -- awk -F: 'NR>2 {print \$1}' /proc/net/dev | tr -d ' '"
check "that of the host needs leave" refuses "network.host is not allowed" "host -- true"
check "and is given with it" with --allow network.host -- gives "$(readlink /proc/self/ns/net)" "host -- readlink /proc/self/ns/net"
check "insecure needs leave" refuses "security.insecure is not allowed" "insecure -- true"
CAPS=00000000a80425fb
check "the usual capabilities" gives "$CAPS $CAPS 0" "-- echo \$(awk '/CapEff|CapBnd/ {print \$2}' /proc/self/status) \$(awk '/NoNewPrivs/ {print \$2}' /proc/self/status)"
check "none for users" gives "0000000000000000" "user=worker -- awk '/CapEff/ {print \$2}' /proc/self/status"
check "filtered system calls" gives "2 no no" "-- echo \$(awk '/^Seccomp:/ {print \$2}' /proc/self/status) \$(unshare -U true 2>/dev/null && echo yes || echo no) \$(mount -t tmpfs x /tmp 2>/dev/null && echo yes || echo no)"
check "insecure is not filtered" with --allow security.insecure -- gives "0 yes" "insecure -- echo \$(awk '/^Seccomp:/ {print \$2}' /proc/self/status) \$(mount -t tmpfs x /tmp 2>/dev/null && echo yes || echo no)"
check "the kernel's files are masked" gives "0 no no" "-- echo \$(ls /sys/firmware | wc -l) \$( (echo 1 >/proc/sys/kernel/domainname) 2>/dev/null && echo yes || echo no) \$( (echo 1 >/sys/kernel/x) 2>/dev/null && echo yes || echo no)"
check "devices cannot be made use of" gives "no" "-- mknod /x b 8 0; (head -c 1 /x) >/dev/null 2>&1 && echo yes || echo no"
check "processes of its own only" gives "1" "-- echo \$\$"

# ---- What the configuration says of every container
configured() { # LINES OF YAML -- COMMAND...
        local config=$SLIPWAY_CONFIG status
        printf 'plugins:\n  executor/runc:\n    run-dir: %s\n%s\n' "$RUN_DIR" "$1" >"$dir/config"
        export SLIPWAY_CONFIG=$dir/config
        shift 2
        "$@"
        status=$?
        export SLIPWAY_CONFIG=$config
        return $status
}
oci=$(printf 'worker:\n  oci:\n    binary: %s\n    ' "$RT")
check "name servers, search domains, options" configured "$oci
dns:
  nameservers: [192.0.2.53]
  searchDomains: [a.example, b.example]
  options: [ndots:3]" -- gives "search a.example b.example;nameserver 192.0.2.53;options ndots:3;" "-- tr '\\n' ';' </etc/resolv.conf"
check "the network of the host" configured "${oci}networkMode: host" -- gives "$(readlink /proc/self/ns/net)" "-- readlink /proc/self/ns/net"
check "a network mode that is not there" configured "${oci}networkMode: bridge" -- refuses "network mode bridge" "-- true"
check "the cgroup above" configured "${oci}defaultCgroupParent: /slipway-test-$$" -- gives yes "-- grep -q '/slipway-test-$$/slipway/' /proc/self/cgroup && echo yes || cat /proc/self/cgroup"
find /sys/fs/cgroup -depth -type d -path "*/slipway-test-$$*" -exec rmdir {} + 2>/dev/null
check "processes of the machine" configured "${oci}noProcessSandbox: true" -- gives yes "-- test \$\$ != 1 && echo yes"
check "labels, which are refused" configured "${oci}selinux: true" -- refuses "SELinux" "-- true"
check "a runtime that is not there" configured "worker:
  oci:
    binary: /no/such/runtime" -- refuses "OCI runtime /no/such/runtime" "-- true"
check "its own entry counts more" configured "    network: none
worker:
  oci:
    networkMode: bridge
    binary: $RT" -- gives "lo" "-- awk -F: 'NR>2 {print \$1}' /proc/net/dev | tr -d ' '"
# Where no cgroup can be made (none is mounted), nothing counts or limits, and devices are kept away all the same.
without_cgroups() {
        (
                export SLIPWAY=$dir/without
                printf '#!/bin/sh\nexec unshare -m sh -c '"'"'umount -R /sys/fs/cgroup && exec "$0" "$@"'"'"' "%s" "$@"\n' "$REAL" >"$SLIPWAY"
                chmod +x "$SLIPWAY"
                "$@"
        )
}
REAL=$SLIPWAY
if [ "$RT" != runc ]; then # which does not run then
check "without cgroups" without_cgroups gives ok "-- echo ok"
check "devices are out of reach there, too" without_cgroups gives "no no" "-- echo \$(mknod /x b 8 0 2>/dev/null && echo yes || echo no) \$( (echo x >/sys/fs/cgroup/x) 2>/dev/null && echo yes || echo no)"
check "limits are refused there" without_cgroups refuses "cgroups" "memory=33554432 -- true"
fi

# Version 2 of cgroups alone, with the controllers that version 1 leaves to it. crun raises a
# limit there, which takes a privilege that root in a container may lack.
limits_may_rise() { ((0x$(awk '/CapEff/ {print $2}' /proc/self/status) >> 24 & 1)); }
with_v2() {
        (
                export SLIPWAY=$dir/v2
                printf '#!/bin/sh\nexec unshare -m sh -c '"'"'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$0" "$@"'"'"' "%s" "$@"\n' "$REAL" >"$SLIPWAY"
                chmod +x "$SLIPWAY"
                "$@"
        )
}
if [ "$RT" = runc ] || limits_may_rise; then
check "cgroups of version 2" with_v2 gives "ok" "-- echo ok"
used_v2() {
        printf '%sr = run base nocache -- sh -c "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"\noutput r\n' "$HEAD" | kit_llb "$dir/def"
        with_v2 build --llb "$dir/def" --progress rawjson >"$dir/plain" 2>&1 || return
        local ns
        ns=$(grep -o '"id":"usage.cpu_ns"[^}]*' "$dir/plain" | grep -o '"current":[0-9]*' | cut -d: -f2 | head -n 1)
        [ "${ns:-0}" -gt 10000000 ] || { echo "cpu time: $ns"; cat "$dir/plain"; return 1; }
}
check "what it used is told" used_v2
left_v2() { # below what would be /sys/fs/cgroup
        unshare -m sh -c 'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && find /sys/fs/cgroup -path "*/slipway/*" -type d' | grep .
}
check "and nothing is left in there" eval '! left_v2'
fi

# ---- How it ends
check "an exit status that is fine" gives "" "valid=3 -- exit 3"
check "one that is not" refuses 'did not complete successfully: exit code: 4' "valid=3 -- exit 4"
check "a signal" refuses 'exit code: 137 (killed by SIGKILL)' "-- sleep 100 & kill -9 \$!; wait \$!"
check "a program that is not there" refuses "nowhere-to-be-found" "-- exec nowhere-to-be-found"
no_program() { ! step -- /no/such/program >/dev/null && grep -q '/no/such/program' "$dir/plain"; }
check "not even a shell" no_program
check "out of memory" refuses "out of memory" "memory=33554432 -- head -c 100000000 /dev/zero | tail >/dev/null; exit 137"
check "what runs in the background ends with it" gives "" "-- setsid sleep $NAP >/dev/null 2>&1 & (sleep $NAP &) ; true"
gone() { ! pgrep -f "sleep $NAP" >/dev/null; }
check "it did" gone
check "closed output" refuses "exit code: 3" "-- exec >&- 2>&-; exit 3"
much() {
        printf '%sr = run base nocache -- sh -c "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 | head -c 100000000; exit 5"\noutput r\n' "$HEAD" | kit_llb "$dir/def"
        build --llb "$dir/def" --progress plain >"$dir/plain" 2>&1
        local log; log=$(sed -n 's/^whole log: //p' "$dir/plain")
        [ "$(stat -c %s "$log")" = 100000000 ] && [ "$(stat -c %s "$dir/plain")" -lt 10000000 ] || { ls -l "$log" "$dir/plain"; return 1; }
        rm -f "$log"
}
check "100 MB of output: all on disk, its end shown" much
parallel() {
        { printf '%s' "$HEAD"; for i in $(seq 20); do echo "r$i = run base nocache scratchmount=/o env=I=$i -- sh -c \"echo \$I >/o/f\$I\""; echo "o$i = result r$i /o"; done
          echo "m = merge$(printf ' o%s' $(seq 20))"; echo output m; } | kit_llb "$dir/def" &&
                rm -rf "$dir/o" && build --llb "$dir/def" -o "type=local,dest=$dir/o" 2>"$dir/plain" && [ "$(ls "$dir/o" | wc -l)" = 20 ]
}
check "twenty at once" parallel
used() {
        printf '%sr = run base nocache -- sh -c "head -c 20000000 /dev/zero >/file; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"\noutput r\n' "$HEAD" | kit_llb "$dir/def"
        build --llb "$dir/def" --progress rawjson >"$dir/plain" 2>&1 &&
                grep -q 'usage.cpu_ns' "$dir/plain" && grep -q 'usage.memory_peak' "$dir/plain"
}
check "what it used is told" used

# ---- Killed
slow() { # SIGNAL STATUS: to slipway, once the command runs
        printf '%sr = run base nocache tmpfs=/t -- sh -c "echo running; sleep %s & sleep %s"\noutput r\n' "$HEAD" "$NAP" "$NAP" | kit_llb "$dir/def"
        (exec "$SLIPWAY" build --progress plain --local ctx="$dir/ctx" --llb "$dir/def" >"$dir/plain" 2>&1) &
        local pid=$!
        for _ in $(seq 1000); do grep -q ' running$' "$dir/plain" && break; sleep 0.05; done
        kill "-$1" "$pid"
        local status
        wait "$pid" 2>/dev/null
        status=$?
        [ "$status" = "$2" ] || { echo "status $status"; cat "$dir/plain"; return 1; }
        for _ in $(seq 40); do pgrep -f "sleep $NAP" >/dev/null || break; sleep 0.05; done
        ! pgrep -f "sleep $NAP" >/dev/null
}
no_cgroup() { ! find /sys/fs/cgroup -path '*slipway/*' -name "$1" 2>/dev/null | grep .; }
nothing_left() { [ -z "$(left)" ]; }
left() { find "$RUN_DIR/exec" -type f 2>/dev/null; }
check "interrupted: the container is gone" slow INT 1
check "and nothing is left" nothing_left
check "terminated" slow TERM 1
check "killed: the container dies with slipway" slow KILL 137
ids=$(left | sed 's%.*/%%')
processes_noted() { [ "$(ls "$SLIPWAY_ROOT/running" | wc -l)" = "$1" ]; }
check "a process that was killed is known" processes_noted 1
nothing_to_run() { printf '%soutput base\n' "$HEAD" | kit_llb "$dir/def" && build --llb "$dir/def" 2>"$dir/plain"; }
check "the next build cleans up, though it runs nothing" nothing_to_run
check "its files" nothing_left
check "and the process is forgotten" processes_noted 0
cgroups_gone() { local id; for id in $ids; do no_cgroup "$id" || return 1; done; }
check "its cgroups" cgroups_gone
check "no mounts" kit_nothing_left

# ---- A failed one is entered
keep() {
        printf '%st = mkdir s /in 0777\nd = mkfile t /in/given 0644 "given\\n"\nr = run base nocache env=FOO=bar dir=/work user=worker mount=/src=d romount=/ro=d=in tmpfs=/scratch cache=/cache=kept%s secret=key=/run/key=0444 secretenv=key=KEY ssh=default -- sh -c "echo left >/tmp/file; echo more >/src/in/made; exit 1"\noutput r\n' "$HEAD" "$RT" | kit_llb "$dir/def"
        build --llb "$dir/def" --secret "id=key,src=$dir/secret" --ssh "default=$dir/agent2,raw=true" --on-error keep >"$dir/plain" 2>&1
        kept=$(sed -n 's/^to look into it: slipway debug shell //p' "$dir/plain")
        [ -n "$kept" ] || cat "$dir/plain"
}
agent "$dir/agent2"
keep >"$dir/kept"
check "its root is kept" test ! -s "$dir/kept"
entered() { # WANTED FLAGS... -- SCRIPT
        local want=$1 flags=() got
        shift
        while [ "$1" != -- ]; do
                flags+=("$1")
                shift
        done
        got=$("$SLIPWAY" debug shell "${flags[@]}" "$kept" -- sh -c "$2" </dev/null 2>"$dir/told" | tr '\n' ' ')
        [ "$got" = "$want " ] || { echo "got: $got"; cat "$dir/told"; return 1; }
}
inside() { entered "left /work 1000 bar" -- 'cat /tmp/file; pwd; id -u; echo $FOO; echo x >/tmp/file'; }
check "and entered" inside
check "what is written there is dropped" inside
mounts() { entered "given more given tmpfs no" -- 'cat /src/in/given /src/in/made /ro/given; grep " /scratch " /proc/mounts | cut -d" " -f3; echo x >/src/in/made; (echo x >/ro/given) 2>/dev/null && echo yes || echo no'; }
check "its mounts are there, as the command left them" mounts
check "and what is written to them is dropped" mounts
check "its cache is there" entered "0" --user 0 -- 'echo into >/cache/file; echo $?'
check "where what is written stays" entered "into" -- 'cat /cache/file'
check "no secrets and agents" entered "no unset" -- 'test -e /run/key && echo yes || echo no; echo ${KEY-unset}'
tells() { local line; for line in "$@"; do grep -qF "$line" "$dir/told" || { echo "wanted: $line"; cat "$dir/told"; return 1; }; done; }
check "which is told" tells '/run/key is not there: give it with --secret id=key,src=FILE' '$KEY is not set: give it with --secret id=key,src=FILE' 'give the agent with --ssh default'
check "unless they are given again" entered "top secret top secret" --secret "id=key,src=$dir/secret" -- 'cat /run/key; echo; echo $KEY'
check "as agents are" entered "HELLO" --user 0 --ssh "default=$dir/agent2,raw=true" -- 'ask $SSH_AUTH_SOCK hello'
kill "$agent"
rm -f "$dir/agent2"
status_is() { "$SLIPWAY" debug shell "$kept" -- sh -c 'exit 42' </dev/null; [ $? = 42 ]; }
check "its exit status" status_is
check "with a terminal of our size" python3 "$top_srcdir/tests/integration/terminal.py" "$SLIPWAY" debug shell "$kept"
check "an id that is not there" fails 1 "none of that name is kept" debug shell nothing
expired() {
        sed -i 's/"expires":[0-9]*/"expires":1/' "$SLIPWAY_ROOT/kept/$kept.json" &&
                gives ok "-- echo ok" && [ ! -e "$SLIPWAY_ROOT/kept/$kept.json" ] && ! "$SLIPWAY" du | grep -q "$kept"
}
check "for a limited time" expired
}

# A client of agents, if a static program can be made.
cat >"$dir/ask.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int c, char **v) /* SOCKET NUMBER: a message of that type; SOCKET TEXT: the text */
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char b[100] = { 0, 0, 0, 1 };
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        if (c < 3 || strlen(v[1]) >= sizeof(a.sun_path))
                return 2;
        b[4] = (char) atoi(v[2]);
        strcpy(a.sun_path, v[1]);
        if (connect(s, (struct sockaddr *) &a, sizeof(a)) || (b[4] ? write(s, b, 5) : write(s, v[2], strlen(v[2]))) < 0)
                return 3;
        int framed = b[4];
        ssize_t n = read(s, b, sizeof(b) - 1);
        if (n <= 0)
                return 4;
        if (framed)
                printf("%d\n", b[4]);
        else
                printf("%.*s\n", (int) n, b);
        return 0;
}
C
need "a compiler, and a C library to link statically" ${CC:-cc} -static -o "$dir/ctx/bin/ask" "$dir/ask.c"

# An empty configuration directory, and run directories of this test's own.
for RT in ${TEST_RUNTIMES:-crun runc}; do
        if ! command -v "$RT" >/dev/null; then
                result 1 "the package $RT is there; TEST_RUNTIMES says which are tried"
                continue
        fi
        RUN_DIR=$dir/run-$RT
        printf 'worker:\n  oci:\n    binary: %s\nplugins:\n  executor/runc:\n    run-dir: %s\n' "$RT" "$RUN_DIR" >"$dir/config-$RT"
        export SLIPWAY_CONFIG=$dir/config-$RT
        echo "# ---- $RT"
        all
done
finish
