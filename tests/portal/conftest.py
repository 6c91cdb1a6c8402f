import uuid

import pytest

from distribution.actions import distribute, forward, hand_over
from tests import factories


@pytest.fixture
def story(seller, signing_key):
    """A company with a relay, a member who holds a ticket, two acts; and another company with its own."""
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 9)
    member = factories.MemberFactory(company=relay.company)
    (ticket,) = factories.given(member, product, by=relay.user)
    gifts = [(factories.MemberFactory(company=relay.company).pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    paper = hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    printout = paper.printouts.get()
    forward(relay=relay, product=product, to=site.company, quantity=1, message="", request_key=uuid.uuid4())
    other = factories.RelayFactory()
    factories.stock(other.company, 2)
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
    }
    return {"relay": relay, "member": member, "other": other, "ids": ids, "paper": paper.public_id, "product": product}
