"""``--function module:name`` -> a callback."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minionize.callback import Callback
from minionize.errors import CallbackError, SettingsError
from minionize.names import nearest

__all__ = ["load_function"]


def load_function(name: str, cwd: Path) -> tuple[Callback, Mapping[str, Any]]:
    """Import a function or a callback.

    Args:
        name: ``module:name``; dots on both sides go deeper.
        cwd: Where modules are looked for first.

    Returns:
        The callback, and the settings that the function's decorator gave.

    Raises:
        SettingsError: The name has another form.
        CallbackError: There is no such module or name, its import failed, or it cannot be called.
    """
    module_name, colon, path = name.partition(":")
    if not colon or not path or not all(map(str.isidentifier, [*module_name.split("."), *path.split(".")])):
        raise SettingsError(f"--function {name}: must be MODULE:NAME, such as mycode:run for run() in mycode.py")
    if module_name.endswith(".py") and (cwd / module_name).is_file():
        raise SettingsError(f"--function {name}: must be MODULE:NAME; did you mean {module_name[:-3]}:{path}?")
    if str(cwd) not in sys.path:
        sys.path.insert(0, str(cwd))
    found = _import(module_name, name)
    for part in path.split("."):
        if not hasattr(found, part):
            near = nearest(part, [each for each in dir(found) if not each.startswith("_")])
            raise CallbackError(
                f"--function {name}: {module_name} has no {part!r}{f'; did you mean {near}?' if near else ''}"
            )
        found = getattr(found, part)
    return _callback(found, name), dict(getattr(found, "settings", None) or {}) if _decorated(found) else {}


def _decorated(found: Any) -> bool:
    return not isinstance(found, (type, Callback)) and isinstance(getattr(found, "callback", None), Callback)


def _callback(found: Any, name: str) -> Callback:
    if isinstance(found, type) and issubclass(found, Callback):
        try:
            return found()
        except Exception as error:
            raise CallbackError(f"--function {name}: cannot be made: {_told(error)}") from error
    if isinstance(found, Callback):
        return found
    if _decorated(found):
        callback: Callback = found.callback
        return callback
    if not callable(found):
        raise CallbackError(f"--function {name}: cannot be called: its type is {type(found).__name__}")
    from minionize.callbacks.function import FuncCallback

    return FuncCallback(found, spread=True)


def _import(module_name: str, name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module_name)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise CallbackError(
                f"--function {name}: there is no module {error.name}, neither here nor installed"
            ) from None
        raise CallbackError(f"--function {name}: {_told(error)}") from error
    except BaseException as error:
        # The border around the user's code: a sys.exit in their module, too, must not end a minion silently.
        raise CallbackError(f"--function {name}: {_told(error)}") from error


def _told(error: BaseException) -> str:
    """Tell an error of the user's code in short: what, and the last place of theirs."""
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, SyntaxError):
        return what
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<frozen") and file != __file__:
            place = f" ({file}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return f"{what}{place}"
