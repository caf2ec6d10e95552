#!/usr/bin/env bash
# minion-launch oar -n 10 --name minions --walltime 2h -- minionize --slots auto ./a.out

#OAR -n minions
#OAR -l nodes=1,walltime=2:00:00
#OAR -t besteffort
#OAR -t idempotent
#OAR --checkpoint 60
#OAR --array 10

# Minions leave before they would be told to: no param begins that would be cut off then.
export MINION_MARGIN=60

exec minionize --slots auto ./a.out
