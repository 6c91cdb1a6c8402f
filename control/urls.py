from django.contrib.auth.decorators import login_not_required
from django.urls import path

from control import scanner, views
from control.api import api

# The API knows its devices by token: without one it answers 401, and never a page to log in.
api_patterns, _app, _namespace = api.urls
for pattern in api_patterns:
    assert pattern.callback is not None
    login_not_required(pattern.callback)

urlpatterns = [
    path("gate/", views.gate, name="gate"),
    path("gate/pair/", views.pair, name="gate_pair"),
    path("gate/leave/", views.leave, name="gate_leave"),
    path("gate/search/", views.search, name="gate_search"),
    path("gate/undo/", views.undo, name="gate_undo"),
    path("gate/group/", views.group, name="gate_group"),
    path("gate/service.js", scanner.service, name="gate_service"),
    path("gate/decoder.js", scanner.decoder, name="gate_decoder"),
    path("gate/app.webmanifest", scanner.app, name="gate_app"),
    path("gate/conflicts/", views.conflicts, name="gate_conflicts"),
    path("api/v1/", (api_patterns, _app, _namespace)),
]
