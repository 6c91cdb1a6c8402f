"""What gives money back, and what changes staff's rights or second factors, asks again who is there (TRUST row 33)."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from distribution.actions import ask_erasure
from sales.models import Payment, Posting
from sales.steps import ledger
from tests import factories
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def staff(seller, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = True
    user = factories.UserFactory(is_staff=True, is_superuser=True)
    totp.TOTP.activate(user, SECRET)
    return user


@pytest.fixture
def as_staff(client, staff):
    """Logged in since a while, second factor included."""
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def show_second_factor(client, answer):
    """Type what the app on her phone shows, at the page that asks for it."""
    code = totp.format_hotp_value(totp.hotp_value(SECRET, next(totp.yield_hotp_counters_from_time())))
    assert client.get(answer["Location"]).status_code == 200
    return client.post(answer["Location"], {"code": code})


def test_cancelling_an_order_asks_for_the_second_factor_then_goes_on(as_staff, relay):
    factories.stock(relay.company, 2)
    order = Order.objects.get()
    form = {"action": "cancel", "_selected_action": [order.pk]}

    answer = as_staff.post("/admin/tickets/order/", form)
    assert answer["Location"].startswith("/account/second-factor/reauthenticate/")
    assert not Ticket.objects.filter(status="cancelled").exists()

    show_second_factor(as_staff, answer)
    assert set(Ticket.objects.values_list("status", flat=True)) == {"cancelled"}


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/admin/tickets/ticket/", {"action": "cancel", "_selected_action": "{ticket}"}),
        ("/admin/members/erasure/", {"action": "erase_now", "_selected_action": "{erasure}"}),
        ("/admin/sales/payment/", {"action": "reverse", "_selected_action": "{payment}"}),
        ("/admin/tickets/event/{event}/cancel/", {"confirm": "1", "request_key": "7c1b6f0e-6b8e-4a53-9a0e-2f0f7f0f0f0f"}),
        ("/admin/accounts/user/{user}/change/", {"is_active": "on", "is_staff": "on", "is_superuser": "on"}),
        ("/admin/mfa/authenticator/{authenticator}/delete/", {"post": "yes"}),
        ("/admin/mfa/authenticator/", {"action": "delete_selected", "_selected_action": "{authenticator}", "post": "yes"}),
    ],
)
def test_it_asks_before(as_staff, relay, page, form):
    factories.stock(relay.company, 1)
    erasure = ask_erasure(user=factories.UserFactory(), keeps_tickets=False)
    with transaction.atomic():
        payment = Payment(account=ledger.lock_account(relay.company), amount=38, received_on=timezone.localdate(), recorded_by=relay.user)
        ledger.receive(payment, order=None, at=timezone.now())
    ids = {
        "payment": payment.pk,
        "ticket": Ticket.objects.get().pk,
        "event": Ticket.objects.get().event_id,
        "user": relay.user.pk,
        "authenticator": Authenticator.objects.get().pk,
        "erasure": erasure.pk,
    }

    answer = as_staff.post(page.format(**ids), {name: value.format(**ids) for name, value in form.items()})

    assert answer["Location"].startswith("/account/second-factor/reauthenticate/")
    assert not Ticket.objects.filter(status="cancelled").exists()
    assert not Posting.objects.filter(kind="reversal").exists()
    assert not User.objects.get(pk=relay.user.pk).is_staff
    assert Authenticator.objects.exists()
    erasure.refresh_from_db()
    assert erasure.done_at is None


def test_everyday_work_is_not_asked_for(as_staff, relay):
    factories.stock(relay.company, 1)

    answer = as_staff.post("/admin/tickets/ticket/", {"action": "reissue", "_selected_action": [Ticket.objects.get().pk]})

    assert answer["Location"] == "/admin/tickets/ticket/"
    assert Ticket.objects.get().generation == 1
