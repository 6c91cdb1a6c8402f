"""A gate in a real browser: Chromium whose camera is a film of a ticket that was really printed."""

import io
from contextlib import contextmanager, suppress
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image
from playwright.sync_api import Error, Page, expect

from control.actions import ask_pairing
from control.models import Device
from tickets.documents import tickets_pdf
from tickets.models import Ticket

WIDTH, HEIGHT = 640, 480


def photographed(ticket: Ticket) -> Image.Image:
    """The part of the printed page that a doorman shows to the camera."""
    printed = Ticket.objects.for_print().get(pk=ticket.pk)
    page = pypdfium2.PdfDocument(io.BytesIO(tickets_pdf([printed])))[0].render(scale=150 / 72).to_pil().convert("L")
    corners = zxingcpp.read_barcodes(page)[0].position
    x, y = corners.top_left.x, corners.top_left.y
    return page.crop((x - 120, y - 90, x - 120 + 480, y - 90 + 360)).resize((WIDTH, HEIGHT))


def film(path: Path, picture: Image.Image | None) -> None:
    """The camera's film: a moment of nothing, then the picture; it starts again at its end."""
    blank, shown = Image.new("L", (WIDTH, HEIGHT), 200), picture or Image.new("L", (WIDTH, HEIGHT), 200)
    colourless = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for frame in [blank] * 2 + [shown] * 10:
            file.write(b"FRAME\n" + frame.tobytes() + colourless)


@contextmanager
def a_gate(playwright, chromium: dict, folder: Path):
    """A browser with its profile on disk, and its camera's file."""
    camera = folder / "camera.y4m"
    if not camera.exists():
        film(camera, None)
    arguments = [
        *chromium["args"],
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    where = {"executable_path": chromium["executable_path"], "locale": "fr-FR", "viewport": {"width": 390, "height": 844}}
    context = playwright.chromium.launch_persistent_context(folder / "profile", args=arguments, **where)
    context.set_default_timeout(20_000)
    try:
        yield context, camera
    finally:
        with suppress(Error):  # a browser that was killed
            context.close()


def become(page: Page, base: str, device: Device) -> None:
    """Pair by the code that staff show, as a person does."""
    page.goto(f"{base}/gate/?code={ask_pairing(device=device.pk)}")
    page.get_by_role("button", name="Ouvrir la porte").click()
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("main.gate")).to_have_attribute("data-gate", "ready", timeout=20_000)


def show(page: Page, camera: Path, picture: Image.Image) -> None:
    """Hold a print before the camera. The camera is let go first, lest the old film be read once more."""
    page.evaluate("() => document.querySelector('video')?.srcObject?.getTracks().forEach((track) => track.stop())")
    film(camera, picture)
    page.reload()
    ready(page)


def verdict(page: Page, title: str) -> str:
    """Wait for the verdict; its sentences."""
    expect(page.locator("[data-verdict] h1")).to_have_text(title, timeout=20_000)
    return page.locator("[data-verdict]").inner_text().replace("\u00a0", " ").replace("\u202f", " ")


def type_code(page: Page, code: str) -> None:
    """What a hand-held scanner does."""
    page.get_by_label("Code du billet").fill(code)
    page.keyboard.press("Enter")


def listed(page: Page) -> None:
    """The list and the page itself are on the device."""
    kept = """async () => {
      const names = await caches.keys();
      const page = await caches.match('/gate/');
      const db = await new Promise((ok) => { const r = indexedDB.open('relais-gate'); r.onsuccess = () => ok(r.result); });
      const asked = db.transaction('kept').objectStore('kept').get('list');
      const list = await new Promise((ok) => { asked.onsuccess = () => ok(asked.result); });
      db.close();
      return Boolean(names.length && page && list);
    }"""
    for _ in range(100):
        if page.evaluate(kept):
            return
        page.wait_for_timeout(200)
    raise AssertionError("the device has not kept the page and the list")
