// Stopping at any moment, and what stops by itself: a lost device, a tab put to sleep.
import assert from "node:assert/strict";
import { Transform } from "node:stream";
import { after, before, describe, test } from "node:test";
import { PATIENCE, ROME, difference, explain, idle, loadModel, opened, parts, promptRelevance, said, started, TINY, view, watchWorker, write } from "./asking.mjs";
import { modelUrl, openPage, start } from "./harness.mjs";

/** The same computation again, perhaps in other chunks. */
const NATS = 1e-3;

/** Takes long enough to be stopped on the way. */
const LONG = { prompt: `The capital of Spain is Madrid. ${ROME.prompt}`, answer: ROME.answer };

describe("what is under way", () => {
  let session, page, assertClean, at, whole, through;
  /** Explains, and stops when some of it is there. */
  const explainHalf = async () => {
    await at.explain.click();
    await page.waitForFunction(() => {
      const known = document.querySelectorAll(".prompt [data-relevance]").length;
      return known > 0 && known < document.querySelectorAll(".prompt [data-unit]").length;
    }, null, PATIENCE);
    await at.stop.click();
    await idle(page);
  };

  before(async () => {
    session = await start({ through: (path) => (path === `/${modelUrl}` ? through?.() : undefined) });
    ({ page, assertClean } = await openPage(session, { prepare: watchWorker }));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  test("is stopped while the model loads, which can be loaded again", async () => {
    let passed = 0;
    through = () => [new Transform({
      transform(chunk, _, done) {
        passed += chunk.length;
        setTimeout(() => done(null, chunk), passed > 20e6 ? 50 : 0);
      },
    })];
    await at.load.click();
    await page.getByText(/^Fetching: [2-9]\d\.\d MB/).waitFor(PATIENCE);
    await page.getByRole("button", { name: "Cancel" }).click();
    await at.loading.waitFor({ state: "detached" });
    assert.equal(await said(page), "");
    assert.equal(await at.ready.count(), 0);
    assert.ok(await at.explain.isEnabled());

    through = undefined;
    await loadModel(page);
    assert.equal(await said(page), "");
  });

  test("is stopped at once where the server never answers, and the model that was there answers", async () => {
    const { page, context } = await openPage(session, {
      serviceWorkers: "block",
      // Taken, and never answered.
      prepare: (context) => context.route(`**/${modelUrl}`, () => {}),
    });
    const at = parts(page);
    await started(page);
    await at.load.click();
    await page.getByText(/^Connecting/).waitFor(PATIENCE);
    await page.getByRole("button", { name: "Cancel" }).click();
    await at.loading.waitFor({ state: "detached", timeout: 2000 });
    await at.model.selectOption(TINY);
    await at.ready.waitFor({ timeout: 2000 });
    await explain(page, { prompt: "Ann has a cat. What pet does Ann have?", answer: " cat." });
    await context.close();
  });

  test("measuring goes on with the explanation that is there, also after one that failed and one that was stopped", async () => {
    const { page, context } = await openPage(session);
    const at = parts(page);
    await opened(page);
    // Too long for the model: refused before it begins.
    await write(page, { prompt: "Ann has a cat. ".repeat(2000), answer: " cat." });
    await at.explain.click();
    await at.alert.filter({ hasText: /./ }).waitFor(PATIENCE);
    await idle(page);
    await view(page, "trust");
    await write(page, { prompt: "Ann has a cat. Tom has a dog. What pet does Ann have?", answer: " cat." });
    await at.button("Measure it").click(PATIENCE);
    await page.getByRole("tabpanel").getByRole("table").first().waitFor(PATIENCE);
    await idle(page);
    assert.equal(await said(page), "");
    await context.close();
  });

  test("is stopped while the model writes, and what it wrote stays", async () => {
    await at.prompt.fill("Count: one, two, three,");
    await at.generate.click();
    await page.waitForFunction(() => document.querySelector("#answer").value.length > 8);
    await at.stop.click();
    await idle(page);
    const answer = await at.answer.inputValue();
    assert.ok(answer.length > 8 && answer.length < 200, answer);
    assert.equal(await said(page), "");
  });

  test("is stopped while it explains; what is there stays, is marked, and goes on to the same numbers", async () => {
    await explain(page, LONG);
    whole = await promptRelevance(page);
    assert.ok(whole.every((score) => score !== null));

    await explainHalf();
    const there = await promptRelevance(page);
    const n_known = there.filter((score) => score !== null).length;
    assert.ok(n_known > 0 && n_known < whole.length, `${n_known} of ${whole.length}`);
    const note = page.getByText(/\d+ of \d+/).filter({ has: at.button("Go on") });
    assert.match(await note.textContent(), new RegExp(`\\b${n_known} of`));

    await at.button("Go on").click();
    await page.waitForFunction((n) => document.querySelectorAll(".prompt [data-relevance]").length >= n, n_known);
    await idle(page);
    assert.ok(difference(await promptRelevance(page), whole) < NATS);
    assert.equal(await at.button("Go on").count(), 0);
    assert.equal(await said(page), "");
  });

  /** Stops the processes of all pages for so long, as a machine does that is closed; a page cannot be frozen by itself where no
   * tab is ever hidden. */
  const asleep = async (ms) => {
    const devtools = await session.browser.newBrowserCDPSession();
    const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    assert.ok(renderers.length > 0);
    for (const id of renderers) process.kill(id, "SIGSTOP");
    await new Promise((done) => { setTimeout(done, ms); });
    for (const id of renderers) process.kill(id, "SIGCONT");
  };

  test("goes on by itself where the device is lost on the way", async () => {
    await page.evaluate(() => {
      window.rebuilt = 0;
      window.engine.addEventListener("message", ({ data }) => { if (JSON.parse(data).event.event === "rebuilding") window.rebuilt += 1; });
    });
    await explainHalf();
    // What is asked while it explains would have to wait for the end: so it is asked in between.
    await page.evaluate(() => window.engine.postMessage(['{"id":1000000,"request":{"request":"lose-device"}}']));
    await at.button("Go on").click();
    await page.waitForFunction(() => window.rebuilt === 1, null, PATIENCE);
    await idle(page);
    assert.ok(difference(await promptRelevance(page), whole) < NATS);
    assert.equal(await said(page), "");
    await at.ready.waitFor();
  });

  test("is stopped while a lost device is opened again; what is there stays, and goes on", async () => {
    await explainHalf();
    await page.evaluate(() => {
      window.engine.addEventListener("message", ({ data }) => {
        if (JSON.parse(data).event.event !== "rebuilding") return;
        [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Stop").click();
      });
      window.engine.postMessage(['{"id":1000001,"request":{"request":"lose-device"}}']);
    });
    await at.button("Go on").click();
    await page.waitForFunction(() => window.rebuilt === 2, null, PATIENCE);
    await idle(page);
    const n_known = (await promptRelevance(page)).filter((score) => score !== null).length;
    assert.ok(n_known > 0 && n_known < whole.length, `${n_known} of ${whole.length}`);
    await at.button("Go on").click();
    await page.waitForFunction((n) => document.querySelectorAll(".prompt [data-relevance]").length > n, n_known);
    await idle(page);
    assert.ok(difference(await promptRelevance(page), whole) < NATS);
    assert.equal(await said(page), "");
  });

  test("goes on where the tab was put to sleep on the way", async () => {
    await at.explain.click();
    await page.waitForFunction(() => document.querySelectorAll(".prompt [data-relevance]").length > 0);
    await page.evaluate(() => {
      window.beats = 0;
      setInterval(() => { window.beats += 1; }, 20);
    });
    await asleep(2000);
    // It did sleep: a page that was awake would have had a hundred.
    assert.ok((await page.evaluate(() => window.beats)) < 50);
    await idle(page);
    assert.ok(difference(await promptRelevance(page), whole) < NATS);
    assert.equal(await said(page), "");
  });

  test("reports no error and asks nothing of any other machine", () => assertClean());
});
