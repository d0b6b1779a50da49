// A prompt and an answer that would be a program if anything took them for one.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { explain, found, idle, loadModel, parts, said, started, unfold, view } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const HOSTILE = {
  prompt: `<img src=x onerror="window.owned=1"> <b>bold</b></script><script>window.owned=2</script>`,
  answer: ` <svg onload=window.owned=3></textarea><i>`,
};

describe("a question that holds HTML", () => {
  let session, page, assertClean, at, panel;

  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    panel = page.getByRole("tabpanel");
    await started(page);
    await loadModel(page);
    await unfold(page, /^How it is explained/);
    await page.getByRole("combobox", { name: "Granularity" }).selectOption({ label: "sentences" });
    await explain(page, HOSTILE);
  });
  after(() => session?.stop());

  /** Fails if any of it has become an element, or has run. */
  async function assertInert(of = page) {
    const found = await of.evaluate(() => ({
      owned: window.owned ?? null,
      elements: document.querySelectorAll("img:not(.examples img), main b:not(.steps b), main i, main svg[onload], body script").length,
    }));
    assert.deepEqual(found.owned, null);
    return found.elements;
  }

  test("stands in the explanation as it was written", async () => {
    assert.equal((await at.read.textContent()), HOSTILE.prompt);
    assert.equal((await at.tokens.allTextContents()).join(""), HOSTILE.answer);
    assert.equal(await assertInert(), 0);
  });

  for (const name of ["Ranking", "Matrix", "Table", "Rather than"]) {
    test(`is text in the view “${name}”`, async () => {
      await view(page, name);
      if (name === "Table") assert.match(await panel.textContent(), /onerror=/);
      if (name === "Matrix") {
        await panel.getByRole("application").focus();
        await page.keyboard.press("ArrowDown");
        assert.match(await page.locator("#matrix-cell").textContent(), /^“.+” for “.+”/);
      }
      assert.equal(await assertInert(), 0);
    });
  }

  test("is text where it is pointed at", async () => {
    await at.unit("onerror").first().hover();
    assert.match(await page.locator("#pointed-at").textContent(), /onerror/);
    assert.equal(await assertInert(), 0);
  });

  test("is text in a comparison of answers, and as another answer", async () => {
    await unfold(page, /^How it writes/);
    await page.getByRole("spinbutton", { name: "Most tokens" }).fill("4");
    await page.getByRole("spinbutton", { name: "Most tokens" }).blur();
    await at.unit("onerror").first().click();
    await at.button("Write again").click();
    await idle(page);
    assert.equal(await panel.locator(".answers p").first().textContent(), HOSTILE.answer);
    await view(page, "Rather than");
    await panel.getByRole("textbox", { name: "Alternative" }).fill("<img src=x onerror=window.owned=4>");
    await at.button("Compare").click();
    await idle(page);
    assert.equal(await said(page), "");
    await panel.getByRole("radio", { name: "rather than “<img src=x onerror=window.owned=4>”" }).waitFor();
    assert.equal(await assertInert(), 0);
  });

  test("is text in the files that are made of it", async () => {
    for (const [name, mime] of [["HTML", "text/html"], ["SVG", "image/svg+xml"]]) {
      const coming = page.waitForEvent("download");
      await page.getByRole("group", { name: "Take it along" }).getByRole("button", { name, exact: true }).click();
      const body = await readFile(await (await coming).path(), "utf8");
      const alone = await session.browser.newPage();
      await alone.route("http://report.test/*", (route) =>
        new URL(route.request().url()).pathname === "/" ? route.fulfill({ contentType: mime, body }) : route.abort());
      const asked = [];
      alone.on("request", (request) => asked.push(request.url()));
      await alone.goto("http://report.test/");
      assert.ok((await alone.evaluate(() => document.documentElement.textContent)).includes("onerror"));
      const { owned, images } = await alone.evaluate(() => ({ owned: window.owned ?? null, images: document.querySelectorAll("img").length }));
      assert.deepEqual([owned, images, asked], [null, 0, ["http://report.test/"]], name);
      await alone.close();
    }
  });

  test("comes through a link as it was", async () => {
    await at.button("Copy link").click();
    const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    const other = await openPage(session, { path: link });
    await found(other.page);
    assert.equal(await parts(other.page).prompt.inputValue(), HOSTILE.prompt);
    assert.equal(await parts(other.page).answer.inputValue(), HOSTILE.answer);
    assert.equal(await assertInert(other.page), 0);
    other.assertClean();
    await other.context.close();
  });

  test("makes no error and asks nothing of any other machine", () => assertClean());
});
