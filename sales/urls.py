from django.urls import path

from sales.views import account, catalogue, options, orders

app_name = "sales"
COMPANY = "c/<uuid:company_id>/"

urlpatterns = [
    path(f"{COMPANY}buy/", catalogue.catalogue, name="catalogue"),
    path(f"{COMPANY}buy/basket/", catalogue.basket, name="basket"),
    path(f"{COMPANY}buy/<uuid:product_id>/put/", catalogue.put, name="put"),
    path(f"{COMPANY}buy/<uuid:product_id>/option/", options.request_option, name="request_option"),
    path(f"{COMPANY}options/", options.options, name="options"),
    path(f"{COMPANY}options/calendar/", options.calendar, name="calendar"),
    path(f"{COMPANY}options/<uuid:option_id>/", options.option, name="option"),
    path(f"{COMPANY}options/<uuid:option_id>/give-back/", options.give_back, name="give_back"),
    path(f"{COMPANY}options/<uuid:option_id>/more-time/", options.more_time, name="more_time"),
    path("calendars/<str:token>/options.ics", options.feed, name="feed"),
    path(f"{COMPANY}orders/", orders.orders, name="orders"),
    path(f"{COMPANY}orders/<uuid:order_id>/", orders.order, name="order"),
    path(f"{COMPANY}orders/<uuid:order_id>/order.pdf", orders.order_form, name="order_form"),
    path(f"{COMPANY}account/", account.account, name="account"),
    path(f"{COMPANY}account/statement.pdf", account.statement, name="statement"),
    path(f"{COMPANY}account/invoices/<uuid:invoice_id>/invoice.pdf", account.invoice, name="invoice"),
]
