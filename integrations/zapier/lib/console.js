"use strict";

/** The console's API, with its errors told as Zapier wants them. */

const serverOf = (bundle) => bundle.authData.server.trim().replace(/\/+$/, "");

const SAFE = /^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/;

/** The key goes to the user's own console, and nowhere else: not by plain http, and not after a redirect. */
const addKey = (request, z, bundle) => {
  const server = serverOf(bundle);
  if (!request.url.startsWith(`${server}/`)) return request;
  if (!SAFE.test(server)) throw new z.errors.Error("The address of your console must begin with https://.", "address", 400);
  return { ...request, redirect: "manual", headers: { ...request.headers, "X-API-Key": bundle.authData.apiKey } };
};

/** What the console refuses is told in its own words, with the remedy. */
const checkAnswer = (response, z) => {
  if (response.status >= 300 && response.status < 400) {
    const words = `The console answers at another address: ${response.getHeader("location")}. Connect anew with that one.`;
    throw new z.errors.Error(words, "address", response.status);
  }
  const isMissing = response.status === 404 && response.request.skipThrowForStatus;
  if (response.status < 400 || isMissing) return response;
  const { message, errorCode } = bodyOf(response);
  const words = message || `The console answered ${response.status}. Is its address right?`;
  if (response.status === 401) throw new z.errors.ExpiredAuthError(words);
  if (response.status === 429 || response.status === 503 || errorCode === "idempotency_key_in_flight") {
    throw new z.errors.ThrottledError(words, Number(response.getHeader("retry-after")) || 60);
  }
  // Not the Zap's fault: this person can't be reached, and no repeat changes that.
  if (errorCode === "nobody_reachable") throw new z.errors.HaltedError(words);
  throw new z.errors.Error(words, errorCode, response.status);
};

const bodyOf = (response) => {
  try {
    return JSON.parse(response.content) ?? {};
  } catch {
    return {};
  }
};

/** @returns what the console says, as JSON; `null` where `mayMiss` and there is no such thing. */
const ask = async (z, bundle, path, { mayMiss = false, ...options } = {}) => {
  const response = await z.request({ url: serverOf(bundle) + path, skipThrowForStatus: mayMiss, ...options });
  return mayMiss && response.status === 404 ? null : response.data;
};

/** One key for what happened, in this step of this Zap: repeats send nothing more. */
const onceFor = (z, bundle, action) => {
  const { happened, ...rest } = bundle.inputDataRaw ?? {};
  return `zapier-${z.hash("sha256", JSON.stringify([action, rest, bundle.inputData.happened]))}`;
};

/** Without what was left empty. */
const given = (facts) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== ""));

module.exports = { addKey, checkAnswer, ask, onceFor, given };
