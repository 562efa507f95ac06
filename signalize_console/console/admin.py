"""Django's admin looks here for what to register: one module per noun."""

from signalize_console.console import (  # noqa: F401 - importing registers
    alerts,
    apikeys,
    auditlog,
    automations,
    deliveries,
    events,
    imports,
    lists,
    media,
    operations,
    opt_in,
    pushmessages,
    recipients,
    segments,
    templates,
    users,
    webhooks,
    websites,
)
