#!/usr/bin/env bash
# The same with a record for each run, and how long each of them took.
set -eu

python -c "from execo_engine.sweep import ParamSweeper; ParamSweeper('sweeps', sweeps=range(10), save_sweeps=True)"
MINION_ENGINE=execo MINION_REPORTER=json minionize sleep

python -c "
import json, sys
for record in sorted(map(json.loads, sys.stdin), key=lambda record: record['param']):
    print(record['param'], record['settled'], round(record['duration']))
" < <(cat minion-report/*.jsonl)
