"""Automations in the console: the sentence and its flow, versions, health, and runs."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.models import Segment
from signalize_console.automations import comparing, describing, rules, statistics
from signalize_console.automations.conditions import definition_of
from signalize_console.automations.definition import BadRule, Definition
from signalize_console.automations.models import Rule, Run, RunState
from signalize_console.console.access import PerWebsite, own_websites
from signalize_console.console.automation_steps import RuleViews
from signalize_console.console.automation_words import WORDS
from signalize_console.console.badges import badge
from signalize_console.console.paging import ReadOnly
from signalize_console.console.reasons import in_words
from signalize_console.messaging.models import MessageTemplate


class RuleForm(forms.ModelForm):
    definition = forms.JSONField(
        label=_("What it does"),
        widget=forms.Textarea(attrs={"rows": 16, "cols": 80, "spellcheck": "false"}),
        help_text=_("As JSON. docs/automations.md has all that can be said."),
    )

    class Meta:
        model = Rule
        fields: ClassVar[Any] = ["website", "name", "definition", "reentry", "priority", "late_after"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.version and "definition" in self.fields:
            self.initial["definition"] = self.instance.version.definition

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        website = self.instance.website if self.instance.pk else cleaned.get("website")
        if website and cleaned.get("definition") is not None:
            try:
                rules.check(website.pk, cleaned["definition"])
            except BadRule as error:
                self.add_error("definition", [ValidationError(str(one)) for one in error.problems])
        return cleaned


class ByState(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "on"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("on")), ("no", _("off"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(is_on=self.value() == "yes") if self.value() else queryset


@admin.register(Rule)
class RuleAdmin(RuleViews, PerWebsite):
    when_empty = _("An automation answers by itself what visitors do. Ready ones need two minutes.")
    form = RuleForm
    list_display = ["name", "status", "what", "website", "priority"]
    list_filter = ["website", ByState]
    list_select_related = ["website", "version"]
    search_fields = ["name"]
    change_form_template = "console/automation.html"
    change_list_template = "console/automations.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        names = ["switch", "rehearse", "sample", "held", "take"]
        return [
            path("recipes/", view(self.recipes_view), name="automations_rule_recipes"),
            *(
                path(
                    f"<int:rule_id>/{name}/",
                    view(getattr(self, f"{name}_view")),
                    name=f"automations_rule_{name}",
                )
                for name in names
            ),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        return ["website"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        """What is on sends what it says: only who may send changes it."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_on or self.may_send(request))

    def has_delete_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        """What has run stays: it says why somebody was sent something. It can be switched off."""
        if obj is None or not super().has_delete_permission(request, obj):
            return False
        return not Run.objects.filter(rule=obj).exists()

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        rules.save(obj, form.cleaned_data["definition"], request.user)

    def response_add(self, request: HttpRequest, obj: Rule, post_url_continue: str | None = None) -> Any:
        return self.response_change(request, obj)

    def response_change(self, request: HttpRequest, obj: Rule) -> HttpResponse:
        """One stays here: the next thing is to look at its flow, and to try it."""
        said = _("Saved. It works like this from now on.") if obj.is_on else _("Saved. It is off.")
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:automations_rule_change", args=[obj.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        rule: Rule | None = kwargs.get("obj")
        own = own_websites(request.user).values_list("pk", flat=True)
        websites = [rule.website_id] if rule else list(own[:100])
        named = {"website__in": websites}
        context["editor"] = {
            "words": {name: str(word) for name, word in WORDS.items()},
            "templates": list(MessageTemplate.objects.filter(**named).values("id", "name", "website")[:500]),
            "segments": list(Segment.objects.filter(**named).values("id", "name", "website")[:500]),
        }
        # One stays on the page anyway.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if rule and rule.version:
            context |= self.shown(request, rule)
        return super().render_change_form(request, context, *args, **kwargs)

    def shown(self, request: HttpRequest, rule: Rule) -> dict[str, Any]:
        """What the page has beside the form."""
        version = rule.version
        if version is None:
            return {}
        figures = statistics.of_steps(version)
        tried = comparing.tried([version]).get(version.pk, {})
        winners = dict(version.winners.values_list("step", "variant"))
        counted = statistics.of_runs(rule)
        runs = [(badge(state, RunState(state).label), in_words(why), count) for state, why, count in counted]
        return {
            "flow": [
                (box, figures.get(step), tried.get(step), winners.get(step))
                for box in self.boxes(rule)
                for step in [-1 if box.step is None else box.step]
            ],
            "versions": rule.versions.select_related("made_by")[:20],
            "runs": runs,
            "held": any(state == RunState.HELD for state, _why, _count in counted),
            "may_send": self.may_send(request),
        }

    def boxes(self, rule: Rule) -> list[describing.Box]:
        definition = self._definition(rule)
        if definition is None:
            return []
        return describing.boxes(definition, describing.names_in([definition]))

    @staticmethod
    def _definition(rule: Rule) -> Definition | None:
        try:
            return definition_of(rule.version) if rule.version else None
        except BadRule:
            return None

    @admin.display(description=_("state"), ordering="is_on")
    def status(self, rule: Rule) -> SafeString:
        if rule.trouble:
            return badge("failed", _("trouble"))
        return badge("active", _("on")) if rule.is_on else badge("off", _("off"))

    @admin.display(description=_("when"))
    def what(self, rule: Rule) -> str:
        definition = self._definition(rule)
        return describing.happening(definition.when) if definition else "–"


@admin.register(Run)
class RunAdmin(ReadOnly):
    when_empty = _("Each time an automation starts for somebody, that stands here.")
    website_path = "rule__website"
    list_display = ["triggered_at", "rule", "status", "due_at", "reason", "who"]
    list_filter = ["state", "rule"]
    list_select_related = ["rule", "recipient"]
    search_fields = ["=recipient__client_id", "=recipient__customer_id"]
    search_help_text = _("A whole recipient id or customer id")
    fields: ClassVar[Any] = [
        *("rule", "version", "recipient", "trigger", "triggered_at", "status", "reason", "step"),
        *("due_at", "moved_at", "ended_at", "facts"),
    ]

    @admin.display(description=_("state"), ordering="state")
    def status(self, run: Run) -> SafeString:
        return badge(run.state, run.get_state_display())

    @admin.display(description=_("recipient"))
    def who(self, run: Run) -> str:
        return Truncator(run.recipient.client_id).chars(13)

    @admin.display(description=_("why"))
    def reason(self, run: Run) -> str:
        return in_words(run.why)
