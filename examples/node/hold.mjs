// Holds connections, as a homeserver shard with WebSockets does:
//
//   node hold.mjs [--bootstrap HOST:PORT] [--lease-ms N] <shard> <user> <device> [<user> <device> …]
//
// opens each device in a session of the shard, and keeps all of them alive with one small record into each partition
// every third of the lease (30 s by default). Ctrl-C ends the session in good order; if it is killed instead, the
// devices are held until the lease and Rollcall's shard.hold.ms are over: time to start it again.

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { encode } from './rollcall.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { bootstrap: { type: 'string', default: 'localhost:9092' }, 'lease-ms': { type: 'string', default: '30000' } },
});
const [shard, ...devices] = positionals;
const leaseMs = Number(options['lease-ms']);
if (!devices.length || devices.length % 2 || !(leaseMs >= 1 && leaseMs <= 3_600_000)) {
  console.error('usage: node hold.mjs [--bootstrap HOST:PORT] [--lease-ms N] <shard> <user> <device> [<user> <device> …]');
  process.exit(2);
}

const topic = 'device-heartbeat';
const kafka = new Kafka({ brokers: options.bootstrap.split(','), clientId: 'rollcall-hold', logLevel: logLevel.ERROR });
const producer = kafka.producer({
  createPartitioner: Partitioners.DefaultPartitioner, // murmur2 of the key, as the Java client
  allowAutoTopicCreation: false,
});
const admin = kafka.admin();

// One life of the shard: started again, it is another session, and what is not opened again in time has gone.
const session = { shard, session: randomUUID(), started_at: Date.now(), lease_ms: leaseMs };

/** Says to each partition that the shard is there, also to those that were added since. */
async function beat(ended) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const value = encode('ShardHeartbeat', { ...session, ended });
  const messages = topics[0].partitions.map(({ partitionId: partition }) => ({ key: null, value, partition }));
  await producer.send({ topic, acks: -1, messages });
}

async function open(user, device) {
  const value = encode('DeviceHeartbeat', { device_id: device, shard, session: session.session });
  await producer.send({ topic, acks: -1, messages: [{ key: user, value }] });
}

await Promise.all([producer.connect(), admin.connect()]);
await beat(false); // before the first device: it tells which session of the shard is the later one
for (let i = 0; i < devices.length; i += 2) {
  await open(devices[i], devices[i + 1]);
}
console.log(JSON.stringify({ ...session, devices: devices.length / 2 }));
const beating = setInterval(() => beat(false).catch((failure) => console.error(failure.message)), leaseMs / 3);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    clearInterval(beating);
    await beat(true);
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  });
}
