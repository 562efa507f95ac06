"use strict";

const { ask, onceFor } = require("../lib/console");
const { what, happened, content } = require("../lib/fields");

const perform = async (z, bundle) => {
  const body = { segmentId: bundle.inputData.segmentId, ...content(z, bundle.inputData) };
  const headers = { "Idempotency-Key": onceFor(z, bundle, "send_to_segment") };
  const said = await ask(z, bundle, "/v3/pushmessages", { method: "POST", body, headers });
  return { id: said.messageId };
};

module.exports = {
  key: "send_to_segment",
  noun: "Push message",
  display: {
    label: "Send a Push Message to a Segment",
    description: "Sends to everyone who is in a segment now.",
  },
  operation: {
    perform,
    inputFields: [
      { key: "segmentId", label: "Segment", type: "integer", required: true, dynamic: "segment_choices.id.name" },
      ...what,
      happened,
    ],
    sample: { id: 43 },
    outputFields: [{ key: "id", label: "Message ID", type: "integer" }],
  },
};
