"use strict";

const { ask } = require("./lib/console");

/** The key works, and this is the website that it acts for. */
const test = async (z, bundle) => (await ask(z, bundle, "/v3/websites")).items[0];

module.exports = {
  type: "custom",
  test,
  connectionLabel: "{{name}}",
  fields: [
    {
      key: "server",
      label: "Address of your console",
      type: "string",
      required: true,
      placeholder: "https://push.example.com",
      helpText: "Where your Signalize Console answers, as in your browser when you are logged in.",
    },
    {
      key: "apiKey",
      label: "API key",
      type: "password",
      required: true,
      helpText:
        "Make one in the console under **API keys**, with the scopes for messages, recipients, templates, segments, webhooks and websites.",
    },
  ],
};
