"""An engine in 40 lines: a queue in an SQLite database, shared by the minions of one machine."""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from minionize.engine import Delivery, EndOfQueue, Engine, EngineError, Features, LeaseLost
from minionize.setting import Setting, text
from minionize.task import Param

# A row is a param. It is free from ``free_at`` on; ``turn`` changes whenever it changes hands.
TABLE = "CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, param, attempt, turn, free_at)"
PUT = "INSERT INTO queue VALUES (NULL, ?, 0, 0, 0) RETURNING id"
FREE = "SELECT id FROM queue WHERE free_at <= ? ORDER BY id LIMIT ?"
TAKE = f"UPDATE queue SET free_at = ?, attempt = attempt + 1, turn = turn + 1 WHERE id IN ({FREE}) RETURNING *"
GIVE_BACK = "UPDATE queue SET free_at = ?, attempt = attempt - ?, turn = turn + 1"
OURS = " WHERE id = ? AND turn = ? RETURNING id"
LEASE = 60.0


class SqliteEngine(Engine):
    name = "sqlite"
    features = Features(
        lease="deadline", attempts=True, nack_delay=True, dead_letter=False, backlog="none", finite=True, shared=True,
        fenced=True, ordered=False, decodes=False, ack="its row is deleted", renewal="an update of its row",
        redelivery="anyone, when its lease has run out",
    )  # fmt: skip
    settings = (Setting("path", "SQLITE_PATH", text, "params.db", "The database."),)
    database: sqlite3.Connection | None = None

    def open(self) -> None:
        self.close()
        self.database = sqlite3.connect(self.config["path"], timeout=30, isolation_level=None)
        self.run(TABLE)

    def close(self) -> None:
        if self.database is not None:
            self.database.close()

    def run(self, sql: str, *values: Any) -> list[Any]:
        try:
            return self.database.execute(sql, values).fetchall() if self.database else []
        except sqlite3.Error as error:
            raise EngineError(f"database {self.config['path']}: {error}") from error

    def put(self, params: Iterable[Param]) -> int:
        self.open()
        return sum(len(self.run(PUT, json.dumps(param))) for param in params)

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        rows = self.run(TAKE, time.time() + LEASE, time.time(), max_messages)
        if not rows and not self.run("SELECT id FROM queue LIMIT 1"):
            raise EndOfQueue
        time.sleep(0 if rows else timeout)
        return [Delivery(json.loads(p), str(id), attempt, turn > 1, LEASE, turn) for id, p, attempt, turn, _ in rows]

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.settle(deliveries, "DELETE FROM queue")

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        self.settle(deliveries, GIVE_BACK, time.time() + delay, not charge)

    def settle(self, deliveries: Sequence[Delivery], sql: str, *values: Any) -> None:
        if lost := [each for each in deliveries if not self.run(sql + OURS, *values, each.id, each.receipt)]:
            raise LeaseLost(lost)

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        sql, until = "UPDATE queue SET free_at = ?" + OURS, time.time() + LEASE
        return [each for each in deliveries if not self.run(sql, until, each.id, each.receipt)]
