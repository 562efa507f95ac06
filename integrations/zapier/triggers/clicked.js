"use strict";

const { hook, deliveries } = require("../lib/hook");

module.exports = hook({
  key: "clicked",
  noun: "Click",
  label: "Message Clicked",
  description: "Triggers when somebody clicks a push message.",
  kind: "clicked",
  samples: deliveries({}, (one) => one.clicked),
  sample: {
    id: "4711-2026-05-01T10:00:00.123Z",
    timestamp: "2026-05-01T10:00:00.123Z",
    messageId: 42,
    deliveryId: 4711,
    clientId: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1",
    customerId: "K-4711",
  },
});
