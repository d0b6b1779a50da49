// Finishes the site that trunk has put together: models, the service worker, and the headers that hosts may send.
//   node web/finish.mjs --site=dist [--model=FILE]...
import { createHash } from "node:crypto";
import { copyFile, link, mkdir, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { report, sizes, WASM_LIMIT_BYTES } from "./sizes.mjs";

/** Files that are not the page's, or that it cannot keep: the service worker itself, what configures hosts, models to fetch. */
const NOT_KEPT = new Set(["sw.js", "_headers", "models"]);

/** The built-in model: a folder of the repository, and the same of each site. */
const BUILT_IN = "models/atman-tiny";

/** Those of its files that are the model; others tell of it. */
const isModelFile = (name) => /\.(json|jinja|safetensors)$/.test(name);

/** The content security policy that stands in the page. A page without it, or with a script that it forbids, is refused. */
export function policyOf(html) {
  const policy = /<meta http-equiv="content-security-policy" content="([^"]+)">/.exec(html)?.[1];
  if (!policy) throw new Error("index.html has no content security policy");
  const inline = /<script(?![^>]*\ssrc=)[^>]*>/.exec(html);
  if (inline) throw new Error(`index.html holds a script, which its content security policy forbids: ${inline[0]}`);
  return policy;
}

/** Names of all files below a folder, with `/` between folders, without hidden ones. */
async function filesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const below = entries
    .filter(({ name }) => !name.startsWith(".") && !NOT_KEPT.has(name))
    .map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name];
      return (await filesBelow(join(folder, entry.name))).map((name) => `${entry.name}/${name}`);
    });
  return (await Promise.all(below)).flat().sort();
}

const digest = (content) => createHash("sha256").update(content).digest("base64");

/** A second name for a file, or a copy where there can be none. */
async function linkOrCopy(from, to) {
  await link(await realpath(from), to).catch(() => copyFile(from, to));
}

/** Puts the models into the site, and the list of them, which the page asks for. */
async function addModels(site, models) {
  const folder = join(site, "models");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const model of models) await linkOrCopy(model, join(folder, basename(model)));
  const from = new URL(`../${BUILT_IN}/`, import.meta.url);
  await mkdir(join(site, BUILT_IN));
  for (const name of (await readdir(from)).filter(isModelFile)) await copyFile(new URL(name, from), join(site, BUILT_IN, name));
  await writeFile(join(folder, "index.json"), `${JSON.stringify({ files: models.map((model) => basename(model)) })}\n`);
}

/**
 * Finishes a site. Doing it again, after a change of its files or of the models, is fine.
 * @param site folder of the site
 * @param models paths of the models that it is to offer
 * @returns the build's version, which every change of a file changes
 */
export async function finish(site, models = []) {
  await addModels(site, models);
  const policy = policyOf(await readFile(join(site, "index.html"), "utf8"));
  const files = {};
  const builtIn = (await readdir(join(site, BUILT_IN))).map((name) => `${BUILT_IN}/${name}`).sort();
  for (const name of [...(await filesBelow(site)), ...builtIn]) files[name] = `sha256-${digest(await readFile(join(site, name)))}`;
  const source = await readFile(new URL("sw.js", import.meta.url), "utf8");
  const version = digest(JSON.stringify({ policy, files, source })).replaceAll(/[^A-Za-z0-9]/g, "").slice(0, 16);
  await writeFile(join(site, "sw.js"), `const BUILD = ${JSON.stringify({ version, policy, files })};\n${source}`);
  // In the form that Netlify and Cloudflare Pages read, and web/serve.mjs. File names do not change with every build, so
  // that browsers are to ask whether what they have is still right.
  const headers = {
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
  };
  const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
  await writeFile(join(site, "_headers"), `/*\n${lines.join("")}`);
  return version;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = { site: { type: "string" }, model: { type: "string", multiple: true, default: [] } };
  const { values } = parseArgs({ options });
  await finish(values.site, values.model);
  const { text, total, isWithinLimit } = report(await sizes(values.site));
  console.log(text);
  if (!isWithinLimit) {
    console.error(
      `The page's WebAssembly takes ${total.brotliBytes} bytes compressed, more than the ${WASM_LIMIT_BYTES} that it may: ` +
        "every visitor downloads it. See which crate or feature made it grow.",
    );
    process.exitCode = 1;
  }
}
