"""Calls a callback's functions for one task, and turns what comes of it into an outcome."""

from __future__ import annotations

import json
import os
import sys
import time
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, NoReturn

from minionize.callback import Callback, Context, ProgramError
from minionize.errors import CallbackError
from minionize.task import Outcome, OutcomeKind, Task, plain
from minionize.worker.output import TAIL
from minionize.worker.runner import ANNOUNCED, USERS, describe

_UNRUN = (CoroutineType, GeneratorType, AsyncGeneratorType)


def call(callback: Callback, task: Task, context: Context) -> Outcome:
    """Call setup, process and teardown.

    Raises:
        CallbackError: The callback says that no param can be run here.
    """
    started = time.time()
    result: Any = None
    caught: BaseException | None = None
    try:
        callback.setup(task.param, context)
        result = callback.process(task.param, context)
        if isinstance(result, _UNRUN):
            _refuse(result)
    except (CallbackError, KeyboardInterrupt):
        raise
    except USERS as error:
        caught = error
    try:
        callback.teardown(task.param, context, caught)
    except (CallbackError, KeyboardInterrupt):
        raise
    except USERS as error:
        caught = caught or error
    if caught is None:
        outcome = Outcome(OutcomeKind.SUCCEEDED, started, time.time(), result=as_json(result), pid=os.getpid())
    else:
        outcome = raised(caught, started)
    if context.argv is None and context.exit_code is None:
        return outcome
    code = outcome.exit_code if context.exit_code is None else context.exit_code
    return outcome._replace(argv=context.argv, exit_code=code)


def _refuse(result: Any) -> NoReturn:
    """Refuse what was made and not run: its param would be done though nothing was."""
    if isinstance(result, CoroutineType):
        result.close()
        raise CallbackError("an async function only made a coroutine; call it within asyncio.run()")
    raise CallbackError("a function with yield only made a generator, and ran nothing; return a list")


def announce(task: Task) -> None:
    """Put into the environment what functions, and the processes that they start, may want to know.

    Not the param nor its id, as for programs: the C library keeps each value that a variable ever had.
    """
    if "MINION_PARAM_ID" in os.environ:
        # That of a minion in whose run this one runs.
        for name in ANNOUNCED:
            os.environ.pop(name, None)
    os.environ.update(MINION_ID=task.minion, MINION_ATTEMPT=str(task.attempt or 1), MINION_SLOT=str(task.slot))


def raised(error: BaseException, started: float) -> Outcome:
    """Make the outcome of a run that ended by an exception; its traceback is the evidence."""
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return Outcome(OutcomeKind.SUCCEEDED, started, time.time(), exit_code=0, pid=os.getpid())
    if isinstance(error, ProgramError):
        return Outcome(OutcomeKind.FAILED, started, time.time(), reason=str(error), pid=os.getpid())
    import traceback

    trace = "".join(traceback.format_exception(error))
    if not isinstance(error, BrokenPipeError) and sys.stderr is not None:
        # Seen by the user as any program's stderr is; in a child process it is captured from there. A print that
        # nobody reads is nothing to show.
        sys.stderr.write(trace)
    code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else None
    return Outcome(
        OutcomeKind.FAILED,
        started,
        time.time(),
        exit_code=code,
        reason=describe(error),
        pid=os.getpid(),
        stderr_tail=trace[-TAIL:],
    )


def as_json(result: Any) -> Any:
    """Make a JSON value of a function's result; what has no form in JSON becomes text."""
    if result is None or isinstance(result, (str, int, bool)):
        return result
    try:
        return json.loads(json.dumps(result, default=plain, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return str(result)
