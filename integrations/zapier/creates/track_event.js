"use strict";

const { ask } = require("../lib/console");
const { who, reference } = require("../lib/fields");

const perform = async (z, bundle) => {
  const { name, properties } = bundle.inputData;
  const { clientId, customerId } = reference(z, bundle.inputData);
  const whose = clientId ? `recipients/${encodeURIComponent(clientId)}` : `customers/${encodeURIComponent(customerId)}`;
  const body = { events: [{ name, properties: properties ?? {} }] };
  return ask(z, bundle, `/v3/${whose}/events`, { method: "POST", body });
};

module.exports = {
  key: "track_event",
  noun: "Event",
  display: { label: "Track an Event", description: "Reports that something happened; segments and automations see it." },
  operation: {
    perform,
    inputFields: [
      ...who,
      { key: "name", label: "Event", type: "string", required: true, placeholder: "order" },
      { key: "properties", label: "Properties", dict: true },
    ],
    sample: { recorded: 1 },
  },
};
