// What the page's programs weigh, as they are and as a server that compresses well sends them.
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

/** All WebAssembly of the site, compressed by brotli at its best. */
export const WASM_LIMIT_BYTES = 2_500_000;

const compress = promisify(brotliCompress);

/** Bytes of each .wasm and .js file of a folder, as it is and compressed by brotli at its best (11), the largest first. */
export async function sizes(folder) {
  const names = (await readdir(folder)).filter((name) => [".wasm", ".js"].includes(extname(name)));
  const measured = names.map(async (name) => {
    const content = await readFile(join(folder, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
    return { name, bytes: content.length, brotliBytes: (await compress(content, { params })).length };
  });
  return (await Promise.all(measured)).sort((a, b) => b.bytes - a.bytes);
}

/** A table of the sizes with the sum of the WebAssembly, and whether that is within the limit. */
export function report(measured, limitBytes = WASM_LIMIT_BYTES) {
  const wasm = measured.filter(({ name }) => name.endsWith(".wasm"));
  const sum = (of) => wasm.reduce((total, size) => total + size[of], 0);
  const total = { name: "all .wasm", bytes: sum("bytes"), brotliBytes: sum("brotliBytes") };
  const width = Math.max(...[...measured, total].map(({ name }) => name.length));
  const line = ({ name, bytes, brotliBytes }) =>
    `${name.padEnd(width)} ${String(bytes).padStart(9)} bytes ${String(brotliBytes).padStart(9)} with brotli`;
  return { text: [...measured, total].map(line).join("\n"), total, isWithinLimit: total.brotliBytes <= limitBytes };
}
