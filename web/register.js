// Has the service worker keep the page's files, and change to a new build of the site once that is complete.
//
// Two builds must not be mixed, since the page starts its worker at any time. So a new build waits until no other tab has
// the page open, and until this one has just been opened: then it takes over, and the page is loaded again, from it.

/** Set while the page is loaded again, so that a server that hands out two builds in turn cannot have it go on forever. */
const AGAIN = "atman: loaded again for a new build";

/** Whether the person has done anything on the page yet. */
let isTouched = false;
for (const type of ["pointerdown", "keydown", "input", "drop"]) {
  addEventListener(type, () => { isTouched = true; }, { capture: true, once: true, passive: true });
}

/** Resolves once a service worker has all its files; never, if it gets none. */
const complete = (worker) =>
  new Promise((done) => {
    const look = () => { if (worker.state === "installed") done(); };
    worker.addEventListener("statechange", look);
    look();
  });

async function register(container) {
  const registration = await container.register("sw.js", { updateViaCache: "none" });
  const again = sessionStorage.getItem(AGAIN) !== null;
  sessionStorage.removeItem(AGAIN);
  // Without a controller the page comes from the network, and is of the newest build.
  if (!container.controller || again || !navigator.onLine) return;
  // Not after an update where one waits already: browsers put updates off when there are many.
  if (!registration.waiting) await registration.update();
  const newer = registration.waiting ?? registration.installing;
  if (!newer) return;
  await complete(newer);
  container.addEventListener("controllerchange", () => {
    sessionStorage.setItem(AGAIN, "");
    location.reload();
  }, { once: true });
  // A tab that has just been closed, this one's last page included, may count for a moment longer.
  for (let asked = 0; asked < 20 && !isTouched; asked += 1) {
    newer.postMessage("take over if alone");
    await new Promise((done) => { setTimeout(done, 250); });
  }
}

// Only secure pages have service workers. Without one the page works the same, as long as there is a network.
if (navigator.serviceWorker) register(navigator.serviceWorker).catch(() => {});
