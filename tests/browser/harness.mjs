// What the browser tests share: the built page on a local server, Chromium with WebGPU, and a worker to talk to.
//
// The environment names what `cargo xtask test` has prepared: ATMAN_SITE (folder of the built page), ATMAN_MODEL_FILE
// (the test model), ATMAN_CHROMIUM (the browser).
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "../../web/serve.mjs";

function setting(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; run these tests with \`cargo xtask test\``);
  return value;
}

/** The test model's path, and its address on the test server. */
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

/** Starts a server and a browser for the tests of one file; both end with `stop`. */
export async function start(options = {}) {
  const requests = [];
  const onRequest = (request) => requests.push(request);
  const server = await serve({ site: setting("ATMAN_SITE"), models: dirname(modelFile), onRequest, ...options });
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

/** An empty page of the site's origin, from which a test starts workers of its own. */
export async function openBlank({ browser, url }) {
  const page = await browser.newPage();
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<title>test</title>" }));
  await page.goto(new URL("blank.html", url).href);
  return page;
}

/**
 * Starts the engine's worker in a page and waits until it listens.
 * @returns `ask(request, last)`: sends a request and resolves to all events up to the first named in `last`, or `failed`
 */
export async function startWorker(page) {
  await page.evaluate(async () => {
    const worker = new Worker(new URL("worker_loader.js", document.baseURI), { type: "module" });
    const events = [];
    let wake = () => {};
    worker.onmessage = ({ data }) => {
      events.push(JSON.parse(data));
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
    window.send = (request) => worker.postMessage([JSON.stringify(request)]);
    await window.until(["ready"]);
  });
  const ask = (request, ...last) =>
    page.evaluate(([request, last]) => {
      window.send(request);
      return window.until(last);
    }, [request, last]);
  return { ask };
}

/** A request to load the test model. */
export const loadModel = (url) => ({ request: "load", from: { web: { base: url, urls: [modelUrl] } } });
