#!/usr/bin/env bash
# A Slurm job array, one task per shard.
#
#   sbatch deploy/slurm.sh                 all shards
#   sbatch --array=3,17 deploy/slurm.sh    the shards that `raftlab merge` says are missing
#
# The last index of --array is SHARDS - 1; %20 lets 20 tasks run at a time.
#SBATCH --job-name=raftlab
#SBATCH --array=0-99%20
#SBATCH --cpus-per-task=1
#SBATCH --output=raftlab-%A-%a.log
set -euo pipefail

# Not SLURM_ARRAY_TASK_COUNT: if only two shards are done again, it is 2.
: "${SHARDS:=100}" "${CAMPAIGN:=--runs 1000}" "${OUT:=shards}" "${RAFTLAB:=raftlab}"

mkdir -p "$OUT"
# shellcheck disable=SC2086 # the campaign is several words
exec "$RAFTLAB" test $CAMPAIGN --quiet --jobs "${SLURM_CPUS_PER_TASK:-1}" \
    --job-index "$SLURM_ARRAY_TASK_ID" --job-count "$SHARDS" \
    --report "$OUT/shard-$SLURM_ARRAY_TASK_ID.jsonl"
