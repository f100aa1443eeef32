/* altclip-monitor: who may ask, how often, and from where
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "access.h"

#include <string.h>
#include <unistd.h>

#define DIGEST 32                /* bytes of SHA-256 */
#define SESSION (30 * 24 * 3600) /* s */

/* Requests of one address: at once, and then a second. */
#define BURST 400.0
#define RATE 80.0
/* Wrong tokens of one address: the same. */
#define WRONG_BURST 10.0
#define WRONG_RATE (1.0 / 6)
/* Addresses that are told apart; more share one allowance. */
#define MAX_ADDRESSES 4096

typedef struct {
    double requests; /* that are left */
    double wrong;
    gint64 time; /* monotonic, µs: when the two were right */
} Allowance;

struct _MonitorAccess {
    char *token;  /* nullable */
    char *cookie; /* its name; cookies know no ports, and there may be a monitor on each */
    gboolean tls;
    guint8 secret[DIGEST];  /* of this process */
    GHashTable *allowances; /* address → Allowance */
    Allowance crowd;
};

static void
hmac (gconstpointer key, gsize key_size, const char *text, guint8 digest[DIGEST])
{
    g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, key_size);
    gsize size = DIGEST;

    g_hmac_update (hmac, (const guchar *)text, -1);
    g_hmac_get_digest (hmac, digest, &size);
}

/* In a time that does not depend on where they differ. */
static gboolean
equal (const guint8 a[DIGEST], const guint8 b[DIGEST])
{
    volatile guint8 difference = 0;

    for (gsize i = 0; i < DIGEST; i++) {
        difference |= a[i] ^ b[i];
    }
    return difference == 0;
}

static gboolean
equal_texts (MonitorAccess *access, const char *a, const char *b)
{
    guint8 digests[2][DIGEST];

    hmac (access->secret, DIGEST, a, digests[0]);
    hmac (access->secret, DIGEST, b, digests[1]);
    return equal (digests[0], digests[1]);
}

/**
 * monitor_access_new:
 * @token: (nullable): what opens all; %NULL: everybody who reaches the port may
 * @port: that the server listens on
 * @tls: whether it speaks TLS, so that cookies are for that alone
 *
 * Returns: (transfer full): the rules
 */
MonitorAccess *
monitor_access_new (const char *token, guint16 port, gboolean tls)
{
    MonitorAccess *access = g_new0 (MonitorAccess, 1);

    access->token = g_strdup (token);
    access->cookie = g_strdup_printf ("altclip-monitor-%u", port);
    access->tls = tls;
    if (getentropy (access->secret, DIGEST) != 0) {
        g_error ("The system gives no random bytes");
    }
    access->allowances = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    access->crowd = (Allowance){ BURST, WRONG_BURST, g_get_monotonic_time () };
    return access;
}

/**
 * monitor_access_free:
 * @access: (transfer full): rules
 */
void
monitor_access_free (MonitorAccess *access)
{
    g_hash_table_unref (access->allowances);
    g_free (access->cookie);
    g_free (access->token);
    g_free (access);
}

static void
refill (Allowance *allowance, gint64 now)
{
    const double seconds = (now - allowance->time) / (double)G_USEC_PER_SEC;

    allowance->requests = MIN (BURST, allowance->requests + seconds * RATE);
    allowance->wrong = MIN (WRONG_BURST, allowance->wrong + seconds * WRONG_RATE);
    allowance->time = now;
}

static gboolean
is_full (gpointer address, gpointer value, gpointer now)
{
    Allowance *allowance = value;

    (void)address;
    refill (allowance, *(gint64 *)now);
    return allowance->requests >= BURST && allowance->wrong >= WRONG_BURST;
}

/**
 * monitor_access_dup_address:
 * @message: a request
 *
 * Returns: (transfer full): whose it is: an address, or of those that have 2⁶⁴ the net
 */
char *
monitor_access_dup_address (SoupServerMessage *message)
{
    GSocketAddress *remote = soup_server_message_get_remote_address (message);
    GInetAddress *address;

    if (!G_IS_INET_SOCKET_ADDRESS (remote)) {
        return g_strdup ("");
    }
    address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote));
    if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
            !g_inet_address_get_is_loopback (address)) {
        g_autoptr (GInetAddress) net = NULL;
        guint8 bytes[16] = { 0 };

        memcpy (bytes, g_inet_address_to_bytes (address), 8);
        net = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV6);
        return g_inet_address_to_string (net);
    }
    return g_inet_address_to_string (address);
}

static Allowance *
find_allowance (MonitorAccess *access, SoupServerMessage *message)
{
    g_autofree char *address = monitor_access_dup_address (message);
    gint64 now = g_get_monotonic_time ();
    Allowance *allowance = g_hash_table_lookup (access->allowances, address);

    if (!allowance && g_hash_table_size (access->allowances) >= MAX_ADDRESSES) {
        g_hash_table_foreach_remove (access->allowances, is_full, &now);
    }
    if (!allowance && g_hash_table_size (access->allowances) >= MAX_ADDRESSES) {
        allowance = &access->crowd;
    }
    if (!allowance) {
        allowance = g_new (Allowance, 1);
        *allowance = (Allowance){ BURST, WRONG_BURST, now };
        g_hash_table_insert (access->allowances, g_steal_pointer (&address), allowance);
    }
    refill (allowance, now);
    return allowance;
}

static gboolean
refuse (MonitorRefusal *refusal, guint status, const char *message, guint retry_after)
{
    *refusal = (MonitorRefusal){ status, message, retry_after };
    return FALSE;
}

static const char *
get_header (SoupServerMessage *message, const char *name)
{
    return soup_message_headers_get_one (soup_server_message_get_request_headers (message), name);
}

/* A page of another name that was made to resolve to this machine may not read us through its
 * visitor's browser: where no token keeps it out, only names that nobody can point here count. */
static gboolean
is_host_ours (MonitorAccess *access, SoupServerMessage *message)
{
    GUri *uri = soup_server_message_get_uri (message);
    const char *host = uri ? g_uri_get_host (uri) : NULL;

    if (!get_header (message, "Host") || !host) {
        return FALSE;
    }
    return access->token || g_hostname_is_ip_address (host) ||
           g_ascii_strcasecmp (host, "localhost") == 0;
}

/* Whether a browser says that a page of another origin asks. */
static gboolean
is_foreign (SoupServerMessage *message)
{
    const char *site = get_header (message, "Sec-Fetch-Site");
    const char *mode = get_header (message, "Sec-Fetch-Mode");

    return site && strcmp (site, "same-origin") != 0 && strcmp (site, "none") != 0 &&
           /* A link to the page is none of our business. */
           !(g_strcmp0 (mode, "navigate") == 0 &&
                   soup_server_message_get_method (message) == SOUP_METHOD_GET);
}

/* Of the name and port alone: before us may be a proxy that speaks TLS. */
static gboolean
is_same_origin (SoupServerMessage *message)
{
    const char *site = get_header (message, "Sec-Fetch-Site");
    const char *origin = get_header (message, "Origin");
    const char *host = get_header (message, "Host");
    const char *name;

    if (site) {
        return strcmp (site, "same-origin") == 0;
    }
    if (!origin || !host) {
        return FALSE;
    }
    name = strstr (origin, "://");
    return name && g_ascii_strcasecmp (name + 3, host) == 0;
}

static gboolean
has_bearer (SoupServerMessage *message, const char **token)
{
    const char *header = get_header (message, "Authorization");

    if (!header || g_ascii_strncasecmp (header, "Bearer ", 7) != 0) {
        return FALSE;
    }
    *token = header + 7;
    return TRUE;
}

static char *
sign (MonitorAccess *access, gint64 end)
{
    g_autofree char *text = g_strdup_printf ("altclip-monitor session %" G_GINT64_FORMAT, end);
    g_autofree char *digest = g_compute_hmac_for_string (
            G_CHECKSUM_SHA256, (const guchar *)access->token, strlen (access->token), text, -1);

    return g_strdup_printf ("%" G_GINT64_FORMAT ".%s", end, digest);
}

static gboolean
is_session (MonitorAccess *access, const char *value)
{
    gint64 end = g_ascii_strtoll (value, NULL, 10);
    g_autofree char *right = NULL;

    if (end <= g_get_real_time () / G_USEC_PER_SEC) {
        return FALSE;
    }
    right = sign (access, end);
    return equal_texts (access, value, right);
}

static gboolean
has_session (MonitorAccess *access, SoupServerMessage *message)
{
    const char *header = soup_message_headers_get_list (
            soup_server_message_get_request_headers (message), "Cookie");
    g_auto (GStrv) cookies = header ? g_strsplit_set (header, ";,", 64) : NULL;
    const gsize length = strlen (access->cookie);

    for (guint i = 0; cookies && cookies[i]; i++) {
        const char *cookie = g_strstrip (cookies[i]);

        if (strncmp (cookie, access->cookie, length) == 0 && cookie[length] == '=' &&
                is_session (access, cookie + length + 1)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Whether @token is right; tries are counted, so that nobody finds it by trying. */
static gboolean
check_token (MonitorAccess *access, SoupServerMessage *message, const char *token,
        MonitorRefusal *refusal)
{
    Allowance *allowance = find_allowance (access, message);

    if (allowance->wrong < 1) {
        return refuse (refusal, MONITOR_TOO_MANY_REQUESTS, "too many wrong tokens",
                (guint)(1 / WRONG_RATE));
    }
    if (!equal_texts (access, token, access->token)) {
        allowance->wrong -= 1;
        return refuse (refusal, SOUP_STATUS_UNAUTHORIZED, "wrong token", 0);
    }
    return TRUE;
}

static gboolean
check_caller (MonitorAccess *access, SoupServerMessage *message, gboolean *bearer,
        MonitorRefusal *refusal)
{
    const char *token;

    *bearer = FALSE;
    if (!access->token) {
        return TRUE;
    }
    if (has_bearer (message, &token)) {
        *bearer = check_token (access, message, token, refusal);
        return *bearer;
    }
    if (has_session (access, message)) {
        return TRUE;
    }
    return refuse (refusal, SOUP_STATUS_UNAUTHORIZED, "a token is needed", 0);
}

/**
 * monitor_access_check:
 * @access: rules
 * @message: a request, of which the headers are there
 * @open: whether what it asks for is everybody's
 * @refusal: (out): why not
 *
 * Returns: whether to serve it
 */
gboolean
monitor_access_check (
        MonitorAccess *access, SoupServerMessage *message, gboolean open, MonitorRefusal *refusal)
{
    const char *method = soup_server_message_get_method (message);
    gboolean safe = strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0;
    gboolean bearer = FALSE;
    Allowance *allowance = find_allowance (access, message);

    if (allowance->requests < 1) {
        return refuse (refusal, MONITOR_TOO_MANY_REQUESTS, "too many requests", 1);
    }
    allowance->requests -= 1;
    if (!is_host_ours (access, message)) {
        return refuse (refusal, SOUP_STATUS_FORBIDDEN,
                "the Host of the request is neither an address nor localhost", 0);
    }
    if (is_foreign (message)) {
        return refuse (refusal, SOUP_STATUS_FORBIDDEN, "asked by a page of another origin", 0);
    }
    if (!open && !check_caller (access, message, &bearer, refusal)) {
        return FALSE;
    }
    if (!safe && !bearer && !is_same_origin (message)) {
        return refuse (refusal, SOUP_STATUS_FORBIDDEN,
                "changes need a header Origin or Sec-Fetch-Site of this origin, or a token in "
                "the header Authorization",
                0);
    }
    return TRUE;
}

static void
set_cookie (MonitorAccess *access, SoupServerMessage *message, const char *value, int age)
{
    g_autofree char *header =
            g_strdup_printf ("%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
                    access->cookie, value, age, access->tls ? "; Secure" : "");

    soup_message_headers_replace (
            soup_server_message_get_response_headers (message), "Set-Cookie", header);
}

/**
 * monitor_access_log_in:
 * @access: rules
 * @message: to answer with a cookie
 * @token: what the browser's user typed
 * @refusal: (out): why not
 *
 * Returns: whether it was right
 */
gboolean
monitor_access_log_in (MonitorAccess *access, SoupServerMessage *message, const char *token,
        MonitorRefusal *refusal)
{
    g_autofree char *value = NULL;

    if (!access->token) {
        return TRUE;
    }
    if (!check_token (access, message, token, refusal)) {
        return FALSE;
    }
    value = sign (access, g_get_real_time () / G_USEC_PER_SEC + SESSION);
    set_cookie (access, message, value, SESSION);
    return TRUE;
}

/**
 * monitor_access_log_out:
 * @access: rules
 * @message: to answer with a cookie that has ended
 */
void
monitor_access_log_out (MonitorAccess *access, SoupServerMessage *message)
{
    set_cookie (access, message, "", 0);
}
