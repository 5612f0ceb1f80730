#!/usr/bin/env bash
# tests/integration/plugins-json.sh - `slipway plugins` over the fake plugins.
#
# Would catch: a fault under another name than its own, a good plugin that does not get
# ready among the broken ones, broken told as missing, a mistake in options that passes.
set -u
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"

fakes=$top_builddir/tests/fake-plugins/.libs
dup=$top_builddir/tests/fake-plugins/dup/.libs
if [ ! -d "$fakes" ]; then
        echo "1..0 # SKIP the fake plugins need shared modules"
        exit 0
fi

run plugins --json --plugin-dir "$fakes" --plugin-dir "$dup"
cp "$dir/out" "$dir/plugins.json"
check "plugins --json ends well, and says nothing else" test "$status" -eq 0 -a ! -s "$dir/err"

# One test per plugin: file, state, fault, and a part of the reason.
tested=()
while read -r file state fault reason; do
        tested+=("$file")
        check "$file is $state${fault:+: $fault}" python3 - "$dir/plugins.json" "$file" \
                "$state" "${fault#-}" "$reason" "$fakes" <<'END'
import json, sys
plugins, file, state, fault, reason, fakes = sys.argv[1:]
p, = [p for p in json.load(open(plugins)) if p["file"] == fakes + "/" + file + ".so"]
assert sorted(p) == sorted(["kind", "name", "version", "abi", "file", "state", "fault",
                            "reason", "summary"]), sorted(p)
assert all(isinstance(v, str) for v in p.values()), p
assert (p["state"], p["fault"]) == (state, fault), p
assert reason in p["reason"], p
assert bool(p["reason"]) == (state != "ready"), p
if state == "ready":
    assert p["kind"] == file.split("_")[0] and p["name"] and p["abi"] == "1.0", p
END
done <<'END'
exporter_abi_larger ready -
exporter_abi_major broken abi-major plugin ABI 2.0, this slipway has 1.0
exporter_abi_minor broken abi-minor newer than this slipway
exporter_abi_smaller ready -
exporter_alias ready -
exporter_bad_default broken bad-descriptor wrong default
exporter_bad_kind broken bad-descriptor kind 99
exporter_bad_magic broken bad-descriptor 0xdeadbeef
exporter_bad_name broken bad-descriptor name
exporter_bad_summary broken bad-descriptor summary
exporter_cycle_a broken need-cycle exporter/cycle-a -> exporter/cycle-b -> exporter/cycle-a
exporter_cycle_b broken need-cycle exporter/cycle-b -> exporter/cycle-a -> exporter/cycle-b
exporter_good ready -
exporter_init_fails broken init-failed this machine has no crane
exporter_init_leaves broken init-failed half way there
exporter_init_says broken init-failed no reason given
exporter_kind_mismatch broken bad-descriptor frontend/kind-mismatch
exporter_long_descriptor broken bad-descriptor bytes
exporter_name_mismatch broken bad-descriptor exporter_good.so
exporter_needs_broken broken unmet-need needs exporter/abi-major, which is broken
exporter_needs_cycle broken unmet-need needs exporter/cycle-a, which is broken
exporter_needs_failing broken unmet-need needs exporter/init-fails, which is broken
exporter_needs_good ready -
exporter_no_descriptor broken no-descriptor exporter_no_descriptor_LTX_sw_plugin
exporter_no_export_refs broken bad-descriptor export_refs
exporter_no_library broken unresolved libgone.so
exporter_no_symbol broken unresolved sw_fake_missing_function
exporter_null_name broken bad-descriptor name
exporter_null_ops broken bad-descriptor .ops
exporter_null_strings ready -
exporter_options ready -
exporter_short_descriptor broken bad-descriptor 16 bytes
exporter_short_ops broken bad-descriptor table of operations
exporter_unmet broken unmet-need slipway-source-nowhere
frontend_fake ready -
source_fake ready -
stray broken bad-descriptor exporter_stray.so
END

all_tested() { # a fake plugin that nobody looks at tests nothing
        local so name
        for so in "$fakes"/*.so; do
                name=$(basename "$so" .so)
                [[ " ${tested[*]} " == *" $name "* ]] || {
                        echo "$name is not in the list of this test"
                        return 1
                }
        done
}
check "every fake plugin is in this list" all_tested

json_says() { # json_says PYTHON ARGS...: p maps file names to plugins
        local code=$1
        shift
        run plugins --json "$@"
        python3 - "$dir/out" <<END
import json, os, sys
p = {os.path.basename(x["file"]): x for x in json.load(open(sys.argv[1]))}
$code
END
}
duplicate() {
        python3 - "$dir/plugins.json" "$dup" <<'END'
import json, sys
p, = [p for p in json.load(open(sys.argv[1])) if p["file"].startswith(sys.argv[2])]
assert (p["state"], p["fault"]) == ("broken", "duplicate"), p
assert "exporter_good.so" in p["reason"], p
END
}
check "the second of one name is a duplicate" duplicate
first_counts() {
        run plugins show exporter/good --plugin-dir "$dup" --plugin-dir "$fakes"
        [ "$status" -eq 0 ] && grep -qF "$dup/exporter_good.so" "$dir/out"
}
check "the directory given first counts" first_counts
SLIPWAY_PLUGIN_PATH=$fakes check "SLIPWAY_PLUGIN_PATH" json_says '
assert p["exporter_good.so"]["state"] == "ready"
'

# Files that are no modules.
mkdir "$dir/odd"
printf 'hello' >"$dir/odd/exporter_text.so"
: >"$dir/odd/exporter_empty.so"
head -c 100 "$fakes/exporter_good.so" >"$dir/odd/exporter_cut.so"
mkdir "$dir/odd/exporter_dir.so"
ln -s /nowhere/at/all "$dir/odd/exporter_gone.so"
printf '\177ELF\002\001\001' >"$dir/odd/exporter_head.so"
touch "$dir/odd/exporter_$(printf 'a\033[31m').so"
check "files that are no modules" json_says '
for name in ("text", "empty", "cut", "head"):
    x = p["exporter_%s.so" % name]
    assert (x["state"], x["fault"]) == ("broken", "not-a-module"), x
for name in ("dir", "gone"):
    x = p.get("exporter_%s.so" % name)
    assert x is None or x["state"] == "broken", x
' --plugin-dir "$dir/odd"

no_escapes() {
        run plugins --plugin-dir "$dir/odd"
        [ "$status" -eq 0 ] && grep -qF '\x1b[31m' "$dir/out" && ! grep -q $'\033' "$dir/out"
}
check "escape sequences in a file name" no_escapes

# ---- the table ----

table() {
        run plugins --plugin-dir "$fakes"
        [ "$status" -eq 0 ] && [ ! -s "$dir/err" ] &&
                grep -qE '^KIND +NAME +VERSION +ABI +STATE +FILE$' "$dir/out" &&
                grep -qE "^exporter +good +1\.2\.3 +1\.0 +ready +$fakes/exporter_good\.so$" \
                        "$dir/out" &&
                grep -A1 'exporter_init_fails.so$' "$dir/out" |
                grep -qx '    this machine has no crane'
}
check "the table" table

quiet() {
        run plugins --quiet --plugin-dir "$fakes"
        [ "$status" -eq 0 ] && grep -qx exporter/good "$dir/out" &&
                [ -z "$(sort "$dir/out" | uniq -d)" ] && ! grep -vqE '^[a-z]+/[a-z0-9.-]+$' "$dir/out"
}
check "--quiet prints names once" quiet

# ---- one plugin ----

check "show: options" says "duration" plugins show exporter/options --plugin-dir "$fakes"
check "show: another name it answers to" says "exporter_alias.so" plugins show \
        exporter/other-name --plugin-dir "$fakes"
check "show: needs" says "Needs:    exporter/good" plugins show exporter/needs-good \
        --plugin-dir "$fakes"
check "show: a broken one" says "this machine has no crane" plugins show \
        exporter/init-fails --plugin-dir "$fakes"
check "show: one that is not there" fails 1 "did you mean options?" plugins show \
        exporter/optons --plugin-dir "$fakes"
check "show: the package that has it" fails 1 "slipway-source-git" plugins show source/git

cat >"$dir/options.yaml" <<'END'
plugins:
  exporter/options:
    level: 7
    names: [x, "y z"]
END
show_json() {
        run plugins show exporter/options --json --plugin-dir "$fakes" \
                --config "$dir/options.yaml"
        python3 - "$dir/out" "$dir/options.yaml" <<'END'
import json, sys
p = json.load(open(sys.argv[1]))
o = {x["name"]: x for x in p["options"]}
assert p["kind"] == "exporter" and p["needs"] == [] and p["provides"] == [], p
assert (o["level"]["type"], o["level"]["default"]) == ("int", "-3"), o
assert o["level"]["values"] == ["7"] and o["level"]["from"] == sys.argv[2] + ":3:12", o
assert o["names"]["values"] == ["x", "y z"] and o["names"]["type"] == "list", o
assert o["text"]["default"] is None and "values" not in o["text"], o
assert all(x["help"] for x in p["options"]), o
END
}
check "show --json" show_json
explained_options() {
        run config explain --changed --config "$dir/options.yaml"
        tr -s ' ' <"$dir/out" | grep -qxF \
                "plugins.\"exporter/options\".level 7 $dir/options.yaml:3:12" &&
                [ "$(grep -c 'exporter/options' "$dir/out")" -eq 2 ]
}
check "config explain shows options of plugins once" explained_options

# ---- options and configuration that are wrong ----

config() { # config TEXT: as a file
        printf '%b' "$1" >"$dir/c.yaml"
}
with() {
        fails "$1" "$2" --config "$dir/c.yaml" config check --plugin-dir "$fakes"
}
config 'plugins:\n  exporter/options:\n    level: much\n'
check "option of the wrong type" with 2 'c.yaml:3:12: plugins."exporter/options".level'
check "is a fault of the plugin" json_says '
assert p["exporter_options.so"]["fault"] == "option-type", p["exporter_options.so"]
' --config "$dir/c.yaml" --plugin-dir "$fakes"
config 'plugins:\n  exporter/options:\n    levl: 1\n'
check "unknown option" with 2 'c.yaml:3:'
check "is a fault of the plugin too" json_says '
x = p["exporter_options.so"]
assert x["fault"] == "option-unknown" and "level" in x["reason"], x
' --config "$dir/c.yaml" --plugin-dir "$fakes"
check "--no-plugins leaves options alone" says "no mistakes" config check --no-plugins \
        "$dir/c.yaml"
config 'plugins:\n  exporter/nowhere:\n    level: 1\n'
check "options for a plugin that is not there" with 2 "exporter/nowhere is not there"
config 'plugins:\n  exporter/init-fails: {required: true}\n'
required() {
        run plugins --config "$dir/c.yaml" --plugin-dir "$fakes"
        [ "$status" -eq 1 ] && [ "$(wc -l <"$dir/err")" -eq 1 ] &&
                grep -q '^slipway: .*init-fails.*: this machine has no crane$' "$dir/err" &&
                grep -q 'exporter_good.so' "$dir/out"
}
check "a required plugin that is broken fails, with the table" required
config 'plugins:\n  exporter/good: {enabled: false}\n'
check "a plugin that is switched off" json_says '
assert p["exporter_good.so"]["state"] == "disabled", p["exporter_good.so"]
assert p["exporter_needs_good.so"]["fault"] == "unmet-need", p["exporter_needs_good.so"]
' --config "$dir/c.yaml" --plugin-dir "$fakes"

# A directory that cannot be read is not one without plugins.
# Root reads everything, unless it gives up the capabilities for that.
closed() {
        local without=-dac_override,-dac_read_search way=()
        [ "$(id -u)" -ne 0 ] || way=(setpriv --inh-caps="$without" --bounding-set="$without")
        "${way[@]}" "$SLIPWAY" plugins --plugin-dir "$dir/closed" 2>&1 | grep "^slipway: .*ermission"
}
mkdir -m 0 "$dir/closed"
check "a directory that cannot be read" closed
chmod 700 "$dir/closed"

# ---- completion asks for names ----

names() {
        bash --norc --noprofile -c '
                . "$1/man/slipway.bash"
                COMP_WORDS=("$2" plugins show --plugin-dir "$3" exporter/opt) COMP_CWORD=5
                _slipway 2>/dev/null
                [ "${COMPREPLY[*]}" = exporter/options ]' bash "$top_builddir" "$SLIPWAY" "$fakes"
}
check "completion of plugin names" names

finish
