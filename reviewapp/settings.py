"""Settings: one file, everything from the environment, nothing to set on a laptop.

The README's table lists every variable read here; a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from reviewapp.env import Env
from reviewapp.postgres import secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

# What this process is: a laptop (no DATABASE_URL: the bundled PostgreSQL under VAR_DIR) or a deployment.

DEBUG = env.flag("DEBUG", False)
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
_database = env.database("DATABASE_URL")

SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if _database:
        raise ImproperlyConfigured(
            "SECRET_KEY is needed beside DATABASE_URL. For example: SECRET_KEY=$(openssl rand -hex 32)"
        )
    SECRET_KEY = secret.kept_in(VAR_DIR / "secret_key")

HTTPS = env.flag("HTTPS", not DEBUG)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])

# Mixpeek

MIXPEEK_BASE_URL = env.url("MIXPEEK_BASE_URL", "https://api.mixpeek.com")
MIXPEEK_API_KEY = env.text("MIXPEEK_API_KEY")
MIXPEEK_NAMESPACE = env.text("MIXPEEK_NAMESPACE")
MEDIA_HOSTS = env.words("MEDIA_HOSTS", ["https://*.amazonaws.com", "https://*.mixpeek.com"])
PULL_MINUTES = env.number("PULL_MINUTES", 5, least=1, most=59)

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
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "django_filters",
    "django_htmx",
    "pgtrigger",
    "procrastinate.contrib.django",
    "reviewapp.audit",
    "reviewapp.outbox",
    "reviewapp.retrievers",
    "reviewapp.annotations",
    "reviewapp.sync",
    "reviewapp.accounts",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "reviewapp.audit.trace.TraceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "reviewapp.accounts.middleware.SignInRequired",
]

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
                "reviewapp.outbox.context.pause",
            ],
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "reviewapp.postgres",
        **{key: value for key, value in _database.items() if not key.startswith("?")},
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {key[1:]: value for key, value in _database.items() if key.startswith("?")},
        # Read by the engine when HOST and NAME are empty: where the bundled PostgreSQL keeps its data.
        "EMBEDDED_DIR": VAR_DIR / "postgres",
    }
}

# What all web processes must count together, which is failed sign-ins; the table is made by migrate.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "reviewapp.accounts.adapter.InvitationOnly"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
LOGOUT_REDIRECT_URL = LOGIN_URL
# A guesser gets five tries a minute at one account; its owner, locked out by the guesser, waits a minute at most.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,5/m/key"}
# What a person may give other keys to: settings tie the two, because accounts must not know annotations.
KEY_TABLE = "reviewapp.annotations.keys.KEYS"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# Safety

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.flag("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

# A decision form holds 5,000 characters of reasoning and a 64 KiB payload at most; this is ten times that.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:", *MEDIA_HOSTS],
        "media-src": [SELF, *MEDIA_HOSTS],
        "frame-src": [SELF, *MEDIA_HOSTS],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Background work and logs

PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful"}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # procrastinate says every step of every job at INFO.
    "loggers": {"procrastinate": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO").upper()},
}
