"""The conformance suite: any WWEP server against the protocol's description, case by case."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from . import _core
from .errors import RigError


class NoServer(RigError):
    """There is no server at the address."""


class Outcome(Enum):
    """What a case found."""

    PASS = "pass"
    NOTE = "note"
    """The server deviates from a ruling, where the protocol's description is silent."""
    FAIL = "fail"
    """The server deviates from the description."""
    SKIPPED = "skipped"
    """The case cannot apply to this server, or could not be judged; the reason says why."""


@dataclass(frozen=True)
class Case:
    """One case of the suite."""

    name: str
    sentence: str
    """What holds when it passes."""
    rule: str
    """Where that is written: `description`, `ruling 3`."""


@dataclass(frozen=True)
class Step:
    """Something that happened while a case ran."""

    kind: str
    """connected, sent, received, ended or note."""
    connection: int
    """Counted from 1 within the case."""
    at_ns: int
    """Since the case began."""
    data: bytes
    """At most 64 bytes of what was sent or received."""
    data_size: int
    """All of them."""
    text: str
    """For people."""

    def line(self) -> str:
        """One line for people, its bytes as they are where they show."""
        shown = escaped(self.data)
        if self.data_size > len(self.data):
            shown += f"... ({self.data_size} bytes)"
        words = [f"{self.at_ns / 1e6:9.1f} ms", f"#{self.connection}", f"{self.kind:<9}"]
        return "  ".join([*words, " ".join(each for each in (shown, self.text) if each)]).rstrip()


@dataclass(frozen=True)
class CaseResult:
    """What became of one case, with the bytes that led to it."""

    case: Case
    outcome: Outcome
    reason: str
    """One sentence; empty when it passed."""
    findings: tuple[str, ...]
    steps: tuple[Step, ...]
    """Of the exchanges that led to the findings; of the last one if all was well."""
    exchanges: int
    """Requests sent in all."""
    took_ns: int

    def evidence(self) -> list[str]:
        """The steps, one line each."""
        return [step.line() for step in self.steps]


@dataclass(frozen=True)
class ServerUnderTest:
    """A server, and what its owner says about it."""

    connection: _core.ClientOptions
    one_at_a_time: bool | None = None
    """Whether it serves one connection at a time; None: found out by probing."""
    keep_open: bool | None = None
    """Whether a connection carries many transactions; None: found out by probing."""
    patience_s: float = 5.0
    """How long it may take for an answer, a handshake or a close."""
    idle_timeout_s: float | None = None
    """After how long it closes a connection that says nothing; None: not tested."""
    seed: int = field(default_factory=lambda: random.SystemRandom().getrandbits(31))
    """The devices that the suite writes to follow from it."""


def cases() -> tuple[Case, ...]:
    """All cases, in the order in which they should run: the rough ones come last."""
    return tuple(Case(each.name, each.sentence, each.rule) for each in _core.Conformance.cases())


def matching(patterns: Sequence[str]) -> tuple[Case, ...]:
    """The cases that one of the patterns names, `tls.*` for one; without patterns all of them."""
    return tuple(
        case
        for case in cases()
        if not patterns or any(fnmatch.fnmatchcase(case.name, each) for each in patterns)
    )


def escaped(data: bytes) -> str:
    r"""Bytes on one line: printable ones as they are, the others as `\x0d`."""
    return "".join(chr(b) if 0x20 < b < 0x7F and b != 0x5C else f"\\x{b:02x}" for b in data)


class Conformance:
    """The suite against one server. Ctrl-C interrupts whatever waits."""

    def __init__(self, server: ServerUnderTest) -> None:
        """Connects to nobody yet."""
        options = _core.ConformOptions()
        options.server = server.connection
        options.one_at_a_time = server.one_at_a_time
        options.keep_open = server.keep_open
        options.patience_s = server.patience_s
        options.idle_timeout_s = server.idle_timeout_s
        options.seed = server.seed
        self.server = server
        self._core = _core.Conformance(options)
        self._cases = {case.name: case for case in cases()}

    def probe(self) -> None:
        """Find out what the server is like. Raises NoServer when there is nobody."""
        if failure := self._core.probe():
            raise NoServer(failure)

    @property
    def one_at_a_time(self) -> bool:
        """Whether the server serves one connection at a time: told, or found out by probe()."""
        return self._core.one_at_a_time

    @property
    def keeps_open(self) -> bool:
        """Whether a connection carries many transactions: told, or found out by probe()."""
        return self._core.keeps_open

    @property
    def tls(self) -> str:
        """Version and suite of the probe's connection; empty in the clear."""
        return f"{self._core.tls_version} {self._core.cipher}".strip()

    def run(self, name: str) -> CaseResult:
        """Run one case; probe() comes first."""
        found = self._core.run(name)
        return CaseResult(
            case=self._cases[name],
            outcome=Outcome(found.outcome),
            reason=found.reason,
            findings=tuple(found.findings),
            steps=tuple(
                Step(s.kind, s.connection, s.at_ns, s.bytes, s.bytes_count, s.text)
                for s in found.steps
            ),
            exchanges=found.exchanges,
            took_ns=found.took_ns,
        )
