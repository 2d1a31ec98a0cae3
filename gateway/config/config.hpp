// gateway/config/config.hpp: the whole configuration as plain values, defaults included.
//
// Layer: gateway. Knows nothing of TOML (load.hpp fills it). A loaded config is valid: whatever can
// be checked without connecting to a database has been checked. It is never changed after loading;
// a reload makes a new one. Paths are absolute or relative to the working directory, never to the
// file that named them. Zero means "no limit" or "off" where the comment says so.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/config/secret.hpp"

namespace sluice::gateway {

using duration = std::chrono::milliseconds;

inline constexpr std::size_t kibibyte = 1024;
inline constexpr std::size_t mebibyte = 1024 * kibibyte;
inline constexpr std::size_t gibibyte = 1024 * mebibyte;

// "127.0.0.1:6432", "[::1]:6432", "*:6432" (every address) or "unix:/run/sluice/.s.PGSQL.6432".
struct endpoint {
    std::string host;        // "" for every address; unused for a Unix socket
    std::uint16_t port = 0;  // 0: any free port (tests); unused for a Unix socket
    std::string unix_path;   // not empty: a Unix socket

    bool is_unix() const noexcept { return !unix_path.empty(); }
    bool is_loopback() const noexcept;  // a Unix socket, 127.0.0.0/8, ::1 or localhost
    std::string text() const;           // as it is written in the file
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

enum class log_level { trace, debug, info, warn, error, off };
enum class log_format { text, json };

struct log_config {
    log_level level = log_level::info;
    log_format format = log_format::text;
    std::string file;            // "": standard error
    std::size_t queue = 8192;    // lines that may wait for the disk; past it the oldest are dropped
    duration slow_statement{0};  // requests that took longer are logged; 0: none
};

struct keepalive_config {
    bool enabled = true;
    std::chrono::seconds idle{60};
    std::chrono::seconds interval{15};
    int count = 4;
};

struct gateway_config {
    int workers = 0;  // 0: one per CPU
    duration drain_timeout{30'000};
    std::size_t max_clients = 10'000;
    duration login_timeout{15'000};
    std::size_t max_message = gibibyte;    // one message of a client, PostgreSQL's own limit
    duration client_idle_timeout{0};       // 0: never
    std::size_t sqlite_memory = gibibyte;  // of all SQLite databases together; 0: no limit
    std::string sqlite_folder;             // "": SQLite files may lie anywhere
    std::string control_socket;            // "": see control_socket_of()
    keepalive_config tcp_keepalive;
    log_config log;
};

enum class tls_mode { off, prefer, require, verify };

struct tls_config {
    tls_mode mode = tls_mode::off;
    std::string cert_file;
    std::string key_file;
    std::string ca_file;  // verify: who signs the clients' certificates
};

struct listen_config {
    std::vector<endpoint> postgres;
    std::vector<endpoint> mysql;
    std::string mysql_version;     // what the greeting names; "": learned from the first backend
    std::optional<endpoint> http;  // dashboard, metrics, health
    secret http_token;             // who has it may look; empty: only over loopback addresses
    tls_config tls;
    int backlog = 1024;
    unsigned unix_socket_mode = 0777;
};

enum class auth_method { scram_sha_256, md5, trust };

struct auth_config {
    auth_method method = auth_method::scram_sha_256;  // "password" in the file
    // PEM, of MySQL clients that send their password encrypted with RSA; "": a key made at start.
    std::string rsa_key_file;
};

enum class pool_mode { session, transaction, statement };

struct pool_config {
    pool_mode mode = pool_mode::transaction;
    int size = 20;                   // backends of one (database, backend user), over all workers
    bool find_size = false;          // size = "auto": no more than serve best, from min to size
    int max = 40;                    // with "auto", what `size` becomes
    int min = 0;                     // opened before they are asked for, and kept
    int max_queued = 0;              // requests waiting for a backend; 0: no limit but the clients'
    duration queue_timeout{30'000};  // 0: wait for ever
    duration idle_timeout{600'000};  // 0: never closed for idling
    duration lifetime{3'600'000};    // 0: no limit; 10% jitter is taken off
    duration connect_timeout{5'000};
    int max_connecting = 4;
    int max_prepared = 500;          // per backend; least recently used are closed past it
    duration probe_after{30'000};    // idle longer: probed before use; 0: never
    duration cancel_timeout{5'000};  // a backend that has not obeyed a cancel by then is closed
    bool multiplex = true;           // statements that only read may share a backend
    bool auto_prepare = true;        // unnamed statements that come often

    friend bool operator==(const pool_config&, const pool_config&) = default;
};

enum class engine { postgres, mysql, sqlite };

struct postgres_config {
    // libpq's keywords and values, as PQconnectStartParams takes them, in libpq's order: what the
    // url or host/port/user/dbname said. Never holds a password. Of [databases."*"], no dbname.
    std::vector<std::pair<std::string, std::string>> parameters;
    secret password;

    // "" when the file does not say.
    std::string parameter(const std::string& keyword) const;
};

enum class mysql_tls_mode { disabled, preferred, required, verify_ca, verify_identity };

struct mysql_tls_config {
    mysql_tls_mode mode = mysql_tls_mode::preferred;  // over a Unix socket always disabled
    std::string ca_file;    // verify_*: who signs the server's certificate; "": the system's list
    std::string cert_file;  // our own, where the server asks for one
    std::string key_file;
};

struct mysql_config {
    std::string host;  // a name or an address; "" with socket
    std::uint16_t port = 3306;
    std::string socket;  // path of a Unix socket, instead of host and port
    std::string user;
    secret password;
    std::string dbname;  // of [databases."*"], none: the client's own name
    std::string charset = "utf8mb4";
    std::uint16_t collation = 45;  // the protocol's number of the charset's usual collation
    mysql_tls_config tls;
};

enum class sqlite_durability { full, normal };

struct sqlite_config {
    std::string file;  // absolute, symbolic links of its folder resolved
    int readers = 4;
    bool readonly = false;
    std::size_t max_size = 0;                // of the file; 0: as the disk allows
    bool create = true;                      // make the file if there is none
    std::size_t max_value = 256 * mebibyte;  // SQLITE_LIMIT_LENGTH: one value or row
    std::size_t max_sql = mebibyte;          // SQLITE_LIMIT_SQL_LENGTH: one statement's text
    // full: an acknowledged write survives a power cut. normal: the last ones may not, though reads
    // may have shown them; the file is never damaged.
    sqlite_durability durability = sqlite_durability::full;
    bool group_commit = true;  // writes that wait at the same time share a flush
    bool exclusive = false;    // no other process may open the file
};

struct database {
    std::string name;  // "*": any name that has no table of its own
    sluice::gateway::engine engine = sluice::gateway::engine::postgres;
    std::size_t max_clients = 0;  // 0: only gateway.max_clients
    // 0: none. Tenants have their own; the smaller one wins.
    duration statement_timeout{0};
    duration transaction_timeout{0};
    duration idle_transaction_timeout{0};  // sqlite: 5 s unless the file says otherwise
    postgres_config postgres;
    mysql_config mysql;
    sqlite_config sqlite;
    pool_config pool;  // sqlite: max_queued and queue_timeout only
};

struct user {
    std::string name;
    std::vector<secret> passwords;       // verifiers or plain text; see auth/user_store.hpp
    std::vector<std::string> databases;  // empty: all
    std::size_t max_clients = 0;         // 0: only gateway.max_clients
    std::string backend_user;            // "": as the database says
    secret backend_password;
    std::string default_database;  // of MySQL clients that name none
    std::optional<sluice::gateway::pool_mode> pool_mode;
    bool admin = false;  // may do everything in the console
    bool stats = false;  // may look at everything there

    bool may_use(const std::string& database) const noexcept;
};

enum class tenant_key { database, user, user_suffix, option, server_name };
enum class priority { high, normal, low };

// Zero: no limit.
struct tenant {
    std::string name;
    std::size_t max_clients = 0;
    int max_concurrent = 0;
    int min_reserved = 0;
    int max_queued = 0;
    duration queue_timeout{0};
    double max_rate = 0;  // requests a second
    int burst = 0;        // 0: a tenth of a second's worth
    duration target_delay{0};
    duration statement_timeout{0};
    duration transaction_timeout{0};
    duration idle_transaction_timeout{0};
    std::size_t max_buffer = 0;
    int weight = 1;
    sluice::gateway::priority priority = sluice::gateway::priority::normal;
    bool dry_run = false;
};

struct tenants_config {
    tenant_key key = tenant_key::database;
    std::string separator = "@";
    std::map<std::string, tenant> named;  // "default" is one of them if the file has it
};

struct config {
    std::string file;  // the file that was loaded, as it was named
    gateway_config gateway;
    listen_config listen;
    auth_config auth;
    std::map<std::string, database> databases;
    std::map<std::string, user> users;
    tenants_config tenants;

    // The database's own table, else "*", else null.
    const database* find_database(const std::string& name) const noexcept;
    const user* find_user(const std::string& name) const noexcept;
    // Where `sluice --takeover` finds the running process: gateway.control_socket, else "control"
    // in $RUNTIME_DIRECTORY, else beside the configuration file.
    std::string control_socket_of() const;
};

}  // namespace sluice::gateway
