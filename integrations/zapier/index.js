"use strict";

const { version } = require("./package.json");
const { version: platformVersion } = require("zapier-platform-core");
const authentication = require("./authentication");
const { addKey, checkAnswer } = require("./lib/console");

const byKey = (...parts) => Object.fromEntries(parts.map((part) => [part.key, part]));

module.exports = {
  version,
  platformVersion,
  authentication,
  flags: { throwForThrottlingEarly: false }, // the console says it in better words
  beforeRequest: [addKey],
  afterResponse: [checkAnswer],
  triggers: byKey(
    require("./triggers/subscribed"),
    require("./triggers/unsubscribed"),
    require("./triggers/clicked"),
    require("./triggers/failed"),
    ...require("./triggers/choices"),
  ),
  searches: byKey(require("./searches/find_recipient")),
  creates: byKey(
    require("./creates/send_to_recipient"),
    require("./creates/send_to_segment"),
    require("./creates/update_recipient"),
    require("./creates/track_event"),
  ),
};
