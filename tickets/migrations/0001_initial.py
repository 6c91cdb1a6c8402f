import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import tickets.models.catalogue

MOVEMENTS_ARE_KEPT = """
CREATE FUNCTION tickets_movements_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a movement is never changed or deleted' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER tickets_movements_are_kept BEFORE UPDATE OR DELETE ON tickets_movement
FOR EACH ROW EXECUTE FUNCTION tickets_movements_are_kept();
"""

A_USED_TICKET_STAYS = """
CREATE FUNCTION tickets_a_used_ticket_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a ticket is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.status, NEW.generation, NEW.company_id, NEW.bought_by_id, NEW.event_id, NEW.product_id, NEW.number)
       IS DISTINCT FROM
       (OLD.status, OLD.generation, OLD.company_id, OLD.bought_by_id, OLD.event_id, OLD.product_id, OLD.number) THEN
        RAISE EXCEPTION 'a checked or cancelled ticket never moves again' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_a_used_ticket_stays BEFORE UPDATE ON tickets_ticket
FOR EACH ROW WHEN (OLD.status IN ('checked', 'cancelled')) EXECUTE FUNCTION tickets_a_used_ticket_stays();
CREATE TRIGGER tickets_a_ticket_is_never_deleted BEFORE DELETE ON tickets_ticket
FOR EACH ROW EXECUTE FUNCTION tickets_a_used_ticket_stays();
"""

UNDO = """
DROP TRIGGER tickets_movements_are_kept ON tickets_movement;
DROP FUNCTION tickets_movements_are_kept;
DROP TRIGGER tickets_a_used_ticket_stays ON tickets_ticket;
DROP TRIGGER tickets_a_ticket_is_never_deleted ON tickets_ticket;
DROP FUNCTION tickets_a_used_ticket_stays;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("members", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("subtitle", models.CharField(blank=True, max_length=120, verbose_name="by whom, or which round")),
                (
                    "kind",
                    models.CharField(
                        choices=[("concert", "concert"), ("match", "match"), ("theatre", "theatre"), ("museum", "museum")],
                        default="concert",
                        max_length=7,
                        verbose_name="kind",
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, help_text="Empty for an open date.", null=True, verbose_name="starts at")),
                ("doors_at", models.DateTimeField(blank=True, null=True, verbose_name="doors open at")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends at")),
                (
                    "valid_from",
                    models.DateTimeField(blank=True, help_text="Empty: two hours before the doors.", verbose_name="gates admit from"),
                ),
                (
                    "valid_until",
                    models.DateTimeField(blank=True, help_text="Empty: six hours after the start.", verbose_name="gates admit until"),
                ),
                (
                    "names_until",
                    models.DateTimeField(blank=True, help_text="Empty: until it starts.", verbose_name="names can be written until"),
                ),
                (
                    "names_required",
                    models.BooleanField(
                        default=False,
                        help_text="Relays then see the beneficiaries' names.",
                        verbose_name="tickets bear a name that is checked",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "ordering": ["valid_until"],
            },
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("last", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("public_key", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created at")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked at")),
            ],
            options={
                "verbose_name": "signing key",
                "verbose_name_plural": "signing keys",
            },
        ),
        migrations.CreateModel(
            name="Venue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="address")),
                ("access", models.CharField(blank=True, max_length=300, verbose_name="how to come")),
                (
                    "zone",
                    models.CharField(
                        default="Europe/Paris", max_length=40, validators=[tickets.models.catalogue.valid_zone], verbose_name="time zone"
                    ),
                ),
            ],
            options={
                "verbose_name": "venue",
                "verbose_name_plural": "venues",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[("online", "online"), ("phone", "by phone"), ("box_office", "at the box office")],
                        default="phone",
                        max_length=10,
                        verbose_name="sales channel",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "draft"), ("confirmed", "confirmed"), ("cancelled", "cancelled")],
                        default="draft",
                        editable=False,
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("number", models.PositiveBigIntegerField(editable=False, null=True, unique=True, verbose_name="number")),
                ("request_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="created at"),
                ),
                ("confirmed_at", models.DateTimeField(editable=False, null=True, verbose_name="confirmed at")),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="accounts.company", verbose_name="company"
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("category", models.CharField(max_length=60, verbose_name="category")),
                (
                    "placing",
                    models.CharField(blank=True, help_text="For example: free seating, stalls.", max_length=60, verbose_name="placing"),
                ),
                ("entrance", models.CharField(blank=True, max_length=20, verbose_name="entrance")),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=8,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="price with VAT, in euros",
                    ),
                ),
                (
                    "vat_rate",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=4,
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(99)],
                        verbose_name="VAT rate in %",
                    ),
                ),
                ("quota", models.PositiveIntegerField(help_text="No more tickets than this are ever issued.", verbose_name="quota")),
                ("numbered", models.BooleanField(default=False, verbose_name="numbered seats")),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="products", to="tickets.event", verbose_name="event"
                    ),
                ),
            ],
            options={
                "verbose_name": "product",
                "verbose_name_plural": "products",
                "ordering": ["event__valid_until", "category"],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20000)],
                        verbose_name="quantity",
                    ),
                ),
                (
                    "unit_price",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=8, verbose_name="unit price with VAT, in euros"),
                ),
                ("vat_rate", models.DecimalField(blank=True, decimal_places=2, max_digits=4, verbose_name="VAT rate in %")),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="tickets.order", verbose_name="order"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="order_lines",
                        to="tickets.product",
                        verbose_name="product",
                    ),
                ),
            ],
            options={
                "verbose_name": "order line",
                "verbose_name_plural": "order lines",
            },
        ),
        migrations.CreateModel(
            name="Seat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("block", models.CharField(blank=True, max_length=40, verbose_name="block")),
                ("row", models.CharField(blank=True, max_length=10, verbose_name="row")),
                ("number", models.CharField(max_length=10, verbose_name="number")),
                ("place_in_row", models.PositiveIntegerField(default=0, verbose_name="place in the row")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ordinary", "ordinary"),
                            ("wheelchair", "wheelchair place"),
                            ("companion", "companion of a wheelchair place"),
                        ],
                        default="ordinary",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seats", to="tickets.event", verbose_name="event"
                    ),
                ),
            ],
            options={
                "verbose_name": "seat",
                "verbose_name_plural": "seats",
                "ordering": ["block", "row", "place_in_row", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("number", models.PositiveBigIntegerField(unique=True, verbose_name="number")),
                ("beneficiary_first_name", models.CharField(blank=True, max_length=160, verbose_name="beneficiary's first name")),
                ("beneficiary_last_name", models.CharField(blank=True, max_length=160, verbose_name="beneficiary's last name")),
                ("generation", models.PositiveSmallIntegerField(default=0, verbose_name="generation")),
                ("printed_generation", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("available", "available"),
                            ("distributed", "distributed"),
                            ("printed", "printed"),
                            ("checked", "checked"),
                            ("cancelled", "cancelled"),
                        ],
                        default="available",
                        max_length=11,
                        verbose_name="state",
                    ),
                ),
                ("shown_from", models.DateTimeField(blank=True, null=True)),
                (
                    "bought_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bought_tickets",
                        to="accounts.company",
                        verbose_name="bought by",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="accounts.company",
                        verbose_name="company",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.event",
                        verbose_name="event",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "order_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.orderline",
                        verbose_name="order line",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "seat",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.seat",
                        verbose_name="seat",
                    ),
                ),
            ],
            options={
                "verbose_name": "ticket",
                "verbose_name_plural": "tickets",
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Movement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("issued", "issued"),
                            ("distributed", "distributed"),
                            ("forwarded", "forwarded"),
                            ("printed", "printed"),
                            ("handed_over", "handed over"),
                            ("renamed", "renamed"),
                            ("reclaimed", "reclaimed"),
                            ("undone", "undone"),
                            ("given_back", "given back"),
                            ("reissued", "reissued"),
                            ("checked", "checked"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=11,
                        verbose_name="kind",
                    ),
                ),
                ("generation", models.PositiveSmallIntegerField(verbose_name="generation")),
                ("act", models.UUIDField(help_text="The distribution that it was part of.", null=True, verbose_name="act")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="at")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "from_company",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.company",
                        verbose_name="from company",
                    ),
                ),
                (
                    "from_member",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="from member",
                    ),
                ),
                (
                    "to_company",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.company",
                        verbose_name="to company",
                    ),
                ),
                (
                    "to_member",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="to member",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="tickets.ticket", verbose_name="ticket"
                    ),
                ),
            ],
            options={
                "verbose_name": "movement",
                "verbose_name_plural": "movements",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Forward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.PositiveSmallIntegerField()),
                ("from_company", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.company")),
                (
                    "to_company",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.company"),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="forwards", to="tickets.ticket"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="event",
            name="venue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="events", to="tickets.venue", verbose_name="venue"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "confirmed"), _negated=True), ("number__isnull", False), _connector="OR"),
                name="a_confirmed_order_has_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(condition=models.Q(("price__gte", 0)), name="a_price_is_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.UniqueConstraint(fields=("event", "category", "price"), name="a_category_of_an_event_is_sold_at_one_price"),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1), ("quantity__lte", 20000)), name="a_line_has_a_quantity"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(condition=models.Q(("unit_price__gte", 0)), name="a_unit_price_is_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(fields=("event", "block", "row", "number"), name="a_seat_is_named_once"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["company", "product", "status"], name="ticket_stock"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["bought_by", "product", "status"], name="ticket_bought"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["product", "status"], name="ticket_of_product"),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "available"), _negated=True),
                    models.Q(("beneficiary_first_name", ""), ("beneficiary_last_name", ""), ("member", None)),
                    _connector="OR",
                ),
                name="an_available_ticket_has_no_member",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("status", "distributed"), _negated=True), ("member__isnull", False), _connector="OR"),
                name="a_distributed_ticket_has_a_member",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("printed_generation", None), ("printed_generation", models.F("generation")), _connector="OR"),
                name="a_ticket_is_printed_in_its_generation",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("status", "printed"), _negated=True), ("printed_generation__isnull", False), _connector="OR"),
                name="printed_means_that_the_barcode_has_left",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["available", "distributed"]), _negated=True), ("printed_generation", None), _connector="OR"
                ),
                name="what_waits_was_never_printed",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "cancelled"), _negated=True), fields=("event", "seat"), name="a_seat_is_given_once"
            ),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(condition=models.Q(("act__isnull", False)), fields=["act"], name="movement_of_an_act"),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(condition=models.Q(("from_member__isnull", False)), fields=["from_member"], name="movement_from_a_member"),
        ),
        migrations.AddIndex(
            model_name="forward",
            index=models.Index(fields=["to_company", "ticket"], name="forward_received"),
        ),
        migrations.AddConstraint(
            model_name="forward",
            constraint=models.UniqueConstraint(fields=("ticket", "level"), name="a_ticket_is_forwarded_once_a_level"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["valid_until"], name="event_by_end"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__lt", models.F("valid_until"))), name="an_event_opens_before_it_ends"
            ),
        ),
        migrations.RunSQL(MOVEMENTS_ARE_KEPT + A_USED_TICKET_STAYS, UNDO),
    ]
