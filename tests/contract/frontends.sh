#!/usr/bin/env bash
# Every frontend in the tree keeps the rules of its kind: one TAP line per rule and plugin.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/contract/each.sh"
contract_all frontend frontend
contract_end
