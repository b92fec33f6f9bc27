"""Why a build did not come about."""


class BuildFailed(Exception):
    """The makefile or the sources are at fault. The message names the file, and the line if any."""


class UsageError(Exception):
    """The command was not given what it needs."""
