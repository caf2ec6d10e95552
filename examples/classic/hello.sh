#!/usr/bin/env bash
# Ten params in a sweep directory, a program, a minion.
set -eu

python -c "from execo_engine.sweep import ParamSweeper; ParamSweeper('sweeps', sweeps=range(10), save_sweeps=True)"
MINION_ENGINE=execo minionize echo hello
