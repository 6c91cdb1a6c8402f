import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("members", "0001_initial"),
        ("outbox", "0001_initial"),
        ("tickets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Distribution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("distribute", "distribution"), ("hand_over", "handed over"), ("reclaim", "reclaim")], max_length=10
                    ),
                ),
                ("request_key", models.UUIDField()),
                ("quantity", models.PositiveIntegerField()),
                ("undo_until", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="distributions", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="distributions", to="accounts.company"),
                ),
                (
                    "product",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="distributions", to="tickets.product"),
                ),
            ],
            options={
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("quantity", models.PositiveIntegerField()),
                ("message", models.TextField(blank=True)),
                (
                    "delivery",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="outbox.delivery"),
                ),
                (
                    "distribution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="recipients", to="distribution.distribution"
                    ),
                ),
                ("member", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="received", to="members.member")),
            ],
        ),
        migrations.AddIndex(
            model_name="distribution",
            index=models.Index(fields=["company", "-at"], name="distribution_latest"),
        ),
        migrations.AddConstraint(
            model_name="distribution",
            constraint=models.UniqueConstraint(fields=("actor", "request_key"), name="an_act_happens_once"),
        ),
        migrations.AddConstraint(
            model_name="distribution",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="an_act_moves_something"),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(fields=("distribution", "member"), name="a_person_is_once_in_an_act"),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="a_recipient_receives_something"),
        ),
    ]
