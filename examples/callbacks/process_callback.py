"""A program that is called as ``a.out --arg1 VALUE VALUE``, and params that are mappings."""

from minionize import Param, ProcessCallback, minionizer


class MyProcessCallback(ProcessCallback):
    def to_cmd(self, param: Param) -> str:
        return f"./a.out --arg1 {param['arg1']} {param['arg2']}"


if __name__ == "__main__":
    raise SystemExit(minionizer(MyProcessCallback()).run())
