"use strict";

/** What the dropdowns of other steps offer; nobody starts a Zap with them. */

const { ask } = require("../lib/console");

const MOST = 2_000;

const choices = (key, noun, path, idOf) => ({
  key,
  noun,
  display: { label: `List of ${noun}s`, description: "Fills a dropdown.", hidden: true },
  operation: {
    perform: async (z, bundle) => {
      const found = [];
      let cursor;
      do {
        const page = await ask(z, bundle, path, { params: { limit: 200, ...(cursor && { cursor }) } });
        found.push(...page.items.map((one) => ({ id: one[idOf], name: one.name })));
        cursor = page.nextCursor;
      } while (cursor && found.length < MOST);
      return found;
    },
    sample: { id: 1, name: "Order dispatched" },
  },
});

module.exports = [
  choices("template_choices", "Template", "/v3/templates", "templateId"),
  choices("segment_choices", "Segment", "/v3/segments", "segmentId"),
];
