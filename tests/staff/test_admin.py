"""The staff's pages: every one opens, with a constant number of queries, and writes only what it should."""

import re
import uuid

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Relay, Seller, User
from control.models import Device
from outbox.models import Delivery
from tests import factories
from tickets.models import Order, Seat, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(client, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def changelists():
    return [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in admin.site._registry]


def fill(relay):
    product = factories.stock(relay.company, 3)
    factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user)
    factories.DeviceFactory(gate__event=product.event)
    return product


def test_every_list_opens_with_a_constant_number_of_queries(as_staff, relay):
    as_staff.get("/admin/")  # writes when she was last seen, once a minute
    counts = []
    for _ in range(2):
        fill(relay)
        fill(factories.RelayFactory())
        found = {}
        for url in changelists():
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert as_staff.get(url).status_code == 200, url
            found[url] = len(queries)
        counts.append(found)

    assert {url: (n, counts[1][url]) for url, n in counts[0].items() if n != counts[1][url]} == {}
    assert max(counts[0].values()) <= 12


def test_every_row_opens(as_staff, relay):
    fill(relay)
    for model in admin.site._registry:
        row = model.objects.first()
        if row is not None:
            url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
            assert as_staff.get(url).status_code == 200, url


def test_every_search_and_filter_answers(as_staff, relay):
    fill(relay)
    for model, model_admin in admin.site._registry.items():
        if model_admin.search_fields:
            url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            assert as_staff.get(url, {"q": "Zoé"}).status_code == 200, url


def test_authorising_a_relay_makes_the_login_and_owes_the_welcome(as_staff, seller):
    company = factories.CompanyFactory()
    form = {"company": company.pk, "email": " Samia@Exemple.FR ", "first_name": "Samia", "last_name": "Belkacem", "may_distribute": "on"}

    answer = as_staff.post(reverse("admin:accounts_relay_add"), form)

    assert answer.status_code == 302
    relay = Relay.objects.get()
    assert relay.user.email == "samia@exemple.fr"
    assert not relay.user.has_usable_password()
    assert relay.authorised_by.is_staff
    assert Delivery.objects.get().kind == "relay_welcome"

    again = as_staff.post(reverse("admin:accounts_relay_add"), form)
    assert "est déjà relais" in again.content.decode()
    assert User.objects.filter(email="samia@exemple.fr").count() == 1


def test_withdrawing_a_relay_is_an_action_of_the_list(as_staff, relay):
    as_staff.post(reverse("admin:accounts_relay_changelist"), {"action": "withdraw", "_selected_action": [relay.pk]})

    assert not Relay.objects.authorised().exists()


def test_an_order_is_confirmed_from_its_page(as_staff, relay):
    draft = factories.order(relay.company, factories.ProductFactory(), 3)
    page = as_staff.get(reverse("admin:tickets_order_change", args=[draft.pk])).content.decode()
    assert "Confirmer et émettre les billets" in page

    as_staff.get(reverse("admin:tickets_order_confirm", args=[draft.pk]))
    assert not Ticket.objects.exists()
    as_staff.post(reverse("admin:tickets_order_confirm", args=[draft.pk]))
    assert Ticket.objects.count() == 3
    assert Order.objects.get().confirmed_by.is_staff


def test_lines_take_the_products_price_and_a_confirmed_order_is_locked(as_staff, relay):
    product = factories.ProductFactory(price="21.50")
    lines = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-product": product.pk, "lines-0-quantity": "4"}
    as_staff.post(reverse("admin:tickets_order_add"), {"company": relay.company.pk, "channel": "phone", "key": str(uuid.uuid4()), **lines})
    order = Order.objects.get()
    assert str(order.lines.get().unit_price) == "21.50"

    as_staff.post(reverse("admin:tickets_order_confirm", args=[order.pk]))
    line = order.lines.get()
    changed = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "1", "lines-0-id": line.pk, "lines-0-order": order.pk}
    changed |= {"lines-0-product": product.pk, "lines-0-quantity": "400"}
    as_staff.post(reverse("admin:tickets_order_change", args=[order.pk]), {"company": relay.company.pk, "channel": "phone", **changed})
    line.refresh_from_db()
    assert line.quantity == 4


def test_nothing_that_was_issued_can_be_deleted_or_edited(as_staff, relay):
    fill(relay)
    for name in (
        "tickets_ticket",
        "tickets_movement",
        "control_scan",
        "outbox_delivery",
        "tickets_order",
        "accounts_company",
        "accounts_relay",
    ):
        model = next(m for m in admin.site._registry if f"{m._meta.app_label}_{m._meta.model_name}" == name)
        row = model.objects.first()
        if row:
            assert as_staff.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, name


def test_tickets_are_cancelled_and_reissued_from_their_list(as_staff, relay):
    fill(relay)
    held = Ticket.objects.get(status="distributed")
    url = reverse("admin:tickets_ticket_changelist")

    as_staff.post(url, {"action": "reissue", "_selected_action": [held.pk]})
    held.refresh_from_db()
    assert held.generation == 1

    as_staff.post(url, {"action": "cancel", "_selected_action": [held.pk]})
    held.refresh_from_db()
    assert held.status == "cancelled"


def test_a_device_is_paired_by_a_code_shown_as_a_picture_and_letters_and_is_revoked_at_once(as_staff, seller):
    gate = factories.GateFactory()
    form = {"gate": gate.pk, "name": "Douchette", "may_scan": "on"}
    page = as_staff.post(reverse("admin:control_device_add"), form, follow=True)
    device = Device.objects.get()
    pair = reverse("admin:control_device_pair", args=[device.pk])
    assert page.request["PATH_INFO"] == pair
    assert as_staff.get(pair).status_code == 200
    device.refresh_from_db()
    assert device.pairing_hash is None  # looking makes no code
    shown = as_staff.post(pair).content.decode()
    code = re.search(r"[B-Z]{4}-[B-Z]{4}", shown)[0]
    assert f"/gate/?code={code}" in shown and "<svg" in shown and "style=" not in shown.split("pairing-code")[0].split('class="pairing"')[1]
    phone = Client()
    assert f'value="{code}"' in phone.get(f"/gate/?code={code}").content.decode()
    phone.post("/gate/pair/", {"code": code})
    assert gate.name in phone.get("/gate/").content.decode()

    as_staff.post(reverse("admin:control_device_changelist"), {"action": "revoke", "_selected_action": [device.pk]})
    device.refresh_from_db()
    assert device.revoked_at
    assert "Ouvrir une porte" in phone.get("/gate/").content.decode()
    assert as_staff.post(pair).status_code == 404


def test_seats_come_from_a_pasted_list_and_faults_are_named(as_staff, seller):
    event = factories.EventFactory()
    url = reverse("admin:tickets_event_seats")

    wrong = as_staff.post(url, {"event": event.pk, "seats": "Parterre;A;1\nParterre;A"})
    assert "Lignes incomprises" in wrong.content.decode()
    as_staff.post(url, {"event": event.pk, "seats": "Parterre;A;1\nParterre\tA\t2\nParterre;B;1;wheelchair"})
    as_staff.post(url, {"event": event.pk, "seats": "Parterre;A;1\nParterre;A;3"})
    assert Seat.objects.count() == 4
    assert Seat.objects.filter(kind="wheelchair").count() == 1


def test_an_email_is_sent_again_as_a_new_one(as_staff, relay):
    fill(relay)
    Delivery.objects.update(state="sent")
    old = Delivery.objects.get()

    as_staff.post(reverse("admin:outbox_delivery_changelist"), {"action": "send_again", "_selected_action": [str(old.pk)]})

    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["pending", "sent"]


def test_the_sellers_logo_is_drawn_again_and_anything_else_is_refused(as_staff, seller):
    import io

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (900, 300), "red").save(picture, "JPEG")
    url = reverse("admin:accounts_seller_change", args=[1])
    form = {field.name: field.get_default() for field in Seller._meta.fields if field.editable and field.get_default() is not None}

    as_staff.post(url, form | {"logo_file": SimpleUploadedFile("logo.jpg", picture.getvalue())})
    logo = as_staff.get("/logo.png")
    assert logo["Content-Type"] == "image/png"
    assert max(Image.open(io.BytesIO(logo.content)).size) == 512

    for wrong in (b"<svg onload=alert(1)>", b"GIF89a", b""):
        as_staff.post(url, form | {"logo_file": SimpleUploadedFile("logo.png", wrong)})
    assert bytes(Seller.objects.get().logo) == logo.content
