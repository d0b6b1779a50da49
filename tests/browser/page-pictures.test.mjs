// Pictures: added in every way, explained part by part, steered by region, taken along.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { PATIENCE, SMOLLM2, idle, isWholeSite, opened, parts, relevance, said, unfold, view } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PICTURE = new URL("../../web/pictures/triangle-square.png", import.meta.url);
const JPEG = new URL("../fixtures/pictures/photo.jpg", import.meta.url);
const WEBP = new URL("../fixtures/pictures/tall.webp", import.meta.url);
const EXPLAINING_MS = 5000;
/** Numbers for people are rounded. */
const SHOWN = 0.0006;

/** The parts of the page that are about pictures. */
const pictures = (page) => ({
  list: page.getByRole("list", { name: "Pictures" }),
  items: page.getByRole("list", { name: "Pictures" }).getByRole("listitem"),
  input: page.getByLabel("Pictures to add"),
  map: page.getByRole("group", { name: /^Map of image 1/ }),
  fields: page.getByRole("group", { name: /^Map of image 1/ }).getByRole("button"),
  region: page.locator(".region [role=status]"),
});

/** A file's bytes in the page, in a transfer as dropping and pasting have it. */
const transfer = (page, name, type, bytes) =>
  page.evaluateHandle(({ name, type, base64 }) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name, { type }));
    return data;
  }, { name, type, base64: bytes.toString("base64") });

async function drop(page, ...file) {
  const data = await transfer(page, ...file);
  await page.evaluate((dataTransfer) => {
    for (const kind of ["dragenter", "dragover", "drop"]) {
      document.querySelector("main").dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
    }
  }, data);
}

async function paste(page, ...file) {
  const clipboardData = await transfer(page, ...file);
  await page.evaluate((clipboardData) => {
    document.querySelector("#prompt").dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }));
  }, clipboardData);
}

/** Serious and critical findings. */
async function findings(page) {
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`).join("\n    ")}`);
}

describe("pictures that a person adds", () => {
  let session, page, at, of, assertClean;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    [at, of] = [parts(page), pictures(page)];
    await opened(page);
  });
  after(() => session?.stop());

  test("are picked, pasted and dropped, and stand there with name, size and a way to remove them", async () => {
    await of.input.setInputFiles(PICTURE.pathname);
    await of.items.filter({ hasText: /triangle-square\.png.*64 × 64 pixels, 333 bytes/ }).waitFor(PATIENCE);
    await paste(page, "photo.jpg", "image/jpeg", await readFile(JPEG));
    await of.items.filter({ hasText: /photo\.jpg.*\d+ × \d+ pixels/ }).waitFor(PATIENCE);
    await drop(page, "tall.webp", "image/webp", await readFile(WEBP));
    await of.items.filter({ hasText: /tall\.webp.*\d+ × \d+ pixels/ }).waitFor(PATIENCE);
    assert.equal(await of.list.getByRole("img").count(), 3);
    for (const name of ["photo.jpg", "tall.webp", "triangle-square.png"]) await at.button(`Remove ${name}`).click();
    assert.equal(await page.locator(".pictures li").count(), 0);
    assert.equal(await said(page), "");
    assert.match(await at.model.locator("option:checked").textContent(), /AtMan Tiny/, "a picture was taken for a model");
  });

  test("are reached by keyboard", async () => {
    const picking = page.waitForEvent("filechooser");
    await at.button("Add a picture").focus();
    await page.keyboard.press("Enter");
    await (await picking).setFiles(PICTURE.pathname);
    await of.items.first().waitFor(PATIENCE);
    await at.button("Remove triangle-square.png").focus();
    await page.keyboard.press("Enter");
    await of.items.first().waitFor({ state: "detached" });
  });

  test("that are none are refused by name", async () => {
    await of.input.setInputFiles({ name: "notes.png", mimeType: "image/png", buffer: Buffer.from("Dear diary") });
    await at.alert.filter({ hasText: /notes\.png cannot be used as a picture: it is no PNG, JPEG or WebP/ }).waitFor(PATIENCE);
    const png = await readFile(PICTURE);
    await drop(page, "cut.png", "image/png", png.subarray(0, 300));
    await at.alert.filter({ hasText: /cut\.png cannot be used/ }).waitFor(PATIENCE);
    assert.equal(await page.locator(".pictures li").count(), 0);
  });

  test("are not for a model that reads text only, and one click chooses another", async () => {
    await of.input.setInputFiles(PICTURE.pathname);
    await of.items.first().waitFor(PATIENCE);
    await at.model.selectOption(SMOLLM2);
    await at.alert.filter({ hasText: /^SmolLM2 .* reads text only\. Choose AtMan Tiny/ }).waitFor();
    await at.explain.click();
    await page.waitForTimeout(200);
    assert.equal(await at.loading.count(), 0, "a model was fetched for what it cannot do");
    await at.button("Choose AtMan Tiny").click();
    await at.ready.waitFor(PATIENCE);
    assert.equal(await said(page), "");
  });

  test("stay on this machine, and a link says that it does not hold them", async () => {
    await at.button("Copy link").click();
    await page.getByText(/It does not hold your picture/).waitFor();
    const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    const linked = JSON.parse(Buffer.from(link.split("#ask=")[1], "base64url"));
    assert.equal(linked.own_pictures, 1);
    assert.equal(linked.pictures, undefined);
    assert.ok(link.length < 2000);
    assertClean();
  });
});

describe("a picture that is explained", () => {
  let session, page, at, of, assertClean, whole;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session, { prepare: (context) => context.addInitScript({ path: AXE }) }));
    [at, of] = [parts(page), pictures(page)];
    await opened(page);
    await at.example("A colour").click();
    await of.items.filter({ hasText: "64 × 64 pixels" }).waitFor(PATIENCE);
  });
  after(() => session?.stop());

  const away = () => page.mouse.move(1, 1);
  /** The relevance of each part of the picture as it is shown now. */
  const shown = () =>
    of.fields.evaluateAll((all) => all.map(({ dataset }) => (dataset.relevance === undefined ? null : Number(dataset.relevance))));
  const canvas = () => page.locator(".map canvas").evaluate((canvas) => canvas.toDataURL());
  const numberIn = (text) => Number(/[+-]?\d+\.\d+/.exec(text)[0]);

  test("is so in all of its 64 patches, soon", async () => {
    await page.evaluate(() => {
      const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Explain");
      button.addEventListener("click", () => { window.clicked = performance.now(); }, { once: true, capture: true });
      new MutationObserver(() => {
        if (document.querySelectorAll(".part[data-relevance]").length === 64) window.done ??= performance.now();
      }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-relevance"] });
    });
    await at.explain.click();
    await of.map.waitFor(PATIENCE);
    await idle(page);
    assert.equal(await said(page), "");
    whole = await shown();
    assert.equal(whole.length, 64);
    assert.ok(whole.every((score) => score !== null));
    const ms = await page.evaluate(() => window.done - window.clicked);
    console.log(`all 64 patches after ${ms.toFixed(0)} ms`);
    if (isWholeSite) assert.ok(ms <= EXPLAINING_MS, `${ms} ms`);
  });

  test("stands beside its map, and its place in the prompt is marked", async () => {
    assert.equal(await page.locator("figure.picture > img").evaluate((image) => image.naturalWidth), 64);
    assert.match(await page.locator("figure.picture figcaption").textContent(), /^image 1, triangle-square\.png, 64 × 64 pixels$/);
    assert.match(await at.read.innerText(), /^\[image 1\]\s*What color is the triangle\?/);
  });

  test("has the same numbers in the table, the ranking and where it is pointed at", async () => {
    await view(page, "Table");
    const lines = await page.getByRole("table").getByRole("row").allTextContents();
    const names = await of.fields.evaluateAll((all) => all.map((field) => field.getAttribute("aria-label")));
    assert.match(names[0], /^row 1, column 1: [+-]?\d+\.\d+ nats$/);
    for (const [number, score] of whole.entries()) {
      const place = names[number].split(":")[0];
      const line = lines.find((line) => line.startsWith(`image 1, ${place}`) && /picture/.test(line));
      assert.ok(line, place);
      assert.ok(Math.abs(numberIn(line.slice(`image 1, ${place}`.length)) - score) < SHOWN, `${line}, but it is ${score}`);
    }
    await of.fields.nth(20).hover();
    const pointed = await page.locator("#pointed-at").textContent();
    assert.match(pointed, /^“image 1, row 3, column 5”: /);
    assert.ok(Math.abs(numberIn(pointed) - whole[20]) < SHOWN);
    await away();
    await view(page, "Ranking");
    assert.match(await page.getByRole("tabpanel").textContent(), /image 1, row \d, column \d/);
    await view(page, "Matrix");
    await page.getByRole("application", { name: /^Matrix of/ }).waitFor();
  });

  test("is tinted by single words of the answer at once, and by the whole again after", async () => {
    const before = await canvas();
    await at.tokens.first().hover();
    const first = await shown();
    await at.tokens.last().hover();
    const last = await shown();
    assert.notDeepEqual(first, last);
    first.forEach((score, part) => assert.ok(Math.abs(score + last[part] - whole[part]) < 1e-4));
    await away();
    assert.deepEqual(await shown(), whole);
    assert.equal(await canvas(), before);
  });

  test("is shown smoothed or as it is", async () => {
    const smooth = await canvas();
    await page.getByRole("checkbox", { name: /without smoothing/ }).check();
    assert.notEqual(await canvas(), smooth);
    await page.getByRole("checkbox", { name: /own strongest part/ }).check();
    // The strongest part now has the fullest colour that there is.
    const alpha = await page.locator(".map canvas").evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Math.max(...data.filter((_, at) => at % 4 === 3));
    });
    assert.ok(Math.abs(alpha - 0.7 * 255) < 3, String(alpha));
    for (const name of [/own strongest part/, /without smoothing/]) await page.getByRole("checkbox", { name }).uncheck();
    assert.equal(await canvas(), smooth);
  });

  test("is walked through with the arrow keys, which Shift makes choose", async () => {
    await of.map.locator("[tabindex='0']").focus();
    assert.equal(await of.map.locator("[tabindex='0']").count(), 1);
    const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    for (const key of ["Home", "ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
    assert.match(await focused(), /^row 3, column 2: /);
    assert.match(await page.locator("#pointed-at").textContent(), /row 3, column 2/);
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    const said = await of.region.textContent();
    assert.match(said, /^image 1, rows 3 to 4, columns 2 to 3, 4 parts: /);
    const sum = [17, 18, 25, 26].reduce((total, part) => total + whole[part], 0);
    assert.ok(Math.abs(numberIn(said) - sum) < SHOWN, `${said}, but it is ${sum}`);
    await page.keyboard.press("Escape");
    assert.equal(await of.region.textContent(), "");
  });

  test("has a region drawn in it, whose damping changes the answer", async () => {
    await of.fields.nth(0).hover();
    await page.mouse.down();
    await of.fields.nth(2 * 8 + 2).hover();
    await page.mouse.up();
    await away();
    assert.match(await of.region.textContent(), /^image 1, rows 1 to 3, columns 1 to 3, 9 parts: /);
    await at.button("Damp or amplify it").click();
    const panel = page.getByRole("tabpanel");
    const slider = panel.getByRole("slider", { name: "image 1, rows 1 to 3, columns 1 to 3" });
    assert.equal(await slider.inputValue(), "0.1", "as the explanation damped");
    await at.button("Write again").click();
    await idle(page);
    assert.equal(await said(page), "");
    const [before, after] = await panel.locator(".answers p").allTextContents();
    assert.equal(before, " red.");
    assert.ok(after.length > 0);
    console.log(`with the triangle damped, “${before.trim()}” became “${after.trim()}”`);
    await slider.fill("1");
    await at.button("Write again").click();
    await idle(page);
    await panel.getByRole("heading", { name: /× 1\.00/ }).waitFor();
    await at.button("Let go").click();
  });

  test("has no serious finding, and no sideways scrolling on a phone", async () => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      assert.deepEqual(await findings(page), [], colorScheme);
    }
    const size = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    await of.fields.nth(7).hover();
    const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= window, `${wide} pixels in a window of ${window}`);
    await page.setViewportSize(size);
    await away();
  });

  test("goes along in every file, and its example in a link", async () => {
    const saved = async (name) => {
      const coming = page.waitForEvent("download");
      await page.getByRole("group", { name: "Take it along" }).getByRole("button", { name, exact: true }).click();
      return readFile(await (await coming).path());
    };
    const document = JSON.parse(await saved("JSON"));
    assert.equal(document.images[0].name, "triangle-square.png");
    assert.equal(document.units.filter(({ image }) => image !== undefined).length, 64);
    assert.match((await saved("CSV")).toString(), /image 1, row 8, column 8/);
    for (const name of ["HTML", "SVG"]) assert.match((await saved(name)).toString(), /data:image\/png;base64,/, name);
    assert.equal((await saved("PNG")).subarray(1, 4).toString(), "PNG");
    await at.button("Copy link").click();
    const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    assert.deepEqual(JSON.parse(Buffer.from(link.split("#ask=")[1], "base64url")).pictures, ["triangle-square.png"]);
  });

  test("is divided more coarsely when it is asked for", async () => {
    await unfold(page, /^How it is explained/);
    for (const [label, count] of [["2 × 2 patches", 16], ["4 × 4 patches", 4], ["whole pictures", 1]]) {
      await page.getByRole("combobox", { name: "Pictures in" }).selectOption({ label });
      await at.button("Do it again").click();
      await idle(page);
      assert.equal(await said(page), "");
      assert.equal(await of.fields.count(), count, label);
      assert.ok((await shown()).every((score) => score !== null));
    }
    assert.equal(Object.keys(await relevance(page)).length > 1, true);
  });

  test("reports no error and asks nothing of any other machine", () => assertClean());
});
