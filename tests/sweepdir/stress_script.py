"""A minion that takes and settles at random, and watches that it is alone with each param. Run as its own process."""

from __future__ import annotations

import fcntl
import os
import random
import sys
import time

from minionize.engine import EndOfQueue
from minionize.engines.execo import ExecoEngine

folder, watched = sys.argv[1], sys.argv[2]
chance = random.Random(os.getpid())
engine = ExecoEngine(persistence_dir=folder, lease=20.0)
engine.minion = f"minion-{os.getpid()}"
engine.open()


def alone(param: object) -> int:
    """Lock a file of the param: the system lets go of it when the process dies."""
    fd = os.open(os.path.join(watched, str(param)), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with open(os.path.join(watched, "twice"), "a") as file:
            file.write(f"{param}\n")
    return fd


while True:
    try:
        taken = engine.receive(chance.randint(1, 12), 0.2)
    except EndOfQueue:
        break
    fds = [alone(delivery.param) for delivery in taken]
    engine.started(taken[: len(taken) // 2])
    time.sleep(chance.random() * 0.01)
    cut = chance.randint(0, len(taken))
    for fd in fds:
        os.close(fd)
    engine.ack(taken[:cut])
    if chance.random() < 0.5:
        engine.nack(taken[cut:], delay=chance.random() * 0.05, charge=chance.random() < 0.5)
    else:
        engine.ack(taken[cut:])
engine.close()
