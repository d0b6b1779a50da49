// The page for everybody: checked by axe, walked through with a keyboard alone, and as narrow as a phone.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { PATIENCE, ROME, SMOLLM2, explain, idle, loadModel, parts, promptRelevance, said, started, unfold, view } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const VIEWS = ["Ranking", "Matrix", "Table", "Rather than", "Suppress or amplify", "How far can I trust this?"];
const SETTINGS = [/^How it writes/, /^How it is explained/, /^Runs on/, /^Kept models/];

/** Serious and critical findings, with what they were found at. */
async function findings(page) {
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`).join("\n    ")}`);
}

/** Whether the page is wider than the window, and by what. */
const tooWide = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth <= clientWidth ? null : `${scrollWidth} pixels in a window of ${clientWidth}`;
  });

describe("the page for everybody", () => {
  let session, page, assertClean, at;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session, { prepare: (context) => context.addInitScript({ path: AXE }) }));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  /** As it is now: in both colour schemes, and on a phone. */
  async function assertAccessible(where) {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      assert.deepEqual(await findings(page), [], `${where}, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    const size = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await tooWide(page), null, where);
    await page.setViewportSize(size);
  }

  test("has no serious finding as it opens, with everything unfolded", async () => {
    await assertAccessible("start");
    for (const summary of SETTINGS) await unfold(page, summary);
    await page.getByRole("checkbox", { name: "Neighbours" }).check();
    await at.model.selectOption({ label: "A Hugging Face repository…" });
    await assertAccessible("unfolded");
    await at.model.selectOption({ label: "Files on this machine…" });
    await assertAccessible("files");
    await page.getByRole("checkbox", { name: "Neighbours" }).uncheck();
    await at.model.selectOption(SMOLLM2);
    await at.explain.click();
    await at.alert.filter({ hasText: "no prompt" }).waitFor();
    await assertAccessible("an error");
  });

  test("has no serious finding while it explains, and after", async () => {
    await loadModel(page);
    await at.example("A fact").click();
    await at.explain.click();
    await at.read.locator("[data-relevance]").first().waitFor(PATIENCE);
    assert.deepEqual(await findings(page), []);
    await idle(page);
    await assertAccessible("explained");
  });

  test("has no serious finding in any view", async () => {
    for (const name of VIEWS) {
      await view(page, name);
      await assertAccessible(name);
    }
    await at.unit("Italy").click();
    await assertAccessible("a slider");
    await view(page, "Rather than");
    await page.getByRole("textbox", { name: "Alternative" }).fill("Paris.");
    await at.button("Compare").click();
    await idle(page);
    await assertAccessible("a contrast");
  });

  test("has no serious finding where it is said how far to trust it, or what is no longer true", async () => {
    await at.prompt.fill("Paris is in");
    await at.answer.fill(" France");
    await page.getByText(/^This is about the question as it was/).waitFor();
    await assertAccessible("stale");
    await explain(page);
    await view(page, "trust");
    await at.button("Measure it").click();
    await page.getByRole("tabpanel").getByRole("table").first().waitFor(PATIENCE);
    await idle(page);
    await assertAccessible("trust");
  });

  test("tells what is under way, and what came of it, to those who listen", async () => {
    await page.getByRole("status").filter({ hasText: /The strongest part is/ }).waitFor();
  });

  test("reports no error and asks nothing of any other machine", () => assertClean());
});

describe("a keyboard alone", () => {
  let session, page, assertClean, at;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session, { viewport: { width: 390, height: 844 } }));
    at = parts(page);
    await started(page);
  });
  after(() => session?.stop());

  /** Tabs on until the focus is there. */
  async function tabTo(locator, key = "Tab") {
    const there = () => locator.first().evaluate((element) => element === document.activeElement);
    for (let presses = 0; presses < 120; presses += 1) {
      if (await there()) return;
      await page.keyboard.press(key);
    }
    assert.fail(`${locator} is not reached by ${key}`);
  }
  const focused = () => page.evaluate(() => document.activeElement?.textContent);

  test("chooses and loads a model", async () => {
    await tabTo(at.model);
    await tabTo(at.load);
    await page.keyboard.press("Enter");
    await at.ready.waitFor(PATIENCE);
  });

  test("writes a question and has it explained", async () => {
    await tabTo(at.prompt);
    await page.keyboard.type(ROME.prompt);
    await tabTo(at.answer);
    await page.keyboard.type(ROME.answer);
    await tabTo(at.explain);
    await page.keyboard.press("Enter");
    await idle(page);
    assert.equal(await said(page), "");
    assert.ok((await promptRelevance(page)).every((score) => score !== null));
  });

  test("reads the prompt and the answer word by word, each one stop on the way", async () => {
    await tabTo(at.read.locator("[tabindex='0']"));
    for (let presses = 0; presses < 30 && (await focused()) !== " Italy"; presses += 1) await page.keyboard.press("ArrowRight");
    assert.equal(await focused(), " Italy");
    assert.match(await page.locator("#pointed-at").textContent(), /^“Italy”: \+\d/);
    const whole = await promptRelevance(page);
    await tabTo(at.said.locator("[tabindex='0']"));
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    assert.notDeepEqual(await promptRelevance(page), whole);
    await page.keyboard.press("Escape");
    assert.deepEqual(await promptRelevance(page), whole);
  });

  test("goes through the views", async () => {
    await tabTo(page.getByRole("tab", { selected: true }));
    for (const name of [...VIEWS.slice(1), VIEWS[0]]) {
      await page.keyboard.press("ArrowRight");
      assert.ok((await focused()).startsWith(name), `${await focused()} and not ${name}`);
      assert.equal(await page.getByRole("tab", { selected: true }).textContent(), await focused());
    }
  });

  test("damps a word and has the model answer again", async () => {
    await tabTo(at.read.locator("[tabindex='0']"), "Shift+Tab");
    assert.equal(await focused(), " Italy", "where one was in the text is not forgotten");
    await page.keyboard.press("Enter");
    await tabTo(at.button("Write again"));
    await page.keyboard.press("Enter");
    await idle(page);
    assert.equal(await said(page), "");
    await page.getByRole("heading", { name: "Before" }).waitFor();
    assert.equal(await tooWide(page), null);
  });

  test("reports no error and asks nothing of any other machine", () => assertClean());
});
