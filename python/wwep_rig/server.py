"""The WWEP server of a bench, as scripts use it."""

from typing import Literal

from . import _core, faults
from .bench_config import BenchConfig
from .errors import NoBench, RigError
from .explained import Explained


class Server:
    """The WWEP server of the bench."""

    def __init__(self, core: _core.Bench, config: BenchConfig, explained: Explained) -> None:
        self._core = core
        self._config = config
        self._explained = explained

    @property
    def names(self) -> tuple[str, ...]:
        """The host names that lead to it."""
        return self._config.server.names

    @property
    def plain_endpoints(self) -> tuple[str, ...]:
        """Addresses with ports, in the clear."""
        return tuple(self._core.plain_endpoints)

    @property
    def tls_endpoints(self) -> tuple[str, ...]:
        """Addresses with ports, over TLS."""
        return tuple(self._core.tls_endpoints)

    def register(self, device: int, register: int) -> int | None:
        """What a register holds; None: nothing was written to it."""
        return self._core.read_register(device, register)

    def write(self, device: int, register: int, value: int) -> None:
        """Put a 16-bit value into a register, as if a client had written it."""
        self._core.write_register(device, register, value)

    @property
    def tls_versions(self) -> tuple[str, ...]:
        """The versions of TLS that its profile allows."""
        modern = ("TLSv1.2", "TLSv1.3")
        return modern if self._config.server.tls_profile == "modern" else ("TLSv1.1", *modern)

    def ask(self, request: str, *, timeout_s: float = 2.0) -> str:
        """Send a request in the clear as another client would, and return the reply.

        Raises:
            RigError: there was no reply.
            NoBench: it does not serve in the clear, because the target is the server.
        """
        if not self._core.plain_endpoints:
            raise NoBench(
                f"bench {self._config.name}: the rig's server is off, its target is the server"
            )
        host, _, port = self._core.plain_endpoints[0].rpartition(":")
        options = _core.ClientOptions()
        options.host, options.port = host.strip("[]"), int(port)
        options.timeout_s = timeout_s
        answer = _core.exchange(options, request.encode())
        self._explained.add_everything_before(self._core.cursor())
        if not answer.reply:
            raise RigError(f"asked the bench's own server {request!r}: {answer.failure}")
        return answer.reply.decode()

    def clear(self) -> None:
        """Forget every register of every device."""
        self._core.clear_registers()

    def fault(
        self,
        fault: faults.Fault,
        *,
        nth: int = 0,
        device: int | None = None,
        port: Literal["any", "clear", "secure"] = "any",
        probability: float = 1.0,
        seed: int = 0,
        optional: bool = False,
    ) -> faults.ArmedFault:
        """Let the server misbehave for the length of a `with` block.

        Args:
            fault: what goes wrong.
            nth: on the nth chance only, from 1; 0: on each. What a chance is, a connection or a
                frame, the fault's kind says.
            device: for frames of this device ID only; None: of any.
            port: on this port only.
            probability: of each chance, 0 to 1.
            seed: of the dice, so that a run can be repeated.
            optional: whether it may go unused. Otherwise a fault that never came into effect
                fails the test at the end of the block.
        """
        scheduled = faults.at(
            fault,
            nth=nth,
            device=device,
            port=port,
            probability=probability,
            seed=seed,
            optional=optional,
        )
        return faults.ArmedFault(self._core, [scheduled])

    def schedule(self, *scheduled: faults.Scheduled) -> faults.ArmedFaults:
        """Let the server misbehave by a schedule, for the length of a `with` block.

        Args:
            scheduled: made by `faults.at`, `faults.parse` or `faults.load`.
        """
        return faults.ArmedFaults(self._core, scheduled)
