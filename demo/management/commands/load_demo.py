from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.models import Company, Seller
from dashboard.actions import count
from demo import crowd, loader

WORDS = """
  Relais is ready.                                     Ctrl-C stops everything.

  The portal            {base}/
  The inbox of everyone {base}/inbox/     every code and email arrives there

  Log in at {base}/login/ with one of these addresses; the code is in the inbox.
    a relay               {samia}     12 left of 35; under Acheter, an option that ends in two days
    a relay of a site     {thomas}
    a relay of two        {ines}
    a member              {zoe}
    the seller's staff    {staff}     then {base}/admin/ or {base}/dashboard/

  The gate of tonight   {base}/gate/      with one of these codes, once each: {codes}
"""


class Command(BaseCommand):
    help = "Loads the demo's story if it is not there; --factor adds a crowd for the bench (100: a million tickets)."

    def add_arguments(self, parser):
        parser.add_argument("--factor", type=int, default=0)
        parser.add_argument("--say", metavar="ADDRESS", help="only say where to click")

    def handle(self, *args, factor, say, **options):
        if say:
            self.stdout.write(
                WORDS.format(
                    base=say,
                    samia=loader.SAMIA,
                    thomas=loader.THOMAS,
                    ines=loader.INES,
                    zoe=loader.ZOE,
                    staff=loader.STAFF,
                    codes=", ".join(loader.GATE_CODES),
                )
            )
            return
        if not Seller.objects.exists():
            if Company.objects.exists():  # an earlier start was interrupted
                call_command("flush", interactive=False, verbosity=0)
            loader.tell()
            count()
        if factor:
            crowd.gather(factor)
            count()
