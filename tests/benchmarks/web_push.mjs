// Node's web-push with keep-alive and 100 requests at once. Reads its job as JSON from standard input.
import https from "node:https";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(0, "utf8"));
const webPush = createRequire(job.modules)("web-push");
webPush.setVapidDetails("mailto:web@example.com", job.publicKey, job.privateKey);

const agent = new https.Agent({ keepAlive: true, maxSockets: 100 });
const options = { agent, TTL: 3600, urgency: "normal" };
let next = 0;

async function sender() {
  while (next < job.subscriptions.length) {
    const answer = await webPush.sendNotification(job.subscriptions[next++], job.payload, options);
    if (answer.statusCode !== 201) throw new Error(`status ${answer.statusCode}`);
  }
}

const started = process.hrtime.bigint();
await Promise.all(Array.from({ length: 100 }, sender));
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
const cpu = process.cpuUsage();
console.log(JSON.stringify({ seconds, cpu: (cpu.user + cpu.system) / 1e6 }));
agent.destroy();
