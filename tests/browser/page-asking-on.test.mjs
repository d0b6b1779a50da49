// What one asks after an explanation: what if this word were not there, why not that, and can I believe it?
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, ROME, explain, fromCommandLine, idle, loadModel, parts, promptRelevance, relevance, said, started, unfold, view } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const NATS = 1e-3;

describe("after an explanation", () => {
  let session, page, assertClean, at, panel, plain;

  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    panel = page.getByRole("tabpanel");
    await started(page);
    await loadModel(page);
    await unfold(page, /^How it writes/);
    for (const [name, value] of [["Most tokens", "8"], ["Temperature", "0"]]) {
      await page.getByRole("spinbutton", { name }).fill(value);
      await page.getByRole("spinbutton", { name }).blur();
    }
    await explain(page, ROME);
    plain = await promptRelevance(page);
  });
  after(() => session?.stop());

  test("a word that is clicked is damped, and the new answer stands beside the old", async () => {
    await at.unit("Italy").click();
    assert.equal(await page.getByRole("tab", { name: "Suppress or amplify" }).getAttribute("aria-selected"), "true");
    const slider = panel.getByRole("slider", { name: "Italy" });
    assert.equal(await slider.inputValue(), "0");
    await at.button("Write again").click();
    await idle(page);
    assert.equal(await said(page), "");
    const [before, after] = await panel.locator(".answers p").allTextContents();
    assert.equal(before, ROME.answer);
    assert.notEqual(after, before);
    assert.equal(await panel.getByRole("deletion").allTextContents().then((all) => all.join("").includes("Rome")), true);
    assert.ok((await panel.getByRole("insertion").count()) > 0);
    await panel.getByRole("heading", { name: /“Italy” × 0\.00/ }).waitFor();
    assert.equal(await at.answer.inputValue(), ROME.answer, "the answer that is explained stays");
    assert.deepEqual(await promptRelevance(page), plain);
  });

  test("a word whose factor is 1 changes nothing, and is let go again", async () => {
    await panel.getByRole("slider", { name: "Italy" }).fill("1");
    await at.button("Write again").click();
    await idle(page);
    const [before, after] = await panel.locator(".answers p").allTextContents();
    assert.equal(after, before);
    await panel.getByText("The answer is the same.").waitFor();
    assert.equal((await panel.getByRole("deletion").count()) + (await panel.getByRole("insertion").count()), 0);
    await panel.getByRole("button", { name: "Remove Italy" }).click();
    assert.equal(await panel.getByRole("slider").count(), 0);
  });

  test("another answer tells by its log-odds why it was this one, and tints by the difference", async () => {
    await view(page, "Rather than");
    await panel.getByRole("textbox", { name: "Alternative" }).fill("Paris.");
    await at.button("Compare").click();
    await idle(page);
    assert.equal(await said(page), "");
    const expected = (await fromCommandLine(ROME, "--contrast", " Paris.")).contrasts[0];
    const shown = await relevance(page);
    const largest = Math.max(...expected.relevance.map((score, unit) => (score === null ? 0 : Math.abs(score - shown[unit]))));
    assert.ok(largest < NATS, `${largest} nats`);
    assert.notDeepEqual(await promptRelevance(page), plain);
    assert.ok(await panel.getByRole("radio", { name: "rather than “Paris.”" }).isChecked());
    assert.match(await panel.locator(".odds").textContent(), /\d/);

    await panel.getByRole("radio", { name: "at all" }).check();
    const again = await promptRelevance(page);
    assert.ok(again.every((score, unit) => Math.abs(score - plain[unit]) < NATS));
  });

  test("its trustworthiness is measured, said in two sentences and drawn", async () => {
    await view(page, "trust");
    await at.button("Measure it").click();
    await panel.getByRole("table").first().waitFor(PATIENCE);
    await idle(page);
    assert.equal(await said(page), "");
    assert.equal(await panel.getByRole("img").count(), 2);
    for (const chart of await panel.getByRole("img").all()) assert.ok((await chart.getAttribute("aria-label"))?.length > 10 || (await chart.locator("title").count()) > 0);
    const [lost, order] = await panel.locator("p").allTextContents();
    for (const sentence of [lost, order]) assert.match(sentence, /^[A-Z][^!?]{40,}\.$/);
    assert.match(lost, /probability .*: \d\.\d+ .* random order/);
    for (const other of ["random order", "the order of the text", "leaving one out"]) assert.ok(order.includes(other), order);
    assert.match(lost, /standard deviation \d\.\d+, 10 orders/);
    assert.ok((await panel.getByRole("table").first().getByRole("row").count()) >= 4, "the explanation and three orders beside it");
    assert.ok((await promptRelevance(page)).every((score, unit) => Math.abs(score - plain[unit]) < NATS));
  });

  test("no error was reported and no other machine asked", () => assertClean());
});
