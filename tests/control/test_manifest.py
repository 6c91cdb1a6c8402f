"""What a gate without network needs: each ticket's generation and whether it may come in, whole or what has changed; and the keys."""

import base64
import gzip
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories
from tests.control.test_api import check
from tickets.models import Movement, SigningKey, Ticket

pytestmark = pytest.mark.django_db


def unpacked(text):
    values, value, shift = [], 0, 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
    return values


def listed(manifest):
    found = {}
    for part in manifest["parts"]:
        number = 0
        for step, state in zip(unpacked(part["numbers"]), unpacked(part["states"]), strict=True):
            number += step
            found[number] = divmod(state, 4)
    return found


class TestManifest:
    def test_it_says_of_each_ticket_which_generation_may_come_in_and_nothing_of_people(self, api, ticket, product, signing_key):
        Ticket.objects.filter(pk=ticket.pk).update(generation=40, printed_generation=40)
        others = list(Ticket.objects.exclude(pk=ticket.pk).order_by("number"))
        answer = api.get("/api/v1/manifest", headers={"accept-encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip"
        text = gzip.decompress(answer.content).decode()
        manifest = api.get("/api/v1/manifest").json()
        assert listed(manifest) == {ticket.number: (40, 1)} | {other.number: (0, 0) for other in others}
        assert manifest["keys"] == [{"id": signing_key.pk, "public_key": base64.b64encode(bytes(signing_key.public_key)).decode()}]
        assert (manifest["event"], manifest["whole"]) == (product.event_id, True)
        assert "Zo" not in text and "Lef" not in text
        Ticket.objects.filter(pk=ticket.pk).update(generation=0, printed_generation=0)

    def test_since_a_cursor_it_says_what_changed_even_what_was_seen_late(self, api, ticket, monkeypatch):
        with monkeypatch.context() as patched:
            patched.setattr("control.manifest.AGAIN", timedelta(0))
            cursor = api.get("/api/v1/manifest").json()["cursor"]
            assert cursor == Movement.objects.latest("pk").pk
            assert api.get(f"/api/v1/manifest?since={cursor}").json()["parts"] == []

        check(api, ticket)
        factories.stock(factories.CompanyFactory(), 1)  # of another event
        for _ in range(2):  # young changes are told again
            changes = api.get(f"/api/v1/manifest?since={cursor}").json()
            assert (changes["whole"], listed(changes)) == (False, {ticket.number: (0, 2)})
            assert changes["cursor"] == cursor

    def test_a_cursor_of_nowhere_gets_the_whole(self, api, ticket):
        assert api.get("/api/v1/manifest?since=999999999").json()["whole"] is True

    def test_a_revoked_key_is_not_in_it(self, api, signing_key):
        SigningKey.objects.update(revoked_at=timezone.now())
        assert api.get("/api/v1/manifest").json()["keys"] == []

    def test_after_very_many_changes_the_whole_is_told(self, api, ticket, monkeypatch):
        check(api, ticket)
        cursor = Movement.objects.earliest("pk").pk
        assert api.get(f"/api/v1/manifest?since={cursor}").json()["whole"] is False
        monkeypatch.setattr("control.manifest.CHANGES_AT_MOST", 1)
        assert api.get(f"/api/v1/manifest?since={cursor}").json()["whole"] is True
