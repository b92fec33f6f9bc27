"""The page that shows a recording: one HTML file that needs neither network nor rig."""

from .page import write_report

__all__ = ["write_report"]
