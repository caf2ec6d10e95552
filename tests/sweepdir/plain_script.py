"""A script with a plain ParamSweeper, as users write them; does what it reads on stdin. Run as its own process."""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")
from execo_engine.sweep import HashableDict, ParamSweeper, sweep  # noqa: E402

folder, params = sys.argv[1], json.loads(sys.argv[2])
if isinstance(params, dict):
    params = sweep(params)
sweeper = ParamSweeper(folder, sweeps=params, save_sweeps=True) if params is not None else ParamSweeper(folder)
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    name, *values = json.loads(line)
    values = [HashableDict(value) if isinstance(value, dict) else value for value in values]
    answer = getattr(sweeper, name)(*values)
    if isinstance(answer, set):
        answer = sorted(answer, key=str)
    print(json.dumps(answer), flush=True)
