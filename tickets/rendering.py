"""Documents are rendered by processes that do nothing else, kept for the next one: a page that loops or swells is ended alone.

Neither the web nor a worker that sends emails waits for it longer than the limits say.
"""

import logging
import os
import subprocess
import sys
import tempfile
from multiprocessing import Pipe
from pathlib import Path

from tickets.errors import CannotRender, TooMuchToRender

RENDERER = Path(__file__).with_name("render_document.py")
MOST_MEMORY, MOST_SECONDS = 512 * 1024 * 1024, 10  # of a document, and of the processor
PATIENCE = 50  # seconds for a process that may use ten of the processor
MOST_IDLE = 2
TOO_MUCH = b"too much"

logger = logging.getLogger(__name__)


class Renderer:
    """A process that renders, and the line to it."""

    def __init__(self) -> None:
        self.line, there = Pipe()
        limits = [str(MOST_MEMORY), str(MOST_SECONDS)]
        argv = [sys.executable, "-I", str(RENDERER), str(there.fileno()), *limits]
        known = {"TMPDIR": tempfile.gettempdir(), "HOME": os.environ.get("HOME", "/")}  # no secret
        self.process = subprocess.Popen(argv, pass_fds=[there.fileno()], env=known, stderr=subprocess.DEVNULL)  # noqa: S603
        there.close()

    def render(self, page: dict) -> bytes:
        """The document. TooMuchToRender when it took too much, CannotRender when it failed for another reason; it ends then."""
        try:
            self.line.send(page)
            answer = self.line.recv_bytes() if self.line.poll(PATIENCE) else TOO_MUCH
        except (EOFError, OSError):
            answer = TOO_MUCH if self.process.wait() < 0 else b"ended"  # ended by the system, or unable to begin
        if answer.startswith(b"%PDF"):
            return answer
        self.end()
        logger.error("a document was not rendered: %s", answer.decode())
        raise TooMuchToRender if answer == TOO_MUCH else CannotRender

    def end(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


IDLE: list[Renderer] = []
os.register_at_fork(after_in_child=lambda: IDLE.clear())  # a line that two processes shared would give one the other's document


def render(page: dict) -> bytes:
    """One document, by a process that is free or a new one."""
    renderer = IDLE.pop() if IDLE else Renderer()
    if renderer.process.poll() is not None:  # it ended meanwhile
        renderer = Renderer()
    document = renderer.render(page)
    if len(IDLE) < MOST_IDLE:
        IDLE.append(renderer)
    else:
        renderer.end()
    return document
