"""What is given as PDF besides tickets, in their faces (PDF/UA-1): sheets to sign, slips, a person's own data. Nothing is written."""

from pathlib import Path

from django.template.loader import render_to_string
from django.utils.translation import get_language

from accounts.models import Relay, Seller
from distribution.models import Distribution
from distribution.paper import part_of, slip_lines
from portal.clock import now
from tickets.documents import rendered

FOLDER = Path(__file__).resolve().parent


def sheet_pdf(act: Distribution, *, without_email: bool, part: str | None) -> bytes:
    """A line for each ticket of the act that people still hold, in the order in which they are printed, with a box to sign.

    A member's own name, not the beneficiary she wrote: she is who collects.
    """
    tickets = act.tickets_given().select_related("seat", "member")
    if without_email:
        tickets = tickets.filter(member__email="")
    page = part_of(tickets, part)
    context = {
        "tickets": page.object_list,
        "first": page.start_index(),
        "count": page.paginator.count,
        "part": page.number,
        "parts": page.paginator.num_pages,
        "numbered": act.product.numbered,
    }
    return paper("sheet", act, context)


def slip_pdf(act: Distribution, *, names: bool, part: str | None) -> bytes:
    """What the act gave and nobody took back, with its face value, in quantities and amounts; to whom only where names are asked."""
    lines = slip_lines(act, names=names)
    page = part_of(lines, part)
    count = sum(line.quantity for line in lines)
    context = {
        "lines": page.object_list,
        "names": names,
        "count": count,
        "total": sum(line.total for line in lines),
        "taken_back": act.quantity - count,
        "part": page.number,
        "parts": page.paginator.num_pages,
        "at": now(),
    }
    return paper("slip", act, context)


def paper(name: str, act: Distribution, context: dict) -> bytes:
    context |= {"act": act, "given_by": who_gave(act), "seller": Seller.objects.current(), "language": get_language()}
    return rendered(render_to_string(f"distribution/paper/{name}.html", context), {}, style=FOLDER / "paper.css", pdf_variant="pdf/ua-1")


def who_gave(act: Distribution) -> Relay | str:
    """The relay who acted, as she was authorised for the company."""
    return Relay.objects.filter(user=act.actor_id, company=act.company_id).order_by("-pk").first() or ""


def my_data_pdf(context: dict) -> bytes:
    """A person's own data, to keep."""
    page = render_to_string("distribution/my_data_document.html", {**context, "language": get_language()})
    return rendered(page, {}, style=FOLDER / "my_data.css", pdf_variant="pdf/ua-1")
