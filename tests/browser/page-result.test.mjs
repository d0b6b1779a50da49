// What is on show is one value: a question, its texts, its scores and its model go together, or do not come at all.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { PATIENCE, explain, idle, opened, parts, relevance, said, unfold, view } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

/** The page's first example, and another of as many words with the same answer. */
const ANN = { prompt: "Ann has a cat. Tom has a dog. What pet does Ann have?", answer: " cat." };
const TOM = { prompt: "Ann has a dog. Tom has a cat. What pet does Tom have?", answer: " cat." };

/** Notes all requests whole, in `window.asked`, and lets a test change what the worker says: `window.change(said)`. */
const overhear = (context) =>
  context.addInitScript(() => {
    window.asked = [];
    window.change = () => {};
    window.Worker = class extends Worker {
      postMessage(message, ...rest) {
        window.asked.push(JSON.parse(message[0]).request);
        super.postMessage(message, ...rest);
      }
      set onmessage(listener) {
        super.onmessage = ({ data }) => {
          const said = JSON.parse(data);
          window.change(said);
          listener(new MessageEvent("message", { data: JSON.stringify(said) }));
        };
      }
    };
  });

describe("what is on show", () => {
  let session, page, assertClean, at, panel;
  const stale = () => page.getByText(/^This is about the question as it was/);
  /** The last request of a kind. */
  const lastAsked = (kind) => page.evaluate((kind) => window.asked.filter(({ request }) => request === kind).at(-1), kind);
  /** Fails unless the prompt that is read is this one; the chat template stands around it. */
  const assertReads = async ({ prompt }) => assert.ok((await at.read.textContent()).includes(prompt), await at.read.textContent());
  const saved = async (name) => {
    const coming = page.waitForEvent("download");
    await page.getByRole("group", { name: "Take it along" }).getByRole("button", { name, exact: true }).click();
    return readFile(await (await coming).path(), "utf8");
  };

  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session, { prepare: overhear }));
    at = parts(page);
    panel = page.getByRole("tabpanel");
    await opened(page);
    await assertReads(ANN);
  });
  after(() => session?.stop());

  test("has the text of its scores, where another question has the same answer and as many parts", async () => {
    await explain(page, TOM);
    await assertReads(TOM);
    // The scores are those of this question, unit by unit.
    const { units, scores } = JSON.parse(await saved("JSON"));
    assert.ok(units.map(({ text }) => text).join("").includes(TOM.prompt));
    for (const [unit, score] of Object.entries(await relevance(page))) assert.equal(Math.fround(scores[unit]), Math.fround(score));
  });

  test("stays what it was where another could not be explained, and is marked so", async () => {
    const before = await relevance(page);
    await at.prompt.fill("word ".repeat(6000));
    await at.explain.click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).first().waitFor(PATIENCE);
    await idle(page);
    await assertReads(TOM);
    assert.deepEqual(await relevance(page), before);
    await stale().waitFor();
    await at.prompt.fill("Something else");
    await stale().waitFor();
  });

  test("is asked on about by its own question, whatever stands in the page by now", async () => {
    await at.answer.fill(" something else");
    const words = at.read.locator("[data-unit]").filter({ hasText: "Tom" });
    await words.first().click();
    await at.button("Write again").click();
    await idle(page);
    assert.equal((await lastAsked("generate")).prompt.text, TOM.prompt);
    assert.equal(await panel.locator(".answers p").first().textContent(), TOM.answer);

    await view(page, "Rather than");
    await panel.getByRole("textbox", { name: "Alternative" }).fill("dog.");
    await at.button("Compare").click();
    await page.getByRole("radio", { name: "rather than “dog.”" }).waitFor(PATIENCE);
    await idle(page);
    const { prompt, target, alternatives } = await lastAsked("explain");
    assert.deepEqual([prompt.text, target.text, alternatives], [TOM.prompt, TOM.answer, [" dog."]]);
    await assertReads(TOM);
    await stale().waitFor();

    await view(page, "trust");
    await at.button("Measure it").click();
    await panel.getByRole("table").first().waitFor(PATIENCE);
    await idle(page);
    await assertReads(TOM);
    await stale().waitFor();
    assert.equal(await said(page), "");
  });

  test("is exported with the contrast that is looked at", async () => {
    await view(page, "Rather than");
    await page.getByRole("radio", { name: "rather than “dog.”" }).check();
    const shown = await relevance(page);
    const { contrast, scores } = JSON.parse(await saved("JSON"));
    assert.equal(contrast, 0);
    for (const [unit, score] of Object.entries(shown)) assert.equal(Math.fround(scores[unit]), Math.fround(score));
    assert.match(await saved("SVG"), /rather than “dog\.”/);
    assert.match(await saved("HTML"), /<option value="0" selected/);
    assert.match((await saved("CSV")).split(/\r?\n/)[0], /rather than: dog\./);
    await view(page, "Matrix");
    await page.getByRole("application", { name: /^Matrix of \d+ units by 1 token/ }).waitFor();
    await view(page, "Rather than");
    await page.getByRole("radio", { name: "at all" }).check();
  });

  test("has the numbers of its table in its matrix, of the words that were chosen", async () => {
    await at.tokens.first().click();
    await page.mouse.move(1, 1);
    await page.evaluate(() => {
      window.drawn = [];
      const draw = CanvasRenderingContext2D.prototype.fillText;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
        window.drawn.push(text);
        return draw.call(this, text, ...where);
      };
    });
    await view(page, "Matrix");
    await page.getByRole("application", { name: /^Matrix of \d+ units by 1 token/ }).waitFor();
    const numbers = (await page.evaluate(() => window.drawn)).filter((text) => /^([+-]?\d+\.\d+|·)$/.test(text));
    await view(page, "Table");
    const cells = await panel.locator("td.number").allTextContents();
    assert.ok(numbers.length > 5, String(numbers));
    // A part of the answer that stands after a word has no number for it.
    assert.deepEqual(numbers.slice(-cells.length).map((text) => (text === "·" ? "–" : text)), cells);
    await page.getByRole("button", { name: "Whole answer" }).click();
  });

  test("words and draws what rounds to zero as neither support nor opposition", async () => {
    await page.evaluate(() => {
      window.change = ({ event }) => {
        const { relevance } = event;
        if (event.event === "explained") for (const row of relevance) row?.forEach((score, token) => { if (score !== null) row[token] = -0.0002 / row.length; });
      };
    });
    await explain(page, ANN);
    await page.evaluate(() => { window.change = () => {}; });
    assert.equal(await page.locator(".reading .against:not(.legend *)").count(), 0);
    const word = at.read.locator("[data-unit]").filter({ hasText: "dog" }).first();
    await word.hover();
    const note = await page.locator("#pointed-at").textContent();
    assert.match(note, /: 0\.000 nats, (which rounds to zero|no more than noise)/);
    await page.mouse.move(1, 1);
    await view(page, "Ranking");
    assert.equal(await panel.locator(".bar .against").count(), 0);
  });

  test("says that an answer was cut, in the page and in the files", async () => {
    await unfold(page, /^How it writes/);
    for (const [name, value] of [["Most tokens", "1"], ["Temperature", "0"]]) {
      await page.getByRole("spinbutton", { name }).fill(value);
      await page.getByRole("spinbutton", { name }).blur();
    }
    await at.generate.click();
    await idle(page);
    await explain(page);
    const cut = /The answer is cut after 1 token: the model had not ended it\./;
    await page.getByText(cut).waitFor();
    assert.equal(JSON.parse(await saved("JSON")).target_cut, true);
    assert.match(await saved("SVG"), cut);
    assert.match(await saved("HTML"), cut);
    await explain(page, ANN);
    assert.equal(await page.getByText(cut).count(), 0);
  });

  test("reports no error and asks nothing of any other machine", () => assertClean());
});
