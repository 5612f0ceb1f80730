#!/usr/bin/env bash
# Every exporter in the tree keeps the rules of its kind: one TAP line per rule and plugin.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/contract/each.sh"
contract_all exporter exporter
contract_end
