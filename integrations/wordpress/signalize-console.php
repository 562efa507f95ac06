<?php
/**
 * Plugin Name: Signalize Console
 * Description: Push messages from your own Signalize Console: the loader in each page, the service worker, and the events of WooCommerce.
 * Version: 1.0.0
 * Requires PHP: 7.4
 * License: MIT
 */

declare(strict_types=1);

if (!defined('ABSPATH')) {
    exit;
}

/** The console's address without a slash at its end, or '' before it is set. */
function signalize_server(): string
{
    return untrailingslashit((string) get_option('signalize_server', ''));
}

function signalize_is_set_up(): bool
{
    return signalize_server() !== '' && get_option('signalize_secure_code', '') !== '';
}

/** The line that every page needs. */
function signalize_print_loader(): void
{
    if (!signalize_is_set_up()) {
        return;
    }
    printf(
        '<script id="_etLoader" type="text/javascript" charset="UTF-8" data-secure-code="%s" src="%s" async></script>' . "\n",
        esc_attr((string) get_option('signalize_secure_code')),
        esc_url(signalize_server() . '/code/signalize.js')
    );
}
add_action('wp_head', 'signalize_print_loader');

/** The service worker at the site's root: a copy from the console, kept for an hour. */
function signalize_serve_worker(): void
{
    $path = (string) wp_parse_url($_SERVER['REQUEST_URI'] ?? '', PHP_URL_PATH);
    if ($path !== '/sw.js' || !signalize_is_set_up()) {
        return;
    }
    header('Content-Type: text/javascript; charset=utf-8');
    header('Cache-Control: no-cache');
    echo signalize_worker();
    exit;
}
add_action('init', 'signalize_serve_worker', 0);

/** Its text; while the console is away, the last copy, or a line that fetches it in the browser. */
function signalize_worker(): string
{
    $kept = get_transient('signalize_worker');
    if (is_string($kept)) {
        return $kept;
    }
    $address = signalize_server() . '/sw.js';
    $answer = wp_remote_get($address, ['timeout' => 5]);
    if (!is_wp_error($answer) && wp_remote_retrieve_response_code($answer) === 200) {
        $text = wp_remote_retrieve_body($answer);
        set_transient('signalize_worker', $text, HOUR_IN_SECONDS);
        update_option('signalize_last_worker', $text, false);
        return $text;
    }
    $last = (string) get_option('signalize_last_worker', '');
    return $last !== '' ? $last : 'importScripts(' . wp_json_encode($address) . ');';
}

/** Prints calls of the snippet; they wait in its queue until it has loaded. */
function signalize_print_calls(array $calls): void
{
    if (!signalize_is_set_up()) {
        return;
    }
    $flags = JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT;
    echo '<script>window.et_signalize = window.et_signalize || [];';
    foreach ($calls as $call) {
        printf('et_signalize.push(%s);', wp_json_encode($call, $flags));
    }
    echo "</script>\n";
}

/** Whose browser it is, signed: nobody can claim to be another customer. */
function signalize_print_customer(): void
{
    $id = get_current_user_id();
    if ($id === 0) {
        return;
    }
    $secret = (string) get_option('signalize_identity_secret', '');
    $signature = $secret === '' ? '' : hash_hmac('sha256', (string) $id, $secret);
    signalize_print_calls([['setCustomerId', (string) $id, $signature]]);
}
add_action('wp_footer', 'signalize_print_customer');

/** A product is looked at. */
function signalize_viewed_product(): void
{
    global $product;
    if (is_object($product)) {
        signalize_print_calls([['track', 'viewProduct', ['product' => (string) $product->get_id(), 'name' => $product->get_name()]]]);
    }
}
add_action('woocommerce_after_single_product', 'signalize_viewed_product');

/** An order is done: told on the page of thanks, once. */
function signalize_ordered(int $order_id): void
{
    $order = wc_get_order($order_id);
    if (!$order || $order->get_meta('_signalize_told')) {
        return;
    }
    $facts = ['order' => (string) $order_id, 'total' => (float) $order->get_total(), 'currency' => $order->get_currency()];
    signalize_print_calls([['track', 'order', $facts]]);
    $order->update_meta_data('_signalize_told', '1');
    $order->save();
}
add_action('woocommerce_thankyou', 'signalize_ordered');

/** The three settings, under Settings → Signalize. */
function signalize_register_settings(): void
{
    register_setting('signalize', 'signalize_server', ['sanitize_callback' => 'signalize_clean_server']);
    register_setting('signalize', 'signalize_secure_code', ['sanitize_callback' => 'signalize_clean_code']);
    register_setting('signalize', 'signalize_identity_secret', ['sanitize_callback' => 'sanitize_text_field']);
}
add_action('admin_init', 'signalize_register_settings');

/** Only https, or this computer: browsers take push from nowhere else. */
function signalize_clean_server($given): string
{
    $url = untrailingslashit(trim((string) $given));
    delete_transient('signalize_worker');
    return preg_match('#^https://[^\s/?\#@]+$|^http://(localhost|127\.0\.0\.1)(:\d+)?$#', $url) ? $url : '';
}

function signalize_clean_code($given): string
{
    $code = trim((string) $given);
    return preg_match('/^[0-9a-zA-Z]{3,12}$/D', $code) ? $code : '';
}

function signalize_menu(): void
{
    add_options_page('Signalize', 'Signalize', 'manage_options', 'signalize', 'signalize_page');
}
add_action('admin_menu', 'signalize_menu');

function signalize_page(): void
{
    $fields = [
        'signalize_server' => 'Address of your console',
        'signalize_secure_code' => 'Secure code of the website',
        'signalize_identity_secret' => 'Identity secret (optional)',
    ];
    echo '<div class="wrap"><h1>Signalize</h1><form method="post" action="options.php">';
    settings_fields('signalize');
    echo '<table class="form-table">';
    foreach ($fields as $name => $label) {
        $type = $name === 'signalize_identity_secret' ? 'password' : 'text';
        printf(
            '<tr><th><label for="%1$s">%2$s</label></th><td><input id="%1$s" name="%1$s" type="%3$s" class="regular-text" value="%4$s" autocomplete="off"></td></tr>',
            esc_attr($name),
            esc_html($label),
            $type,
            esc_attr((string) get_option($name, ''))
        );
    }
    echo '</table>';
    submit_button();
    echo '</form></div>';
}
