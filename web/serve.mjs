// Serves the built page, and models for it, on this machine. Knows byte ranges, which the page loads models with.
//   node web/serve.mjs --site=dist --models=FOLDER [--port=8080]
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** The file that a request's path names, or null where it would lie outside of both folders. */
function fileOf(path, { site, models }) {
  const [root, rest] = path.startsWith("/models/") ? [models, path.slice("/models".length)] : [site, path];
  if (!root) return null;
  const file = normalize(join(root, rest.endsWith("/") ? `${rest}index.html` : rest));
  return file.startsWith(normalize(root + sep)) ? file : null;
}

/** First and last byte of a `Range: bytes=a-b` header; null for other forms, which a server may ignore. */
function rangeOf(header, length) {
  const found = /^bytes=(\d+)-(\d*)$/.exec(header ?? "");
  if (!found) return null;
  const last = found[2] === "" ? length - 1 : Math.min(Number(found[2]), length - 1);
  return { first: Number(found[1]), last };
}

async function answer(request, response, options) {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  const file = fileOf(path, options);
  const info = file && (await stat(file).catch(() => null));
  if (!info?.isFile()) {
    response.writeHead(404, { "content-type": "text/plain" }).end(`no such file: ${path}\n`);
    return;
  }
  options.onRequest?.({ path, range: request.headers.range ?? null });
  const head = { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "cache-control": "no-cache" };
  const range = options.ranges === false ? null : rangeOf(request.headers.range, info.size);
  if (range && (range.first >= info.size || range.last < range.first)) {
    response.writeHead(416, { "content-range": `bytes */${info.size}` }).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: info.size - 1 };
  if (range) head["content-range"] = `bytes ${first}-${last}/${info.size}`;
  if (options.ranges !== false) head["accept-ranges"] = "bytes";
  response.writeHead(range ? 206 : 200, { ...head, "content-length": last - first + 1 });
  if (request.method === "HEAD" || info.size === 0) {
    response.end();
    return;
  }
  // Whoever asked may leave at any time, as one does who sees that ranges are ignored.
  createReadStream(file, { start: first, end: last }).on("error", () => response.destroy()).pipe(response);
}

/**
 * Starts a server.
 * @param options.site folder of the built page
 * @param options.models folder served under /models/, if any
 * @param options.port 0, the default, picks a free one
 * @param options.ranges false to ignore Range headers, as some servers do
 * @param options.onRequest called with each file's path and Range header
 * @returns the page's address, and a way to stop
 */
export async function serve(options) {
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy());
  });
  await new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(options.port ?? 0, "127.0.0.1", done);
  });
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${server.address().port}/`, stop };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = { site: { type: "string" }, models: { type: "string" }, port: { type: "string", default: "8080" } };
  const { values } = parseArgs({ options: names });
  const { url } = await serve({ ...values, port: Number(values.port) });
  console.log(`The page is at ${url} (end with Ctrl+C)`);
}
