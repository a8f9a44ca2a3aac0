"""Writes one event of a user:

    python3 produce.py heartbeat <user> <device> [--state online|idle|offline] [--closed] [--lease-ms N]
                                                [--shard S [--session X]]
    python3 produce.py status <user> <text|-> [--expires-at MS]      '-' clears the text
    python3 produce.py appear-offline <user> on|off

and prints where it was written. --bootstrap HOST:PORT names the broker, localhost:9092 by default.
"""

import argparse
import json
import sys

from confluent_kafka import Producer

from rollcall_wire import encode


def main():
    options = arguments()
    topic, value = event(options)
    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            # Rollcall joins its three inputs by partition, so every client must put a user where the Java client
            # does: by murmur2 of the key. librdkafka's default is CRC32, which puts most users elsewhere.
            "partitioner": "murmur2_random",
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": 20000,
        }
    )
    written = []
    producer.produce(topic, key=options.user.encode(), value=value, on_delivery=lambda *result: written.append(result))
    producer.flush()
    error, message = written[0]
    if error:
        sys.exit(f"not written: {error}")
    place = {"topic": topic, "partition": message.partition(), "offset": message.offset()}
    print(json.dumps(place, separators=(",", ":")))


def event(options):
    """The topic and the value; None is a tombstone, not an encoded null."""
    if options.command == "heartbeat":
        heartbeat = {
            "device_id": options.device,
            "state": options.state and options.state.upper(),  # None: the device keeps its state, a new one is ONLINE
            "connection": "CLOSED" if options.closed else "OPEN",
            "lease_ms": options.lease_ms,
            "shard": options.shard,
            "session": options.session,  # the shard holds the connection, and beats for all of them: see hold.mjs
        }
        return "device-heartbeat", encode("DeviceHeartbeat", heartbeat)
    if options.command == "status":
        status = {"text": options.text, "expires_at": options.expires_at}
        return "status", None if options.text == "-" else encode("UserStatus", status)
    return "appear-offline", encode("AppearOffline", {"appear_offline": options.flag == "on"})


def arguments():
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("user")
    common.add_argument("--bootstrap", metavar="HOST:PORT", default="localhost:9092")
    parser = argparse.ArgumentParser(description="Writes one event of a user.")
    commands = parser.add_subparsers(dest="command", required=True)
    heartbeat = commands.add_parser("heartbeat", parents=[common])
    heartbeat.add_argument("device")
    heartbeat.add_argument("--state", choices=["online", "idle", "offline"])
    heartbeat.add_argument("--closed", action="store_true")
    heartbeat.add_argument("--lease-ms", type=int)
    heartbeat.add_argument("--shard")
    heartbeat.add_argument("--session", help="of the shard; only with --shard")
    status = commands.add_parser("status", parents=[common])
    status.add_argument("text", help="'-' clears it")
    status.add_argument("--expires-at", type=int, metavar="MS")
    appear_offline = commands.add_parser("appear-offline", parents=[common])
    appear_offline.add_argument("flag", choices=["on", "off"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
