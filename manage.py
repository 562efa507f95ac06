#!/usr/bin/env python3
"""Django's command line for the console. ``python manage.py help`` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "signalize_console.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("This Python has no Django. `make run` installs what is needed and starts the console.")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"The settings don't fit: {error}")


if __name__ == "__main__":
    main()
