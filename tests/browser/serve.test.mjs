// The server of `cargo xtask serve`, asked as browsers and others ask.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve } from "../../web/serve.mjs";

const CONTENT = "0123456789";
const PROGRAM = fileURLToPath(new URL("../../web/serve.mjs", import.meta.url));

describe("the server", () => {
  let folder, site, server;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "atman-serve-"));
    site = join(folder, "site");
    await mkdir(join(site, "models"), { recursive: true });
    await writeFile(join(folder, "secret.txt"), "secret");
    await writeFile(join(folder, "site-secret.txt"), "secret");
    await writeFile(join(site, "index.html"), "<title>page</title>");
    await writeFile(join(site, "a b.js"), "");
    await writeFile(join(site, "app.wasm"), "");
    await writeFile(join(site, "models/digits.gguf"), CONTENT);
    await writeFile(join(site, "_headers"), "/*\n  content-security-policy: default-src 'none'\n");
    server = await serve({ site });
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const get = (path, headers = {}, method = "GET") => fetch(new URL(path, server.url), { headers, method, redirect: "manual" });
  const digits = (headers, method) => get("models/digits.gguf", headers, method);

  /** The status of a request whose path is sent exactly as it stands. */
  const raw = (path) =>
    new Promise((done, failed) => {
      httpRequest({ host: "127.0.0.1", port: server.port, path }, (response) => {
        response.resume();
        done(response.statusCode);
      }).on("error", failed).end();
    });

  test("sends the page for the folder, whatever the query", async () => {
    for (const path of ["", "index.html", "?prompt=a#b"]) {
      const response = await get(path);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(await response.text(), "<title>page</title>");
    }
  });

  test("names the types that browsers insist on", async () => {
    assert.match((await get("a%20b.js")).headers.get("content-type"), /^text\/javascript/);
    assert.equal((await get("app.wasm")).headers.get("content-type"), "application/wasm");
  });

  test("sends the headers that the site names", async () => {
    assert.equal((await get("app.wasm")).headers.get("content-security-policy"), "default-src 'none'");
  });

  test("sends ranges of bytes", async () => {
    const ranges = { "bytes=0-3": "0123", "bytes=4-": "456789", "bytes=8-99": "89", "bytes=-2": "89", "bytes=-99": CONTENT };
    for (const [range, expected] of Object.entries(ranges)) {
      const response = await digits({ range });
      assert.equal(response.status, 206, range);
      assert.equal(await response.text(), expected, range);
      const first = CONTENT.indexOf(expected);
      assert.equal(response.headers.get("content-range"), `bytes ${first}-${first + expected.length - 1}/10`);
    }
  });

  test("refuses a range behind the end, and says how long the file is", async () => {
    for (const range of ["bytes=10-", "bytes=5-3", "bytes=-0"]) {
      const response = await digits({ range });
      assert.equal(response.status, 416, range);
      assert.equal(response.headers.get("content-range"), "bytes */10");
    }
  });

  test("sends the whole file where a range means nothing to it", async () => {
    for (const range of ["bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b"]) {
      const response = await digits({ range });
      assert.equal(response.status, 200, range);
      assert.equal(await response.text(), CONTENT);
    }
  });

  test("sends a range only of the file that was meant", async () => {
    const tag = (await digits()).headers.get("etag");
    assert.equal((await digits({ range: "bytes=0-3", "if-range": tag })).status, 206);
    assert.equal((await digits({ range: "bytes=0-3", "if-range": '"another"' })).status, 200);
  });

  test("answers HEAD with length and type, and without content", async () => {
    const response = await digits({}, "HEAD");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-length"), "10");
    assert.equal(response.headers.get("accept-ranges"), "bytes");
    assert.equal(await response.text(), "");
  });

  test("sends a file again only after a change", async () => {
    const path = join(site, "changing.css");
    await writeFile(path, "a");
    const first = await get("changing.css");
    assert.equal(first.headers.get("cache-control"), "no-cache");
    const [tag, modified] = [first.headers.get("etag"), first.headers.get("last-modified")];
    assert.equal((await get("changing.css", { "if-none-match": tag })).status, 304);
    assert.equal((await get("changing.css", { "if-none-match": `"x", W/${tag}` })).status, 304);
    assert.equal((await get("changing.css", { "if-modified-since": modified })).status, 304);
    await writeFile(path, "b");
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    assert.equal((await get("changing.css", { "if-none-match": tag })).status, 200);
    assert.equal((await get("changing.css", { "if-modified-since": modified })).status, 200);
  });

  test("knows no file outside of the site", async () => {
    const paths = ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/models/..%2f..%2fsecret.txt", "/..%2fsite-secret.txt"];
    for (const path of [...paths, "//secret.txt", "/none", "/%00", "/%ff", "/models/"]) assert.equal(await raw(path), 404, path);
    assert.equal(await raw("/models/..%2findex.html"), 200);
  });

  test("leads from a folder's name into the folder", async () => {
    const response = await get("models");
    assert.equal(response.status, 301);
    assert.equal(response.headers.get("location"), "/models/");
    // Not to a machine of that name.
    const doubled = await fetch(`${server.url}/models`, { redirect: "manual" });
    assert.equal(doubled.headers.get("location"), "/models/");
  });

  test("takes nothing from anyone", async () => {
    const response = await digits({}, "POST");
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, HEAD");
  });

  test("serves a site in a folder of another", async () => {
    const below = await serve({ site, base: "/some/where/" });
    try {
      assert.equal((await fetch(new URL("models/digits.gguf", below.url))).status, 200);
      assert.equal((await fetch(new URL("/models/digits.gguf", below.url))).status, 404);
    } finally {
      await below.stop();
    }
  });

  test("takes the next port where one is taken, and says so", async () => {
    const program = spawn(process.execPath, [PROGRAM, `--site=${site}`, `--port=${server.port}`]);
    try {
      let said = "";
      for await (const piece of program.stdout) {
        said += piece;
        if (/^http.*\n/m.test(said)) break;
      }
      assert.match(said, new RegExp(`Port ${server.port} is taken`));
      const [address, port] = /^http:\/\/127\.0\.0\.1:(\d+)\/$/m.exec(said) ?? assert.fail(said);
      assert.ok(Number(port) > server.port);
      assert.equal((await fetch(address)).status, 200);
    } finally {
      program.kill();
    }
  });
});
