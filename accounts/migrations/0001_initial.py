import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="email address")),
                (
                    "language",
                    models.CharField(choices=[("fr", "Français"), ("en", "English")], default="fr", max_length=2, verbose_name="language"),
                ),
                ("last_seen_at", models.DateTimeField(editable=False, null=True, verbose_name="last seen")),
                ("is_staff", models.BooleanField(default=False, verbose_name="staff")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created at")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "login",
                "verbose_name_plural": "logins",
            },
        ),
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("works_council", "works council"),
                            ("employer", "employer"),
                            ("association", "association"),
                            ("site", "site"),
                        ],
                        default="works_council",
                        max_length=13,
                        verbose_name="kind",
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created at")),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="accounts.company",
                        verbose_name="parent",
                    ),
                ),
            ],
            options={
                "verbose_name": "company",
                "verbose_name_plural": "companies",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Relay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_name", models.CharField(max_length=160, verbose_name="first name")),
                ("last_name", models.CharField(max_length=160, verbose_name="last name")),
                ("may_distribute", models.BooleanField(default=True, verbose_name="distributes")),
                ("may_buy", models.BooleanField(default=False, verbose_name="buys")),
                ("may_manage", models.BooleanField(default=False, verbose_name="manages relays and members")),
                ("may_see_accounts", models.BooleanField(default=False, verbose_name="sees accounts")),
                (
                    "until",
                    models.DateField(
                        blank=True, help_text="The last day of the authorisation; empty for no end.", null=True, verbose_name="until"
                    ),
                ),
                (
                    "authorised_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="authorised at"
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True, verbose_name="withdrawn at")),
                (
                    "authorised_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="authorised by",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="relays", to="accounts.company", verbose_name="company"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="relays",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="login",
                    ),
                ),
            ],
            options={
                "verbose_name": "relay",
                "verbose_name_plural": "relays",
                "ordering": ["company__name", "last_name"],
            },
        ),
        migrations.CreateModel(
            name="Seller",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default="Relais", max_length=80, verbose_name="name")),
                ("legal_name", models.CharField(blank=True, max_length=120, verbose_name="legal name")),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="address")),
                ("siret", models.CharField(blank=True, max_length=20, verbose_name="SIRET")),
                (
                    "licences",
                    models.CharField(
                        blank=True,
                        help_text="Printed on each ticket, for example PLATESV-R-2026-000001.",
                        max_length=200,
                        verbose_name="entertainment licences",
                    ),
                ),
                ("conditions", models.TextField(blank=True, max_length=900, verbose_name="conditions printed on the ticket")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="address for questions")),
                (
                    "accent",
                    models.CharField(
                        default="#F0532D",
                        max_length=7,
                        validators=[django.core.validators.RegexValidator("^#[0-9A-Fa-f]{6}$", "Write the colour as #RRGGBB.")],
                        verbose_name="accent colour",
                    ),
                ),
                ("logo", models.BinaryField(null=True, verbose_name="logo")),
                (
                    "undo_seconds",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[django.core.validators.MaxValueValidator(3600)],
                        verbose_name="seconds to undo a distribution",
                    ),
                ),
                (
                    "reclaim_until",
                    models.CharField(
                        choices=[("printed", "until it is printed"), ("checked", "until it is checked")],
                        default="checked",
                        max_length=7,
                        verbose_name="a relay may reclaim a ticket",
                    ),
                ),
            ],
            options={
                "verbose_name": "seller",
                "verbose_name_plural": "seller",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="there_is_one_seller")],
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="an_address_is_stored_in_its_canonical_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="relay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at", None)), fields=("user", "company"), name="a_person_is_relay_of_a_company_once"
            ),
        ),
    ]
