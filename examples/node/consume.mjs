// Prints each presence record as a line of JSON, from the beginning of the topic:
//
//   node consume.mjs [--bootstrap HOST:PORT] [--count N] [--timeout-ms N]
//
// ends with 0 after N records, or with 1 when the time is over. Without either it goes on. 2 is a failure.

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { decode } from './rollcall.mjs';

const { values: options } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: 'localhost:9092' },
    count: { type: 'string', default: 'Infinity' },
    'timeout-ms': { type: 'string' },
  },
});
let left = Number(options.count);

const kafka = new Kafka({ brokers: options.bootstrap.split(','), clientId: 'rollcall-example', logLevel: logLevel.ERROR });
const consumer = kafka.consumer({
  groupId: `rollcall-example-${randomUUID()}`, // a group of its own, so that every run sees everything
  readUncommitted: false, // Rollcall writes in transactions: what was aborted has never been said
  allowAutoTopicCreation: false,
  maxWaitTimeInMs: 500, // how long the end can take
});

const end = new Promise((resolve, reject) => {
  if (options['timeout-ms'] !== undefined) {
    setTimeout(() => resolve(1), Number(options['timeout-ms']));
  }
  run(async ({ message }) => {
    try {
      if (left > 0) {
        console.log(JSON.stringify(presence(message)));
        left--;
      }
      if (left === 0) {
        resolve(0);
      }
    } catch (error) {
      reject(error); // thrown from here, it would be tried again
    }
  }).catch(reject);
});
const code = await end.catch((error) => {
  console.error(error.message);
  return 2;
});
await consumer.disconnect();
process.exit(code); // also out of what is still being tried again

async function run(eachMessage) {
  await consumer.connect();
  await consumer.subscribe({ topic: 'presence', fromBeginning: true });
  await consumer.run({ autoCommit: false, eachMessage });
}

function presence({ key, value }) {
  const user = key.toString();
  return value === null ? { user, forgotten: true } : { user, ...decode(value).value };
}
