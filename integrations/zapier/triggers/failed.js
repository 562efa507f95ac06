"use strict";

const { hook, deliveries } = require("../lib/hook");

module.exports = hook({
  key: "failed",
  noun: "Failure",
  label: "Message Failed",
  description: "Triggers when a push message can't be delivered to a browser.",
  kind: "failed",
  samples: deliveries({ state: "failed" }, () => true),
  sample: {
    id: "4711-2026-05-01T10:00:00.123Z",
    timestamp: "2026-05-01T10:00:00.123Z",
    messageId: 42,
    deliveryId: 4711,
    clientId: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1",
    state: "failed",
    reason: "payload_too_large",
    pushService: "fcm",
  },
});
