// An engine that breaks down: what a person reads, and that the page goes on.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, found, idle, loadModel, parts, said, SMOLLM2 } from "./asking.mjs";
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
});
