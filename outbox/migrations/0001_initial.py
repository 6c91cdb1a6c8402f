import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                ("dedupe_key", models.CharField(max_length=200, unique=True)),
                ("recipient", models.EmailField(max_length=254, verbose_name="recipient")),
                ("language", models.CharField(max_length=2, verbose_name="language")),
                ("refs", models.JSONField(help_text="Ids only: the words are written when it is sent.")),
                ("priority", models.SmallIntegerField(choices=[(0, "Login"), (5, "Ordinary")], default=5)),
                ("not_before", models.DateTimeField(verbose_name="not before")),
                ("useful_until", models.DateTimeField(null=True, verbose_name="useful until")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waiting"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("unknown", "perhaps sent"),
                            ("failed", "refused"),
                            ("cancelled", "called off"),
                        ],
                        default="pending",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("phase", models.CharField(blank=True, choices=[("claimed", "Claimed"), ("data", "Data")], max_length=7)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("lease_until", models.DateTimeField(null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("message_id", models.CharField(max_length=120, unique=True)),
                ("secret", models.CharField(blank=True, max_length=40)),
                ("smtp_reply", models.CharField(blank=True, max_length=500, verbose_name="the mail server's answer")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="owed at")),
            ],
            options={
                "verbose_name": "email",
                "verbose_name_plural": "emails",
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "pending")), fields=["priority", "not_before"], name="delivery_due"),
                    models.Index(
                        condition=models.Q(("state__in", ["sending", "unknown"])), fields=["lease_until"], name="delivery_in_hand"
                    ),
                    models.Index(fields=["-created_at"], name="delivery_latest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "sending"), _negated=True),
                            models.Q(("lease_until__isnull", False), ("phase__in", ["claimed", "data"])),
                            _connector="OR",
                        ),
                        name="an_email_being_sent_has_a_phase_and_a_lease",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["sent", "cancelled", "failed"]), _negated=True), ("secret", ""), _connector="OR"
                        ),
                        name="a_sent_email_keeps_no_secret",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="at")),
                ("kind", models.CharField(max_length=20, verbose_name="what happened")),
                ("detail", models.CharField(blank=True, max_length=500, verbose_name="detail")),
                ("delivery", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="events", to="outbox.delivery")),
            ],
            options={
                "verbose_name": "event of an email",
                "verbose_name_plural": "events of emails",
                "ordering": ["id"],
            },
        ),
    ]
