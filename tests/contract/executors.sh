#!/usr/bin/env bash
# exec-runc keeps the rules of executors, with every runtime that is installed.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/contract/each.sh"
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
        echo "1..0 # SKIP containers need root and mount namespaces"
        exit 0
fi
for runtime in crun runc; do
        if ! command -v "$runtime" >/dev/null; then
                echo "ok 1 - runc # SKIP $runtime is not installed" >>"$work/all"
                continue
        fi
        contract executor runc --option "binary=$runtime" --option "run-dir=$work/run-$runtime"
        echo "# the above: $runtime" >>"$work/all"
        [ -z "$(ls -A "$work/run-$runtime/exec")" ] || echo "not ok 1 - runc: a container of $runtime is left" >>"$work/all"
done
contract_end
