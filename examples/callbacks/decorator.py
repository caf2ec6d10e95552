"""A function with the decorator: a mapping fills its arguments, what it returns is the param's result."""

from minionize import minionize


@minionize(results="results.csv")
def product(arg1: int, arg2: int) -> int:
    return arg1 * arg2


if __name__ == "__main__":
    raise SystemExit(product.run())
