"""A Python function, and a wrapper that tells what of a param goes where."""

from minionize import FuncCallback, Param, minionizer


def myfunc(arg1: int, arg2: int) -> int:
    print(f"myfunc was given: {arg1} {arg2}")
    return arg1 * arg2


def _myfunc(param: Param) -> int:
    return myfunc(param["arg1"], param["arg2"])


if __name__ == "__main__":
    raise SystemExit(minionizer(FuncCallback(_myfunc)).run())
