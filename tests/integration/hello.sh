#!/usr/bin/env bash
# examples/hello, which the README begins with: the image is built, with one of our own in the
# place of the image it begins with, and run by crun. Would catch: an image without its command
# or its user, a build argument that does not reach the step, a second
# build that does it all again.
# shellcheck disable=SC2154
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
unset SOURCE_DATE_EPOCH {HTTP,HTTPS,FTP,NO,ALL}_PROXY {http,https,ftp,no,all}_proxy
kit_apart
kit_root "$dir/root" || exit 99
for applet in sed uname chmod; do ln -sf busybox "$dir/root/bin/$applet"; done
base() { kit_build -o "type=oci,tar=false,dest=$dir/busybox" -f - "$dir/root" <<<$'FROM scratch\nCOPY . /'; }
hello() { "$SLIPWAY" "${kit_config[@]}" build --build-context busybox="oci-layout://$dir/busybox" "$@" "$top_srcdir/examples/hello"; }
unpacked() { # the image as a bundle
        rm -rf "$dir/layout" "$dir/bundle"
        mkdir "$dir/layout"
        "$SLIPWAY" images save hello | tar -C "$dir/layout" -xf - &&
                umoci unpack --image "$dir/layout:latest" "$dir/bundle" >/dev/null 2>&1
}
process() { # EXPRESSION TEXT: of the process in the bundle's configuration
        [ "$(jq -c "$1" "$dir/bundle/config.json")" = "$2" ]
}
runs() { kit_run "$dir/bundle" /bin/hello | grep -qF -- "$1"; }

check "an image to begin with" base
check "it is built" hello --progress quiet -t hello
check "umoci unpacks it" unpacked
check "its command" process .process.args '["/bin/hello","world"]'
check "its user" process '[.process.user.uid, .process.user.gid]' '[1000,1000]'
check "it runs" runs "from an image that slipway built, made on $(uname -m)"
check "with another build argument" hello --progress quiet -t hello --build-arg FROM_WHERE=here
check "umoci unpacks that" unpacked
check "which it says" runs "from here, made on"
cached() { # every step, and nothing ran
        local said
        said=$(hello --progress plain 2>&1)
        [ "$(grep -cx '#[0-9]* CACHED' <<<"$said")" = 5 ] && return
        echo "$said"
        return 1
}
check "the first one again is cached" cached
check "one stage of it, as files" hello --progress quiet --target build -o "$dir/out"
check "has what it made" test -x "$dir/out/src/hello"
outline() { hello --progress quiet --call outline | grep -q FROM_WHERE; }
check "its build arguments are told" outline
check "there is nothing to be mended" hello --progress quiet --check
check "nothing is left mounted" kit_nothing_left
kit_end
finish
