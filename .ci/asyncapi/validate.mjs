// Validates an AsyncAPI document, its Avro schemas too: node validate.mjs FILE
import { readFile } from "node:fs/promises";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await parser.parse(await readFile(process.argv[2], "utf8"));
for (const { severity, path, message } of diagnostics) {
  console.log(`${SEVERITIES[severity]}: ${path.join(".")}: ${message}`);
}
const failed = diagnostics.some(({ severity }) => severity < 2);
console.log(failed ? "it is not valid" : `valid: ${document.channels().all().length} channels`);
process.exit(failed ? 1 : 0);
