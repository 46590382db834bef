<?php
// Runs an action on a text and prints the text that comes back: php client.php URL TEXT [ACTION]
require 'PhpAmqpLib/autoload.php'; // as Debian installs it; with Composer: vendor/autoload.php

use PhpAmqpLib\Connection\{AMQPConnectionConfig, AMQPConnectionFactory};
use PhpAmqpLib\Message\AMQPMessage;

$fail = function (string $problem) { fwrite(STDERR, "$problem\n"); exit(1); };
set_exception_handler(fn (Throwable $error) => $fail($error->getMessage()));
$argc > 2 || $fail('usage: php client.php URL TEXT [ACTION]');
$server = parse_url($argv[1]) ?: $fail('this is no URL: ' . $argv[1]);
$config = new AMQPConnectionConfig();
$config->setIsSecure($server['scheme'] === 'amqps');
$config->setHost($server['host']);
$config->setPort($server['port'] ?? ($config->isSecure() ? 5671 : 5672));
$config->setUser(rawurldecode($server['user'] ?? 'guest'));
$config->setPassword(rawurldecode($server['pass'] ?? 'guest'));
$config->setVhost(rawurldecode(substr($server['path'] ?? '/%2F', 1)));
$channel = AMQPConnectionFactory::create($config)->channel();

$id = bin2hex(random_bytes(16));
[$replies] = $channel->queue_declare('', exclusive: true); // of this connection alone, gone with it
$receive = function (AMQPMessage $reply) use ($id, &$result) {
    $result = $reply->get('correlation_id') === $id ? json_decode($reply->getBody(), true) : null;
};
$channel->basic_consume($replies, no_ack: true, exclusive: true, callback: $receive);

$channel->confirm_select();
$channel->set_return_listener(fn () => $fail('the job reached no queue: is a worker running?'));
$channel->set_nack_handler(fn () => $fail('the broker refused the job'));
$job = json_encode(['action' => $argv[3] ?? 'refine_text', 'input' => ['text' => $argv[2]]]);
$properties = ['message_id' => $id, 'correlation_id' => $id, 'reply_to' => $replies,
    'content_type' => 'application/json', 'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT];
$channel->basic_publish(new AMQPMessage($job, $properties), '', 'actionfleet.jobs.default', true);
$channel->wait_for_pending_acks_returns(10);
while (!isset($result)) {
    $channel->wait(null, false, 60);
}
isset($result['error']) && $fail("{$result['error']['code']}: {$result['error']['message']}");
echo $result['output']['text'][0], "\n";
