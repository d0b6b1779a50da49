// The built site as a host hands it out: its policy, its place, without a network, and from one build to the next.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { finish, policyOf } from "../../web/finish.mjs";
import { report, sizes } from "../../web/sizes.mjs";
import { serve } from "../../web/serve.mjs";
import { modelFile, openPage, site, start, startWorker } from "./harness.mjs";

/** A copy of the site without models, for a test to change. */
async function copyOfSite() {
  const folder = await mkdtemp(join(tmpdir(), "atman-site-"));
  await cp(site, folder, { recursive: true, filter: (path) => !path.endsWith(".gguf") });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Waits until the service worker has all files and answers for the page. */
const isKept = (page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((done) => { setTimeout(done, 20); });
  });

/** Waits until page and engine run: the page shows something, and a worker of its address listens. */
async function runs(page) {
  await page.locator("body :is(main, h1)").first().waitFor();
  await startWorker(page);
}

describe("the built site", () => {
  test("holds no script within the page, and a strict policy", async () => {
    const html = await readFile(join(site, "index.html"), "utf8");
    const directives = new Map(policyOf(html).split("; ").map((one) => [one.split(" ")[0], one.split(" ").slice(1)]));
    assert.deepEqual(directives.get("default-src"), ["'none'"]);
    assert.deepEqual(directives.get("script-src"), ["'self'", "'wasm-unsafe-eval'"]);
    for (const sources of directives.values()) {
      for (const source of sources) assert.ok(!["'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"].includes(source), source);
    }
    assert.doesNotMatch(html, /\son\w+=|<style|\sstyle=|javascript:/i);
    // A policy binds only what comes after it.
    assert.ok(html.indexOf("content-security-policy") < html.search(/<(script|link)/));
  });

  test("is refused by the build with a script within the page, or without a policy", () => {
    const policy = `<meta http-equiv="content-security-policy" content="default-src 'none'">`;
    assert.throws(() => policyOf("<script src='a.js'></script>"), /no content security policy/);
    assert.throws(() => policyOf(`${policy}<script type="module">go()</script>`), /holds a script/);
    assert.equal(policyOf(`${policy}<script type="module" src="a.js"></script>`), "default-src 'none'");
  });

  test("names its files relative to the page", async () => {
    const html = await readFile(join(site, "index.html"), "utf8");
    assert.doesNotMatch(html, /\s(src|href|data-js|data-wasm)="\//);
  });

  test("lists the models that it offers, and holds them", async () => {
    const { files } = JSON.parse(await readFile(join(site, "models/index.json"), "utf8"));
    assert.ok(files.includes(basename(modelFile)));
    for (const name of files) assert.ok((await stat(join(site, "models", name))).isFile());
    assert.equal((await stat(join(site, "models", basename(modelFile)))).size, (await stat(modelFile)).size);
  });

  test("is within the limit of size, which counts WebAssembly alone", async () => {
    const measured = await sizes(site);
    const { text, total, isWithinLimit } = report(measured);
    assert.ok(isWithinLimit, text);
    const wasm = measured.filter(({ name }) => name.endsWith(".wasm"));
    assert.equal(wasm.length, 2);
    assert.equal(total.brotliBytes, wasm[0].brotliBytes + wasm[1].brotliBytes);
    assert.ok(!report(measured, total.brotliBytes - 1).isWithinLimit);
  });
});

describe("the content security policy", () => {
  let foreign, copy;
  before(async () => {
    copy = await copyOfSite();
    await writeFile(
      join(copy.folder, "probe.js"),
      `onmessage = async ({ data }) => {
         let blocked = null;
         addEventListener("securitypolicyviolation", (event) => { blocked = event.effectiveDirective; });
         const outcome = await fetch(data, { mode: "no-cors" }).then(() => "reached", () => "failed");
         await new Promise((done) => { setTimeout(done, 50); });
         postMessage([outcome, blocked]);
       };`,
    );
    await finish(copy.folder);
    foreign = await serve({ site });
  });
  after(async () => {
    await foreign?.stop();
    await copy?.remove();
  });

  /** What becomes of a request to another origin, made by a worker of the page. */
  const askFromWorker = (page) =>
    page.evaluate((address) => new Promise((done) => {
      const worker = new Worker("probe.js", { type: "module" });
      worker.onmessage = ({ data }) => done(data);
      worker.postMessage(address);
    }), foreign.url);

  test("stops a script within the page, and the page's requests to others", async () => {
    const session = await start({ site: copy.folder });
    try {
      const { page, requests } = await openPage(session);
      const outcome = await page.evaluate(async (address) => {
        const blocked = [];
        addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.head.append(script);
        const image = document.createElement("div");
        document.body.append(image);
        image.innerHTML = '<img src="x" onerror="window.ran = true">';
        const answer = await fetch(address, { mode: "no-cors" }).then(() => "reached", () => "failed");
        await new Promise((done) => { setTimeout(done, 200); });
        return { ran: window.ran ?? false, answer, blocked: [...new Set(blocked)].sort() };
      }, foreign.url);
      assert.deepEqual(outcome, { ran: false, answer: "failed", blocked: ["connect-src", "script-src-attr", "script-src-elem"] });
      assert.ok(!requests.includes(foreign.url));
    } finally {
      await session.stop();
    }
  });

  test("binds the worker, where the host sends the headers that the site names", async () => {
    const session = await start({ site: copy.folder });
    try {
      const { page } = await openPage(session, { serviceWorkers: "block" });
      assert.deepEqual(await askFromWorker(page), ["failed", "connect-src"]);
    } finally {
      await session.stop();
    }
  });

  test("binds the worker through the service worker, where the host sends no headers", async () => {
    await rm(join(copy.folder, "_headers"));
    const session = await start({ site: copy.folder });
    try {
      const { page } = await openPage(session);
      await isKept(page);
      assert.deepEqual(await askFromWorker(page), ["failed", "connect-src"]);
    } finally {
      await session.stop();
    }
  });
});

for (const base of ["/", "/some/where/"]) {
  describe(`the site at ${base}`, () => {
    let session, opened;
    before(async () => { session = await start({ base }); });
    after(() => session?.stop());

    test("opens and starts its engine", async () => {
      opened = await openPage(session);
      await runs(opened.page);
      await isKept(opened.page);
      opened.assertClean();
      assert.ok(session.requests.every(({ path }) => path.startsWith(base)));
    });

    test("opens from what is kept, whatever the query", async () => {
      const fetched = () => session.requests.filter(({ path }) => !/sw\.js$|models\//.test(path)).length;
      const before = fetched();
      await opened.page.goto(`${session.url}?prompt=a#b`);
      await runs(opened.page);
      assert.equal(fetched(), before);
      opened.assertClean();
    });

    test("opens without a network", async () => {
      await opened.context.setOffline(true);
      await opened.page.reload();
      await runs(opened.page);
      const models = await opened.page.evaluate(async () => (await fetch("models/index.json")).json());
      assert.deepEqual(models, { files: [basename(modelFile)] });
      opened.assertClean();
    });

    test("leaves models to the network", async () => {
      await opened.context.setOffline(false);
      const model = `models/${basename(modelFile)}`;
      const [status, length] = await opened.page.evaluate(async (model) => {
        const response = await fetch(model, { headers: { range: "bytes=0-3" } });
        return [response.status, (await response.arrayBuffer()).byteLength];
      }, model);
      assert.deepEqual([status, length], [206, 4]);
      const kept = await opened.page.evaluate(async () => {
        const keys = (await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url));
        return (await Promise.all(keys)).flat();
      });
      assert.ok(kept.length > 5 && !kept.some((url) => url.endsWith(".gguf")));
    });
  });
}

describe("a new build", () => {
  let copy, session;
  const mark = async (name) => {
    const path = join(copy.folder, "index.html");
    const html = await readFile(path, "utf8");
    await writeFile(path, html.replace(/<html lang="en"[^>]*>/, `<html lang="en" data-build="${name}">`));
    return finish(copy.folder);
  };
  const build = (page) => page.evaluate(() => document.documentElement.dataset.build);
  const becomes = (page, name) => page.locator(`html[data-build="${name}"]`).waitFor({ state: "attached", timeout: 10_000 });
  const cacheNames = (page) => page.evaluate(() => caches.keys());
  before(async () => {
    copy = await copyOfSite();
    await mark("one");
    session = await start({ site: copy.folder });
  });
  after(async () => {
    await session?.stop();
    await copy?.remove();
  });

  test("has another version, and the same files have the same", async () => {
    const first = await finish(copy.folder);
    assert.equal(await finish(copy.folder), first);
    assert.notEqual(await mark("other"), first);
    assert.equal(await mark("one"), first);
  });

  test("is there after the next reload, and the older one is dropped", async () => {
    const { page, assertClean } = await openPage(session);
    await isKept(page);
    await page.evaluate(() => caches.open("of someone else"));
    const version = await mark("two");
    await page.reload();
    await becomes(page, "two");
    await isKept(page);
    await runs(page);
    assert.deepEqual((await cacheNames(page)).sort(), [`atman ${session.url} ${version}`, "of someone else"]);
    await page.reload();
    assert.equal(await build(page), "two");
    assertClean();
  });

  test("waits while another tab has the page open, and as long as a person works on it", async () => {
    const { page, context, assertClean } = await openPage(session);
    await isKept(page);
    const other = await context.newPage();
    await other.goto(session.url);
    const waits = () => page.evaluate(async () => {
      while (!(await navigator.serviceWorker.getRegistration()).waiting) await new Promise((done) => { setTimeout(done, 20); });
    });
    await mark("three");
    await page.reload();
    await waits();
    await page.waitForTimeout(300);
    for (const one of [page, other]) assert.equal(await build(one), "two");
    // Both still get the files of their own build.
    const text = await other.evaluate(async () => (await fetch("index.html")).text());
    assert.match(text, /data-build="two"/);
    await page.mouse.click(5, 5);
    await page.waitForTimeout(300);
    await other.close();
    await page.waitForTimeout(600);
    assert.equal(await build(page), "two");
    // A browser may take a while to forget a tab that was closed.
    for (let reloads = 0; reloads < 5 && (await build(page)) !== "three"; reloads += 1) {
      await page.reload();
      await becomes(page, "three").catch(() => {});
    }
    assert.equal(await build(page), "three");
    assertClean();
  });

  test("is there at once where there is no service worker", async () => {
    const { page, assertClean } = await openPage(session, { serviceWorkers: "block" });
    const loader = () => page.evaluate(async () => (await fetch("worker_loader.js")).text());
    await runs(page);
    const before = await loader();
    await writeFile(join(copy.folder, "worker_loader.js"), `${before}// of the next build`);
    await mark("three without service worker");
    await page.reload();
    assert.equal(await build(page), "three without service worker");
    assert.equal(await loader(), `${before}// of the next build`);
    await writeFile(join(copy.folder, "worker_loader.js"), before);
    await mark("three");
    assertClean();
  });

  test("is not kept where its files do not belong together", async () => {
    const { page } = await openPage(session);
    await isKept(page);
    await mark("four");
    await writeFile(join(copy.folder, "worker_loader.js"), "// of yet another build");
    await page.reload();
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration.update().catch(() => {});
      while (registration.installing) await new Promise((done) => { setTimeout(done, 20); });
      if (registration.waiting) throw new Error("a mixed build is waiting");
    });
    assert.equal(await build(page), "three");
    await page.reload();
    assert.equal(await build(page), "three");
  });
});
