from django.urls import path

from dashboard.views import figures, seller

app_name = "dashboard"

urlpatterns = [
    path("dashboard/", seller.seller, name="seller"),
    path("dashboard/remind/", seller.remind, name="remind"),
    path("dashboard/tickets/", seller.tickets, name="seller_tickets"),
    path("dashboard/figures.csv", seller.seller_file, {"kind": "csv"}, name="seller_csv"),
    path("dashboard/figures.xlsx", seller.seller_file, {"kind": "xlsx"}, name="seller_xlsx"),
    path("c/<uuid:company_id>/products/<uuid:product_id>/figures.csv", figures.figures, name="figures"),
]
