"use strict";

const { ask } = require("../lib/console");
const { who, reference } = require("../lib/fields");

const perform = async (z, bundle) => {
  const { clientId, customerId } = reference(z, bundle.inputData);
  if (customerId) {
    const { items } = await ask(z, bundle, "/v3/recipients", { params: { customerId } });
    return items.map((one) => ({ ...one, id: one.clientId }));
  }
  const found = await ask(z, bundle, `/v3/recipients/${encodeURIComponent(clientId)}`, { mayMiss: true });
  return found ? [{ ...found, id: found.clientId }] : [];
};

module.exports = {
  key: "find_recipient",
  noun: "Recipient",
  display: { label: "Find a Recipient", description: "Finds a visitor by recipient id, or a customer's browsers." },
  operation: {
    perform,
    inputFields: who,
    sample: { id: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1", clientId: "108bf9a8e3f34c6e8e7d5a1b2c3dedb1", customerId: "K-4711" },
  },
};
