"""Members of the staff, logged in."""

from django.contrib.auth.models import Permission, User
from django.test import Client


def log_in(*permissions: str, name: str = "", superuser: bool = False) -> Client:
    """Anna, or another where she is there already; with these permissions."""
    taken = User.objects.filter(username="anna").exists()
    name = name or (f"user-{User.objects.count()}" if taken else "anna")
    user = User.objects.create_user(name, password="x", is_staff=True, is_superuser=superuser)
    user.user_permissions.set([Permission.objects.get(codename=one) for one in permissions])
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client
