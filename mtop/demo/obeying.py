"""What the minions of the demo make of orders."""

from __future__ import annotations

from urllib.parse import unquote

from mtop.demo.backlogs import Backlogs
from mtop.demo.cast import Member
from mtop.demo.evidence import run_of
from mtop.feed import Unanswered
from mtop.orders import DRAIN, PAUSE, REQUEUE_DEAD, RESUME, Order

__all__ = ["obey"]


def obey(member: Member, order: Order, x: float, backlogs: Backlogs) -> str:
    """Have a minion do as it is told; return what it answers.

    Raises:
        Unanswered: It does not, and why.
    """
    state = member.course.standing(x).state
    if order.path == REQUEUE_DEAD.path:
        number = backlogs.requeue(member, x)
        return f"requeued {number} dead param{'' if number == 1 else 's'}"
    if order.path.startswith("/tasks/"):
        return _end(member, order.path, x)
    if state == "draining" and order.path != DRAIN.path:
        raise Unanswered("it is draining, and leaves")
    if order.path == "/slots":
        slots = order.body["slots"] if order.body else None
        if not isinstance(slots, int) or slots < 1:
            raise Unanswered("there must be one slot at least")
        member.course.turn(x, state, slots)
        return f"slots {slots}"
    if order.path == PAUSE.path and state != "paused":
        member.course.turn(x, "paused")
    elif order.path == RESUME.path and state == "paused":
        member.course.turn(x, "running" if member.sweep.left else "idle")
    elif order.path == DRAIN.path and state != "draining":
        member.course.turn(x, "draining")
    return member.course.standing(x).state


def _end(member: Member, path: str, x: float) -> str:
    """End a run: ``/tasks/ID/kill`` or ``/tasks/ID/requeue``."""
    _, _, id, verb = path.split("/")
    run = run_of(member, x, unquote(id))
    if run < 0:
        member.course.stuck = 0
    ended = member.killed if verb == "kill" else member.given_back
    ended[run] = x
    member.course.turn(x, member.course.standing(x).state, ended=1)
    return "killed" if verb == "kill" else "requeued"
