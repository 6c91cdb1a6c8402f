"""Printouts of many tickets: rendered in files by workers whatever happens, kept some hours, given only to relays of the company."""

import io
import re
import uuid
import zipfile
from datetime import timedelta

import pypdfium2
import pytest
from django.db import DataError, transaction
from django.utils import timezone

from distribution import actions
from distribution.actions import hand_over, printouts, reclaim
from distribution.actions.printouts import AT_ONCE, KEPT, MOST_ATTEMPTS, MOST_IN_A_FILE, claim, render, render_next
from distribution.models import Distribution, PrintoutFile
from distribution.tasks import render_printouts, sweep_printouts
from sales import actions as sales_actions
from tests import factories
from tests.distribution.test_hand_over import numbers_in, opened, page_of, post, said
from tests.portal.walk import BACKEND
from tickets import steps as tickets_steps
from tickets.models import Movement, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_files(monkeypatch):
    """The limits at a tenth: what is true of 30 tickets in a file is true of 300."""
    monkeypatch.setattr(printouts, "MOST_IN_A_FILE", 3)
    monkeypatch.setattr(printouts, "AT_ONCE", 2)


@pytest.fixture
def act(relay, small_files) -> Distribution:
    """Seven tickets handed over, in three files that nobody has rendered yet."""
    product = factories.stock(relay.company, 8)
    names = [(f"N{n}", "") for n in range(1, 8)]
    return hand_over(relay=relay, product=product, quantity=7, names=names, request_key=uuid.uuid4())


def render_all() -> None:
    while render_next():
        pass


def zipped(client, relay, printout):
    return client.post(f"/c/{relay.company.public_id}/printouts/{printout.public_id}/tickets.zip")


def take_back(relay, *numbers: int) -> None:
    reclaim(relay=relay, shown=factories.shown(*Ticket.objects.filter(number__in=numbers)), request_key=uuid.uuid4())


def test_a_file_has_300_tickets_at_most_and_100_are_rendered_while_one_waits():
    assert (MOST_IN_A_FILE, AT_ONCE) == (300, 100)


def test_a_large_printout_is_owed_and_the_page_says_how_far_it_has_come_in_tickets(as_relay, relay, act):
    assert [(f.first, f.last, f.rendered_at) for f in act.printouts.get().files.all()] == [(1, 3, None), (4, 6, None), (7, 7, None)]
    assert "7 billets se préparent" in said(as_relay.get(page_of(relay, act))) and "0 billets sur 7" in said(
        as_relay.get(page_of(relay, act))
    )

    render_next()
    for _reload in range(2):
        page = said(as_relay.get(page_of(relay, act)))
        assert '<progress max="7" value="3"' in page and "<b>42 %</b>" in page and "3 billets sur 7" in page
        assert "Billets 1 à 3" in page and "Billets 4 à 6" not in page and "hx-trigger" in page

    render_all()
    page = said(as_relay.get(page_of(relay, act)))
    assert "7 billets, prêts à imprimer" in page and "Télécharger les 3 PDF en un fichier ZIP" in page
    assert "hx-trigger" not in page and "Arrêter" not in page


def test_the_answer_waits_for_a_small_printout_and_never_for_a_large_one(as_relay, relay, small_files):
    product = factories.stock(relay.company, 8)

    pages = [said(as_relay.get(post(as_relay, relay, product, quantity=quantity)["Location"])) for quantity in ("2", "3")]

    assert ["se préparent" in page for page in pages] == [False, True]


def test_htmx_gets_the_printouts_alone_and_hears_once_that_they_are_ready(as_relay, relay, act):
    part = said(as_relay.get(page_of(relay, act), headers={"HX-Request": "true"}))
    assert part.startswith("<section") and "<html" not in part and "hx-swap-oob" not in part

    render_all()

    assert "Les billets sont prêts à imprimer." in said(as_relay.get(page_of(relay, act), headers={"HX-Request": "true"}))


def test_each_file_holds_its_tickets_in_order_and_the_zip_holds_the_files(as_relay, relay, act):
    printout = act.printouts.get()
    assert [opened(as_relay, relay, printout, n).status_code for n in (1, 2, 3)] == [404] * 3
    assert zipped(as_relay, relay, printout).status_code == 404
    render_next()
    assert zipped(as_relay, relay, printout).status_code == 404
    render_all()

    parts = [opened(as_relay, relay, printout, n) for n in (1, 2, 3)]

    assert [numbers_in(part.content) for part in parts] == [[1, 2, 3], [4, 5, 6], [7]]
    assert parts[1]["Content-Disposition"] == 'attachment; filename="billets-nuit-ravel-4-6.pdf"'
    answer = zipped(as_relay, relay, printout)
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"billets-nuit-ravel-{name}.pdf" for name in ("0001-0003", "0004-0006", "0007-0007")]
        assert [numbers_in(archive.read(name)) for name in archive.namelist()] == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_file_that_was_parted_stays_in_its_place_on_the_page_and_in_the_zip(as_relay, relay, act):
    """The second half of the second file is numbered after the last, which it comes before."""
    render_next()
    printouts.part(claim(PrintoutFile.objects.all()))
    render_all()

    page = said(as_relay.get(page_of(relay, act)))
    with zipfile.ZipFile(io.BytesIO(zipped(as_relay, relay, act.printouts.get()).content)) as archive:
        numbers = [numbers_in(archive.read(name)) for name in archive.namelist()]

    assert re.findall(r"Billets (\d) à (\d)", page) == [("1", "3"), ("4", "4"), ("5", "6"), ("7", "7")]
    assert numbers == [[1, 2, 3], [4], [5, 6], [7]]


def test_tickets_are_marked_printed_before_anything_is_rendered(act):
    assert not PrintoutFile.objects.exclude(rendered_at=None).exists()
    assert Ticket.objects.filter(status="printed", printed_generation=0).count() == 7


def test_a_ticket_reclaimed_before_it_is_rendered_is_left_out_and_said(as_relay, relay, act):
    take_back(relay, 2, 7)

    render_all()

    page = said(as_relay.get(page_of(relay, act)))
    assert "2 billets ont été repris, renommés ou utilisés entre-temps" in page.replace("\u202f", " ")
    assert "Billets 4 à 6" in page and "Billets 7 à 7" not in page
    printout = act.printouts.get()
    assert numbers_in(opened(as_relay, relay, printout, 1).content) == [1, 3]
    assert opened(as_relay, relay, printout, 3).status_code == 404
    with zipfile.ZipFile(io.BytesIO(zipped(as_relay, relay, printout).content)) as archive:
        assert len(archive.namelist()) == 2


def test_a_ticket_handed_over_anew_is_in_no_file_of_its_earlier_act(as_relay, relay, act):
    product = act.product
    take_back(relay, 1, 2)
    seven_left = Ticket.objects.filter(status="available").count()
    hand_over(relay=relay, product=product, quantity=seven_left, names=[], request_key=uuid.uuid4())

    render_all()

    assert numbers_in(opened(as_relay, relay, act.printouts.get()).content) == [3]
    take_back(relay, 3)
    hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    assert opened(as_relay, relay, act.printouts.get()).status_code == 302


@pytest.mark.parametrize("whole", [True, False], ids=["the zip", "its file"])
def test_a_rendered_file_with_a_ticket_reclaimed_since_is_prepared_anew_and_never_given(as_relay, relay, act, whole):
    render_all()
    take_back(relay, 5)
    printout = act.printouts.get()

    answer = zipped(as_relay, relay, printout) if whole else opened(as_relay, relay, printout, 2)

    assert answer.status_code == 302
    assert "1 billet a été repris, renommé ou utilisé depuis" in said(as_relay.get(answer["Location"]))
    assert [f.number for f in PrintoutFile.objects.filter(rendered_at=None)] == [2]
    assert numbers_in(opened(as_relay, relay, printout, 1).content) == [1, 2, 3]
    render_all()
    assert numbers_in(opened(as_relay, relay, printout, 2).content) == [4, 6]


def test_a_ticket_cancelled_or_used_is_in_no_file_that_is_given(as_relay, relay, act):
    """Neither raises the generation: its state alone says it."""
    first, second, third = Ticket.objects.order_by("number")[:3]
    sales_actions.cancel_tickets(tickets=[first.pk], by=factories.UserFactory(is_staff=True), key="x")
    render_all()
    printout = act.printouts.get()
    assert numbers_in(opened(as_relay, relay, printout).content) == [2, 3]

    with transaction.atomic():
        tickets_steps.check(number=second.number, event=second.event, generation=0)

    assert opened(as_relay, relay, printout).status_code == 302
    render_all()
    assert numbers_in(opened(as_relay, relay, printout).content) == [3]


def test_a_small_printout_is_prepared_anew_at_once(as_relay, relay, small_files):
    product = factories.stock(relay.company, 2)
    answer = post(as_relay, relay, product, quantity="2")
    act = Distribution.objects.get()
    take_back(relay, 1)

    assert opened(as_relay, relay, act.printouts.get()).status_code == 302

    assert "Ouvrir le PDF à imprimer" in said(as_relay.get(answer["Location"]))
    assert numbers_in(opened(as_relay, relay, act.printouts.get()).content) == [2]


def test_a_printout_that_is_no_longer_wanted_is_stopped_and_its_tickets_stay_given(as_relay, relay, act):
    printout = act.printouts.get()
    render_next()
    taken = claim(PrintoutFile.objects.all())

    answer = as_relay.post(f"/c/{relay.company.public_id}/printouts/{printout.public_id}/cancel/")
    render(taken)
    render_all()

    assert answer.status_code == 302 and not PrintoutFile.objects.exists()
    page = said(as_relay.get(page_of(relay, act)))
    assert "La préparation est arrêtée" in page and "se préparent" not in page and "Les préparer de nouveau" in page
    assert Ticket.objects.filter(status="printed").count() == 7


def test_what_is_ready_is_not_stopped(as_relay, relay, act):
    render_all()

    as_relay.post(f"/c/{relay.company.public_id}/printouts/{act.printouts.get().public_id}/cancel/")

    page = said(as_relay.get(page_of(relay, act)))
    assert "rien à arrêter" in page and "7 billets, prêts à imprimer" in page


def test_a_relay_of_another_company_finds_no_file_no_zip_no_paper(client, relay, act):
    render_all()
    other = factories.RelayFactory()
    client.force_login(other.user, backend=BACKEND)
    printout = act.printouts.get()

    for company in (relay.company, other.company):
        home = f"/c/{company.public_id}/"
        for path in (
            f"printout-files/{printout.files.first().public_id}/", f"printouts/{printout.public_id}/tickets.zip",
            f"printouts/{printout.public_id}/cancel/", f"distributions/{act.public_id}/print/",
        ):  # fmt: skip
            assert client.post(home + path).status_code == 404
        for name in ("sheet.pdf", "slip.pdf", "slip.csv", "slip-with-names.pdf", "slip-with-names.csv"):
            assert client.get(f"{home}distributions/{act.public_id}/{name}").status_code == 404
    assert PrintoutFile.objects.count() == 3


def test_a_colleague_of_the_same_company_gets_the_files(client, relay, act):
    render_all()
    client.force_login(factories.RelayFactory(company=relay.company).user, backend=BACKEND)

    assert opened(client, relay, act.printouts.get()).status_code == 200


def test_files_are_dropped_after_some_hours_and_printing_again_makes_new_ones(as_relay, relay, act):
    render_all()
    printout = act.printouts.get()
    printout.at = timezone.now() - KEPT - timedelta(minutes=1)
    printout.save()

    assert "prêts à imprimer" not in said(as_relay.get(page_of(relay, act)))
    sweep_printouts()

    assert not PrintoutFile.objects.exists()
    as_relay.post(f"{page_of(relay, act)}print/", {"request_key": str(uuid.uuid4())})
    sweep_printouts()
    assert PrintoutFile.objects.exclude(rendered_at=None).count() == 1
    assert Movement.objects.filter(act=act.public_id, kind="printed").count() == 7


def test_a_file_that_fails_again_and_again_is_given_up_and_said(as_relay, relay, act):
    past = timezone.now() - timedelta(seconds=1)
    PrintoutFile.objects.filter(number=1).update(attempts=MOST_ATTEMPTS, lease_until=past)

    render_all()

    page = said(as_relay.get(page_of(relay, act))).replace("\u202f", " ")
    assert "n’ont pas pu être préparés" in page and "3 billets n’ont pas pu être préparés" in page
    assert "hx-trigger" not in page and "Billets 4 à 6" in page and "Arrêter la préparation" in page


def test_what_a_worker_holds_is_free_again_after_its_lease_and_not_before(act):
    first = claim(PrintoutFile.objects.all())
    assert claim(first.printout.files.filter(number=1)) is None
    PrintoutFile.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    again = claim(PrintoutFile.objects.filter(number=1))

    assert again.pk == first.pk and again.worker != first.worker
    render(first)  # the one that was taken for dead: it writes nothing
    assert PrintoutFile.objects.get(pk=first.pk).rendered_at is None


def test_nobody_waits_behind_a_longer_printout(relay, act):
    later = hand_over(relay=relay, product=act.product, quantity=1, names=[], request_key=uuid.uuid4())
    render_next()
    render_next()

    assert later.printouts.get().files.get().rendered_at
    assert act.printouts.get().files.exclude(rendered_at=None).count() == 1


def test_the_files_are_in_the_language_of_who_asked(relay, act):
    act.printouts.update(language="en")

    render_next()

    text = pypdfium2.PdfDocument(bytes(PrintoutFile.objects.get(number=1).content))[0].get_textpage().get_text_range()
    assert "Ticket no. 1, copy 1" in text.replace("\xa0", " ")


def test_a_large_printout_rings_for_a_worker_and_a_small_one_does_not(relay, small_files, settings, django_capture_on_commit_callbacks):
    """Over the demo's broker: a message in its folder."""
    product = factories.stock(relay.company, 5)

    def rung(quantity: int) -> int:
        folder = settings.VAR_DIR / "queue"
        before = set(folder.iterdir())
        with django_capture_on_commit_callbacks(execute=True):
            hand_over(relay=relay, product=product, quantity=quantity, names=[], request_key=uuid.uuid4())
        return sum("distribution.tasks.render_printouts" in file.read_text() for file in set(folder.iterdir()) - before)

    assert (rung(2), rung(3)) == (0, 1)


def test_a_broker_that_does_not_answer_delays_and_loses_nothing(relay, act):
    render_printouts()
    assert PrintoutFile.objects.exclude(rendered_at=None).count() == 1
    sweep_printouts()
    sweep_printouts()

    assert not PrintoutFile.objects.filter(rendered_at=None).exists()
    sweep_printouts()


def test_the_marks_and_the_files_are_made_together_or_not_at_all(relay, small_files):
    product = factories.stock(relay.company, 3)

    with pytest.raises(DataError):  # no such number fits the column: the last statement of the act fails
        hand_over(relay=relay, product=product, quantity=3, names=[], per_page=99_999, request_key=uuid.uuid4())

    assert Ticket.objects.filter(status="available").count() == 3 and not Distribution.objects.exists()


def test_checking_the_files_of_another_company_finds_none(relay, act):
    render_all()
    take_back(relay, 1)

    assert actions.check_files(relay=factories.RelayFactory(), printout=act.printouts.get()) == 0
    assert not PrintoutFile.objects.filter(rendered_at=None).exists()
