<?php
// Sends one push message from PHP 8 with curl, and repeats safely: php send.php CUSTOMER-ID KEY TITLE

declare(strict_types=1);

function send(array $body, string $idempotencyKey, int $tries = 6): array
{
    for ($attempt = 0; ; $attempt++) {
        $call = curl_init(getenv('SIGNALIZE_SERVER') . '/v3/subscriptions/pushmessages');
        $wait = mt_rand() / mt_getrandmax() * 0.5 * 2 ** $attempt;
        curl_setopt_array($call, [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_POSTFIELDS => json_encode($body, JSON_THROW_ON_ERROR),
            CURLOPT_HTTPHEADER => [
                'X-API-Key: ' . getenv('SIGNALIZE_API_KEY'),
                'Content-Type: application/json',
                'Idempotency-Key: ' . $idempotencyKey,
            ],
            CURLOPT_HEADERFUNCTION => function ($call, string $line) use (&$wait): int {
                if (preg_match('/^retry-after: (\d+)/i', $line, $found)) {
                    $wait = (float) $found[1];
                }
                return strlen($line);
            },
        ]);
        $answer = curl_exec($call);
        $status = curl_getinfo($call, CURLINFO_RESPONSE_CODE);
        if ($status === 201) {
            return json_decode($answer, true);
        }
        $mayRepeat = $status === 0 || $status === 409 || $status === 429 || $status >= 500;
        if (!$mayRepeat || $attempt + 1 >= $tries) {
            throw new RuntimeException($status ? "$status: $answer" : curl_error($call));
        }
        usleep((int) ($wait * 1_000_000));
    }
}

[, $customerId, $key, $title] = $argv;
$text = ['language' => 'en', 'title' => $title, 'link' => 'https://shop.example.com/'];
$said = send(['recipients' => [['customerId' => $customerId]], 'webPush' => ['webPushMessageTexts' => [$text]]], $key);
echo $said['messageId'], "\n";
