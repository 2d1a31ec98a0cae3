// gateway/config/keys.cpp: every key of every section, with its default and what it is for.
#include "gateway/config/keys.hpp"

#include <limits>

namespace sluice::gateway {
namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t day = 86'400 * second;
constexpr std::int64_t many = 10'000'000;

// What all keys that a member of their section keeps have in common.
template <auto Member>
constexpr key kept(std::string_view name,
                   key_type type,
                   std::string_view fallback,
                   std::string_view help,
                   std::int64_t least = 0,
                   std::int64_t most = 0,
                   std::span<const std::string_view> choices = {})
{
    return {name,
            type,
            least,
            most,
            choices,
            fallback,
            help,
            store_member<Member>,
            load_member<Member>,
            {}};
}
template <auto Member>
constexpr key flag(std::string_view name, std::string_view fallback, std::string_view help)
{
    return kept<Member>(name, key_type::boolean, fallback, help);
}
template <auto Member>
constexpr key whole(std::string_view name,
                    std::int64_t least,
                    std::int64_t most,
                    std::string_view fallback,
                    std::string_view help)
{
    return kept<Member>(name, key_type::integer, fallback, help, least, most);
}
template <auto Member>
constexpr key real(std::string_view name,
                   std::int64_t least,
                   std::int64_t most,
                   std::string_view fallback,
                   std::string_view help)
{
    return kept<Member>(name, key_type::real, fallback, help, least, most);
}
template <auto Member>
constexpr key timed(std::string_view name,
                    std::int64_t least,
                    std::int64_t most,
                    std::string_view fallback,
                    std::string_view help)
{
    return kept<Member>(name, key_type::time, fallback, help, least, most);
}
template <auto Member>
constexpr key sized(std::string_view name,
                    std::size_t least,
                    std::size_t most,
                    std::string_view fallback,
                    std::string_view help)
{
    return kept<Member>(name,
                        key_type::size,
                        fallback,
                        help,
                        static_cast<std::int64_t>(least),
                        static_cast<std::int64_t>(most));
}
template <auto Member>
constexpr key one_of(std::string_view name,
                     std::span<const std::string_view> choices,
                     std::string_view fallback,
                     std::string_view help)
{
    return kept<Member>(name, key_type::choice, fallback, help, 0, 0, choices);
}
template <auto Member>
constexpr key words(std::string_view name, std::string_view fallback, std::string_view help)
{
    return kept<Member>(name, key_type::text, fallback, help);
}
template <auto Member>
constexpr key path(std::string_view name, std::string_view help)
{
    return kept<Member>(name, key_type::path, "", help);
}
// Read by hand: `takes` says which values are valid.
constexpr key special(std::string_view name,
                      std::string_view takes,
                      std::string_view fallback,
                      std::string_view help)
{
    return {name, key_type::special, 0, 0, {}, fallback, help, nullptr, nullptr, takes};
}
// Valid in [databases.NAME], and described among sqlite_keys.
constexpr key of_sqlite(std::string_view name)
{
    return special(name, told_elsewhere, "", "sqlite: see there");
}

// In the order of the enumerations of config.hpp.
constexpr std::string_view levels[] = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::string_view formats[] = {"text", "json"};
constexpr std::string_view tls_modes[] = {"off", "prefer", "require", "verify"};
constexpr std::string_view durabilities[] = {"full", "normal"};
constexpr std::string_view pool_modes[] = {"session", "transaction", "statement"};
constexpr std::string_view mysql_tls_modes[] = {
    "disabled", "preferred", "required", "verify_ca", "verify_identity"};
constexpr std::string_view tenant_keys_[] = {"database", "user", "user_suffix", "startup", "sni"};
constexpr std::string_view priorities[] = {"high", "normal", "low"};

constexpr key root_keys[] = {
    special("include", "a list of file names in quotes", "[]", "more files to read; * and ? match"),
    special("gateway", "a table", "", "the process"),
    special("listen", "a table", "", "where clients connect"),
    special("auth", "a table", "", "how clients prove who they are"),
    special("databases", "tables, one per name", "", "what clients connect to"),
    special("users", "tables, one per name", "", "who may connect"),
    special("tenants", "a table", "", "limits of each tenant"),
};

// clang-format off
using g = gateway_config;
constexpr key gateway_keys[] = {
    whole<&g::workers>("workers", 0, 1024, "0", "threads that serve clients; 0: one per CPU"),
    timed<&g::drain_timeout>("drain_timeout", 0, day, "30s",
        "how long SIGTERM waits for transactions to end"),
    whole<&g::max_clients>("max_clients", 1, many, "10000", "clients at once"),
    timed<&g::login_timeout>("login_timeout", 100, day, "15s", "how long a login may take"),
    sized<&g::max_message>("max_message", kibibyte, gibibyte, "1GiB",
        "the longest message of a client"),
    timed<&g::client_idle_timeout>("client_idle_timeout", 0, 365 * day, "0s",
        "clients idle for longer are disconnected; 0s: never"),
    sized<&g::sqlite_memory>("sqlite_memory", 0, 1024 * gibibyte, "1GiB",
        "memory of all SQLite databases together; 0B: no limit"),
    path<&g::sqlite_folder>("sqlite_folder", "SQLite files must lie below it"),
    path<&g::control_socket>("control_socket",
        "where --takeover finds this process; default: $RUNTIME_DIRECTORY/control or FILE.control"),
    special("tcp_keepalive", "a table", "", "how dead clients are noticed"),
    special("log", "a table", "", "what is logged where"),
};

using k = keepalive_config;
constexpr key keepalive_keys[] = {
    flag<&k::enabled>("enabled", "true", "send TCP keepalives to clients"),
    timed<&k::idle>("idle", second, day, "60s", "silence before the first probe"),
    timed<&k::interval>("interval", second, day, "15s", "time between probes"),
    whole<&k::count>("count", 1, 100, "4", "probes without answer before the client is gone"),
};

using l = log_config;
constexpr key log_keys[] = {
    one_of<&l::level>("level", levels, "info", "the least that is logged"),
    one_of<&l::format>("format", formats, "text", "lines for people or JSON for collectors"),
    path<&l::file>("file", "where to write; standard error without it"),
    whole<&l::queue>("queue", 16, 1'000'000, "8192",
        "lines that may wait to be written; past it the oldest are dropped"),
    timed<&l::slow_statement>("slow_statement", 0, day, "0s",
        "requests that take longer are logged with their trace and where the time went; 0s: none"),
};

using li = listen_config;
constexpr key listen_keys[] = {
    special("postgres", "a list of addresses in quotes", "[]",
        "host:port or unix:/path, for PostgreSQL clients"),
    special("mysql", "a list of addresses in quotes", "[]",
        "host:port or unix:/path, for MySQL clients"),
    words<&li::mysql_version>("mysql_version", "",
        "the server version that MySQL clients are told; without it that of a MySQL backend"),
    special("http", "an address in quotes", "",
        "host:port of dashboard, metrics and health checks; not loopback: with http_token only"),
    special("http_token", "text in quotes", "",
        "what who wants to see them has to send: Authorization: Bearer, or the login form"),
    special("http_token_file", "a file name in quotes", "", "a file that holds it"),
    special("tls", "a table", "", "encryption of client connections"),
    whole<&li::backlog>("backlog", 1, 65'535, "1024", "connections waiting to be accepted"),
    special("unix_socket_mode", "octal: \"0770\" or 0o770", "0777",
        "permissions of Unix sockets, octal"),
};

using t = tls_config;
constexpr key tls_keys[] = {
    one_of<&t::mode>("mode", tls_modes, "off",
        "prefer: whoever asks gets it; require: nobody without; verify: client certificates too"),
    path<&t::cert_file>("cert_file", "the server's certificate chain, PEM"),
    path<&t::key_file>("key_file", "its private key, PEM"),
    path<&t::ca_file>("ca_file", "verify: who signs the clients' certificates, PEM"),
};

using au = auth_config;
constexpr key auth_keys[] = {
    special("method", "\"password\", \"scram-sha-256\", \"md5\", \"trust\"", "password",
        "password (= scram-sha-256), scram-sha-256, md5 or trust"),
    path<&au::rsa_key_file>("rsa_key_file",
        "RSA key (PEM) for MySQL passwords sent without TLS; without it one is made at start"),
};

using d = database;
constexpr key database_keys[] = {
    special("engine", "\"postgres\", \"mysql\", \"sqlite\"", "", "postgres, mysql or sqlite"),
    whole<&d::max_clients>("max_clients", 0, many, "0", "clients at once; 0: no limit of its own"),
    timed<&d::statement_timeout>("statement_timeout", 0, day, "0s",
        "statements that run for longer are cancelled; 0s: never"),
    timed<&d::transaction_timeout>("transaction_timeout", 0, day, "0s",
        "transactions that are open for longer are rolled back; 0s: never"),
    timed<&d::idle_transaction_timeout>("idle_transaction_timeout", 0, day, "0s",
        "transactions in which nothing runs for longer are rolled back; 0s: never; sqlite: 5s, "
        "while it holds the file's writer"),
    special("pool", "a table", "", "how its connections are shared"),
    special("url", "a URL in quotes", "", 
        "postgres: whatever libpq takes; mysql: mysql://user@host/db; or host, port, user, dbname"),
    special("host", "text in quotes", "", "a name or an address; postgres: or a socket folder"),
    special("port", "an integer from 1 to 65535", "", "5432 for postgres, 3306 for mysql"),
    special("user", "text in quotes", "", "postgres, mysql: who the gateway logs in as"),
    special("dbname", "text in quotes", "", "postgres, mysql: default is the name of this table"),
    special("password", "text in quotes", "", "postgres, mysql: of user"),
    special("password_file", "a file name in quotes", "",
        "postgres, mysql: a file that holds the password"),
    special("socket", "a file name in quotes", "",
        "mysql: a Unix socket, instead of host and port"),
    special("charset", "the name of a character set in quotes", "utf8mb4",
        "mysql: of connections before a client chooses one"),
    special("tls", "a table", "", "mysql: encryption towards the server"),
    special("file", "a file name in quotes", "", "sqlite: the database file"),
    of_sqlite("readers"),
    of_sqlite("readonly"),
    of_sqlite("create"),
    of_sqlite("max_size"),
    of_sqlite("max_value"),
    of_sqlite("max_sql"),
    of_sqlite("durability"),
    of_sqlite("group_commit"),
    of_sqlite("exclusive"),
};

using mt = mysql_tls_config;
constexpr key mysql_tls_keys[] = {
    one_of<&mt::mode>("mode", mysql_tls_modes, "preferred",
        "as MySQL's --ssl-mode; verify_identity: certificate and host name are checked"),
    path<&mt::ca_file>("ca_file", "who signs the server's certificate, PEM"),
    path<&mt::cert_file>("cert_file", "our certificate, PEM"),
    path<&mt::key_file>("key_file", "its private key, PEM"),
};

using s = sqlite_config;
constexpr key sqlite_keys[] = {
    whole<&s::readers>("readers", 1, 64, "4", "threads that read"),
    flag<&s::readonly>("readonly", "false", "refuse writes"),
    flag<&s::create>("create", "true", "make the file when there is none"),
    sized<&s::max_size>("max_size", 0, 1024 * 1024 * gibibyte, "0B",
        "the file grows no further; 0B: as the disk allows"),
    sized<&s::max_value>("max_value", kibibyte, gibibyte - 1, "256MiB",
        "the longest value or row"),
    sized<&s::max_sql>("max_sql", kibibyte, gibibyte - 1, "1MiB", "the longest statement"),
    one_of<&s::durability>("durability", durabilities, "full",
        "normal: a power cut may take back the last writes"),
    flag<&s::group_commit>("group_commit", "true", "writes that wait share a flush of the disk"),
    flag<&s::exclusive>("exclusive", "false", "no other process may open the file; faster"),
};

using p = pool_config;
constexpr key pool_keys[] = {
    one_of<&p::mode>("mode", pool_modes, "transaction", "how long a client keeps a connection"),
    whole<&p::size>("size", 1, 10'000, "20",
        "connections of one database and user; \"auto\": as many as serve best, from min to max"),
    whole<&p::min>("min", 0, 10'000, "0", "connections kept open"),
    whole<&p::max>("max", 2, 10'000, "40", "connections at most, with size = \"auto\""),
    whole<&p::max_queued>("max_queued", 0, many, "0", "requests that may wait; 0: any number"),
    timed<&p::queue_timeout>("queue_timeout", 0, day, "30s", "how long one waits; 0s: for ever"),
    timed<&p::idle_timeout>("idle_timeout", 0, 365 * day, "10m",
        "connections idle for longer are closed; 0s: never"),
    timed<&p::lifetime>("lifetime", 0, 365 * day, "1h", "older ones are replaced; 0s: never"),
    timed<&p::connect_timeout>("connect_timeout", 100, 3'600'000, "5s", "how long opening takes"),
    whole<&p::max_connecting>("max_connecting", 1, 1000, "4", "connections opened at once"),
    whole<&p::max_prepared>("max_prepared", 1, 100'000, "500",
        "prepared statements of one connection"),
    timed<&p::probe_after>("probe_after", 0, 365 * day, "30s",
        "idle for longer: asked before it is used; 0s: never"),
    timed<&p::cancel_timeout>("cancel_timeout", 100, 3'600'000, "5s",
        "a connection that has not obeyed a cancel by then is closed"),
    flag<&p::multiplex>("multiplex", "true",
        "short statements that only read may share a connection with other clients'"),
    flag<&p::auto_prepare>("auto_prepare", "true",
        "unnamed statements that come often are prepared once on each connection"),
};

using u = user;
constexpr key user_keys[] = {
    special("password", "text in quotes, or a list of such", "",
        "verifiers of `sluice password`, or plain text; one or a list"),
    special("password_file", "a file name in quotes", "", "a file with one of them per line"),
    special("databases", "a list of names in quotes", "", "which it may use; all without it"),
    whole<&u::max_clients>("max_clients", 0, many, "0", "clients at once; 0: no limit of its own"),
    words<&u::backend_user>("backend_user", "", "log in to databases as this user"),
    special("backend_password", "text in quotes", "", "its password"),
    special("backend_password_file", "a file name in quotes", "", "a file that holds it"),
    words<&u::default_database>("default_database", "",
        "of MySQL clients that name none; without it the only one it may use"),
    one_of<&u::pool_mode>("pool_mode", pool_modes, "", "instead of pool.mode of the database"),
    flag<&u::admin>("admin", "false", "may use the admin console: database sluice or pgbouncer"),
    flag<&u::stats>("stats", "false", "may look at the admin console, without changing anything"),
};

using ts = tenants_config;
constexpr key tenants_keys[] = {
    one_of<&ts::key>("key", tenant_keys_, "database", "what tells tenants apart"),
    words<&ts::separator>("separator", "@", "user_suffix: what stands before the tenant"),
};

using te = tenant;
constexpr key tenant_keys[] = {
    whole<&te::max_clients>("max_clients", 0, many, "0", "clients at once; 0: no limit of its own"),
    whole<&te::max_concurrent>("max_concurrent", 0, many, "0",
        "requests or transactions that hold a connection; 0: any number"),
    whole<&te::min_reserved>("min_reserved", 0, many, "0",
        "of those, so many are served before everybody else's; lent while unused"),
    whole<&te::max_queued>("max_queued", 0, many, "0", "requests that may wait; 0: any number"),
    timed<&te::queue_timeout>("queue_timeout", 0, day, "0s",
        "how long one waits; 0s: as the pool says"),
    real<&te::max_rate>("max_rate", 0, many, "0", "requests a second; 0: any rate"),
    whole<&te::burst>("burst", 0, many, "0",
        "requests at once above the rate; 0: a tenth of a second's worth"),
    timed<&te::target_delay>("target_delay", 0, day, "0s",
        "who always waits longer than that, for want of connections, has its newest requests "
        "refused; 0s: never"),
    timed<&te::statement_timeout>("statement_timeout", 0, day, "0s",
        "statements are cancelled after; 0s: never"),
    timed<&te::transaction_timeout>("transaction_timeout", 0, day, "0s",
        "transactions are rolled back after; 0s: never"),
    timed<&te::idle_transaction_timeout>("idle_transaction_timeout", 0, day, "0s",
        "transactions are rolled back after idling for that long; 0s: never"),
    sized<&te::max_buffer>("max_buffer", 0, 64 * gibibyte, "0B", "bytes in flight; 0B: no limit"),
    whole<&te::weight>("weight", 1, 1000, "1", "its share of what is scarce"),
    one_of<&te::priority>("priority", priorities, "normal", "who is served first"),
    flag<&te::dry_run>("dry_run", "false", "count what would be refused, refuse nothing"),
};
// clang-format on

constexpr section_keys sections[] = {
    {"", root_keys},
    {"gateway", gateway_keys},
    {"gateway.tcp_keepalive", keepalive_keys},
    {"gateway.log", log_keys},
    {"listen", listen_keys},
    {"listen.tls", tls_keys},
    {"auth", auth_keys},
    {"databases.NAME", database_keys},
    {"databases.NAME (sqlite)", sqlite_keys},
    {"databases.NAME.tls", mysql_tls_keys},
    {"databases.NAME.pool", pool_keys},
    {"users.NAME", user_keys},
    {"tenants", tenants_keys},
    {"tenants.NAME", tenant_keys},
};

// SETTINGS.md is made of these: whoever adds a key says what it is for and what it takes.
[[maybe_unused]] constexpr bool all_are_described()
{
    for (const auto& [section, keys] : sections) {
        for (const auto& entry : keys) {
            if (entry.name.empty() || entry.help.size() < 8)
                return false;
            if (entry.type == key_type::special ? entry.takes.empty() : !entry.store || !entry.load)
                return false;
        }
    }
    return true;
}
// GCC takes no address of a function for a constant when UBSan looks for null (bug 71962).
#ifndef __SANITIZE_ADDRESS__
static_assert(all_are_described(), "a key has no description, or does not say what it takes");
#endif

}  // namespace

std::span<const section_keys> all_keys() noexcept
{
    return sections;
}

std::span<const key> keys_of(std::string_view section) noexcept
{
    for (const auto& entry : sections) {
        if (entry.section == section)
            return entry.keys;
    }
    return {};
}

}  // namespace sluice::gateway
