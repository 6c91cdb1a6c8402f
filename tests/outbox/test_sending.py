"""An email owed leaves, whatever happens on the way; what is known as sent is not sent again."""

import email
import re
import smtplib
import threading
import uuid
from datetime import timedelta
from email.header import decode_header, make_header

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outbox import actions, kinds, steps
from outbox.kinds import Letter
from outbox.models import Delivery
from outbox.post import idna, written
from tickets.errors import CannotRender

pytestmark = pytest.mark.django_db
due: dict[str, bool] = {}


def page(refs, language, secret):
    if refs.get("heavy"):
        raise CannotRender
    return Letter(
        subject=refs.get("subject", "Bonjour"), text=f"Bonjour {secret}\n", html="<p>Bonjour</p>", sender=refs.get("sender", "Quais")
    )


@pytest.fixture(autouse=True)
def a_kind(db):
    due.clear()
    kinds.register("test", page, lambda refs: due.get(refs.get("name", ""), True))


def owe(to="zoe@exemple.fr", **more) -> Delivery:
    refs = more.pop("refs", {})
    with transaction.atomic():
        (delivery,) = steps.owe(
            [steps.letter("test", to=to, language="fr", refs=refs, key=str(uuid.uuid4()), not_before=timezone.now(), **more)]
        )
    return delivery


def state(delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def age(delivery, **changes):
    Delivery.objects.filter(pk=delivery.pk).update(**changes)


def test_an_email_leaves_with_the_headers_that_make_it_recognisable(post):
    delivery = owe()

    assert actions.send_due() == 1

    (letter,) = post.letters
    delivery.refresh_from_db()
    assert (delivery.state, delivery.phase, delivery.secret) == ("sent", "", "")
    assert delivery.smtp_reply.startswith("250")
    assert letter["Message-ID"] == delivery.message_id
    assert letter["Date"].datetime == delivery.created_at.replace(microsecond=0)
    assert letter["X-MailFrom"].startswith(f"bounce+{delivery.pk}.")
    assert letter.get_body(("html",)) and letter.get_body(("plain",))
    assert actions.send_due() == 0


@pytest.mark.parametrize("words", ["Samia vous offre 2 billets pour « Nuit Ravel »", "é " * 60 + "fin", "L’Île, « à  deux »", "Nuit Ravel"])
def test_no_letter_and_no_space_of_a_subject_or_a_sender_is_lost(words):
    delivery = Delivery(recipient="zoe@exemple.fr", language="fr", message_id="<a@b>", created_at=timezone.now())

    raw = written(delivery, Letter(words, "Bonjour", "<p>Bonjour</p>", words)).as_bytes()

    read = email.message_from_bytes(raw)
    subject, sender = (str(make_header(decode_header(re.sub(r"\r\n", "", read[name])))) for name in ("Subject", "From"))
    assert subject == words and sender.partition(" <")[0].strip('"') == words
    assert all(len(line) <= 78 for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))


def test_a_rollback_owes_nothing(post):
    with pytest.raises(RuntimeError), transaction.atomic():
        steps.owe([steps.letter("test", to="a@b.fr", language="fr", refs={}, key="k", not_before=timezone.now())])
        raise RuntimeError

    assert actions.send_due() == 0


def test_nothing_leaves_before_its_time(post):
    delivery = owe()
    age(delivery, not_before=timezone.now() + timedelta(minutes=1))

    assert actions.send_due() == 0


def test_a_temporary_refusal_is_tried_after_1_5_15_60_minutes_with_the_same_message_id(post):
    delivery = owe()
    post.handler.answers["exemple.fr"] = "451 4.7.1 Greylisted"
    for minutes in (1, 5, 15, 60, 180, 180):
        actions.send_due()
        delivery.refresh_from_db()
        wait = delivery.not_before - timezone.now()
        assert abs(wait - timedelta(minutes=minutes)) < timedelta(seconds=20)
        assert delivery.state == "pending"
        age(delivery, not_before=timezone.now())

    post.handler.answers.clear()
    actions.send_due()
    assert state(delivery) == "sent"
    assert post.letters[0]["Message-ID"] == delivery.message_id


def test_after_48_hours_of_temporary_refusals_it_is_refused(post):
    delivery = owe()
    age(delivery, created_at=timezone.now() - timedelta(hours=49))
    post.handler.answers["exemple.fr"] = "451 4.7.1 Greylisted"

    actions.send_due()

    assert state(delivery) == "failed"


def test_a_permanent_refusal_is_kept_with_the_servers_words(post):
    delivery = owe()
    post.handler.answers["exemple.fr"] = "550 5.1.1 Unknown user"

    actions.send_due()

    assert state(delivery) == "failed"
    assert delivery.smtp_reply == "550 5.1.1 Unknown user"
    assert [event.kind for event in delivery.events.all()] == ["failed"]


def test_a_server_that_is_away_delays_and_loses_nothing(settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    delivery = owe()

    actions.send_due()

    assert state(delivery) == "pending"
    assert "no link" in delivery.smtp_reply


def test_a_link_that_drops_after_data_is_perhaps_sent_then_sent_again_with_the_same_message_id(post, monkeypatch):
    delivery = owe()
    data = smtplib.SMTP.data

    def drop(self, body):
        data(self, body)
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(smtplib.SMTP, "data", drop)
    actions.send_due()
    assert state(delivery) == "unknown"
    monkeypatch.undo()

    actions.take_up_what_was_left()
    assert state(delivery) == "unknown"  # not before ten minutes
    age(delivery, lease_until=timezone.now() - timedelta(minutes=11))
    actions.take_up_what_was_left()
    actions.send_due()

    assert state(delivery) == "sent"
    assert {letter["Message-ID"] for letter in post.letters} == {delivery.message_id}


def test_what_a_dead_worker_held_before_data_is_taken_back_and_after_data_is_perhaps_sent():
    before, after = owe(), owe()
    past = timezone.now() - timedelta(seconds=1)
    age(before, state="sending", phase="claimed", worker="dead", lease_until=past)
    age(after, state="sending", phase="data", worker="dead", lease_until=past)

    actions.take_up_what_was_left()

    assert (state(before), state(after)) == ("pending", "unknown")


def test_a_living_worker_keeps_what_it_holds():
    held = owe()
    age(held, state="sending", phase="data", worker="alive", lease_until=timezone.now() + timedelta(seconds=50))

    actions.take_up_what_was_left()

    assert state(held) == "sending"


def test_an_email_past_its_use_is_called_off_and_its_secret_wiped(post):
    delivery = owe(useful_until=timezone.now() - timedelta(seconds=1), secret="QX7P")

    actions.take_up_what_was_left()

    assert state(delivery) == "cancelled"
    assert delivery.secret == ""
    assert actions.send_due() == 0


def test_a_secret_is_wiped_once_sent(post):
    delivery = owe(secret="QX7P")

    actions.send_due()

    assert "QX7P" in post.letters[0].get_body(("plain",)).get_content()
    assert (state(delivery), delivery.secret) == ("sent", "")


def test_an_email_no_longer_due_is_not_sent(post):
    delivery = owe(refs={"name": "undone"})
    due["undone"] = False

    actions.send_due()

    assert state(delivery) == "cancelled"
    assert post.letters == []


@pytest.mark.parametrize(("held", "called_off"), [("pending", True), ("claimed", True), ("data", False), ("sent", False)])
def test_calling_off_works_until_data_begins(held, called_off):
    delivery = owe()
    if held == "sent":
        age(delivery, state="sent")
    elif held != "pending":
        age(delivery, state="sending", phase=held, worker="w", lease_until=timezone.now() + timedelta(seconds=50))

    with transaction.atomic():
        found = steps.call_off([delivery.pk])

    assert (delivery.pk in found) is called_off
    assert (state(delivery) == "cancelled") is called_off


def test_a_worker_whose_email_was_called_off_meanwhile_sends_nothing(post):
    delivery = owe()
    claimed = actions.claim("me", Delivery.Priority.ORDINARY)
    with transaction.atomic():
        steps.call_off([delivery.pk])

    actions.deliver(claimed)

    assert post.letters == []
    assert state(delivery) == "cancelled"


def test_a_worker_whose_lease_was_taken_over_sends_nothing(post):
    delivery = owe()
    frozen = actions.claim("frozen", Delivery.Priority.ORDINARY)
    age(delivery, lease_until=timezone.now() - timedelta(seconds=1))
    actions.take_up_what_was_left()
    actions.send_due()

    actions.deliver(frozen)

    assert len(post.letters) == 1
    assert state(delivery) == "sent"


def test_an_email_whose_document_cannot_be_made_waits_alone_and_the_next_leave(post):
    heavy, light = owe(refs={"heavy": True}), owe()

    actions.send_due()

    assert (state(heavy), state(light)) == ("pending", "sent")
    assert heavy.not_before > timezone.now() and heavy.smtp_reply == "cannot be written yet: cannot_render"


def test_a_name_that_tries_to_add_a_header_fails_alone_and_the_next_leave(post):
    wrong = owe(refs={"subject": "Bonjour\r\nBcc: autre@exemple.fr"})
    others = [owe(to=f"n{i}@exemple.fr") for i in range(3)]

    actions.send_due()

    assert state(wrong) == "failed"
    assert [state(other) for other in others] == ["sent"] * 3
    assert not any(letter["Bcc"] for letter in post.letters)


def test_login_codes_leave_before_a_batch_that_waits(post):
    for i in range(3):
        owe(to=f"n{i}@exemple.fr")
    owe(to="login@exemple.fr", priority=Delivery.Priority.LOGIN)

    actions.send_due()

    assert post.letters[0]["To"] == "login@exemple.fr"


def test_the_worker_kept_for_login_codes_leaves_the_rest(post):
    batch, login = owe(), owe(priority=Delivery.Priority.LOGIN)

    assert actions.send_due(login_only=True) == 1
    assert (state(batch), state(login)) == ("pending", "sent")


@pytest.mark.django_db(transaction=True)
def test_four_workers_send_two_hundred_emails_once_each(post):
    for i in range(200):
        owe(to=f"n{i}@exemple.fr")

    def work():
        try:
            actions.send_due()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    ids = [letter["Message-ID"] for letter in post.letters]
    assert len(ids) == len(set(ids)) == 200
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_an_address_with_an_accent_in_its_domain_is_written_for_the_server():
    assert idna("zoe@théâtre.fr") == "zoe@xn--thtre-4qa2c.fr"
