// What a person reads when a model cannot be loaded.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openBlank, offered, start, startWorker } from "./harness.mjs";

/** The message of the failure that a request ends with. */
async function failure(worker, request) {
  const event = (await worker.ask(request, "loaded")).at(-1);
  assert.equal(event.event, "failed");
  return event.message;
}

const load = (url) => ({ request: "load", from: offered(url) });

describe("a model that cannot be loaded", () => {
  let session, worker;
  before(async () => {
    session = await start();
    worker = await startWorker(await openBlank(session));
    await worker.ask({ request: "start", device: "cpu" }, "device");
  });
  after(() => session?.stop());

  test("is named where the server has no such file", async () => {
    assert.match(await failure(worker, load("models/none.gguf")), /none\.gguf.*404/);
  });

  test("is named where the file is no model", async () => {
    assert.match(await failure(worker, load("index.html")), /index\.html/);
  });

  test("is named where the server cannot be reached", async () => {
    assert.match(await failure(worker, load("http://127.0.0.1:9/m.gguf")), /127\.0\.0\.1:9\/m\.gguf could not be reached/);
  });

  test("leaves the worker ready for the next request", async () => {
    const event = (await worker.ask({ request: "start", device: "cpu" }, "device")).at(-1);
    assert.equal(event.event, "device");
  });
});
