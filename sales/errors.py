from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.errors import Refused
from portal.templatetags.words import euros


class LimitPassed(Refused):
    code = "limit_passed"

    def __init__(self, total: Decimal, available: Decimal, *, prepaid: bool):
        words = {"total": euros(total), "available": euros(max(available, Decimal(0)))}
        if prepaid:
            sentence = _("This order comes to %(total)s, and %(available)s are left on the account. Pay in first, or order fewer tickets.")
        else:
            sentence = _(
                "This order comes to %(total)s, and the account has room for %(available)s. Pay what is due, or order fewer tickets."
            )
        super().__init__(sentence % words)


class NoAccountYet(Refused):
    code = "no_account_yet"

    def __init__(self):
        super().__init__(_("The seller has not opened an account for your company yet. Write or call to have one."))


class BasketEmpty(Refused):
    code = "basket_empty"

    def __init__(self):
        super().__init__(_("Your basket is empty: choose at least one ticket."))


class NoLongerOnSale(Refused):
    code = "no_longer_on_sale"

    def __init__(self, product):
        super().__init__(_("%(product)s is no longer on sale: take it out of the basket.") % {"product": product})


class PriceHasChanged(Refused):
    code = "price_has_changed"

    def __init__(self, total: Decimal):
        super().__init__(_("A price has changed: the total is now %(total)s. Look at it again, then order.") % {"total": euros(total)})


class NotSoManyUnused(Refused):
    code = "not_so_many_unused"

    def __init__(self, product, left: int):
        sentence = ngettext(
            "%(product)s: only %(left)d ticket is still in the company's hands. Cancel the others one by one, in the list of tickets.",
            "%(product)s: only %(left)d tickets are still in the company's hands. Cancel the others one by one, in the list of tickets.",
            left,
        )
        super().__init__(sentence % {"product": product, "left": left})


class OptionNotLive(Refused):
    code = "option_not_live"

    def __init__(self):
        super().__init__(_("This option holds nothing any more: its time is over, or it was bought or given back."))


class OptionHoldsFewer(Refused):
    code = "option_holds_fewer"

    def __init__(self, held: int):
        sentence = ngettext("This option holds %(held)d ticket.", "This option holds %(held)d tickets.", held)
        super().__init__(sentence % {"held": held})


class AlreadyAnswered(Refused):
    code = "already_answered"

    def __init__(self):
        super().__init__(_("This option has been answered already. Look at it again."))


class EventIsOver(Refused):
    code = "event_is_over"

    def __init__(self):
        super().__init__(_("The deadline must be to come, and before the event."))


class InvoiceLacks(Refused):
    code = "invoice_lacks"

    def __init__(self, missing: list[str]):
        super().__init__(_("An invoice by law needs what is missing: %(missing)s.") % {"missing": ", ".join(missing)})
