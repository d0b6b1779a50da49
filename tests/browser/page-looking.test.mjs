// Looking at an explanation: choosing words of the answer, pointing at words of the prompt, and the other ways of seeing it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LONG_ANSWER, ROME, difference, explain, loadModel, parts, promptRelevance, started, view, watchWorker } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

/** Sums of single precision in another order. */
const NATS = 1e-4;

/** Numbers for people are rounded. */
const SHOWN = 0.006;
const number = (text) => Number(/[+-]?\d+\.\d+/.exec(text)[0]);

describe("an explanation", () => {
  let session, page, assertClean, at, whole, told;
  /** Each prompt unit's relevance for each token of the answer alone. */
  const rows = [];

  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session, { prepare: watchWorker }));
    at = parts(page);
    await started(page);
    await loadModel(page);
    await explain(page, { prompt: ROME.prompt, answer: LONG_ANSWER });
    // What the page asks on its own account, once the question stands still, is over.
    await page.getByText(/^Explaining takes/).waitFor();
    whole = await promptRelevance(page);
    told = await page.evaluate(() => window.told.length);
  });
  after(() => session?.stop());

  /** The sum of single tokens' relevance. */
  const sum = (first, end) => whole.map((_, unit) => rows.slice(first, end).reduce((total, row) => total + row[unit], 0));
  const assertShows = async (expected, what) => {
    const shown = await promptRelevance(page);
    assert.ok(difference(shown, expected) < NATS, `${what}: ${shown} and not ${expected}`);
  };
  const chosen = () => at.tokens.evaluateAll((all) => all.flatMap((token, at) => (token.getAttribute("aria-selected") === "true" ? [at] : [])));
  const away = () => page.mouse.move(1, 1);
  const letGo = async () => {
    await page.getByRole("button", { name: "Whole answer" }).click();
    await away();
    await page.evaluate(() => document.activeElement?.blur());
    assert.deepEqual(await chosen(), []);
  };

  test("shows what a word of the answer rests on while it is pointed at, and the whole again after", async () => {
    const n_tokens = await at.tokens.count();
    assert.ok(n_tokens >= 8);
    for (let token = 0; token < n_tokens; token += 1) {
      await at.tokens.nth(token).hover();
      rows.push(await promptRelevance(page));
    }
    assert.ok(difference(rows[0], rows[1]) > 0.1, "all words rest on the same");
    assert.match(await page.locator("#pointed-at").textContent(), /rests most on/);
    await away();
    assert.deepEqual(await promptRelevance(page), whole);
    await assertShows(sum(0, n_tokens), "the whole answer is the sum of its tokens");
  });

  test("keeps a word that is clicked, until it is clicked again", async () => {
    await at.tokens.nth(0).click();
    await away();
    assert.deepEqual(await chosen(), [0]);
    assert.deepEqual(await promptRelevance(page), rows[0]);
    await at.tokens.nth(0).click();
    await away();
    await page.evaluate(() => document.activeElement?.blur());
    assert.deepEqual(await chosen(), []);
    assert.deepEqual(await promptRelevance(page), whole);
  });

  test("shows a span at once that is chosen with shift and click", async () => {
    await at.tokens.nth(2).click();
    await at.tokens.nth(5).click({ modifiers: ["Shift"] });
    assert.deepEqual(await chosen(), [2, 3, 4, 5]);
    await assertShows(sum(2, 6), "while the mouse is still there");
    await away();
    await assertShows(sum(2, 6), "after");
    await letGo();
  });

  test("shows a span that is dragged over, in either direction", async () => {
    for (const [from, to] of [[1, 4], [6, 3]]) {
      await at.tokens.nth(from).hover();
      await page.mouse.down();
      await at.tokens.nth(to).hover();
      const [first, last] = [Math.min(from, to), Math.max(from, to)];
      await assertShows(sum(first, last + 1), "while it is dragged");
      await page.mouse.up();
      await away();
      assert.deepEqual(await chosen(), Array.from({ length: last - first + 1 }, (_, at) => first + at));
      await assertShows(sum(first, last + 1), "after");
      await letGo();
    }
  });

  test("is walked through with the keyboard", async () => {
    const n_tokens = rows.length;
    await at.said.locator("[tabindex='0']").focus();
    await page.keyboard.press("Home");
    assert.deepEqual(await promptRelevance(page), rows[0]);
    await page.keyboard.press("ArrowRight");
    assert.deepEqual(await promptRelevance(page), rows[1]);
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    assert.deepEqual(await chosen(), [1, 2, 3]);
    await assertShows(sum(1, 4), "what was chosen with shift");
    await page.keyboard.press("Shift+ArrowLeft");
    assert.deepEqual(await chosen(), [1, 2]);
    await assertShows(sum(1, 3), "and let go again");
    await page.keyboard.press("Escape");
    assert.deepEqual(await chosen(), []);
    assert.deepEqual(await promptRelevance(page), whole);
    await page.keyboard.press("End");
    assert.deepEqual(await promptRelevance(page), rows[n_tokens - 1]);
    await page.keyboard.press("Enter");
    assert.deepEqual(await chosen(), [n_tokens - 1]);
    await page.keyboard.press("Shift+Home");
    await assertShows(whole, "from the first to the last");
    await page.keyboard.press("Escape");
    await page.evaluate(() => document.activeElement.blur());
  });

  test("shows what a word of the prompt supports while it is pointed at", async () => {
    const italy = at.unit("Italy");
    const unit = await at.read.locator("[data-unit]").evaluateAll((all) => all.findIndex(({ textContent }) => textContent === " Italy"));
    await italy.hover();
    const supported = await at.tokens.evaluateAll((all) => all.map(({ dataset }) => Number(dataset.relevance)));
    assert.deepEqual(supported, rows.map((row) => row[unit]));
    assert.match(await page.locator("#pointed-at").textContent(), /^“Italy”: \+\d+\.\d+ nats, supports it; most for “Rome” \(\+\d/);
    await away();
    await italy.focus();
    assert.deepEqual(await at.tokens.evaluateAll((all) => all.map(({ dataset }) => Number(dataset.relevance))), supported);
    await page.evaluate(() => document.activeElement.blur());
  });

  test("is listed by strength", async () => {
    await view(page, "Ranking");
    const bars = await page.getByRole("tabpanel").getByRole("listitem").allTextContents();
    const scores = bars.map((text) => Math.abs(number(text)));
    assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
    const strongest = Math.max(...whole.slice(1).map(Math.abs));
    assert.ok(Math.abs(scores[0] - strongest) < SHOWN, `${bars[0]}, but the strongest has ${strongest}`);
  });

  test("says each field of its matrix to those who walk through it", async () => {
    await view(page, "Matrix");
    const matrix = page.getByRole("application", { name: /^Matrix of \d+ units by \d+ tokens/ });
    const cell = page.locator("#matrix-cell");
    await matrix.focus();
    await page.keyboard.press("ArrowRight");
    assert.match(await cell.textContent(), /^“[^”]+” for “[^”]+”: [+-]\d+\.\d+ nats$/);
    await page.keyboard.press("Home");
    for (let row = 0; row < 40 && !(await cell.textContent()).startsWith("“Italy” "); row += 1) await page.keyboard.press("ArrowDown");
    const unit = await at.read.locator("[data-unit]").evaluateAll((all) => all.findIndex(({ textContent }) => textContent === " Italy"));
    const reading = await cell.textContent();
    assert.match(reading, /^“Italy” for “Rome”: /);
    assert.ok(Math.abs(number(reading) - rows[0][unit]) < SHOWN, `${reading}, but it is ${rows[0][unit]}`);
    await page.keyboard.press("Escape");
    assert.match(await cell.textContent(), /walk with the arrow keys/);
  });

  test("has all its numbers in a table", async () => {
    await view(page, "Table");
    const table = page.getByRole("table");
    const lines = await table.getByRole("row").allTextContents();
    const italy = lines.find((line) => line.startsWith("Italy"));
    const unit = await at.read.locator("[data-unit]").evaluateAll((all) => all.findIndex(({ textContent }) => textContent === " Italy"));
    assert.ok(Math.abs(number(italy) - whole[unit]) < SHOWN, `${italy}, but it is ${whole[unit]}`);
    assert.ok(italy.endsWith("prompt"), italy);
  });

  test("leaves the first position out until it is asked for", async () => {
    const sinks = page.getByRole("checkbox", { name: /^Show the first position/ });
    assert.equal(await sinks.isChecked(), false);
    const n_rows = () => page.getByRole("table").getByRole("row").count();
    const without = await n_rows();
    const first = at.read.locator("[data-unit]").first();
    const background = () => first.evaluate((element) => {
      const { backgroundColor, backgroundImage } = getComputedStyle(element);
      return `${backgroundColor} ${backgroundImage}`;
    });
    const plain = await background();
    await sinks.check();
    assert.equal(await n_rows(), without + 1);
    assert.match((await page.getByRole("table").getByRole("row").allTextContents())[1], /attention is parked here/);
    assert.notEqual(await background(), plain);
    await sinks.uncheck();
    assert.equal(await n_rows(), without);
  });

  test("needs nothing of the engine to be looked at, and no other machine", async () => {
    assert.equal(await page.evaluate(() => window.told.length), told);
    assertClean();
  });
});
