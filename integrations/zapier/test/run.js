"use strict";

/** Runs parts of the app as Zapier does: a line of JSON `{path, bundle}` in, a line `> {result}` or `> {error}` out. */

const readline = require("node:readline");
const zapier = require("zapier-platform-core");
const App = require("../index");

const run = zapier.createAppTester(App);
const partAt = (path) => path.split(".").reduce((part, name) => part[name], App);

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { path, bundle } = JSON.parse(line);
    let said;
    try {
      said = { result: (await run(partAt(path), bundle)) ?? null };
    } catch (error) {
      said = { error: { name: error.name, message: error.message } };
    }
    process.stdout.write(`> ${JSON.stringify(said)}\n`); // the tester itself prints, too
  }
})();
