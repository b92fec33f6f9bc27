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


@dataclass(frozen=True)
class TlsIdentity:
    """The server shows another identity: a bad one, or a good but unusual one.

    Attributes:
        name: One of the identities that `wwep-rig certs make` makes.
    """

    KIND: ClassVar[str] = "tls_identity"
    name: Literal[
        "unknown-issuer",
        "unknown-self-signed",
        "missing-intermediate",
        "altered-signature",
        "expired",
        "not-yet-valid",
        "wrong-name",
        "wrong-usage",
        "key-mismatch",
        "weak-rsa-1024",
        "weak-sha1",
        "weak-md5",
        "revoked",
        "server-ecdsa",
        "server-rsa",
        "lab-self-signed",
    ]


@dataclass(frozen=True)
class TlsOnlyVersion:
    """The server speaks one version of TLS only.

    Attributes:
        version: The one version that the server speaks.
    """

    KIND: ClassVar[str] = "tls_only_version"
    version: Literal["TLSv1.1", "TLSv1.2", "TLSv1.3"]


@dataclass(frozen=True)
class TlsOnlyCipher:
    """The server knows these cipher suites only.

    Attributes:
        cipher: wolfSSL's name of it, such as ECDHE-RSA-AES256-GCM-SHA384; several with :.
    """

    KIND: ClassVar[str] = "tls_only_cipher"
    cipher: str


@dataclass(frozen=True)
class TlsWrongVersion:
    """The server chooses a version that the client did not offer.

    Attributes:
        version: What the ServerHello says instead; usually SSL 3.0. 0 to 65535.
    """

    KIND: ClassVar[str] = "tls_wrong_version"
    version: int = 768


@dataclass(frozen=True)
class TlsWrongCipher:
    """The server chooses a cipher suite that the client did not offer.

    Attributes:
        cipher: What the ServerHello says instead; usually one without encryption. 0 to 65535.
    """

    KIND: ClassVar[str] = "tls_wrong_cipher"
    cipher: int = 0


@dataclass(frozen=True)
class TlsStall:
    """The server falls silent at a message.

    Attributes:
        at: The server's message at which it happens: this one and what follows are not sent.
        for_s: How long the connection stays open at most. In seconds, 0 to 600.
    """

    KIND: ClassVar[str] = "tls_stall"
    at: Literal[
        "hello_retry_request",
        "server_hello",
        "encrypted_extensions",
        "certificate_request",
        "certificate",
        "server_key_exchange",
        "certificate_verify",
        "server_hello_done",
        "change_cipher_spec",
        "finished",
        "reply",
        "close_notify",
    ] = "server_hello"
    for_s: float = 60.0


@dataclass(frozen=True)
class TlsClose:
    """The server closes the connection at a message.

    Attributes:
        at: The server's message at which it happens: this one and what follows are not sent.
    """

    KIND: ClassVar[str] = "tls_close"
    at: Literal[
        "hello_retry_request",
        "server_hello",
        "encrypted_extensions",
        "certificate_request",
        "certificate",
        "server_key_exchange",
        "certificate_verify",
        "server_hello_done",
        "change_cipher_spec",
        "finished",
        "reply",
        "close_notify",
    ] = "server_hello"


@dataclass(frozen=True)
class TlsReset:
    """The server resets the connection (RST) at a message.

    Attributes:
        at: The server's message at which it happens: this one and what follows are not sent.
    """

    KIND: ClassVar[str] = "tls_reset"
    at: Literal[
        "hello_retry_request",
        "server_hello",
        "encrypted_extensions",
        "certificate_request",
        "certificate",
        "server_key_exchange",
        "certificate_verify",
        "server_hello_done",
        "change_cipher_spec",
        "finished",
        "reply",
        "close_notify",
    ] = "server_hello"


@dataclass(frozen=True)
class TlsAlert:
    """The server sends an alert instead of a message, and closes.

    Attributes:
        alert: Its number: 40 handshake_failure, 42 bad_certificate, 47 illegal_parameter, 70
            protocol_version, 80 internal_error, 112 unrecognized_name. 0 to 255.
        at: The server's message at which it happens: this one and what follows are not sent.
    """

    KIND: ClassVar[str] = "tls_alert"
    alert: int = 40
    at: Literal[
        "hello_retry_request",
        "server_hello",
        "encrypted_extensions",
        "certificate_request",
        "certificate",
        "server_key_exchange",
        "certificate_verify",
        "server_hello_done",
        "change_cipher_spec",
        "finished",
        "reply",
        "close_notify",
    ] = "server_hello"


@dataclass(frozen=True)
class TlsUnusableRequest:
    """The server asks for a certificate of a CA that nobody has, and goes on without."""

    KIND: ClassVar[str] = "tls_unusable_request"


@dataclass(frozen=True)
class TlsRefuseClient:
    """The server demands a certificate of the client and refuses any, or none."""

    KIND: ClassVar[str] = "tls_refuse_client"


@dataclass(frozen=True)
class TlsNoCloseNotify:
    """The server closes the connection without close_notify."""

    KIND: ClassVar[str] = "tls_no_close_notify"


@dataclass(frozen=True)
class TlsTinyRecords:
    """Each byte of the reply, and of the handshake in the clear, has its own record."""

    KIND: ClassVar[str] = "tls_tiny_records"


@dataclass(frozen=True)
class TlsOversizedRecord:
    """The server sends a record that is too long instead of a message.

    Attributes:
        bytes: Of the record; 16384 and a little are allowed. 16384 to 65535.
        at: The server's message at which it happens: this one and what follows are not sent.
    """

    KIND: ClassVar[str] = "tls_oversized_record"
    bytes: int = 20000
    at: Literal[
        "hello_retry_request",
        "server_hello",
        "encrypted_extensions",
        "certificate_request",
        "certificate",
        "server_key_exchange",
        "certificate_verify",
        "server_hello_done",
        "change_cipher_spec",
        "finished",
        "reply",
        "close_notify",
    ] = "reply"


@dataclass(frozen=True)
class TlsRefuseTicket:
    """The server gives session tickets and refuses them when a client comes back."""

    KIND: ClassVar[str] = "tls_refuse_ticket"


@dataclass(frozen=True)
class TlsRenegotiate:
    """After the handshake the server asks for another one (TLS 1.2)."""

    KIND: ClassVar[str] = "tls_renegotiate"


@dataclass(frozen=True)
class TlsKeyUpdate:
    """After the handshake the server asks for new keys (TLS 1.3)."""

    KIND: ClassVar[str] = "tls_key_update"


@dataclass(frozen=True)
class PlainOnSecure:
    """The secure port is served in the clear."""

    KIND: ClassVar[str] = "plain_on_secure"


@dataclass(frozen=True)
class TlsOnClear:
    """The port in the clear is served over TLS."""

    KIND: ClassVar[str] = "tls_on_clear"


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
    | TlsIdentity
    | TlsOnlyVersion
    | TlsOnlyCipher
    | TlsWrongVersion
    | TlsWrongCipher
    | TlsStall
    | TlsClose
    | TlsReset
    | TlsAlert
    | TlsUnusableRequest
    | TlsRefuseClient
    | TlsNoCloseNotify
    | TlsTinyRecords
    | TlsOversizedRecord
    | TlsRefuseTicket
    | TlsRenegotiate
    | TlsKeyUpdate
    | PlainOnSecure
    | TlsOnClear
)
