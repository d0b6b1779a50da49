// Models from elsewhere: dropped, picked, broken, of the hub; and those that this browser keeps.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { basename } from "node:path";
import { Transform } from "node:stream";
import { after, before, describe, test } from "node:test";
import { PATIENCE, ROME, SMOLLM2, TINY, explain, isWholeSite, loadModel, parts, promptRelevance, said, started, unfold, write } from "./asking.mjs";
import { modelFile, modelUrl, openPage, start } from "./harness.mjs";

const NAME = basename(modelFile);

describe("files of this machine", () => {
  let session, page, assertClean, at;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  /** Drops a file on what a selector finds: the bytes at an address of the server, or a text. */
  const drop = (name, { url, text, on = "main" }) =>
    page.evaluate(async ({ name, url, text, on }) => {
      const data = new DataTransfer();
      data.items.add(new File([text ?? (await (await fetch(url)).blob())], name));
      const target = document.querySelector(on);
      for (const kind of ["dragenter", "dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
      }
    }, { name, url, text, on });
  const facts = () => page.locator("#facts").filter({ hasText: "already here" });

  test("that are no model are refused by name where they were dropped, and what is chosen and loaded stays", async () => {
    await at.model.selectOption(TINY);
    await at.ready.waitFor(PATIENCE);
    await drop("broken.gguf", { text: "GGUF, but not really: this is a text of no use to anybody.", on: ".model" });
    await page.locator(".model").getByRole("alert").filter({ hasText: /broken\.gguf/ }).waitFor(PATIENCE);
    assert.equal(await at.model.inputValue(), TINY);
    await at.ready.waitFor();
    await drop("strange.bin", { text: "\0\u0001\0" });
    await page.locator(".buttons ~ .trouble").filter({ hasText: /strange\.bin.*no picture, no model.*no text/ }).waitFor(PATIENCE);
    // The model that was there answers as if nothing had been.
    await explain(page, { prompt: "Ann has a cat. What pet does Ann have?", answer: " cat." });
    assert.ok((await promptRelevance(page)).some((score) => score !== null));
  });

  test("that are texts go into the prompt, after what stands there", async () => {
    await at.prompt.fill("");
    await drop("notes.txt", { text: "\ufeffDear diary," });
    await page.waitForFunction(() => document.querySelector("#prompt").value === "Dear diary,");
    await drop("more.md", { text: "# <b>One</b>", on: ".model" });
    await page.waitForFunction(() => document.querySelector("#prompt").value === "Dear diary,\n\n# <b>One</b>");
    assert.equal(await said(page), "");
    await at.model.selectOption(SMOLLM2);
    assert.ok(await at.load.isEnabled());
  });

  test("are loaded where they are dropped", async () => {
    await drop("dropped.gguf", { url: modelUrl });
    await facts().waitFor(PATIENCE);
    assert.match(await page.getByText(/^Chosen: /).textContent(), /dropped\.gguf/);
    await loadModel(page);
    await page.getByText(/^Kept models: none/).waitFor();
    await explain(page, { prompt: "Paris is in", answer: " France" });
    assert.ok((await promptRelevance(page)).some((score) => score !== null));
  });

  test("are loaded where they are picked", async () => {
    await page.getByLabel("Files", { exact: true }).setInputFiles(modelFile);
    await page.getByText(`Chosen: ${NAME}`).waitFor();
    await facts().waitFor(PATIENCE);
    await loadModel(page);
    assert.equal(await said(page), "");
  });

  test("that are cut off are refused by name, and another can be loaded after", async () => {
    const bytes = await readFile(modelFile);
    await page.getByLabel("Files", { exact: true }).setInputFiles({
      name: "cut.gguf",
      mimeType: "application/octet-stream",
      // Its description is whole; the weights are not.
      buffer: bytes.subarray(0, 40e6),
    });
    await at.alert.filter({ hasText: /cut\.gguf/ }).waitFor(PATIENCE);
    // What was loaded before is loaded still.
    await page.getByText(`Chosen: ${NAME}`).waitFor();
    await at.ready.waitFor();
    await at.model.selectOption(SMOLLM2);
    await loadModel(page);
    assert.equal(await said(page), "");
  });

  test("that hold more than is computed with say so", async () => {
    const folder = new URL("../../models/atman-tiny/", import.meta.url);
    const names = (await readdir(folder)).filter((name) => /\.(json|jinja|safetensors)$/.test(name));
    const files = await Promise.all(names.map(async (name) => {
      const bytes = await readFile(new URL(name, folder));
      return { name, mimeType: "application/octet-stream", buffer: name.endsWith(".safetensors") ? withTensor(bytes, "other_tower.gain") : bytes };
    }));
    await at.model.selectOption("files");
    await page.getByLabel("Files", { exact: true }).setInputFiles(files);
    await page.getByText(/^Chosen: .*model\.safetensors/).waitFor();
    await facts().waitFor(PATIENCE);
    await loadModel(page);
    await page.getByText("About this model’s files").click();
    await page.locator(".notices li").filter({ hasText: /^1 tensor of the file is not used: other_tower\.gain$/ }).waitFor();
  });

  test("report no error and ask nothing of any other machine", () => assertClean());
});

/** A safetensors file with one more tensor, of one number. */
function withTensor(bytes, name) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const data = bytes.subarray(8 + length);
  header[name] = { dtype: "F32", shape: [1], data_offsets: [data.length, data.length + 4] };
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, data, Buffer.alloc(4)]);
}

describe("a repository of the hub", () => {
  const COMMIT = "b".repeat(40);
  const HUB = "https://huggingface.co";
  const FAMILY = new URL("../fixtures/families/sharded-bf16/", import.meta.url);
  let session, page, errors, assertClean, at, asked;

  /** A file as the hub lists it. */
  const listed = (rfilename, bytes) => {
    const lfs = { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
    return { rfilename, size: bytes.length, ...(/\.(gguf|safetensors)$/.test(rfilename) ? { lfs } : {}) };
  };

  before(async () => {
    const content = new Map();
    for (const name of await readdir(FAMILY)) {
      if (name !== "expected.json") content.set(name, await readFile(new URL(name, FAMILY)));
    }
    const large = await readFile(modelFile);
    const repositories = {
      "owner/tiny": [...content].map(([name, bytes]) => listed(name, bytes)),
      "owner/several": ["small.gguf", "large.gguf"].map((name) => listed(name, large)),
    };
    asked = [];
    session = await start();
    ({ page, errors, assertClean } = await openPage(session, {
      serviceWorkers: "block",
      prepare: (context) => context.route(`${HUB}/**`, async (route) => {
        const { pathname } = new URL(route.request().url());
        asked.push(pathname);
        // One that takes requests and never answers.
        if (pathname.includes("owner/silent")) return;
        const headers = { "access-control-allow-origin": "*" };
        const siblings = repositories[/^\/api\/models\/([^/]+\/[^/]+)\//.exec(pathname)?.[1]];
        const file = new RegExp(`^/[^/]+/[^/]+/resolve/${COMMIT}/(.+)$`).exec(pathname)?.[1];
        if (siblings) {
          await route.fulfill({ headers, json: { sha: COMMIT, siblings, cardData: { license: "apache-2.0" } } });
        } else if (content.has(file)) {
          await route.fulfill({ headers, body: content.get(file) });
        } else if (file === "small.gguf") {
          // Its description is all that anybody asks of it here.
          const whole = { ...headers, "content-length": String(large.length) };
          await route.fulfill({ headers: whole, body: large.subarray(0, 16e6) });
        } else {
          await route.fulfill({ headers, status: 404, body: "no" });
        }
      }),
    }));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  test("is asked for only once a person asks for it", async () => {
    await at.model.selectOption({ label: "A Hugging Face repository…" });
    await page.getByRole("textbox", { name: "Repository" }).fill("owner/several");
    await page.waitForTimeout(500);
    assert.deepEqual(asked, []);
  });

  test("lets a person choose among its files, and says what they take", async () => {
    await at.button("Look it up").click();
    await page.getByText(/several files/).waitFor(PATIENCE);
    assert.deepEqual(asked.filter((path) => path.includes("/resolve/")), []);
    assert.equal(await at.load.isEnabled(), false, "nothing can be loaded before a file is chosen");
    await at.button("small.gguf").click();
    await page.locator("#facts").filter({ hasText: /98\.4 MB to fetch .* licence apache-2\.0/ }).waitFor(PATIENCE);
    assert.equal(await page.getByRole("textbox", { name: "Repository" }).inputValue(), "owner/several:small.gguf");
  });

  test("is loaded, and kept for the next time", async () => {
    await page.getByRole("textbox", { name: "Repository" }).fill("owner/tiny");
    await at.button("Look it up").click();
    await page.locator("#facts").filter({ hasText: "licence apache-2.0" }).waitFor(PATIENCE);
    await loadModel(page);
    assert.equal(await said(page), "");
    await page.getByText(/^Kept models: 1 /).waitFor(PATIENCE);
    assert.ok(!asked.some((path) => path.includes("large.gguf")), "what was not chosen was fetched");
  });

  test("that is kept is not offered for fetching again by another of its names", async () => {
    await page.getByRole("textbox", { name: "Repository" }).fill("owner/tiny@main");
    await at.button("Look it up").click();
    await page.locator("#facts").filter({ hasText: "already here" }).waitFor(PATIENCE);
  });

  test("that does not answer is given up at once, and the loaded model answers meanwhile", async () => {
    await at.model.selectOption(TINY);
    await at.ready.waitFor(PATIENCE);
    await at.model.selectOption({ label: "A Hugging Face repository…" });
    await page.getByRole("textbox", { name: "Repository" }).fill("owner/silent");
    await at.button("Look it up").click();
    await page.getByText("Looking it up").waitFor();
    await page.getByText(/is loaded until then/).waitFor();
    await at.button("Cancel").click();
    await page.getByText("Looking it up").waitFor({ state: "detached", timeout: 2000 });
    await at.button("Look it up").click();
    await page.getByText("Looking it up").waitFor();
    // Another choice needs no cancelling.
    await at.model.selectOption(TINY);
    await at.ready.waitFor({ timeout: 2000 });
    await explain(page, { prompt: "Ann has a cat. What pet does Ann have?", answer: " cat." });
    await at.model.selectOption({ label: "A Hugging Face repository…" });
    assert.equal(await said(page), "");
  });

  test("that is not there is named", async () => {
    await page.getByRole("textbox", { name: "Repository" }).fill("owner/none");
    await at.button("Look it up").click();
    await at.alert.filter({ hasText: /owner\/none/ }).waitFor(PATIENCE);
  });

  test("is the only other machine that was asked, and the page reports no error of its own", () => {
    // The browser itself notes an answer 404, which one of these tests is about.
    assert.deepEqual(errors.splice(0).filter((error) => !/status of 404/.test(error)), []);
    assertClean([HUB]);
  });
});

describe("another model chosen while one loads", () => {
  let session, page, assertClean, at, through;
  before(async () => {
    session = await start({ through: (path) => (path === `/${modelUrl}` ? through?.() : undefined) });
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  test("takes its place, with its own size and licence, and nothing waits for the other", async () => {
    through = () => [new Transform({ transform: (chunk, _, done) => { setTimeout(() => done(null, chunk), 300); } })];
    await write(page, ROME);
    await at.explain.click();
    await page.getByText(/^Fetching: /).waitFor(PATIENCE);
    await at.model.selectOption(TINY);
    await at.ready.waitFor({ timeout: 20_000 });
    assert.match(await page.locator("#facts").textContent(), /part of this page .* MIT OR Apache-2\.0/);
    // What was to be explained with the other is not explained with this one.
    assert.equal(await at.stop.isDisabled(), true);
    await explain(page, { prompt: "Ann has a cat. What pet does Ann have?", answer: " cat." });
  });

  test("in a link does so too", async () => {
    await at.model.selectOption(SMOLLM2);
    await at.load.click();
    await page.getByText(/^Fetching: /).waitFor(PATIENCE);
    const ask = { model: { catalogue: "atman-tiny" }, prompt: "Ann has a cat.", chat: true, answer: " yes", settings: undefined };
    const linked = Buffer.from(JSON.stringify({ ...ask, settings: await settings() })).toString("base64url");
    await page.evaluate((linked) => { location.hash = `ask=${linked}`; }, linked);
    await at.ready.waitFor({ timeout: 20_000 });
    assert.equal(await at.model.inputValue(), TINY);
    assert.match(await page.locator("#facts").textContent(), /part of this page/);
    through = undefined;
  });

  /** The settings of the page as it is, from a link to it. */
  const settings = () => page.evaluate(() => {
    const text = globalThis.question.slice("ask=".length).replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)))).settings;
  });

  test("makes no error", () => assertClean());
});

describe("a model that this browser keeps", () => {
  let session, page, context, assertClean, at;
  before(async () => {
    session = await start();
    ({ page, context, assertClean } = await openPage(session));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  const reopened = async () => {
    await page.reload();
    await started(page);
  };

  test("is listed after it was fetched, and not fetched again", async () => {
    await page.getByText("Kept models: none").waitFor();
    await loadModel(page);
    await page.getByText(/^Kept models: 1 \(98\.4 MB\)/).waitFor(PATIENCE);
    session.requests.length = 0;
    await reopened();
    await page.locator("#facts").filter({ hasText: "already here" }).waitFor(PATIENCE);
    await loadModel(page);
    assert.ok(!session.requests.some(({ path }) => path.endsWith(".gguf")), "it was fetched again");
  });

  test("explains without any network", { skip: !isWholeSite && "this site has no service worker" }, async () => {
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (!navigator.serviceWorker.controller) await new Promise((done) => { setTimeout(done, 20); });
    });
    await context.setOffline(true);
    try {
      await reopened();
      await loadModel(page);
      await explain(page, ROME);
      assert.ok((await promptRelevance(page)).every((score) => score !== null));
    } finally {
      await context.setOffline(false);
    }
  });

  test("is gone once it is deleted, and fetched anew", async () => {
    await unfold(page, /^Kept models/);
    await at.button(`Delete ${NAME}`).click();
    await page.getByText("Kept models: none").waitFor(PATIENCE);
    const left = await page.evaluate(async () => {
      const names = [];
      const walk = async (folder) => {
        for await (const entry of folder.values()) entry.kind === "file" ? names.push((await entry.getFile()).size) : await walk(entry);
      };
      await walk(await navigator.storage.getDirectory());
      return names.reduce((total, size) => total + size, 0);
    });
    assert.ok(left < 1e6, `${left} bytes are left`);
    session.requests.length = 0;
    await reopened();
    await loadModel(page);
    assert.equal(session.requests.filter(({ path }) => path.endsWith(".gguf")).length, 1);
  });

  test("makes no error and asks nothing of any other machine", () => assertClean());
});
