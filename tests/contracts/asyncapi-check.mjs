// Reads AsyncAPI documents with @asyncapi/parser and says what is wrong with them; exit code 1 where anything is.
//   node asyncapi-check.mjs FOLDER FILE...     FOLDER: where `npm install @asyncapi/parser` was run
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...files] = process.argv.slice(2);
const { Parser, DiagnosticSeverity } = createRequire(resolve(folder, "package.json"))("@asyncapi/parser");
const parser = new Parser();
let wrong = files.length === 0;
for (const file of files) {
  const { document, diagnostics } = await parser.parse(readFileSync(file, "utf8"));
  const errors = diagnostics.filter(({ severity }) => severity === (DiagnosticSeverity?.Error ?? 0));
  for (const { path, message } of errors) console.log(`${file}: ${path.join(".")}: ${message}`);
  if (errors.length > 0 || document === undefined) wrong = true;
  else console.log(`${file}: ${document.messages().all().length} messages, ${document.operations().all().length} operations`);
}
process.exitCode = wrong ? 1 : 0;
