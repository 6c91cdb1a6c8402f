"""`manage.py take_bounce ADDRESS < report`: what the mail server hands over that came for bounce+…@MAIL_DOMAIN."""

import sys

from django.core.management.base import BaseCommand

from outbox import actions

MOST_BYTES = 1_000_000


class Command(BaseCommand):
    help = "Note that an email sent before could not be delivered: the report on standard input came for this address."

    def add_arguments(self, parser):
        parser.add_argument("address")

    def handle(self, *, address, **options):
        actions.take_bounce(to=address, content=sys.stdin.buffer.read(MOST_BYTES))
