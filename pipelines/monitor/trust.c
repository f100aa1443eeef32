/* altclip: which certificates a camera may show
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "trust.h"

struct _MonitorTrust {
    GTlsDatabase parent;
    GTlsDatabase *authorities;
    GList *known; /* of GTlsCertificate: those of the file */
    gboolean has_file;
    gint refusal; /* atomic: GTlsCertificateFlags */
};

G_DEFINE_FINAL_TYPE (MonitorTrust, monitor_trust, G_TYPE_TLS_DATABASE)

static gboolean
is_known (MonitorTrust *self, GTlsCertificate *certificate)
{
    for (GList *at = self->known; at; at = at->next)
        if (g_tls_certificate_is_same (at->data, certificate))
            return TRUE;
    return FALSE;
}

/* In the thread that connects. */
static GTlsCertificateFlags
monitor_trust_verify_chain (GTlsDatabase *database, GTlsCertificate *chain, const char *purpose,
        GSocketConnectable *identity, GTlsInteraction *interaction, GTlsDatabaseVerifyFlags flags,
        GCancellable *cancellable, GError **error)
{
    MonitorTrust *self = MONITOR_TRUST (database);
    GTlsCertificateFlags faults = 0;

    if (!is_known (self, chain))
        faults = g_tls_database_verify_chain (self->authorities, chain, purpose, identity,
                interaction, flags, cancellable, error);
    g_atomic_int_set (&self->refusal, (gint)faults);
    return faults;
}

static void
monitor_trust_finalize (GObject *object)
{
    MonitorTrust *self = MONITOR_TRUST (object);

    g_clear_object (&self->authorities);
    g_list_free_full (self->known, g_object_unref);
    G_OBJECT_CLASS (monitor_trust_parent_class)->finalize (object);
}

static void
monitor_trust_class_init (MonitorTrustClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = monitor_trust_finalize;
    G_TLS_DATABASE_CLASS (klass)->verify_chain = monitor_trust_verify_chain;
}

static void
monitor_trust_init (MonitorTrust *self)
{
    (void)self;
}

MonitorTrust *
monitor_trust_new (const char *path, GError **error)
{
    g_autoptr (MonitorTrust) trust = g_object_new (MONITOR_TYPE_TRUST, NULL);

    if (path) {
        trust->has_file = TRUE;
        trust->known = g_tls_certificate_list_new_from_file (path, error);
        if (!trust->known) {
            if (error && !*error)
                g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                        "there is no certificate in it");
            return NULL;
        }
        trust->authorities = g_tls_file_database_new (path, error);
    } else {
        trust->authorities = g_tls_backend_get_default_database (g_tls_backend_get_default ());
        if (!trust->authorities)
            g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE,
                    "GLib has no TLS here (glib-networking)");
    }
    return trust->authorities ? g_steal_pointer (&trust) : NULL;
}

static const char *
describe_faults (MonitorTrust *trust, GTlsCertificateFlags faults)
{
    if (faults & G_TLS_CERTIFICATE_UNKNOWN_CA)
        return trust->has_file ? "it is not in the file `certificate`, nor signed by one there"
                               : "nobody whom this machine knows has signed it; if it is the "
                                 "camera's, name its file as `certificate`";
    if (faults & G_TLS_CERTIFICATE_BAD_IDENTITY)
        return "it is for another name or address";
    if (faults & G_TLS_CERTIFICATE_NOT_ACTIVATED)
        return "it is not valid yet";
    if (faults & G_TLS_CERTIFICATE_EXPIRED)
        return "it has expired";
    if (faults & G_TLS_CERTIFICATE_REVOKED)
        return "it has been revoked";
    if (faults & G_TLS_CERTIFICATE_INSECURE)
        return "its algorithm is not secure";
    return "it is not valid";
}

char *
monitor_trust_describe_refusal (MonitorTrust *trust)
{
    GTlsCertificateFlags faults = (GTlsCertificateFlags)g_atomic_int_get (&trust->refusal);

    return faults ? g_strdup_printf (
                            "the certificate is not trusted: %s", describe_faults (trust, faults))
                  : NULL;
}
