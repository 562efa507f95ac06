"use strict";

/** Fields that several actions share, and what becomes of them. */

const { given } = require("./console");

const who = [
  {
    key: "clientId",
    label: "Recipient id",
    type: "string",
    helpText: "The 32 digits that `et_signalize.getClientId()` gives on your pages. Give this, or a customer id.",
  },
  { key: "customerId", label: "Customer id", type: "string", helpText: "Your own id of the person, in all of their browsers." },
];

const what = [
  {
    key: "templateId",
    label: "Template",
    type: "integer",
    dynamic: "template_choices.id.name",
    helpText: "Its content is sent. Leave it empty to write a text here.",
  },
  { key: "title", label: "Title", type: "string", helpText: "About 50 characters are shown. Needed without a template." },
  { key: "message", label: "Message", type: "text" },
  { key: "link", label: "Link", type: "string", helpText: "The https page that a click opens; else your website." },
  { key: "language", label: "Language of the text", type: "string", default: "en" },
  { key: "data", label: "Values for placeholders", dict: true, helpText: "For each `{{ name }}` in the text its value." },
];

const happened = {
  key: "happened",
  label: "What happened",
  type: "string",
  required: true,
  helpText:
    "Something that is unique for what started this Zap, such as the order's number or the trigger's ID. However often Zapier repeats this step for it, **one** message is sent.",
};

/** @returns `{clientId}` or `{customerId}` */
const reference = (z, { clientId, customerId }) => {
  if (Boolean(clientId) === Boolean(customerId)) {
    throw new z.errors.Error("Give either a recipient id or a customer id.", "recipient_missing", 400);
  }
  return given({ clientId, customerId });
};

const content = (z, { templateId, title, message, link, language, data }) => {
  if (Boolean(templateId) === Boolean(title)) {
    throw new z.errors.Error("Choose a template, or write a title.", "content_missing", 400);
  }
  const text = given({ language: language || "en", standard: true, title, message, link });
  const said = templateId ? { templateId } : { webPush: { webPushMessageTexts: [text] } };
  return given({ ...said, data: data && Object.keys(data).length ? data : undefined });
};

module.exports = { who, what, happened, reference, content };
