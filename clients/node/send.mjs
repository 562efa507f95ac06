// Sends one push message from Node 18 or newer, and repeats safely: node send.mjs CUSTOMER-ID KEY TITLE

const { SIGNALIZE_SERVER: server, SIGNALIZE_API_KEY: apiKey } = process.env;
const [customerId, key, title] = process.argv.slice(2);

async function send(body, idempotencyKey, tries = 6) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(`${server}/v3/subscriptions/pushmessages`, {
      method: "POST",
      headers: { "X-API-Key": apiKey, "Content-Type": "application/json", "Idempotency-Key": idempotencyKey },
      body: JSON.stringify(body),
      redirect: "manual", // the key goes nowhere else
      signal: AbortSignal.timeout(10_000),
    }).catch((error) => ({ status: 0, error }));
    if (answer.status === 201) return answer.json();
    const mayRepeat = answer.status === 0 || answer.status === 409 || answer.status === 429 || answer.status >= 500;
    if (!mayRepeat || attempt + 1 >= tries) throw answer.error ?? new Error(`${answer.status}: ${await answer.text()}`);
    const wait = Number(answer.headers?.get("Retry-After") ?? 0) || Math.random() * 0.5 * 2 ** attempt;
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
}

const text = { language: "en", title, link: "https://shop.example.com/" };
const said = await send({ recipients: [{ customerId }], webPush: { webPushMessageTexts: [text] } }, key);
console.log(said.messageId);
