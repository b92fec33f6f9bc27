"""The server that a bench's target is, as scenarios use it: tried by the conformance suite."""

from . import _core
from .bench_config import BenchConfig
from .conformance import CaseResult, Conformance, NoServer, ServerUnderTest
from .errors import NoBench, TargetFailed


class TargetServer:
    """The WWEP server on the target, in the clear, over TLS, or both."""

    def __init__(self, config: BenchConfig) -> None:
        """Connects to nobody yet."""
        self._config = config
        self._suites: dict[bool, Conformance] = {}

    def serves(self, *, secure: bool) -> bool:
        """Whether the bench file says that it serves in the clear, or over TLS."""
        return bool(self._port(secure))

    def conform(self, case: str, *, secure: bool = False) -> CaseResult:
        """Run one case of the conformance suite; which there are `wwep_rig.conformance` says.

        What the server is like is found out once, before the first case.

        Args:
            case: its name.
            secure: over TLS.

        Raises:
            TargetFailed: nobody answers at the target's address.
            NoBench: the target does not serve there.
        """
        if not self.serves(secure=secure):
            where = "over TLS" if secure else "in the clear"
            raise NoBench(f"bench {self._config.name}: the target does not serve {where}")
        if secure not in self._suites:
            suite = Conformance(self._described(secure))
            try:
                suite.probe()
            except NoServer as error:
                raise TargetFailed(f"the target's server: {error}") from None
            self._suites[secure] = suite
        return self._suites[secure].run(case)

    def _port(self, secure: bool) -> int:
        serves = self._config.target.serves
        if serves is None:
            return 0
        return serves.tls_port if secure else serves.plain_port

    def _described(self, secure: bool) -> ServerUnderTest:
        serves = self._config.target.serves
        assert serves is not None
        options = _core.ClientOptions()
        options.host, options.port = serves.address, self._port(secure)
        options.secure = secure
        if secure:
            root = self._config.target.root_certificate
            options.verify = root != "none"
            options.ca_file = "" if root == "none" else root
            options.name = self._config.server.names[0]
            options.certificate_file = serves.client_certificate
            options.key_file = serves.client_key
        return ServerUnderTest(
            options, one_at_a_time=serves.one_at_a_time, keep_open=serves.keep_open
        )
