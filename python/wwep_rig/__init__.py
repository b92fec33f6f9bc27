"""wwep-rig: press a board's button, watch its LED, be its server."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
