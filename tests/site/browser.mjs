// A headless Chromium that needs no installation and no root: its libraries and fonts come with it.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "node_modules/.chromium");
mkdirSync(folder, { recursive: true });
process.env.TMPDIR = folder; // where the package unpacks itself

const { default: chromium, inflate } = await import("@sparticuz/chromium");
const { default: puppeteer } = await import("puppeteer-core");

export async function launch() {
  const executablePath = await chromium.executablePath();
  const libraries = await inflate(join(import.meta.dirname, "node_modules/@sparticuz/chromium/bin/al2023.tar.br"));
  const fonts = join(folder, "fonts.conf");
  writeFileSync(fonts, `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`);
  return puppeteer.launch({
    executablePath,
    headless: "shell",
    args: ["--no-sandbox", "--disable-gpu"],
    env: { ...process.env, FONTCONFIG_FILE: fonts, LD_LIBRARY_PATH: join(libraries, "lib") },
  });
}
