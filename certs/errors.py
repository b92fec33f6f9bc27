"""The exceptions of this package. Every message names the file or the value, and the remedy."""


class CertificateError(Exception):
    """Certificates could not be made, read or signed."""


class InputError(CertificateError):
    """What the caller gave cannot be used: a name, a number of days, a file of another kind."""


class PassphraseNeeded(InputError):
    """A key is encrypted, and no passphrase was given."""


class TargetError(CertificateError):
    """What the target presents is wrong: a request it signed badly, a port that speaks no TLS."""
