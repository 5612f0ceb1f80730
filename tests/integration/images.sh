#!/usr/bin/env bash
# `slipway images` and the verbs below it. Catches: names that are not found as people write
# them, sizes that count a blob twice, documents that are missing or damaged and told as
# something else, images that do not keep what they need.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
export SLIPWAY_ROOT=$dir/store
put() { "$top_builddir/tests/tools/image" "$SLIPWAY_ROOT" "$@"; }
go() { run "$@"; ran=$status; }
digest() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
size() { stat -c %s "$1"; }
oci=application/vnd.oci.image

said() { # what was printed is exactly this
        local want
        want=$(cat) && [ "$ran" = 0 ] && [ "$(cat "$dir/out")" = "$want" ] && return 0
        cat "$dir/out" "$dir/err"
        return 1
}
json() { # the JSON that was printed makes this Python expression true
        [ "$ran" = 0 ] && python3 -c "import json, sys
o = json.load(open(sys.argv[1]))
assert ($1), o" "$dir/out"
}

go images
check "without a root there are no images" said <<END
NAME  DIGEST  SIZE  CREATED
END
check "nothing can be removed then" fails 1 "no image app" images rm app

printf '{"architecture":"amd64","os":"linux","config":{"Env":["A=\\u001b[31m"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
        "$(digest /dev/null)" >"$dir/config"
head -c 1000 /dev/urandom >"$dir/layer"
descriptor() { printf '{"mediaType":"%s","digest":"%s","size":%d' "$1" "$(digest "$2")" "$(size "$2")"; }
layer=$(descriptor $oci.layer.v1.tar "$dir/layer")
printf '{"schemaVersion":2,"mediaType":"%s","config":%s},"layers":[%s},%s}]}' $oci.manifest.v1+json \
        "$(descriptor $oci.config.v1+json "$dir/config")" "$layer" "$layer" >"$dir/manifest"
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s,"platform":{"architecture":"amd64","os":"linux"}}]}' \
        $oci.index.v1+json "$(descriptor $oci.manifest.v1+json "$dir/manifest")" >"$dir/index"
one=$(($(size "$dir/manifest") + $(size "$dir/config") + 1000))

check "images are put" put docker.io/library/app:latest $oci.manifest.v1+json "$dir/manifest" "$dir/config" "$dir/layer"
check "and another" put localhost:5000/many:1 $oci.index.v1+json "$dir/index" "$dir/manifest" "$dir/config"
go images -q
check "names are listed" said <<END
docker.io/library/app:latest
localhost:5000/many:1
END
go images --json
check "the list has digests and sizes, each blob counted once" json "[(i['name'], i['digest'], i['size']) for i in o] == [
  ('docker.io/library/app:latest', '$(digest "$dir/manifest")', $one),
  ('localhost:5000/many:1', '$(digest "$dir/index")', $((one + $(size "$dir/index"))))]"
go images --format '{{range .}}{{.Name}} {{.Size}};{{end}}'
check "templates" said <<END
docker.io/library/app:latest $one;localhost:5000/many:1 $((one + $(size "$dir/index")));
END
check "a template with a wrong field" fails 2 "Nosuch" images --format '{{range .}}{{.Nosuch}}{{end}}'
go images
check "the table" grep -qE "^docker.io/library/app:latest +$(digest "$dir/manifest") +[0-9.]+kB +20..-..-..T..:..:..Z$" "$dir/out"

on_terminal() { # a row for each, which fits
        python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' "$SLIPWAY" images </dev/null | tr -d '\r' >"$dir/out"
        digest=$(digest "$dir/manifest")
        grep -qE "^docker.io/library/app:latest +${digest:0:19} +[0-9.]+kB +20" "$dir/out" || { cat "$dir/out"; return 1; }
}
check "on a terminal with the beginnings of digests" on_terminal

go images inspect app --json
check "inspect finds a short name, and shows both documents" json "o['manifest']['layers'][0]['size'] == 1000 and
  o['config']['os'] == 'linux' and 'error' not in o"
go images inspect localhost:5000/many:1 --json
check "inspect goes through an index" json "[(m['platform'], m['config']['architecture']) for m in o['manifests']] == [('linux/amd64', 'amd64')]"
go images inspect app
check "for people there are headings, and nothing that a terminal obeys" eval \
        'grep -q ^Configuration "$dir/out" && grep -q "^Digest: *sha256:" "$dir/out" && ! grep -q "$(printf "\\033")" "$dir/out"'
check "a near name" fails 1 "did you mean docker.io/library/app:latest" images inspect appp
check "no name of an image" fails 2 "reference" images tag app 'A B'

check "an image gets another name" "$SLIPWAY" images tag app other:2
check "which takes it from another image" "$SLIPWAY" images tag localhost:5000/many:1 other:2
go images inspect other:2 --json
check "it is the other one now" json "o['digest'] == '$(digest "$dir/index")'"
check "an image that is not there" fails 1 "no image" images tag nosuch other:3

go prune --all
go prune --all
go images inspect app --json
check "prune leaves what images need" json "'error' not in o and o['config']['os'] == 'linux'"
go images rm nosuch other:2 localhost:5000/many:1
check "rm removes those that are there, and tells of the other one" eval \
        '[ "$ran" = 1 ] && [ "$(wc -l <"$dir/out")" = 2 ] && grep -q nosuch "$dir/err"'
go prune --all
check "what only they kept is gone" test ! -e "$SLIPWAY_ROOT/content/blobs/sha256/$(sha256sum "$dir/index" | cut -d' ' -f1)"
check "what another one keeps is not" test -e "$SLIPWAY_ROOT/content/blobs/sha256/$(sha256sum "$dir/manifest" | cut -d' ' -f1)"

blob=$SLIPWAY_ROOT/content/blobs/sha256/$(sha256sum "$dir/config" | cut -d' ' -f1)
chmod u+w "$blob" && echo x >>"$blob"
go images inspect app --json
check "a damaged document is told as damaged" json "'damaged' in o['error'] and 'config' not in o"
rm "$blob"
go images inspect app --json
check "a missing one as missing" json "'No such file' in o['error'] and o['manifest']"
go images rm app
check "it can be removed all the same" said <<END
docker.io/library/app:latest
END
finish
