from django.contrib.auth.decorators import login_not_required
from django.urls import path

from control import views
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
    path("api/v1/", (api_patterns, _app, _namespace)),
]
