#!/usr/bin/env bash
# ./dev new-plugin writes a plugin of every kind that compiles without a warning, loads, and
# keeps the rules of its kind. Catches templates that the headers have left behind.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"

ln -s "$top_srcdir/dev.d" "$dir/dev.d"
mkdir "$dir/plugins" "$dir/modules"

write() { bash "$dir/dev.d/new-plugin.sh" "$dir" "$1" "$2"; }
compile() { # KIND
        gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIC -shared -Wl,-z,now \
                -I"$top_srcdir/core/include" \
                "$dir/plugins/$1-my-thing/plugin.c" -o "$dir/modules/$1_my_thing.so" \
                -L"$top_builddir/.libs" -lslipway
}
keeps_rules() { "$top_builddir/tests/contract/slipway-contract" --plugin-dir "$dir/modules" "$1/my-thing"; }
refused() { ! write "$@"; }

for template in "$top_srcdir"/dev.d/new-plugin/*.c; do
        kind=$(basename "$template" .c)
        check "$kind: written" write "$kind" my-thing
        check "$kind: compiles without a warning" compile "$kind"
        check "$kind: keeps the rules" keeps_rules "$kind"
done
check "an existing folder is left alone" refused exporter my-thing
check "an unknown kind is refused" refused importer thing
check "a name that is a path is refused" refused exporter ../thing
# A site author's first source: it does what its opening comment says.
. "$top_srcdir/tests/integration/build-kit.sh"
site_source() {
        mkdir -p "$dir/srv/sub" && echo artefact >"$dir/srv/sub/tool" && ln -s /etc/passwd "$dir/srv/out" || return
        printf 'plugins:\n  source/my-thing:\n    dir: %s\n' "$dir/srv" >"$dir/config.yaml"
        kit_llb "$dir/def" <<'END'
a = source my-thing://sub/tool
b = source my-thing://sub/tool my-thing.name=renamed
m = merge a b
output m
END
        built "$dir/def" | tar t | sort | tr '\n' ' ' | grep -qx 'renamed tool '
}
built() { "$SLIPWAY" --config "$dir/config.yaml" --plugin-dir "$dir/modules" build --progress quiet --llb "$1" -o type=tar; }
not_built() { # IDENTIFIER WHY
        echo "a = source $1
output a" | kit_llb "$dir/def" && ! built "$dir/def" >"$dir/out" 2>"$dir/err" &&
                grep -q "$2" "$dir/err" || { sed 's/^/# /' "$dir/err" && return 1; }
}
check "source: a file of the site's directory" site_source
check "source: a file that is not there" not_built my-thing://none 'none'
check "source: a link that leads out stays in the directory" not_built my-thing://out 'out'
check "source: no name" not_built my-thing:// 'does not name a file'
finish
