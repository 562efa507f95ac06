from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    name = "signalize_console.deliveries"
    label = "deliveries"

    def ready(self) -> None:
        from signalize_console.audiences.fields import FIELDS, Field, counted_messages  # noqa: PLC0415 - needs the models
        from signalize_console.audiences.operators import TIME  # noqa: PLC0415
        from signalize_console.deliveries import audience  # noqa: PLC0415

        FIELDS["messageAccepted"] = counted_messages(audience.accepted)
        FIELDS["lastMessage"] = Field(audience.last_message, TIME)
