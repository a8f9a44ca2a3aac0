// Rollcall's wire format: Avro single-object encoding, which is the bytes C3 01, the CRC-64-AVRO
// fingerprint of the schema (8 bytes, little-endian), and the body.

import { readdirSync, readFileSync } from 'node:fs';
import avro from 'avsc';

const schemas = new URL('../../schemas/', import.meta.url);
const HEADER_BYTES = 10;

/** The current types by the record's name, and a reader for every version ever committed by its header. */
const types = new Map();
const readers = new Map();
for (const file of readdirSync(schemas).filter((name) => name.endsWith('.avsc'))) {
  types.set(file.replace('.avsc', ''), load(file));
}
for (const file of readdirSync(new URL('versions/', schemas))) {
  const [record] = file.split('.');
  const type = types.get(record);
  if (type) {
    const writer = load(`versions/${file}`);
    const resolver = type.createResolver(writer);
    readers.set(header(writer).toString('hex'), { record, read: (body) => type.fromBuffer(body, resolver) });
  }
}

/** The bytes of a value; a field that is left out takes its default. */
export function encode(record, value) {
  const type = types.get(record);
  return Buffer.concat([header(type), type.toBuffer(value)]);
}

/** What some bytes hold, as {record, value}. Throws if no committed schema fits them. */
export function decode(bytes) {
  const reader = readers.get(bytes.subarray(0, HEADER_BYTES).toString('hex'));
  if (!reader) {
    throw new Error(`no committed schema has the header ${bytes.subarray(0, HEADER_BYTES).toString('hex')}`);
  }
  return { record: reader.record, value: { ...reader.read(bytes.subarray(HEADER_BYTES)) } };
}

function load(file) {
  return avro.Type.forSchema(JSON.parse(readFileSync(new URL(file, schemas), 'utf8')));
}

function header(type) {
  const bytes = Buffer.from('c3010000000000000000', 'hex');
  // avsc's schema() is Avro's parsing canonical form; its own fingerprint() is another hash, MD5.
  bytes.writeBigUInt64LE(crc64Avro(Buffer.from(JSON.stringify(type.schema()))), 2);
  return bytes;
}

/** The Avro specification's 64-bit Rabin fingerprint, bit by bit: it runs once per schema. */
function crc64Avro(bytes) {
  const EMPTY = 0xc15d213aa4d7a795n;
  let crc = EMPTY;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1n ? (crc >> 1n) ^ EMPTY : crc >> 1n;
    }
  }
  return crc;
}
