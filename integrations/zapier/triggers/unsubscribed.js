"use strict";

const { hook, recipients } = require("../lib/hook");

module.exports = hook({
  key: "unsubscribed",
  noun: "Visitor",
  label: "Visitor Unsubscribed",
  description: "Triggers when a visitor opts out.",
  kind: "unsubscribed",
  samples: recipients("false"),
  sample: {
    id: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1-2026-05-01T10:00:00.123Z",
    timestamp: "2026-05-01T10:00:00.123Z",
    clientId: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1",
    customerId: "K-4711",
    pushService: "fcm",
  },
});
