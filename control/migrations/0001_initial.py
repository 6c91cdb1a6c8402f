import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tickets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Gate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="gates", to="tickets.event", verbose_name="event"
                    ),
                ),
            ],
            options={
                "verbose_name": "gate",
                "verbose_name_plural": "gates",
                "ordering": ["event", "name"],
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="created at"),
                ),
                ("revoked_at", models.DateTimeField(editable=False, null=True, verbose_name="revoked at")),
                (
                    "gate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="devices", to="control.gate", verbose_name="gate"
                    ),
                ),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
                "ordering": ["gate", "name"],
            },
        ),
        migrations.CreateModel(
            name="Scan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("client_id", models.UUIDField()),
                (
                    "verdict",
                    models.CharField(choices=[("admitted", "admitted"), ("refused", "refused")], max_length=8, verbose_name="verdict"),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "admitted"),
                            ("already_checked", "already checked"),
                            ("replaced", "replaced"),
                            ("cancelled", "cancelled"),
                            ("not_distributed", "not distributed"),
                            ("other_event", "other event"),
                            ("too_early", "too early"),
                            ("too_late", "too late"),
                            ("unknown", "unknown or forged"),
                        ],
                        max_length=15,
                        verbose_name="reason",
                    ),
                ),
                ("generation", models.PositiveSmallIntegerField(null=True, verbose_name="generation")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="at")),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scans",
                        to="control.device",
                        verbose_name="device",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scans",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
            ],
            options={
                "verbose_name": "scan",
                "verbose_name_plural": "scans",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="gate",
            constraint=models.UniqueConstraint(fields=("event", "name"), name="a_gate_is_named_once"),
        ),
        migrations.AddIndex(
            model_name="scan",
            index=models.Index(condition=models.Q(("ticket__isnull", False)), fields=["ticket"], name="scan_of_a_ticket"),
        ),
        migrations.AddConstraint(
            model_name="scan",
            constraint=models.UniqueConstraint(fields=("device", "client_id"), name="a_reading_is_kept_once"),
        ),
        migrations.AddConstraint(
            model_name="scan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), ("verdict", "admitted")),
                    models.Q(("verdict", "refused"), models.Q(("reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="a_refusal_has_a_reason",
            ),
        ),
    ]
