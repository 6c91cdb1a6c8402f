import uuid

from django.apps import apps
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now, TruncDate
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.text import canonical_email


def months(words, default: int) -> models.PositiveSmallIntegerField:
    """For how long something is kept."""
    return models.PositiveSmallIntegerField(words, default=default, validators=[MinValueValidator(1), MaxValueValidator(120)])


class SellerManager(models.Manager["Seller"]):
    def current(self) -> "Seller":
        """The seller of this installation; one with default settings until staff have written it."""
        return self.first() or Seller()


class Seller(models.Model):
    """The organisation that runs this installation: one row."""

    class ReclaimUntil(models.TextChoices):
        PRINTED = "printed", _("until it is printed")
        CHECKED = "checked", _("until it is checked")

    name = models.CharField(_("name"), max_length=80, default="Relais")
    legal_name = models.CharField(_("legal name"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    siret = models.CharField("SIRET", max_length=20, blank=True)
    licences = models.CharField(
        _("entertainment licences"), max_length=200, blank=True, help_text=_("Printed on each ticket, for example PLATESV-R-2026-000001.")
    )
    conditions = models.TextField(_("conditions printed on the ticket"), blank=True, max_length=900)
    email = models.EmailField(_("address for questions"), blank=True)
    accent = models.CharField(
        _("accent colour"),
        max_length=7,
        default="#F0532D",
        validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", _("Write the colour as #RRGGBB."))],
    )
    logo = models.BinaryField(_("logo"), null=True, editable=False)
    undo_seconds = models.PositiveSmallIntegerField(_("seconds to undo a distribution"), default=30, validators=[MaxValueValidator(3600)])
    reclaim_until = models.CharField(_("a relay may reclaim a ticket"), max_length=7, choices=ReclaimUntil, default=ReclaimUntil.CHECKED)
    reclaims_below = models.BooleanField(
        _("a company may reclaim what a structure below it has distributed"),
        default=False,
        help_text=_("Otherwise only what that structure has not distributed yet."),
    )
    relays_authorise_below = models.BooleanField(
        _("a relay who manages may authorise relays of her company's own structures"),
        default=False,
        help_text=_("They may only distribute, and you are told by email. Otherwise she proposes them to you."),
    )
    tells_of_reclaims = models.BooleanField(_("a member from whom a ticket is reclaimed is told by email"), default=True)
    relay_reminder_days = models.PositiveSmallIntegerField(
        _("days before an event when relays who still hold tickets are reminded"),
        default=7,
        validators=[MaxValueValidator(365)],
        help_text=_("0: never."),
    )
    names_months = months(_("months after the event: names on tickets"), 3)
    scans_months = months(_("months after the event: which ticket was scanned where"), 6)
    emails_months = months(_("months: addresses of emails, and the words of relays"), 12)
    accesses_months = months(_("months: who of the staff opened a member's record"), 12)
    inactive_months = months(_("months without coming: logins and members"), 24)
    consents_months = months(_("months after it ended: the proof of an answer about offers"), 36)
    erasure_days = models.PositiveSmallIntegerField(
        _("days before an erasure that was asked for is carried out"),
        default=7,
        validators=[MaxValueValidator(28)],
        help_text=_("The law gives a month. The person may change her mind meanwhile."),
    )
    address_days = 1  # an address that was typed and not proven
    files_hours = 6  # tickets as files that relays print
    session_days = settings.SESSION_COOKIE_AGE // (24 * 3600)

    objects = SellerManager()

    class Meta:
        verbose_name, verbose_name_plural = _("seller"), _("seller")
        constraints = [models.CheckConstraint(name="there_is_one_seller", condition=Q(pk=1))]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.pk = 1
        super().save(*args, **kwargs)


class UserManager(BaseUserManager["User"]):
    def create_superuser(self, email, password=None, **fields):
        """The first of the staff, made by `manage.py createsuperuser`; she logs in with a code like everyone."""
        user = self.model(email=canonical_email(email), is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        apps.get_model("account", "EmailAddress").objects.create(user=user, email=user.email, primary=True)
        return user

    def get_by_natural_key(self, email):
        return self.get(email=canonical_email(email))

    def languages(self, addresses) -> dict[str, str]:
        """The language of each of these addresses that has a login."""
        return dict(self.filter(email__in=addresses).values_list("email", "language"))


class User(AbstractBaseUser, PermissionsMixin):
    """Whoever may log in. No right by itself: relays, members and staff are tied to it."""

    email = models.EmailField(_("email address"), unique=True)
    language = models.CharField(_("language"), max_length=2, choices=[("fr", "Français"), ("en", "English")], default="fr")
    last_seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)
    warned_at = models.DateTimeField(null=True, editable=False)  # that she has not come for long, and would be erased
    erased_at = models.DateTimeField(_("erased at"), null=True, editable=False)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    USERNAME_FIELD = EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        verbose_name, verbose_name_plural = _("login"), _("logins")
        constraints = [
            models.CheckConstraint(name="an_address_is_stored_in_its_canonical_form", condition=Q(email=models.functions.Lower("email")))
        ]

    def __str__(self):
        return self.email


class CompanyQuerySet(models.QuerySet):
    def receiving_from(self, company: "Company"):
        """Whom the company may forward tickets to: its children, and those the seller has linked as partners."""
        return self.filter(Q(parent=company) | Q(partners=company)).distinct()

    def with_relays(self):
        """Those for whom somebody can act today."""
        return self.saying_who_can_act().filter(has_relays=True)

    def saying_who_can_act(self):
        """Each with whether somebody can act for it today (`has_relays`)."""
        return self.annotate(has_relays=Exists(Relay.objects.authorised().seeing_tickets().filter(company=OuterRef("pk"))))


class Company(models.Model):
    """A customer structure; may have a parent (a group) and children (its sites)."""

    class Kind(models.TextChoices):
        WORKS_COUNCIL = "works_council", _("works council")
        EMPLOYER = "employer", _("employer")
        ASSOCIATION = "association", _("association")
        SITE = "site", _("site")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=13, choices=Kind, default=Kind.WORKS_COUNCIL)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent"))
    partners = models.ManyToManyField(
        "self",
        blank=True,
        verbose_name=_("partners"),
        help_text=_("Structures outside the group that it may forward tickets to, both ways."),
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    has_relays: bool  # by saying_who_can_act()

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("company"), _("companies")
        ordering = ["name"]

    def __str__(self):
        return self.name

    def ancestors(self) -> list["Company"]:
        """Parent, grandparent and so on."""
        chain, company = [], self.parent
        while company is not None and company not in chain:
            chain.append(company)
            company = company.parent
        return chain


class RelayQuerySet(models.QuerySet):
    def authorised(self):
        """Whom the seller has authorised and has not withdrawn, whose end date has not passed."""
        return self.filter(withdrawn_at=None, user__is_active=True).filter(Q(until=None) | Q(until__gte=TruncDate(Now())))

    def seeing_tickets(self):
        """Those who see where the company's tickets are, and whose: all but whoever has the right to accounts and no other."""
        return self.exclude(may_see_accounts=True, may_distribute=False, may_buy=False, may_manage=False)

    def acting(self, user, company_id) -> "Relay":
        """The user's authorisation for the company in the address, or 404: the same as for no company.

        To one who has the right to accounts alone no page exists but those that start from `counting`.
        """
        return self.seeing_tickets().counting(user, company_id)

    def counting(self, user, company_id) -> "Relay":
        """The same for the pages of amounts and quantities, which name no member."""
        relay = self.authorised().filter(user=user, company__public_id=company_id).select_related("company", "user").first()
        if relay is None:
            raise Http404
        return relay

    def locked(self, relay: "Relay") -> "Relay":
        """The relay read again with her login locked: her acts queue here. 404 when withdrawn meanwhile."""
        User.objects.select_for_update(no_key=True).get(pk=relay.user_id)
        return self.acting(relay.user, relay.company.public_id)


class Relay(models.Model):
    """A person authorised to act for a company: the seller's dated record."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="relays", verbose_name=_("login"))
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="relays", verbose_name=_("company"))
    first_name = models.CharField(_("first name"), max_length=160)
    last_name = models.CharField(_("last name"), max_length=160)
    may_distribute = models.BooleanField(_("distributes"), default=True)
    may_buy = models.BooleanField(_("buys"), default=False)
    may_manage = models.BooleanField(_("manages relays and members"), default=False)
    may_see_accounts = models.BooleanField(_("sees accounts"), default=False)
    until = models.DateField(_("until"), null=True, blank=True, help_text=_("The last day of the authorisation; empty for no end."))
    authorised_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("authorised by")
    )
    authorised_at = models.DateTimeField(_("authorised at"), db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, editable=False)

    objects = RelayQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("relay"), _("relays")
        ordering = ["company__name", "last_name"]
        constraints = [
            models.UniqueConstraint(name="a_person_is_relay_of_a_company_once", fields=["user", "company"], condition=Q(withdrawn_at=None))
        ]

    def __str__(self):
        return f"{self.first_name} {self.last_name}".strip() or str(_("erased person"))

    @property
    def may_keep_members(self) -> bool:
        """See the company's list of members and keep it up to date: who distributes needs it, who manages answers for it."""
        return self.may_distribute or self.may_manage

    @property
    def sees_tickets(self) -> bool:
        """As the query `seeing_tickets` says it."""
        return not self.may_see_accounts or self.may_distribute or self.may_buy or self.may_manage


class RelayProposal(models.Model):
    """A person whom a relay proposes, or was let authorise, as a relay of a company that she forwards tickets to."""

    class State(models.TextChoices):
        PENDING = "pending", pgettext_lazy("proposal", "to be answered")
        ACCEPTED = "accepted", pgettext_lazy("proposal", "authorised")
        REFUSED = "refused", pgettext_lazy("proposal", "refused")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="proposals", verbose_name=_("company"))
    proposed_by = models.ForeignKey(Relay, on_delete=models.PROTECT, related_name="proposals", verbose_name=_("proposed by"))
    first_name = models.CharField(_("first name"), max_length=160)
    last_name = models.CharField(_("last name"), max_length=160)
    email = models.EmailField(_("email address"))
    request_key = models.UUIDField()
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    reason = models.TextField(_("why it was refused"), blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("answered by"))
    decided_at = models.DateTimeField(_("answered at"), null=True)
    relay = models.ForeignKey(Relay, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("relay"))
    at = models.DateTimeField(_("proposed at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("proposed relay"), _("proposed relays")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(name="a_proposal_is_made_once", fields=["proposed_by", "request_key"]),
            models.UniqueConstraint(
                name="a_person_is_proposed_once_until_answered", fields=["company", "email", "proposed_by"], condition=Q(state="pending")
            ),
            models.CheckConstraint(name="an_accepted_proposal_has_its_relay", condition=~Q(state="accepted") | Q(relay__isnull=False)),
            models.CheckConstraint(name="a_refusal_says_why", condition=~Q(state="refused") | ~Q(reason="")),
        ]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"

    @property
    def was_let(self) -> bool:
        """Authorised at once by the relay herself, as the seller lets her."""
        return self.state == self.State.ACCEPTED and self.decided_by_id == self.proposed_by.user_id
