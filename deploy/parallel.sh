#!/usr/bin/env bash
# All shards on this machine, JOBS at a time, with GNU parallel. Called again with the same
# arguments, it does the shards that did not end with status 0, and no other.
#
#   deploy/parallel.sh [INDEX ...]         without an INDEX, all shards
#
# GNU parallel finds these shards by their places in the list. For another list, give another OUT or
# remove OUT/jobs.log.
set -euo pipefail

: "${SHARDS:=100}" "${CAMPAIGN:=--runs 1000}" "${OUT:=shards}" "${RAFTLAB:=raftlab}"
: "${JOBS:=$(nproc)}"

mkdir -p "$OUT"
# shellcheck disable=SC2086 # the campaign is several words
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else seq 0 $((SHARDS - 1)); fi |
    parallel --jobs "$JOBS" --joblog "$OUT/jobs.log" --resume-failed \
        "$RAFTLAB" test $CAMPAIGN --quiet --jobs 1 \
        --job-index {} --job-count "$SHARDS" --report "$OUT/shard-{}.jsonl" '>' /dev/null
