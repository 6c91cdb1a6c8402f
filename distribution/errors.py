from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.errors import Refused
from portal.templatetags.words import moment

MOST_REASONS = 5


class NotEnoughTickets(Refused):
    code = "not_enough_tickets"

    def __init__(self, wanted: int, available: int):
        self.available = available
        if not available:
            sentence = _("No ticket is left to distribute. Reclaim one, or ask the seller for more.")
        else:
            sentence = ngettext(
                "Only %(count)d ticket is left: give fewer, or reclaim some first.",
                "Only %(count)d tickets are left: give fewer, or reclaim some first.",
                available,
            ) % {"count": available}
        super().__init__(sentence)


class SeatTaken(Refused):
    code = "seat_taken"

    def __init__(self):
        super().__init__(_("A seat you chose has just been given. Choose another one."))


class OnlyPairsLeft(Refused):
    code = "only_pairs_left"

    def __init__(self):
        super().__init__(_("The seats left are wheelchair places with their companions’: give both of two, or choose the seats yourself."))


class PairParted(Refused):
    code = "pair_parted"

    def __init__(self, seat):
        super().__init__(_("%(seat)s: a wheelchair place and its companion’s go together, to one person.") % {"seat": seat})


class NobodyChosen(Refused):
    code = "nobody_chosen"

    def __init__(self):
        super().__init__(_("Choose at least one person, and at least one ticket for each."))


class SomeoneLeft(Refused):
    code = "someone_left"

    def __init__(self):
        super().__init__(_("Someone you chose has just been taken off your list. Look at who is left, then send again."))


class CannotForward(Refused):
    code = "cannot_forward"


class ListHasFaults(Refused):
    """Somebody on the list can't be given tickets: the list is shown again, with why."""

    code = "list_has_faults"

    def __init__(self, count: int):
        super().__init__(
            ngettext(
                "%(count)d row is refused: correct it below, nothing was sent.",
                "%(count)d rows are refused: correct them below, nothing was sent.",
                count,
            )
            % {"count": count}
        )


class PreviewIsOld(Refused):
    """Tickets or people have changed since the page said who would get what."""

    code = "preview_is_old"

    def __init__(self):
        super().__init__(_("Tickets or people have changed since this page was shown. Look at who gets what now, then send."))


class UndoTooLate(Refused):
    code = "undo_too_late"

    def __init__(self):
        super().__init__(_("The emails have left, so this can no longer be undone. You can still reclaim the tickets."))


class CannotReclaim(Refused):
    code = "cannot_reclaim"

    def __init__(self, reasons: list[str]):
        more = len(reasons) - MOST_REASONS
        rest = [ngettext("And %(count)d more.", "And %(count)d more.", more) % {"count": more}] if more > 0 else []
        super().__init__(" ".join([_("Nothing was reclaimed."), *reasons[:MOST_REASONS], *rest]))


class NamesAreClosed(Refused):
    code = "names_are_closed"

    def __init__(self, event):
        super().__init__(
            _("Names could be written until %(moment)s. Ask your relay if this one must change.")
            % {"moment": moment(event.names_until, event.venue.zone)}
        )


class TicketHasChanged(Refused):
    code = "ticket_has_changed"

    def __init__(self):
        super().__init__(_("This ticket has changed since the page was shown. Here is how it stands now."))


class NothingToPrint(Refused):
    code = "nothing_to_print"

    def __init__(self):
        super().__init__(_("Choose at least one ticket to print."))


class HoldsTickets(Refused):
    """Whoever keeps tickets to come is erased after the last of them."""

    code = "holds_tickets"

    def __init__(self):
        super().__init__(
            _("You still hold tickets to come. Give them back first, or say that you keep them: you are erased after the last one.")
        )


class StillActs(Refused):
    code = "still_acts"

    def __init__(self):
        super().__init__(_("You act for a company or for the seller: your data can be erased once that authorisation is withdrawn."))
