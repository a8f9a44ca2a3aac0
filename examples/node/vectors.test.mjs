// This client writes and reads the same bytes as every other one: schemas/vectors says which.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decode, encode } from './rollcall.mjs';

const vectors = new URL('../../schemas/vectors/', import.meta.url);

for (const file of readdirSync(vectors)) {
  const record = file.replace('.json', '');
  for (const { name, json, hex } of JSON.parse(readFileSync(new URL(file, vectors), 'utf8'))) {
    test(`${record}: ${name}`, () => {
      assert.equal(encode(record, json).toString('hex'), hex);
      const decoded = JSON.parse(JSON.stringify(decode(Buffer.from(hex, 'hex')))); // plain objects all the way down
      assert.deepEqual(decoded, { record, value: json });
    });
  }
}

test('should refuse bytes that no committed schema has written', () => {
  assert.throws(() => decode(Buffer.from('c301000000000000000000', 'hex')), /no committed schema/);
});
