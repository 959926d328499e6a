// docs/site shows the whole OpenAPI document in a browser, on a desk and on a phone, by day and by night.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch } from "./browser.mjs";
import { contrast, looks, luminance } from "./looks.mjs";
import { serve } from "./server.mjs";

const ROOT = join(import.meta.dirname, "../..");
const SCREENSHOTS = join(ROOT, ".local/site");
const SIZES = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

let server, browser;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  server = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
});

for (const scheme of ["light", "dark"]) {
  test(`the page shows every operation, on a desk and on a phone, in ${scheme} colours`, async () => {
    const { page, complaints } = await open("/site/", scheme);
    assert.deepEqual(await missing(page), []);
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewport(viewport);
      await page.waitForFunction((width) => document.documentElement.scrollWidth <= width, {}, viewport.width);
      await page.screenshot({ path: join(SCREENSHOTS, `${size}-${scheme}.png`) });
      const { background, text } = await page.evaluate(looks, "h1");
      assert.ok(contrast(background, text) >= 7, `${text} on ${background} on a ${size}`);
      assert.equal(luminance(background) < 0.5, scheme === "dark", `the background is ${background} on a ${size}`);
    }
    assert.deepEqual(complaints, []);
    await page.close();
  });
}

test("without a web server the page says what to do", async () => {
  const { page } = await open(`file://${ROOT}/docs/site/index.html`, "light", ".failure");
  assert.match(await page.$eval(".failure", (element) => element.textContent), /make reference/);
  await page.close();
});

test("the viewer is the one whose licence and version are kept beside it", () => {
  const recorded = read("docs/site/viewer/SHA256SUMS").split(/\s+/)[0];
  const actual = createHash("sha256")
    .update(readFileSync(join(ROOT, "docs/site/viewer/scalar.js")))
    .digest("hex");
  assert.equal(actual, recorded, "after `npm pack` of a new version, note it in LICENSE and write SHA256SUMS anew");
});

// Opens a page and collects whatever is wrong: errors, and requests to anybody else.
async function open(path, scheme, ready = "h1") {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== server.origin) complaints.push(`request to ${request.url()}`);
  });
  await page.setViewport(SIZES.desk);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(path.startsWith("file:") ? path : server.origin + path, { waitUntil: "networkidle0" });
  await page.waitForSelector(ready, { visible: true });
  return { page, complaints };
}

// The operations of the document that the page does not show.
async function missing(page) {
  const operations = read("docs/openapi.yaml").matchAll(/^ +operationId: \w+\n +summary: (.+)$/gm);
  const summaries = [...operations].map(([, summary]) => summary);
  assert.ok(summaries.length >= 9, `only ${summaries.length} operations were found`);
  return page.evaluate((all) => all.filter((one) => !document.body.innerText.includes(one)), summaries);
}

function read(path) {
  return readFileSync(join(ROOT, path), "utf8");
}
