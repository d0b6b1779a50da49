// Changing how an answer is explained: what that means, what it costs, and that it counts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, ROME, SMOLLM2, explain, fromCommandLine, idle, loadModel, parts, relevance, said, started, unfold } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const NATS = 1e-3;

describe("the settings of an explanation", () => {
  let session, page, assertClean, at, first;
  const setting = {};
  const stale = () => page.getByText(/^This is about the question as it was/);
  const cost = () => page.getByText(/^Explaining (it again )?takes \d+ units?/);

  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    setting.granularity = page.getByRole("combobox", { name: "Granularity" });
    setting.operator = page.getByRole("combobox", { name: "Operator" });
    setting.factor = page.getByRole("spinbutton", { name: "Factor" });
    setting.neighbours = page.getByRole("checkbox", { name: "Neighbours" });
    setting.layers = page.getByRole("checkbox", { name: "Some layers only" });
    await started(page);
    await loadModel(page);
    await unfold(page, /^How it is explained/);
    await explain(page, ROME);
    first = await relevance(page);
  });
  after(() => session?.stop());

  /** Fails unless the page shows what the command line says with these words. */
  async function assertAsCommandLine(...words) {
    const { scores } = await fromCommandLine(ROME, ...words);
    const shown = await relevance(page);
    assert.equal(Object.keys(shown).length, scores.length);
    const largest = Math.max(...scores.map((score, unit) => Math.abs(score - shown[unit])));
    assert.ok(largest < NATS, `${largest} nats with ${words.join(" ")}`);
  }
  async function again() {
    await at.button("Do it again").click();
    await idle(page);
    assert.equal(await said(page), "");
    assert.equal(await stale().count(), 0);
  }

  test("each have one plain sentence", async () => {
    for (const name of ["granularity", "operator", "factor", "neighbours"]) {
      const help = await setting[name].evaluate((element) => document.getElementById(element.getAttribute("aria-describedby"))?.textContent);
      assert.match(help ?? "", /^[A-Z].{10,}\.$/, name);
    }
    assert.match(await page.locator("#layers-help").textContent(), /all 30 layers/);
  });

  test("changed, mark what is shown as older, say what a rerun takes, and changed back no longer do", async () => {
    assert.equal(await stale().count(), 0);
    await setting.factor.fill("0.5");
    await setting.factor.blur();
    await stale().waitFor();
    await page.getByText(/^Explaining it again takes 13 units, .*(s|min) and .*B of memory/).waitFor(PATIENCE);
    assert.deepEqual(await relevance(page), first, "what is shown stays until it is explained again");
    await setting.factor.fill("0");
    await setting.factor.blur();
    await stale().waitFor({ state: "detached" });
    await cost().filter({ hasText: "Explaining takes" }).waitFor(PATIENCE);
  });

  test("so does a changed text", async () => {
    await at.answer.fill(" Rome");
    await stale().waitFor();
    await at.answer.fill(ROME.answer);
    await stale().waitFor({ state: "detached" });
  });

  test("so does another model, until the one that was asked is chosen again", async () => {
    await at.model.selectOption("files");
    await stale().waitFor();
    await at.model.selectOption(SMOLLM2);
    await stale().waitFor({ state: "detached" });
    assert.deepEqual(await relevance(page), first);
  });

  test("take a factor and an operator as the command line does", async () => {
    await setting.operator.selectOption("log-additive");
    await setting.factor.fill("0.25");
    await setting.factor.blur();
    await again();
    await assertAsCommandLine("--operator", "log-additive", "--factor", "0.25");
    await setting.operator.selectOption("multiplicative");
    await setting.factor.fill("0");
    await setting.factor.blur();
  });

  test("take a granularity, and one of a person's own", async () => {
    await setting.granularity.selectOption({ label: "sentences" });
    await page.getByText(/^Explaining it again takes [23] units/).waitFor(PATIENCE);
    await again();
    await assertAsCommandLine("--granularity", "sentence");
    const texts = await at.read.locator("[data-unit]").allTextContents();
    assert.deepEqual(texts.map((text) => text.trim()), ["The capital of France is Paris.", "The capital of Italy is"]);

    await setting.granularity.selectOption({ label: "a delimiter" });
    await page.getByRole("textbox", { name: "Delimiter or pattern" }).fill(" of");
    await page.getByRole("textbox", { name: "Delimiter or pattern" }).blur();
    await again();
    await assertAsCommandLine("--granularity", "custom: of");

    await setting.granularity.selectOption({ label: "a pattern" });
    await page.getByRole("textbox", { name: "Delimiter or pattern" }).fill("[");
    await page.getByRole("textbox", { name: "Delimiter or pattern" }).blur();
    await page.getByRole("alert").filter({ hasText: /pattern|regex/i }).waitFor();
    await setting.granularity.selectOption({ label: "automatic" });
    assert.equal(await said(page), "");
  });

  test("name the neighbours before anything is computed", async () => {
    await setting.neighbours.check();
    const slider = page.getByRole("slider", { name: /Similarity from/ });
    await slider.fill("0.9");
    const preview = page.getByRole("listitem").filter({ hasText: /^capital: capital 1\.00/ });
    await preview.first().waitFor(PATIENCE);
    await again();
    await assertAsCommandLine("--threshold", "0.9");
    await at.unit("capital").first().hover();
    assert.match(await page.locator("#pointed-at").textContent(), /damped along: .*“capital”/);
    await setting.neighbours.uncheck();
    assert.equal(await slider.count(), 0);
  });

  test("take some layers only, counted as people count", async () => {
    await setting.layers.check();
    const [from, to] = ["from", "to"].map((name) => page.getByRole("spinbutton", { name, exact: true }));
    assert.equal(await from.inputValue(), "1");
    assert.equal(await to.inputValue(), "30");
    await from.fill("11");
    await from.blur();
    await to.fill("20");
    await to.blur();
    await again();
    await assertAsCommandLine("--layers", "10..20");
    await setting.layers.uncheck();
  });

  test("report no error and ask nothing of any other machine", () => assertClean());
});
