# shellcheck shell=bash disable=SC2034
# tests/integration/tap.sh - what the script tests share; sourced, not run.
#
#       . "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
#       check "what should be so" command args...
#       finish
#
# $dir is a temporary directory of the test. check() and its likes print one TAP line;
# what a failing command said follows as comments.
#
# make check sets top_srcdir, top_builddir and SLIPWAY; by hand, from the build directory:
#
#       make check TESTS=tests/integration/NAME.sh
#       export top_srcdir=$PWD/.. top_builddir=$PWD SLIPWAY=$PWD/cmd/slipway/slipway
#       ../tests/integration/NAME.sh

for tap_need in top_srcdir top_builddir SLIPWAY; do
        [ -n "${!tap_need:-}" ] && continue
        echo "Bail out! $tap_need is not set: see tests/integration/tap.sh"
        exit 99
done
tap_n=0
tap_failed=0
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

# result STATUS WHAT: one TAP line.
result() {
        tap_n=$((tap_n + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $tap_n - $2"
        else
                tap_failed=1
                echo "not ok $tap_n - $2"
        fi
}

# check WHAT COMMAND...: the command succeeds.
check() {
        local what=$1 said status
        shift
        said=$("$@" 2>&1)
        status=$?
        result "$status" "$what"
        if [ "$status" -ne 0 ]; then
                printf '%s\n' "$said" | sed 's/^/#   /'
        fi
}

finish() {
        echo "1..$tap_n"
}

# run ARGS...: slipway, with its output in $dir/out and $dir/err; sets $status.
run() {
        "$SLIPWAY" "$@" >"$dir/out" 2>"$dir/err" </dev/null
        status=$?
}

# fails STATUS PART ARGS...: slipway ends with STATUS, says nothing on stdout and exactly
# one line on stderr, which begins with its name and has PART in it.
fails() {
        local want=$1 part=$2 line
        shift 2
        run "$@"
        line=$(cat "$dir/err")
        if [ "$status" -ne "$want" ] || [ -s "$dir/out" ] ||
                [ "$(wc -l <"$dir/err")" -ne 1 ] || [[ $line != slipway* ]] ||
                [[ $line != *"$part"* ]]; then
                printf 'status %s, wanted %s; stderr wanted: %s; stderr, stdout:\n' \
                        "$status" "$want" "$part"
                cat -v "$dir/err" "$dir/out"
                return 1
        fi
}

# says PART ARGS...: slipway succeeds, says PART on stdout and nothing on stderr.
says() {
        local part=$1
        shift
        run "$@"
        if [ "$status" -ne 0 ] || [ -s "$dir/err" ] || ! grep -qF -- "$part" "$dir/out"; then
                printf 'status %s; stdout wanted: %s; stderr, stdout:\n' "$status" "$part"
                cat -v "$dir/err" "$dir/out"
                return 1
        fi
}
