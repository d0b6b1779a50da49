// A long prompt: the page stays quick while the engine is at work.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, isWholeSite, loadModel, parts, promptRelevance, said, started, unfold, write } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

/** Longer than this, and a person feels that a click is late. */
const TASK_MS = 50;

/** Units that are waited for. */
const UNITS = 4;

const PROMPT = Array.from({ length: 13 }, (_, at) => `Room ${at + 1} is on floor ${(at % 4) + 1}.`).join(" ");

describe("a prompt of a hundred tokens", () => {
  let session, page, assertClean, at;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    await started(page);
    await loadModel(page);
    await unfold(page, /^How it is explained/);
    await page.getByRole("combobox", { name: "Granularity" }).selectOption({ label: "tokens" });
  });
  after(() => session?.stop());

  test("is explained without keeping the page from anything else", async () => {
    await write(page, { prompt: PROMPT, answer: " Room" });
    await page.getByText(/^Explaining (it again )?takes 1\d\d units/).waitFor(PATIENCE);
    await page.evaluate(() => {
      window.tasks = [];
      new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" });
    });
    await at.explain.click();
    // Enough of it to see how the page copes: all of its units are there from the start.
    await page.waitForFunction((n) => {
      const count = (selector) => document.querySelectorAll(`.prompt ${selector}`).length;
      return count("[data-unit]") > 100 && count("[data-relevance]") >= n;
    }, UNITS, PATIENCE);
    await at.unit("floor").first().hover();
    await at.prompt.press("End");
    await at.stop.click();
    await page.getByRole("button", { name: "Stop", disabled: true }).waitFor(PATIENCE);
    await page.waitForTimeout(200);
    const tasks = await page.evaluate(() => window.tasks);
    const n_known = (await promptRelevance(page)).filter((score) => score !== null).length;
    console.log(`${n_known} units explained; tasks over ${TASK_MS} ms: ${tasks.length === 0 ? "none" : tasks.map((ms) => `${ms.toFixed(0)} ms`).join(", ")}`);
    assert.equal(await said(page), "");
    if (isWholeSite) assert.ok(tasks.every((ms) => ms <= TASK_MS), `the page was blocked for ${tasks}`);
  });

  test("makes no error and asks nothing of any other machine", () => assertClean());
});
