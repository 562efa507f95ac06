"""The web process: granian calls ``application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "signalize_console.settings")
os.environ.setdefault("SIGNALIZE_DATABASE_POOL", "1")

application = get_wsgi_application()
# Models can be imported from here on.
from signalize_console.deliveries import web_life  # noqa: E402

web_life.start()
