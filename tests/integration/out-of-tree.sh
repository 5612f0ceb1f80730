#!/usr/bin/env bash
# An author outside the tree: slipway is installed to a prefix of its own, the example plugin
# is built there with nothing but pkg-config, listed, checked and used, and a program that
# embeds the host is built the same way. Catches: headers that do not compile alone, symbols
# that are not exported, a wrong .pc file, a plugin directory that is not searched.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
prefix=$dir/prefix

install_tree() { (unset MAKEFLAGS MFLAGS MAKELEVEL; make -C "$top_builddir" -s install DESTDIR="$dir/dest"); }
check "make install DESTDIR" install_tree
# The tree was configured for another prefix: what pkg-config says is moved with the files.
mv "$dir/dest$(sed -n 's/^prefix=//p' "$top_builddir/packaging/slipway.pc")" "$prefix"
sed -i "s|^prefix=.*|prefix=$prefix|" "$prefix/lib/pkgconfig/slipway.pc"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
plugins=$(pkg-config --variable=plugindir slipway)
read -ra flags <<<"$(pkg-config --cflags slipway)"
read -ra libs <<<"$(pkg-config --libs slipway)"
# A library made with a sanitizer wants programs made with the same one; modules need none.
read -ra cc <<<"${CC:-cc} ${SANITIZE:-}"

# Catches: a text that is installed without what it points at.
links_hold() {
        local text target bad=0
        [ -f "$prefix/share/doc/slipway/docs/decisions.md" ] || return 1
        while read -r text; do
                while read -r target; do
                        [ -e "${text%/*}/$target" ] || { echo "$text: $target"; bad=1; }
                done < <(grep -oE '\]\([^):#]+' "$text" | cut -c3-)
        done < <(find "$prefix/share/doc/slipway" -name '*.md' -not -path '*/static-site/content/*') # its pages
        return $bad
}
check "every link of the installed texts leads somewhere" links_hold

alone() { # alone COMPILER...: each header by itself
        local h
        for h in "$prefix"/include/slipway/*.h; do
                echo "#include <slipway/$(basename "$h")>" |
                        "$@" -Wall -Wextra -Werror -fsyntax-only "${flags[@]}" - || return 1
        done
}
check "every installed header compiles alone, in C" alone gcc -std=gnu11 -xc
check "every installed header compiles alone, in C++" alone g++ -std=gnu++17 -xc++

cp -r "$top_srcdir/examples/exporter-count" "$dir/count" && chmod -R u+w "$dir/count"
check "the example builds with pkg-config alone" \
        make -C "$dir/count" CC="${CC:-cc}" CFLAGS="-O2 -Werror"
check "the example installs into the variable plugindir" make -C "$dir/count" install

listed() { "$prefix/bin/slipway" plugins --plugin-dir "$plugins" | grep -E '^exporter +count +1\.0\.0 .*ready'; }
check "slipway plugins lists it as ready" listed
check "it keeps every rule of its kind" \
        "$prefix/bin/slipway-contract" --plugin-dir "$plugins" exporter/count

check "a program that embeds the host builds with pkg-config alone" \
        "${cc[@]}" -std=gnu11 -Wall "${flags[@]}" \
        "$top_srcdir/examples/embed-exporter/main.c" -o "$dir/embed" "${libs[@]}"
mkdir -p "$dir/tree/sub" && echo 12345 >"$dir/tree/sub/a" && : >"$dir/tree/b" && ln -s b "$dir/tree/c"
counts() { [ "$("$dir/embed" "$plugins" count "$dir/tree")" = "	2 files	1 directories	1 others	6 bytes" ]; }
check "and uses the plugin" counts

cp -r "$top_srcdir/examples/llb-hello" "$dir/hello" && chmod -R u+w "$dir/hello"
check "a program that makes definitions builds with pkg-config alone" \
        make -C "$dir/hello" CC="${cc[*]}" CFLAGS="-O2 -Werror"
tree() { "$dir/hello/llb-hello" linux/arm64 | "$prefix/bin/slipway" debug dump-llb --tree | grep -E 'run it .* exec linux/arm64, output 1'; }
check "slipway debug dump-llb draws what it prints" tree
finish
