// What the browser tests share: the built page on a local server, Chromium with WebGPU, and a worker to talk to.
//
// The environment names what `cargo xtask test` has prepared: ATMAN_SITE (folder of the built page), ATMAN_MODEL_FILE
// (the test model), ATMAN_CHROMIUM (the browser), ATMAN_CLI (the command line).
import assert from "node:assert/strict";
import { basename } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "../../web/serve.mjs";

/** What an environment variable says, which must be set. */
export function setting(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; run these tests with \`cargo xtask test\``);
  return value;
}

/** Folder of the built site. */
export const site = setting("ATMAN_SITE");

/** The test model's path, and its address in the site, which offers it. */
export const modelFile = setting("ATMAN_MODEL_FILE");
export const modelUrl = `models/${basename(modelFile)}`;

/** WebGPU is not on by default in a Linux Chromium; the rest keeps a test's browser off the network. */
const ARGUMENTS = [
  "--enable-unsafe-webgpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a server (`options` are those of `serve`) and a browser for the tests of one file; both end with `stop`. */
export async function start(options = {}) {
  const requests = [];
  const onRequest = (request) => requests.push(request);
  const server = await serve({ site, onRequest, ...options });
  const browser = await chromium.launch({
    executablePath: setting("ATMAN_CHROMIUM"),
    chromiumSandbox: false,
    args: ARGUMENTS,
  });
  const stop = async () => {
    await browser.close();
    await server.stop();
  };
  return { url: server.url, requests, browser, stop };
}

/** Whether a request stays on the machine: to the site's origin, or to what the page itself holds. */
function isOwn(address, origin) {
  const url = new URL(address);
  return url.protocol === "data:" || url.origin === origin;
}

/**
 * Opens the site as a new visitor does, in a browser context of its own, and notes everything that must not happen.
 * @param options.viewport `{ width, height }` in CSS pixels
 * @param options.scheme `light` or `dark`
 * @param options.path what follows the site's address: a query, a fragment
 * @param options.prepare called with the context before the page opens, for routes and the like
 * All others go to Playwright's `newContext`; a test that answers requests by `route` wants `serviceWorkers: "block"`.
 * @returns the page, its context, all requests' addresses (the service worker's and the engine's too), the errors so far, and
 *   `assertClean(allowed)`: fails on an error of the page or its console, and on a request to another origin than those
 *   named in `allowed`
 */
export async function openPage(session, options = {}) {
  const { viewport, scheme = "light", path = "", prepare = () => {}, ...rest } = options;
  const context = await session.browser.newContext({ viewport, colorScheme: scheme, ...rest });
  const requests = [];
  const errors = [];
  const note = (message) => message.type() === "error" && errors.push(message.text());
  context.on("request", (request) => requests.push(request.url()));
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", note);
  context.on("serviceworker", (worker) => worker.on("console", note));
  await prepare(context);
  const page = await context.newPage();
  await page.goto(new URL(path, session.url).href);
  const assertClean = (allowed = []) => {
    const origins = [new URL(session.url).origin, ...allowed];
    assert.deepEqual(errors, []);
    assert.deepEqual(requests.filter((address) => !origins.some((origin) => isOwn(address, origin))), []);
  };
  return { page, context, requests, errors, assertClean };
}

/**
 * An empty page of the site's origin, from which a test starts workers of its own. What a page keeps, other pages of the
 * same `context` find; without one it is alone.
 */
export async function openBlank({ browser, url }, context) {
  const page = await (context ?? browser).newPage();
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<title>test</title>" }));
  await page.goto(new URL("blank.html", url).href);
  return page;
}

/**
 * Starts the engine's worker in a page and waits until it listens.
 * @returns `ask(request, ...last)`: sends a request and resolves to all events up to the first named in `last`, or `failed`;
 * `send(request)`, which resolves to the request's number, and `until(...last)` do each half of it. Each event has the number of
 * the request that it answers as `of`. A `cancel` that names no other request stops the one sent last
 */
export async function startWorker(page) {
  await page.evaluate(async () => {
    const worker = new Worker(new URL("worker_loader.js", document.baseURI), { type: "module" });
    const events = [];
    let wake = () => {};
    worker.onmessage = ({ data }) => {
      const { id, event } = JSON.parse(data);
      events.push({ ...event, of: id });
      wake();
    };
    worker.onerror = (error) => {
      events.push({ event: "failed", message: `the worker could not run: ${error.message}` });
      wake();
    };
    window.until = async (last) => {
      const seen = [];
      for (;;) {
        while (events.length === 0) await new Promise((done) => { wake = done; });
        seen.push(events.shift());
        const { event } = seen.at(-1);
        if (event === "failed" || last.includes(event)) return seen;
      }
    };
    // Files of a file input of the page go along, if there is one.
    let id = 0;
    window.send = (request) => {
      const named = request.request === "cancel" ? { asked: id, ...request } : request;
      id += 1;
      worker.postMessage([JSON.stringify({ id, request: named }), ...(document.querySelector("input")?.files ?? [])]);
      return id;
    };
    await window.until(["ready"]);
  });
  const send = (request) => page.evaluate((request) => window.send(request), request);
  const until = (...last) => page.evaluate((last) => window.until(last), last);
  const ask = (request, ...last) =>
    page.evaluate(([request, last]) => {
      window.send(request);
      return window.until(last);
    }, [request, last]);
  return { ask, send, until };
}

/** A file of the test server, as a request names it. */
export const offered = (url = modelUrl, { len_bytes = null, sha256 = null } = {}) => ({ site: { url, len_bytes, sha256 } });

/** A request to load the test model. */
export const loadModel = () => ({ request: "load", from: offered() });
