// Taking an explanation along: as files, and as a link.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { ROME, explain, found, fromCommandLine, loadModel, parts, promptRelevance, relevance, said, started, unfold } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const NATS = 1e-3;

describe("an explanation that is taken along", () => {
  let session, page, assertClean, at, shown;

  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session, { permissions: ["clipboard-read", "clipboard-write"] }));
    at = parts(page);
    await started(page);
    await loadModel(page);
    await explain(page, ROME);
    shown = await relevance(page);
  });
  after(() => session?.stop());

  /** The file that a button brings. */
  async function saved(name) {
    const coming = page.waitForEvent("download");
    await page.getByRole("group", { name: "Take it along" }).getByRole("button", { name, exact: true }).click();
    const download = await coming;
    assert.equal(download.suggestedFilename(), `explanation.${name.toLowerCase()}`);
    const content = await readFile(await download.path());
    assert.equal(await said(page), "");
    return content;
  }

  test("as JSON is what the command line writes", async () => {
    const document = JSON.parse(await saved("JSON"));
    const expected = await fromCommandLine(ROME);
    assert.equal(document.schema, expected.schema);
    assert.deepEqual(Object.keys(document), Object.keys(expected));
    assert.deepEqual(document.model, expected.model);
    assert.deepEqual(document.settings, expected.settings);
    assert.deepEqual(document.prompt.tokens, expected.prompt.tokens);
    assert.equal(document.partial, false);
    document.scores.forEach((score, unit) => {
      assert.ok(Math.abs(score - expected.scores[unit]) < NATS);
      assert.equal(Math.fround(score), Math.fround(shown[unit]));
    });
  });

  test("as JSON holds the words that were chosen", async () => {
    await at.tokens.first().click();
    await page.mouse.move(1, 1);
    const chosen = await relevance(page);
    const { span, scores } = JSON.parse(await saved("JSON"));
    assert.deepEqual(span, { text: " Rome", start_token: 0, end_token: 1 });
    scores.forEach((score, unit) => score === null || assert.equal(Math.fround(score), Math.fround(chosen[unit])));
    await page.getByRole("button", { name: "Whole answer" }).click();
  });

  test("as CSV has a line for each unit", async () => {
    const lines = (await saved("CSV")).toString().trim().split(/\r?\n/);
    assert.ok(lines.length > Object.keys(shown).length);
    assert.ok(lines.some((line) => line.includes("Italy")));
  });

  test("as SVG is one drawing, without script", async () => {
    const svg = (await saved("SVG")).toString();
    // Elsewhere: the page's policy would not let it read the drawing's own style.
    const elsewhere = await session.browser.newPage();
    const { root, error, scripts, text } = await elsewhere.evaluate((svg) => {
      const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
      return {
        root: parsed.documentElement.tagName,
        error: parsed.querySelector("parsererror")?.textContent ?? null,
        scripts: parsed.querySelectorAll("script").length,
        text: parsed.documentElement.textContent.replace(/\s+/g, " "),
      };
    }, svg);
    await elsewhere.close();
    assert.deepEqual([root, error, scripts], ["svg", null, 0]);
    assert.match(text, /Italy/);
    assert.match(text, /Rome/);
  });

  test("as PNG is a picture of that drawing", async () => {
    const png = await saved("PNG");
    assert.equal(png.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    assert.ok(width > 400 && height > 100, `${width} × ${height}`);
    const colours = await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      const colours = new Set();
      for (let at = 0; at < data.length; at += 4) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
      return colours.size;
    }, png.toString("base64"));
    assert.ok(colours > 20, `it shows ${colours} colours`);
  });

  test("as HTML opens by itself, with the same tints", async () => {
    const html = (await saved("HTML")).toString();
    const alone = await session.browser.newPage();
    const errors = [];
    alone.on("pageerror", (error) => errors.push(String(error)));
    alone.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    const asked = [];
    alone.on("request", (request) => asked.push(request.url()));
    await alone.route("http://report.test/", (route) => route.fulfill({ contentType: "text/html", body: html }));
    await alone.goto("http://report.test/");
    assert.equal(await alone.locator("#prompt").textContent().then((text) => text.trim()), ROME.prompt);
    const there = await relevance(alone);
    for (const unit of Object.keys(there)) assert.ok(Math.abs(there[unit] - shown[unit]) < NATS);
    assert.deepEqual([errors, asked], [[], ["http://report.test/"]]);
    await alone.close();
  });

  test("as a link opens anywhere as the same question, and asks nobody for anything", async () => {
    await unfold(page, /^How it is explained/);
    await page.getByRole("combobox", { name: "Operator" }).selectOption("log-additive");
    await page.getByRole("spinbutton", { name: "Factor" }).fill("0.25");
    await page.getByRole("spinbutton", { name: "Factor" }).blur();
    await at.button("Copy link").click();
    await page.getByRole("status").filter({ hasText: "The link was copied." }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(await page.getByRole("textbox", { name: "Link" }).inputValue(), link);
    assert.ok(link.startsWith(`${session.url}#ask=`));

    session.requests.length = 0;
    const other = await openPage(session, { path: link });
    const there = parts(other.page);
    await found(other.page);
    assert.equal(await there.prompt.inputValue(), ROME.prompt);
    assert.equal(await there.answer.inputValue(), ROME.answer);
    assert.match(await there.model.locator("option:checked").textContent(), /SmolLM2 135M/);
    assert.equal(await other.page.locator("#operator").inputValue(), "log-additive");
    assert.equal(await other.page.locator("#factor").inputValue(), "0.25");
    assert.ok(!session.requests.some(({ path }) => path.endsWith(".gguf")), "a model was fetched unasked");
    other.assertClean();
    await other.context.close();
  });

  test("as a link to a model of the hub asks nothing of the hub until a person does", async () => {
    const linked = { model: { hub: "owner/name" }, prompt: "One,", answer: " two" };
    const fragment = Buffer.from(JSON.stringify(linked)).toString("base64url");
    const other = await openPage(session, { path: `#ask=${fragment}` });
    await found(other.page);
    await other.page.waitForTimeout(300);
    assert.equal(await parts(other.page).prompt.inputValue(), "One,");
    assert.equal(await other.page.getByRole("textbox", { name: "Repository" }).inputValue(), "owner/name");
    other.assertClean();
    await other.context.close();
  });

  test("says of a broken link that it is", async () => {
    const other = await openPage(session, { path: "#ask=eyJwcm9tcHQi" });
    await other.page.getByRole("alert").filter({ hasText: /link is broken/ }).waitFor();
    other.assertClean();
    await other.context.close();
  });

  test("reported no error and asked nothing of any other machine", () => assertClean());
});
