// What a person does on the page, for the tests: found by what a person sees or hears, not by how it is built.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { modelFile, setting, site } from "./harness.mjs";

/** Long enough for the slowest thing on a small machine; nothing waits for it where all is well. */
export const PATIENCE = { timeout: 300_000 };

/** A question whose answer rests on few words. */
export const ROME = { prompt: "The capital of France is Paris. The capital of Italy is", answer: " Rome." };

/** An answer long enough to select in. */
export const LONG_ANSWER = " Rome, and the capital of Spain is Madrid.";

/** What the list of models calls the one that has to be fetched. */
export const SMOLLM2 = "catalogue:smollm2-135m-instruct";

/** What it calls the one that comes with the page. */
export const TINY = "catalogue:atman-tiny";

/** Whether this is the whole site, optimised: not what a person who works on the page has built quickly, too slow for limits of
 * time to say anything. */
export const isWholeSite = existsSync(join(site, "sw.js"));

/** The parts of the page that keep their names. */
export function parts(page) {
  const button = (name) => page.getByRole("button", { name, exact: true });
  return {
    prompt: page.getByRole("textbox", { name: "Prompt", exact: true }),
    answer: page.getByRole("textbox", { name: "Answer", exact: true }),
    model: page.getByRole("combobox", { name: "Model", exact: true }),
    generate: button("Generate"),
    explain: button("Explain"),
    stop: button("Stop"),
    load: button("Load"),
    loading: page.getByRole("progressbar", { name: "loading" }),
    ready: page.getByText("Ready", { exact: true }),
    read: page.getByRole("group", { name: "What it read" }),
    said: page.getByRole("listbox", { name: /^What it said/ }),
    tokens: page.getByRole("listbox", { name: /^What it said/ }).getByRole("option"),
    alert: page.getByRole("alert"),
    button,
    example: (name) => page.getByRole("group", { name: "Examples" }).getByRole("button", { name, exact: true }),
    /** Words of the tinted prompt that hold this text. */
    unit: (text) => page.getByRole("group", { name: "What it read" }).getByRole("button", { name: text }),
  };
}

/** Waits until nothing is under way. */
export const idle = (page) => page.getByRole("button", { name: "Stop", exact: true, disabled: true }).waitFor(PATIENCE);

/** Waits until a device has been chosen. */
export async function found(page) {
  await page.getByText(/^Runs on the (GPU|processor)/).waitFor(PATIENCE);
}

/** Waits until the page has done what it does by itself: loaded the built-in model, and explained its first example. */
export async function opened(page) {
  await parts(page).ready.waitFor(PATIENCE);
  await page.getByRole("heading", { name: /^Why did the model say/ }).waitFor(PATIENCE);
  await idle(page);
}

/** The page with nothing asked yet, and a model chosen that has to be loaded first. */
export async function started(page) {
  await found(page);
  await opened(page);
  await parts(page).model.selectOption(SMOLLM2);
  await write(page, { prompt: "", answer: "" });
}

/** Has the model of the site loaded. */
export async function loadModel(page) {
  const { load, ready } = parts(page);
  await load.click(PATIENCE);
  await ready.waitFor(PATIENCE);
}

/** Writes prompt and answer. */
export async function write(page, { prompt, answer }) {
  await parts(page).prompt.fill(prompt);
  await parts(page).answer.fill(answer);
}

/** Has the question explained, to its end. */
export async function explain(page, question) {
  if (question) await write(page, question);
  await parts(page).explain.click(PATIENCE);
  await idle(page);
  assert.equal(await said(page), "");
}

/** What the page reports as wrong. */
export const said = async (page) => (await page.getByRole("alert").allTextContents()).join("");

/** Each unit's relevance as it is shown now, by the unit's number: of prompt and answer. */
export const relevance = (page) =>
  page.evaluate(() => {
    const shown = {};
    for (const element of document.querySelectorAll("[data-unit][data-relevance]")) {
      shown[element.dataset.unit] = Number(element.dataset.relevance);
    }
    return shown;
  });

/** Each prompt unit's relevance as it is shown now, in the order of the text. */
export const promptRelevance = (page) =>
  parts(page).read.evaluate((root) =>
    [...root.querySelectorAll("[data-unit]")].map(({ dataset }) => (dataset.relevance === undefined ? null : Number(dataset.relevance))));

/** Largest difference of two lists of numbers, which must know the same. */
export function difference(ours, theirs) {
  assert.equal(ours.length, theirs.length);
  assert.deepEqual(ours.map((value) => value === null), theirs.map((value) => value === null));
  return Math.max(...ours.map((value, at) => (value === null ? 0 : Math.abs(value - theirs[at]))));
}

/** Shows one of the ways of looking at an explanation. */
export const view = (page, name) => page.getByRole("tab", { name }).click();

/** Opens a part of the page that is folded away. */
export async function unfold(page, name) {
  const summary = page.locator("summary", { hasText: name });
  if (!(await summary.evaluate(({ parentElement }) => parentElement.open))) await summary.click();
}

/** What the command line says to the same question, with its own defaults. */
export async function fromCommandLine({ prompt, answer }, ...more) {
  const words = ["explain", "--model", modelFile, "--device", "cpu", "--prompt", prompt, "--target", answer, "--format", "json"];
  const { stdout } = await promisify(execFile)(setting("ATMAN_CLI"), [...words, ...more], { maxBuffer: 64e6 });
  return JSON.parse(stdout);
}

/** Notes what the page tells its worker, and lets a test talk to it: `window.engine`, `window.told`. For a context that has
 * no page yet. */
export const watchWorker = (context) =>
  context.addInitScript(() => {
    window.told = [];
    window.Worker = class extends Worker {
      constructor(...how) {
        super(...how);
        window.engine = this;
      }
      postMessage(message, ...rest) {
        window.told.push(JSON.parse(message[0]).request.request);
        super.postMessage(message, ...rest);
      }
    };
  });
