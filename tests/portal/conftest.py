import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Seller
from dashboard.actions import close_statement
from distribution.actions import distribute, forward, hand_over
from sales.actions import issue_due_invoices, request_option
from sales.models import Account, Invoice, Terms
from tests import factories
from tickets.models import Order


@pytest.fixture
def story(seller, signing_key):
    """A company with a relay, a member who holds a ticket, two acts; and another company with its own."""
    relay = factories.RelayFactory(may_buy=True, may_see_accounts=True)
    product = factories.stock(relay.company, 9)
    member = factories.MemberFactory(company=relay.company)
    (ticket,) = factories.given(member, product, by=relay.user)
    gifts = [(factories.MemberFactory(company=relay.company).pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    paper = hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    printout = paper.printouts.get()
    forward(relay=relay, product=product, to=site.company, quantity=1, message="", request_key=uuid.uuid4())
    factories.listing(product, open_to_all=False).companies.set([relay.company])
    Seller.objects.update(legal_name="A", address="B", siret="C")
    Terms.objects.create(options_by_rule=True, legal_form="D", vat_number="E")
    Account.objects.update(limit=10_000, address="F")
    asked = {"quantity": 1, "wished_on": None, "note": "", "request_key": uuid.uuid4()}
    option = request_option(relay=relay, product=product, **asked)
    issue_due_invoices()
    other = factories.RelayFactory(may_buy=True, may_see_accounts=True)
    factories.stock(other.company, 2)
    past = factories.EventFactory(starts_at=timezone.now() - timedelta(days=2))
    ids = {
        "company_id": relay.company.public_id,
        "product_id": product.public_id,
        "ticket_id": ticket.public_id,
        "distribution_id": act.public_id,
        "recipient_id": act.recipients.get().public_id,
        "printout_id": printout.public_id,
        "file_id": printout.files.get().public_id,
        "other_id": site.company.public_id,
        "member_id": member.public_id,
        "duplicate_id": factories.MemberFactory(company=relay.company).public_id,
        "group_id": factories.GroupFactory(company=relay.company).public_id,
        "event_id": product.event.public_id,
        "closed_id": close_statement(event=past.pk, by=other.user).public_id,
        "option_id": option.public_id,
        "invoice_id": Invoice.objects.get().public_id,
        "order_id": Order.objects.get(company=relay.company).public_id,
    }
    return {"relay": relay, "member": member, "other": other, "ids": ids, "paper": paper.public_id, "product": product}
