"""`make screenshots`: starts a demo of its own, logs in as each role with the code from its inbox, and takes
pictures of the main pages in var/shots: French and English, phone and desktop, some in the dark.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
import zxingcpp
from playwright.sync_api import Page, sync_playwright

from scripts.demo import database_folder
from scripts.postgres import free_port

SHOTS = Path(__file__).resolve().parent.parent / "var" / "shots"
SAMIA, ZOE, STAFF = "samia.belkacem@mecavia.example", "zoe.lefevre-diallo@mecavia.example", "accueil@quais.example"


def shoot(page: Page, name: str, schemes=("light",)) -> None:
    page.wait_for_load_state("networkidle")
    language = page.evaluate("document.documentElement.lang")[:2]
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width, height in ((390, 844), (1280, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=SHOTS / f"{name}-{language}-{width}{'-dark' if scheme == 'dark' else ''}.png", full_page=True)
    page.emulate_media(color_scheme="light")


def log_in(page: Page, address: str) -> None:
    """By the code in the inbox, as anybody does."""
    page.context.clear_cookies()
    page.goto("/inbox/")
    old = page.locator("main li").count()
    page.goto("/login/")
    shoot(page, "login")
    page.fill("#id_email", address)
    page.click("main form .button")
    page.wait_for_url("**/login/code/**")
    with page.context.new_page() as inbox:
        while not inbox.url.endswith("/inbox/") or inbox.locator("main li").count() == old:
            inbox.goto("/inbox/", wait_until="networkidle")
        letter = inbox.locator("main li", has_text=address).first.inner_text()
    page.fill("#id_code", re.search(r"[A-Z]{4}-[A-Z]{4}", letter)[0])  # type: ignore[index]
    page.click("main .button[value=verify]")
    page.wait_for_url(lambda url: "/login/" not in url)


def relay(page: Page) -> None:
    log_in(page, SAMIA)
    home = page.url
    shoot(page, "home", ("light", "dark"))
    page.set_viewport_size({"width": 1100, "height": 1000})
    page.screenshot(path=SHOTS / f"readme-home-{page.evaluate('document.documentElement.lang')}.png")
    page.click(".programme li:first-child .todo .button")
    page.locator("#q").press_sequentially("diallo")
    page.locator(".found .option", has_text=ZOE).click()
    page.click(".stepper button[name=more]")
    shoot(page, "distribute")
    page.click("button[name=confirm]")
    page.wait_for_url("**/distributions/**")
    shoot(page, "distributed")
    page.click("form[action$='/undo/'] button")
    page.goto(home)
    page.click(".programme li:first-child h2 a")
    shoot(page, "product")
    page.click("main a[href$='/tickets/']")
    shoot(page, "tickets")
    page.click("table.people th a")
    shoot(page, "ticket-history")
    page.goto(f"{home}history/")
    shoot(page, "history")


def member(page: Page) -> str:
    """A member's pages and her first ticket on paper; answers the code on it."""
    log_in(page, ZOE)
    shoot(page, "member", ("light", "dark"))
    with page.expect_download() as download:
        page.click("article.ticket form[action$='/print/'] button >> nth=0")
    paper = pypdfium2.PdfDocument(download.value.path())[0]
    paper.render(scale=2).to_pil().save(SHOTS / f"paper-{page.evaluate('document.documentElement.lang')}.png")
    page.reload()
    page.click("article.ticket form[action$='/show/'] button >> nth=0")
    page.wait_for_url("**/show/")
    shoot(page, "ticket-on-phone")
    return zxingcpp.read_barcodes(paper.render(scale=3).to_pil())[0].text


def gate(page: Page, code: str, pairing: str) -> None:
    page.goto("/gate/")
    shoot(page, "gate-pair")
    page.fill("#id_code", pairing)
    page.click("main .button")
    for name in ("gate-admitted", "gate-refused"):
        page.fill("#id_code", code)
        page.keyboard.press("Enter")
        page.wait_for_selector("main.gate .verdict svg")
        shoot(page, name)
        page.goto("/gate/")


def staff(page: Page) -> None:
    log_in(page, STAFF)
    page.goto("/admin/tickets/order/")
    shoot(page, "admin-orders")
    page.goto("/inbox/")
    shoot(page, "inbox")
    page.locator("main li", has_text=ZOE).locator("a", has_text="Ravel").first.click()
    shoot(page, "email")


def take(base: str, codes: list[str]) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    assert chromium, "no Chromium: install it, or name it in CHROMIUM"
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if os.getuid() == 0 else [])
        for locale, pairing in zip(("fr-FR", "en-GB"), codes, strict=True):
            page = browser.new_context(locale=locale, base_url=base).new_page()
            relay(page)
            gate(page, member(page), pairing)
            staff(page)
        browser.close()
    print(f"{len(list(SHOTS.iterdir()))} pictures in {SHOTS}")


def main() -> None:
    folder, port = Path(tempfile.mkdtemp(prefix="relais-shots-")), str(free_port())
    where = {"VAR_DIR": str(folder), "PORT": port, "MAIL_PORT": str(free_port()), "DB_PORT": str(free_port())}
    demo = subprocess.Popen([sys.executable, "-m", "scripts.demo"], env=os.environ | where, stdout=subprocess.PIPE, text=True)
    try:
        gate = next((line for line in demo.stdout or [] if "/gate/" in line), "")
        assert gate, "the demo did not start"
        take(f"http://localhost:{port}", re.findall(r"\b[A-Z]{4}-[A-Z]{4}\b", gate))
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
        for gone in (database_folder(folder).parent, folder):
            shutil.rmtree(gone, ignore_errors=True)


if __name__ == "__main__":
    main()
