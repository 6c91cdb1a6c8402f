import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# What is loaded stays: a collector that looks through all of it again and again takes a fifth of a batch of scans.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
