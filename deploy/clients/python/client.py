"""Runs an action on a text and prints the text that comes back: client.py URL TEXT [ACTION]

The result comes by RabbitMQ's direct reply-to, which spares each client a queue of its own. It is
lost if this connection ends before it: where jobs take hours, declare a queue for the results.
"""
import json
import sys
import time
import uuid

import pika

if len(sys.argv) not in (3, 4):
    sys.exit(__doc__)
url, text, action = (*sys.argv[1:], "refine_text")[:3]
job_id = str(uuid.uuid4())
results = {}

with pika.BlockingConnection(pika.URLParameters(url)) as connection:
    channel = connection.channel()
    channel.confirm_delivery()  # from now on a job that does not reach its queue raises an error
    # direct reply-to: without acks, on the channel that publishes the job, and before that
    channel.basic_consume(
        "amq.rabbitmq.reply-to", auto_ack=True,
        on_message_callback=lambda _channel, _method, properties, body:
            results.update({properties.correlation_id: json.loads(body)}))
    properties = pika.BasicProperties(
        message_id=job_id, correlation_id=job_id, reply_to="amq.rabbitmq.reply-to",
        content_type="application/json", delivery_mode=pika.DeliveryMode.Persistent)
    job = json.dumps({"action": action, "input": {"text": text}})
    channel.basic_publish("", "actionfleet.jobs.default", job, properties, mandatory=True)
    give_up = time.monotonic() + 60
    while job_id not in results and time.monotonic() < give_up:
        connection.process_data_events(time_limit=1)

result = results.get(job_id, {"error": {"code": "timeout", "message": "no result in a minute"}})
if error := result.get("error"):
    sys.exit(f"{error['code']}: {error['message']}")
print(result["output"]["text"][0])
