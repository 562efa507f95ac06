"""Staff: their roles, the websites that they are limited to, their sessions and second factor."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, override

from signalize_console.console import audit, logins, second_factor
from signalize_console.console.access import PerWebsite
from signalize_console.console.badges import badge
from signalize_console.console.models import WebsiteLimit
from signalize_console.console.roles import Role
from signalize_console.websites.models import Website

admin.site.unregister([User, Group])

RIGHTS = {"groups", "everywhere", "websites", "is_staff", "is_active", "is_superuser"}


def role_name(group: Any) -> str:
    """In the reader's language, where it is a role that comes along."""
    return str(Role(group.name).label) if group.name in Role.values else str(group.name)


class ByRole(admin.SimpleListFilter):
    title = _("roles")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(group.pk), role_name(group)) for group in Group.objects.order_by("name")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value() or ""
        return queryset.filter(groups=int(value)) if re.fullmatch(r"[0-9]{1,9}", value) else queryset


class Roles(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return role_name(obj)


class StaffForm(UserChangeForm):
    groups = Roles(
        label=_("Roles"),
        queryset=Group.objects.order_by("name"),
        required=False,
        help_text=_("Without a role, somebody may do nothing."),
    )
    everywhere = forms.BooleanField(
        label=_("All websites"), required=False, help_text=_("Also those that are yet to come.")
    )
    websites = forms.ModelMultipleChoiceField(
        label=_("Only these websites"),
        queryset=Website.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if limit := WebsiteLimit.objects.filter(user=self.instance).first():
            self.initial["websites"] = list(limit.websites.all())
        self.initial["everywhere"] = limit is None

    def limit(self) -> None:
        """Puts the limit as the form says."""
        if self.cleaned_data["everywhere"]:
            WebsiteLimit.objects.filter(user=self.instance).delete()
        else:
            limit, _created = WebsiteLimit.objects.get_or_create(user=self.instance)
            limit.websites.set(self.cleaned_data["websites"])


@admin.register(User)
class StaffAdmin(PerWebsite, UserAdmin):
    website_path = ""
    form = StaffForm
    list_display = ("username", "roles", "is_active", "factor", "last_login")
    list_filter = ("is_active", ByRole)
    filter_horizontal = ()
    fieldsets: ClassVar[Any] = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"], "classes": ["collapse"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "groups", "everywhere", "websites"]}),
    ]
    actions = ["end_sessions", "remove_second_factor"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups", "totpdevice_set")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        above = [(_("Above all roles"), {"fields": ["is_superuser"]})] if request.user.is_superuser else []
        return [*super().get_fieldsets(request, obj), *(above if obj else [])]

    def is_own(self, request: HttpRequest, obj: Any, *, to_look: bool = False) -> bool:
        """Nobody but a superuser touches a superuser."""
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().is_own(request, obj, to_look=to_look) and (to_look or not is_above)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who is new may do nothing yet, nowhere."""
        obj.is_staff = obj.is_staff or not change
        super().save_model(request, obj, form, change)
        if not change:
            WebsiteLimit.objects.create(user=obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if isinstance(form, StaffForm):
            form.limit()
            if RIGHTS & {*form.changed_data}:
                with override("en"):
                    rights = f"{self.roles(form.instance)}; {self.websites(form.instance)}"
                audit.record(request.user, "rights", "auth.user", form.instance.pk, detail=rights)

    @admin.action(description=_("Log the selected users out everywhere"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        count = sum(logins.end_sessions(user) for user in self._touchable(request, users))
        text = ngettext("%(count)d session has ended.", "%(count)d sessions have ended.", count)
        messages.success(request, text % {"count": count})

    @admin.action(description=_("Take the second factor off (a phone is lost)"), permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in self._touchable(request, users):
            second_factor.remove(user)
            logins.end_sessions(user)
        messages.success(request, _("Off. They set it up anew at their next login, where it is required."))

    def _touchable(self, request: HttpRequest, users: QuerySet[User]) -> list[User]:
        return [user for user in users[:100] if self.has_change_permission(request, user)]

    @admin.display(description=_("All websites"), boolean=True)
    def everywhere(self, user: User) -> bool:
        return not WebsiteLimit.objects.filter(user=user).exists()

    @admin.display(description=_("websites"))
    def websites(self, user: User) -> str:
        """As a reader sees it, who may not change it."""
        if limit := WebsiteLimit.objects.filter(user=user).first():
            return ", ".join(website.name for website in limit.websites.all()) or str(_("none"))
        return str(_("all websites"))

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        names = [role_name(group) for group in user.groups.all()]
        return ", ".join([*([str(_("Superuser"))] if user.is_superuser else []), *names]) or "–"

    @admin.display(description=_("second factor"))
    def factor(self, user: Any) -> SafeString:
        has = any(device.confirmed for device in user.totpdevice_set.all())
        return badge("active", _("on")) if has else badge("off", _("off"))


@admin.register(Group)
class RoleAdmin(PerWebsite, GroupAdmin):
    """The roles that come along are put right at each update; one's own are one's own."""

    website_path = ""

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("permissions__content_type")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.name in Role.values)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.name in Role.values)
