// An engine that breaks down: what a person reads, and that the page goes on.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, explain, found, idle, loadModel, opened, parts, said, SMOLLM2, TINY, watchWorker, write } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

describe("an engine that breaks down", () => {
  let session;
  before(async () => {
    session = await start();
  });
  after(() => session?.stop());

  /** The page, whose engine's program is `scripts` in turn, one for each time that it is started, and then the real one. */
  const openWith = (...scripts) =>
    openPage(session, {
      serviceWorkers: "block",
      prepare: (context) => context.route("**/worker_loader.js", (route) => {
        const body = scripts.shift();
        return body === undefined ? route.continue() : route.fulfill({ contentType: "text/javascript", body });
      }),
    });
  const FAILED = JSON.stringify({ id: null, event: { event: "failed", message: "AtMan itself failed: on purpose", kind: "fatal" } });

  test("is started again; what it said stays, and not that it ended", async () => {
    const { page, assertClean, context } = await openWith(`postMessage(${JSON.stringify(FAILED)}); throw new Error("unreachable");`);
    await parts(page).alert.filter({ hasText: "on purpose" }).waitFor(PATIENCE);
    await found(page);
    // The built-in model comes by itself, and what there is to say stays.
    await parts(page).ready.waitFor(PATIENCE);
    assert.match(await said(page), /on purpose.*started again/);
    assert.doesNotMatch(await said(page), /unreachable/);
    await parts(page).prompt.fill("What I wrote");
    await idle(page);
    await parts(page).model.selectOption(SMOLLM2);
    await loadModel(page);
    assert.equal(await parts(page).prompt.inputValue(), "What I wrote");
    assert.equal(await said(page), "");
    assertClean();
    await context.close();
  });

  test("without a word is told of, and started again", async () => {
    const { page, context } = await openWith(`throw new Error("out of the blue");`);
    await parts(page).alert.filter({ hasText: /could not go on: .*out of the blue/ }).waitFor(PATIENCE);
    await found(page);
    await context.close();
  });

  test("again and again is given up on, and the page says so", async () => {
    const { page, context } = await openWith(...Array.from({ length: 20 }, () => `throw new Error("again");`));
    await parts(page).alert.filter({ hasText: /could not go on/ }).waitFor(PATIENCE);
    await page.waitForTimeout(1000);
    assert.match(await said(page), /could not go on/);
    assert.equal(await parts(page).load.isEnabled(), false);
    await context.close();
  });

  test("and was given up on is started again when a person wants it, with the question", async () => {
    const { page, context } = await openWith(...Array.from({ length: 3 }, () => `throw new Error("again");`));
    await parts(page).button("Start again").waitFor(PATIENCE);
    await parts(page).prompt.fill("What I wrote");
    await parts(page).button("Start again").click();
    await parts(page).ready.waitFor(PATIENCE);
    assert.equal(await said(page), "");
    assert.equal(await parts(page).prompt.inputValue(), "What I wrote");
    await context.close();
  });

  for (const how of ["panic", "trap"]) {
    test(`while it is at work (${how}) is told of, and the question is asked again by a new one`, async () => {
      const { page, context } = await openPage(session, { prepare: watchWorker });
      const at = parts(page);
      await opened(page);
      await at.prompt.fill("Ann has a cat. Tom has a dog. What pet does Tom have?");
      await page.evaluate((how) => window.engine.postMessage([JSON.stringify({ id: 1_000_001, request: { request: how } })]), how);
      await at.alert.filter({ hasText: how === "panic" ? /itself failed[^]*a test asked for it/ : /could not go on: .*unreachable/ }).waitFor(PATIENCE);
      await at.ready.waitFor(PATIENCE);
      assert.match(await said(page), /started again/);
      assert.match(await at.prompt.inputValue(), /does Tom have/);
      await explain(page);
      await context.close();
    });
  }
});

test("a page that breaks down says so, and starts again with the question", async () => {
  const session = await start();
  try {
    const { page } = await openPage(session);
    const at = parts(page);
    await opened(page);
    await write(page, { prompt: "Ann has a dog. <b>What</b> does Ann have?", answer: " a dog" });
    // Something else in the page that fails is not its end.
    await page.evaluate(() => { setTimeout(() => { throw new TypeError("no matter"); }); });
    await page.waitForTimeout(100);
    assert.equal(await page.getByRole("alertdialog").count(), 0);
    await page.evaluate(() => { dispatchEvent(new Event("panic")); });
    const dialog = page.getByRole("alertdialog", { name: "This page broke down" });
    await dialog.getByText(/a test asked for it/).waitFor();
    await dialog.getByRole("button", { name: "Start again" }).click();
    await dialog.waitFor({ state: "detached" });
    await at.ready.waitFor(PATIENCE);
    assert.equal(await at.prompt.inputValue(), "Ann has a dog. <b>What</b> does Ann have?");
    assert.equal(await at.answer.inputValue(), " a dog");
    assert.equal(await at.model.inputValue(), TINY);
  } finally {
    await session.stop();
  }
});
