"use strict";

const { ask, onceFor } = require("../lib/console");
const { who, what, happened, reference, content } = require("../lib/fields");

const perform = async (z, bundle) => {
  const body = { recipients: [reference(z, bundle.inputData)], ...content(z, bundle.inputData) };
  const headers = { "Idempotency-Key": onceFor(z, bundle, "send_to_recipient") };
  const said = await ask(z, bundle, "/v3/subscriptions/pushmessages", { method: "POST", body, headers });
  return { id: said.messageId, deliveries: said.deliveries };
};

module.exports = {
  key: "send_to_recipient",
  noun: "Push message",
  display: {
    label: "Send a Push Message to a Recipient",
    description: "Sends to one visitor, or to all browsers of one customer.",
  },
  operation: {
    perform,
    inputFields: [...who, ...what, happened],
    sample: { id: 42, deliveries: 1 },
    outputFields: [
      { key: "id", label: "Message ID", type: "integer" },
      { key: "deliveries", label: "Browsers it goes to", type: "integer" },
    ],
  },
};
