// docs/openapi.yaml is as redocly recommends.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { createConfig, lint } from "@redocly/openapi-core";

const DOCUMENT = join(import.meta.dirname, "../../docs/openapi.yaml");

test("the document keeps the recommended rules, warnings included", async () => {
  const problems = await lint({ ref: DOCUMENT, config: await createConfig({ extends: ["recommended-strict"] }) });
  const told = problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`);
  assert.deepEqual(told, []);
});
