import uuid
from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

KEPT = ["sales_posting", "sales_entry", "sales_postedline", "sales_payment", "sales_invoice", "sales_invoiced"]

MONEY_IS_KEPT = """
CREATE FUNCTION sales_money_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'what was posted or invoiced is never changed or deleted' USING ERRCODE = 'restrict_violation'; END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION sales_money_is_kept();\n"
    for table in KEPT
)

# The entries of a posting are added in one statement, and sum to zero there: at no moment does the ledger not.
POSTINGS_BALANCE = """
CREATE FUNCTION sales_postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY posting_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a posting sum to zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sales_postings_balance AFTER INSERT ON sales_entry
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION sales_postings_balance();
"""

UNDO = (
    """
DROP TRIGGER sales_postings_balance ON sales_entry;
DROP FUNCTION sales_postings_balance;
"""
    + "".join(f"DROP TRIGGER {table}_is_kept ON {table};\n" for table in KEPT)
    + "DROP FUNCTION sales_money_is_kept;"
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("tickets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("prepaid", "prepaid: orders draw on deposits"), ("credit", "credit: orders are paid afterwards")],
                        default="credit",
                        max_length=7,
                        verbose_name="kind",
                    ),
                ),
                (
                    "limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Empty: none was agreed, and only staff enter orders. Prepaid accounts have 0.",
                        max_digits=9,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="credit limit in euros",
                    ),
                ),
                (
                    "terms_days",
                    models.PositiveSmallIntegerField(
                        default=30, validators=[django.core.validators.MaxValueValidator(60)], verbose_name="days to pay"
                    ),
                ),
                (
                    "billing",
                    models.CharField(
                        choices=[("order", "one for each order"), ("month", "one for each month")],
                        default="order",
                        max_length=5,
                        verbose_name="invoices",
                    ),
                ),
                (
                    "legal_name",
                    models.CharField(
                        blank=True, help_text="Empty: the name of the company.", max_length=160, verbose_name="name on invoices"
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="address on invoices")),
                ("siren", models.CharField(blank=True, max_length=14, verbose_name="SIREN")),
                ("vat_number", models.CharField(blank=True, max_length=20, verbose_name="VAT number")),
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="account", to="accounts.company", verbose_name="company"
                    ),
                ),
            ],
            options={
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
                "ordering": ["company__name"],
            },
        ),
        migrations.CreateModel(
            name="BasketLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20000)]
                    ),
                ),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("product", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tickets.product")),
                ("relay", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="basket", to="accounts.relay")),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "relay",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="calendar_feed", to="accounts.relay"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(choices=[("invoice", "invoice"), ("credit_note", "credit note")], max_length=11, verbose_name="kind"),
                ),
                ("number", models.PositiveBigIntegerField(verbose_name="number")),
                ("issued_on", models.DateField(verbose_name="issued on")),
                ("due_on", models.DateField(null=True, verbose_name="due on")),
                ("total", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="total with VAT")),
                ("mentions", models.JSONField(help_text="Who sold to whom and on what terms, as it was on that day.")),
                ("issued_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="issued at")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="sales.account", verbose_name="account"
                    ),
                ),
            ],
            options={
                "verbose_name": "invoice",
                "verbose_name_plural": "invoices",
                "ordering": ["-issued_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Listing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("open_to_all", models.BooleanField(default=True, verbose_name="open to every company")),
                ("from_at", models.DateTimeField(blank=True, null=True, verbose_name="on sale from")),
                ("until_at", models.DateTimeField(blank=True, null=True, verbose_name="on sale until")),
                (
                    "option_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: as the terms of sale say; 0: staff decide.",
                        null=True,
                        verbose_name="tickets that a company may hold on option",
                    ),
                ),
                (
                    "companies",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Who may buy it when it is not open to all.",
                        related_name="+",
                        to="accounts.company",
                        verbose_name="companies",
                    ),
                ),
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="listing", to="tickets.product", verbose_name="product"
                    ),
                ),
            ],
            options={
                "verbose_name": "product on sale",
                "verbose_name_plural": "products on sale",
            },
        ),
        migrations.CreateModel(
            name="Option",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("waiting", "waiting for tickets"),
                            ("live", "live"),
                            ("confirmed", "confirmed"),
                            ("given_back", "given back"),
                            ("lapsed", "lapsed"),
                            ("refused", "refused"),
                        ],
                        default="requested",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20000)],
                        verbose_name="asked",
                    ),
                ),
                ("wished_on", models.DateField(blank=True, null=True, verbose_name="until, as wished")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("granted", models.PositiveIntegerField(default=0, verbose_name="granted")),
                (
                    "held",
                    models.PositiveIntegerField(
                        default=0, help_text="Of the tickets granted: neither bought nor given back yet.", verbose_name="held"
                    ),
                ),
                ("confirmed", models.PositiveIntegerField(default=0, verbose_name="bought")),
                ("deadline", models.DateTimeField(null=True, verbose_name="deadline")),
                ("more_time_on", models.DateField(null=True, verbose_name="more time asked, until")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason of a refusal")),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="asked at")),
                ("request_key", models.UUIDField()),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="asked by"
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="options", to="accounts.company", verbose_name="company"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="options", to="tickets.product", verbose_name="product"
                    ),
                ),
            ],
            options={
                "verbose_name": "option",
                "verbose_name_plural": "options",
                "ordering": ["-asked_at"],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "method",
                    models.CharField(
                        choices=[("transfer", "bank transfer"), ("cheque", "cheque")],
                        default="transfer",
                        max_length=8,
                        verbose_name="method",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=9,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                        verbose_name="amount in euros",
                    ),
                ),
                ("received_on", models.DateField(verbose_name="received on")),
                (
                    "reference",
                    models.CharField(
                        blank=True, help_text="Of the transfer, or the cheque's number and bank.", max_length=80, verbose_name="reference"
                    ),
                ),
                ("request_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="recorded at"),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="sales.account", verbose_name="account"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recorded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment",
                "verbose_name_plural": "payments",
                "ordering": ["-received_on", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sale", "order"),
                            ("cancellation", "cancellation"),
                            ("payment", "payment"),
                            ("reversal", "payment undone"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="sales.account", verbose_name="account"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="tickets.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="sales.payment",
                        verbose_name="payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "posting",
                "verbose_name_plural": "postings",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="PostedLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quantity", models.PositiveIntegerField()),
                (
                    "order_line",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="posted", to="tickets.orderline"),
                ),
                ("posting", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="sales.posting")),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Invoiced",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("invoice", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="invoiced", to="sales.invoice")),
                ("posting", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="invoiced", to="sales.posting")),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ledger",
                    models.CharField(
                        choices=[
                            ("customer", "customers"),
                            ("revenue", "sales of tickets"),
                            ("vat", "VAT collected"),
                            ("bank", "bank"),
                            ("cheques", "cheques to cash"),
                        ],
                        max_length=8,
                        verbose_name="ledger",
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="amount")),
                ("currency", models.CharField(default="EUR", max_length=3, verbose_name="currency")),
                ("vat_rate", models.DecimalField(decimal_places=2, max_digits=4, null=True, verbose_name="VAT rate in %")),
                (
                    "posting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="sales.posting", verbose_name="posting"
                    ),
                ),
            ],
            options={
                "verbose_name": "entry",
                "verbose_name_plural": "entries",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=9)),
                ("order", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="settlements", to="tickets.order")),
                ("payment", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="settlements", to="sales.payment")),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Terms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "paid_first_from",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="For orders placed online. Empty: tickets at once; 0: always once paid.",
                        max_digits=9,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="tickets only once paid, from this total in euros",
                    ),
                ),
                (
                    "options_by_rule",
                    models.BooleanField(default=False, verbose_name="options are accepted by the rule below, without staff"),
                ),
                (
                    "option_days",
                    models.PositiveSmallIntegerField(
                        default=14, validators=[django.core.validators.MaxValueValidator(365)], verbose_name="an option lasts, in days"
                    ),
                ),
                (
                    "option_days_before",
                    models.PositiveSmallIntegerField(
                        default=7,
                        validators=[django.core.validators.MaxValueValidator(365)],
                        verbose_name="and ends so many days before the event",
                    ),
                ),
                (
                    "option_limit",
                    models.PositiveIntegerField(
                        default=50,
                        help_text="Beyond it, staff decide.",
                        verbose_name="tickets that a company may hold on option of a product",
                    ),
                ),
                (
                    "remind_days",
                    models.PositiveSmallIntegerField(
                        default=2,
                        validators=[django.core.validators.MaxValueValidator(60)],
                        verbose_name="days before the end of an option to send a reminder",
                    ),
                ),
                (
                    "legal_form",
                    models.CharField(
                        blank=True,
                        help_text="For example: association loi 1901; or SARL, capital, RCS.",
                        max_length=160,
                        verbose_name="legal form and register",
                    ),
                ),
                ("vat_number", models.CharField(blank=True, max_length=20, verbose_name="VAT number")),
                (
                    "vat_due",
                    models.CharField(
                        choices=[("debits", "on debits (option chosen)"), ("receipts", "on receipts")],
                        default="receipts",
                        max_length=8,
                        verbose_name="VAT is due",
                    ),
                ),
                ("bank", models.CharField(blank=True, max_length=120, verbose_name="where to pay: IBAN, BIC")),
                (
                    "discount",
                    models.CharField(
                        default="Pas d’escompte pour paiement anticipé.", max_length=160, verbose_name="discount for early payment"
                    ),
                ),
                (
                    "penalties",
                    models.CharField(
                        default="Pénalités de retard : trois fois le taux d’intérêt légal.",
                        max_length=200,
                        verbose_name="penalties for late payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "terms of sale",
                "verbose_name_plural": "terms of sale",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="there_is_one_set_of_terms")],
            },
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("kind", "prepaid"), _negated=True), ("limit", 0), _connector="OR"),
                name="a_prepaid_account_has_no_credit",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("limit", None), ("limit__gte", 0), _connector="OR"), name="a_limit_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="basketline",
            constraint=models.UniqueConstraint(fields=("relay", "product"), name="a_product_is_once_in_a_basket"),
        ),
        migrations.AddConstraint(
            model_name="basketline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1), ("quantity__lte", 20000)), name="a_basket_line_has_a_quantity"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(fields=("kind", "number"), name="a_number_is_given_once"),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_at", None), ("until_at", None), ("from_at__lt", models.F("until_at")), _connector="OR"),
                name="a_sale_begins_before_it_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="option",
            index=models.Index(condition=models.Q(("state", "live")), fields=["product", "deadline"], name="option_live"),
        ),
        migrations.AddIndex(
            model_name="option",
            index=models.Index(fields=["company", "-asked_at"], name="option_latest"),
        ),
        migrations.AddConstraint(
            model_name="option",
            constraint=models.UniqueConstraint(fields=("asked_by", "request_key"), name="an_option_is_asked_once"),
        ),
        migrations.AddConstraint(
            model_name="option",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "live"), _negated=True), models.Q(("deadline__isnull", False), ("held__gte", 1)), _connector="OR"
                ),
                name="a_live_option_holds_until_a_deadline",
            ),
        ),
        migrations.AddConstraint(
            model_name="option",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "live"), ("held", 0), _connector="OR"), name="only_a_live_option_holds"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="a_payment_is_of_something"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(fields=("recorded_by", "request_key"), name="a_payment_is_recorded_once"),
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(fields=["account", "at"], name="posting_of_an_account"),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["sale", "cancellation"]), ("order__isnull", False), ("payment", None)),
                    models.Q(("kind__in", ["payment", "reversal"]), ("order", None), ("payment__isnull", False)),
                    _connector="OR",
                ),
                name="a_posting_names_its_order_or_its_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.UniqueConstraint(condition=models.Q(("kind", "sale")), fields=("order",), name="an_order_is_posted_once"),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("order", None)), fields=("payment", "kind"), name="a_payment_is_posted_once_and_undone_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="postedline",
            constraint=models.UniqueConstraint(fields=("posting", "order_line"), name="a_line_is_posted_once"),
        ),
        migrations.AddConstraint(
            model_name="postedline",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="a_posted_line_has_a_quantity"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(condition=models.Q(("amount", 0), _negated=True), name="an_entry_moves_something"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(condition=models.Q(("currency", "EUR")), name="an_entry_is_in_euros"),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.UniqueConstraint(fields=("payment", "order"), name="a_payment_settles_an_order_once"),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="a_settlement_is_of_something"),
        ),
        migrations.RunSQL(MONEY_IS_KEPT + POSTINGS_BALANCE, UNDO),
    ]
