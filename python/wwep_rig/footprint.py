"""What a process takes of its machine: a target that leaks grows."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Footprint:
    """What a process takes.

    Attributes:
        memory_kb: resident, in KiB.
        descriptors: open files and sockets.
        threads: how many it runs.
    """

    memory_kb: int
    descriptors: int
    threads: int

    def exceeds(self, other: "Footprint", *, memory_kb: int) -> bool:
        """Whether it is larger than another, by more than so much memory or by anything else."""
        return (
            self.memory_kb > other.memory_kb + memory_kb
            or self.descriptors > other.descriptors
            or self.threads > other.threads
        )


def footprint_of(pid: int, proc: Path = Path("/proc")) -> Footprint:
    """What a process takes now. Raises OSError when there is none, or it is another user's."""
    folder = proc / str(pid)
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return Footprint(
        memory_kb=int(status["VmRSS"].split()[0]),
        descriptors=sum(1 for _ in (folder / "fd").iterdir()),
        threads=int(status["Threads"]),
    )
