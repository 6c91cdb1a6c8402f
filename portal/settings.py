"""All settings, from the environment. Unset means safe; docs/operate.md lists every variable."""

import sys
from datetime import timedelta
from pathlib import Path

import environs
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from marshmallow.validate import URL, OneOf, Range

from portal import environment as must

BASE_DIR = Path(__file__).resolve().parent.parent

env = must.Env()

# The demo and the tests: one machine, invented data, no secret. Never true where real people are.
DEMO = env.bool("DEMO", False)


def either(demo, production=None) -> dict:
    """The demo has a default; elsewhere the variable is needed, and checked."""
    if DEMO:
        return {"default": demo}
    return {"validate": production} if production else {}


DEBUG = env.bool("DEBUG", False, validate=[] if DEMO else must.is_false)
SECRET_KEY = env.str("SECRET_KEY", **either(must.DEMO_SECRET_KEY, must.is_a_secret))
# The seed of the Ed25519 key that signs tickets; `manage.py create_signing_key` makes one.
SIGNING_KEY = env.str("SIGNING_KEY", **either(must.DEMO_SIGNING_KEY, must.is_a_seed))
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", **either("http://localhost:8000", URL(schemes={"https"})))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", **either(["localhost", "127.0.0.1"], must.are_exact_hosts))
SECURE_COOKIES = env.bool("SECURE_COOKIES", not DEMO)
BEHIND_PROXIES = env.int("BEHIND_PROXIES", 0, validate=Range(min=0, max=10))
DATABASE = env.dj_db_url("DATABASE_URL", **either("postgres://relais@127.0.0.1:5432/relais"))
BROKER_URL = env.str("REDIS_URL", **either("filesystem://", must.is_redis))
EMAIL = env.dj_email_url("EMAIL_URL", **either("smtp://127.0.0.1:1025"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", **either("billets@relais.example"))
# The demo alone may open the admin without a second factor.
STAFF_NEEDS_SECOND_FACTOR = env.bool("STAFF_NEEDS_SECOND_FACTOR", True, validate=[] if DEMO else must.is_true)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]))
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")) or ".")

try:
    env.seal()
    faults: dict[str, list[str]] = {}
except environs.EnvValidationError as error:
    faults = dict(error.error_messages)
for name, fault in must.wrong_together(DATABASE, EMAIL, PUBLIC_BASE_URL, ALLOWED_HOSTS, DEFAULT_FROM_EMAIL).items():
    faults.setdefault(name, [fault])
if faults:
    for name, reasons in faults.items():
        print(f"{name}: {reasons[0]}", file=sys.stderr)
    sys.exit(2)

INSTALLED_APPS = [
    "portal",
    "accounts.apps.RelaisAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # for the pages of allauth
    "django.forms",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "outbox",
    "accounts",
    "members",
    "tickets",
    "sales",
    "distribution",
    "control",
    "dashboard",
]
if DEMO:
    INSTALLED_APPS.append("demo")

MIDDLEWARE = [
    # Those that write headers come first: an answer made by another one, or by its failure, has them too.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.ContentPolicy",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.Language",
    "portal.middleware.PrivateAnswers",
    "django.middleware.common.CommonMiddleware",
    "portal.middleware.Api",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.LastSeen",
    "portal.middleware.Refusals",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.seller",
            ],
            "builtins": ["portal.templatetags.words", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "portal.forms.FormRenderer"

# Database. Each thread of a web process keeps its connection; Celery closes a worker's after each task.
DATABASES = {
    "default": {
        **DATABASE,
        "ENGINE": "portal.database",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"prepare_threshold": 5},  # psycopg's own: Django turns off what portal/prepared.py asks for
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache holds login limits alone: in PostgreSQL they also hold while Redis is away.
# Room for many: Django's 300 entries would let 300 other addresses push a limit out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Login
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_request_login_code"
ACCOUNT_SESSION_REMEMBER = True
# Wide by address of the network, since a whole company shares one; narrow by address of the person:
# 20 codes a day with 3 tries each keep guessing hopeless.
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "200/m/ip,6/10m/key,20/d/key",
    "login": "200/m/ip",
    "login_failed": "60/m/ip,10/10m/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = BEHIND_PROXIES
ACCOUNT_FORMS = {"request_login_code": "accounts.forms.RequestLoginCodeForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Relais"

# Cookies, headers
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
_prefix = "__Host-" if SECURE_COOKIES else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = f"{_prefix}session", f"{_prefix}csrf", f"{_prefix}language"
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_COOKIES
SECURE_REFERRER_POLICY = "same-origin"
if BEHIND_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],  # the TOTP code of allauth is a data: picture
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF] if DEMO else [NONE],  # the demo's inbox shows an email in a frame
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": [],
    "geolocation": [],
    "microphone": [],
    "payment": [],
    "publickey-credentials-get": ["self"],
    "publickey-credentials-create": ["self"],
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000  # a distribution to 5,000 people is one form
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.OnlySoMuch",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# Language and time
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Paris"
USE_TZ = True

# Static files
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is stored on a web server's disk
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Email: sent by outbox alone, one connection a row.
EMAIL_HOST, EMAIL_PORT = EMAIL["EMAIL_HOST"], EMAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL["EMAIL_HOST_USER"], EMAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL["EMAIL_USE_TLS"], EMAIL["EMAIL_USE_SSL"]
MAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
MAILBOX_DIR = VAR_DIR / "mail"  # the demo's inbox

# Celery: a doorbell. The outbox is the record, so tasks carry no data and nothing is retried.
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1}
if BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": VAR_DIR / "queue",
        "data_folder_out": VAR_DIR / "queue",
        "control_folder": VAR_DIR / "queue-control",
    }
CELERY_TASK_ROUTES = {
    "outbox.tasks.send_login_codes": {"queue": "login"},
    "distribution.tasks.render_printouts": {"queue": "print"},
    "distribution.tasks.sweep_printouts": {"queue": "print"},
}
CELERY_BEAT_SCHEDULE = {
    "invoices": {"task": "sales.tasks.issue_due_invoices", "schedule": timedelta(hours=1), "options": {"expires": 3000}},
    "paid-orders": {"task": "sales.tasks.issue_paid_orders", "schedule": timedelta(minutes=1), "options": {"expires": 50}},
    "options": {"task": "sales.tasks.end_lapsed_options", "schedule": timedelta(seconds=30), "options": {"expires": 25}},
    "sweep": {"task": "outbox.tasks.sweep", "schedule": timedelta(seconds=30), "options": {"expires": 25}},
    "remind-relays": {"task": "distribution.tasks.remind_relays", "schedule": timedelta(minutes=30), "options": {"expires": 1500}},
    "count": {"task": "dashboard.tasks.count", "schedule": timedelta(minutes=1), "options": {"expires": 50}},
    "retention": {"task": "accounts.tasks.apply_retention", "schedule": crontab(hour=3, minute=10)},
    "sweep-printouts": {"task": "distribution.tasks.sweep_printouts", "schedule": timedelta(seconds=30), "options": {"expires": 25}},
    "sweep-login": {"task": "outbox.tasks.send_login_codes", "schedule": timedelta(seconds=30), "options": {"expires": 25}},
}

# Logs carry ids, never names or addresses: no path is logged, only the route.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "portal.logs.json_formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": [], "propagate": False},
        "django.request": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
        "pikepdf": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
