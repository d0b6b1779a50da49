// Starts the page's program. The build names its two files on this script's element.
const { js, wasm } = document.getElementById("start").dataset;
const { default: init } = await import(new URL(js, document.baseURI).href);
await init({ module_or_path: new URL(wasm, document.baseURI) });
