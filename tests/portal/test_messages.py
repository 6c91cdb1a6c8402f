"""What is translated is found by every Python that the portal runs on."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
ALONE = re.compile(r"""(?<![\w])(?:_|gettext|gettext_lazy)\(\s*"([^"\\]+)"\s*\)|{%\s*translate "([^"]+)"\s*(?:as \w+\s*)?%}""")


def test_a_text_that_has_a_plural_is_not_also_used_alone():
    """Python 3.11.2, Debian 12's, finds such a text in English alone: its plural takes a context."""
    with (ROOT / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        plural = {message.id[0] for message in read_po(file) if isinstance(message.id, tuple) and not message.context}
    files = [
        path
        for path in ROOT.glob("*/**/*")
        if path.suffix in (".py", ".html", ".txt") and path.parts[len(ROOT.parts)] not in (".venv", "var")
    ]
    alone = {word for path in files for found in ALONE.findall(path.read_text()) for word in found if word}

    assert len(plural) > 100 and len(alone) > 500
    assert plural & alone == set()


def test_no_text_is_translated_within_a_text():
    """Only newer versions of gettext look into an f-string: with Debian 12's what is in it stays English."""
    within = re.compile(r"""\{(?:_|n?p?gettext(?:_lazy)?)\(['"]""")
    for path in ROOT.glob("*/**/*.py"):
        if path.parts[len(ROOT.parts)] not in (".venv", "var", "tests"):
            assert not within.search(path.read_text()), path
