// The page from nothing to an explanation, on the processor and on WebGPU, with the command line's numbers.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PATIENCE, ROME, explain, fromCommandLine, idle, isWholeSite, loadModel, parts, relevance, said, started, unfold, watchWorker, write } from "./asking.mjs";
import { openPage, start } from "./harness.mjs";

const NATS = 1e-3;
const FIRST_TINT_MS = 15_000;

/** Notes on every frame how far the bars of the page are, until `read` is called. */
async function watchBars(page) {
  await page.evaluate(() => {
    window.bars = [];
    const look = () => {
      const bars = [...document.querySelectorAll("progress, [role=progressbar]")];
      if (bars.length > 0) window.bars.push({ count: bars.length, position: bars[0].position });
      if (window.bars !== null) window.looking = requestAnimationFrame(look);
    };
    look();
  });
  const read = () => page.evaluate(() => {
    cancelAnimationFrame(window.looking);
    return window.bars;
  });
  return read;
}

/** One bar at a time, which never goes back and does not stand still. */
function assertAdvances(bars) {
  assert.ok(bars.every(({ count }) => count === 1), "there were several bars");
  const positions = bars.map(({ position }) => position);
  assert.ok(positions.every((position, at) => position >= 0 && position <= 1 && (at === 0 || position >= positions[at - 1])), String(positions));
  assert.ok(new Set(positions).size > 3, `the bar stood still: ${positions}`);
}

/** Lets a test take the GPU away: the worker gives its device up when a message says so. */
async function holdDevice(context) {
  await watchWorker(context);
  await context.route("**/worker_loader.js", async (route) => {
    const script = `const request = GPUAdapter.prototype.requestDevice;
      let held;
      GPUAdapter.prototype.requestDevice = async function (...how) { return (held = await request.apply(this, how)); };
      new BroadcastChannel("take the device").onmessage = () => held.destroy();`;
    await route.fulfill({ contentType: "text/javascript", body: `${script}\n${await (await route.fetch()).text()}` });
  });
}

const DEVICES = [
  { on: "the processor", choice: null, says: /Runs on the processor, since there is no GPU/ },
  { on: "WebGPU", choice: "the GPU (WebGPU)", says: /Runs on the GPU/ },
];

for (const { on, choice, says } of DEVICES) {
  describe(`the page on ${on}`, () => {
    let session, page, assertClean, expected, at;
    before(async () => {
      expected = await fromCommandLine(ROME);
      session = await start();
      const options = choice ? { serviceWorkers: "block", prepare: holdDevice } : {};
      ({ page, assertClean } = await openPage(session, options));
      at = parts(page);
      await started(page);
    });
    after(() => session?.stop());

    test("says what it runs on, and why", async () => {
      await unfold(page, /^Runs on/);
      if (choice) await page.getByLabel("Run on").selectOption({ label: choice });
      await page.getByText(says).waitFor(PATIENCE);
      const device = await page.locator("#device").textContent();
      // Here a program emulates the GPU: taken where it was asked for, and otherwise named as the reason not to.
      assert.match(device, choice ? /webgpu.*software/is : /CPU.*software/is);
      if (choice) {
        await unfold(page, /^Self-test/);
        assert.ok((await page.getByRole("row").filter({ hasText: /e-/ }).count()) > 0, "no kernel was compared");
      }
    });

    test("says what the model takes before anything is loaded", async () => {
      assert.match(await at.model.locator("option:checked").textContent(), /SmolLM2 135M/);
      const facts = await page.locator("#facts").textContent();
      assert.match(facts, /98\.4 MB.*memory.*Apache-2\.0/);
    });

    test("loads the model with one bar that never goes back", async () => {
      const bars = await watchBars(page);
      await loadModel(page);
      assertAdvances(await bars());
      assert.equal(await page.getByRole("progressbar").count(), 0);
      assert.equal(await said(page), "");
    });

    test("tints unit by unit, soon, with the command line's numbers", async () => {
      await at.example("A fact").click();
      assert.equal(await at.prompt.inputValue(), ROME.prompt);
      assert.equal(await at.answer.inputValue(), ROME.answer);
      await page.evaluate(() => {
        window.tinted = [];
        const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Explain");
        button.addEventListener("click", () => {
          const clicked = performance.now();
          const note = () => window.tinted.push({
            count: document.querySelectorAll("[data-unit][data-relevance]").length,
            ms: performance.now() - clicked,
          });
          const watch = new MutationObserver(note);
          watch.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-relevance"] });
        }, { once: true, capture: true });
      });
      await at.explain.click();
      await idle(page);
      assert.equal(await said(page), "");
      // From when the explanation that was there before is gone.
      const noted = await page.evaluate(() => window.tinted);
      const tinted = noted.slice(noted.findIndex(({ count }) => count === 0));
      const counts = [...new Set(tinted.map(({ count }) => count))];
      assert.ok(counts.length > 3, `the tints came all at once: ${counts}`);

      const shown = await relevance(page);
      const { scores } = expected;
      assert.equal(Object.keys(shown).length, scores.length);
      const largest = Math.max(...scores.map((score, unit) => Math.abs(score - shown[unit])));
      const { ms } = tinted.find(({ count }) => count > 0);
      console.log(`${on}: first tint after ${ms.toFixed(0)} ms, all ${scores.length} within ${largest.toExponential(1)} nats of the command line`);
      assert.ok(largest < NATS, `${largest} nats`);
      const texts = await at.read.locator("[data-unit]").allTextContents();
      assert.equal(texts.join(""), ROME.prompt);
      // The limit is for the processor; where a program emulates the GPU there is none.
      if (isWholeSite && !choice) assert.ok(ms <= FIRST_TINT_MS, `the first tint came after ${ms} ms`);
    });

    test("names the strongest word to those who listen", async () => {
      const status = page.getByRole("status").filter({ hasText: "strongest" });
      assert.match(await status.textContent(), /The strongest part is “Italy”: \+5\.\d+ nats/);
    });

    test("streams an answer to a prompt", async () => {
      await unfold(page, "How it writes");
      await page.getByRole("spinbutton", { name: "Most tokens" }).fill("6");
      await page.getByRole("spinbutton", { name: "Temperature" }).fill("0");
      await page.getByRole("spinbutton", { name: "Temperature" }).blur();
      await page.evaluate(() => {
        window.lengths = [];
        const answer = document.querySelector("#answer");
        const look = () => { window.lengths.push(answer.value.length); window.looking = requestAnimationFrame(look); };
        look();
      });
      await at.generate.click();
      await idle(page);
      const lengths = await page.evaluate(() => { cancelAnimationFrame(window.looking); return window.lengths; });
      const answer = await at.answer.inputValue();
      assert.match(answer, /^ Rome/);
      assert.ok(new Set(lengths).size > 3, `it did not come piece by piece: ${[...new Set(lengths)]}`);
      assert.equal(await said(page), "");
    });

    // Where a program emulates the GPU that would take a minute, and is no other way through the page.
    if (!choice) {
      test("explains what the model wrote", async () => {
        await explain(page);
        const tokens = await at.tokens.allTextContents();
        assert.equal(tokens.join(""), await at.answer.inputValue());
        await page.getByRole("heading", { name: /^Why did the model say “Rome/ }).waitFor();
      });
    }

    if (choice) {
      test("goes on where the GPU is taken away on the way", async () => {
        const short = { prompt: "Paris is the capital of", answer: " France" };
        await write(page, short);
        await page.evaluate(() => {
          window.rebuilt = 0;
          const listen = ({ data }) => { if (JSON.parse(data).event.event === "rebuilding") window.rebuilt += 1; };
          window.engine.addEventListener("message", listen);
        });
        await at.explain.click();
        await page.getByRole("heading", { name: /France/ }).waitFor(PATIENCE);
        await page.evaluate(() => new BroadcastChannel("take the device").postMessage("now"));
        await idle(page);
        assert.equal(await said(page), "");
        assert.equal(await page.evaluate(() => window.rebuilt), 1);
        const { scores } = await fromCommandLine(short);
        const shown = await relevance(page);
        assert.ok(Math.max(...scores.map((score, unit) => Math.abs(score - shown[unit]))) < NATS);
      });
    }

    test("reports no error and asks nothing of any other machine", () => assertClean());
  });
}
