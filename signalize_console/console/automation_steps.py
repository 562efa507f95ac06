"""What one does with an automation beside editing it: take a ready one, switch, rehearse, try, decide."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from signalize_console.audiences.counting import TooSlow
from signalize_console.audiences.tree import BadSegment
from signalize_console.automations import rehearsing, rules
from signalize_console.automations.conditions import definition_of
from signalize_console.automations.models import Rule, RuleVersion
from signalize_console.automations.recipes import RECIPES, use
from signalize_console.console.access import own_websites

LARGEST_SAMPLE = 10_000


class RuleViews(ModelAdmin):
    """Views of RuleAdmin beyond Django's own. Each change is a POST by somebody who may."""

    def may_send(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.send_pushmessage")

    def recipes_view(self, request: HttpRequest) -> HttpResponse:
        """The library; a POST makes one of them a rule of the website."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        websites = list(own_websites(request.user)[:200])
        if request.method == "POST":
            recipe = RECIPES.get(request.POST.get("recipe", ""))
            chosen = request.POST.get("website", "")
            website = next((one for one in websites if str(one.pk) == chosen), None)
            if recipe and website:
                rule = use(recipe, website, request.user)
                messages.success(
                    request, _("It is ready, and off. Read its texts, try it, and switch it on.")
                )
                return self._back_to(rule)
            messages.error(request, _("Choose a website and one of the automations."))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Ready automations"),
            "recipes": RECIPES,
            "websites": websites,
        }
        return TemplateResponse(request, "console/automation_recipes.html", context)

    def switch_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        rule = self._rule(request, rule_id)
        if rule.version is None:
            messages.error(request, _("Say first what it does, and save."))
            return self._back_to(rule)
        rule.switch(on="on" in request.POST)
        on = _("On: it works from now on, for what happens from now on.")
        off = _("Off: nothing new begins, and what waits ends when its time comes.")
        messages.success(request, on if rule.is_on else off)
        return self._back_to(rule)

    def held_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """What came too late: sent after all, or dropped."""
        rule = self._rule(request, rule_id)
        count = rules.release(rule) if "release" in request.POST else rules.drop(rule)
        said = ngettext("%d held run was decided.", "%d held runs were decided.", count)
        messages.success(request, said % count)
        return self._back_to(rule)

    def take_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """An older version is what it does again, as its newest."""
        rule = self._rule(request, rule_id)
        number = request.POST.get("version", "")
        version = get_object_or_404(RuleVersion, rule=rule, number=int(number) if number.isdigit() else 0)
        try:
            rules.save(rule, version.definition, request.user)
        except BadSegment as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Version %d is used again, as the newest.") % version.number)
        return self._back_to(rule)

    def rehearse_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        rule = self._rule(request, rule_id, sends=False)
        try:
            count = rehearsing.last_week(rule.website, definition_of(self._version(rule)), rule.reentry)
        except (rehearsing.CannotRehearse, BadSegment, TooSlow) as error:
            messages.warning(request, str(error))
        else:
            said = ngettext(
                "In the last 7 days it would have begun for %d recipient. Nothing was sent.",
                "In the last 7 days it would have begun %d times. Nothing was sent.",
                count,
            )
            messages.info(request, said % count)
        return self._back_to(rule)

    def sample_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        rule = self._rule(request, rule_id, sends=False)
        try:
            sample = rehearsing.Sample(
                _object(request, "properties"),
                _object(request, "attributes"),
                request.POST.get("language", ""),
            )
        except ValueError as error:
            messages.error(request, str(error))
            return self._back_to(rule)
        triggers, shown = rehearsing.with_sample(rule.website, definition_of(self._version(rule)), sample)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": rule,
            "title": _("A try of “%s”") % rule,
            "triggers": triggers,
            "shown": shown,
        }
        return TemplateResponse(request, "console/automation_sample.html", context)

    def _rule(self, request: HttpRequest, rule_id: int, *, sends: bool = True) -> Rule:
        rule: Rule = get_object_or_404(
            self.get_queryset(request).select_related("website", "version"), pk=rule_id
        )
        allowed = self.has_change_permission(request, rule) and (not sends or self.may_send(request))
        if not allowed:
            raise PermissionDenied
        if request.method != "POST":
            raise PermissionDenied(_("Use the button on the automation's page."))
        return rule

    @staticmethod
    def _version(rule: Rule) -> RuleVersion:
        if rule.version is None:
            raise PermissionDenied(_("Say first what it does, and save."))
        return rule.version

    def _back_to(self, rule: Rule) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:automations_rule_change", args=[rule.pk]))


def _object(request: HttpRequest, name: str) -> dict[str, Any]:
    """A JSON object of the form; raises ValueError in words."""
    said = request.POST.get(name, "").strip() or "{}"
    try:
        found = json.loads(said) if len(said) <= LARGEST_SAMPLE else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(_('Give values as a JSON object, such as {"product": {"name": "Tulip"}}.'))
    return found
