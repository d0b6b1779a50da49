// Serves the built site on this machine. Knows byte ranges, which the page loads models with, and answers shortly where a
// browser has a file already.
//   node web/serve.mjs --site=dist [--port=8080]
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";
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
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".txt": "text/plain; charset=utf-8",
};

/** How many ports are tried, one after the other, where the first is taken. */
const PORTS = 100;

/** The path of a request, decoded; null where it cannot be. */
function pathOf(request) {
  try {
    return decodeURIComponent(new URL(`http://localhost${request.url}`).pathname);
  } catch {
    return null;
  }
}

/** The file that a path names, or null where it would lie outside of the site. */
function fileOf(path, { site, base = "/" }) {
  if (!path?.startsWith(base) || path.includes("\0")) return null;
  const rest = path.slice(base.length);
  const file = normalize(join(site, rest === "" || rest.endsWith("/") ? `${rest}index.html` : rest));
  return file.startsWith(normalize(site + sep)) ? file : null;
}

/** First and last byte of a `Range` header with one range; null for other forms, which a server may ignore. */
function rangeOf(header, length) {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!found || (found[1] === "" && found[2] === "")) return null;
  if (found[1] === "") return { first: Math.max(length - Number(found[2]), 0), last: length - 1 };
  const last = found[2] === "" ? length - 1 : Math.min(Number(found[2]), length - 1);
  return { first: Number(found[1]), last };
}

/** Whether the browser has this very file. */
function isUnchanged({ headers }, { tag, modified }) {
  const tags = headers["if-none-match"];
  if (tags !== undefined) return tags.split(",").some((one) => ["*", tag].includes(one.trim().replace(/^W\//, "")));
  return Date.parse(headers["if-modified-since"]) >= Date.parse(modified);
}

/** Whether a range is wanted, and not, by `If-Range`, only of another state of the file. */
function wantsRange({ headers }, { tag, modified }) {
  const condition = headers["if-range"];
  return condition === undefined || condition === tag || condition === modified;
}

/** The headers that the site's `_headers` names for all its files. */
async function headersOf(site) {
  const text = await readFile(join(site, "_headers"), "utf8").catch(() => "");
  return Object.fromEntries([...text.matchAll(/^ +([\w-]+): (.*)$/gm)].map(([, name, value]) => [name.toLowerCase(), value]));
}

async function answer(request, response, options) {
  const refuse = (status, text, head = {}) =>
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...head }).end(`${text}\n`);
  if (!["GET", "HEAD"].includes(request.method)) return refuse(405, "only files to read", { allow: "GET, HEAD" });
  const path = pathOf(request);
  const file = fileOf(path, options);
  const info = file && (await stat(file).catch(() => null));
  if (info?.isDirectory()) {
    // Without the slash, the page's relative addresses would miss the folder.
    return refuse(301, "a folder", { location: encodeURI(`${path.replace(/^\/+/, "/")}/`) });
  }
  if (!info?.isFile()) return refuse(404, `no such file: ${request.url}`);
  options.onRequest?.({ path, range: request.headers.range ?? null });
  const state = { tag: `"${info.size.toString(16)}-${Math.trunc(info.mtimeMs * 1000).toString(16)}"`, modified: info.mtime.toUTCString() };
  const head = {
    "cache-control": "no-cache",
    ...(await headersOf(options.site)),
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    etag: state.tag,
    "last-modified": state.modified,
  };
  if (options.ranges !== false) head["accept-ranges"] = "bytes";
  if (isUnchanged(request, state)) return response.writeHead(304, head).end();
  const isRanged = options.ranges !== false && wantsRange(request, state);
  const range = isRanged ? rangeOf(request.headers.range, info.size) : null;
  if (range && (range.first >= info.size || range.last < range.first)) {
    return refuse(416, "no such bytes", { "content-range": `bytes */${info.size}` });
  }
  const { first, last } = range ?? { first: 0, last: info.size - 1 };
  if (range) head["content-range"] = `bytes ${first}-${last}/${info.size}`;
  response.writeHead(range ? 206 : 200, { ...head, "content-length": last - first + 1 });
  if (request.method === "HEAD" || info.size === 0) return response.end();
  // Whoever asked may leave at any time, as one does who wanted no more than a header.
  return pipeline(createReadStream(file, { start: first, end: last }), ...(options.through?.(path) ?? []), response);
}

/** Listens on a port. */
const listen = (server, port) =>
  new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      done();
    });
  });

/**
 * Starts a server.
 * @param options.site folder of the built site
 * @param options.base path under which the site lies, with slashes around it; `/` by default
 * @param options.port where to listen, or at the next port that is free; 0, the default, picks any
 * @param options.ranges false to ignore Range headers, as some servers do
 * @param options.onRequest called with each file's path and Range header
 * @param options.through streams that a file's bytes pass through, by its path: how tests slow, cut or damage an answer
 * @returns the page's address, its port, and a way to stop
 */
export async function serve(options) {
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy());
  });
  const start = options.port ?? 0;
  for (let port = start; ; port += 1) {
    try {
      await listen(server, port);
      break;
    } catch (error) {
      if (error.code !== "EADDRINUSE" || port === Math.min(start + PORTS, 65_535)) throw error;
    }
  }
  const { port } = server.address();
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${port}${options.base ?? "/"}`, port, stop };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { site: { type: "string" }, port: { type: "string", default: "8080" } } });
  const wanted = Number(values.port);
  const { url, port } = await serve({ site: values.site, port: wanted });
  if (wanted !== 0 && port !== wanted) console.log(`Port ${wanted} is taken; port ${port} is free.`);
  console.log(`The page is at this address, until you press Ctrl+C:\n${url}`);
}
