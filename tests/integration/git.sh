#!/usr/bin/env bash
# Git repositories as sources, over HTTP, git's own protocol and ssh, with servers of the
# test's own. Catches: refs and URLs that become options or commands; a tree that depends on
# the user's umask, configuration or hooks; a subdirectory outside of the tree; submodules
# that reach for files; credentials that are stored, said or sent elsewhere; a kept
# repository that one killed or damaged build makes useless for all others.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy NO_PROXY no_proxy
www=$dir/www
mkdir "$www" "$dir/s" "$dir/home"
export HOME=$dir/home GIT_CONFIG_NOSYSTEM=1
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$dir"' EXIT

python3 "$top_srcdir/tests/tools/gitserver.py" "$www" 2>"$dir/server.err" &
pids+=($!)
until [ -s "$www/.port" ]; do kill -0 "$!" || exit 99; sleep 0.05; done
port=$(cat "$www/.port")
web=http://127.0.0.1:$port/git

# ---- Repositories
git config --global user.name tester
git config --global user.email tester@example.com
git config --global init.defaultBranch main
git config --global protocol.file.allow always
export GIT_AUTHOR_DATE='2021-02-03T04:05:06Z' GIT_COMMITTER_DATE='2021-02-03T04:05:06Z'
commit() { git -C "$1" add -A && git -C "$1" commit -q -m "${2:-x}"; }
publish() { # NAME: what a server has of it now
        rm -rf "$www/$1.git" && git clone -q --mirror "$dir/src/$1" "$www/$1.git" &&
                git -C "$www/$1.git" config uploadpack.allowAnySHA1InWant false
}
mkdir -p "$dir/src"
git init -q "$dir/src/r"
r=$dir/src/r
mkdir -p "$r/sub/deep"
echo one >"$r/file"
echo run >"$r/tool"
chmod 755 "$r/tool"
chmod 600 "$r/file"
echo deep >"$r/sub/deep/x"
ln -s file "$r/link"
ln -s sub/deep "$r/inside"
ln -s /etc "$r/outside"
ln -s ../../../../../../etc "$r/above"
commit "$r" first
first=$(git -C "$r" rev-parse HEAD)
git -C "$r" tag light
git -C "$r" tag -a -m annotated v1
git -C "$r" branch old
echo between >"$r/file"
commit "$r" between
between=$(git -C "$r" rev-parse HEAD) # no ref names it
git -C "$r" tag both "$first"
echo both >"$r/both"
commit "$r" both
git -C "$r" branch both
git -C "$r" update-ref refs/pull/7/head HEAD
echo two >"$r/file"
commit "$r" second
second=$(git -C "$r" rev-parse HEAD)
publish r

fetch() { # [URL][#FRAGMENT] [ATTR=VALUE]... [-- ARG...]: of $repo, into $dir/o
        local line="a = source \"git://example.com/r$1\" \"git.fullurl=$repo\"" a
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
fetch_fails() { # PART FRAGMENT ...
        local part=$1
        shift
        if fetch "$@"; then ls -la "$dir/o"; return 1; fi >/dev/null
        grep -qF -- "$part" "$dir/said" || { cat "$dir/said"; return 1; }
}
has() { # REF: the tree is that of this commit of r, and nothing else
        git -C "$r" archive "$1" | tar t | grep -v '/$' | sort >"$dir/want"
        (cd "$dir/o" && find . ! -type d | sed 's|^\./||' | sort) | diff - "$dir/want" &&
                [ "$(cat "$dir/o/file")" = "$(git -C "$r" show "$1:file")" ]
}
logged() { # N REGEX: since clear
        local n
        n=$(grep -cE -- "$2" "$www/.log")
        [ "$n" = "$1" ] || { cat "$www/.log"; return 1; }
}
clear_log() { : >"$www/.log"; }
repo=$web/r.git

configure() { # LINE...: options of the plugin
        printf 'plugins:\n  source/git:\n' >"$dir/config.yaml"
        printf '    %s\n' "$@" >>"$dir/config.yaml"
        kit_config=(--config "$dir/config.yaml")
}
state=$SLIPWAY_ROOT/state/source/git
no_rest() { ! find "$state" -name 'tmp_*' -o -name '.tmp-*' -o -name 'tmp.*' | grep .; }

# ---- Refs
ref() { fetch "$1" && has "$2"; }
check "the default branch" ref '' main
check "HEAD" ref '#HEAD' main
check "a branch" ref '#old' "$first"
check "a tag" ref '#light' light
check "an annotated tag" ref '#v1' light
check "a commit" ref "#$first" "$first"
check "a full name" ref '#refs/heads/old' "$first"
check "a name without refs/" ref '#heads/old' "$first"
check "what is neither branch nor tag" ref '#refs/pull/7/head' refs/heads/both
check "a branch goes before a tag" ref '#both' refs/heads/both
check "a ref that is not there" fetch_fails 'does not contain ref nosuch' '#nosuch'
check "a commit that is not there" fetch_fails 'failed to fetch' "#$(printf '1%.0s' {1..40})"
check "only the commit" ref "#$first" "$first" git.fetchbycommit=true
check "which has to be whole" fetch_fails 'whole commit hash' '#main' git.fetchbycommit=true
for bad in -x --upload-pack=touch 'a..b' 'a b' 'a~1' 'a^' 'a@{1}' '/a' 'a/' 'a//b' 'a.lock' '*' '.a'; do
        check "no ref: $bad" fetch_fails 'invalid git ref' "#$bad"
done
v0() { repo=http://127.0.0.1:$port/v0/r.git fetch "#$between" && has "$between"; }
check "a commit from a server that gives none by itself" v0
dumb() { # what it gives has no limit
        git -C "$www/r.git" update-server-info && repo=http://127.0.0.1:$port/files/r.git fetch_fails 'dumb' "#$first" -- --no-cache &&
                repo=http://127.0.0.1:$port/files/r.git fetch_fails 'dumb' '#main' -- --no-cache
}
check "not from a server that only gives out its files" dumb
turned() { repo=http://127.0.0.1:$port/turns/r.git fetch_fails 'dumb' "#$between" -- --no-cache; }
check "nor from one that becomes so" turned

# ---- URLs
url() { # PART URL
        repo=$2 fetch_fails "$1" ''
}
check "no files" url 'not http, https, ssh or git' "file://$www/r.git"
check "no commands" url 'names a program' "ext::sh -c touch% $dir/pwned"
check "no paths" url '' "$www/r.git"
check "no options for ssh" url 'host that is no name' "ssh://-oProxyCommand=touch\${IFS}$dir/pwned/x"
check "nor without a scheme" url '' "-oProxyCommand=touch:x"
check "no other helpers" url 'names a program' "fd::7"
not_run() { [ ! -e "$dir/pwned" ]; }
check "nothing was run" not_run
moved() { repo=http://127.0.0.1:$port/moved/r.git fetch '#light' && has light; }
check "a redirect" moved
check "not to files" url 'failed to fetch' "http://127.0.0.1:$port/tofile/r.git"
check "junk" url 'failed to fetch' "http://127.0.0.1:$port/junk/r.git"
check "nobody is there" url 'failed to fetch' "http://127.0.0.1:1/r.git"
daemon_port=
for p in $(seq 29418 29518); do
        git daemon --base-path="$www" --export-all --listen=127.0.0.1 --port="$p" "$www" 2>/dev/null &
        sleep 0.3
        if kill -0 "$!" 2>/dev/null; then daemon_port=$p; pids+=($!); break; fi
done
by_daemon() { repo=git://127.0.0.1:$daemon_port/r.git fetch '#old' && has "$first"; }
check "git's own protocol" by_daemon

# ---- The tree
modes() {
        (umask 077 && fetch "#$second" git.mtime=commit -- --no-cache -o "type=tar,dest=$dir/x.tar") || return
        [ "$(TZ=UTC tar tvf "$dir/x.tar" --numeric-owner | awk '{ print $1, $2, $4, $5, $6 }' | grep -v /$)" = \
                "lrwxrwxrwx 0/0 2021-02-03 04:05 above
-rw-r--r-- 0/0 2021-02-03 04:05 both
-rw-r--r-- 0/0 2021-02-03 04:05 file
lrwxrwxrwx 0/0 2021-02-03 04:05 inside
lrwxrwxrwx 0/0 2021-02-03 04:05 link
lrwxrwxrwx 0/0 2021-02-03 04:05 outside
-rw-r--r-- 0/0 2021-02-03 04:05 sub/deep/x
-rwxr-xr-x 0/0 2021-02-03 04:05 tool" ] && tar tvf "$dir/x.tar" --numeric-owner | grep -q '^drwxr-xr-x 0/0 .* sub/deep/'
}
check "modes, owners and times are git's" modes
check "no such time" fetch_fails 'neither checkout nor commit' '' git.mtime=now
now() { fetch "#$second" && [ "$(stat -c %Y "$dir/o/file")" -gt 1700000000 ]; }
check "else they are of the checkout" now
sub() { fetch "#main:$1" && [ "$(cat "$dir/o/x")" = deep ] && [ "$(ls -A "$dir/o")" = x ]; }
check "a subdirectory" sub sub/deep
check "one with a slash before it" sub /sub/deep/
check "by a symlink" sub inside
check "not out of the tree" fetch_fails 'failed to open subdir outside' '#main:outside'
check "nor above it" fetch_fails 'failed to open subdir above' '#main:above'
check "nor git's own files" fetch_fails 'failed to open subdir .git' '#main:.git'
check "nor by dots" fetch_fails 'failed to open subdir ../git' '#main:../git'
check "no such one" fetch_fails 'failed to open subdir nosuch' '#main:nosuch'
check "a file" fetch_fails 'failed to open subdir file' '#main:file'

check "a checksum" ref "#main" main "git.checksum=${second:0:12}"
check "of the tag itself" ref '#v1' light "git.checksum=$(git -C "$r" rev-parse v1)"
check "of the commit behind it" ref '#v1' light "git.checksum=$first"
check "another one" fetch_fails "expected checksum to match $first, got $second" '#main' "git.checksum=$first"
check "no checksum" fetch_fails 'expected hex commit hash' '#main' git.checksum=main
check "bundles" fetch_fails 'git.bundle: not possible here' '#main' git.bundle=docker-image+blob://x@sha256:00
check "signatures" fetch_fails 'git.sig.pubkey: not possible here' '#main' git.sig.pubkey=x

kept() { # REF WANT
        fetch "#$1" git.keepgitdir=true &&
                [ "$(git -C "$dir/o" rev-parse HEAD)" = "$(git -C "$r" rev-parse "$2^{commit}")" ] &&
                [ -z "$(git -C "$dir/o" status --porcelain)" ] && git -C "$dir/o" fsck --no-dangling &&
                [ "$(git -C "$dir/o" remote get-url origin)" = "$repo" ] && [ ! -e "$dir/o/.git/objects/info/alternates" ] &&
                ! grep -rqF "$SLIPWAY_ROOT" "$dir/o/.git"
}
check "with .git: a branch" kept main main
check "a tag" kept v1 v1
tagged() { [ "$(git -C "$dir/o" describe)" = v1 ]; }
check "which is there" tagged
check "a commit" kept "$first" "$first"
no_git() { fetch '#main:sub' git.keepgitdir=true && [ ! -e "$dir/o/.git" ]; }
check "none in a subdirectory" no_git

# ---- Changes
unchanged() { clear_log && fetch '#main' && grep -q CACHED "$dir/said" && has main; }
check "an unchanged branch is not fetched again" unchanged
echo three >"$r/file"
commit "$r" third
publish r
changed() { fetch '#main' && has main && [ "$(cat "$dir/o/file")" = three ]; }
check "a changed one is" changed
offline() { fetch "#$first" && clear_log && fetch "#$first" -- --no-cache && has "$first" && logged 0 .; }
check "a commit that is here needs no server" offline
forced() {
        git -C "$r" checkout -q --orphan other && git -C "$r" rm -qrf . && echo new >"$r/file" && commit "$r" other &&
                git -C "$r" branch -qf main && git -C "$r" tag -f v1 >/dev/null && git -C "$r" branch -qD old && git -C "$r" branch old/er &&
                publish r && fetch '#main' && has main && fetch '#v1' && has main && fetch '#old/er' && has main
}
check "forced branches, moved tags, names that were directories" forced

swapped() { # the branch moves after it was looked at; what was promised is what comes
        git -C "$r" checkout -q main && echo promised >"$r/file" && commit "$r" promised && publish r &&
                echo later >"$r/file" && commit "$r" later
        printf '#!/bin/sh\ngit -C %s fetch -q origin "+refs/heads/main:refs/heads/main"\n' "$www/r.git" >"$www/.swap"
        chmod 755 "$www/.swap"
        repo=http://127.0.0.1:$port/swap/r.git fetch '#main' && [ "$(cat "$dir/o/file")" = promised ] &&
                [ "$(git -C "$www/r.git" show main:file)" = later ]
}
check "a branch that moves during the build" swapped
one_answer() {
        fetch '' || return
        clear_log
        printf 'a = source git://x/r git.fullurl=%s\nb = source git://x/r:sub git.fullurl=%s\nc = source git://x/r git.fullurl=%s git.mtime=commit\nm = merge a c\noutput m\n' "$repo" "$repo" "$repo" | kit_llb "$dir/def" &&
                kit_build --llb "$dir/def" -o "type=local,dest=$dir/o2" && [ "$(grep -c 'GET.*info/refs' "$www/.log")" = 1 ]
}
check "several steps of one build ask once" one_answer

# ---- Nobody else's settings
ours() {
        git config --global "url.http://127.0.0.1:1/.insteadOf" http://127.0.0.1 && git config --global core.hooksPath "$dir/hooks" &&
                mkdir -p "$dir/hooks" && printf '#!/bin/sh\ntouch %s\n' "$dir/pwned" >"$dir/hooks/post-checkout" && chmod 755 "$dir/hooks/post-checkout" &&
                GIT_DIR=$r/.git GIT_INDEX_FILE=$dir/x GIT_TRACE=$dir/trace fetch '#light' -- --no-cache && has light && [ ! -e "$dir/pwned" ] && [ ! -e "$dir/trace" ]
        local status=$?
        git config --global --unset core.hooksPath
        git config --global --remove-section "url.http://127.0.0.1:1/"
        return $status
}
check "neither the user's settings nor hooks count" ours
git init -q "$dir/src/attr"
git -C "$dir/src/attr" config core.safecrlf false
a=$dir/src/attr
printf '*.bin filter=lfs\n*.x filter=evil\n*.txt eol=crlf\n' >"$a/.gitattributes"
printf 'version https://git-lfs.github.com/spec/v1\n' >"$a/a.bin"
echo x >"$a/a.x"
echo t >"$a/a.txt"
commit "$a"
publish attr
attrs() { repo=$web/attr.git fetch '' && cmp "$dir/o/a.bin" "$a/a.bin" && [ "$(cat "$dir/o/a.x")" = x ] && printf 't\r\n' | cmp - "$dir/o/a.txt"; }
check "attributes: line ends yes, programs no" attrs

# ---- Submodules
for m in leaf mid top; do git init -q "$dir/src/$m"; done
echo leaf >"$dir/src/leaf/l"
commit "$dir/src/leaf"
publish leaf
git -C "$dir/src/mid" submodule -q add "$web/leaf.git" leaf
git -C "$dir/src/mid" config -f .gitmodules submodule.leaf.url ../leaf.git
echo mid >"$dir/src/mid/m"
commit "$dir/src/mid"
publish mid
git -C "$dir/src/top" submodule -q add "$web/mid.git" mid
echo top >"$dir/src/top/t"
commit "$dir/src/top"
publish top
nested() { repo=$web/top.git fetch '' && [ "$(cat "$dir/o/t" "$dir/o/mid/m" "$dir/o/mid/leaf/l")" = $'top\nmid\nleaf' ] && [ -z "$(find "$dir/o" -name .git)" ]; }
check "submodules of submodules" nested
skipped() { repo=$web/top.git fetch '' git.skipsubmodules=true && [ ! -e "$dir/o/mid/m" ]; }
check "left out" skipped
with_git() { repo=$web/top.git fetch '' git.keepgitdir=true && git -C "$dir/o" submodule status --recursive | grep -q leaf && git -C "$dir/o/mid" fsck; }
check "with .git" with_git
kept_too() { # a new commit with the same submodules: they are here
        echo new >"$dir/src/top/t"
        commit "$dir/src/top"
        publish top
        clear_log
        repo=$web/top.git fetch '' && [ "$(cat "$dir/o/t" "$dir/o/mid/leaf/l")" = $'new\nleaf' ] && logged 0 '(leaf|mid).git'
}
check "and are kept like other repositories" kept_too
moved_on() { # of them only what has changed is fetched
        echo leaf2 >"$dir/src/leaf/l"
        commit "$dir/src/leaf"
        publish leaf
        git -C "$dir/src/mid/leaf" pull -q 2>&1 && commit "$dir/src/mid" && publish mid &&
                git -C "$dir/src/top/mid" pull -q 2>&1 && commit "$dir/src/top" && publish top || return
        clear_log
        repo=$web/top.git fetch '' && [ "$(cat "$dir/o/mid/leaf/l")" = leaf2 ]
}
check "a changed one is fetched" moved_on
git init -q "$dir/src/self"
self=$dir/src/self
module() { printf '[submodule "%s"]\n\tpath = %s\n\turl = %s\n' "$1" "$2" "$3"; }
gitlink() { git -C "$self" update-index --add --cacheinfo "160000,$1,$2"; }
own() { # at an earlier commit; and it is locked once at a time
        echo 1 >"$self/n"
        commit "$self"
        module sub/one in ./../self.git >"$self/.gitmodules"
        git -C "$self" add .gitmodules
        gitlink "$(git -C "$self" rev-parse HEAD)" in
        git -C "$self" commit -qm x
        publish self
        repo=$web/self.git fetch '' git.keepgitdir=true && [ "$(cat "$dir/o/in/n")" = 1 ] && git -C "$dir/o" submodule status | grep -q '^ '
}
check "a repository in itself" own
deep() { # each in the one before
        local i
        for i in $(seq 20); do
                gitlink "$(git -C "$self" rev-parse HEAD)" in
                git -C "$self" commit -qm "$i"
        done
        publish self
        repo=$web/self.git fetch_fails 'submodules in more than 16 others' ''
}
check "not for ever" deep

# Each of these tries to have something of this machine, or to have something run on it.
evil=$dir/src/evil
self=$evil
leaf=$(git -C "$dir/src/leaf" rev-parse HEAD)
evil() { # PART [MODULE...]: it fails with these words, and did nothing
        local part=$1 status=0
        shift
        rm -rf "$evil"
        git init -q "$evil"
        module "${1-x}" "${2-in}" "$3" >"$evil/.gitmodules"
        printf '%b' "${4-}" >>"$evil/.gitmodules"
        echo "$RANDOM" >"$evil/n"
        git -C "$evil" add -A
        gitlink "$leaf" in
        git -C "$evil" commit -qm x
        publish evil
        repo=$web/evil.git fetch_fails "$part" '' || status=1
        not_run && [ ! -e "$dir/o/in/l" ] && no_rest || status=1
        return $status
}
for url in "$www/leaf.git" /etc ./ leaf.git a/leaf.git; do
        case $url in
        ./) check "a submodule of nothing" evil 'failed to update submodules' x in "$url" ;;
        *) check "no submodule is a path: $url" evil "is a path, not a server's URL" x in "$url" ;;
        esac
done
check "nor a file" evil 'not http, https, ssh or git' x in "file://$www/leaf.git"
check "nor a command" evil 'names a program' x in "ext::sh -c touch% $dir/pwned"
check "nor a descriptor" evil 'names a program' x in 'fd::3'
check "nor an option" evil "disallowed submodule url" x in "--upload-pack=touch $dir/pwned"
check "nor one of ssh's" evil 'host that is no name' x in "ssh://-oProxyCommand=touch\${IFS}$dir/pwned/x"
check "nor as a host" evil 'disallowed submodule url' x in "-oProxyCommand=touch\${IFS}$dir/pwned:x"
check "nor one with lines" evil 'disallowed submodule url' x in '"http://a/\nb"'
check "nor relative to more than there is" evil 'leads out of the server' x in ../../../../etc
check "nor without a URL" evil 'names no URL for it' x other "$web/leaf.git"
check "nor what is no list" evil 'failed to' x in "$web/leaf.git" '[broken\n'
taken() { # NAME [MORE]: what a name or a setting would do counts for nothing
        evil 'x' "$1" in "$web/leaf.git" "${2-}" >/dev/null
        [ "$(cat "$dir/o/in/l")" = leaf2 ] && not_run && [ -z "$(find "$dir/o" -name .git)" ] &&
                repo=$web/evil.git fetch '' git.keepgitdir=true && [ "$(cat "$dir/o/in/l")" = leaf2 ] && not_run &&
                [ -d "$dir/o/in/.git" ] && [ ! -e "$dir/o/.git/modules" ] && git -C "$dir/o/in" fsck
}
check "a name that is a path" evil gitmodulesName ../../../../x in "$web/leaf.git"
check "a command for an update" evil gitmodulesUpdate x in "$web/leaf.git" "\tupdate = !touch $dir/pwned\n"
check "a name within another" taken x/modules/y
check "settings" taken x "[core]\n\tfsmonitor = touch $dir/pwned\n\thooksPath = .\n\tsshCommand = touch $dir/pwned\n[include]\n\tpath = $dir/home/.gitconfig\n[filter \"x\"]\n\tsmudge = touch $dir/pwned\n[alias]\n\tcheckout = !touch $dir/pwned\n"
none() { evil x x in "$web/leaf.git" '\tupdate = none\n' >/dev/null; [ "$(ls "$dir/o")" = $'in\nn' ] && [ -z "$(ls -A "$dir/o/in")" ]; }
check "one that is not wanted stays empty" none
bare() { # with settings that git would follow if it looked for a repository there
        rm -rf "$evil"
        git init -q "$evil"
        mkdir -p "$evil/b/objects" "$evil/b/refs" "$evil/b/w"
        echo 'ref: refs/heads/main' >"$evil/b/HEAD"
        printf '[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = w\n\tfsmonitor = touch %s\n' "$dir/pwned" >"$evil/b/config"
        touch "$evil/b/objects/x" "$evil/b/refs/x" "$evil/b/w/x"
        commit "$evil"
        publish evil
        repo=$web/evil.git fetch '#main:b' && not_run && [ -e "$dir/o/config" ]
}
check "a bare repository among the files" bare
raw_tree() { # of "MODE NAME\0SHA..." entries, unchecked
        local args=()
        while [ $# -gt 0 ]; do args+=("$1" "$2" "$3"); shift 3; done
        python3 -c 'import sys
for m, n, s in zip(*[iter(sys.argv[1:])] * 3): sys.stdout.buffer.write(f"{m} {n}\0".encode() + bytes.fromhex(s))' "${args[@]}" |
                git -C "$evil" hash-object -t tree -w --stdin --literally
}
raw() { # PART TREE: what git checks of a tree is checked
        local c
        c=$(git -C "$evil" -c core.fsck=x commit-tree -m x "$2") || return
        rm -rf "$www/evil.git"
        cp -r "$evil/.git" "$www/evil.git" && git -C "$www/evil.git" config core.bare true &&
                git -C "$www/evil.git" update-ref refs/heads/main "$c" || return
        repo=$web/evil.git fetch_fails "$1" '' && not_run
}
blob=$(echo x | git -C "$evil" hash-object -w --stdin)
away=$(printf %s "$dir" | git -C "$evil" hash-object -w --stdin)
inner=$(raw_tree 100644 pwned "$blob")
modules=$(module x link/pwned "$web/leaf.git" | git -C "$evil" hash-object -w --stdin)
linked=$(raw_tree 160000 pwned "$leaf")
check "a link and a directory of one name" raw 'uplicate' "$(raw_tree 120000 link "$away" 40000 link "$inner")"
check "the same for a submodule" raw 'uplicate' "$(raw_tree 100644 .gitmodules "$modules" 120000 link "$away" 40000 link "$linked")"
check "a .git among the files" raw "'.git'" "$(raw_tree 40000 .git "$inner")"
check "one for other systems" raw '.git' "$(raw_tree 40000 .GIT "$inner")"
check "dots" raw '..' "$(raw_tree 40000 .. "$inner")"
check "a path for a name" raw 'athname' "$(raw_tree 100644 a/b "$blob")"
symbolic=$(printf %s "$dir/home/.gitconfig" | git -C "$evil" hash-object -w --stdin)
check "a .gitmodules that is a link" raw 'gitmodules' "$(raw_tree 120000 .gitmodules "$symbolic" 160000 in "$leaf")"
bomb() { # 10^8 files
        local tree=$inner i
        for i in 1 2 3 4 5 6 7 8; do
                tree=$(raw_tree 40000 0 "$tree" 40000 1 "$tree" 40000 2 "$tree" 40000 3 "$tree" 40000 4 "$tree" \
                        40000 5 "$tree" 40000 6 "$tree" 40000 7 "$tree" 40000 8 "$tree" 40000 9 "$tree")
        done
        configure 'maxSize: 50MB'
        raw 'no tree of more than' "$tree" && no_rest
        local status=$?
        kit_config=()
        return $status
}
check "a tree of more files than there is room for" bomb
zeros() { # a small pack, a large file
        rm -rf "$evil"
        git init -q "$evil"
        truncate -s 60M "$evil/zeros"
        commit "$evil"
        publish evil
        configure 'maxSize: 50MB'
        repo=$web/evil.git fetch_fails 'no tree of more than' '' && no_rest
        local status=$?
        kit_config=()
        return $status
}
check "a file that was packed small" zeros

# ---- Credentials
secret=of-bad-news
printf 'Basic %s' "$(printf 'x-access-token:%s' $secret | base64)" | sed 's/Basic/basic/' >"$www/.auth"
printf '%s\n' $secret >"$dir/s/token"
printf 'wrong' >"$dir/s/wrong"
auth=http://127.0.0.1:$port/auth/r.git
token=git.authtokensecret=GIT_AUTH_TOKEN
header=git.authheadersecret=GIT_AUTH_HEADER
authorized() { repo=$auth fetch '#main' "$token" "$header" -- --no-cache --secret "id=$1" && has main; }
denied() { repo=$auth fetch_fails 'failed to fetch' '#main' "$token" "$header" -- --no-cache "$@"; }
check "no credentials" denied
check "a wrong token" denied --secret "id=GIT_AUTH_TOKEN,src=$dir/s/wrong"
check "a token" authorized "GIT_AUTH_TOKEN,src=$dir/s/token"
check "one for this host" authorized "GIT_AUTH_TOKEN.127.0.0.1:$port,src=$dir/s/token"
cp "$www/.auth" "$dir/s/header"
check "a header" authorized "GIT_AUTH_HEADER,src=$dir/s/header"
in_url() {
        printf 'basic %s' "$(printf 'me:p/w' | base64)" >"$www/.auth"
        repo=http://me:p%2Fw@127.0.0.1:$port/auth/r.git fetch '#main' git.keepgitdir=true -- --no-cache &&
                [ "$(git -C "$dir/o" remote get-url origin)" = "$auth" ] && ! grep -rqE 'p(/|%2F)w' "$dir/o/.git" "$SLIPWAY_ROOT"/state
}
check "a password in the URL" in_url
elsewhere() {
        clear_log
        repo=http://127.0.0.1:$port/elsewhere/r.git fetch '#main' "$token" -- --no-cache --secret "id=GIT_AUTH_TOKEN,src=$dir/s/token" >/dev/null
        logged 0 '/git/r.git.* auth=basic'
}
check "none is sent to another host" elsewhere
unsaid() { ! grep -rqF -e "$secret" -e "$(cut -d' ' -f2 "$dir/s/header")" "$SLIPWAY_ROOT" && ! grep -qF "$secret" "$dir/said"; }
check "none is stored or said" unsaid

# ---- ssh
sshd=$(command -v sshd || echo /usr/sbin/sshd)
ssh-keygen -q -t ed25519 -N '' -f "$dir/hostkey"
ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/otherkey"
cp "$dir/key.pub" "$dir/authorized"
chmod 600 "$dir/authorized"
for ssh_port in $(seq 22222 22299); do
        printf '%s\n' "Port $ssh_port" 'ListenAddress 127.0.0.1' "HostKey $dir/hostkey" "AuthorizedKeysFile $dir/authorized" \
                'StrictModes no' 'UsePAM no' 'PasswordAuthentication no' "PidFile $dir/sshd.pid" "SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*" \
                >"$dir/sshd_config"
        mkdir -p /run/sshd
        "$sshd" -D -f "$dir/sshd_config" -E "$dir/sshd.log" &
        sleep 0.3
        if kill -0 "$!" 2>/dev/null; then pids+=($!); break; fi
done
repo_ssh=ssh://$(id -un)@127.0.0.1:$ssh_port$www/r.git
hosts="[127.0.0.1]:$ssh_port $(cut -d' ' -f1,2 "$dir/hostkey.pub")"
wrong_hosts="[127.0.0.1]:$ssh_port $(cut -d' ' -f1,2 "$dir/otherkey.pub")"
by_ssh() { repo=$repo_ssh fetch '#main' git.mountsshsock=default "$@" -- --no-cache --ssh "default=$dir/key" && has main; }
check "ssh, with known hosts" by_ssh "git.knownsshhosts=$hosts"
check "without" by_ssh
wrong_host() { repo=$repo_ssh fetch_fails 'Host key verification failed' '#main' git.mountsshsock=default "git.knownsshhosts=$wrong_hosts" -- --no-cache --ssh "default=$dir/key"; }
check "another host" wrong_host
wrong_key() { repo=$repo_ssh fetch_fails 'Permission denied' '#main' git.mountsshsock=default -- --no-cache --ssh "default=$dir/otherkey"; }
check "another key" wrong_key
no_agent() { repo=$repo_ssh fetch_fails 'default' '#main' git.mountsshsock=default -- --no-cache; }
check "no agent" no_agent

# ---- Killed, damaged, at once, cancelled
big=$dir/src/big
git init -q "$big"
head -c 12000000 /dev/urandom >"$big/data"
commit "$big"
publish big
too_much() { # URL...: of a pack, by every protocol
        local status=0
        configure 'maxSize: 1000000'
        for repo in "$@"; do
                fetch_fails 'more than 1.00MB would come (option maxSize of source/git)' '' && no_rest || status=1
        done
        configure 'maxSize: 20MB'
        repo=$web/big.git fetch '' && cmp "$dir/o/data" "$big/data" || status=1
        kit_config=()
        "$SLIPWAY" prune --all >/dev/null
        return $status
}
check "more than may come" too_much "$web/big.git" "http://127.0.0.1:$port/v0/big.git" "git://127.0.0.1:$daemon_port/big.git"
killed() {
        local pid i
        printf 'a = source git://x/r git.fullurl=%s\noutput a\n' "$web/big.git" | kit_llb "$dir/def"
        for i in 0.02 0.08 0.2 0.4; do
                kit_background --llb "$dir/def" -o "type=local,dest=$dir/o2"
                pid=$!
                sleep $i
                kill -9 "$pid" 2>/dev/null
                wait "$pid" 2>/dev/null
        done
        repo=$web/big.git fetch '' && cmp "$dir/o/data" "$big/data"
}
check "killed again and again, it works in the end" killed
swept() { sleep 0.3; fetch '#main' -- --no-cache && repo=$web/big.git fetch '' -- --no-cache && no_rest && ! ls -d "$state"/bad.* 2>/dev/null; }
check "nothing is left of that" swept
damaged() { # HOW: of every kept repository
        echo "$1 $RANDOM" >"$r/file"
        commit "$r"
        publish r
        local g
        for g in "$state"/*.git; do
                case $1 in
                head) echo junk >"$g/HEAD" ;;
                objects) find "$g/objects" -type f -exec sh -c 'chmod u+w "$1"; echo junk >"$1"' _ {} \; ;;
                gone) rm -rf "$g/objects" ;;
                locked) touch "$g/shallow.lock" "$g/HEAD.lock" "$g/packed-refs.lock" ;;
                esac
        done
        fetch '#main' && has main
}
for how in head objects gone locked; do
        check "a repository that is damaged: $how" damaged $how
done
at_once() {
        local i pids=() n=0
        "$SLIPWAY" prune --all >/dev/null
        for i in 1 2 3 4; do
                printf 'a = source git://x/r git.fullurl=%s\nb = source git://x/r#light git.fullurl=%s\nc = mkfile a /%s 0644 x\nm = merge b c\noutput m\n' "$repo" "$repo" $i | kit_llb "$dir/def$i"
                kit_background --llb "$dir/def$i" -o "type=local,dest=$dir/at$i"
                pids+=($!)
        done
        for i in "${pids[@]}"; do wait "$i" && n=$((n + 1)); done
        [ $n = 4 ] && diff -r "$dir/at1/sub" "$dir/at4/sub"
}
check "several builds at once" at_once
each_other() { # builds of two repositories that are each other's submodules
        local a b i pids=() n=0
        for a in yin yang; do
                git init -q "$dir/src/$a" && echo $a >"$dir/src/$a/f" && commit "$dir/src/$a" && publish $a || return
        done
        for a in yin yang; do
                [ $a = yin ] && b=yang || b=yin
                self=$dir/src/$a
                module s s ../$b.git >"$self/.gitmodules"
                git -C "$self" add .gitmodules
                gitlink "$(git -C "$www/$b.git" rev-parse main)" s
                git -C "$self" commit -qm x
        done
        publish yin && publish yang || return
        for i in 1 2 3 4; do
                [ $((i % 2)) = 0 ] && a=yin || a=yang
                printf 'a = source git://x/r git.fullurl=%s\noutput a\n' "$web/$a.git" | kit_llb "$dir/def$i"
                kit_background --no-cache --llb "$dir/def$i" -o "type=local,dest=$dir/each$i"
                pids+=($!)
        done
        for i in "${pids[@]}"; do wait "$i" && n=$((n + 1)); done
        [ $n = 4 ] && [ "$(cat "$dir/each1/f" "$dir/each1/s/f" "$dir/each2/f" "$dir/each2/s/f" | tr '\n' ' ')" = 'yang yin yin yang ' ]
}
check "two that are in each other, at once" each_other
cancelled() {
        local pid before
        printf 'a = source git://x/r git.fullurl=http://127.0.0.1:%s/hang/r.git\noutput a\n' "$port" | kit_llb "$dir/def"
        clear_log
        kit_background --llb "$dir/def" -o "type=local,dest=$dir/o2"
        pid=$!
        until grep -q hang "$www/.log"; do sleep 0.05; done
        before=$(date +%s%N)
        kill -INT "$pid" && ! wait "$pid" && [ $((($(date +%s%N) - before) / 1000000)) -lt 1500 ] &&
                ! pgrep -f "git-remote-http.*/hang/" >/dev/null
}
check "cancelled, git ends" cancelled
usage() { "$SLIPWAY" du | grep -q 'state.source.git' || { "$SLIPWAY" du; return 1; }; }
check "du shows kept repositories" usage
pruned() { "$SLIPWAY" prune --all >/dev/null && ! ls -d "$state"/*.git 2>/dev/null && fetch '#main' && has main; }
check "and prune removes them" pruned
finish
