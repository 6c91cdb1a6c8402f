"""What devices do at a gate, and staff to devices: one durable transaction each."""

from control.actions.batch import Offline, Reading, scan_batch
from control.actions.devices import ask_pairing, pair, revoke_devices
from control.actions.door import admit_group, group_of, search, undo
from control.actions.scans import Entry, scan, scan_at_once, scan_number

__all__ = [
    "Entry",
    "Offline",
    "Reading",
    "admit_group",
    "ask_pairing",
    "group_of",
    "pair",
    "revoke_devices",
    "scan",
    "scan_at_once",
    "scan_batch",
    "scan_number",
    "search",
    "undo",
]
