import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import signalize_console.messaging.content
import signalize_console.websites.origins


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("websites", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "icon",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="Square PNG or JPEG, 192 to 256 pixels.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="icon",
                    ),
                ),
                (
                    "image",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="2:1, such as 1440 × 720. Shown by Chrome and Edge on Windows and Android.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="image",
                    ),
                ),
                (
                    "badge",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="96 × 96 pixels, one colour on transparent. Android only.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="badge",
                    ),
                ),
                (
                    "require_interaction",
                    models.BooleanField(
                        default=False,
                        help_text="On computers; phones ignore it.",
                        verbose_name="stays until closed",
                    ),
                ),
                ("silent", models.BooleanField(default=False, verbose_name="without sound")),
                (
                    "ttl",
                    models.PositiveIntegerField(
                        default=259200,
                        help_text="Seconds that a push service keeps the message for a browser that is switched off.",
                        validators=[
                            django.core.validators.MinValueValidator(60),
                            django.core.validators.MaxValueValidator(2419200),
                        ],
                        verbose_name="time to live",
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[
                            ("very-low", "very low (on power and Wi-Fi)"),
                            ("low", "low (on power or Wi-Fi)"),
                            ("normal", "normal"),
                            ("high", "high (at once, whatever the battery)"),
                        ],
                        default="normal",
                        max_length=8,
                        verbose_name="urgency",
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        blank=True,
                        help_text="A later message with the same topic replaces this one, waiting or shown.",
                        max_length=32,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9_-]{1,32}$", "Up to 32 letters, digits, - and _."
                            )
                        ],
                        verbose_name="topic",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="websites.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "template",
                "verbose_name_plural": "templates",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="PushMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "icon",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="Square PNG or JPEG, 192 to 256 pixels.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="icon",
                    ),
                ),
                (
                    "image",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="2:1, such as 1440 × 720. Shown by Chrome and Edge on Windows and Android.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="image",
                    ),
                ),
                (
                    "badge",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="96 × 96 pixels, one colour on transparent. Android only.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="badge",
                    ),
                ),
                (
                    "require_interaction",
                    models.BooleanField(
                        default=False,
                        help_text="On computers; phones ignore it.",
                        verbose_name="stays until closed",
                    ),
                ),
                ("silent", models.BooleanField(default=False, verbose_name="without sound")),
                (
                    "ttl",
                    models.PositiveIntegerField(
                        default=259200,
                        help_text="Seconds that a push service keeps the message for a browser that is switched off.",
                        validators=[
                            django.core.validators.MinValueValidator(60),
                            django.core.validators.MaxValueValidator(2419200),
                        ],
                        verbose_name="time to live",
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[
                            ("very-low", "very low (on power and Wi-Fi)"),
                            ("low", "low (on power or Wi-Fi)"),
                            ("normal", "normal"),
                            ("high", "high (at once, whatever the battery)"),
                        ],
                        default="normal",
                        max_length=8,
                        verbose_name="urgency",
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        blank=True,
                        help_text="A later message with the same topic replaces this one, waiting or shown.",
                        max_length=32,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9_-]{1,32}$", "Up to 32 letters, digits, - and _."
                            )
                        ],
                        verbose_name="topic",
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("recipients", "named recipients"), ("everyone", "everyone")],
                        default="everyone",
                        max_length=16,
                        verbose_name="audience",
                    ),
                ),
                (
                    "transactional",
                    models.BooleanField(
                        default=False,
                        help_text="Expected by its recipient: an order, an appointment, a delay. Never waits behind marketing.",
                        verbose_name="transactional",
                    ),
                ),
                ("scheduled_at", models.DateTimeField(blank=True, null=True, verbose_name="send at")),
                (
                    "valid_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Nothing is sent after this.",
                        null=True,
                        verbose_name="valid until",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("awaiting_approval", "awaiting approval"),
                            ("scheduled", "scheduled"),
                            ("expanding", "expanding"),
                            ("sending", "sending"),
                            ("paused", "paused"),
                            ("held", "held"),
                            ("finished", "finished"),
                            ("cancelled", "cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "sent_by",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="sent by"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("day", models.DateField(editable=False, null=True)),
                ("due_at", models.DateTimeField(editable=False, null=True)),
                ("expanded_to", models.BigIntegerField(default=0, editable=False)),
                ("expand_until", models.BigIntegerField(editable=False, null=True)),
                ("finished_at", models.DateTimeField(editable=False, null=True, verbose_name="finished")),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="websites.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "push message",
                "verbose_name_plural": "push messages",
                "ordering": ["-id"],
                "permissions": [("send_pushmessage", "Can send push messages")],
            },
        ),
        migrations.CreateModel(
            name="PushMessageText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "A language tag such as en, de or pt-BR."
                            )
                        ],
                        verbose_name="language",
                    ),
                ),
                ("standard", models.BooleanField(default=False, verbose_name="standard")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("message", models.TextField(blank=True, max_length=1000, verbose_name="message")),
                (
                    "link",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="The page that a click opens.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="link",
                    ),
                ),
                ("first_button", models.CharField(blank=True, max_length=50, verbose_name="first button")),
                (
                    "first_button_link",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="first button's link",
                    ),
                ),
                ("second_button", models.CharField(blank=True, max_length=50, verbose_name="second button")),
                (
                    "second_button_link",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="second button's link",
                    ),
                ),
                (
                    "push_message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="texts",
                        to="messaging.pushmessage",
                    ),
                ),
            ],
            options={
                "verbose_name": "text",
                "verbose_name_plural": "texts",
                "ordering": ["-standard", "language"],
            },
        ),
        migrations.CreateModel(
            name="TemplateText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "A language tag such as en, de or pt-BR."
                            )
                        ],
                        verbose_name="language",
                    ),
                ),
                ("standard", models.BooleanField(default=False, verbose_name="standard")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("message", models.TextField(blank=True, max_length=1000, verbose_name="message")),
                (
                    "link",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        help_text="The page that a click opens.",
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="link",
                    ),
                ),
                ("first_button", models.CharField(blank=True, max_length=50, verbose_name="first button")),
                (
                    "first_button_link",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="first button's link",
                    ),
                ),
                ("second_button", models.CharField(blank=True, max_length=50, verbose_name="second button")),
                (
                    "second_button_link",
                    signalize_console.messaging.content.Link(
                        blank=True,
                        max_length=2000,
                        validators=[signalize_console.websites.origins.validate_link],
                        verbose_name="second button's link",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="texts",
                        to="messaging.messagetemplate",
                    ),
                ),
            ],
            options={
                "verbose_name": "text",
                "verbose_name_plural": "texts",
                "ordering": ["-standard", "language"],
            },
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.UniqueConstraint(fields=("website", "name"), name="unique_template_of_website"),
        ),
        migrations.AddIndex(
            model_name="pushmessage",
            index=models.Index(
                condition=models.Q(("due_at", None), _negated=True),
                fields=["transactional", "due_at"],
                name="push_message_due",
            ),
        ),
        migrations.AddIndex(
            model_name="pushmessage",
            index=models.Index(fields=["website", "-id"], name="push_message_of_website"),
        ),
        migrations.AddConstraint(
            model_name="pushmessagetext",
            constraint=models.UniqueConstraint(
                fields=("push_message", "language"), name="one_text_a_language_of_push_message"
            ),
        ),
        migrations.AddConstraint(
            model_name="pushmessagetext",
            constraint=models.UniqueConstraint(
                condition=models.Q(("standard", True)),
                fields=("push_message",),
                name="one_standard_text_of_push_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="templatetext",
            constraint=models.UniqueConstraint(
                fields=("template", "language"), name="one_text_a_language_of_template"
            ),
        ),
        migrations.AddConstraint(
            model_name="templatetext",
            constraint=models.UniqueConstraint(
                condition=models.Q(("standard", True)),
                fields=("template",),
                name="one_standard_text_of_template",
            ),
        ),
    ]
