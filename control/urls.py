from django.urls import path

from control import views
from control.api import api

urlpatterns = [
    path("gate/", views.gate, name="gate"),
    path("gate/pair/", views.pair, name="gate_pair"),
    path("gate/leave/", views.leave, name="gate_leave"),
    path("api/v1/", api.urls),
]
