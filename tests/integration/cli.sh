#!/usr/bin/env bash
# tests/integration/cli.sh - the command line as its user meets it.
#
# Would catch: a verb without help, man page or completion; a wrong input that passes, that
# is told in more than one line, or with the wrong exit status; output that is lost without
# an error; escape sequences that reach the terminal; what doctor leaves behind.
set -u
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"

# ---- help of every verb ----

# verbs_below WORDS...: each command that `--help` lists, with those below it.
verbs_below() {
        local verb
        for verb in $("$SLIPWAY" "$@" --help |
                sed -n '/^Commands:/,/^$/ s/^  \([a-z][a-z-]*\) .*/\1/p'); do
                echo "$* $verb"
                verbs_below "$@" "$verb"
        done
}
mapfile -t verbs < <(verbs_below | sed 's/^ //')

# Each kind of help is the same text, on stdout, and fits 80 columns.
has_help() {
        says "Usage: slipway $*" "$@" --help && cp "$dir/out" "$dir/first" &&
                says "Usage: slipway $*" "$@" -h && cmp "$dir/first" "$dir/out" &&
                says "Usage: slipway $*" help "$@" && cmp "$dir/first" "$dir/out" &&
                ! grep -E '.{81}' "$dir/out" &&
                ! grep -E ' +$' "$dir/out"
}

enough_verbs() {
        local want
        for want in config "config check" "config explain" doctor help plugins \
                "plugins show" version; do
                printf '%s\n' "${verbs[@]}" | grep -qx "$want" || return 1
        done
}
check "--help lists every verb" enough_verbs
check "help: slipway" has_help
for verb in "${verbs[@]}"; do
        # shellcheck disable=SC2086
        check "help: $verb" has_help $verb
done
check "--help wins over missing arguments" says "Usage: slipway plugins show" \
        plugins show --help
check "version" says "slipway 0" version
check "--version" says "slipway 0" --version
check "--version beside a verb" says "slipway 0" plugins --version

# ---- wrong command lines: one line, status 2 ----

check "no command" fails 2 "a command is missing: "
check "no command of a group" fails 2 "a command is missing: check, explain" config
check "unknown command" fails 2 "slipway: unknown command" frobnicate
check "near command" fails 2 "slipway: unknown command plugin; did you mean plugins?" plugin
check "near command of a group" fails 2 "slipway config: unknown command chekc; did you mean check?" \
        config chekc
check "near command below a command" fails 2 "did you mean show?" plugins shwo
check "unknown flag" fails 2 "slipway plugins: unknown flag --jsno; did you mean --json?" \
        plugins --jsno
check "unknown letter" fails 2 "slipway plugins: unknown flag -z" plugins -z
check "single dash" fails 2 "did you mean --json?" plugins -json
check "flag of a verb before it" fails 2 "slipway: unknown flag --json" --json plugins
check "value is missing" fails 2 "--config needs a value" plugins --config
check "value is empty" fails 2 "--root: the value is empty" --root= version
check "value not one of the choices" fails 2 "is not one of" --log-level loud version
check "value of a switch" fails 2 "--json: \"2\" is not true or false" plugins --json=2
check "argument too many" fails 2 "slipway version: unexpected argument x" version x
check "argument is missing" fails 2 "KIND/NAME is missing" plugins show
check "argument is empty" fails 2 "argument 1 is empty" plugins show ""
check "argument of another form" fails 2 "is not KIND/NAME" plugins show image
check "argument with an unknown kind" fails 2 "did you mean exporter?" plugins show exprter/image
check "help of an unknown command" fails 2 "did you mean plugins?" help plugin
check "help of too many words" fails 2 "slipway help: " help version x
check "only dashes" fails 2 "a command is missing" --
check "command after dashes" fails 2 "a command must come before --" -- version
check "control characters are quoted" fails 2 '"\x1b]0;x\x07\x0ay"' $'\033]0;x\a\ny'
check "a word of 100,000 bytes is cut" fails 2 "unknown command" \
        "$(head -c 100000 /dev/zero | tr '\0' a)"

short_line() {
        fails 2 "" "$(head -c 100000 /dev/zero | tr '\0' a)"
        [ "$(wc -c <"$dir/err")" -lt 300 ]
}
check "and the line stays short" short_line

# ---- configuration ----

cat >"$dir/good.yaml" <<'END'
root: /srv/slipway
log:
  level: warn
END
cat >"$dir/bad.yaml" <<'END'
rot: /srv/slipway
END
printf 'root: "x\n' >"$dir/broken.yaml"
printf 'rot: x\nlog: {lvel: y}\n' >"$dir/twice.yaml"
printf 'root: \xff\xfe\n' >"$dir/binary.yaml"
printf 'root: [1\n' >"$dir/half.yaml"
mkdir "$dir/directory.yaml"

check "config check: good file" says "good.yaml: no mistakes" config check "$dir/good.yaml"
check "config check: the file of --config" says "good.yaml: no mistakes" \
        --config "$dir/good.yaml" config check
check "config check: unknown key" fails 2 "bad.yaml:1:1: " config check "$dir/bad.yaml"
check "config check: near key" fails 2 "root" config check "$dir/bad.yaml"
check "config check: not YAML" fails 2 "broken.yaml:" config check "$dir/broken.yaml"
two_lines() { # one line for each mistake, each with the name of the program
        run config check "$dir/twice.yaml"
        [ "$status" -eq 2 ] && [ "$(grep -c '^slipway: .*twice.yaml:[12]:' "$dir/err")" -eq 2 ] &&
                [ "$(wc -l <"$dir/err")" -eq 2 ]
}
check "config check: two mistakes" two_lines
check "config check: a value that cannot be read is one mistake" fails 2 "not valid YAML" \
        config check "$dir/half.yaml"
check "config check: not UTF-8" fails 2 "binary.yaml" config check "$dir/binary.yaml"
check "config check: a directory" fails 2 "directory.yaml" config check "$dir/directory.yaml"
check "config check: not there" fails 2 "none.yaml" config check "$dir/none.yaml"

# Named pipes that nobody writes to: whoever waits for them waits for ever.
mkfifo "$dir/pipe"
never_waits() { # never_waits STATUS ARGS...
        local want=$1
        shift
        printf '#!/bin/sh\nexec timeout 30 "%s" "$@"\n' "$SLIPWAY" >"$dir/soon"
        chmod +x "$dir/soon"
        SLIPWAY=$dir/soon fails "$want" "pipe: a named pipe" "$@"
}
check "config check: a named pipe" never_waits 2 config check "$dir/pipe"
check "--config: a named pipe" never_waits 2 --config "$dir/pipe" config explain
SLIPWAY_CONFIG=$dir/pipe check "SLIPWAY_CONFIG: a named pipe" never_waits 2 plugins
check "debug dump-llb: a named pipe" never_waits 1 debug dump-llb "$dir/pipe"
check "debug solve-trace: a named pipe" never_waits 1 debug solve-trace "$dir/pipe"
check "config check: <(command)" says ": no mistakes" config check <(sleep 0.1; cat "$dir/good.yaml")

check "--config: not there" fails 2 "none.yaml" --config "$dir/none.yaml" config explain
check "--config: wrong" fails 2 "bad.yaml:1:1: " --config "$dir/bad.yaml" plugins
SLIPWAY_CONFIG=$dir/none.yaml check "SLIPWAY_CONFIG: not there" fails 2 "SLIPWAY_CONFIG" \
        config explain
SLIPWAY_LOG_LEVEL=loud check "environment variable with a wrong value" fails 2 \
        "SLIPWAY_LOG_LEVEL" config explain

# Misspelt variables: a line of warning each, once, and the command goes on.
warns() { # warns STATUS ARGS...
        local want=$1
        shift
        run "$@"
        cat "$dir/err"
        [ "$status" -eq "$want" ] && [ "$(cat "$dir/err")" = "slipway: warning: SLIPWAY_LOGLEVEL \
is set, but no variable of that name is known; did you mean SLIPWAY_LOG_LEVEL?" ]
}
for verb in "config explain" "config check $dir/good.yaml" "plugins --json"; do
        # shellcheck disable=SC2086
        SLIPWAY_LOGLEVEL=warn check "unknown variable: $verb" warns 0 $verb
done
SLIPWAY_LOGLEVEL=warn check "unknown variable: not where none is read" says "slipway 0" version

check "--plugin-dir: not there" fails 2 "--plugin-dir /none" plugins --plugin-dir /none
check "--plugin-dir: a file" fails 2 "Not a directory" plugins --plugin-dir "$dir/good.yaml"
check "--plugin-dir: a name of two lines" fails 2 '/none\x0ax' plugins --plugin-dir $'/none\nx'
SLIPWAY_PLUGIN_PATH=/none check "SLIPWAY_PLUGIN_PATH: not there is fine" says "[" plugins --json

explained() { # explained KEY VALUE FROM ARGS...
        local want="$1 $2 $3"
        shift 3
        run config explain "$@"
        [ "$status" -eq 0 ] && tr -s ' ' <"$dir/out" | grep -qxF -- "$want" || {
                cat "$dir/out" "$dir/err"
                return 1
        }
}
check "explain: default" explained log.level info default
check "explain: file with line and column" explained root /srv/slipway \
        "$dir/good.yaml:1:7" --config "$dir/good.yaml"
SLIPWAY_ROOT=/env check "explain: environment wins over the file" explained root /env \
        SLIPWAY_ROOT --config "$dir/good.yaml"
SLIPWAY_ROOT=/env check "explain: flag wins over the environment" explained root /flag \
        --root --config "$dir/good.yaml" --root /flag
check "explain: --debug" explained log.level debug --debug --debug
check "explain: SLIPWAY_CONFIG" env SLIPWAY_CONFIG="$dir/good.yaml" bash -c \
        '"$SLIPWAY" config explain --changed | grep -q "^root .*good.yaml:1:7$"'

only_changed() {
        run config explain --changed --config "$dir/good.yaml"
        [ "$(wc -l <"$dir/out")" -eq 3 ] && ! grep -q default "$dir/out"
}
check "explain --changed leaves out defaults" only_changed

explain_json() {
        run config explain --json --config "$dir/good.yaml" --root /flag
        python3 - "$dir/out" <<'END'
import json, sys
keys = {k["key"]: k for k in json.load(open(sys.argv[1]))}
assert keys["root"]["value"] == "/flag" and keys["root"]["origin"] == "flag", keys["root"]
assert keys["root"]["where"] == "--root"
level = keys["log.level"]
assert (level["value"], level["origin"], level["line"], level["column"]) == ("warn", "file", 3, 10), level
assert all(k["help"] for k in keys.values() if not k["key"].startswith("plugins.")), "help"
assert keys["grpc.tls.cert"]["value"] is None
END
}
check "explain --json" explain_json

# ---- output that cannot be written ----

full_disk() { # full_disk ARGS...
        "$SLIPWAY" "$@" >/dev/full 2>"$dir/err"
        [ $? -eq 1 ] && [ "$(cat "$dir/err")" = \
                "slipway: write to standard output: No space left on device" ]
}
closed_output() {
        "$SLIPWAY" "$@" >&- 2>"$dir/err"
        [ $? -eq 1 ] && [ "$(cat "$dir/err")" = \
                "slipway: write to standard output: Bad file descriptor" ]
}
for verb in version "config explain" help --help "plugins --json" "dump-docs bash"; do
        # shellcheck disable=SC2086
        check "full disk: $verb" full_disk $verb
        # shellcheck disable=SC2086
        check "closed stdout: $verb" closed_output $verb
done

reader_gone() {
        { "$SLIPWAY" config explain 2>"$dir/err"; echo $? >"$dir/status"; } | true
        # Whether it noticed depends on who was faster; it never says anything.
        [ ! -s "$dir/err" ] && grep -qx '[01]' "$dir/status"
}
check "a reader that goes away" reader_gone

closed_all() { # 0, 1 and 2 closed: nothing that is opened may take their place
        "$SLIPWAY" config explain --config "$dir/good.yaml" <&- >&- 2>&-
        [ $? -eq 1 ] && grep -q '^root: /srv/slipway$' "$dir/good.yaml"
}
check "every standard stream closed" closed_all

trace_shown() {
        "$SLIPWAY" --debug --config "$dir/none.yaml" config explain 2>"$dir/err"
        [ $? -eq 2 ] && [ "$(head -n 1 "$dir/err" | cut -c1-9)" = "slipway: " ] &&
                grep -q '^  at: .*\.c:[0-9]' "$dir/err"
}
check "--debug shows where the error came up" trace_shown

# ---- on a terminal ----

on_terminal() { # on_terminal COLUMNS ARGS...: output as a terminal gets it, in $dir/tty
        local columns=$1
        shift
        COLUMNS=$columns TERM=xterm script -qec "'$SLIPWAY' $*" /dev/null \
                </dev/null >"$dir/tty" 2>&1
        sed -i 's/\r$//' "$dir/tty"
        # What script(1) has to say is not output of slipway.
        if [ ! -s "$dir/tty" ] || grep '^script: ' "$dir/tty"; then
                echo "a pseudo-terminal is needed: in a chroot, mount devpts on /dev/pts"
                return 1
        fi
}
no_wider() { # no_wider COLUMNS ARGS...
        on_terminal "$@" || return
        python3 - "$1" "$dir/tty" <<'END'
import re, sys
for line in open(sys.argv[2], encoding="utf-8"):
    line = re.sub("\x1b\\[[0-9;]*m", "", line.rstrip("\n"))
    assert len(line) <= int(sys.argv[1]), line
END
}
check "help fits a terminal of 60 columns" no_wider 60 plugins --help
colours() {
        on_terminal 100 doctor --root "$dir/root" && grep -q $'\033\[32mok' "$dir/tty"
}
check "doctor is coloured on a terminal" colours
no_colours() {
        NO_COLOR=1 on_terminal 100 doctor --root "$dir/root" && ! grep -q $'\033' "$dir/tty"
}
check "not with NO_COLOR" no_colours
not_in_pipe() {
        run doctor --root "$dir/root"
        [ -s "$dir/out" ] && ! grep -q $'\033' "$dir/out"
}
check "not in a pipe" not_in_pipe

# ---- man pages and completion ----

mapfile -t pages < <("$SLIPWAY" dump-docs pages)
no_page_missing() {
        local page
        for page in "${pages[@]}"; do
                [ -s "$top_builddir/man/$page.1" ] || {
                        echo "man/$page.1 is not in man_MANS: add it to cmd/slipway/local.mk"
                        return 1
                }
        done
}
check "every page is built" no_page_missing
clean_page() {
        if command -v mandoc >/dev/null; then
                mandoc -Tlint -W warning "$1" && mandoc "$1" >"$dir/page"
        else
                [ -z "$(man -l --warnings -Tutf8 "$1" 2>&1 >"$dir/page")" ]
        fi && [ -s "$dir/page" ]
}
for page in "${pages[@]}"; do
        check "man page: $page" clean_page "$top_builddir/man/$page.1"
done
dated_page() {
        SOURCE_DATE_EPOCH=0 "$SLIPWAY" dump-docs man slipway | grep -qx '.Dd January 1, 1970'
}
check "pages are reproducible" dated_page
check "a date that is none" env SOURCE_DATE_EPOCH=yesterday bash -c \
        '"$SLIPWAY" dump-docs man slipway; [ $? -eq 1 ]'
check "no page of that name" fails 1 "there is no man page" dump-docs man slipway-none

# complete WORD...: what completion offers for the last word, one a line.
complete_words() {
        bash --norc --noprofile -u -c '
                . "$1"; shift
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
                _slipway 2>/dev/null
                printf "%s\n" "${COMPREPLY[@]}"
        ' bash "$top_builddir/man/slipway.bash" "$SLIPWAY" "$@"
}
offers() { # offers "WANTED ..." WORD...: exactly these
        local want=$1 got
        shift
        got=$(complete_words "$@" | tr '\n' ' ')
        [ "${got% }" = "$want" ] || {
                echo "wanted: $want"
                echo "got:    $got"
                return 1
        }
}
touch "$dir/file.txt"
mkdir "$dir/folder"
check "completes verbs" offers "plugins" plu
check "completes verbs of a group" offers "check explain" config ""
check "completes verbs after a flag with a value" offers "check" --root x config ch
check "completes verbs after --flag = value" offers "check" --root = x config ch
check "completes verbs after --flag=value" offers "check" --root=x config ch
check "completes verbs after a switch = value" offers "check" --debug = true config ch
check "completes flags" offers "--json" plugins --js
check "completes flags of every command" offers "--plugin-dir" version --pl
check "completes choices" offers "warn" --log-level wa
check "completes choices after =" offers "text json" --log-format =
check "completes choices in one word" offers "--log-format=json" --log-format=j
check "completes switches" offers "true" --debug = t
check "completes files" offers "$dir/file.txt" --config "$dir/file.t"
check "completes directories only" offers "$dir/folder" --root "$dir/f"
check "completes files as arguments" offers "$dir/good.yaml" config check "$dir/goo"
check "completes nothing after the last argument" offers "" config check a "$dir/goo"
check "completes help" offers "version" help ver
check "does not offer what is hidden" offers "" dump
check "completes after --" offers "$dir/good.yaml" config check -- "$dir/goo"

# ---- doctor ----

doctor_json() { # doctor_json PYTHON ARGS...: f maps names to findings, d is the document
        local code=$1
        shift
        run doctor --json "$@"
        [ "$status" -le 1 ] || return 1
        python3 - "$dir/out" "$status" <<END
import json, sys
d = json.load(open(sys.argv[1]))
f = {x["name"]: x for x in d["findings"]}
assert d["can_build"] == (sys.argv[2] == "0"), "can_build and the exit status"
for x in d["findings"]:
    assert x["status"] in ("ok", "warn", "missing"), x
    assert x["status"] == "ok" or x["remedy"], ("no remedy", x)
$code
END
}
check "doctor --json" doctor_json '
for name in ("kernel", "openat2", "mount-api", "erofs", "overlayfs", "mount-namespace",
             "idmapped-mounts", "user-namespaces", "cgroups", "seccomp", "emulators", "git",
             "root", "file-system", "space", "open-files", "processes"):
    assert name in f, name
' --root "$dir/root"

leaves_nothing() {
        mkdir "$dir/place"
        run doctor --root "$dir/place/root"
        [ "$status" -le 1 ] && [ -z "$(ls -A "$dir/place")" ] &&
                ! grep -qF "$dir" /proc/self/mountinfo &&
                [ -z "$(find /tmp -maxdepth 1 -name '.slipway-doctor-*' -newer "$dir/place")" ]
}
check "doctor leaves nothing behind" leaves_nothing

# Runtimes made for the test. The wrapper of libtool needs PATH, so the program itself runs.
real=$top_builddir/cmd/slipway/.libs/slipway
[ -x "$real" ] || real=$SLIPWAY

# Without root: user namespaces, and directories that only their root could remove. The build
# may lie where nobody else can look, so nobody gets a copy.
mkdir "$dir/copy" && cp "$real" "$dir/copy/slipway" && chmod 755 "$dir" "$dir/copy"
cp "$top_builddir"/.libs/libslipway.so* "$dir/copy/" 2>/dev/null
nobody() {
        local way=()
        [ "$(id -u)" -ne 0 ] || way=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        "${way[@]}" env HOME="$dir/home" LD_LIBRARY_PATH="$dir/copy${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"
}
leaves_nothing_as_nobody() {
        nobody "$dir/copy/slipway" doctor --json --root "$dir/home/root" >"$dir/out" 2>"$dir/err"
        status=$?
        cat "$dir/err"
        [ "$status" -le 1 ] && [ -z "$(ls -A "$dir/home")" ] && ! grep -q 'clean up' "$dir/err" &&
                grep -q '"name": "subordinate-ids"' "$dir/out"
}

mkdir -m 777 "$dir/home"
check "doctor leaves nothing behind without root" leaves_nothing_as_nobody

mkdir "$dir/bin"
for tool in git sh; do
        ln -s "$(command -v $tool)" "$dir/bin/$tool"
done
fake_runtime() { # fake_runtime NAME TEXT
        printf '#!/bin/sh\ncat <<END\n%s\nEND\n' "$2" >"$dir/bin/$1"
        sed -i "s#^cat #$(command -v cat) #" "$dir/bin/$1"
        chmod +x "$dir/bin/$1"
}
with_runtimes() {
        SLIPWAY=$real PATH_FOR_SLIPWAY=$dir/bin doctor_json_path "$@"
}
doctor_json_path() {
        local code=$1
        LD_LIBRARY_PATH=$top_builddir/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
                PATH=$PATH_FOR_SLIPWAY "$SLIPWAY" doctor --json --root "$dir/root" \
                >"$dir/out" 2>"$dir/err"
        status=$?
        python3 - "$dir/out" "$status" <<END
import json, re, sys
d = json.load(open(sys.argv[1]))
f = {x["name"]: x for x in d["findings"]}
$code
END
}
check "no runtime: nothing can be built" with_runtimes '
assert not d["can_build"] and sys.argv[2] == "1"
assert f["runtime"]["status"] == "missing" and "crun" in f["runtime"]["remedy"], f["runtime"]
assert "crun" not in f and "runc" not in f
'
check "and one line says so" bash -c '[ "$(wc -l <"$1")" -eq 1 ] && grep -q "^slipway: .*runtime" "$1"' \
        bash "$dir/err"

fake_runtime runc "runc version 1.1.5"
check "a runtime with a known flaw does not count" with_runtimes '
assert f["runc"]["status"] == "warn" and "CVE-2024-21626" in f["runc"]["found"], f["runc"]
assert "CVE-2025-31133" in f["runc"]["found"]
assert "cannot" not in f["runc"]["found"] and f["runtime"]["status"] == "missing"
assert f["runc"]["remedy"].startswith("put a later version at "), f["runc"]
assert f["runtime"]["remedy"].endswith(" crun"), f["runtime"]
'
fake_runtime runc "runc version 1.1.5+ds1
commit: 1.1.5+ds1-1+deb12u1"
check "unless a distribution built it" with_runtimes '
assert f["runc"]["status"] == "warn" and "version alone cannot tell" in f["runc"]["found"]
assert "runtime" not in f
assert re.search("(upgrade|update|pacman).* runc$", f["runc"]["remedy"]), f["runc"]
'
fake_runtime runc "runc version 1.2.7"
check "flaws by series: 1.2.7" with_runtimes '
assert "CVE-2025-52881" in f["runc"]["found"] and "CVE-2024" not in f["runc"]["found"]
'
for good in 1.2.8 1.3.3 1.4.0-rc.3 1.4.0 2.0.0; do
        fake_runtime runc "runc version $good"
        check "flaws by series: $good has none" with_runtimes 'assert f["runc"]["status"] == "ok", f["runc"]'
done
for bad in 1.0.0-rc95 1.3.2 1.4.0-rc.2; do
        fake_runtime runc "runc version $bad"
        check "flaws by series: $bad" with_runtimes 'assert "CVE-2025-52881" in f["runc"]["found"], f["runc"]'
done
fake_runtime runc "runc version unknown"
check "a version that cannot be read" with_runtimes '
assert f["runc"]["status"] == "warn" and "cannot be told" in f["runc"]["found"]
'
fake_runtime crun "crun version 1.8.1
+SYSTEMD +SECCOMP +LIBKRUN"
check "flaws by feature" with_runtimes 'assert "CVE-2025-24965" in f["crun"]["found"], f["crun"]'
fake_runtime crun "crun version 1.8.1
+SYSTEMD +SECCOMP"
check "and without it" with_runtimes 'assert f["crun"]["status"] == "ok", f["crun"]'
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/crun"
check "a runtime that fails" with_runtimes 'assert "--version fails" in f["crun"]["found"]'
printf '#!/bin/sh\nwhile :; do %s 100; done\n' "$(command -v sleep)" >"$dir/bin/crun"
fake_runtime runc "runc version 1.1.5"
check "a runtime that never ends, and nothing left to install" with_runtimes '
assert "--version does not end" in f["crun"]["found"] and f["crun"]["remedy"], f["crun"]
assert "above" in f["runtime"]["remedy"] and "install" not in f["runtime"]["remedy"], f["runtime"]
'
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/crun"
rm "$dir/bin/git"
check "no git" with_runtimes '
assert f["git"]["found"].startswith("not found") and f["git"]["remedy"].endswith(" git"), f["git"]
'
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/git"
chmod +x "$dir/bin/git"
check "a git that fails is not to be installed" with_runtimes '
assert "git --version fails" in f["git"]["found"] and "by hand" in f["git"]["remedy"], f["git"]
'
check "escape sequences of a runtime are not shown" bash -c '
        printf "#!/bin/sh\nprintf \"runc version 1.3.3\\033[31m\\n\"\n" >"$1/bin/runc"
        LD_LIBRARY_PATH=$2/.libs PATH="$1/bin:$PATH" "$3" doctor --root "$1/root" >"$1/out"
        grep -q "runc" "$1/out" && ! grep -q $'"'\\033'"' "$1/out"' \
        bash "$dir" "$top_builddir" "$real"

check "a root that cannot be written" doctor_json '
assert f["root"]["status"] == "missing" and "--root" in f["root"]["remedy"], f["root"]
' --root /proc/slipway

finish
