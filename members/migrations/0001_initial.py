import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=300, verbose_name="what was asked")),
                ("page", models.CharField(max_length=100, verbose_name="page")),
                ("given_at", models.DateTimeField(null=True, verbose_name="given at")),
                ("declined_at", models.DateTimeField(null=True, verbose_name="declined at")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="login",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent",
                "verbose_name_plural": "consents",
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("withdrawn_at", None)), fields=("user",), name="one_consent_in_force"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("declined_at__isnull", False), ("given_at", None)),
                            models.Q(("declined_at", None), ("given_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="an_answer_is_yes_or_no",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("first_name", models.CharField(max_length=160, verbose_name="first name")),
                ("last_name", models.CharField(max_length=160, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                ("bears_address_since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("search_key", models.CharField(editable=False, max_length=600)),
                ("sort_key", models.CharField(editable=False, max_length=330)),
                ("last_given_at", models.DateTimeField(editable=False, null=True)),
                ("left_on", models.DateField(blank=True, null=True, verbose_name="left on")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created at")),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="members", to="accounts.company", verbose_name="company"
                    ),
                ),
            ],
            options={
                "verbose_name": "member",
                "verbose_name_plural": "members",
                "ordering": ["sort_key", "pk"],
                "indexes": [
                    models.Index(fields=["company", "sort_key"], name="member_by_name"),
                    models.Index(fields=["email"], name="member_by_address"),
                    models.Index(fields=["company", "-last_given_at"], name="member_last_given"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="a_members_address_is_stored_in_its_canonical_form",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(models.Q(("email", ""), _negated=True), ("left_on", None)),
                        fields=("company", "email", "sort_key"),
                        name="same_address_and_same_name_is_the_same_member",
                    ),
                ],
            },
        ),
    ]
