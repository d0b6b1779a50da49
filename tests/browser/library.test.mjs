// Models as the worker brings them here: fetched, kept, checked, and read again without a network.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, describe, test } from "node:test";
import { modelFile, modelUrl, openBlank, offered, start, startWorker } from "./harness.mjs";

const load = (from) => ({ request: "load", from });
const describeModel = (from) => ({ request: "describe", from });
const WRONG = "0".repeat(64);

/** Length and hash of the test model. */
async function facts() {
  const hash = createHash("sha256");
  await pipeline(createReadStream(modelFile), hash);
  return { len_bytes: (await stat(modelFile)).size, sha256: hash.digest("hex") };
}

/** Lets `bytes` through and then breaks the connection. */
function cutAfter(bytes) {
  let left = bytes;
  return new Transform({
    transform(chunk, _, done) {
      left -= chunk.length;
      done(left < 0 ? new Error("cut") : null, chunk);
    },
  });
}

/** Lets so many bytes through at once, and then so little that nobody sees the end. */
function stallAfter(bytes) {
  let left = bytes;
  return new Transform({
    transform(chunk, _, done) {
      left -= chunk.length;
      setTimeout(() => done(null, chunk), left < 0 ? 2000 : 0);
    },
  });
}

/** Flips one bit of the byte at `offset` of what passes. */
function damageAt(offset) {
  let at = 0;
  return new Transform({
    transform(chunk, _, done) {
      const copy = Buffer.from(chunk);
      if (offset >= at && offset < at + copy.length) copy[offset - at] ^= 1;
      at += copy.length;
      done(null, copy);
    },
  });
}

/** The last event, which must be of that kind. */
function last(events, kind) {
  const event = events.at(-1);
  assert.equal(event.event, kind, event.message);
  return event;
}

/** Done bytes of all progress while files are brought here; they must never go back. */
function broughtBytes(events) {
  const progress = events.filter(({ event }) => event === "progress");
  const done = progress.map(({ done_bytes }) => done_bytes);
  assert.ok(done.every((bytes, i) => i === 0 || bytes >= done[i - 1]), `progress went back: ${done}`);
  return progress;
}

describe("the library", () => {
  let session, context, known, through;
  const fetched = () => session.requests.filter(({ path }) => path === `/${modelUrl}`).map(({ range }) => range);

  /** A worker in a new page, with what earlier ones have kept unless it is in a context of its own. */
  async function open(own) {
    const page = await openBlank(session, own ?? context);
    const worker = await startWorker(page);
    await worker.ask({ request: "start", device: "cpu" }, "device");
    return { page, ...worker };
  }
  const list = async (worker) => last(await worker.ask({ request: "list-kept" }, "kept"), "kept").models;
  async function fresh(worker) {
    for (const { id } of await list(worker)) last(await worker.ask({ request: "forget", id }, "kept"), "kept");
    session.requests.length = 0;
    through = undefined;
  }
  /** Has the loaded model write a little. */
  async function write(worker) {
    const prompt = { text: "One, two,", chat: false, pictures: [] };
    const sampling = { temperature: 0, top_k: 1, top_p: 1, seed: 0 };
    const events = await worker.ask({ request: "generate", prompt, sampling, max_tokens: 2, steering: null }, "generated");
    assert.ok(last(events, "generated").target.text.length > 0);
  }
  /** Runs in the page's own thread with the folder of the only kept model's files. */
  const inFolder = (page, action) =>
    page.evaluate(async (action) => {
      const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
      for await (const folder of models.values()) {
        const files = await folder.getDirectoryHandle("files");
        for await (const file of files.values()) return new Function("file", `return (${action})(file)`)(file);
      }
      return null;
    }, action.toString());
  const sizeOf = (page) => inFolder(page, async (file) => (await file.getFile()).size);

  before(async () => {
    known = await facts();
    session = await start({ through: (path) => (path === `/${modelUrl}` ? through?.() : undefined) });
    context = await session.browser.newContext();
  });
  after(() => session?.stop());

  test("says what a model is and takes after no more than its header", async () => {
    const { page, ask } = await open();
    await fresh({ ask });
    let passed = 0;
    through = () => [new Transform({ transform(chunk, _, done) { passed += chunk.length; done(null, chunk); } })];
    const described = last(await ask(describeModel(offered()), "described"), "described");
    assert.equal(described.name, basename(modelFile));
    assert.equal(described.file_bytes, known.len_bytes);
    assert.equal(described.download_bytes, known.len_bytes);
    assert.ok(described.memory_bytes > known.len_bytes && described.memory_bytes < 2 * known.len_bytes);
    assert.deepEqual(described.choices, []);
    assert.ok(passed < known.len_bytes / 2, `${passed} bytes left the server`);
    assert.deepEqual(await list({ ask }), []);
    await page.close();
  });

  test("fetches a model once and loads it later without a network", async () => {
    const first = await open();
    await fresh(first);
    const events = await first.ask(load(offered(modelUrl, known)), "loaded");
    assert.equal(last(events, "loaded").not_kept, null);
    const phases = new Set(broughtBytes(events).map(({ phase }) => phase));
    assert.deepEqual([...phases], ["fetching", "placing"]);
    assert.deepEqual(fetched(), [null]);
    await first.page.close();

    const second = await open();
    const [kept] = await list(second);
    assert.equal(kept.bytes, known.len_bytes);
    assert.equal(kept.total_bytes, known.len_bytes);
    assert.ok(kept.is_complete);
    await context.setOffline(true);
    try {
      for (const from of [offered(modelUrl, known), { kept: { id: kept.id } }]) {
        const described = last(await second.ask(describeModel(from), "described"), "described");
        assert.equal(described.download_bytes, 0);
        const events = await second.ask(load(from), "loaded");
        assert.equal(last(events, "loaded").name, basename(modelFile));
        assert.deepEqual([...new Set(broughtBytes(events).map(({ phase }) => phase))], ["checking", "placing"]);
      }
    } finally {
      await context.setOffline(false);
    }
    assert.equal(fetched().length, 1);
    await second.page.close();
  });

  test("fetches a kept file anew that is damaged, and refuses it where there is no server to ask", async () => {
    const worker = await open();
    const damage = () => inFolder(worker.page, async (file) => {
      const stream = await file.createWritable({ keepExistingData: true });
      await stream.write({ type: "write", position: 50_000_000, data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) });
      await stream.close();
      return true;
    });
    const [{ id }] = await list(worker);
    session.requests.length = 0;
    await damage();
    last(await worker.ask(load(offered(modelUrl, known)), "loaded"), "loaded");
    assert.deepEqual(fetched(), [null]);

    await damage();
    const { message } = last(await worker.ask(load({ kept: { id } }), "loaded"), "failed");
    assert.match(message, /SmolLM2.*SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}.*deleted.*again/s);
    assert.ok(message.includes(known.sha256));
    assert.deepEqual(await list(worker), []);
    await worker.page.close();
  });

  test("goes on with a download that was cancelled, or whose page was closed", async () => {
    const first = await open();
    await fresh(first);
    through = () => [stallAfter(30e6)];
    await first.send(load(offered(modelUrl, known)));
    const until = async (worker, bytes) => {
      for (;;) {
        const { done_bytes, total_bytes } = last(await worker.until("progress"), "progress");
        assert.ok(total_bytes >= known.len_bytes);
        if (done_bytes >= bytes) return;
      }
    };
    await until(first, 25e6);
    last(await first.ask({ request: "cancel" }, "cancelled"), "cancelled");
    const afterCancel = await sizeOf(first.page);
    assert.ok(afterCancel >= 25e6, `${afterCancel} bytes were kept`);
    const [kept] = await list(first);
    assert.deepEqual([kept.is_complete, kept.bytes, kept.total_bytes], [false, afterCancel, known.len_bytes]);
    const described = last(await first.ask(describeModel(kept.from), "described"), "described");
    assert.equal(described.download_bytes, known.len_bytes - afterCancel);
    assert.match(last(await first.ask(load({ kept: { id: kept.id } }), "loaded"), "failed").message, /not come whole/);

    session.requests.length = 0;
    await first.send(load(offered(modelUrl, known)));
    await until(first, 45e6);
    await first.page.close();

    through = undefined;
    const second = await open();
    const afterClose = await sizeOf(second.page);
    assert.ok(afterClose >= 40e6, `${afterClose} bytes were kept`);
    const events = await second.ask(load(offered(modelUrl, known)), "loaded");
    assert.equal(last(events, "loaded").not_kept, null);
    broughtBytes(events);
    assert.deepEqual(fetched(), [`bytes=${afterCancel}-`, `bytes=${afterClose}-`]);
    await second.page.close();
  });

  test("goes on where the connection drops, and says so when it does not come back", async () => {
    const worker = await open();
    await fresh(worker);
    let cuts = 3;
    through = () => (cuts-- > 0 ? [cutAfter(20e6)] : undefined);
    // Not even the hash is known: the server's tag says that the pieces belong together.
    const progress = broughtBytes(await worker.ask(load(offered()), "loaded"));
    assert.ok(progress.slice(1).every(({ total_bytes }) => total_bytes >= known.len_bytes), "the total is told");
    const ranges = fetched();
    assert.equal(ranges.length, 4, String(ranges));
    assert.ok(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range)), String(ranges));

    await fresh(worker);
    let answers = 0;
    through = () => [cutAfter(answers++ === 0 ? 5e6 : 0)];
    const { message } = last(await worker.ask(load(offered()), "loaded"), "failed");
    assert.match(message, /SmolLM2.*gguf.*have come.*kept.*Check the connection/);
    assert.equal((await list(worker)).length, 1);
    await worker.page.close();
  });

  test("begins anew at a server that ignores ranges", async () => {
    const worker = await open();
    await fresh(worker);
    through = () => [stallAfter(10e6)];
    await worker.send(load(offered(modelUrl, known)));
    await worker.until("progress");
    await new Promise((done) => setTimeout(done, 500));
    await worker.ask({ request: "cancel" }, "cancelled");
    through = undefined;
    await context.route(`**/${modelUrl}`, async (route) => {
      const headers = { ...route.request().headers() };
      delete headers.range;
      await route.continue({ headers });
    });
    try {
      const events = await worker.ask(load(offered(modelUrl, known)), "loaded");
      last(events, "loaded");
      broughtBytes(events);
    } finally {
      await context.unroute(`**/${modelUrl}`);
    }
    assert.deepEqual(fetched(), [null, null]);
    await worker.page.close();
  });

  test("fetches once more where resumed content is wrong, and refuses what is wrong as a whole", async () => {
    const worker = await open();
    await fresh(worker);
    const answers = [[damageAt(1000), cutAfter(20e6)], [], []];
    through = () => answers.shift();
    const events = await worker.ask(load(offered(modelUrl, known)), "loaded");
    last(events, "loaded");
    broughtBytes(events);
    assert.equal(fetched().length, 3);
    assert.equal(fetched().at(-1), null);

    await fresh(worker);
    through = () => [damageAt(1000)];
    const damaged = last(await worker.ask(load(offered(modelUrl, known)), "loaded"), "failed");
    assert.match(damaged.message, /SmolLM2.*SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}.*deleted.*again/s);
    assert.deepEqual(await list(worker), []);

    through = undefined;
    const wrong = last(await worker.ask(load(offered(modelUrl, { sha256: WRONG })), "loaded"), "failed");
    assert.ok(wrong.message.includes(WRONG) && wrong.message.includes(known.sha256), wrong.message);
    const longer = last(await worker.ask(load(offered(modelUrl, { len_bytes: 7 })), "loaded"), "failed");
    assert.match(longer.message, /98362432 bytes, expected 7/);
    assert.deepEqual(await list(worker), []);
    await worker.page.close();
  });

  test("keeps nothing that is no model", async () => {
    const worker = await open();
    await fresh(worker);
    assert.match(last(await worker.ask(load(offered("index.html")), "loaded"), "failed").message, /index\.html/);
    assert.match(last(await worker.ask(load(offered("models/none.gguf")), "loaded"), "failed").message, /404/);
    assert.deepEqual(await list(worker), []);
    await worker.page.close();
  });

  test("loads a model all the same where the store runs full", async () => {
    const own = await session.browser.newContext();
    const worker = await open(own);
    const devtools = await own.newCDPSession(worker.page);
    const quota = (quotaSize) => devtools.send("Storage.overrideQuotaForOrigin", { origin: new URL(session.url).origin, quotaSize });
    await fresh(worker);
    // Found out on the way: this browser does not tell a page how little it may take.
    await quota(30e6);
    const events = await worker.ask(load(offered(modelUrl, known)), "loaded");
    assert.match(last(events, "loaded").not_kept, /could not store.*no more room/);
    broughtBytes(events);
    assert.deepEqual(fetched(), [null]);
    assert.deepEqual(await list(worker), []);
    await own.close();
  });

  /** A page whose worker runs `script` before anything else. */
  async function openWith(script, own) {
    const page = await openBlank(session, own);
    await page.route("**/worker_loader.js", async (route) => {
      const body = (await (await route.fetch()).text()).replace("await init", `${script}\nawait init`);
      await route.fulfill({ contentType: "text/javascript", body });
    });
    const worker = await startWorker(page);
    await worker.ask({ request: "start", device: "cpu" }, "device");
    return { page, ...worker };
  }

  const LACKING = [
    ["which says that it is full", "navigator.storage.estimate = async () => ({ quota: 40e6, usage: 10e6 });", /no more than 30\.0 MB.*98\.4 MB/],
    [
      "which denies it",
      "navigator.storage.getDirectory = () => Promise.reject(new DOMException('denied here', 'SecurityError'));",
      /does not let the page keep files \(denied here\)/,
    ],
    ["which has none", "Object.defineProperty(navigator, 'storage', { value: undefined });", /does not let the page keep files/],
    ["which can only read there", "delete FileSystemFileHandle.prototype.createSyncAccessHandle;", /could not store.*only be read/],
  ];
  for (const [what, script, reason] of LACKING) {
    test(`loads a model past the store of a browser ${what}`, async () => {
      const own = await session.browser.newContext();
      through = undefined;
      const worker = await openWith(script, own);
      assert.match(last(await worker.ask(load(offered(modelUrl, known)), "loaded"), "loaded").not_kept, reason);
      const kept = last(await worker.ask({ request: "list-kept" }, "kept"), "kept");
      assert.deepEqual(kept.models, []);
      if (/does not let/.test(String(reason))) assert.match(kept.denied, reason);
      await own.close();
    });
  }

  test("stops at once what waits for a server that never answers, and what is loaded can be asked meanwhile", async () => {
    const worker = await open();
    await fresh(worker);
    const loaded = last(await worker.ask(load(offered(modelUrl, known)), "loaded"), "loaded");
    assert.deepEqual([loaded.sha256, loaded.file_bytes], [known.sha256, known.len_bytes]);
    assert.match(loaded.licence, /apache/i);
    const asked = [];
    // Taken, and never answered.
    await context.route("**/silent.gguf", (route) => { asked.push(route); });
    const silent = offered("models/silent.gguf");
    try {
      for (const request of [load(silent), describeModel(silent)]) {
        const before = asked.length;
        const id = await worker.send(request);
        for (let tries = 0; asked.length === before && tries < 200; tries += 1) await new Promise((done) => { setTimeout(done, 20); });
        assert.equal(asked.length, before + 1);
        await write(worker);
        const since = Date.now();
        const stopped = last(await worker.ask({ request: "cancel", asked: id }, "cancelled"), "cancelled");
        assert.equal(stopped.of, id);
        assert.ok(Date.now() - since < 2000, `it took ${Date.now() - since} ms`);
      }
    } finally {
      await context.unroute("**/silent.gguf");
      for (const route of asked) await route.abort().catch(() => {});
    }
    await worker.page.close();
  });

  test("stops one of several requests, and the others are answered", async () => {
    const worker = await open();
    const held = [];
    await context.route("**/silent.gguf", (route) => { held.push(route); });
    const silent = await worker.send(describeModel(offered("models/silent.gguf")));
    // What fails meanwhile, or is stopped, takes nothing else along.
    const failed = last(await worker.ask(describeModel(offered("index.html")), "described"), "failed");
    assert.notEqual(failed.of, silent);
    last(await worker.ask(describeModel(offered(modelUrl, known)), "described"), "described");
    const stopped = last(await worker.ask({ request: "cancel", asked: silent }, "cancelled"), "cancelled");
    assert.equal(stopped.of, silent);
    await context.unroute("**/silent.gguf");
    for (const route of held) await route.abort().catch(() => {});
    await worker.page.close();
  });

  test("keeps the model that is loaded where another cannot be, and takes it up where that one is stopped", async () => {
    const worker = await open();
    const first = last(await worker.ask(load(offered(modelUrl, known)), "loaded"), "loaded");
    const events = await worker.ask(load(offered("index.html")), "loaded");
    last(events, "failed");
    assert.ok(!events.some(({ event }) => event === "unloaded"));
    await write(worker);
    // Stopped while it is placed: what was there before is what is there.
    await worker.send(load(offered(modelUrl, known)));
    for (;;) {
      const { phase } = last(await worker.until("progress"), "progress");
      if (phase === "placing") break;
    }
    const stopped = await worker.ask({ request: "cancel" }, "cancelled");
    last(stopped, "cancelled");
    const told = stopped.filter(({ event }) => ["unloaded", "loaded"].includes(event));
    assert.deepEqual(told.slice(-1).map(({ event, asked }) => [event, asked]), [["loaded", first.asked]]);
    await write(worker);
    await worker.page.close();
  });

  test("lets one of two tabs keep a model, and deletes nothing under the other's hands", async () => {
    const [first, second] = [await open(), await open()];
    await fresh(first);
    through = () => (fetched().length === 1 ? [stallAfter(20e6)] : undefined);
    await first.send(load(offered(modelUrl, known)));
    await first.until("progress");
    assert.match(last(await second.ask(load(offered(modelUrl, known)), "loaded"), "loaded").not_kept, /another tab/i);
    const [{ id, is_complete }] = await list(second);
    assert.equal(is_complete, false);
    assert.match(last(await second.ask({ request: "forget", id }, "kept"), "failed").message, /another tab/);
    // A browser without locks still has no two tabs write a file.
    const lockless = await openWith("Object.defineProperty(navigator, 'locks', { value: undefined });", context);
    assert.match(last(await lockless.ask(load(offered(modelUrl, known)), "loaded"), "loaded").not_kept, /another tab/i);
    assert.equal((await lockless.ask({ request: "forget", id }, "kept")).at(-1).event, "failed");
    await lockless.page.close();
    await first.ask({ request: "cancel" }, "cancelled");
    assert.ok((await sizeOf(first.page)) > 0);
    assert.deepEqual(last(await second.ask({ request: "forget", id }, "kept"), "kept").models, []);
    await first.page.close();
    await second.page.close();
  });

  test("loads picked files where they lie", async () => {
    const worker = await open();
    await fresh(worker);
    await worker.page.setContent("<input type=file multiple>");
    await worker.page.setInputFiles("input", modelFile);
    const described = last(await worker.ask(describeModel("picked"), "described"), "described");
    assert.deepEqual([described.download_bytes, described.file_bytes], [0, known.len_bytes]);
    const events = await worker.ask(load("picked"), "loaded");
    assert.equal(last(events, "loaded").name, basename(modelFile));
    assert.deepEqual([...new Set(broughtBytes(events).map(({ phase }) => phase))], ["checking", "placing"]);
    assert.deepEqual(fetched(), []);
    assert.deepEqual(await list(worker), []);
    await worker.page.close();
  });
});

describe("a repository of the hub", () => {
  const COMMIT = "a".repeat(40);
  const FAMILY = new URL("../fixtures/families/sharded-bf16/", import.meta.url);
  const NAMES = [
    "config.json",
    "model.safetensors.index.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
  ];
  let session, context, worker, asked, content, siblings, tamper;

  before(async () => {
    session = await start();
    context = await session.browser.newContext();
    content = new Map();
    for (const name of NAMES) content.set(name, await readFile(new URL(name, FAMILY)));
    siblings = NAMES.map((rfilename) => {
      const bytes = content.get(rfilename);
      const lfs = { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
      return { rfilename, size: bytes.length, ...(rfilename.endsWith(".safetensors") ? { lfs } : {}) };
    });
    asked = [];
    await context.route("https://huggingface.co/**", async (route) => {
      const url = new URL(route.request().url());
      asked.push(url.pathname + url.search);
      const headers = { "access-control-allow-origin": "*" };
      const model = /^\/api\/models\/(.+)\/revision\//.exec(url.pathname)?.[1];
      const file = new RegExp(`^/owner/tiny/resolve/${COMMIT}/(.+)$`).exec(url.pathname)?.[1];
      if (model === "owner/tiny") {
        const cardData = { license: "apache-2.0" };
        await route.fulfill({ headers, json: { sha: COMMIT, siblings, cardData } });
      } else if (model === "owner/several") {
        const several = ["q4.gguf", "q8.gguf"].map((rfilename) => ({ rfilename, size: 9 }));
        await route.fulfill({ headers, json: { sha: COMMIT, siblings: several, tags: ["license:mit"] } });
      } else if (file && content.has(file)) {
        const body = Buffer.from(content.get(file));
        tamper?.(file, body);
        await route.fulfill({ headers, body });
      } else {
        await route.fulfill({ headers, status: 404, body: "no" });
      }
    });
    worker = await startWorker(await openBlank(session, context));
    await worker.ask({ request: "start", device: "cpu" }, "device");
  });
  after(() => session?.stop());

  const hub = (repository) => ({ hub: { repository } });
  const total = () => siblings.reduce((sum, { size }) => sum + size, 0);

  test("is described with its licence, its size and its need of memory", async () => {
    const described = last(await worker.ask(describeModel(hub("owner/tiny")), "described"), "described");
    assert.equal(described.name, "owner/tiny");
    assert.equal(described.licence, "apache-2.0");
    assert.equal(described.file_bytes, total());
    assert.equal(described.download_bytes, total());
    assert.ok(described.memory_bytes > 0);
    assert.equal(asked[0], "/api/models/owner/tiny/revision/main?blobs=true");
  });

  test("is fetched by its commit and loads later without a request", async () => {
    asked.length = 0;
    assert.equal(last(await worker.ask(load(hub("owner/tiny")), "loaded"), "loaded").not_kept, null);
    assert.deepEqual(asked.slice(1), NAMES.map((name) => `/owner/tiny/resolve/${COMMIT}/${name}`));
    const [kept] = last(await worker.ask({ request: "list-kept" }, "kept"), "kept").models;
    assert.deepEqual([kept.name, kept.licence, kept.bytes, kept.is_complete], ["owner/tiny", "apache-2.0", total(), true]);
    asked.length = 0;
    assert.equal(last(await worker.ask(load(hub("owner/tiny")), "loaded"), "loaded").name, "owner/tiny");
    assert.deepEqual(asked, []);
    last(await worker.ask({ request: "forget", id: kept.id }, "kept"), "kept");
  });

  test("that is kept is known under another name, and not fetched again", async () => {
    last(await worker.ask(load(hub("owner/tiny")), "loaded"), "loaded");
    asked.length = 0;
    const other = hub("owner/tiny@main");
    const described = last(await worker.ask(describeModel(other), "described"), "described");
    assert.deepEqual([described.download_bytes, described.file_bytes], [0, total()]);
    last(await worker.ask(load(other), "loaded"), "loaded");
    assert.deepEqual(asked.filter((path) => path.includes("/resolve/")), [], "it was fetched again");
    const kept = last(await worker.ask({ request: "list-kept" }, "kept"), "kept").models;
    assert.equal(kept.length, 1);
    last(await worker.ask({ request: "forget", id: kept[0].id }, "kept"), "kept");
  });

  test("is refused where a file is not what the hub says", async () => {
    tamper = (file, body) => { if (file.startsWith("model-00002")) body[body.length - 1] ^= 1; };
    const { message } = last(await worker.ask(load(hub("owner/tiny")), "loaded"), "failed");
    assert.match(message, /model-00002.*SHA-256 is .*, expected .*again/s);
    tamper = undefined;
    const [kept] = last(await worker.ask({ request: "list-kept" }, "kept"), "kept").models;
    assert.equal(kept.is_complete, false);
    // What was right is not fetched again.
    asked.length = 0;
    last(await worker.ask(load(hub("owner/tiny")), "loaded"), "loaded");
    assert.deepEqual(asked.slice(1), [`/owner/tiny/resolve/${COMMIT}/model-00002-of-00002.safetensors`]);
  });

  test("with several models wants one of them named", async () => {
    const described = last(await worker.ask(describeModel(hub("owner/several")), "described"), "described");
    assert.deepEqual(described.choices, ["q4.gguf", "q8.gguf"]);
    const { message } = last(await worker.ask(load(hub("owner/several")), "loaded"), "failed");
    assert.match(message, /owner\/name:file\.gguf\s+q4\.gguf\s+q8\.gguf/);
  });

  test("that is not there, or whose name is none, is told as such", async () => {
    const missing = last(await worker.ask(load(hub("owner/none")), "loaded"), "failed");
    assert.match(missing.message, /owner\/none.*404.*check the name/s);
    const unnamed = last(await worker.ask(load(hub("just a name")), "loaded"), "failed");
    assert.match(unnamed.message, /`just a name` is no repository: write owner\/name/);
  });
});
