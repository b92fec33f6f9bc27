"""The one exception of this package."""


class CertificateError(Exception):
    """Certificates could not be made, read or signed. The message names the file and the remedy."""
