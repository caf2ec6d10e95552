"""What the minions of the demo work at: their queues, commands, hosts, params, and what goes wrong there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

__all__ = ["BLACK_HOLE", "ME", "QUIET", "SWEEPS", "Fault", "Sweep"]

ME, OTHER = "ada", "blaise"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which runs fail.

    Attributes:
        stderr: The end of stderr; ``{n}`` and ``{m}`` are numbers that differ.
        exit_code, signal: How the run ended.
    """

    stderr: str
    exit_code: int | None = 1
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One queue and the minions that work at it.

    Attributes:
        engine, queue, command, user: As minions say them.
        seconds: How long a run takes, on average.
        slots: How many slots a minion may have.
        bad: The share of runs that do not succeed.
        left: Seconds for which the backlog lasts.
        host: Makes the name of a host of a number.
        job: Makes the labels of a minion on that host: scheduler, number of the job.
        param: Makes a param.
        faults: What goes wrong, the most frequent first.
        share: How many minions work at it, beside the others.
        memory: Bytes of a run; ``cores``: how many it uses.
    """

    engine: str
    queue: str
    command: str
    user: str
    seconds: float
    slots: tuple[int, ...]
    bad: float
    left: float
    host: Callable[[int], str]
    job: Callable[[int], dict[str, str]]
    param: Callable[[Random], object]
    faults: tuple[Fault, ...]
    share: int
    memory: int = 400 * 2**20
    cores: float = 0.97


_TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/home/ada/train.py", line 214, in <module>\n'
    "    main()\n"
    '  File "/home/ada/train.py", line 97, in main\n'
    "    loss = step(batch)\n"
)
NO_SPACE = Fault("writing part {n}\nOSError: [Errno 28] No space left on device: '/tmp/out-{m}.part'\n")
NO_MEMORY = Fault("allocating {n} MiB\nout of memory: {m} bytes\n", None, 9)
RESET = Fault(
    "GET /v1/shards/{n}\nConnectionResetError: [Errno 104] Connection reset by peer: 'storage-{m}.example'\n", 75
)
DIVERGED = Fault(_TRACEBACK + "ValueError: loss is nan at step {n}: it has diverged\n")
NO_SCENE = Fault("Blender 4.2.1\nError: Cannot read file '/scenes/{n}.blend': No such file or directory\n", 2)
TRUNCATED = Fault("[M::bwa_idx_load] read 0 ALT contigs\n[E::bseq_read] record {n} is truncated\n", 1)
BLACK_HOLE = Fault(
    _TRACEBACK + "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory\n"
)


def _grid5000(cluster: str, nodes: int, site: str) -> Callable[[int], str]:
    return lambda number: f"{cluster}-{number % nodes + 1}{site}"


def _node(number: int) -> str:
    return f"cn-{number % 400 + 17:04}"


def _own(number: int) -> str:
    return f"tamarin{number % 9 or ''}"


def _oar(number: int) -> dict[str, str]:
    job = str(1_983_200 + number // 8)
    return {"job": job, "oar_job_id": job}


def _slurm(number: int) -> dict[str, str]:
    job = str(481_730 + number // 16)
    return {"job": job, "slurm_job_id": job, "slurm_array_task_id": str(number % 16)}


def _pod(number: int) -> dict[str, str]:
    pod = _pod_name(number)
    return {"job": pod, "pod": pod, "namespace": "genomics"}


def _pod_name(number: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return "bwa-" + "".join(Random(number).choices(letters, k=5))


def _shuffle(random: Random) -> object:
    return {"nodes": random.choice((4, 8, 16, 32)), "size": 2 ** random.randint(20, 34), "codec": random.choice("lz")}


def _frame(random: Random) -> object:
    # The last one is what people put into names now and then; it must not harm a screen.
    scenes = ("harbour", "atrium", "forest", "été", "港の夜", "new\x1b[31m\x1b]0;oops\x07scene")
    scene = random.choices(scenes, (30, 30, 30, 6, 6, 2))[0]
    return {"scene": f"{scene}.blend", "frame": random.randint(1, 4_800)}


def _genome(random: Random) -> object:
    return f"s3://reads/ERR{random.randint(1_000_000, 9_999_999)}.fastq.gz"


def _trial(random: Random) -> object:
    rate, depth = round(10 ** random.uniform(-5, -1), 6), random.choice((12, 18, 34, 50))
    return {"lr": rate, "depth": depth, "seed": random.randint(0, 9)}


def _page(random: Random) -> object:
    return f"https://archive.example/{random.randint(1996, 2026)}/{random.getrandbits(32):08x}.html"


def _protein(random: Random) -> object:
    return ">" + "".join(random.choices("ACDEFGHIKLMNPQRSTVWY", k=24))


SWEEPS = (
    Sweep("execo", "/home/ada/sweeps/shuffle", "./bench.sh --nodes {nodes} --size {size}", ME, 38.0, (4, 8), 0.004,
          5_400.0, _grid5000("dahu", 32, ".grenoble"), _oar, _shuffle, (NO_SPACE, RESET, NO_MEMORY), 30),
    Sweep("redis", "render:frames", "blender -b {scene} -f {frame}", ME, 9.0, (8, 16), 0.003, 2_460.0,
          _node, _slurm, _frame, (NO_SCENE, NO_SPACE, NO_MEMORY), 25, 900 * 2**20),
    Sweep("rabbitmq", "genomes", "bwa mem -t 4 ref.fa {}", ME, 3.2, (2, 4), 0.002, 7_980.0, _pod_name, _pod, _genome,
          (TRUNCATED, RESET, NO_SPACE), 18, 250 * 2**20, 3.6),
    Sweep("execo", "/home/ada/sweeps/lr-grid", "python train.py --lr {lr} --depth {depth}", ME, 36.0, (8,), 0.02,
          9_900.0, _grid5000("chifflot", 8, ".lille"), _oar, _trial, (DIVERGED, NO_MEMORY, NO_SPACE), 9, 3 * 2**30,
          1.9),
    Sweep("redis", "proteins", "fold --seq {} --out results/", OTHER, 21.0, (8,), 0.002, 9_300.0,
          _grid5000("grisou", 51, ".nancy.grid5000.fr"), _oar, _protein, (NO_MEMORY, RESET), 12, 2 * 2**30),
    Sweep("file", "urls.txt", "curl -sfO {}", ME, 1.6, (8,), 0.006, 1_500.0, _own, lambda number: {},
          _page, (RESET, NO_SPACE), 6, 12 * 2**20, 0.04),
)  # fmt: skip
"""What goes on, roughly by how many minions work at it."""

QUIET = Sweep(
    "redis", "nightly:reports", "make-report {}", ME, 14.0, (4,), 0.002, 0.0, _node, _slurm,
    _genome, (RESET,), 0,
)  # fmt: skip
"""A queue in which nothing is left: its minions idle."""
