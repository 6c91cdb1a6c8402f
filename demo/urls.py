from django.urls import path

from demo import views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("<slug:key>/", views.letter, name="inbox_email"),
    path("<slug:key>/html/", views.page, name="inbox_page"),
]
