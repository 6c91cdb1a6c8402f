from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from portal import views

urlpatterns = [
    path("", include("control.urls")),  # first, where a queue waits
    path("", include("accounts.urls")),
    path("", include("members.urls")),
    path("", include("sales.urls")),
    path("", include("distribution.urls")),
    path("", include("dashboard.urls")),
    path("admin/", admin.site.urls),
    path("healthz", views.health, name="health"),
]
if settings.DEMO:
    urlpatterns.append(path("inbox/", include("demo.urls")))

handler500 = views.broken
