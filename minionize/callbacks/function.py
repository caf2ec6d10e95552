"""Runs a param as a call of a Python function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from minionize.callback import Context, DefaultCallback
from minionize.task import Param

if TYPE_CHECKING:
    from minionize.engine import Engine

P = ParamSpec("P")
R = TypeVar("R")


class FuncCallback(DefaultCallback):
    """Calls a function for each param; what it returns is the param's result."""

    def __init__(self, func: Callable[..., Any], spread: bool = False) -> None:
        """Wrap a function.

        Args:
            func: The function.
            spread: A mapping fills keyword arguments, a list positional ones; otherwise the function
                gets the param as its only argument.
        """
        self.func = func
        self.spread = spread

    @property
    def title(self) -> str:
        """The function, as MODULE:NAME."""
        named = getattr(self.func, "__qualname__", type(self.func).__qualname__)
        return f"{getattr(self.func, '__module__', '?')}:{named}"

    def process(self, param: Param, context: Context) -> Any:
        """Call the function."""
        if self.spread and isinstance(param, Mapping):
            return self.func(**param)
        if self.spread and isinstance(param, (list, tuple)):
            return self.func(*param)
        return self.func(param)


class Minionized(Generic[P, R]):
    """A function that can be run over a queue, and still be called.

    Attributes:
        callback: The callback that calls it.
        settings: Settings for ``run``, from the decorator.
    """

    def __init__(self, func: Callable[P, R], settings: Mapping[str, Any]) -> None:
        self._func = func
        self.settings = dict(settings)
        self.callback = FuncCallback(func, spread=True)
        functools.update_wrapper(self, func)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, here and now."""
        return self._func(*args, **kwargs)

    def run(self, engine: Engine | None = None, **settings: Any) -> int:
        """Run it for the params of a queue; return the exit code, as ``minionize`` would.

        Args:
            engine: The queue; by default what the settings say.
            settings: Settings by key, such as ``slots=4``.

        Raises:
            MinionizeError: The settings, the queue or the function cannot be used.
        """
        # The public API; by its name, for the worker stands above the callbacks.
        import minionize

        return int(minionize.minionizer(self.callback, engine=engine, **{**self.settings, **settings}).run())


@overload
def minionize(func: Callable[P, R], /) -> Minionized[P, R]: ...
@overload
def minionize(**settings: Any) -> Callable[[Callable[P, R]], Minionized[P, R]]: ...


def minionize(func: Callable[P, R] | None = None, /, **settings: Any) -> Any:
    """Decorate a function, so that it can be run over a queue: ``@minionize`` or ``@minionize(slots=4)``.

    The function stays callable. ``f.run()`` runs it here, ``minionize --function module:f`` on the command line.
    """
    if func is not None:
        return Minionized(func, settings)
    return lambda func: Minionized(func, settings)
