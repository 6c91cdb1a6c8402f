from django.urls import path

from dashboard import views

app_name = "dashboard"

urlpatterns = [
    path("c/<uuid:company_id>/products/<uuid:product_id>/figures.csv", views.figures, name="figures"),
]
