"""The help: what ``mtop --help`` says beyond the options."""

from __future__ import annotations

__all__ = ["EXAMPLES", "FILTERS", "HEAD"]

HEAD = """\
Show minions as htop shows processes: what each does, how fast, what fails, what is lost.

Without URL the fleet is what a registry holds: that of -r, else MINION_REGISTRY, .env or .minionize.yml, else the
directory in your home where minions announce themselves. A URL is that of a minion's stats server, such as
http://node-7:41234; dns+http://NAME:PORT stands for all addresses of a name, as a headless service of Kubernetes has
them. In the screen F1 tells all keys.
"""

FILTERS = (
    ("nancy", "text in id, host, job, user, state, queue or command"),
    ("nancy|lyon  !lost", "one of them; all but these"),
    ("failed>0 and host=nancy*", "an expression: columns, = != < <= > >= ~ !~, and, or, not, ( )"),
    ("p95>=250ms  mem>1.5G", "numbers have units; = takes * and ?, ~ a regular expression"),
    ("'a|b'  \"x = y\"", "quotes, for text with such signs"),
)
"""What -F and F4 understand, by examples."""

EXAMPLES = """\
mtop                                                # the fleet of this user
mtop -F 'failed>0' -s failed                        # the minions that fail, the worst first
mtop -r redis://db -r dir:/shared/minions           # two registries
mtop --once > now || mail -s minions me < now       # for cron
mtop --json | jq .fleet.backlog                     # for scripts; the names stay
mtop --json -d 5 >> fleet.jsonl                     # a line every five seconds
mtop --record night.mtop                            # and later: mtop --replay night.mtop
mtop --serve 8000 --readonly                        # in a browser
mtop --demo 200                                     # to have a look around
"""
