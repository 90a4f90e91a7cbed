// What the scripts here share: the server they are run against, and how their scenarios are run and told.
// Every script is called with `vault|hsm URL` and prints the results of its scenarios, by name, as JSON.

import { createRequire } from "node:module";

// Not `import`: that does not look into NODE_PATH.
export const require = createRequire(import.meta.url);
const { DefaultAzureCredential } = require("@azure/identity");

export const [kind, url] = process.argv.slice(2);
export const credential = new DefaultAzureCredential({ disableInstanceDiscovery: true });

export async function all(iterator) {
  const found = [];
  for await (const each of iterator) found.push(each);
  return found;
}

// The sizes of the pages, and what is on them.
export async function paged(pages) {
  const found = [];
  const sizes = [];
  for await (const page of pages) {
    sizes.push(page.length);
    found.push(...page);
  }
  return { sizes, found };
}

// How a call fails: status, code, and the code within.
export async function refusal(call) {
  try {
    await call();
    return "no refusal";
  } catch (error) {
    const inner = error.details?.error?.innerError?.code ?? null;
    return [error.statusCode, error.code, inner];
  }
}

export async function run(scenarios) {
  const results = {};
  for (const [name, scenario] of Object.entries(scenarios)) {
    try {
      results[name] = { value: await scenario() };
    } catch (error) {
      results[name] = { error: error.stack };
    }
  }
  console.log(JSON.stringify(results));
}
