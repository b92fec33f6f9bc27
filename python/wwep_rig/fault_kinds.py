"""The kinds of faults. Written by ci/make_fault_kinds.py from the server's own table; do not
change it by hand."""

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Gone:
    """Nobody listens: connections are refused.

    Attributes:
        for_s: How long; 0: until the fault is taken away. In seconds, 0 to 600.
    """

    KIND: ClassVar[str] = "gone"
    for_s: float = 0.0


@dataclass(frozen=True)
class ClosedAtAccept:
    """A connection is closed as soon as it is accepted."""

    KIND: ClassVar[str] = "closed_at_accept"


@dataclass(frozen=True)
class NeverRead:
    """A connection is accepted, and nothing that comes on it is ever read.

    Attributes:
        for_s: How long the connection stays open at most. In seconds, 0 to 600.
    """

    KIND: ClassVar[str] = "never_read"
    for_s: float = 60.0


@dataclass(frozen=True)
class Reset:
    """A connection is reset (RST) at a byte of the stream, over TLS of the ciphertext.

    Attributes:
        bytes: After so many bytes on the wire; 0: at once. 0 to 65536.
        of: Whether bytes received or bytes sent are counted.
    """

    KIND: ClassVar[str] = "reset"
    bytes: int = 0
    of: Literal["received", "sent"] = "received"


@dataclass(frozen=True)
class EarlyReply:
    """The reply comes before the request: as soon as the client could send one.

    Attributes:
        text: What it says.
    """

    KIND: ClassVar[str] = "early_reply"
    text: str = "X"


@dataclass(frozen=True)
class NoReply:
    """A frame is taken and never answered.

    Attributes:
        for_s: How long the connection stays open at most, meanwhile. In seconds, 0 to 600.
    """

    KIND: ClassVar[str] = "no_reply"
    for_s: float = 30.0


@dataclass(frozen=True)
class Late:
    """The reply goes out later.

    Attributes:
        by_s: How much later. In seconds, 0 to 600.
    """

    KIND: ClassVar[str] = "late"
    by_s: float


@dataclass(frozen=True)
class AnswerX:
    """The reply is `X` whatever the frame says; a write is stored all the same."""

    KIND: ClassVar[str] = "answer_x"


@dataclass(frozen=True)
class WrongDevice:
    """The reply `A` names the next device."""

    KIND: ClassVar[str] = "wrong_device"


@dataclass(frozen=True)
class WrongRegister:
    """The reply `A` names the next register."""

    KIND: ClassVar[str] = "wrong_register"


@dataclass(frozen=True)
class WrongValue:
    """The reply `A` says a value that is one more."""

    KIND: ClassVar[str] = "wrong_value"


@dataclass(frozen=True)
class LowerCase:
    """The reply is in lower case, its letter too."""

    KIND: ClassVar[str] = "lower_case"


@dataclass(frozen=True)
class Bytewise:
    """The reply comes byte by byte, over TLS in a record each.

    Attributes:
        gap_s: Between one byte and the next. In seconds, 0 to 600.
    """

    KIND: ClassVar[str] = "bytewise"
    gap_s: float = 0.02


@dataclass(frozen=True)
class TwoReplies:
    """The reply comes twice."""

    KIND: ClassVar[str] = "two_replies"


@dataclass(frozen=True)
class Garbage:
    """Bytes by chance come instead of the reply.

    Attributes:
        bytes: How many; which ones is up to the seed. 1 to 65536.
    """

    KIND: ClassVar[str] = "garbage"
    bytes: int = 11


@dataclass(frozen=True)
class TextAfterX:
    """The reply is `X` with text after it.

    Attributes:
        text: What follows the X.
    """

    KIND: ClassVar[str] = "text_after_x"
    text: str = " Not Found"


@dataclass(frozen=True)
class LongReply:
    """The reply is followed by many more digits, in one go.

    Attributes:
        bytes: Of the whole reply. 12 to 65536.
    """

    KIND: ClassVar[str] = "long_reply"
    bytes: int = 1000


@dataclass(frozen=True)
class CloseInReply:
    """The connection is closed before, in the middle of, or right after the reply.

    Attributes:
        bytes: Of the reply that still go out: 0 closes before it, 11 after it. 0 to 65536.
    """

    KIND: ClassVar[str] = "close_in_reply"
    bytes: int = 5


Fault = (
    Gone
    | ClosedAtAccept
    | NeverRead
    | Reset
    | EarlyReply
    | NoReply
    | Late
    | AnswerX
    | WrongDevice
    | WrongRegister
    | WrongValue
    | LowerCase
    | Bytewise
    | TwoReplies
    | Garbage
    | TextAfterX
    | LongReply
    | CloseInReply
)
