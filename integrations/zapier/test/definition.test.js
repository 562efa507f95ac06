"use strict";

/** The definition is one that Zapier takes. */

const assert = require("node:assert/strict");
const { test } = require("node:test");
const schema = require("zapier-platform-schema");
const App = require("../index");

test("the app validates with Zapier's own schema", () => {
  const { errors } = schema.validateAppDefinition(JSON.parse(JSON.stringify(App, (_name, part) => (typeof part === "function" ? "$func$0$f$" : part))));
  assert.deepEqual(errors.map((error) => error.stack), []);
});

test("a broken definition does not", () => {
  const broken = { version: App.version, platformVersion: App.platformVersion, creates: { x: { key: "x", display: { label: "X", description: "Does x." } } } };
  assert.notEqual(schema.validateAppDefinition(broken).errors.length, 0);
});

test("each part stands under its own key", () => {
  for (const parts of [App.triggers, App.searches, App.creates]) {
    for (const [key, part] of Object.entries(parts)) assert.equal(part.key, key);
  }
});
