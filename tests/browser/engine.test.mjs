// The engine in a browser's worker: the real model, streamed, agrees with the goldens on WebGPU and on the CPU path.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { loadModel, modelFile, openBlank, start, startWorker } from "./harness.mjs";

const NATS = 1e-3;
const RELATIVE = 1e-3;
const LOGITS = 1e-3;
const HEAP_BYTES = 200e6;

const golden = (name) => readFile(new URL(`../goldens/${name}.json`, import.meta.url), "utf8");

/** The model that the site carries, as the page asks for it. */
async function carried() {
  const folder = new URL("../../models/atman-tiny/", import.meta.url);
  const names = (await readdir(folder)).filter((name) => /\.(json|jinja|safetensors)$/.test(name));
  const file = async (name) => {
    const content = await readFile(new URL(name, folder));
    return { name, len_bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
  };
  return { "site-folder": { name: "atman-tiny", url: "models/atman-tiny/", files: await Promise.all(names.map(file)) } };
}

const DEVICES = [
  {
    device: "gpu",
    // Each takes a minute where a program emulates the GPU; natively all are compared on the GPU in every run.
    goldens: process.env.ATMAN_SLOW
      ? ["capitals.log-additive", "capitals.multiplicative", "capitals.shifted", "capitals.removed", "capitals.amplified"]
      : ["capitals.multiplicative", "capitals.shifted"],
  },
  {
    device: "cpu",
    goldens: [
      "capitals.log-additive",
      "capitals.multiplicative",
      "capitals.shifted",
      "capitals.shifted-full",
      "capitals.removed",
      "capitals.amplified",
    ],
  },
];

for (const { device, goldens } of DEVICES) {
  describe(`the engine on ${device === "gpu" ? "WebGPU" : "the CPU path"}`, () => {
    let session, worker, loaded;
    before(async () => {
      session = await start();
      worker = await startWorker(await openBlank(session));
    });
    after(() => session?.stop());

    test("starts on the device asked for and says why", async () => {
      const [report] = await worker.ask({ request: "start", device }, "device");
      assert.equal(report.event, "device", report.message);
      assert.equal(report.is_gpu, device === "gpu");
      assert.ok(report.description.length > 0 && report.reason.length > 0);
      if (report.is_gpu) {
        assert.ok(report.self_test.length > 0, "no kernel was compared with its twin");
        for (const { kernel, difference, bound } of report.self_test) assert.ok(difference <= bound, kernel);
      }
      console.log(`${report.description}: ${report.reason}`);
    });

    test("streams the model in pieces and holds it once", async () => {
      const events = await worker.ask(loadModel(), "loaded");
      loaded = events.at(-1);
      assert.equal(loaded.event, "loaded", loaded.message);
      const progress = events.filter(({ event }) => event === "progress").map(({ done_bytes }) => done_bytes);
      assert.ok(progress.length > 10 && progress.every((bytes, i) => i === 0 || bytes >= progress[i - 1]));
      const { size } = await stat(modelFile);
      assert.equal(session.requests.filter(({ path }) => path.startsWith("/models/")).length, 1, "the file was fetched once");
      const { weight_bytes, heap_bytes } = loaded.memory;
      assert.ok(weight_bytes <= 1.05 * size, `${weight_bytes} bytes of weights for a file of ${size}`);
      if (device === "gpu") assert.ok(heap_bytes < HEAP_BYTES, `WebAssembly's memory took ${heap_bytes} bytes`);
      console.log(`memory ${JSON.stringify(loaded.memory)}`);
    });

    for (const name of goldens) {
      test(`agrees with ${name} within ${NATS} nats`, async () => {
        assert.ok(loaded, "the model was not loaded");
        const [report] = await worker.ask({ request: "parity", golden: await golden(name) }, "parity");
        assert.equal(report.event, "parity", report.message);
        const { max_difference_nats, last_position_difference, time_ms, memory } = report;
        console.log(`${name}: ${max_difference_nats.toExponential(2)} nats, ${time_ms.toFixed(0)} ms, ${JSON.stringify(memory)}`);
        assert.ok(max_difference_nats < NATS, `${max_difference_nats} nats`);
        assert.ok((last_position_difference ?? 0) < RELATIVE, `last position: ${last_position_difference}`);
        if (device === "gpu") assert.ok(memory.heap_bytes < HEAP_BYTES, `WebAssembly's memory took ${memory.heap_bytes} bytes`);
      });
    }

    test("agrees with transformers on the model that the site carries, from words and pictures to logits", async () => {
      const [report] = (await worker.ask({ request: "load", from: await carried() }, "loaded")).slice(-1);
      assert.equal(report.event, "loaded", report.message);
      const [shipped] = await worker.ask({ request: "shipped", golden: await golden("atman-tiny") }, "shipped");
      assert.equal(shipped.event, "shipped", shipped.message);
      const greatest = Math.max(...shipped.differences);
      console.log(`logits of ${shipped.differences.length} prompts within ${greatest.toExponential(2)}`);
      assert.ok(shipped.differences.length >= 20 && greatest < LOGITS, `${greatest}`);
    });
  });
}
