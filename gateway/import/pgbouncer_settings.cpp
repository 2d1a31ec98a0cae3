// gateway/import/pgbouncer_settings.cpp: every setting of PgBouncer's [pgbouncer] section.
//
// Names and defaults: pgbouncer.5 of 1.18 to 1.25.
#include "gateway/import/pgbouncer_settings.hpp"

namespace sluice::gateway::importing {
namespace {

using enum fate;

// clang-format off
constexpr pgbouncer_setting settings[] = {
    // Where it listens, who may come.
    {"listen_addr", "", written, ""},
    {"listen_port", "6432", written, ""},
    {"listen_backlog", "128", written, ""},
    {"unix_socket_dir", "/tmp", written, ""},
    {"unix_socket_mode", "0777", written, ""},
    {"unix_socket_group", "", missing,
        "give the folder of the socket that group, or set listen.unix_socket_mode"},
    {"max_client_conn", "100", written, ""},
    {"auth_type", "md5", written, ""},
    {"auth_file", "", written, ""},
    {"auth_user", "", missing,
        "passwords are not asked from the database; list users in [users.NAME] (sluice "
        "password NAME)"},
    {"auth_query", "SELECT usename, passwd FROM pg_shadow WHERE usename=$1", missing,
        "passwords are not asked from the database; list users in [users.NAME] (sluice "
        "password NAME)"},
    {"auth_dbname", "", missing,
        "passwords are not asked from the database; list users in [users.NAME] (sluice "
        "password NAME)"},
    {"auth_hba_file", "", missing,
        "use listen (addresses), listen.tls.mode and users.NAME.databases, or a firewall"},
    {"auth_ident_file", "", missing,
        "name each user in [users.NAME]; backend_user says who it is in the database"},
    {"auth_ldap_options", "", missing, "LDAP is not asked; list users in [users.NAME]"},
    {"auth_ldap_parameter", "", missing, "LDAP is not asked; list users in [users.NAME]"},
    {"admin_users", "", written, ""},
    {"stats_users", "", written, ""},
    {"client_tls_sslmode", "disable", written, ""},
    {"client_tls_key_file", "", written, ""},
    {"client_tls_cert_file", "", written, ""},
    {"client_tls_ca_file", "", written, ""},
    {"client_tls_protocols", "secure", missing,
        "TLS 1.2 and newer are accepted; OpenSSL's configuration can narrow it"},
    {"client_tls_ciphers", "fast", missing,
        "OpenSSL's configuration (CipherString) chooses ciphers"},
    {"client_tls13_ciphers", "", missing, "OpenSSL's configuration (Ciphersuites) chooses ciphers"},
    {"client_tls_ecdhcurve", "auto", missing, "OpenSSL's configuration (Groups) chooses curves"},
    {"client_tls_dheparams", "auto", missing, "OpenSSL's configuration chooses parameters"},
    // Pools.
    {"pool_mode", "session", written, ""},
    {"default_pool_size", "20", written, ""},
    {"min_pool_size", "0", written, ""},
    {"reserve_pool_size", "0", missing,
        "there is no reserve; add it to pool.size, whose connections are opened only when "
        "they are needed"},
    {"reserve_pool_timeout", "5", missing, "there is no reserve; add it to pool.size"},
    {"max_db_connections", "0", written, ""},
    {"max_user_connections", "0", written, ""},
    {"max_db_client_connections", "0", written, ""},
    {"max_user_client_connections", "0", written, ""},
    {"max_prepared_statements", "200", written, ""},
    {"server_round_robin", "0", missing, "the connection that was used last is used next"},
    {"server_lifetime", "3600", written, ""},
    {"server_idle_timeout", "600", written, ""},
    {"server_connect_timeout", "15", written, ""},
    {"server_login_retry", "15", not_needed,
        "a server that is away is tried again at once, then at growing intervals"},
    {"server_check_delay", "30", written, ""},
    {"server_check_query", "select 1", written, ""},
    {"server_reset_query", "DISCARD ALL", not_needed,
        "session state follows its client; a connection is reset where it must be"},
    {"server_reset_query_always", "0", not_needed,
        "session state follows its client; a connection is reset where it must be"},
    {"server_fast_close", "0", not_needed, "connections are replaced between transactions"},
    {"load_balance_hosts", "round-robin", missing,
        "hosts are tried in order; with libpq 16 the url takes load_balance_hosts=random"},
    {"autodb_idle_timeout", "3600", not_needed,
        "pools of \"*\" are forgotten when their connections have idled for pool.idle_timeout"},
    {"disable_pqexec", "0", missing, "several statements in one simple query are passed on"},
    {"application_name_add_host", "0", missing,
        "the log and SHOW CLIENTS name each client's address"},
    {"ignore_startup_parameters", "", not_needed,
        "startup parameters are passed on and follow their client"},
    {"track_extra_parameters", "IntervalStyle", not_needed, "every setting of a client follows it"},
    // Time.
    {"query_timeout", "0", written, ""},
    {"query_wait_timeout", "120", written, ""},
    {"query_wait_notify", "5", missing, "SHOW WAITING and the metrics tell who waits"},
    {"cancel_wait_timeout", "10", not_needed, "a cancel never waits for a connection"},
    {"client_idle_timeout", "0", written, ""},
    {"client_login_timeout", "60", written, ""},
    {"idle_transaction_timeout", "0", written, ""},
    {"transaction_timeout", "0", written, ""},
    {"suspend_timeout", "10", not_needed, "a takeover hands over the listening sockets alone"},
    // Servers.
    {"server_tls_sslmode", "prefer", written, ""},
    {"server_tls_ca_file", "", written, ""},
    {"server_tls_key_file", "", written, ""},
    {"server_tls_cert_file", "", written, ""},
    {"server_tls_protocols", "secure", missing,
        "the url of a database takes ssl_min_protocol_version and ssl_max_protocol_version"},
    {"server_tls_ciphers", "fast", missing,
        "OpenSSL's configuration (CipherString) chooses ciphers"},
    {"server_tls13_ciphers", "", missing, "OpenSSL's configuration (Ciphersuites) chooses ciphers"},
    {"dns_max_ttl", "15", not_needed, "names are resolved anew for each connection that is opened"},
    {"dns_nxdomain_ttl", "15", not_needed,
        "names are resolved anew for each connection that is opened"},
    {"dns_zone_check_period", "0", not_needed,
        "names are resolved anew for each connection that is opened"},
    {"resolv_conf", "", missing, "names are resolved as the system's resolver is configured"},
    // Network.
    {"max_packet_size", "2147483647", written, ""},
    {"pkt_buf", "4096", not_needed, "buffers are sized by what passes"},
    {"sbuf_loopcnt", "5", not_needed, "no client can keep a worker for itself"},
    {"so_reuseport", "0", not_needed, "one process serves with gateway.workers threads"},
    {"peer_id", "0", not_needed,
        "one process serves with gateway.workers threads, so cancels always find it"},
    {"tcp_defer_accept", "1", not_needed, "clients are accepted by the loop that serves them"},
    {"tcp_socket_buffer", "0", missing, "the system's tcp_rmem and tcp_wmem size the buffers"},
    {"tcp_keepalive", "1", written, ""},
    {"tcp_keepcnt", "0", written, ""},
    {"tcp_keepidle", "0", written, ""},
    {"tcp_keepintvl", "0", written, ""},
    {"tcp_user_timeout", "0", written, ""},
    // The process.
    {"logfile", "", written, ""},
    {"verbose", "0", written, ""},
    {"syslog", "0", missing,
        "standard error goes to the journal under systemd; gateway.log.file is a file"},
    {"syslog_ident", "pgbouncer", missing, "see syslog"},
    {"syslog_facility", "daemon", missing, "see syslog"},
    {"log_connections", "1", missing, "logins are logged at gateway.log.level = \"debug\""},
    {"log_disconnections", "1", missing, "see log_connections"},
    {"log_pooler_errors", "1", missing, "errors are counted in the metrics, and logged by level"},
    {"log_stats", "1", missing, "the metrics (listen.http) have what PgBouncer logs"},
    {"stats_period", "60", not_needed, "the metrics are counters; whoever asks chooses the period"},
    {"pidfile", "", not_needed, "the service manager knows the process"},
    {"user", "", not_needed, "start it as the user that it shall be (User= of the systemd unit)"},
    {"conffile", "", not_needed, "a reload reads the file of --config"},
    {"service_name", "", not_needed, "a service of Windows"},
    {"job_name", "pgbouncer", not_needed, "another name of service_name"},
};
// clang-format on

}  // namespace

const pgbouncer_setting* find_pgbouncer_setting(std::string_view name) noexcept
{
    for (const auto& setting : settings) {
        if (setting.name == name)
            return &setting;
    }
    return nullptr;
}

}  // namespace sluice::gateway::importing
