// Keeps the page's own files, so that it opens without a network, and its files are always of one build.
//
// The build puts a line before this that defines BUILD: its version, its content security policy, and the SHA-256 of each of
// its files. What is not among these files goes to the network as if there were no service worker; this asks no other site.
const SCOPE = self.registration.scope;
const PAGE = "index.html";
const MODELS = "models/index.json";
/** Caches of this site begin so; another site of this origin lies in another folder, and so has another scope. */
const PREFIX = `atman ${SCOPE} `;
const CACHE = PREFIX + BUILD.version;

/** Key and address of a file. The page goes by its folder, since some hosts redirect from its file name. */
const address = (name) => new URL(name === PAGE ? "./" : name, SCOPE).href;

/** An answer to keep: one's own, for it to carry the policy, which binds workers only by this header. */
function kept(response) {
  const headers = new Headers({ "content-security-policy": BUILD.policy });
  const type = response.headers.get("content-type");
  if (type) headers.set("content-type", type);
  return new Response(response.body, { headers });
}

/** Fetches all files; one that is missing, or is of another build, fails the whole. */
async function install() {
  const cache = await caches.open(CACHE);
  const keep = async ([name, integrity]) => {
    const response = await fetch(address(name), { cache: "no-cache", integrity });
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    await cache.put(address(name), kept(response));
  };
  await Promise.all(Object.entries(BUILD.files).map(keep));
  // Which models there are may change without a new build, and may be missing.
  await models().catch(() => {});
}

/** The list of models from the network, or else the one last seen. */
async function models() {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(address(MODELS), { cache: "no-cache" });
    if (response.ok) await cache.put(address(MODELS), response.clone());
    return response;
  } catch (error) {
    const last = await cache.match(address(MODELS));
    if (last) return last;
    throw error;
  }
}

/** One of the build's files. A browser short of space may have dropped it. */
async function file(name, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address(name))) ?? fetch(request);
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

async function takeOverIfAlone() {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.filter(({ url }) => url.startsWith(SCOPE)).length <= 1) await self.skipWaiting();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "take over if alone") event.waitUntil(takeOverIfAlone());
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || request.headers.has("range") || !request.url.startsWith(SCOPE)) return;
  const name = request.url.slice(SCOPE.length).replace(/[?#].*$/, "") || PAGE;
  if (name === MODELS) event.respondWith(models());
  else if (Object.hasOwn(BUILD.files, name)) event.respondWith(file(name, request));
});
