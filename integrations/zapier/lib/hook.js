"use strict";

/** A trigger that the console's webhooks start. `samples` asks the API for what such an event looks like. */

const { ask } = require("./console");

const hook = ({ key, noun, label, description, kind, samples, sample }) => ({
  key,
  noun,
  display: { label, description },
  operation: {
    type: "hook",
    performSubscribe: async (z, bundle) => {
      const made = await ask(z, bundle, "/v3/webhooks", { method: "POST", body: { url: bundle.targetUrl, kinds: [kind] } });
      return { id: String(made.webhookId) };
    },
    performUnsubscribe: async (z, bundle) => {
      await ask(z, bundle, `/v3/webhooks/${encodeURIComponent(bundle.subscribeData.id)}`, { method: "DELETE" });
      return {};
    },
    perform: (z, bundle) => {
      const { type, timestamp, data } = bundle.cleanedRequest;
      return type === kind ? [{ id: idOf(data, timestamp), timestamp, ...data }] : [];
    },
    performList: samples,
    sample,
  },
});

/** The same for the same event, however often it is told. */
const idOf = (data, timestamp) => [data.deliveryId ?? data.clientId, timestamp].join("-");

const time = (milliseconds) => new Date(milliseconds).toISOString();

/** The latest recipients who are subscribed, or are not. */
const recipients = (subscribed) => async (z, bundle) => {
  const { items } = await ask(z, bundle, "/v3/recipients", { params: { subscribed, limit: 3 } });
  return items.map((one) => ({
    id: one.clientId,
    timestamp: time(one.lastSeenAt),
    clientId: one.clientId,
    customerId: one.customerId,
  }));
};

/** Deliveries of the latest messages, as far as `isWanted` says. */
const deliveries = (params, isWanted) => async (z, bundle) => {
  const { items: messages } = await ask(z, bundle, "/v3/pushmessages", { params: { limit: 5 } });
  for (const { messageId } of messages) {
    const { items } = await ask(z, bundle, `/v3/pushmessages/${messageId}/deliveries`, { params: { limit: 50, ...params } });
    const found = items.filter(isWanted).slice(0, 3);
    if (found.length) return found.map((one) => ({ id: `sample-${one.deliveryId}`, messageId, ...one }));
  }
  return [];
};

module.exports = { hook, recipients, deliveries };
