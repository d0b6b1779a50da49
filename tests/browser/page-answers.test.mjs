// An answer as a person types it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, difference, explain, opened, parts, promptRelevance } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

/** The same computation again, perhaps in other chunks. */
const NATS = 1e-3;

describe("an answer typed without its space", () => {
  let session, page, assertClean, at;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    await opened(page);
  });
  after(() => session?.stop());

  test("is explained in a chat as the model begins its answers, and that is said", async () => {
    assert.equal(await at.answer.inputValue(), " cat.");
    const withSpace = await promptRelevance(page);
    await at.answer.fill("cat.");
    await page.getByText(/explained with a space before it/).waitFor(PATIENCE);
    await explain(page);
    assert.ok(difference(await promptRelevance(page), withSpace) < NATS);
    assert.equal(await at.answer.inputValue(), "cat.", "what a person wrote is left as it is");
  });

  test("is left as it is in a text to continue, where a word may go on", async () => {
    await page.getByRole("radio", { name: "Text to continue" }).check();
    await at.prompt.fill("The capital of France is Par");
    await at.answer.fill("is");
    await page.getByText(/without a space between/).waitFor(PATIENCE);
    assert.equal(await page.getByText(/explained with a space before it/).count(), 0);
  });

  test("makes no error", () => assertClean());
});
