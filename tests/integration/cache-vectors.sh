#!/usr/bin/env bash
# cache-vectors.sh - Dockerfiles built by the frontend, the engine and a runtime, on images of
# a registry; the records that are in the cache then are those that BuildKit exported of the
# same builds: digests, inputs with their selectors, how many layers each result has. Catches:
# a key that is ours alone, so that neither finds what the other built; a content key that is
# not linked, or one too many; a result without one of its layers.
# What layers are made of (times, blobs) is another matter, and not in the vectors.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh" || exit 99
. "$top_srcdir/tests/integration/build-kit.sh"
vectors=$top_srcdir/../shared/vectors
[ -d "$vectors/cache" ] || { echo "1..0 # SKIP the vectors are not here"; exit 0; }
. "$top_srcdir/tests/integration/registry-kit.sh"
unset SOURCE_DATE_EPOCH
kit_apart
trap 'kit_end; registry_end; rm -rf "$dir"' EXIT
registry_start hub || exit 1
for name in busybox alpine; do
        skopeo copy -q --all --preserve-digests --dest-tls-verify=false "oci-archive:$vectors/base/$name.oci.tar" \
                "docker://$registry_hub/library/$name:latest" || exit 1
done
printf 'registry:\n  "docker.io":\n    mirrors: ["%s"]\n  "%s":\n    http: true\n' "$registry_hub" "$registry_hub" >>"$dir/config.yaml"

# The build's last tree: everything else that was stored leads to it.
newest() {
        "$SLIPWAY" du --format '{{json .}}' |
                jq -r 'map(select(.recordType == "regular" and .mutable == false)) | max_by(.createdAt).id'
}
cat >"$dir/compare.py" <<'END'
import json, sys
def shape(path):
    """Records by what they say, places in lists left out."""
    config = json.load(open(path))
    records, layers = config["records"], config["layers"]
    def depth(layer):
        n = 0
        while layer != -1:
            layer, n = layers[layer].get("parent", 0), n + 1
        return n
    def say(i):
        r = records[i]
        return (r["digest"], [depth(l["layer"]) for l in r.get("layers", [])],
                [sorted((l.get("selector", ""), say(l["link"])) for l in one) for one in r.get("inputs", [])])
    return sorted(say(i) for i in range(len(records)))
def selectors(shapes):
    return sum(sel != "" for s in shapes for one in s[2] for sel, _ in one)
want, got = shape(sys.argv[1]), shape(sys.argv[2])
if want != got:
    for name, one, other in (("missing", want, got), ("not in the vector", got, want)):
        for s in one:
            if s not in other:
                print(name, s[0], "layers", s[1], "inputs", [[(sel, p[0]) for sel, p in i] for i in s[2]])
    sys.exit(1)
print(len(want), selectors(want), file=open(sys.argv[3], "a"))
END
# In the order of their numbers, as they were made: the first build asks the registry's image
# for its second key, those that find it in the cache do not. Of a copy with the modes that
# the files had then, as modes are in the digests.
compare() {
        local name=$1 from opts=()
        from=$(echo "$vectors/dockerfile/$name"*)
        rm -rf "$dir/ctx" && cp -r "$from/ctx" "$dir/ctx" && chmod -R u=rwX,go=rX "$dir/ctx"
        find "$dir/ctx" -type f -exec chmod 0644 {} +
        while read -r line; do [ -n "$line" ] && opts+=(--opt "$line"); done <"$from/opts"
        "$SLIPWAY" "${kit_config[@]}" build --progress plain "${opts[@]}" "$dir/ctx" >"$dir/said" 2>&1 || { cat "$dir/said"; return 1; }
        "$SLIPWAY" debug cache "$(newest)" >"$dir/got.json" && python3 "$dir/compare.py" "$vectors/cache/$name.json" "$dir/got.json" "$dir/tally"
}
for file in "$vectors"/cache/*.json; do
        name=$(basename "$file" .json)
        check "$name" compare "$name"
done
check "they are all there" [ "$(wc -l <"$dir/tally")" = 8 ]
awk '{ r += $1; s += $2 } END { print "# " NR " vectors: " r " records, " s " selectors agree" }' "$dir/tally"
no_result() { ! "$SLIPWAY" debug cache nothing >"$dir/said" 2>&1 && grep -q 'nothing is not the result of a step' "$dir/said"; }
check "what is not there" no_result
whole() { "$SLIPWAY" debug cache | jq -e '(.records | length) > 12' >/dev/null; }
check "all that is there" whole
empty() { ! SLIPWAY_ROOT=$dir/none "$SLIPWAY" debug cache >"$dir/said" 2>&1 && grep -q 'nothing is stored' "$dir/said" && [ ! -e "$dir/none" ]; }
check "an empty store stays so" empty
finish
