// A long prompt: the page stays quick while the engine is at work.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, isWholeSite, loadModel, parts, promptRelevance, said, started, unfold, write } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

/** Longer than this, and a person feels that a click is late. */
const TASK_MS = 50;

/** Units that are waited for. */
const UNITS = 4;

/** A task is timed by the clock, which counts what other programs do meanwhile: a page that is slow is so each time. */
const ANSWERS = [" Room", " Floor", " The"];

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
    await page.evaluate(() => {
      window.tasks = [];
      new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" });
    });
    let tasks;
    for (const answer of ANSWERS) {
      await write(page, { prompt: PROMPT, answer });
      await page.getByText(/^Explaining (it again )?takes 1\d\d units/).waitFor(PATIENCE);
      // What writing took is told late, and is not meant.
      await page.waitForTimeout(500);
      await page.evaluate(() => { window.tasks.length = 0; });
      await at.explain.click();
      const count = (selector, least, most) =>
        page.waitForFunction(([selector, least, most]) => {
          const { length } = document.querySelectorAll(`.prompt ${selector}`);
          return length >= least && length <= most;
        }, [selector, least, most], PATIENCE);
      // What was explained before is gone; then enough of it to see how the page copes. All units are there from the start.
      await count("[data-relevance]", 0, 0);
      await count("[data-relevance]", UNITS, 200);
      await count("[data-unit]", 101, 200);
      await at.unit("floor").first().hover();
      await at.prompt.press("End");
      await at.stop.click();
      await page.getByRole("button", { name: "Stop", disabled: true }).waitFor(PATIENCE);
      await page.waitForTimeout(200);
      tasks = await page.evaluate(() => window.tasks);
      const n_known = (await promptRelevance(page)).filter((score) => score !== null).length;
      const told = tasks.length === 0 ? "none" : tasks.map((ms) => `${ms.toFixed(0)} ms`).join(", ");
      assert.ok(n_known >= UNITS);
      console.log(`${n_known} units explained; tasks over ${TASK_MS} ms: ${told}`);
      assert.equal(await said(page), "");
      if (tasks.every((ms) => ms <= TASK_MS)) return;
    }
    if (isWholeSite) assert.fail(`the page was blocked ${ANSWERS.length} times, at last for ${tasks} ms`);
  });

  test("makes no error and asks nothing of any other machine", () => assertClean());
});
