// Writes one event of a user:
//
//   node produce.mjs heartbeat <user> <device> [--state online|idle|offline] [--closed] [--lease-ms N] [--shard S]
//   node produce.mjs status <user> <text|-> [--expires-at MS]      '-' clears the text
//   node produce.mjs appear-offline <user> on|off
//
// and prints where it was written. --bootstrap HOST:PORT names the broker, localhost:9092 by default.

import { parseArgs } from 'node:util';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { encode } from './rollcall.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bootstrap: { type: 'string', default: 'localhost:9092' },
    state: { type: 'string' },
    closed: { type: 'boolean', default: false },
    'lease-ms': { type: 'string' },
    shard: { type: 'string' },
    'expires-at': { type: 'string' },
  },
});
const [command, user, argument] = positionals;
const events = {
  heartbeat: () => ({
    topic: 'device-heartbeat',
    value: encode('DeviceHeartbeat', {
      device_id: argument,
      state: options.state?.toUpperCase() ?? null, // null: the device keeps its state, a new one becomes ONLINE
      connection: options.closed ? 'CLOSED' : 'OPEN',
      lease_ms: number(options['lease-ms']),
      shard: options.shard ?? null,
    }),
  }),
  status: () => ({
    topic: 'status',
    value: argument === '-' ? null : encode('UserStatus', { text: argument, expires_at: number(options['expires-at']) }),
  }),
  'appear-offline': () => ({
    topic: 'appear-offline',
    value: encode('AppearOffline', { appear_offline: { on: true, off: false }[argument] }),
  }),
};
if (!Object.hasOwn(events, command ?? '') || positionals.length !== 3) {
  console.error('usage: node produce.mjs [--bootstrap HOST:PORT] heartbeat|status|appear-offline <user> <argument> …');
  process.exit(2);
}
const { topic, value } = events[command]();

const kafka = new Kafka({ brokers: options.bootstrap.split(','), clientId: 'rollcall-example', logLevel: logLevel.ERROR });
const producer = kafka.producer({
  // Rollcall joins its three inputs by partition, so every client must put a user where the Java client
  // does: by murmur2 of the key. KafkaJS has two partitioners; its older one puts some users elsewhere.
  createPartitioner: Partitioners.DefaultPartitioner,
  allowAutoTopicCreation: false,
});
await producer.connect();
try {
  const [written] = await producer.send({ topic, acks: -1, messages: [{ key: user, value }] });
  console.log(JSON.stringify({ topic, partition: written.partition, offset: Number(written.baseOffset) }));
} finally {
  await producer.disconnect();
}

function number(text) {
  return text === undefined ? null : Number(text);
}
