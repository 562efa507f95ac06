"""Composition only: every value comes from the environment, the defaults run the console on one machine."""

from pathlib import Path

from signalize_console import environment
from signalize_console.embedded.home import Home

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Home(Path(environment.text("SIGNALIZE_HOME", str(BASE_DIR / "var"))))

DEBUG = environment.boolean("DEBUG", False)
SECRET_KEY = environment.text("SECRET_KEY") or HOME.secret_key
# Whoever is on this machine may always ask: health checks and Prometheus know no public name.
ALLOWED_HOSTS = [*environment.words("ALLOWED_HOSTS"), "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")

# The key that seals the VAPID private keys in the database: 32 bytes, base64url. While it is being changed,
# the new one and then the old one: ``manage.py reseal_keys``.
KEY_ENCRYPTION_KEYS = environment.words("SIGNALIZE_KEY_ENCRYPTION_KEY") or [HOME.key_encryption_key]
# The name of this installation, the same for all its parts. Nothing is sent with a database that was made, or
# confirmed, under another name: what tells a copy of a disk from the original.
INSTALLATION = environment.text("SIGNALIZE_INSTALLATION")
# Where it is noted who was erased, beside the database: a backup from before would bring them back.
ERASURES = environment.text("SIGNALIZE_ERASURES")
# Further push services ("https://push.example.org") and, for development, where an origin's traffic really
# goes ("https://jmt17.google.com=127.0.0.1:8443"), with the certificate authority of that place.
PUSH_SERVICES = environment.text("SIGNALIZE_PUSH_SERVICES")
PUSH_SERVICES_CA = environment.text("SIGNALIZE_PUSH_SERVICES_CA")
# How many of our own proxies stand before the web server: as many entries of X-Forwarded-For are believed.
TRUSTED_PROXIES = environment.integer("SIGNALIZE_TRUSTED_PROXIES", 0)
# For development, where an origin's webhooks really go ("https://hooks.example.com=127.0.0.1:8443"), public
# address or not, with the certificate authority of that place.
WEBHOOK_PLACES = environment.text("SIGNALIZE_WEBHOOK_PLACES")
WEBHOOK_CA = environment.text("SIGNALIZE_WEBHOOK_CA")
# Whether the links of a message are asked if they answer, before it goes out.
LINK_CHECK = environment.boolean("SIGNALIZE_LINK_CHECK", True)
# The events that count as a conversion, and for how many hours they belong to the click before them. What was
# counted already keeps its count until ``manage.py rebuild_rollups``.
CONVERSION_EVENTS = environment.words("SIGNALIZE_CONVERSION_EVENTS", "order")
CONVERSION_HOURS = environment.integer("SIGNALIZE_CONVERSION_HOURS", 72)
# For how many days what happened is kept; 0 is for ever. What looks back at it: docs/operations.md.
KEEP_DELIVERIES_DAYS = environment.days("SIGNALIZE_KEEP_DELIVERIES_DAYS", 400, least=92)
KEEP_EVENTS_DAYS = environment.days("SIGNALIZE_KEEP_EVENTS_DAYS", 400, least=92)
KEEP_RUNS_DAYS = environment.days("SIGNALIZE_KEEP_RUNS_DAYS", 400, least=31)
KEEP_WEBHOOKS_DAYS = environment.days("SIGNALIZE_KEEP_WEBHOOKS_DAYS", 30, least=4)
KEEP_KEYS_DAYS = environment.days("SIGNALIZE_KEEP_KEYS_DAYS", 30, least=1)
KEEP_CONSENT_DAYS = environment.days("SIGNALIZE_KEEP_CONSENT_DAYS", 0, least=365)
KEEP_AUDIT_DAYS = environment.days("SIGNALIZE_KEEP_AUDIT_DAYS", 0, least=365)
# Who may read /metrics: Authorization: Bearer <this>. Without it there is no such page.
METRICS_TOKEN = environment.text("SIGNALIZE_METRICS_TOKEN")
# Where requests are counted that are limited: the broker, unless it is no Redis or Valkey.
LIMITS_URL = environment.text("SIGNALIZE_LIMITS_URL")
# The demo shop at /demo/, which lets a visitor push themself a message.
DEMO = environment.boolean("SIGNALIZE_DEMO", False)

INSTALLED_APPS = [
    "signalize_console.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "signalize_console.websites",
    "signalize_console.recipients",
    "signalize_console.activity",
    "signalize_console.audiences",
    "signalize_console.messaging",
    "signalize_console.deliveries",
    "signalize_console.webhooks",
    "signalize_console.automations",
    "signalize_console.browser",
    "signalize_console.api",
    "signalize_console.console",
    "signalize_console.embedded",
    "signalize_console.pushservice",
]

MIDDLEWARE = [
    "signalize_console.request_ids.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "signalize_console.security_headers.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "signalize_console.languages.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "signalize_console.console.logins.IdleTimeout",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "signalize_console.urls"
WSGI_APPLICATION = "signalize_console.wsgi.application"
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
            ],
        },
    },
]

# psycopg's pool pays in threads that live long (the web), not in Celery's processes.
DATABASES = {
    "default": environment.database(
        environment.text("DATABASE_URL") or HOME.database_url,
        pool=environment.boolean("SIGNALIZE_DATABASE_POOL", False),
    )
}
# PostgreSQL itself, for backup, restore, migrate and rebuild_rollups, where DATABASE_URL leads to a pooler.
DATABASE_DIRECT_URL = environment.text("SIGNALIZE_DATABASE_DIRECT_URL")
DATABASE_DIRECT = environment.database(DATABASE_DIRECT_URL, pool=False) if DATABASE_DIRECT_URL else {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "signalize_console.console.logins.address"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "signalize_console.console.logins.locked_page"
AXES_VERBOSE = False

# Who must have a second factor: roles ("administrator approver"), "all", or nobody.
SECOND_FACTOR_ROLES = [name.lower() for name in environment.words("SIGNALIZE_SECOND_FACTOR")]
OTP_TOTP_ISSUER = "Signalize Console"
# Minutes without a click after which one has to log in again, and the hours after which one always has to.
IDLE_MINUTES = environment.integer("SIGNALIZE_IDLE_MINUTES", 120)
SESSION_COOKIE_AGE = 12 * 3600

SESSION_COOKIE_HTTPONLY = True
HTTPS = environment.boolean("SIGNALIZE_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# The proxy leads to HTTPS; what else is served on this domain and its subdomains isn't ours to decide.
SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
if HTTPS:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = environment.text("TIME_ZONE", "UTC")
USE_I18N = USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = environment.text("STATIC_ROOT") or None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

CELERY_BROKER_URL = environment.text("CELERY_BROKER_URL") or HOME.broker_url
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 500
# A queue for each worker, by which its watchdog hears whether it still takes work.
CELERY_WORKER_DIRECT = True
CELERY_BEAT_SCHEDULER = "signalize_console.deliveries.beat:Scheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["signalize_console.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["signalize_console.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["signalize_console.api.parsing.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "signalize_console.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Signalize Console API",
    "DESCRIPTION": "Send push messages to website visitors, and learn what became of them.",
    "VERSION": "3.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/v3",
    "POSTPROCESSING_HOOKS": [
        "signalize_console.api.openapi.complete",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": False,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "{asctime}{levelname}{name}{message}{process}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "filters": {"discreet": {"()": "signalize_console.logs.Discreet"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": environment.text("LOG_FORMAT", "line"),
            "filters": ["discreet"],
        }
    },
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.db.backends": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        # What strangers ask wrongly, or too often, would fill the log.
        "django.request": {"level": "ERROR"},
        "websockets": {"level": "WARNING"},
    },
}
