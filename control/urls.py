from django.urls import path

from control import scanner, views
from control.api import api

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
    path("gate/entries/", views.entries, name="gate_entries"),
    path("gate/conflicts/", views.conflicts, name="gate_conflicts"),
    path("api/v1/", api.urls),
]
