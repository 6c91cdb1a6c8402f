from allauth.account import views as allauth_views
from django.urls import include, path

from accounts import views

# allauth's own pages, save two: its page of addresses (an address is corrected by our own rule)
# and its reset by link (no email of ours holds a link that logs in).
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.request_login_code, name="account_request_login_code"),
    path("login/code/", views.confirm_login_code, name="account_confirm_login_code"),
    path("login/password/", allauth_views.login, name="account_login"),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("signup/", allauth_views.signup, name="account_signup"),
    path("account/", views.account, name="account"),
    path("account/log-out-everywhere/", views.log_out_everywhere, name="log_out_everywhere"),
    path("account/addresses/", views.account, name="account_email"),  # allauth sends people here: our page says the address
    path("account/inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("account/confirm-email/", allauth_views.email_verification_sent, name="account_email_verification_sent"),
    path("account/password/change/", allauth_views.password_change, name="account_change_password"),
    path("account/password/set/", allauth_views.password_set, name="account_set_password"),
    path("account/second-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("spaces/", views.spaces, name="spaces"),
    path("language/", views.choose_language, name="choose_language"),
    path("house.css", views.house, name="house"),
    path("logo.png", views.logo, name="logo"),
    path("help/", views.page, {"name": "help"}, name="help"),
    path("privacy/", views.privacy, name="privacy"),
    path("accessibility/", views.page, {"name": "accessibility"}, name="accessibility"),
]
