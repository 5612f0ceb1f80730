#!/usr/bin/env bash
# ssh agents in builds: the user's, and one of our own for key files. Catches: a command that
# cannot reach an agent; one that can do more to it than list keys and sign; an agent, a key
# or a socket that outlives its build; key files that fail without saying why.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
export TMPDIR=$dir/t SSH_AUTH_SOCK=$dir/sock dir
mkdir "$TMPDIR"

# A root with the client's programs in it.
kit_root "$dir/bb" || { echo "1..1"; echo "not ok 1 - busybox is there"; exit 0; }
for program in ssh-add ssh-keygen; do
        path=$(command -v $program) || { echo "1..1"; echo "not ok 1 - $program is there (openssh-client)"; exit 0; }
        cp "$path" "$dir/bb/bin/"
        for lib in $(ldd "$path" | grep -o '/[^ ]*'); do
                mkdir -p "$dir/bb${lib%/*}" && cp -L "$lib" "$dir/bb$lib"
        done
done
ssh-keygen -q -t ed25519 -N '' -C mine -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -C other -f "$dir/key2"
ssh-keygen -q -t ed25519 -N secret -C locked -f "$dir/locked"
cp "$dir/key.pub" "$dir/bb/key.pub"
eval "$(ssh-agent -a "$SSH_AUTH_SOCK")" >/dev/null
trap 'kill "$SSH_AGENT_PID"; rm -rf "$dir"' EXIT
ssh-add -q "$dir/key"

build() { # ARGS... : runs $command, output in $dir/o
        rm -rf "$dir/o"
        kit_llb "$dir/def" <<-END && kit_build --llb "$dir/def" --local bb="$dir/bb" --no-cache -o "type=local,dest=$dir/o" "$@"
	r = local bb
	a = run r ssh=default -- sh -c "$command"
	output a
	END
}
command='ssh-add -l >/out; ssh-keygen -q -Y sign -f /key.pub -n test /key.pub && mv /key.pub.sig /sig'
signs() {
        build "$@" && grep -q 'mine' "$dir/o/out" &&
                ssh-keygen -q -Y check-novalidate -n test -s "$dir/o/sig" <"$dir/key.pub"
}
check "the user's agent lists keys and signs" signs --ssh default
check "by the name of its socket" signs --ssh "default=$SSH_AUTH_SOCK"
check "keys from files" signs --ssh "default=$dir/key"
check "several" signs --ssh "default=$dir/key2,$dir/key"
both() { grep -q other "$dir/o/out"; }
check "which are all there" both
alone() { command='ssh-add -l >/out' build --ssh "default=$dir/key2" && ! grep -q mine "$dir/o/out"; }
check "and no other" alone

filtered() {
        command='ssh-add -D; ssh-add -x </dev/null; ssh-add -l >/out; ssh-add -l' build --ssh default &&
                ssh-add -l | grep -q mine
}
check "a build cannot remove the user's keys" filtered
raw() {
        command='ssh-add -D' build --ssh "default=$SSH_AUTH_SOCK,raw=true" && ! ssh-add -l
        local status=$?
        ssh-add -q "$dir/key"
        return $status
}
check "unless it may do everything" raw

fails_with() { # PART ARGS...
        local part=$1
        shift
        ! build "$@" 2>"$dir/err" && grep -qF -- "$part" "$dir/err"
}
check "a key with a passphrase" fails_with 'passphrase' --ssh "default=$dir/locked"
echo junk >"$dir/junk"
chmod 600 "$dir/junk"
check "a file that is no key" fails_with 'ssh-add' --ssh "default=$dir/junk"
check "no such file" fails_with "$dir/none" --ssh "default=$dir/none"
check "a directory" fails_with "neither" --ssh "default=$dir"
check "socket and key" fails_with "do not go together" --ssh "default=$SSH_AUTH_SOCK,$dir/key"
check "twice" fails_with "twice" --ssh default --ssh default
check "another name than the step's" fails_with 'default' --ssh "other=$dir/key"
none() { (unset SSH_AUTH_SOCK; fails_with 'SSH_AUTH_SOCK is not set' --ssh default); }
check "no agent" none
dead() { (SSH_AUTH_SOCK=$dir/gone fails_with "$dir/gone" --ssh default); }
check "an agent that is not there" dead

killed() { # with an agent of our own that runs: it goes, and its directory
        local pid
        rm -f "$dir/started"
        kit_llb "$dir/def" <<-END
	r = local bb
	a = run r ssh=default -- sh -c "ssh-add -l; sleep 60"
	output a
	END
        "$SLIPWAY" build --progress quiet --llb "$dir/def" --local bb="$dir/bb" --no-cache --ssh "default=$dir/key" &
        pid=$!
        for _ in {1..100}; do
                ls "$TMPDIR"/slipway-ssh-*/agent >/dev/null 2>&1 && break
                sleep 0.1
        done
        ls "$TMPDIR"/slipway-ssh-*/agent >/dev/null || return 1
        kill -9 "$pid"
        wait "$pid" 2>/dev/null
        for _ in {1..100}; do
                no_agent_left && return 0
                sleep 0.1
        done
        return 1
}
no_agent_left() { ! ls -d "$TMPDIR"/slipway-ssh-* >/dev/null 2>&1 && ! pgrep -f "ssh-agent -a $TMPDIR" >/dev/null; }
check "no agent of ours is left" no_agent_left
check "nor after kill -9" killed
finish
