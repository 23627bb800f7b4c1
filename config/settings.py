"""Django settings. What an operator may change comes from the environment (config/env.py)."""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF

from config.env import read_environment
from config.logs import logging_settings
from config.postgres import EmbeddedPostgres

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = read_environment()
VERSION = "0.1.0"

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = ENV.allowed_hosts

# --- Accounts as schemas (docs/adr/0001) ---

SHARED_APPS = [
    "django_tenants",
    "config",
    "accounts",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "django_htmx",
    "template_partials",
    "lucide",
    "ninja",  # serves its docs page's files itself: no content delivery network
    "csp",
]
TENANT_APPS = ["accounts.principals", "sessions_app", "memory"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]

TENANT_MODEL = "accounts.Account"
TENANT_DOMAIN_MODEL = "accounts.Domain"
TENANT_LIMIT_SET_CALLS = True  # one SET search_path per request, not one per cursor
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# Connecting costs 6.6 ms, so servers keep a pool; commands that run once do not. A backend keeps
# about 1.1 MB for each schema that it has touched until it ends, hence the short life.
POOL = {"min_size": 1, "max_size": 16, "timeout": 5, "max_lifetime": 420}
_parameters = dict(ENV.database or EmbeddedPostgres(ENV.data_dir).parameters)
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": _parameters.pop("dbname"),
        "USER": _parameters.pop("user", ""),
        "PASSWORD": _parameters.pop("password", ""),
        "HOST": _parameters.pop("host", ""),
        "PORT": _parameters.pop("port", ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **_parameters,
            **({"pool": POOL} if ENV.pooled else {}),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Requests ---

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
MIDDLEWARE = [
    "config.middleware.RequestMiddleware",
    "config.middleware.PageCompression",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.web.TimeZoneMiddleware",
    "accounts.principals.middleware.AccountPathMiddleware",
]
UPLOADS_DIR = ENV.data_dir / "uploads"  # of imports, until they are read
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes of one request's body; more: 413
# Files of an import do not count there: they go to the disk (config/middleware.py has their limit).
# Each is an open file while it arrives, and a process has 1,024.
DATA_UPLOAD_MAX_NUMBER_FILES = 500
NINJA_PAGINATION_MAX_LIMIT = 200

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Pico's icons are data: pictures in its style sheet
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Toasts name users and agents: they stay on the server.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ENV.allowed_hosts if ENV.https]

# --- Who may enter ---

AUTH_MODE = ENV.auth_mode
GATEWAY_KEYS = ENV.gateway_keys
RATE_LIMIT = ENV.rate_limit
ROOT_KEY = ENV.root_key
KEY_PEPPERS = ENV.key_peppers
AUTH_USER_MODEL = "accounts.Person"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # its e-mail is unique by a constraint on lower(email)
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if ENV.https else 0  # else its limits count the proxy
SESSION_ENGINE = (
    "django.contrib.sessions.backends.db"  # with a cache, a stolen cookie outlived sign-out
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in"
ACCOUNT_ADAPTER = "accounts.adapter.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/15m/key",  # codes count, too, by person
    "reset_password": "10/m/ip,3/15m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
ACCOUNT_FORMS = {"reset_password": "accounts.forms.PasswordResetForm"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.passwords.LinkTokens"  # noqa: S105 - a class
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds that a link to set a password holds
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds for which a password typed again counts
MFA_ADAPTER = "accounts.adapter.CodeAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Bailiwick"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # whoever has a sign-in was invited; nobody signs up
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# Rate limits and used codes live in the default cache, in the database: every process sees them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "bailiwick_cache",
        # By default 300, beyond which a third is thrown away: attempts with invented names would
        # push out what is counted against real ones.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Mail ---

SITE = ENV.site  # of links in mails and of links to hand over
MAIL_ENABLED = ENV.mail is not None
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if ENV.mail else 'dummy'}.EmailBackend"
EMAIL_TIMEOUT = 10  # seconds
if ENV.mail:
    EMAIL_HOST, EMAIL_PORT = ENV.mail.host, ENV.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENV.mail.user, ENV.mail.password
    EMAIL_USE_TLS = ENV.mail.encryption == "starttls"
    EMAIL_USE_SSL = ENV.mail.encryption == "tls"
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.mail.sender

# --- Pages ---

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "accounts.web.theme",
                "accounts.web.toasts",
                "config.frame.frame",
            ],
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600

LOGGING = logging_settings()
