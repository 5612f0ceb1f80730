#!/usr/bin/env bash
# slipway history, inspect and what is below them. Catches: builds that are missing or have
# another outcome than they had, also when they were killed; records that two processes lose;
# stories that are told otherwise than they were; secrets that are kept; what is to stay and
# goes, and what is to go and stays; text of a build that steers a terminal.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
export SLIPWAY_SUMMARY=off
esc=$(printf '\033')
kit_llb "$dir/def" <<END
s = scratch
a = mkdir s /d 0755 label="make a directory"
b = mkfile a /d/hello 0644 "hi there\n" label="${esc}[31m<script>alert(1)</script>"
output b
END
kit_llb "$dir/bad" <<END
s = scratch
b = rm s /nowhere label="fetch https://me:geheim@example.com/x"
output b
END
go() { run "$@"; ran=$status; }
json() { # the JSON that was printed makes this Python expression true
        [ "$ran" = 0 ] && python3 -c "import json, sys
o = json.load(open(sys.argv[1]))
assert ($1), o" "$dir/out"
}
harmless() { [ "$ran" = 0 ] && ! grep -q "$esc" "$dir/out" && ! grep -q "$esc" "$dir/err"; }
until_there() { local _; for _ in $(seq 100); do "$@" && return 0; sleep 0.1; done; return 1; }

go history
check "without a root there is no build" [ "$ran:$(cat "$dir/out")" = "0:BUILD  STATUS  BEGAN  TOOK  STEPS  PINNED  WHAT" ]
check "nothing can be inspected then" fails 1 "no build in the history" history inspect latest
check "nor removed" fails 1 "no build" history rm abc

# ---- Outcomes
"$SLIPWAY" build --progress plain --llb "$dir/def" --ref-file "$dir/ref" -o type=tar,dest="$dir/x.tar" 2>"$dir/was"
one=$(cat "$dir/ref")
go history --json
check "a build is in the history" json "[(b['ref'], b['status'], b['numTotalSteps'], b['numCachedSteps'], b['error']) for b in o] == [('$one', 'completed', 3, 0, None)]"
check "with its outputs, not where a secret was" json "o[0]['exporters'][0]['type'] == 'tar' and o[0]['createdAt'] <= o[0]['completedAt']"
run build --progress quiet --llb "$dir/bad"
go history inspect latest --json
check "one that failed, with code, step and words" json "o['status'] == 'error' and o['error']['code'] == 'not-found' and
  o['error']['vertex'].startswith('sha256:') and '/nowhere' in o['error']['message']"
nothing_secret() { ! grep -rqa geheim "$SLIPWAY_ROOT/history" "$dir/out"; }
check "no password of a URL is kept" nothing_secret
go history logs latest
check "it is xxxxx" grep -q 'https://xxxxx:xxxxx@example.com/x' "$dir/out"

mkfifo "$dir/fifo"
blocked() { kit_background --llb "$dir/def" -o "type=tar,dest=$dir/fifo" 2>/dev/null; }
running() { "$SLIPWAY" history -q --filter status=running | grep -q .; }
blocked
pid=$!
check "one that runs is running" until_there running
id=$("$SLIPWAY" history -q -n 1)
check "it cannot be removed" fails 1 "running" history rm "$id"
check "it can be pinned" "$SLIPWAY" history pin "$id"
tells() { "$SLIPWAY" history logs "$id" | grep -q exporting; }
check "what it did so far is told" until_there tells
kill -INT "$pid"
wait "$pid"
go history inspect "$id" --json
check "cancelled, and pinned still" json "o['status'] == 'canceled' and o['pinned'] and o['error']['code'] == 'cancelled'"
blocked
pid=$!
check "another one runs" until_there running
id=$("$SLIPWAY" history -q -n 1)
until_there tells
kill -9 "$pid"
wait "$pid" 2>/dev/null
go history inspect "$id" --json
check "killed: interrupted" json "o['status'] == 'interrupted' and o['completedAt'] is None"
check "its story up to there can be told" tells
check "and it can be removed" "$SLIPWAY" history rm "$id"
check "a build after that" kit_build --llb "$dir/def"

# ---- Stories
go history logs "$one"
# A status that begins and ends between two looks is one line or two, in either of them.
lines() { sed -e 's/[0-9.]*s$//' -e '/^#[0-9]* sending tarball$/d' "$1"; }
told_again() { [ "$ran" = 0 ] && diff <(lines "$dir/was") <(lines "$dir/out"); }
check "logs tells what the build told" told_again
go history logs "$one" --progress rawjson
lines_of_json() { python3 -c 'import json, sys
names = [v["name"] for l in open(sys.argv[1]) for v in json.loads(l).get("vertexes", [])]
assert any("<script>" in n for n in names), names' "$dir/out"; }
check "as JSON too" lines_of_json
"$SLIPWAY" build --progress quiet --explain --llb "$dir/def" 2>"$dir/was"
go history explain latest
check "explain is that of the build" cmp "$dir/was" "$dir/out"
go history inspect "$one"
check "inspect is for people" eval 'grep -q "^Status: *completed" "$dir/out" && grep -q "make a directory" "$dir/out"'
check "no text of a build steers a terminal" harmless
go history
check "nor in the table" harmless

# ---- Names
check "the beginning of an id is enough" says "$one" history inspect "${one:0:8}"
check "latest, and the one before" [ "$("$SLIPWAY" history -q | sed -n 2p)" = "$("$SLIPWAY" history inspect ^1 --json | jq -r .ref)" ]
check "one that is not there" fails 1 "no build nosuch" history inspect nosuch
check "no number" fails 2 "number" history -n x
check "too many builds ago" fails 1 '^99' history inspect ^99
check "inspect finds out that it is a build" says "$one" inspect "$one"
check "inspect of nothing" fails 1 "neither a build nor an image" inspect nosuch:1

# ---- Filters
n() { "$SLIPWAY" history -q "$@" | wc -l; }
all=$(n)
check "filters: a state" [ "$(n -f status=error) $(n -f status=failed) $(n -f status!=error)" = "1 1 $((all - 1))" ]
check "several are alternatives" [ "$(n -f status=error -f status=canceled)" = 2 ]
check "conditions with commas must all hold" [ "$(n -f "status=completed,ref=$one") $(n -f "status=error,ref=$one")" = "1 0" ]
check "times and durations" [ "$(n -f 'startedAt>1h') $(n -f 'startedAt<1h') $(n -f 'duration<1h,completedAt>1h')" = "$all 0 $all" ]
check "a field nobody knows" fails 2 "fields are" history -f nosuch=1
check "a bad duration" fails 2 "no duration" history -f 'duration>soon'
go history -n 1 --format '{{range .}}{{.Ref}} {{.Status}} {{.NumTotalSteps}}{{end}}'
check "a template" grep -qE '^[a-z0-9]+ completed 2$' "$dir/out"

# ---- Several at once
before=$(n)
for _ in 1 2 3; do
        (for _ in 1 2 3 4; do kit_build --llb "$dir/def"; done) &
        pids+=($!)
done
wait "${pids[@]}"
check "three processes lose no record" [ "$(n)" = $((before + 12)) ]
check "all of them completed" [ "$(n -f status=interrupted) $(n -f status=running)" = "0 0" ]

# ---- Damage
story=$SLIPWAY_ROOT/history/$one
cp "$story" "$dir/story"
head -c 200 "$dir/story" >"$story"
go history logs "$one"
check "a story that was cut off" eval '[ "$ran" = 0 ] && grep -q damaged "$dir/err"'
head -c 3000 /dev/urandom >"$story"
go history logs "$one"
check "one of random bytes" eval '[ "$ran" = 0 ] && grep -q damaged "$dir/err"'
rm "$story"
check "one that is gone" fails 1 "story of the build" history logs "$one"
check "its record is shown all the same" says "$one" history inspect "$one"
check "files are their owner's" [ "$(stat -c %a "$SLIPWAY_ROOT/history" "$SLIPWAY_ROOT"/history/* | sort -u | tr '\n' ' ')" = "600 700 " ]

# ---- Retention
pinned=$("$SLIPWAY" history --json | jq -r '.[] | select(.pinned) | .ref')
printf 'history: {maxEntries: 3, maxAge: 0s}\n' >"$dir/config.yaml"
"$SLIPWAY" --config "$dir/config.yaml" build --progress quiet --llb "$dir/def"
check "old ones go when a build ends" [ "$(n)" = 3 ]
check "their stories, too" [ "$(ls "$SLIPWAY_ROOT/history" | wc -l)" = 3 ]
check "the pinned one stays" [ "$("$SLIPWAY" history -q | tail -n 1)" = "$pinned" ]
printf 'history: {maxEntries: 0, maxAge: 1h}\n' >"$dir/config.yaml"
"$SLIPWAY" --config "$dir/config.yaml" build --progress quiet --llb "$dir/def"
check "young ones stay" [ "$(n)" = 4 ]
printf 'history: {enabled: false}\n' >"$dir/config.yaml"
"$SLIPWAY" --config "$dir/config.yaml" build --progress quiet --llb "$dir/def"
check "switched off" [ "$(n)" = 4 ]
check "rm: builds or --all" fails 2 "--all" history rm
go history rm --all
check "all but the pinned one" [ "$ran:$("$SLIPWAY" history -q)" = "0:$pinned" ]
check "unpin" "$SLIPWAY" history unpin latest
go history rm nosuch "$pinned"
check "rm removes those that are there, and tells of the other" eval '[ "$ran" = 1 ] && [ "$(cat "$dir/out")" = "$pinned" ] && grep -q nosuch "$dir/err"'
check "nothing is left" [ -z "$(ls "$SLIPWAY_ROOT/history")" ]
check "what is stored is what du says" kit_usage_is_right
finish
