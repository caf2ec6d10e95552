from __future__ import annotations

import time

from mtop.poll.poller import Poller
from tests.mtop.fleet_server import fleet


def test_who_is_alone_and_does_not_answer_is_asked_again() -> None:
    with fleet(odd=["hang"]) as urls:
        poller = Poller(interval=0.01, timeout=0.05)
        poller.start()
        try:
            poller.aim(urls)
            heard, until = list(poller.heard()), time.monotonic() + 20.0
            while len(heard) < 3 and time.monotonic() < until:
                time.sleep(0.005)
                heard += poller.heard()
            assert {each.trouble for each in heard} == {"does not answer within 0.05 s"}
            assert len(heard) >= 3
        finally:
            poller.close()
