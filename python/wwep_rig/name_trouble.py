"""Names answered wrongly, late or never, where the board is a process and reads a file of ours."""

import ipaddress
import os
from pathlib import Path

from . import _core
from .errors import NoBench

_NEVER_MS = 3_600_000


class NameTrouble:
    """Tells a board that is a process how its lookups go wrong. The board reads the file each time.

    What the file says stands in the port's README.
    """

    def __init__(self, core: _core.Bench, file: Path) -> None:
        """Nothing goes wrong before `tell`."""
        self._core = core
        self._file = file

    def tell(self, lie: _core.NetworkLie) -> None:
        """Let them go wrong like this from now on; a lie that is none is the truth again."""
        late_ms, answer = round(lie.late_s * 1000), "right"
        if lie.kind == "silence":
            late_ms = _NEVER_MS
        elif lie.kind == "no-such-name":
            answer = "none"
        elif lie.kind == "wrong-address":
            answer = _checked(lie.address)
        if not late_ms and answer == "right":
            self._file.unlink(missing_ok=True)
            return
        whole = self._file.with_suffix(".new")
        whole.write_text(f"{late_ms} {answer}\n")
        os.replace(whole, self._file)  # the board never sees half of it
        late = "for ever" if late_ms == _NEVER_MS else f"{late_ms} ms"
        self._core.note_fault(f"names answer={answer} late={late}")


def _checked(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        raise NoBench(f"{address!r} is no IPv4 address") from None
