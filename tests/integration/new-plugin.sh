#!/usr/bin/env bash
# ./dev new-plugin writes a plugin of every kind that compiles without a warning, loads, and
# keeps the rules of its kind. Catches templates that the headers have left behind.
. "$top_srcdir/tests/integration/tap.sh"

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
finish
