import logging
import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("relais")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_the_portal_does(loglevel: int, **rest) -> None:
    """Celery's own logs quote an error's words, so names and addresses: ours stay in place, at the level asked for."""
    logging.getLogger("celery").setLevel(loglevel)
