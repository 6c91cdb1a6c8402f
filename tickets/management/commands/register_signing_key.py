from django.core.management.base import BaseCommand

from tickets import actions


class Command(BaseCommand):
    help = "Registers the public half of the key in SIGNING_KEY, if it is not there yet: part of every start."

    def handle(self, *args, **options):
        key = actions.register_signing_key()
        self.stdout.write(f"Tickets are signed with key {key.pk}.")
