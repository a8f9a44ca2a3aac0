"""Prints each presence record as a line of JSON, from the beginning of the topic:

    python3 consume.py [--bootstrap HOST:PORT] [--count N] [--timeout-ms N]

ends with 0 after N records, or with 1 when the time is over. Without either it goes on. 2 is a failure.
"""

import argparse
import json
import math
import sys
import time
import uuid

from confluent_kafka import Consumer

from rollcall_wire import decode


def main():
    parser = argparse.ArgumentParser(description="Prints each presence record as a line of JSON.")
    parser.add_argument("--bootstrap", metavar="HOST:PORT", default="localhost:9092")
    parser.add_argument("--count", type=int, default=math.inf)
    parser.add_argument("--timeout-ms", type=int, default=math.inf)
    options = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"rollcall-example-{uuid.uuid4()}",  # a group of its own, so that every run sees everything
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",  # Rollcall writes in transactions: what was aborted was never said
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["presence"])
    try:
        return read(consumer, options.count, time.monotonic() + options.timeout_ms / 1000)
    except KeyboardInterrupt:
        return 0
    except Exception as failure:
        print(failure, file=sys.stderr)
        return 2
    finally:
        consumer.close()


def read(consumer, left, until):
    while left > 0:
        wait = until - time.monotonic()
        if wait <= 0:
            return 1
        message = consumer.poll(min(wait, 0.5))
        if message is None:
            continue
        if message.error():
            raise RuntimeError(message.error().str())
        print(json.dumps(presence(message), ensure_ascii=False, separators=(",", ":")), flush=True)
        left -= 1
    return 0


def presence(message):
    user = message.key().decode()
    if message.value() is None:
        return {"user": user, "forgotten": True}
    return {"user": user} | decode(message.value())[1]


if __name__ == "__main__":
    sys.exit(main())
