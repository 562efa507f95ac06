"""For those who must run under ASGI. The console itself is measured and run under WSGI (ADR 5)."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "signalize_console.settings")

application = get_asgi_application()
# Models can be imported from here on.
from signalize_console.deliveries import web_life  # noqa: E402

web_life.start()
