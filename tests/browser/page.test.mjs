// The page as a person uses it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { modelFile, modelUrl, start } from "./harness.mjs";

const LOADING = { timeout: 120_000 };

describe("the page", () => {
  let session, page;
  const problems = [];
  const strangers = [];
  before(async () => {
    session = await start();
    page = await session.browser.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.context().on("request", (request) => {
      if (!request.url().startsWith(session.url) && !request.url().startsWith("data:")) strangers.push(request.url());
    });
    await page.goto(session.url);
  });
  after(() => session?.stop());

  const error = () => page.locator(".error").textContent();

  test("chooses the processor where the GPU is only emulated, and says so", async () => {
    await page.locator("#device strong").waitFor();
    const text = await page.locator("#device").textContent();
    assert.match(text, /CPU|processor/i);
    assert.match(text, /software/i);
  });

  test("loads a model from an address, with one progress bar", async () => {
    await page.getByLabel("GGUF file at an address").fill(modelUrl);
    await page.getByRole("button", { name: "Load", exact: true }).click();
    await page.getByRole("progressbar").waitFor();
    assert.equal(await page.getByRole("progressbar").count(), 1);
    await page.locator("#model").waitFor(LOADING);
    assert.match(await page.locator("#model").textContent(), /30 layers/);
    assert.equal(await page.getByRole("progressbar").count(), 0);
    assert.equal(await error(), "");
  });

  test("can be stopped while it loads", async () => {
    await page.getByRole("button", { name: "Load", exact: true }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("progressbar").waitFor({ state: "detached" });
    assert.equal(await page.locator("#model").count(), 0);
    assert.equal(await error(), "");
  });

  test("loads a picked file", async () => {
    await page.getByLabel("Files on this machine").setInputFiles(modelFile);
    await page.locator("#model").waitFor(LOADING);
    assert.equal(await error(), "");
  });

  test("shows each kernel's self-test on WebGPU", async () => {
    await page.getByLabel("Run on").selectOption("gpu");
    await page.getByText("Self-test").click();
    assert.ok((await page.locator("#device + details tbody tr").count()) > 0);
  });

  test("asks nothing of any other machine, and reports no error", () => {
    assert.deepEqual(problems, []);
    assert.deepEqual(strangers, []);
  });
});
