"""A recording in the formats of other programs: tables, a logic analyser's, a packet capture."""

from .packets import rebuild_packets
from .pcapng import copy_capture
from .recorded import Recorded
from .tables import TIMELINE, write_csv, write_jsonl
from .vcd import TimeUnit, write_vcd

__all__ = [
    "TIMELINE",
    "Recorded",
    "TimeUnit",
    "copy_capture",
    "rebuild_packets",
    "write_csv",
    "write_jsonl",
    "write_vcd",
]
