import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, User
from portal.text import folded


class MemberQuerySet(models.QuerySet):
    def of(self, company: Company):
        """Who is on the company's list today."""
        return self.filter(company=company, left_on=None)

    def ever_of(self, company: Company):
        """Who is or was on the company's list, unless erased: each person once, whatever was merged into her."""
        return self.filter(company=company, merged_into=None).named()

    def named(self):
        """Not erased."""
        return self.exclude(first_name="", last_name="")

    def bearing(self, user: User):
        """Whom the person is, in each company, today or once: whoever proves an address is all who bear it."""
        return self.filter(email=user.email, merged_into=None)

    def with_owner(self):
        """Each with whether someone has logged in with the address since the member bears it (`owner_has_come`)."""
        owner = User.objects.filter(email=OuterRef("email"), last_seen_at__gte=OuterRef("bears_address_since"))
        return self.annotate(owner_has_come=Exists(owner))

    def found_by(self, words: str):
        """Whose names or address hold every word, without case or accents, each from the start of a word."""
        members = self
        for word in folded(words).split():
            members = members.filter(Q(search_key__startswith=word) | Q(search_key__contains=f" {word}"))
        return members


def called(first_name: str, last_name: str) -> str:
    """How a member is called; whoever was erased has no name any more."""
    return f"{first_name} {last_name}".strip() or str(_("erased person"))


class Member(models.Model):
    """A person in one company who receives tickets; may have no email, and may share one with a family."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="members", verbose_name=_("company"))
    first_name = models.CharField(_("first name"), max_length=160)
    last_name = models.CharField(_("last name"), max_length=160)
    email = models.EmailField(_("email address"), blank=True)
    bears_address_since = models.DateTimeField(db_default=Now(), editable=False)
    search_key = models.CharField(max_length=600, editable=False)
    sort_key = models.CharField(max_length=330, editable=False)
    last_given_at = models.DateTimeField(null=True, editable=False)
    left_on = models.DateField(_("left on"), null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="merged")
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("member"), _("members")
        ordering = ["sort_key", "pk"]
        constraints = [
            models.CheckConstraint(name="a_members_address_is_stored_in_its_canonical_form", condition=Q(email=Lower("email"))),
            models.UniqueConstraint(
                name="same_address_and_same_name_is_the_same_member",
                fields=["company", "email", "sort_key"],
                condition=~Q(email="") & Q(left_on=None),
            ),
            models.CheckConstraint(name="who_is_merged_has_left_the_list", condition=Q(merged_into=None) | Q(left_on__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["company", "sort_key"], name="member_by_name"),
            models.Index(fields=["email"], name="member_by_address"),
            models.Index(fields=["company", "-last_given_at"], name="member_last_given"),
        ]

    def __str__(self):
        return called(self.first_name, self.last_name)

    @property
    def person_id(self) -> int:
        """The key of who she is today: of the member that this one was merged into, or her own."""
        return self.merged_into_id or self.pk

    def set_keys(self) -> None:
        """What search and order compare: the last name comes first, as in a list."""
        self.sort_key = folded(f"{self.last_name} {self.first_name}")
        self.search_key = f"{self.sort_key} {folded(self.email)}".strip()

    def save(self, *args, **kwargs):
        self.set_keys()
        super().save(*args, **kwargs)


class GroupQuerySet(models.QuerySet):
    def of(self, company: Company):
        return self.filter(company=company)

    def counted(self):
        """Each with how many people of today's list are in it (`people`)."""
        return self.annotate(people=models.Count("members", filter=Q(members__left_on=None))).order_by("-kind", "key")


class Group(models.Model):
    """Members of one company put together by its relays: a site, a department, or any label."""

    class Kind(models.TextChoices):
        SITE = "site", _("site")
        DEPARTMENT = "department", _("department")
        LABEL = "label", _("label")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="groups", verbose_name=_("company"))
    name = models.CharField(_("name"), max_length=80)
    key = models.CharField(max_length=160, editable=False)  # the name folded: no two of a company differ by case or accents alone
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.LABEL)
    members = models.ManyToManyField(Member, related_name="groups", verbose_name=_("members"))

    people: int  # by counted()

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("group"), _("groups")
        ordering = ["-kind", "key"]  # sites first
        constraints = [models.UniqueConstraint(name="a_groups_name_is_one_in_its_company", fields=["company", "key"])]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.key = folded(self.name)
        super().save(*args, **kwargs)


def mark_of(address: str) -> str:
    """What is kept of an erased address: enough to know it again, not to read it."""
    return salted_hmac("members.consent", address, algorithm="sha256").hexdigest()


class ConsentQuerySet(models.QuerySet["Consent"]):
    def answer_of(self, user: User) -> "Consent | None":
        """Her answer in force; else the one that her address gave before it was erased, so that nobody asks again."""
        answers = self.filter(Q(user=user, withdrawn_at=None) | Q(mark=mark_of(user.email)))
        return answers.order_by(F("withdrawn_at").desc(nulls_first=True)).first()

    def for_offers(self):
        """The answers on the strength of which offers may be sent: yes, not taken back, of people who may still log in."""
        said_yes = self.filter(given_at__isnull=False, withdrawn_at=None, user__is_active=True, user__erased_at=None)
        return said_yes.select_related("user").order_by("given_at", "pk")


class Consent(models.Model):
    """A person's yes, and perhaps later no, to the seller's offers: the proof that the law asks for (CPCE art. L. 34-5).

    Once the person is erased it says of whom it was by a mark of her address alone.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents", verbose_name=_("login"))
    text = models.CharField(_("what was asked"), max_length=300)
    page = models.CharField(_("page"), max_length=100)
    given_at = models.DateTimeField(_("given at"), null=True)
    declined_at = models.DateTimeField(_("declined at"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    mark = models.CharField(max_length=64, blank=True, editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("consent"), _("consents")
        indexes = [models.Index(fields=["mark"], name="consent_of_an_erased_address", condition=~Q(mark=""))]
        constraints = [
            models.UniqueConstraint(name="one_consent_in_force", fields=["user"], condition=Q(withdrawn_at=None)),
            models.CheckConstraint(
                name="an_answer_is_yes_or_no",
                condition=Q(given_at=None, declined_at__isnull=False) | Q(given_at__isnull=False, declined_at=None),
            ),
        ]

    def __str__(self):
        return f"{self.user_id} {self.given_at or self.declined_at}"

    @property
    def receives(self) -> bool:
        """Whether offers may be sent on the strength of it."""
        return self.given_at is not None and self.withdrawn_at is None


class AddressChange(models.Model):
    """An address that a person wants for members of hers, until the code that was sent there proves it is hers."""

    TRIES = 3
    VALID = timedelta(minutes=10)
    MOST = 5  # codes that a person may ask for, and that may be sent to one address
    WITHIN = timedelta(days=1)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="address_changes")
    email = models.EmailField()
    members = ArrayField(models.BigIntegerField())  # their keys, as she chose
    code_hash = models.CharField(max_length=64)
    tries_left = models.PositiveSmallIntegerField(default=TRIES)
    asked_at = models.DateTimeField()
    valid_until = models.DateTimeField()  # moved to the present when the code is spent or replaced

    class Meta:
        indexes = [models.Index(fields=["email"], name="address_change_to")]

    def __str__(self):
        return f"{self.user_id} {self.asked_at}"


class Erasure(models.Model):
    """A person's request that what is kept about her be erased; once done, the proof that it was."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="erasures", verbose_name=_("login"))
    asked_at = models.DateTimeField(_("asked at"), db_default=Now())
    called_off_at = models.DateTimeField(_("called off at"), null=True)
    done_at = models.DateTimeField(_("erased at"), null=True)
    done_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by"), help_text=_("Empty: by itself.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("erasure"), _("erasures")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(name="one_erasure_waits", fields=["user"], condition=Q(called_off_at=None, done_at=None)),
        ]

    def __str__(self):
        return f"{self.pk}"


class Access(models.Model):
    """One look of the staff at a member's record: the trace that she is shown. Lines are added, never changed."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="accesses", verbose_name=_("member"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("look at a member's record"), _("looks at members' records")
        ordering = ["-at"]

    def __str__(self):
        return f"{self.at}"
