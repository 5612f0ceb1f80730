#!/usr/bin/env bash
# dev.d/lint.sh TOP [FILES...] - clang-tidy, cppcheck and shellcheck; silent when clean.
set -euo pipefail
cd "$1"
shift
status=0

flags=(-std=gnu11 -Icore/include -I. -Ibuild -include build/config.h
        "-DSW_PLUGINDIR=\"/p\"" "-DSW_SYSCONFDIR=\"/e\"")
files_text=$(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else git ls-files '*.c' | grep -Ev '^(tests/data|dev.d|examples)/'; fi)
read -r -d "" -a files <<<"$files_text" || true

echo "lint: clang-tidy, ${#files[@]} files"
printf '%s\n' "${files[@]}" |
        xargs -P "$(nproc)" -n 8 sh -c 'f="$1"; shift; clang-tidy --quiet --warnings-as-errors="*" "$@" -- $f 2>/dev/null' \
                _ "${flags[*]}" >build/tidy.log || status=1
grep -E 'error:|warning:' build/tidy.log | sort -u || true

# Left out in dev.d/cppcheck.supp: returnDanglingLifetime takes every error for a pointer to
# what the failed call was given; NULL is a pointer wherever this runs.
echo "lint: cppcheck"
cppcheck -q -j "$(nproc)" --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
        --inline-suppr --suppressions-list=dev.d/cppcheck.supp -Icore/include -I. \
        -D__linux__ -D__x86_64__ -DSW_PLUGINDIR='""' -DSW_SYSCONFDIR='""' \
        '-DHASH_ITER(hh,head,e,next)=for ((e) = (head); e; (e) = (next))' \
        '-Djson_object_foreach(o,k,v)=for (;;)' \
        "${files[@]}" || status=1

echo "lint: shellcheck"
read -r -d "" -a scripts <<<"$(git ls-files dev bootstrap .ci/run '*.sh' '*.bash')" || true
shellcheck -x -S warning "${scripts[@]}" || status=1

[ "$status" -eq 0 ] && echo "lint: clean"
exit "$status"
