#!/usr/bin/env bash
# Files of web servers, with a server of the test's own. Catches: content that is not what a
# checksum says; an unchanged file that is downloaded again, a changed one that is not; a
# download that begins anew or is put together wrongly after it broke off; credentials that
# go to another host; names of files that leave their directory; answers without an end.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy NO_PROXY no_proxy
www=$dir/www
mkdir "$www" "$dir/s"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$dir"' EXIT

web_start() { # DIR [ARG...]: sets port
        python3 "$top_srcdir/tests/tools/webserver.py" "$@" 2>"$1/.err" &
        pids+=($!)
        until [ -s "$1/.port" ]; do kill -0 "$!" 2>/dev/null || return; sleep 0.05; done
        port=$(cat "$1/.port")
}
configure() { # LINE...: options of the plugin
        printf 'plugins:\n  source/http:\n    retryWait: 20ms\n' >"$dir/config.yaml"
        [ $# = 0 ] || printf '    %s\n' "$@" >>"$dir/config.yaml"
}
configure
kit_config=(--config "$dir/config.yaml")
web_start "$www"
web=http://127.0.0.1:$port
other=http://localhost:$port # another origin

fetch() { # URL [ATTR=VALUE]... [-- ARG...]: into $dir/o
        local line="a = source $1" a
        shift
        while [ $# -gt 0 ] && [ "$1" != -- ]; do
                printf -v a ' "%s"' "$1"
                line+=$a
                shift
        done
        shift
        rm -rf "$dir/o"
        printf '%s\noutput a\n' "$line" | kit_llb "$dir/def" || return
        "$SLIPWAY" "${kit_config[@]}" build --progress plain --llb "$dir/def" -o "type=local,dest=$dir/o" "$@" >"$dir/said" 2>&1 || {
                cat "$dir/said"
                return 1
        }
}
fetch_fails() { # PART URL ...
        local part=$1
        shift
        if fetch "$@"; then ls -la "$dir/o"; return 1; fi >/dev/null
        grep -qF -- "$part" "$dir/said" || { cat "$dir/said"; return 1; }
}
is() { # NAME CONTENT MODE: what was fetched is that file and nothing else
        [ "$(ls -A "$dir/o")" = "$1" ] && cmp "$dir/o/$1" "$2" && [ "$(stat -c %a "$dir/o/$1")" = "$3" ]
}
logged() { # N REGEX: since clear
        local n
        n=$(grep -cE -- "$2" "$www/.log")
        [ "$n" = "$1" ] || { cat "$www/.log"; return 1; }
}
clear_log() { : >"$www/.log"; }

printf 'hello\n' >"$www/a.txt"
touch -d '2020-02-03 04:05:06 UTC' "$www/a.txt"
printf 'other\n' >"$www/other"
head -c 1000000 /dev/urandom >"$www/big"
: >"$www/empty"
sum() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }

# ---- A file, its name and metadata
plain() { fetch "$web/f/a.txt" && is a.txt "$www/a.txt" 600 && [ "$(stat -c %Y "$dir/o/a.txt")" = "$(stat -c %Y "$www/a.txt")" ]; }
check "a file" plain
perm() { fetch "$web/f/a.txt" http.filename=b.sh http.perm=0755 && is b.sh "$www/a.txt" 755; }
check "another name and mode" perm
owner() { fetch "$web/f/a.txt" http.uid=12 http.gid=0x10 -- -o "type=tar,dest=$dir/x.tar" && tar tvf "$dir/x.tar" --numeric-owner | grep -q ' 12/16 .*a.txt'; }
check "an owner" owner
no_date() { fetch "$web/plain/a.txt" && is a.txt "$www/a.txt" 600 && [ "$(stat -c %Y "$dir/o/a.txt")" = 0 ]; }
check "no date is 1970" no_date
empty() { fetch "$web/f/empty" && is empty "$www/empty" 600; }
check "an empty file" empty
printf 'named\n' >"$dir/named"
named() { fetch "$web/named/$1" && is "$2" "$dir/named" 600; }
check "a name by the server" named 'attachment;%20filename=%22x%20y.tgz%22' 'x y.tgz'
check "one in UTF-8" named "attachment;%20filename=a;%20filename*=UTF-8''%25c3%25a9" 'é'
check "a path in a name" named 'attachment;%20filename=%22..%2F..%2Fetc%2Fpasswd%22' passwd
check "no name at all" named 'attachment;%20filename=%22..%22' download
check "a header that is none" named 'attachment;%20filename=%22x' 'attachment; filename="x'
dir_url() { fetch "$web/to/302/%2Ff%2Fa.txt" http.filename=../../up && is up "$www/a.txt" 600; }
check "no name leaves its directory" dir_url
check "no number" fetch_fails 'http.perm' "$web/f/a.txt" http.perm=rw
check "no URL" fetch_fails 'is no URL' 'http://'
check "signatures" fetch_fails 'cannot be verified here' "$web/f/a.txt" http.sig.pubkey=x http.sig.signature=y
check "half a signature" fetch_fails 'requires both' "$web/f/a.txt" http.sig.pubkey=x
check "a checksum of another kind" fetch_fails 'http.checksum' "$web/f/a.txt" http.checksum=md5:00
check "an upload" fetch_fails 'come with the daemon' http://buildkit-session/x

# ---- Unchanged, changed
again() { # KIND GETS: the second and third time
        clear_log
        fetch "$web/$1/a.txt" && logged "$2" '^GET' && fetch "$web/$1/a.txt" -- --no-cache && is a.txt "$www/a.txt" 600
}
check "an unchanged file is not downloaded" again f 0
check "nor one with a weak ETag the second time" fetch "$web/weak/a.txt"
check "and the third" again weak 0
check "without HEAD the server says so" fetch "$web/nohead/a.txt"
not_modified() { again nohead 1 && logged 2 '^GET.*match="[0-9a-f]'; }
check "to GET" not_modified
check "a 304 without ETag" fetch "$web/bare304/a.txt"
check "is about the one" again bare304 1
check "without ETag it is downloaded each time" again plain 1
changed() {
        printf 'hello again\n' >"$www/a.txt" && fetch "$web/f/a.txt" && is a.txt "$www/a.txt" 600 &&
                printf 'hello\n' >"$www/a.txt" && touch -d '2020-02-03 04:05:06 UTC' "$www/a.txt" && clear_log &&
                fetch "$web/f/a.txt" && is a.txt "$www/a.txt" 600 && logged 0 '^GET'
}
check "a changed one is, and what it was before is known still" changed
pruned() { "$SLIPWAY" prune --all >/dev/null && clear_log && fetch "$web/f/a.txt" && is a.txt "$www/a.txt" 600 && logged 1 '^GET'; }
check "after pruning it is downloaded" pruned
seen() { "$SLIPWAY" du --verbose 2>/dev/null | grep -q "http url $web/f/a.txt"; }
check "du shows it" seen

# ---- Checksums
sum_a=$(sum "$www/a.txt")
pinned() { fetch "$web/f/a.txt" "http.checksum=$sum_a" && is a.txt "$www/a.txt" 600; }
check "a checksum" pinned
unasked() { clear_log && pinned && logged 0 .; }
check "the server is not asked again" unasked
gone() { mv "$www/other" "$www/away"; local s; s=$(sum "$www/away"); ! fetch "$web/f/other" "http.checksum=$s" >/dev/null; local r=$?; mv "$www/away" "$www/other"; return $r; }
check "what was never downloaded is asked for" gone
mismatch() { fetch_fails "digest mismatch for $web/f/other: $(sum "$www/other") (expected: $sum_a)" "$web/f/other" "http.checksum=$sum_a"; }
check "a wrong one" mismatch
corrected() { clear_log && fetch "$web/f/other" "http.checksum=$(sum "$www/other")" && is other "$www/other" 600 && logged 0 '^GET'; }
check "corrected, it is there already" corrected

# ---- Redirects and credentials
esc() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=""))' "$1"; }
redirected() { fetch "$web/to/$1/$(esc "$2")" http.filename=r && is r "$www/other" 600; }
for code in 301 302 303 307 308; do
        check "redirect $code" redirected $code /f/other
done
check "to another host" redirected 302 "$other/f/other"
check "to a file" fetch_fails 'neither http nor https' "$web/to/302/$(esc file:///etc/passwd)"
check "to nothing" fetch_fails 'no URL that can be followed' "$web/to/302/$(esc 'http://[')"
spaced() { cp "$www/other" "$www/o t" && redirected 302 '/f/o t'; }
check "with a blank" spaced
for to in "$web/f/other" "$other/f/other" "http://[::ffff:127.0.0.1]:$port/f/other" "http://2130706433:$port/f/other" "http://0:$port/f/other"; do
        clear_log
        http_proxy=$web check "not from elsewhere to this machine: ${to%:*}" fetch_fails 'no server elsewhere leads there' "http://files.example/to/302/$(esc "$to")" http.filename=near
        check "which was not asked" logged 0 'GET /f/other'
done
link_local() { http_proxy=$web fetch_fails 'no server elsewhere leads there' "http://files.example/to/302/$(esc http://169.254.169.254/latest/)" http.filename=near; }
check "nor to its link" link_local
NO_PROXY=169.254.169.254 check "nor past a proxy" link_local
userinfo_leak() {
        clear_log && fetch "http://u:hidden@127.0.0.1:$port/to/302/$(esc "//localhost:$port/f/other")" http.filename=v && is v "$www/other" 600 &&
                logged 1 '^GET /to.* auth=Basic' && logged 0 '^GET /f/other.* auth=Basic'
}
check "a password in a URL is not sent elsewhere" userinfo_leak
check "for ever" fetch_fails 'redirected 10 times' "$web/round"
printf 'Bearer of bad news' >"$www/.auth"
printf 'Bearer of bad news\n' >"$dir/s/header"
printf 'of bad news' >"$dir/s/token"
check "no credentials" fetch_fails 'HTTP_AUTH_TOKEN_127.0.0.1' "$web/auth/a.txt"
authorized() { fetch "$web/auth/$1" "${@:3}" -- --secret "id=$2" && is "$1" "$www/$1" 600; }
check "a header" authorized a.txt "HTTP_AUTH_HEADER_127.0.0.1,src=$dir/s/header"
check "a token" authorized other "HTTP_AUTH_TOKEN_127.0.0.1,src=$dir/s/token"
check "by the name of a secret" authorized big "mine,src=$dir/s/header" http.authheadersecret=mine
check "which has to be there" fetch_fails 'failed to retrieve HTTP auth secret mine' "$web/f/a.txt" http.authheadersecret=mine
own() { clear_log && fetch "$web/to/302/$(esc "$web/auth/other")" http.filename=q -- --secret "id=HTTP_AUTH_HEADER_127.0.0.1,src=$dir/s/header" && is q "$www/other" 600; }
check "credentials go with a redirect on one host" own
leak() {
        clear_log
        ! fetch "$web/to/302/$(esc "$other/auth/other")" http.filename=w -- --secret "id=HTTP_AUTH_HEADER_127.0.0.1,src=$dir/s/header" >/dev/null &&
                logged 1 'auth=Bearer'
}
check "and to no other" leak
unsaid() { ! grep -rqF 'of bad news' "$SLIPWAY_ROOT" --include='*' && ! grep -qF 'bad news' "$dir/said"; }
check "no secret is stored or said" unsaid
printf 'two\nlines' >"$dir/s/lines"
check "a secret that is no header" fetch_fails 'no text of one line' "$web/f/a.txt" http.authheadersecret=mine -- --secret "id=mine,src=$dir/s/lines"
headers() {
        clear_log && fetch "$web/f/other" http.header.accept=text/x http.header.user-agent=me/1 http.header.cookie=no &&
                logged 1 '^GET.*agent=me/1 accept=text/x '
}
check "headers" headers
check "no header in a header" fetch_fails 'cannot be sent' "$web/f/other" 'http.header.accept=a\nb: c'
agent() { clear_log && fetch "$web/plain/other" && logged 1 'agent=slipway/'; }
check "we say who we are" agent
userinfo() { fetch_fails 'status 404' "http://u:hidden@127.0.0.1:$port/f/gone" && ! grep ERROR "$dir/said" | grep -q hidden; }
check "a password in a URL is not shown" userinfo

# ---- What goes wrong
check "404" fetch_fails 'invalid response status 404 Not Found' "$web/f/none"
check "500, tried again" fetch_fails 'invalid response status 500' "$web/status/500"
check "a status that is no file" fetch_fails 'invalid response status 204' "$web/status/204"
busy() { fetch "$web/busy/2/other" && is other "$www/other" 600; }
check "503 twice" busy
check "nobody is there" fetch_fails 'tried' http://127.0.0.1:1/x
resumed() { clear_log && fetch "$web/cut/big" && is big "$www/big" 600 && logged 4 '^GET' && logged 1 'range=bytes=900000-'; }
check "a download that breaks off goes on" resumed
no_parts() { ! ls "$SLIPWAY_ROOT"/state/source/http/*.part 2>/dev/null; }
check "and nothing is known of parts when it is whole" no_parts
fresh() { fetch "$web/cutplain/big" "http.checksum=$(sum "$www/big")" http.filename=c && is c "$www/big" 600; }
check "with a checksum also where nothing tells it is the same" fresh
check "without one it does not" fetch_fails 'tried 6 times' "$web/cutplain/big" http.filename=d
check "another range than was asked for" fetch_fails 'another part of the file' "$web/wrongrange/big"
killed() { # in the middle; another process goes on
        local pid
        cp "$www/big" "$www/held"
        touch "$dir/mark"
        printf 'a = source %s/hold/held\noutput a\n' "$web" | kit_llb "$dir/def2"
        kit_background --llb "$dir/def2" -o "type=local,dest=$dir/o2"
        pid=$!
        until find "$SLIPWAY_ROOT/content/ingest" -type f -size +500 -newer "$dir/mark" | grep -q .; do kill -0 "$pid" || return; sleep 0.05; done
        kill -9 "$pid"
        wait "$pid" 2>/dev/null
        clear_log && fetch "$web/hold/held" && is held "$www/big" 600 && logged 1 '^GET.*range=bytes=300000-' && logged 1 '^GET'
}
check "killed, it goes on" killed
cancelled() {
        local pid before
        head -c 400 /dev/urandom >"$www/drops"
        printf 'a = source %s/slow/drops\noutput a\n' "$web" | kit_llb "$dir/def2"
        clear_log
        kit_background --llb "$dir/def2" -o "type=local,dest=$dir/o2"
        pid=$!
        until grep -q 'GET /slow/drops' "$www/.log"; do kill -0 "$pid" || return; sleep 0.05; done
        before=$(date +%s%N)
        kill -INT "$pid" && ! wait "$pid" && [ $((($(date +%s%N) - before) / 1000000)) -lt 1500 ]
}
check "cancelled at once" cancelled
limit() {
        configure 'maxSize: 500000'
        fetch_fails 'larger than 500.00kB' "$web/f/big" http.filename=e && fetch_fails 'larger than' "$web/endless"
        local status=$?
        configure
        return $status
}
check "too large" limit
two() { # of one URL at once
        head -c 3000000 /dev/urandom >"$www/two"
        clear_log
        printf 'a = source %s/cut/two\nb = source %s/cut/two http.filename=z\nm = merge a b\noutput m\n' "$web" "$web" | kit_llb "$dir/def"
        kit_build --llb "$dir/def" -o "type=local,dest=$dir/o3" && cmp "$dir/o3/two" "$www/two" && cmp "$dir/o3/z" "$www/two" && logged 10 '^GET'
}
check "two want one file: it is downloaded once" two
many() { # of several builds, each under names of its own
        local i pids=()
        head -c 100000 /dev/urandom >"$www/many"
        clear_log
        for i in 1 2 3 4; do
                printf 'a = source %s/f/many http.filename=a%s\nb = source %s/f/many http.filename=b%s\nm = merge a b\noutput m\n' "$web" $i "$web" $i | kit_llb "$dir/def$i"
                kit_background --llb "$dir/def$i" -o "type=local,dest=$dir/many$i"
                pids+=($!)
        done
        for i in "${pids[@]}"; do wait "$i" || return; done
        for i in 1 2 3 4; do cmp "$dir/many$i/a$i" "$www/many" && cmp "$dir/many$i/b$i" "$www/many" || return; done
        logged 1 '^GET'
}
check "several builds want one file: it is downloaded once" many

# ---- TLS, proxies
mkdir "$dir/tls" && printf 'over tls\n' >"$dir/tls/t"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
        -keyout "$dir/tls/.key" -out "$dir/tls/.crt" 2>/dev/null
web_start "$dir/tls" --tls "$dir/tls/.crt" "$dir/tls/.key"
check "an unknown CA" fetch_fails 'plugins."source/http".ca' "https://127.0.0.1:$port/f/t"
configure "ca: [$dir/tls/.crt]"
tls() { fetch "https://127.0.0.1:$port/f/t" && is t "$dir/tls/t" 600; }
check "a CA of our own" tls
down() { fetch "https://127.0.0.1:$port/to/302/$(esc "$web/f/other")" http.filename=y && is y "$www/other" 600 && grep -q 'from https to http' "$dir/said"; }
check "from https to http with a warning" down
configure "ca: [$dir/named]"
check "a CA that is none" fetch_fails 'no certificate' "$web/f/other" http.filename=k
configure
proxied() {
        clear_log
        http_proxy=$web fetch http://files.example/proxy-sees/other && is other "$www/other" 600 && logged 1 'GET http://files.example/proxy-sees/other'
}
check "by a proxy" proxied
direct() { http_proxy=http://127.0.0.1:1 fetch "$web/plain/other" http.filename=dd; }
check "but not to this machine" direct
finish
