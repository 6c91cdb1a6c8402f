"""A document that loops or swells, or that the disk has no room for, is ended alone: all others are made, and none is given in part."""

import os
import resource
import signal
import uuid
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from django.utils import timezone

from distribution.actions import hand_over
from distribution.actions.printouts import render_next
from distribution.models import Distribution, PrintoutFile
from tests import factories
from tests.distribution.test_hand_over import numbers_in, page_of, post, said
from tickets import rendering
from tickets.documents import rendered
from tickets.errors import TooMuchToRender

pytestmark = pytest.mark.django_db
TEMPLATE = Path(__file__).resolve().parents[2] / "templates/tickets/ticket.html"
LOOP = "<div style='display:flex'>" * 24 + "x" + "</div>" * 24  # each level doubles the work of the one above


@pytest.fixture(autouse=True)
def renderers(monkeypatch):
    """None is kept for this test, and none of it for the next one."""
    monkeypatch.setattr(rendering, "IDLE", [])
    yield
    for renderer in rendering.IDLE:
        renderer.end()


@pytest.fixture
def a_second(monkeypatch):
    monkeypatch.setattr(rendering, "MOST_SECONDS", 1)


@pytest.fixture
def poisoned(settings, tmp_path, a_second):
    """Ticket 2 loops."""
    (tmp_path / "tickets").mkdir()
    loop = f"{{% if ticket.number == 2 %}}{LOOP}{{% endif %}}</section>"
    (tmp_path / "tickets/ticket.html").write_text(TEMPLATE.read_text().replace("</section>", loop))
    ours = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**ours, "DIRS": [tmp_path, *ours["DIRS"]]}]


def no_room() -> None:
    """The next renderer finds no room on the disk: it may not write a byte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        rendering.IDLE.append(rendering.Renderer())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_document_may_take_ten_seconds_and_512_megabytes():
    assert (rendering.MOST_SECONDS, rendering.MOST_MEMORY) == (10, 512 * 1024 * 1024)


@pytest.mark.parametrize(("seconds", "patience", "ended_by"), [(1, 60, signal.SIGXCPU), (60, 1, signal.SIGKILL)])
def test_a_document_that_loops_is_ended_by_the_system_and_if_it_does_not_by_who_asked(monkeypatch, seconds, patience, ended_by):
    monkeypatch.setattr(rendering, "MOST_SECONDS", seconds)
    monkeypatch.setattr(rendering, "PATIENCE", patience)
    renderer = rendering.Renderer()
    rendering.IDLE.append(renderer)

    with pytest.raises(TooMuchToRender):
        rendered(LOOP, {})

    assert renderer.process.returncode == -ended_by and rendering.IDLE == []


def test_a_document_that_swells_is_ended_and_the_next_one_is_made(monkeypatch):
    monkeypatch.setattr(rendering, "MOST_MEMORY", 260 * 1024 * 1024)
    renderer = rendering.Renderer()
    rendering.IDLE.append(renderer)

    with pytest.raises(TooMuchToRender):
        rendered("<p>" + "x" * 60_000_000, {})

    assert renderer.process.returncode != -signal.SIGXCPU  # before its time was over
    assert rendered("<p>Zoé</p>", {}).startswith(b"%PDF")


def test_a_renderer_that_was_ended_while_nobody_asked_is_replaced():
    rendered("<p>Zoé</p>", {})
    rendering.IDLE[0].process.kill()
    rendering.IDLE[0].process.wait()

    assert rendered("<p>Zoé</p>", {}).startswith(b"%PDF")


def test_a_forked_process_shares_no_renderer_with_the_one_it_comes_from():
    rendered("<p>Zoé</p>", {})
    child = os.fork()
    if not child:
        os._exit(len(rendering.IDLE))

    assert (os.waitpid(child, 0)[1], len(rendering.IDLE)) == (0, 1)


@pytest.mark.parametrize("quantity", [2, pytest.param(100, marks=pytest.mark.long)])
def test_of_a_batch_with_a_ticket_that_loops_all_others_are_made_and_the_page_says_so(as_relay, relay, poisoned, quantity):
    product = factories.stock(relay.company, quantity)
    answer = post(as_relay, relay, product, quantity=str(quantity))
    assert "se préparent" in said(as_relay.get(answer["Location"]))

    while render_next():
        pass

    act = Distribution.objects.get()
    files = act.printouts.get().files.order_by("first")
    made = [number for file in files if file.content for number in numbers_in(bytes(file.content))]
    assert made == [number for number in range(1, quantity + 1) if number != 2]
    assert [(f.first, f.quantity) for f in files if not f.content] == [(2, 1)]
    assert "1 billet n’a pas pu être préparé" in said(as_relay.get(page_of(relay, act))).replace("\u202f", " ")


def test_without_room_on_the_disk_nothing_is_rendered_and_once_there_is_it_is(as_relay, relay):
    product = factories.stock(relay.company, 2)
    no_room()
    answer = post(as_relay, relay, product, quantity="2")
    file = PrintoutFile.objects.get()
    assert (file.rendered_at, file.content, file.quantity) == (None, None, 2)
    assert "se préparent" in said(as_relay.get(answer["Location"]))
    PrintoutFile.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    render_next()

    content = bytes(PrintoutFile.objects.get().content)
    assert content.rstrip().endswith(b"%%EOF") and len(pypdfium2.PdfDocument(content)) == 2


def test_without_room_on_the_disk_a_paper_is_refused_in_words_and_once_there_is_it_is_given(as_relay, relay):
    act = hand_over(relay=relay, product=factories.stock(relay.company, 1), quantity=1, names=[], request_key=uuid.uuid4())
    no_room()

    refused = as_relay.get(f"{page_of(relay, act)}sheet.pdf")
    given = as_relay.get(f"{page_of(relay, act)}sheet.pdf")

    assert refused.status_code == 409 and "n’a pas pu être préparé" in said(refused)
    assert given.status_code == 200 and given.content.rstrip().endswith(b"%%EOF")
