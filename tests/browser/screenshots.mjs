// Takes the page's pictures, wide and narrow, light and dark, in each of the states that a person meets.
//   cargo xtask screenshots [--out FOLDER]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openPage, start } from "./harness.mjs";

const WIDTHS = [1280, 390];
const SCHEMES = ["light", "dark"];
const PATIENCE = { timeout: 180_000 };

/** Takes the page through its states, calling `shoot` with the name of each. */
async function walk(page, shoot) {
  const button = (name) => page.getByRole("button", { name, exact: true });
  const tab = (name) => page.getByRole("tab", { name });
  const idle = () => page.getByText(/^Explaining (it again )?takes/).waitFor(PATIENCE);

  await page.getByText("Ready", { exact: true }).waitFor(PATIENCE);
  await page.getByRole("heading", { name: /^Why did the model say/ }).waitFor(PATIENCE);
  await idle();
  await shoot("start");

  for (const [example, name] of [["A colour", "picture"], ["Left of it", "picture-left"], ["All of it", "picture-described"]]) {
    await button(example).click();
    await page.getByText("64 × 64 pixels, ").waitFor(PATIENCE);
    await button("Explain").click();
    await page.getByRole("button", { name: "Stop", disabled: false }).waitFor(PATIENCE);
    await idle();
    await shoot(name);
  }
  const part = page.locator(".part");
  await button("A colour").click();
  await page.getByText("64 × 64 pixels, ").waitFor(PATIENCE);
  await button("Explain").click();
  await idle();
  await part.nth(0).hover();
  await page.mouse.down();
  await part.nth(18).hover();
  await page.mouse.up();
  await button("Damp or amplify it").click();
  await button("Write again").click();
  await page.getByRole("heading", { name: "Before" }).waitFor(PATIENCE);
  await idle();
  await shoot("region");

  await page.getByRole("combobox", { name: "Model", exact: true }).selectOption("catalogue:smollm2-135m-instruct");
  await button("Load").click();
  await page.getByText("Ready", { exact: true }).waitFor(PATIENCE);
  await button("A fact").click();
  await page.getByText("How it writes").click();
  await page.getByLabel("Most tokens").fill("60");
  await page.getByText("How it writes").click();
  await button("Generate").click();
  await page.waitForFunction(() => document.querySelector("#answer").value.length > 40, undefined, PATIENCE);
  await shoot("generating");
  await button("Stop").click();

  await button("A fact").click();
  await button("Explain").click();
  await idle();
  await page.locator(".prompt [data-unit]", { hasText: "Italy" }).hover();
  await shoot("explained");

  await tab("Matrix").click();
  await shoot("matrix");

  await tab("Rather than").click();
  await page.getByLabel("Alternative").fill("Paris.");
  await button("Compare").click();
  await page.getByRole("radio", { name: "rather than “Paris.”" }).waitFor(PATIENCE);
  await idle();
  await shoot("contrast");
  await page.getByRole("radio", { name: "at all" }).check();

  await tab("How far can I trust this?").click();
  await button("Measure it").click();
  await page.locator(".trust").waitFor(PATIENCE);
  await shoot("trust");
}

const { values } = parseArgs({ options: { out: { type: "string" } } });
await mkdir(values.out, { recursive: true });
const session = await start();
for (const width of WIDTHS) {
  for (const scheme of SCHEMES) {
    const { page, context } = await openPage(session, { viewport: { width, height: 900 }, scheme, reducedMotion: "reduce" });
    await walk(page, async (name) => {
      const path = join(values.out, `${name}-${width}-${scheme}.png`);
      await page.screenshot({ path, fullPage: true });
      console.log(path);
    });
    await context.close();
  }
}
await session.stop();
