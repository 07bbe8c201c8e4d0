"""Settings: one file, everything from the environment, nothing to set on a laptop.

docs/settings.md lists every variable read here; a test holds the two together.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from reviewapp import secret_key
from reviewapp.env import Env, origin
from reviewapp.operations import logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

# Where it runs: on a laptop (no DATABASE_URL: the bundled PostgreSQL under VAR_DIR) or deployed.

DEBUG = env.flag("DEBUG", False)
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
_database = env.database("DATABASE_URL")

SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if _database:
        raise ImproperlyConfigured(
            "SECRET_KEY is required with DATABASE_URL. "
            "For example: SECRET_KEY=$(openssl rand -hex 32)",
        )
    SECRET_KEY = secret_key.read_or_create(VAR_DIR / "secret_key")

# Earlier keys: what they signed is still valid, and what they encrypted can still be read.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])

# Tells this installation from others at the same host: a browser sends its cookies to all of them.
# A new SECRET_KEY beside the old one leaves it as it is.
INSTANCE = env.word("INSTANCE", secret_key.short_digest([SECRET_KEY, *SECRET_KEY_FALLBACKS][-1]))

# The path in front of all our paths, if a proxy serves us below one; gunicorn_conf.py explains how
# it is removed from a request's path.
FORCE_SCRIPT_NAME = env.path("SCRIPT_NAME") or None
_prefix = FORCE_SCRIPT_NAME or ""

# Without any environment, the app serves plain http on loopback. A deployment must set HTTPS=off to
# do so.
HTTPS = env.flag("HTTPS", not DEBUG and bool(_database or env.text("SECRET_KEY")))
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])

# Mixpeek

MIXPEEK_BASE_URL = env.url("MIXPEEK_BASE_URL", "https://api.mixpeek.com")
MIXPEEK_API_KEY = env.text("MIXPEEK_API_KEY")
MIXPEEK_NAMESPACE = env.text("MIXPEEK_NAMESPACE")
MIXPEEK_TIMEOUT = env.number("MIXPEEK_TIMEOUT", 30, least=1, most=60)
MIXPEEK_PAGE_TIMEOUT = env.number("MIXPEEK_PAGE_TIMEOUT", 5, least=1, most=30)
MIXPEEK_REQUESTS_PER_MINUTE = env.number("MIXPEEK_REQUESTS_PER_MINUTE", 600, least=10, most=1000000)
MIXPEEK_WHO = env.choice("MIXPEEK_WHO", "metadata", "payload", "none")
MIXPEEK_REVIEWER = env.choice("MIXPEEK_REVIEWER", "pseudonym", "username")
# Anybody can have a bucket below *.amazonaws.com, so a site lists its own buckets here.
MEDIA_HOSTS = env.words("MEDIA_HOSTS", ["https://*.mixpeek.com"])
PULL_MINUTES = env.number("PULL_MINUTES", 5, least=1, most=59)
FEED_SECONDS = env.number("FEED_SECONDS", 30, least=5, most=59)
MIXPEEK_WEBHOOK_SECRET = env.text("MIXPEEK_WEBHOOK_SECRET")
MIXPEEK_WEBHOOK_STATIC = env.flag("MIXPEEK_WEBHOOK_STATIC", False)
UNDO_SECONDS = env.number("UNDO_SECONDS", 5, least=0, most=60)
WEBHOOK_DAYS = env.number("WEBHOOK_DAYS", 7, least=1, most=90)

# Django

ROOT_URLCONF = "reviewapp.urls"
WSGI_APPLICATION = "reviewapp.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
APPEND_SLASH = False

INSTALLED_APPS = [
    # Before auth, whose `changepassword` it replaces.
    "reviewapp.accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "pgtrigger",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "reviewapp.audit",
    "reviewapp.outbox",
    "reviewapp.retrievers",
    "reviewapp.annotations",
    "reviewapp.sync",
    "reviewapp.api",
    "reviewapp.operations",
]

MIDDLEWARE = [
    "reviewapp.api.middleware.JsonErrorMiddleware",
    "reviewapp.operations.middleware.ProbesOfAnyHost",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "reviewapp.web.middleware.compression.CompressedPages",
    "reviewapp.web.middleware.security_headers.PrivateAnswers",
    "csp.middleware.CSPMiddleware",
    "reviewapp.audit.context.TraceMiddleware",
    "reviewapp.operations.middleware.AccessLog",
    "reviewapp.web.middleware.request_limits.BoundedAddress",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "reviewapp.web.middleware.request_limits.BoundedBody",
    "reviewapp.web.middleware.request_limits.Utf8Forms",
    "reviewapp.accounts.middleware.BusyHashing",
    "reviewapp.accounts.middleware.SignInRequired",
    "reviewapp.accounts.middleware.SecondFactorRequired",
    "reviewapp.accounts.middleware.LastActive",
]

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "reviewapp.outbox.status.context_processors.delivery_banner",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "reviewapp.web.jinja.environment",
            "context_processors": [
                *_CONTEXT_PROCESSORS,
                "reviewapp.web.jinja.csrf_input_once",
            ],
        },
    },
    # What the installed packages bring with them.
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT_PROCESSORS},
    },
]

_database_keys: dict[str, str] = {}
# A lost server is noticed within seconds, and each connection prepares a statement that it runs for
# the second time; DATABASE_URL may set other values.
_database_options: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "server_side_binding": True,
    "prepare_threshold": 1,
}
for _key, _value in _database.items():
    if _key.startswith("?"):
        _database_options[_key.removeprefix("?")] = _value
    else:
        _database_keys[_key] = _value

DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "reviewapp.postgres",
        **_database_keys,
        # A new connection plans each statement anew: the first request on it takes twice as long.
        # Each is checked before a request, and replaced after an error.
        "CONN_MAX_AGE": 24 * 3600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _database_options,
        # The data folder of the bundled PostgreSQL, which the engine uses if HOST and NAME are "".
        "EMBEDDED_DIR": VAR_DIR / "postgres",
    }
}

# Shared by all web processes: counts of failed sign-ins, and the order of label buttons. Migrate
# creates the table. With Django's default of 300 entries, an attacker could push the counts out.
# Version 1 is of pickled values, which processes from before an upgrade may still write.
CACHES = {
    "default": {
        "BACKEND": "reviewapp.postgres.json_cache.JsonDatabaseCache",
        "LOCATION": "cache",
        "VERSION": 2,
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["reviewapp.accounts.backend.OneQuery"]
PASSWORD_HASHERS = ["reviewapp.accounts.sign_in.hashing.BoundedPBKDF2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
# The form finds the person by name or address, so allauth gets the username only.
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_FORMS = {
    "login": "reviewapp.accounts.sign_in.forms.SignInForm",
    "reset_password": "reviewapp.accounts.sign_in.forms.ResetPasswordForm",
}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "reviewapp.accounts.sign_in.adapter.InvitationOnly"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
LOGOUT_REDIRECT_URL = LOGIN_URL
# An attacker gets five tries a minute at one account from one network, and a hundred an hour from
# all networks together (twenty at the codes of a second factor); meanwhile the owner can sign in
# from a browser that they used before. Each of the last three actions lets a visitor store a
# session.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/m/key",
    "login_failed_at_account": "100/h/key",
    "code_failed": "20/h/key",
    "reset_password": "20/m/ip",
    "reset_mail": "6/h/key",
    "password_link": "20/m/ip",
    "passkey_start": "60/m/ip",
    "sso_start": "60/m/ip",
    "kept_form": "20/h/key",
}
# The actions whose keys a person may change. A setting, because accounts must not import
# annotations.
KEY_TABLE = "reviewapp.annotations.review.shortcuts.KEYS"
DRAFT_DAYS = env.number("DRAFT_DAYS", 30, least=1, most=365)

ROLES = ("reviewer", "lead", "admin")
SECOND_FACTOR_ROLES = env.words("SECOND_FACTOR_ROLES", [], among=ROLES)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ADAPTER = "reviewapp.accounts.sign_in.factors.Factors"
MFA_FORMS = {
    "authenticate": "reviewapp.accounts.sign_in.code_forms.AuthenticateWithCode",
    "reauthenticate": "reviewapp.accounts.sign_in.code_forms.ReauthenticateWithCode",
    "add_webauthn": "reviewapp.accounts.sign_in.passkey_forms.Add",
    "authenticate_webauthn": "reviewapp.accounts.sign_in.passkey_forms.AuthenticateWithPasskey",
    "login_webauthn": "reviewapp.accounts.sign_in.passkey_forms.Login",
    "reauthenticate_webauthn": "reviewapp.accounts.sign_in.passkey_forms.ReauthenticateWithPasskey",
}
MFA_TOTP_ISSUER = "reviewapp"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
# Passkeys need https; on loopback browsers make an exception, and so must we.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# Mail: without a server none is sent, and admins pass links on themselves. Django's console backend
# would write the links into a log.

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_PORT = env.number("EMAIL_PORT", 587, least=1, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "reviewapp@localhost")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

# Single sign-on: offered if OIDC_SERVER_URL is set, which then needs the settings below.

OIDC_SERVER_URL = ""
if env.text("OIDC_SERVER_URL"):
    OIDC_SERVER_URL = env.url("OIDC_SERVER_URL", "https://id.example.com")
OIDC_NAME = env.text("OIDC_NAME", "single sign-on")
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_ROLES = env.pairs("OIDC_ROLES", among=ROLES)
SOCIALACCOUNT_ADAPTER = "reviewapp.accounts.sso.adapter.GroupsDecide"
# Finds a person by the address; the adapter links the account itself.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "provider_class": "reviewapp.accounts.sso.provider.CheckedProvider",
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [],
    }
}
if OIDC_SERVER_URL:
    for _name in ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ROLES"):
        if not env.text(_name):
            raise ImproperlyConfigured(
                f"{_name} is required with OIDC_SERVER_URL. See docs/people.md.",
            )
    SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] = [
        {
            "provider_id": "sso",
            "name": OIDC_NAME,
            "client_id": env.text("OIDC_CLIENT_ID"),
            "secret": env.text("OIDC_CLIENT_SECRET"),
            "settings": {"server_url": OIDC_SERVER_URL},
        }
    ]

# The JSON API

API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 600, least=1, most=100000)
IDEMPOTENCY_DAYS = env.number("IDEMPOTENCY_DAYS", 3, least=1, most=90)
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "reviewapp.api.openapi.schema.Described"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Review gateway",
    "DESCRIPTION": (
        "Mixpeek's annotations and retrievers, checked, delivered and recorded like a reviewer's "
        "click."
    ),
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The page requests the document and nothing else. It shows `x-scope` and `x-permission`.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "showExtensions": True,
        "supportedSubmitMethods": [],
        "syntaxHighlight": False,
        "validatorUrl": None,
    },
}

# Safety

SESSION_ENGINE = "reviewapp.accounts.sessions.session_store"
SESSION_COOKIE_NAME = f"sessionid_{INSTANCE}"  # read by the web worker as well
CSRF_COOKIE_NAME = f"csrftoken_{INSTANCE}"  # read by static/server.js as well
SESSION_PROOF_COOKIE_NAME = f"last_session_{INSTANCE}"
MESSAGES_COOKIE_NAME = f"messages_{INSTANCE}"
MESSAGE_STORAGE = "reviewapp.web.messages.InstanceStorage"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = _prefix or "/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# A sign-in ends after so many hours without use (a page that polls counts as use), or after so many
# days.
SESSION_COOKIE_AGE = env.number("SESSION_IDLE_HOURS", 336, least=1, most=2160) * 3600
SESSION_DAYS = env.number("SESSION_DAYS", 30, least=1, most=365)
SECURE_SSL_REDIRECT = HTTPS
# Orchestrators and Prometheus send plain http from inside.
_probes = f"{_prefix}/".lstrip("/")
SECURE_REDIRECT_EXEMPT = [rf"^({re.escape(_probes)})?(health/live|health/ready|metrics)$"]
SECURE_HSTS_SECONDS = 0
if HTTPS:
    SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.flag("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # ten times what a decision form can hold
FILE_UPLOAD_HANDLERS = ["reviewapp.web.middleware.request_limits.NoFiles"]

_form_targets = [SELF]
if OIDC_SERVER_URL:
    # The button of the single sign-on is a form that leads to the provider.
    _form_targets.append(origin(OIDC_SERVER_URL))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        # A script requests the file of a frame too, because a frame does not report an error.
        "connect-src": [SELF, *MEDIA_HOSTS],
        "img-src": [SELF, "data:", *MEDIA_HOSTS],
        "media-src": [SELF, *MEDIA_HOSTS],
        "frame-src": [SELF, *MEDIA_HOSTS],
        "form-action": _form_targets,
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Files

STATIC_URL = f"{_prefix}/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "reviewapp.operations.storage.Hashed"},
}

# Background work and logs

PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful"}
READY_MAX_CHANGE_AGE = env.number("READY_MAX_CHANGE_AGE", 900, least=10, most=86400)
METRICS_TOKEN = env.text("METRICS_TOKEN")
WORKER_METRICS_PORT = env.number("WORKER_METRICS_PORT", 0, least=0, most=65535)
_secrets = [
    SECRET_KEY,
    *SECRET_KEY_FALLBACKS,
    MIXPEEK_API_KEY,
    MIXPEEK_WEBHOOK_SECRET,
    METRICS_TOKEN,
    EMAIL_HOST_PASSWORD,
]
LOGGING = logs.configured(
    env,
    secrets=[*_secrets, env.text("OIDC_CLIENT_SECRET"), _database.get("PASSWORD", "")],
)
