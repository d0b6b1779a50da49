// Starts the page's program and its worker's, which take equally long. The build names the page's two files on this script's
// element.
const { js, wasm } = document.getElementById("start").dataset;

// A page that has broken down cannot say so itself: it is said here, and what was asked is kept in the address, as in a link.
function breakDown(why) {
  if (document.getElementById("broken")) return;
  const dialog = document.createElement("div");
  dialog.id = "broken";
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-label", "This page broke down");
  const paragraph = (text, name = "p") => Object.assign(document.createElement(name), { textContent: text });
  const again = paragraph("Start again", "button");
  again.type = "button";
  again.addEventListener("click", () => {
    if (globalThis.question) history.replaceState(null, "", `#${globalThis.question}`);
    location.reload();
  });
  const kept = globalThis.question ? " What you wrote is kept; pictures of your own must be added again." : "";
  dialog.append(paragraph("This page broke down", "h2"), paragraph(`AtMan itself failed.${kept}`), paragraph(why, "small"), again);
  document.body.append(dialog);
  again.focus();
}

// WebAssembly that cannot go on throws one of these. Other errors are not the end of it.
const hears = (error) => {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) breakDown(globalThis.panicked ?? String(error));
};
addEventListener("error", ({ error }) => hears(error));
addEventListener("unhandledrejection", ({ reason }) => hears(reason));

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

try {
  const { default: init } = await import(new URL(js, document.baseURI).href);
  await init({ module_or_path: new URL(wasm, document.baseURI) });
} catch (error) {
  breakDown(globalThis.panicked ?? String(error));
  throw error;
}
