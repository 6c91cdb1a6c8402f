"""The demo's mail server: keeps every email in a folder, and really refuses one domain."""

import signal
import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

REFUSED_DOMAIN = "mecavai.example"


class Inbox(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.lower().endswith(f"@{REFUSED_DOMAIN}"):
            return f"550 5.1.2 Unknown domain {REFUSED_DOMAIN}"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def main(port: int, folder: str) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    controller = Controller(Inbox(Path(folder)), hostname="127.0.0.1", port=port)
    controller.start()
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
