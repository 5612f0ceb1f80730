#!/usr/bin/env bash
# An author outside the tree: slipway is installed to a prefix of its own, the example plugin
# is built there with nothing but pkg-config, listed, checked and used, and a program that
# embeds the host is built the same way. Catches: headers that do not compile alone, symbols
# that are not exported, a wrong .pc file, a plugin directory that is not searched.
set -u
echo 1..8
n=0
t() { # t WHAT STATUS
        n=$((n + 1))
        if [ "$2" -eq 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; sed 's/^/# /' "$work/log"; fi
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

(unset MAKEFLAGS MFLAGS MAKELEVEL; make -C "$top_builddir" -s install DESTDIR="$work/dest") >"$work/log" 2>&1
t "make install DESTDIR" $?
# The tree was configured for another prefix: what pkg-config says is moved with the files.
configured=$(sed -n 's/^prefix=//p' "$top_builddir/packaging/slipway.pc")
mv "$work/dest$configured" "$prefix"
sed -i "s|^prefix=.*|prefix=$prefix|" "$prefix/lib/pkgconfig/slipway.pc"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
# shellcheck disable=SC2207
flags=($(pkg-config --cflags slipway))
libs=$(pkg-config --libs slipway)

alone() { # alone COMPILER...: each header by itself
        local h
        for h in "$prefix"/include/slipway/*.h; do
                echo "#include <slipway/$(basename "$h")>" |
                        "$@" -Wall -Wextra -Werror -fsyntax-only "${flags[@]}" - || return 1
        done
}
{ alone gcc -std=gnu11 -xc && { ! command -v g++ || alone g++ -std=gnu++17 -xc++; }; } >"$work/log" 2>&1
t "every installed header compiles alone, in C and C++" $?

cp -r "$top_srcdir/examples/exporter-count" "$work/count" && chmod -R u+w "$work/count"
make -C "$work/count" CFLAGS="-O2 -Werror" >"$work/log" 2>&1
t "the example builds with pkg-config alone" $?
make -C "$work/count" install >"$work/log" 2>&1
t "the example installs into the variable plugindir" $?

"$prefix/bin/slipway" --plugin-dir "$prefix/lib/slipway/plugins" plugins >"$work/log" 2>&1
grep -qE '^exporter +count +1\.0\.0 .*ready' "$work/log"
t "slipway plugins lists it as ready" $?

"$prefix/bin/slipway-contract" --plugin-dir "$prefix/lib/slipway/plugins" exporter/count >"$work/log" 2>&1
t "it keeps every rule of its kind" $?

# shellcheck disable=SC2086
${CC:-gcc} -std=gnu11 -Wall ${SLIPWAY_SANITIZED:+-fsanitize=address} "${flags[@]}" \
        "$top_srcdir/examples/embed-exporter/main.c" -o "$work/embed" $libs >"$work/log" 2>&1
t "a program that embeds the host builds with pkg-config alone" $?
mkdir -p "$work/tree/sub" && echo 12345 >"$work/tree/sub/a" && : >"$work/tree/b" && ln -s b "$work/tree/c"
"$work/embed" "$prefix/lib/slipway/plugins" count "$work/tree" >"$work/log" 2>&1
[ "$(cat "$work/log")" = "	2 files	1 directories	1 others	6 bytes" ]
t "and uses the plugin" $?
