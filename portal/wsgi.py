import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()
# Now: the first visitor of a process would wait some seconds for it.
import_module(settings.ROOT_URLCONF)
