// What a person wrote is theirs: it is read as they wrote it, and can be had back.
import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, describe, test } from "node:test";
import { PATIENCE, difference, explain, found, idle, loadModel, opened, parts, promptRelevance, said, unfold } from "./asking.mjs";
import { modelFile, openPage, start } from "./harness.mjs";

/** The same computation again, perhaps in other chunks. */
const NATS = 1e-3;
const MINE = "Mia has a bird. What pet does Mia have?";

describe("a person's own words", () => {
  let session, page, assertClean, at, back;
  before(async () => {
    session = await start();
    ({ page, assertClean } = await openPage(session));
    at = parts(page);
    back = at.button("Bring back what you had");
    await opened(page);
  });
  after(() => session?.stop());

  const drop = (name, content) =>
    page.evaluate(({ name, content }) => {
      const data = new DataTransfer();
      data.items.add(new File([typeof content === "string" ? content : new Uint8Array(content)], name));
      for (const kind of ["dragenter", "dragover", "drop"]) {
        document.querySelector(".ask").dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
      }
    }, { name, content });

  test("can be had back after an example has taken their place, and the other way round", async () => {
    assert.equal(await back.count(), 0, "nothing of theirs has been overwritten yet");
    await at.example("Two steps").click();
    assert.equal(await back.count(), 0, "one example took the place of another");
    await at.prompt.fill(MINE);
    await at.answer.fill(" bird.");
    await at.example("Who has what").click();
    assert.match(await at.prompt.inputValue(), /^Ann has a cat/);
    await back.click();
    assert.equal(await at.prompt.inputValue(), MINE);
    assert.equal(await at.answer.inputValue(), " bird.");
  });

  test("can be had back after the model has written in their place", async () => {
    await unfold(page, /^How it writes/);
    await page.getByRole("spinbutton", { name: "Most tokens" }).fill("4");
    await page.getByRole("spinbutton", { name: "Most tokens" }).blur();
    await at.answer.fill(" a bird, I think");
    await at.generate.click();
    await idle(page);
    assert.notEqual(await at.answer.inputValue(), " a bird, I think");
    await back.click();
    assert.equal(await at.answer.inputValue(), " a bird, I think");
    assert.equal(await at.prompt.inputValue(), MINE);
  });

  test("can be had back with their pictures", async () => {
    await at.example("A colour").click();
    await page.getByText("64 × 64 pixels, ").waitFor(PATIENCE);
    await at.prompt.fill("What color is the square?");
    await at.example("Two steps").click();
    assert.equal(await page.getByRole("img", { name: "Picture triangle-square.png" }).count(), 0);
    await back.click();
    assert.equal(await at.prompt.inputValue(), "What color is the square?");
    await page.getByRole("img", { name: "Picture triangle-square.png" }).waitFor();
    await explain(page, { prompt: "What color is the square?", answer: " red." });
    await page.getByRole("group", { name: /^Map of / }).waitFor();
    await at.example("Two steps").click();
  });

  test("are explained with the space that the model begins its answers with", async () => {
    await explain(page, { prompt: MINE, answer: " bird." });
    const spaced = await promptRelevance(page);
    await at.answer.fill("bird.");
    await page.locator("#answer-help").filter({ hasText: "with a space before it" }).waitFor(PATIENCE);
    await explain(page);
    assert.ok(difference(await promptRelevance(page), spaced) < NATS);
    assert.equal((await at.tokens.allTextContents()).join(""), " bird.");
    assert.equal(await at.answer.inputValue(), "bird.");
  });

  test("may name what stands for a picture", async () => {
    await explain(page, { prompt: "What does <image> mean?", answer: " a cat." });
    assert.ok((await at.read.textContent()).includes("<image>"));
    assert.ok((await promptRelevance(page)).some((score) => score !== null));
  });

  test("are marked where they are control tokens that imitate the template", async () => {
    await explain(page, { prompt: "Say <|im_end|> twice.", answer: " a cat." });
    await page.getByText(/imitates the chat template/).waitFor();
    assert.equal(await at.read.locator(".control").textContent(), "<|im_end|>");
    await explain(page, { prompt: MINE, answer: " bird." });
    assert.equal(await page.getByText(/imitates the chat template/).count(), 0);
  });

  test("come from a text that is dropped, and what was there can be had back", async () => {
    await at.prompt.fill(MINE);
    await drop("notes.txt", "\u{feff}The museum closes at six.");
    await page.waitForFunction(() => document.querySelector("#prompt").value.includes("closes at six"));
    assert.ok(!(await at.prompt.inputValue()).includes("\u{feff}"));
    await back.click();
    assert.equal(await at.prompt.inputValue(), MINE);
    await at.ready.waitFor();
  });

  test("stay, and so does the model, where what is dropped is of no use", async () => {
    for (const [name, content] of [["table.bin", [0, 1, 2, 255]], ["fake.gguf", "Dear diary"]]) {
      await drop(name, content);
      await at.alert.filter({ hasText: name }).waitFor(PATIENCE);
      assert.equal(await at.prompt.inputValue(), MINE);
      await at.ready.waitFor();
      assert.match(await at.model.locator("option:checked").textContent(), /AtMan Tiny/);
    }
    await explain(page, { prompt: MINE, answer: " bird." });
  });

  test("report no error and ask nothing of any other machine", () => assertClean());
});

describe("a link to a question of a model in a file", () => {
  let session, link;
  before(async () => { session = await start(); });
  after(() => session?.stop());

  const note = (page) => page.locator(".expected");

  test("carries what tells the model from others", async () => {
    const { page, context, assertClean } = await openPage(session, { permissions: ["clipboard-read", "clipboard-write"] });
    const at = parts(page);
    await opened(page);
    await at.model.selectOption("files");
    await page.getByLabel("Files", { exact: true }).setInputFiles(modelFile);
    await page.getByText(`Chosen: ${basename(modelFile)}`).waitFor(PATIENCE);
    await loadModel(page);
    await explain(page, { prompt: "Paris is in", answer: " France" });
    await at.button("Copy link").click();
    await page.getByText(/^The link holds the model’s name and SHA-256/).waitFor();
    link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    const { identity, model } = JSON.parse(Buffer.from(link.split("#ask=")[1], "base64url").toString());
    assert.equal(model, "nothing");
    assert.match(identity.sha256, /^[0-9a-f]{64}$/);
    assert.equal(identity.name, basename(modelFile));
    assertClean();
    await context.close();
  });

  test("is explained by no other model where that one is missing, and says which it is", async () => {
    const { page, context, assertClean } = await openPage(session, { path: link });
    const at = parts(page);
    await found(page);
    await note(page).filter({ hasText: basename(modelFile) }).waitFor(PATIENCE);
    assert.match(await note(page).textContent(), /SHA-256 [0-9a-f]{12}…/);
    await page.waitForTimeout(500);
    assert.equal(await page.getByRole("heading", { name: /^Why did the model say/ }).count(), 0);
    assert.equal(await at.prompt.inputValue(), "Paris is in");
    // Another model is taken on purpose alone, and the difference stays in sight.
    await at.model.selectOption({ label: "AtMan Tiny, built in" });
    await at.ready.waitFor(PATIENCE);
    await note(page).filter({ hasText: /AtMan Tiny is another/ }).waitFor();
    assert.equal(await said(page), "");
    assertClean();
    await context.close();
  });
});
