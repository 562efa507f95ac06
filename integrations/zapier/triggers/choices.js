"use strict";

/** What the dropdowns of other steps offer; nobody starts a Zap with them. */

const { ask } = require("../lib/console");

const choices = (key, noun, path, idOf) => ({
  key,
  noun,
  display: { label: `List of ${noun}s`, description: "Fills a dropdown.", hidden: true },
  operation: {
    canPaginate: true,
    perform: async (z, bundle) => {
      const cursor = bundle.meta.page ? await z.cursor.get() : undefined;
      if (bundle.meta.page && !cursor) return [];
      const { items, nextCursor } = await ask(z, path, { params: { limit: 100, ...(cursor && { cursor }) } });
      await z.cursor.set(nextCursor ?? "");
      return items.map((one) => ({ id: one[idOf], name: one.name }));
    },
    sample: { id: 1, name: "Order dispatched" },
  },
});

module.exports = [
  choices("template_choices", "Template", "/v3/templates", "templateId"),
  choices("segment_choices", "Segment", "/v3/segments", "segmentId"),
];
