"""Everything that is kept about one person, as plain values: the page, the PDF and the JSON file all come from here."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Relay, RelayProposal, Seller, User
from distribution.models import Distribution, Recipient, Reminder
from members.models import Access, AddressChange, Consent, Member
from outbox.models import Delivery
from tickets.models import Movement, Ticket

# What each key of the file means: the file says it itself. An unknown key is a fault of a test.
KEYS = {
    "made_at": gettext_lazy("when this file was made (ISO 8601, like all times in it)"),
    "seller": gettext_lazy("who keeps these data"),
    "login": gettext_lazy("how you log in"),
    "login.address": gettext_lazy("your email address; whoever reads its emails is you"),
    "login.language": gettext_lazy("language of your pages and emails"),
    "login.made_at": gettext_lazy("when the address was first written here"),
    "login.last_seen_at": gettext_lazy("when you last came, to the minute"),
    "login.has_password": gettext_lazy("whether you have chosen a password; the password itself is not kept"),
    "second_factors": gettext_lazy("your passkeys and second factors"),
    "second_factors.kind": gettext_lazy("totp, webauthn or recovery_codes"),
    "second_factors.made_at": gettext_lazy("when it was added"),
    "second_factors.last_used_at": gettext_lazy("when it was last used"),
    "companies": gettext_lazy("who you are on each company's list"),
    "companies.company": gettext_lazy("the company"),
    "companies.first_name": gettext_lazy("your first name there"),
    "companies.last_name": gettext_lazy("your last name there"),
    "companies.on_the_list_since": gettext_lazy("when you were put on the list"),
    "companies.address_since": gettext_lazy("since when this address is written there"),
    "companies.last_given_at": gettext_lazy("when a relay last gave you a ticket"),
    "companies.left_on": gettext_lazy("when you left the list; empty while you are on it"),
    "companies.groups": gettext_lazy("in which groups of the list your relays have put you"),
    "relay_of": gettext_lazy("companies that the seller authorised you to act for"),
    "relay_of.company": gettext_lazy("the company"),
    "relay_of.first_name": gettext_lazy("your first name as a relay"),
    "relay_of.last_name": gettext_lazy("your last name as a relay"),
    "relay_of.authorised_at": gettext_lazy("when you were authorised"),
    "relay_of.until": gettext_lazy("last day of the authorisation; empty for no end"),
    "relay_of.withdrawn_at": gettext_lazy("when it was withdrawn"),
    "proposed": gettext_lazy("companies for which a relay proposed you to the seller"),
    "proposed.company": gettext_lazy("the company"),
    "proposed.first_name": gettext_lazy("your first name, as she wrote it"),
    "proposed.last_name": gettext_lazy("your last name, as she wrote it"),
    "proposed.at": gettext_lazy("when"),
    "tickets": gettext_lazy("the tickets that you hold, past ones included"),
    "tickets.number": gettext_lazy("the ticket's number"),
    "tickets.event": gettext_lazy("the event"),
    "tickets.venue": gettext_lazy("where it is"),
    "tickets.starts_at": gettext_lazy("when it starts; empty for an open date"),
    "tickets.valid_until": gettext_lazy("until when the gate admits"),
    "tickets.category": gettext_lazy("the category"),
    "tickets.seat": gettext_lazy("the seat, if it is numbered"),
    "tickets.company": gettext_lazy("which company gave it to you"),
    "tickets.member": gettext_lazy("to whom of those who share your address"),
    "tickets.beneficiary": gettext_lazy("whose name it bears"),
    "tickets.state": gettext_lazy("distributed, printed, checked or cancelled"),
    "tickets.copy": gettext_lazy("how many times its barcode was made"),
    "tickets.history": gettext_lazy("what happened to it since you hold it"),
    "tickets.history.what": gettext_lazy("distributed, renamed, printed, reissued, merged, checked or cancelled"),
    "tickets.history.at": gettext_lazy("when"),
    "tickets_no_longer_held": gettext_lazy("tickets that you had and that went back to the company"),
    "tickets_no_longer_held.number": gettext_lazy("the ticket's number"),
    "tickets_no_longer_held.event": gettext_lazy("the event"),
    "tickets_no_longer_held.member": gettext_lazy("who of those who share your address had it"),
    "tickets_no_longer_held.what": gettext_lazy("reclaimed by a relay, or given_back by you"),
    "tickets_no_longer_held.at": gettext_lazy("when"),
    "words_to_you": gettext_lazy("what relays wrote to you with tickets"),
    "words_to_you.event": gettext_lazy("the event"),
    "words_to_you.words": gettext_lazy("what was written"),
    "words_to_you.at": gettext_lazy("when"),
    "acts": gettext_lazy("what you did with tickets: given back, and all you did as a relay"),
    "acts.what": gettext_lazy("give_back, distribute, hand_over, forward, reclaim or reassign"),
    "acts.event": gettext_lazy("the event"),
    "acts.company": gettext_lazy("for which company"),
    "acts.quantity": gettext_lazy("how many tickets"),
    "acts.words": gettext_lazy("what you wrote with it"),
    "acts.at": gettext_lazy("when"),
    "emails": gettext_lazy("emails sent to you"),
    "emails.kind": gettext_lazy("what the email was about"),
    "emails.state": gettext_lazy("pending, sending, sent, unknown (perhaps sent) or failed (refused)"),
    "emails.owed_at": gettext_lazy("when it was to be sent"),
    "emails.sent_at": gettext_lazy("when it left"),
    "emails.answer": gettext_lazy("what your mail server answered"),
    "offers": gettext_lazy("what you answered about the seller's offers"),
    "offers.text": gettext_lazy("what you were asked"),
    "offers.page": gettext_lazy("on which page"),
    "offers.yes_at": gettext_lazy("when you said yes"),
    "offers.no_at": gettext_lazy("when you said no"),
    "offers.ended_at": gettext_lazy("when you changed your answer"),
    "sessions": gettext_lazy("the browsers that are logged in as you"),
    "sessions.opened_at": gettext_lazy("when it logged in"),
    "sessions.last_seen_at": gettext_lazy("when its network address or version was last noted"),
    "sessions.network_address": gettext_lazy("from which network address (IP)"),
    "sessions.browser": gettext_lazy("which browser, as it names itself"),
    "opened_by_staff": gettext_lazy("when the seller's staff opened your record"),
    "opened_by_staff.company": gettext_lazy("which of your records"),
    "opened_by_staff.at": gettext_lazy("when"),
    "address_changes": gettext_lazy("new addresses that you typed in the last days"),
    "address_changes.address": gettext_lazy("the address"),
    "address_changes.asked_at": gettext_lazy("when"),
    "erasures": gettext_lazy("whether you asked that your data be erased"),
    "erasures.asked_at": gettext_lazy("when you asked"),
    "erasures.called_off_at": gettext_lazy("when you changed your mind"),
}


def data_of(user: User, at: datetime) -> dict:
    """All that is kept about whoever logs in with this address, in a constant number of queries."""
    mine = Member.objects.bearing(user).select_related("company").prefetch_related("groups").order_by("company__name", "sort_key")
    members = list(mine)
    return {
        "made_at": at,
        "seller": Seller.objects.current().name,
        **login_of(user),
        "companies": [company_of(member) for member in members],
        "relay_of": [relay_of(relay) for relay in Relay.objects.filter(user=user).select_related("company")],
        "proposed": [
            {"company": proposal.company.name, "first_name": proposal.first_name, "last_name": proposal.last_name, "at": proposal.at}
            for proposal in RelayProposal.objects.filter(email=user.email).select_related("company")
        ],
        **tickets_of(user),
        **words_of(user, members),
        "emails": emails_to(user),
        "offers": [answer_of(consent) for consent in Consent.objects.filter(user=user).order_by("-pk")],
        "opened_by_staff": [
            {"company": access.member.company.name, "at": access.at}
            for access in Access.objects.filter(member__in=members).select_related("member__company")
        ],
    }


def login_of(user: User) -> dict:
    return {
        "login": {
            "address": user.email,
            "language": user.language,
            "made_at": user.created_at,
            "last_seen_at": user.last_seen_at,
            "has_password": user.has_usable_password(),
        },
        "second_factors": [
            {"kind": factor.type, "made_at": factor.created_at, "last_used_at": factor.last_used_at}
            for factor in Authenticator.objects.filter(user=user).order_by("pk")
        ],
        "sessions": [
            {"opened_at": s.created_at, "last_seen_at": s.last_seen_at, "network_address": s.ip, "browser": s.user_agent}
            for s in UserSession.objects.filter(user=user).order_by("-last_seen_at")
        ],
        "address_changes": [
            {"address": change.email, "asked_at": change.asked_at} for change in AddressChange.objects.filter(user=user).order_by("-pk")
        ],
        "erasures": [{"asked_at": erasure.asked_at, "called_off_at": erasure.called_off_at} for erasure in user.erasures.all()],
    }


def company_of(member: Member) -> dict:
    return {
        "company": member.company.name,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "on_the_list_since": member.created_at,
        "address_since": member.bears_address_since,
        "last_given_at": member.last_given_at,
        "left_on": member.left_on,
        "groups": [group.name for group in member.groups.all()],
    }


def relay_of(relay: Relay) -> dict:
    return {
        "company": relay.company.name,
        "first_name": relay.first_name,
        "last_name": relay.last_name,
        "authorised_at": relay.authorised_at,
        "until": relay.until,
        "withdrawn_at": relay.withdrawn_at,
    }


def tickets_of(user: User) -> dict:
    """What she holds, each with its history since she does; and what went back. What was undone she never hears of."""
    held = list(Ticket.objects.given_to(user).for_list().order_by("-event__valid_until", "number"))
    history: dict[int, list[dict]] = {}
    for movement in Movement.objects.filter(ticket__in=held).exclude(kind__in=["issued", "forwarded"]).order_by("pk"):
        if movement.kind == "distributed":
            history[movement.ticket_id] = []
        history.setdefault(movement.ticket_id, []).append({"what": movement.kind, "at": movement.at})
    gone = Movement.objects.filter(from_member__email=user.email, kind__in=["reclaimed", "given_back"])
    return {
        "tickets": [ticket_of(ticket, history.get(ticket.pk, [])) for ticket in held],
        "tickets_no_longer_held": [
            {"number": m.ticket.number, "event": m.ticket.event.name, "member": str(m.from_member), "what": m.kind, "at": m.at}
            for m in gone.select_related("ticket__event", "from_member").order_by("-pk")
        ],
    }


def ticket_of(ticket: Ticket, history: list[dict]) -> dict:
    return {
        "number": ticket.number,
        "event": ticket.event.name,
        "venue": ticket.event.venue.name,
        "starts_at": ticket.event.starts_at,
        "valid_until": ticket.event.valid_until,
        "category": ticket.product.category,
        "seat": str(ticket.seat or ""),
        "company": ticket.company.name,
        "member": str(ticket.member),
        "beneficiary": ticket.beneficiary,
        "state": ticket.status,
        "copy": ticket.copy,
        "history": history,
    }


def words_of(user: User, members: list[Member]) -> dict:
    shown = Q(distribution__undo_until=None) | Q(distribution__undo_until__lte=Now())
    told = Recipient.objects.filter(shown, member__in=members, distribution__undone_at=None).exclude(message="")
    reminded = Reminder.objects.filter(member__in=members).exclude(message="").select_related("product__event")
    acts = Distribution.objects.filter(actor=user).select_related("product__event", "company")
    return {
        "words_to_you": [
            {"event": r.distribution.product.event.name, "words": r.message, "at": r.distribution.at}
            for r in told.select_related("distribution__product__event").order_by("-pk")
        ]
        + [{"event": r.product.event.name, "words": r.message, "at": r.at} for r in reminded],
        "acts": [
            {
                "what": act.kind,
                "event": act.product.event.name,
                "company": act.company.name,
                "quantity": act.quantity,
                "words": act.message,
                "at": act.at,
            }
            for act in acts.order_by("-pk")
        ],
    }


def emails_to(user: User) -> list[dict]:
    """What left, or will at once: what was called off never reached her."""
    due = Delivery.objects.filter(recipient=user.email).exclude(state="cancelled").exclude(state="pending", not_before__gt=Now())
    return [
        {"kind": d.kind, "state": d.state, "owed_at": d.created_at, "sent_at": d.sent_at, "answer": d.smtp_reply}
        for d in due.order_by("-created_at")
    ]


def answer_of(consent: Consent) -> dict:
    return {
        "text": consent.text,
        "page": consent.page,
        "yes_at": consent.given_at,
        "no_at": consent.declined_at,
        "ended_at": consent.withdrawn_at,
    }


def subject_of(kind: str) -> str:
    """What an email of this kind says, for whom it was sent to."""
    subjects = {
        "login_code": _("Your code to log in"),
        "login_unknown": _("Your code to log in"),
        "relay_welcome": _("Your welcome as a relay"),
        "tickets_ready": _("Tickets of your company are ready"),
        "tickets_distributed": _("Tickets for you"),
        "tickets_reclaimed": _("Tickets taken back"),
        "tickets_reminder": _("Tickets that wait for you"),
        "tickets_moved": _("Tickets that go to another address"),
        "ticket_cancelled": _("Tickets cancelled"),
        "tickets_cancelled": _("Tickets cancelled"),
        "address_code": _("Your code for a new address"),
        "address_changed": _("Your new address"),
        "erasure_asked": _("Your wish to be erased"),
        "idle": _("Your data will soon be erased"),
    }
    return subjects.get(kind) or _("News of your tickets")
