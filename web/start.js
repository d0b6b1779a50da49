// Starts the page's program and its worker's, which take equally long. The build names the page's two files on this script's
// element.
const { js, wasm } = document.getElementById("start").dataset;

// What the worker says before the page listens is kept for it. Where there can be no worker, the page says so.
try {
  const worker = new Worker(new URL("worker_loader.js", document.baseURI), { type: "module" });
  const said = [];
  worker.onmessage = (event) => said.push(event);
  worker.onerror = (event) => {
    event.preventDefault();
    said.push(event);
  };
  globalThis.startedWorker = { worker, said };
} catch {}

// The built-in model comes meanwhile, into the browser's cache. A service worker has it already.
if (!navigator.serviceWorker?.controller) {
  const model = new URL("models/atman-tiny/model.safetensors", document.baseURI);
  fetch(model, { priority: "low" }).then((response) => response.arrayBuffer()).catch(() => {});
}

const { default: init } = await import(new URL(js, document.baseURI).href);
await init({ module_or_path: new URL(wasm, document.baseURI) });
