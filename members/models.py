import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, User
from portal.text import folded


class MemberQuerySet(models.QuerySet):
    def of(self, company: Company):
        """Who is on the company's list today."""
        return self.filter(company=company, left_on=None)

    def ever_of(self, company: Company):
        """Who is or was on the company's list: each person once, whatever was merged into her."""
        return self.filter(company=company, merged_into=None)

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
        return f"{self.first_name} {self.last_name}"

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


class Consent(models.Model):
    """A person's yes, and perhaps later no, to the seller's offers: the proof that the law asks for (CPCE art. L. 34-5)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents", verbose_name=_("login"))
    text = models.CharField(_("what was asked"), max_length=300)
    page = models.CharField(_("page"), max_length=100)
    given_at = models.DateTimeField(_("given at"), null=True)
    declined_at = models.DateTimeField(_("declined at"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("consent"), _("consents")
        constraints = [
            models.UniqueConstraint(name="one_consent_in_force", fields=["user"], condition=Q(withdrawn_at=None)),
            models.CheckConstraint(
                name="an_answer_is_yes_or_no",
                condition=Q(given_at=None, declined_at__isnull=False) | Q(given_at__isnull=False, declined_at=None),
            ),
        ]

    def __str__(self):
        return f"{self.user_id} {self.given_at or self.declined_at}"
