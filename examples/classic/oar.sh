#!/usr/bin/env bash

#OAR -n kpd
#OAR -l nodes=1,walltime=1:0:0
#OAR -t besteffort
#OAR -t idempotent

# oarsub --array 10 -S ./oar.sh

set -eux

pip install minionize

minionize echo "hello from $OAR_JOB_ID"
