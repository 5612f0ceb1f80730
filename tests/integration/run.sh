#!/usr/bin/env bash
# slipway build with commands in it, as its user meets it: what is shown of them, what a
# failure says, secrets, interrupts, --explain. Catches: a log that is cut, a status that is
# taken for another, a secret that is kept, a container that outlives its build.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

kit_root "$dir/rootfs"
mkdir -p "$dir/ctx/sub"
for i in $(seq 40); do echo "$i" >"$dir/ctx/sub/f$i"; done
def() { # NAME: statements over the state "base", from standard input
        {
                echo 'rootfs = local rootfs'
                echo 's = scratch'
                echo 'base = copy s rootfs / / contents label="the root"'
                cat
        } | kit_llb "$dir/$1"
}
build() { # NAME ARGS...
        local name=$1
        shift
        "$SLIPWAY" build --local "rootfs=$dir/rootfs" --local "ctx=$dir/ctx" --llb "$dir/$name" "$@" 2>"$dir/err"
}
ends() { # STATUS NAME ARGS...
        local want=$1
        shift
        build "$@"
        [ $? = "$want" ] || { cat "$dir/err"; return 1; }
}
err_has() { grep -qE -- "$1" "$dir/err" || { cat "$dir/err"; return 1; }; }
err_lacks() { ! grep -E -- "$1" "$dir/err"; }
last_is() { [ "$(tail -n 1 "$dir/err")" = "$1" ] || { cat "$dir/err"; return 1; }; }

# ---- What is shown
def says <<'END'
r = run base label="say it" -- /bin/sh -c "echo out; echo err >&2; echo -n unfinished"
output r
END
check "a command runs" ends 0 says --progress plain
check "its output" err_has '^#3 [0-9.]+ out$'
check "its errors" err_has '^#3 [0-9.]+ err$'
check "a line without an end" err_has '^#3 [0-9.]+ unfinished$'
check "it is done" err_has '^#3 DONE [0-9.]+s$'
check "what it used is no progress" err_lacks usage
check "again" ends 0 says --progress plain
check "it is cached" err_has '^#[23] CACHED$'
check "--no-cache" ends 0 says --progress rawjson --no-cache
check "what it used is in the record" err_has '"id":"usage.cpu_ns"'

# ---- Failures
def fails <<'END'
r = run base label="count and fail" -- /bin/sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3"
output r
END
check "a command that fails" ends 1 fails --progress plain
check "the step says so" err_has '^#[0-9] ERROR: process ".*" did not complete successfully: exit code: 3$'
# shellcheck disable=SC2016
last='slipway: failed to solve: process "/bin/sh -c for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3" did not complete successfully: exit code: 3'
check "the last line" last_is "$last"
tail_of_log() {
        sed -n '/^------$/,/^------$/p' "$dir/err" | sed 's/^[0-9.]* line/line/' >"$dir/tail"
        { echo ------; echo ' > count and fail:'; for i in 3 4 5 6 7 8 9 10 11 12; do echo "line $i"; done; echo ------; } |
                diff - "$dir/tail"
}
check "the end of its log" tail_of_log
whole_log() {
        local file
        file=$(sed -n 's/^whole log: //p' "$dir/err")
        [ "$(wc -l <"$file")" = 12 ] && head -n 1 "$file" | grep -qx 'line 1'
}
check "the whole of it is kept" whole_log
check "quiet: the same end" ends 1 fails --progress quiet
check "with the log" err_has 'line 12'
check "and its last line" last_is "$last"
def marked <<'END'
r = run base where=Recipe:3:one/two/three/four/five -- /bin/false
output r
END
check "a step that has a place in a text" ends 1 marked --progress quiet
place() {
        sed -n '/^Recipe:3$/,/^slipway/p' "$dir/err" | sed '$d;/^whole log/d;/^to look into it/d' >"$dir/got"
        diff "$dir/got" - <<'END'
Recipe:3
--------------------
   1 |     one
   2 |     two
   3 | >>> three
   4 |     four
   5 |     five
--------------------
END
}
check "is shown there" place
# shown_at WHERE WANTED [STEP]: what is shown of a step that fails, its lines numbered.
shown_at() {
        printf 'r = %s\noutput r\n' "${3:-run base "$1" -- /bin/false}" | def placed
        build placed --progress quiet
        sed -n '/^-----*$/,/^-----*$/p' "$dir/err" | sed -n 's/^ *\([0-9]*\) | \(...\) \(.*\)/\1\2\3/p' | tr -d ' ' | tr '\n' ' ' >"$dir/got"
        [ "$(cat "$dir/got")" = "$2" ] || { echo "got: $(cat "$dir/got")"; cat "$dir/err"; return 1; }
}
# The reference counts its turns: at an end of the text less is shown than elsewhere.
check "the first line" shown_at where=R:1:one/two/three/four/five/six '1>>>one 2two 3three '
check "the last one" shown_at where=R:6:one/two/three/four/five/six '4four 5five 6>>>six '
check "the only one" shown_at where=R:1:one '1>>>one '
check "one that is not there" shown_at where=R:7:one/two/three ''
check "line 0" shown_at where=R:0:one/two/three ''
check "control characters are none of the terminal's" shown_at "where=R:1:a$(printf '\033[2Jb')" '1>>>a\x1b[2Jb '
check "of a copy" shown_at '' '1one 2>>>two ' 'copy base base /nosuch /x where=R:2:one/two'
failing() { # WHAT COMMAND PART
        printf 'r = run base -- /bin/sh -c "%s"\noutput r\n' "$2" | def failing
        check "$1" ends 1 failing --progress quiet
        check "$1: its reason" err_has "$3"
}
failing "a signal" "/bin/sh -c 'kill -SEGV \$\$'; exit \$?" 'exit code: 139 \(killed by SIGSEGV\)$'
failing "killed" "/bin/sh -c 'kill -9 \$\$'; exit \$?" 'exit code: 137 \(killed by SIGKILL\)$'
failing "no such command" 'nosuch' 'exit code: 127 \(command not found\)$'
printf 'r = run base -- /bin/nosuch\noutput r\n' | def noprogram
check "no such program" ends 1 noprogram --progress quiet
check "it is named" err_has '/bin/nosuch'

# ---- What a command may use
def secret <<'END'
r = run base secret=token=/run/secrets/token secretenv=token=TOKEN -- /bin/sh -c "sha256sum </run/secrets/token; echo -n $TOKEN | sha256sum"
output r
END
printf 'hush-4711' >"$dir/token"
sum=$(sha256sum <"$dir/token" | cut -d' ' -f1)
check "a secret" ends 0 secret --progress plain --secret "id=token,src=$dir/token"
both_sums() { [ "$(grep -c "$sum" "$dir/err")" = 2 ]; }
check "as a file and as a variable" both_sums
not_kept() { ! grep -r hush-4711 "$SLIPWAY_ROOT"; }
check "it is not kept" not_kept
secret_env() { TOK=hush-4711 build secret --progress plain --no-cache --secret id=token,env=TOK && both_sums; }
check "from the environment" secret_env
check "a secret that was not given" ends 1 secret --progress quiet --no-cache
check "it is named" err_has 'token'
printf 'r = run base host -- /bin/true\noutput r\n' | def host
check "the host's network" ends 1 host --progress quiet
check "is not allowed" err_has 'network.host is not allowed'
check "is allowed" ends 0 host --progress quiet --allow network.host
printf 'c = local nosuch\nb = copy base c / /x\noutput b\n' | def nodir
check "a directory that was not given" ends 1 nodir --progress quiet
check "is named" err_has 'nosuch.*there is: '

# ---- Why
def why <<'END'
ctx = local ctx
c = copy base ctx /sub /sub contents parents label="copy sub"
r = run c label="add up" -- /bin/sh -c "cat /sub/* | wc -l"
output r
END
check "a build to be explained" ends 0 why --progress quiet --explain
check "it was never run" err_has 'add up  \[ran [0-9.]+s, .*CPU.*\]'
check "the same again" ends 0 why --progress quiet --explain
check "it is cached" err_has 'add up  \[cached\]'
echo changed >"$dir/ctx/sub/f7"
check "one file changed" ends 0 why --progress quiet --explain
check "the file is named" err_has 'copy sub  \[ran .*changed: .*f7'
check "and no other" err_lacks 'f[0-68-9]|f7[0-9]|f[1-9]7'
check "--explain of a failure" ends 1 fails --progress quiet --explain
check "says which failed" err_has 'count and fail  \[failed'

# ---- Interrupts
def slow <<'END'
r = run base env=MARK=slipway-run-test -- /bin/sh -c "echo begun; sleep 1000"
output r
END
begin() { # a build of "slow" in the background, its command running; sets $pid
        : >"$dir/err" # of the last one: it is no sign that this one runs
        "$SLIPWAY" build --progress plain --local "rootfs=$dir/rootfs" --llb "$dir/slow" 2>"$dir/err" &
        pid=$!
        for _ in $(seq 200); do
                grep -qE '^#[0-9] [0-9.]+ begun' "$dir/err" && return 0
                sleep 0.05
        done
        cat "$dir/err"
        return 1
}
none_runs() { ! grep -lsa MARK=slipway-run-test /proc/[0-9]*/environ; }
stopped_by() { # SIGNAL
        begin || return
        kill "-$1" "$pid"
        wait "$pid"
        [ $? = 1 ] && none_runs && err_has '^#[0-9] CANCELED' && tail -n 1 "$dir/err" | grep -q '^slipway: cancelled: '
}
check "interrupted" stopped_by INT
check "terminated" stopped_by TERM
def big <<'END'
a = run base -- /bin/sh -c "dd if=/dev/zero of=/zeros bs=1M count=2"
output a
END
third_time() { # a reader that does not read: only force helps
        mkfifo "$dir/fifo" && exec 3<>"$dir/fifo"
        "$SLIPWAY" build --progress quiet --local "rootfs=$dir/rootfs" --llb "$dir/big" -o type=tar 2>"$dir/err" >"$dir/fifo" 3<&- &
        local pid=$! status i
        for i in $(seq 200); do # until it hangs in write(2)
                [[ $(cat "/proc/$pid/task"/*/wchan 2>/dev/null) == *pipe_write* ]] && break
                sleep 0.05
        done
        for i in 1 2 3; do
                kill -INT "$pid" || return
                sleep 0.1
        done
        wait "$pid"
        status=$?
        exec 3<&-
        [ "$status" = 130 ] || { echo "status $status"; cat "$dir/err"; return 1; }
}
check "the third interrupt is by force" third_time
check "the next build is as good as any" ends 0 big --progress quiet
finish
