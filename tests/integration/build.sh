#!/usr/bin/env bash
# slipway build as its user meets it, without commands that need a runtime: flags, outputs,
# progress, bad input. Catches: messages that do not name the thing, half written files,
# output on the wrong stream, a wrong exit status, a build that needs a reader of its progress.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"

kit_llb "$dir/def" <<END
s = scratch
a = mkdir s /d 0755 label="make a directory"
b = mkfile a /d/hello 0644 "hi there\n"
output b
END
kit_llb "$dir/bad" <<END
s = scratch
a = mkfile s /x 0644 "x"
b = rm a /nowhere label="remove what is not there"
output b
END
build() { "$SLIPWAY" build --progress quiet --llb "$dir/def" "$@"; }
step_fails() { # PART ARGS...: a step does; the last line says so, after the end of its log
        local part=$1
        shift
        run build --progress quiet "$@"
        [ "$status" = 1 ] && tail -n 1 "$dir/err" | grep -qF -- "$part"
}

# ---- The definition
on_terminal() { # what COMMAND says with a terminal as its standard streams
        script -qec "$*" /dev/null </dev/null 2>&1
}
terminal_refused() { on_terminal "$SLIPWAY build" | grep -q 'pipe LLB definition to stdin'; }
check "a terminal as standard input" terminal_refused
check "nothing at all" fails 2 'slipway build . builds the Dockerfile of this directory' build
check "an empty definition" fails 1 'empty definition sent to build. Specify --frontend instead?' build --llb /dev/null
head -c 300 /dev/urandom >"$dir/random"
check "random bytes" fails 1 'failed to load LLB' build --llb "$dir/random" --progress quiet
check "a file that is not there" fails 1 "$dir/gone" build --llb "$dir/gone"
check "a directory" fails 1 "$dir" build --llb "$dir"
stdin_works() { "$SLIPWAY" build --progress quiet -o type=tar <"$dir/def" | tar t | grep -q d/hello; }
check "from standard input" stdin_works

# ---- Outputs
check "no type" fails 2 '--output requires type=<type>' build --llb "$dir/def" -o dest=x
check "a field without '='" fails 2 'bare' build --llb "$dir/def" -o type=local,bare
check "output for dest" fails 2 'did you mean "dest"' build --llb "$dir/def" -o type=local,output=x
check "local without dest" fails 2 'dest=DIR is missing' build --llb "$dir/def" -o type=local
check "an exporter that is not there" fails 1 'plugin exporter/nowhere is not there' \
        build --progress quiet --llb "$dir/def" -o type=nowhere,dest="$dir/x"
touch "$dir/file"
check "local onto a file" fails 1 "$dir/file" build --llb "$dir/def" -o "type=local,dest=$dir/file"
check "tar onto a directory" fails 1 'destination file is a directory' build --llb "$dir/def" -o "type=tar,dest=$dir"
check "tar below nothing" fails 1 "$dir/none/x" build --llb "$dir/def" -o "type=tar,dest=$dir/none/x"
check "two archives to standard output" fails 2 'standard output already' build --llb "$dir/def" -o type=tar -o type=tar,dest=-
check "an attribute twice" fails 2 'mode is given twice' build --llb "$dir/def" -o "type=local,dest=$dir/o,mode=copy,mode=delete"
check "a bad time" fails 1 'invalid source-date-epoch' build --progress quiet --llb "$dir/def" -o "type=local,dest=$dir/o,source-date-epoch=soon"
tar_to_terminal() { on_terminal "$SLIPWAY build --llb $dir/def -o type=tar" | grep -q 'not written to a terminal'; }
check "no archive to a terminal" tar_to_terminal

check "local" build -o "type=local,dest=$dir/made/deep"
check "the directory is its owner's" [ "$(stat -c %a "$dir/made/deep")" = 700 ]
check "what is in it" [ "$(cat "$dir/made/deep/d/hello")" = "hi there" ]
check "tar" build -o "type=tar,dest=$dir/x.tar"
check "what is in it" [ "$(tar xOf "$dir/x.tar" d/hello)" = "hi there" ]
check "several at once" build -o "type=tar,dest=$dir/y.tar" -o "type=local,dest=$dir/out2" -o type=tar,dest=/dev/null
check "they are the same" cmp "$dir/x.tar" "$dir/y.tar"
no_temporary() { ! find "$dir" -name '.slipway-*' | grep .; }
check "no temporary file is left" no_temporary
failing_keeps() {
        local before; before=$(sha256sum <"$dir/x.tar")
        step_fails '/nowhere' --llb "$dir/bad" -o "type=tar,dest=$dir/x.tar" &&
                [ "$(sha256sum <"$dir/x.tar")" = "$before" ] && no_temporary
}
check "a build that fails leaves the old file" failing_keeps
dated() { SOURCE_DATE_EPOCH=1000000000 build -o type=tar | TZ=UTC tar tv | grep -q '2001-09-09 01:46'; }
check "SOURCE_DATE_EPOCH" dated
fifo() {
        mkfifo "$dir/fifo"
        build -o "type=tar,dest=$dir/fifo" & local pid=$!
        tar t <"$dir/fifo" | grep -q d/hello && wait "$pid" && [ -p "$dir/fifo" ]
}
check "to a named pipe" fifo
fifo_cancelled() { # nobody reads it
        timeout --signal=INT 1 "$SLIPWAY" build --progress quiet --llb "$dir/def" -o "type=tar,dest=$dir/fifo" 2>"$dir/err"
        [ $? = 124 ] && grep -q interrupted "$dir/err"
}
check "to a pipe without a reader, until interrupted" fifo_cancelled
bad_epoch() { SOURCE_DATE_EPOCH=soon fails 1 'invalid SOURCE_DATE_EPOCH' build --llb "$dir/def"; }
check "a bad one" bad_epoch
closed_stdout() { "$SLIPWAY" build --progress quiet --llb "$dir/def" -o type=tar >&- 2>"$dir/err"; [ $? = 1 ]; }
check "standard output is closed" closed_stdout
full_stdout() { build -o type=tar >/dev/full 2>"$dir/err"; [ $? = 1 ] && grep -q 'No space left' "$dir/err"; }
check "standard output is full" full_stdout

# ---- What a build may use
check "a directory that is not there" fails 1 "$dir/none" build --llb "$dir/def" --local "x=$dir/none"
check "--local without a name" fails 2 'local' build --llb "$dir/def" --local "$dir"
check "a secret's file that is not there" fails 1 "$dir/none" build --llb "$dir/def" --secret "id=x,src=$dir/none"
check "a secret without id" fails 2 'secret' build --llb "$dir/def" --secret "src=$dir/file"
no_agent() { (unset SSH_AUTH_SOCK; run build --llb "$dir/def" --ssh default; [ "$status" != 0 ] && grep -q 'ssh' "$dir/err"); }
check "no ssh agent" no_agent
check "an unknown entitlement" fails 2 'unknown entitlement all' build --progress quiet --llb "$dir/def" --allow all
kit_llb "$dir/scheme" <<END
a = source nosuch://thing
output a
END
check "a scheme nobody serves" step_fails 'unknown scheme nosuch' --llb "$dir/scheme"

# ---- Progress
rm -rf "$SLIPWAY_ROOT"
plain() { "$SLIPWAY" build --progress plain --llb "$dir/def" 2>&1 >/dev/null | sed 's/DONE [0-9.]*s/DONE/'; }
first=$(plain) second=$(plain)
check "plain, the first time" [ "$first" = "#1 make a directory
#1 DONE

#2 mkfile /d/hello
#2 DONE

cache   0 of 2 steps cached: none was run like this before
result  in the cache only; --output says where to put it" ]
summary_off() { ! SLIPWAY_SUMMARY=off plain | grep -v '^#' | grep .; }
check "SLIPWAY_SUMMARY=off: nothing after the last step" summary_off
cached() { grep -qx '#1 CACHED' <<<"$second" && ! grep -q DONE <<<"$second"; }
check "plain, cached" cached
auto() { [ "$("$SLIPWAY" build --llb "$dir/def" 2>&1 >/dev/null)" = "$second" ]; }
check "auto is plain where there is no terminal" auto
environment() { [ -z "$(BUILDKIT_PROGRESS=quiet "$SLIPWAY" build --llb "$dir/def" 2>&1)" ]; }
check "BUILDKIT_PROGRESS" environment
json() {
        "$SLIPWAY" build --progress rawjson --llb "$dir/def" --trace "$dir/trace" 2>"$dir/json" &&
                cmp "$dir/json" "$dir/trace" && python3 - "$dir/json" <<'END'
import json, sys
seen = {}
for line in open(sys.argv[1]):
    o = json.loads(line)
    assert set(o) <= {"vertexes", "statuses", "logs", "warnings"} and o, o
    for v in o.get("vertexes", []):
        seen.setdefault(v["digest"], {}).update(v)
assert seen and any(v.get("cached") for v in seen.values()), seen
END
}
check "rawjson, and the same as a trace" json
check "tty needs a terminal" fails 2 'no terminal' build --progress tty --llb "$dir/def"
on_tty() { on_terminal "TERM=xterm $SLIPWAY build --llb $dir/def" | grep -q 'Building [0-9.]*s (.*) FINISHED'; }
check "tty on a terminal" on_tty
no_colour() { ! on_terminal "TERM=xterm NO_COLOR=1 $SLIPWAY build --llb $dir/def" | grep -q $'\033\\[34m'; }
check "NO_COLOR" no_colour
check "an unknown mode" fails 2 'progress' build --progress loud --llb "$dir/def"
# shellcheck disable=SC2016
check "standard error is closed" bash -c '"$SLIPWAY" build --progress plain --llb "$0" 2>&-' "$dir/def"
# shellcheck disable=SC2016
check "standard error is full" bash -c '"$SLIPWAY" build --progress plain --llb "$0" 2>/dev/full' "$dir/def"
failing_says() {
        "$SLIPWAY" build --progress plain --llb "$dir/bad" 2>"$dir/err"
        [ $? = 1 ] && grep -q '#[0-9] ERROR: .*nowhere' "$dir/err" && grep -qx ' > remove what is not there:' "$dir/err" &&
                tail -1 "$dir/err" | grep -q '^slipway: failed to solve: .*nowhere'
}
check "a failing step" failing_says
explained() { "$SLIPWAY" build --progress quiet --explain "$@" 2>&1 | tee "$dir/explain"; }
why() { explained --llb "$dir/def" | grep -q 'make a directory  \[cached\]'; }
check "--explain: cached" why
why_ignored() { explained --no-cache --llb "$dir/def" | grep -q 'make a directory  \[ran .*; told not to use the cache\]'; }
check "--explain --no-cache" why_ignored

# ---- Files about the build
check "--metadata-file and --ref-file" build --metadata-file "$dir/meta" --ref-file "$dir/ref"
check "metadata is an object" python3 -c 'import json, sys; assert json.load(open(sys.argv[1])) == {}' "$dir/meta"
check "a ref has 25 characters" grep -qxE '[a-z0-9]{25}' "$dir/ref"
rm -f "$dir/meta" "$dir/ref"
failing_files() {
        "$SLIPWAY" build --progress quiet --llb "$dir/bad" --metadata-file "$dir/meta" --ref-file "$dir/ref" 2>/dev/null
        [ $? = 1 ] && [ ! -e "$dir/meta" ] && [ -s "$dir/ref" ]
}
check "a build that fails has a ref and no metadata" failing_files
for flag in metadata-file ref-file solve-trace; do # told before anything is built
        check "--$flag that cannot be written" fails 1 "--$flag $dir/none/meta" build --llb "$dir/bad" "--$flag" "$dir/none/meta"
done
check "a trace that cannot be written" fails 1 "$dir/none/t" build --progress quiet --llb "$dir/def" --trace "$dir/none/t"
solve_trace() { build --solve-trace "$dir/solve" && "$SLIPWAY" debug solve-trace "$dir/solve" | grep -q hit; }
check "--solve-trace" solve_trace

# ---- Several at once
several() {
        local i pids=()
        for i in 1 2 3 4; do build --no-cache -o "type=local,dest=$dir/par$i" 2>"$dir/err$i" & pids+=($!); done
        for i in "${pids[@]}"; do wait "$i" || { cat "$dir"/err[1-4]; return 1; }; done
        cmp "$dir/par1/d/hello" "$dir/par4/d/hello"
}
check "four builds with one root" several
finish
