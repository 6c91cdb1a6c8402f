"""Run by tickets/rendering.py in a process of its own: pages become PDF, one after the other, until nobody asks any more.

It may take so much memory, and so much time for each: what asks for more ends here, and nothing else with it.
Nothing is fetched but the pictures that come with a page and the fonts beside this file.
"""

import contextlib
import gc
import logging
import resource
import signal
import sys
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

FOLDER = Path(__file__).resolve().parent
FONTS = FOLDER / "fonts"
TOO_MUCH = b"too much"


class OurFilesOnly(URLFetcher):
    """Knows the pictures made here and our fonts: no other request leaves the renderer."""

    def __init__(self, pictures: dict[str, bytes]) -> None:
        super().__init__(allowed_protocols=())
        self.pictures = pictures

    def fetch(self, url, headers=None):
        if url in self.pictures:
            return URLFetcherResponse(url, self.pictures[url], {"Content-Type": "image/png"})
        font = FONTS / url.removeprefix("asset:font/")
        if url.startswith("asset:font/") and font.parent == FONTS and font.suffix == ".woff2" and font.exists():
            return URLFetcherResponse(url, font.read_bytes(), {"Content-Type": "font/woff2"})
        raise ValueError("The renderer fetches nothing.")


@lru_cache
def stylesheet(style: Path) -> tuple[FontConfiguration, CSS]:
    """A page's style and the fonts, read once per process."""
    fonts = FontConfiguration()
    text = (FOLDER / "fonts.css").read_text() + style.read_text()
    return fonts, CSS(string=text, font_config=fonts, url_fetcher=OurFilesOnly({}), base_url=None)


def rendered(html: str, pictures: dict[str, bytes], style: Path, pdf_variant: str | None) -> bytes:
    """The page as PDF, in this style and with our fonts."""
    fonts, sheet = stylesheet(style)
    # Nothing of the growing document can be collected before its end: looking for it would take a fifth of the time.
    gc.disable()
    try:
        document = HTML(string=html, url_fetcher=OurFilesOnly(pictures), base_url=None)
        return document.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant=pdf_variant)
    finally:
        gc.enable()


def may_use(what: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # not every system has each
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def main(asked: Connection, most_memory: int, most_seconds: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides: its end is ours
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # its warnings quote the page
    may_use(resource.RLIMIT_DATA, most_memory)  # what it writes to, and not what its libraries only reserve
    may_use(resource.RLIMIT_CORE, 0)
    with contextlib.suppress(EOFError):
        while page := asked.recv():
            used = resource.getrusage(resource.RUSAGE_SELF)
            may_use(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + most_seconds)
            try:
                answer = rendered(**page)
            except MemoryError:
                answer = TOO_MUCH
            except Exception as error:  # noqa: BLE001  (its words may quote a name: its kind says enough)
                answer = type(error).__name__.encode()
            asked.send_bytes(answer)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]))
