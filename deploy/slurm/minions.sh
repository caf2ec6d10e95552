#!/usr/bin/env bash
# minion-launch slurm --cpus 4 -n 10 --name minions --walltime 2h -- minionize --slots auto ./a.out

#SBATCH --job-name=minions
#SBATCH --array=1-10
#SBATCH --ntasks=1
#SBATCH --time=2:00:00
#SBATCH --cpus-per-task=4
#SBATCH --signal=B:USR2@60
#SBATCH --requeue
#SBATCH --open-mode=append

# Minions leave before they would be told to: no param begins that would be cut off then.
export MINION_MARGIN=60

# That the walltime comes near Slurm tells this shell alone (B:). It passes that on, and waits until the minion is gone.
# TERM (scancel, the walltime itself, a preemption) Slurm sends to every process of the job. It is not passed on: a
# second one would have the minion kill at once what it runs.
minion=
signals=0
warned=
trap 'signals=$((signals + 1)); warned=yes; if [ -n "$minion" ]; then kill -s USR2 "$minion"; fi' USR2
trap 'signals=$((signals + 1))' TERM

minionize --slots auto ./a.out &
minion=$!
if [ -n "$warned" ]; then kill -s USR2 "$minion"; fi
while true; do
    seen=$signals
    wait "$minion"
    code=$?
    # Else a signal has ended the waiting, not the minion.
    if [ "$seen" -eq "$signals" ]; then break; fi
done

# 99: there is work left. The job starts anew, with its id; of an array this element alone. Not if it leaves at once
# whenever it starts: then nothing of what is left fits into it.
if [ "$code" -eq 99 ] && [ "$SECONDS" -lt 10 ] && [ "${SLURM_RESTART_COUNT:-0}" -ge 3 ]; then
    echo "not requeued: it was started $SLURM_RESTART_COUNT times anew, and has left at once again" >&2
elif [ "$code" -eq 99 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
