#!/usr/bin/env bash
# dev.d/new-plugin.sh TOP KIND NAME - write plugins/KIND-NAME: a small plugin that works, its
# local.mk, and a test. The templates are beside this file, in new-plugin/.
set -euo pipefail
cd "$1"
kind=$2 name=$3
fail() { echo "new-plugin: $*" >&2; exit 2; }

kinds=$(cd dev.d/new-plugin && printf '%s ' -- *.c | sed 's/\.c//g; s/^-- //')
[ -f "dev.d/new-plugin/$kind.c" ] || fail "unknown kind '$kind'; there are: $kinds"
[[ $name =~ ^[a-z0-9][a-z0-9-]*$ && ${#name} -le 64 ]] ||
        fail "name '$name': must be lower-case letters, digits and '-', at most 64"
folder=$kind-$name
module=${kind}_${name//-/_}
[ ! -e "plugins/$folder" ] || fail "plugins/$folder is there already"

mkdir -p "plugins/$folder"
fill() { # fill TEMPLATE TARGET
        sed "s/@NAME@/$name/g; s/@ID@/${name//-/_}/g; s/@KIND@/$kind/g; s/@FOLDER@/$folder/g; \
                s/@MODULE@/$module/g; s/@COND@/$(tr 'a-z.-' 'A-Z__' <<<"$folder")/g" \
                "dev.d/new-plugin/$1" >"plugins/$folder/$2"
        echo "wrote plugins/$folder/$2"
}
fill "$kind.c" plugin.c
fill local.mk local.mk
fill test.sh test.sh
chmod +x "plugins/$folder/test.sh"
command -v clang-format >/dev/null && clang-format -i "plugins/$folder/plugin.c"
echo "now: ./dev test plugins/$folder"
