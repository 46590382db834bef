<?php
// Runs an action on a text and prints the text that comes back: php client.php URL TEXT [ACTION]
require 'PhpAmqpLib/autoload.php'; // as Debian's php-amqplib installs it; of Composer: vendor/autoload.php

use PhpAmqpLib\Connection\{AMQPConnectionConfig, AMQPConnectionFactory};
use PhpAmqpLib\Message\AMQPMessage;

[, $url, $text, $action] = $argv + [1 => '', '', 'refine_text'];
$server = parse_url($url);
$config = new AMQPConnectionConfig();
$config->setIsSecure($server['scheme'] === 'amqps');
$config->setHost($server['host']);
$config->setPort($server['port'] ?? ($config->isSecure() ? 5671 : 5672));
$config->setUser(rawurldecode($server['user'] ?? 'guest'));
$config->setPassword(rawurldecode($server['pass'] ?? 'guest'));
$config->setVhost(rawurldecode(substr($server['path'] ?? '/%2F', 1)));
$channel = AMQPConnectionFactory::create($config)->channel();

$id = bin2hex(random_bytes(16));
[$replies] = $channel->queue_declare('', false, false, true); // of this connection alone, gone with it
$channel->basic_consume($replies, '', false, true, true, false, function (AMQPMessage $reply) use ($id, &$result) {
    $result = $reply->get('correlation_id') === $id ? json_decode($reply->getBody(), true) : null;
});

$channel->confirm_select();
$fail = fn () => throw new RuntimeException('the job reached no queue: is a worker running?');
$channel->set_return_listener($fail);
$channel->set_nack_handler($fail);
$channel->basic_publish(new AMQPMessage(
    json_encode(['action' => $action, 'input' => ['text' => $text]], JSON_THROW_ON_ERROR),
    ['message_id' => $id, 'correlation_id' => $id, 'reply_to' => $replies, 'content_type' => 'application/json',
        'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT],
), '', 'actionfleet.jobs.default', true);
$channel->wait_for_pending_acks_returns(10);
while (!isset($result)) {
    $channel->wait(null, false, 60);
}
$error = $result['error'] ?? null;
fwrite($error ? STDERR : STDOUT, ($error ? "{$error['code']}: {$error['message']}" : $result['output']['text'][0]) . "\n");
exit($error ? 1 : 0);
