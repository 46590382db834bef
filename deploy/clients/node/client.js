// Runs an action on a text and prints the text that comes back: node client.js URL TEXT [ACTION]
const { randomUUID } = require('node:crypto');
const { connect } = require('amqplib');

const [url, text, action = 'refine_text'] = process.argv.slice(2);

async function run() {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  // a queue of this connection alone, gone with it
  const { queue: replies } = await channel.assertQueue('', { exclusive: true });
  const id = randomUUID();
  const result = new Promise((resolve, reject) => {
    channel.on('return', () => reject(new Error('the job reached no queue: is a worker running?')));
    setTimeout(() => reject(new Error('no result in a minute')), 60_000).unref();
    channel.consume(replies, (reply) => {
      if (reply?.properties.correlationId === id) resolve(JSON.parse(reply.content));
    }, { noAck: true }).catch(reject);
  });
  const job = Buffer.from(JSON.stringify({ action, input: { text } }));
  channel.publish('', 'actionfleet.jobs.default', job, {
    messageId: id, correlationId: id, replyTo: replies,
    contentType: 'application/json', persistent: true, mandatory: true,
  });
  const [{ error, output }] = await Promise.all([result, channel.waitForConfirms()]);
  await connection.close();
  if (error) throw new Error(`${error.code}: ${error.message}`);
  console.log(output.text[0]);
}

const fail = (problem) => {
  console.error(problem);
  process.exit(1);
};
if (!text) fail('usage: node client.js URL TEXT [ACTION]');
run().catch((error) => fail(error.message));
