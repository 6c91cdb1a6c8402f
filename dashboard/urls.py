from django.urls import path

from dashboard.views import consents, event, figures, relay, seller

app_name = "dashboard"

urlpatterns = [
    path("dashboard/", seller.seller, name="seller"),
    path("dashboard/remind/", seller.remind, name="remind"),
    path("dashboard/tickets/", seller.tickets, name="seller_tickets"),
    path("dashboard/figures.csv", seller.seller_file, {"kind": "csv"}, name="seller_csv"),
    path("dashboard/figures.xlsx", seller.seller_file, {"kind": "xlsx"}, name="seller_xlsx"),
    path("dashboard/events/<uuid:event_id>/", event.event, name="event"),
    path("dashboard/events/<uuid:event_id>/door/", event.door, name="door"),
    path("dashboard/events/<uuid:event_id>/statement.csv", event.statement_file, {"kind": "csv"}, name="statement_csv"),
    path("dashboard/events/<uuid:event_id>/statement.xlsx", event.statement_file, {"kind": "xlsx"}, name="statement_xlsx"),
    path("dashboard/events/<uuid:event_id>/statement.pdf", event.statement_file, {"kind": "pdf"}, name="statement_pdf"),
    path("dashboard/events/<uuid:event_id>/close/", event.close, name="close"),
    path("dashboard/statements/<uuid:closed_id>.csv", event.closed_file, {"kind": "csv"}, name="closed_csv"),
    path("dashboard/statements/<uuid:closed_id>.xlsx", event.closed_file, {"kind": "xlsx"}, name="closed_xlsx"),
    path("dashboard/statements/<uuid:closed_id>.pdf", event.closed_file, {"kind": "pdf"}, name="closed_pdf"),
    path("dashboard/statements/<uuid:closed_id>.json", event.closed_file, {"kind": "json"}, name="closed_json"),
    path("dashboard/offers/", consents.consents, name="consents"),
    path("dashboard/offers/addresses.csv", consents.take_consents, {"kind": "csv"}, name="take_consents_csv"),
    path("dashboard/offers/addresses.xlsx", consents.take_consents, {"kind": "xlsx"}, name="take_consents_xlsx"),
    path("c/<uuid:company_id>/figures/", relay.figures, name="relay"),
    path("c/<uuid:company_id>/figures/doors/", relay.doors, name="doors"),
    path("c/<uuid:company_id>/figures/tickets/", relay.tickets, name="relay_tickets"),
    path("c/<uuid:company_id>/figures/table.csv", relay.figures_file, {"kind": "csv"}, name="relay_csv"),
    path("c/<uuid:company_id>/figures/table.xlsx", relay.figures_file, {"kind": "xlsx"}, name="relay_xlsx"),
    path("c/<uuid:company_id>/products/<uuid:product_id>/figures.csv", figures.figures, name="figures"),
]
