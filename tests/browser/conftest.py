import os
import shutil

import pytest
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def chromium():
    """Where Chromium is, and what it needs to run here."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    assert found, "no Chromium: install it, or name it in CHROMIUM"
    return {"executable_path": found, "args": ["--no-sandbox"] if os.getuid() == 0 else []}


@pytest.fixture(scope="session")
def playwright():
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright, chromium):
    running = playwright.chromium.launch(**chromium)
    yield running
    running.close()


@pytest.fixture
def phone(browser):
    """A French phone: 390 pixels wide."""
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, accept_downloads=True)
    context.set_default_timeout(10_000)
    yield context
    context.close()
