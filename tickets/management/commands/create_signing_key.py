from django.core.management.base import BaseCommand

from tickets import actions


class Command(BaseCommand):
    help = "Makes a key that signs tickets: registers its public half and prints the private one, for SIGNING_KEY."

    def handle(self, *args, **options):
        self.stdout.write(actions.create_signing_key())
