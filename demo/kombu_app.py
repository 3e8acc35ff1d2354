"""The worker of the demo: takes jobs from a queue, and on SIGTERM hands the one
in work back and files a ticket, so that a person knows.

    kombu_app.py             work
    kombu_app.py put JOB     put a job on the queue

$BROKER is the queue's address, $WEB_HOOK the ticket system's.
"""

import json
import os
import signal
import sys
import time
import urllib.request

from kombu import Connection

message = None


def on_sigterm(_number, _frame):
    print("SIGTERM: bringing the job to a safe point", flush=True)
    time.sleep(0.5)
    message.requeue()
    print(f"handed back: {message.payload}", flush=True)
    ticket = json.dumps({"summary": f"{message.payload} was interrupted by a deploy"}).encode()
    urllib.request.urlopen(urllib.request.Request(os.environ["WEB_HOOK"], ticket), timeout=10).close()
    print("ticket filed, goodbye", flush=True)
    sys.exit(0)


with Connection(os.environ["BROKER"]) as connection:
    queue = connection.SimpleQueue("jobs")
    if sys.argv[1:2] == ["put"]:
        queue.put(sys.argv[2])
        sys.exit(0)
    signal.signal(signal.SIGTERM, on_sigterm)
    print("waiting for a job", flush=True)
    while True:
        message = queue.get(block=True)
        print(f"working on {message.payload}", flush=True)
        time.sleep(3600)
        message.ack()
