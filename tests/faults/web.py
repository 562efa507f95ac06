"""``granian tests.faults.web:application``: the console's web process, which can be told where to die."""

from signalize_console.wsgi import application
from tests.faults import crashing

__all__ = ["application"]

crashing.install_in_web()
