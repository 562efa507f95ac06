"use strict";

const { ask, given } = require("../lib/console");

const perform = async (z, bundle) => {
  const { clientId, customerId, language, timeZone, attributes, interests } = bundle.inputData;
  const wanted = interests?.length ? interests : undefined;
  const known = Object.keys(attributes ?? {}).length ? attributes : undefined;
  const body = given({ customerId, language, timeZone, attributes: known, interests: wanted });
  const said = await ask(z, bundle, `/v3/recipients/${encodeURIComponent(clientId)}`, { method: "PATCH", body });
  return { ...said, id: said.clientId };
};

module.exports = {
  key: "update_recipient",
  noun: "Recipient",
  display: { label: "Update a Recipient", description: "Stores what you know of a visitor; makes the recipient if it is new." },
  operation: {
    perform,
    inputFields: [
      { key: "clientId", label: "Recipient id", type: "string", required: true },
      { key: "customerId", label: "Customer id", type: "string" },
      { key: "language", label: "Language", type: "string", placeholder: "de" },
      { key: "timeZone", label: "Time zone", type: "string", placeholder: "Europe/Berlin" },
      { key: "attributes", label: "Attributes", dict: true },
      { key: "interests", label: "Interests", list: true, type: "string", helpText: "Replaces those that are stored." },
    ],
    sample: { id: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1", clientId: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1", customerId: "K-4711" },
  },
};
