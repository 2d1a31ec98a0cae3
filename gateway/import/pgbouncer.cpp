// gateway/import/pgbouncer.cpp: [pgbouncer]: the process, where it listens, its time-outs.
#include "gateway/import/pgbouncer.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "gateway/config/config.hpp"
#include "gateway/import/pgbouncer_settings.hpp"
#include "gateway/import/translation.hpp"

namespace sluice::gateway::importing {
namespace {

constexpr std::size_t unix_path_max = 107;

std::string absolute(const std::string& path)
{
    std::error_code ec;
    return std::filesystem::absolute(path, ec).lexically_normal().string();
}

void translate_keepalive(translation& in)
{
    const std::string table = "gateway.tcp_keepalive";
    if (const auto* on = in.global("tcp_keepalive")) {
        if (const auto value = in.truth(*on))
            in.put(table, table, "enabled", scalar(*value), on);
    }
    // 0: as the system does it; Sluice keeps to its own defaults, which are shorter.
    for (const auto& [from, to, factor] : {std::tuple{"tcp_keepidle", "idle", 1000},
                                           {"tcp_keepintvl", "interval", 1000},
                                           {"tcp_keepcnt", "count", 1}}) {
        const auto* entry = in.global(from);
        const auto value = entry ? in.whole(*entry) : std::nullopt;
        if (value && *value > 0)
            in.put(table,
                   table,
                   to,
                   scalar(std::min<std::int64_t>(*value, 1'000'000) * factor),
                   entry);
    }
}

void add_address(translation& in,
                 const ini_entry* why,
                 const std::string& host,
                 std::vector<std::string>& to)
{
    const auto port = in.global_value("listen_port");
    const bool is_v6 = host.find(':') != std::string::npos;
    endpoint where;
    where.host = host == "*" ? "" : host;
    if (in.global_value("auth_type") == "trust" || in.global_value("auth_type") == "any") {
        if (!where.is_loopback()) {
            in.note(*why,
                    host + " is left out: auth_type = " + in.global_value("auth_type") +
                        " is for loopback addresses and Unix sockets only; set "
                        "auth.method = \"password\" and passwords to listen there");
            return;
        }
    }
    to.push_back(toml_string((is_v6 ? "[" + host + "]" : host) + ":" + port));
}

void add_socket(translation& in, std::vector<std::string>& to)
{
    const auto* entry = in.global("unix_socket_dir");
    const auto folder = in.global_value("unix_socket_dir");
    if (folder.empty())
        return;
    const auto path = folder + "/.s.PGSQL." + in.global_value("listen_port");
    if (entry && (folder.front() == '@' || path.size() > unix_path_max))
        in.note(*entry,
                folder.front() == '@' ? "sockets have names in the file system only"
                                      : "the path of a socket has at most 107 characters");
    else
        to.push_back(toml_string("unix:" + path));
    if (!entry)
        in.note(in.start(),
                "unix_socket_dir",
                "is not set: /tmp is PgBouncer's own default, a distribution's may differ");
}

void translate_client_tls(translation& in)
{
    const auto* entry = in.global("client_tls_sslmode");
    if (!entry || entry->value == "disable")
        return;
    static constexpr std::pair<std::string_view, tls_mode> modes[] = {
        {"allow", tls_mode::prefer},
        {"prefer", tls_mode::prefer},
        {"require", tls_mode::require},
        {"verify-ca", tls_mode::verify},
        {"verify-full", tls_mode::verify}};
    const auto* found = std::find_if(std::begin(modes), std::end(modes), [&](const auto& each) {
        return each.first == entry->value;
    });
    if (found == std::end(modes))
        return in.error(entry->at,
                        "client_tls_sslmode = " + entry->value + " is none of PgBouncer's");
    in.put("listen.tls",
           "listen.tls",
           "mode",
           scalar(static_cast<std::int64_t>(found->second)),
           entry);
    for (const auto& [from, to] : {std::pair{"client_tls_cert_file", "cert_file"},
                                   {"client_tls_key_file", "key_file"},
                                   {"client_tls_ca_file", "ca_file"}}) {
        if (const auto* file = in.global(from); file && !file->value.empty())
            in.put("listen.tls",
                   "listen.tls",
                   to,
                   scalar(absolute(beside(file->at.file, file->value))),
                   file);
    }
}

}  // namespace

void translate_process(translation& in)
{
    in.put("gateway",
           "gateway",
           "max_clients",
           scalar(in.global_whole("max_client_conn")),
           in.global("max_client_conn"));
    in.put("gateway",
           "gateway",
           "login_timeout",
           scalar(in.global_milliseconds("client_login_timeout")),
           in.global("client_login_timeout"));
    in.put("gateway",
           "gateway",
           "client_idle_timeout",
           scalar(in.global_milliseconds("client_idle_timeout")),
           in.global("client_idle_timeout"));
    // A gibibyte is the longest message that PostgreSQL takes.
    in.put("gateway",
           "gateway",
           "max_message",
           scalar(std::min<std::int64_t>(in.global_whole("max_packet_size"), gibibyte)),
           in.global("max_packet_size"));
    if (const auto* file = in.global("logfile"); file && !file->value.empty())
        in.put("gateway.log",
               "gateway.log",
               "file",
               scalar(absolute(beside(file->at.file, file->value))),
               file);
    if (in.global_whole("verbose") > 0)
        in.put("gateway.log",
               "gateway.log",
               "level",
               scalar(static_cast<std::int64_t>(log_level::debug)),
               in.global("verbose"));
    translate_keepalive(in);
}

void translate_listeners(translation& in)
{
    const auto port = in.global_whole("listen_port");
    if (port < 1 || port > 65'535) {
        const auto* entry = in.global("listen_port");
        return in.error(entry ? entry->at : in.start(), "listen_port is from 1 to 65535");
    }
    std::vector<std::string> places;
    if (const auto* entry = in.global("listen_addr")) {
        std::string_view left = entry->value;
        while (!left.empty()) {
            const auto end = std::min(left.find(','), left.size());
            if (const auto host = trimmed(left.substr(0, end)); !host.empty())
                add_address(in, entry, std::string(host), places);
            left.remove_prefix(std::min(end + 1, left.size()));
        }
    }
    add_socket(in, places);
    if (places.empty()) {
        places.push_back(toml_string("127.0.0.1:" + std::to_string(port)));
        in.note(in.start(), "listen_addr", "leaves nothing to listen on; 127.0.0.1 is written");
    }
    std::string all;
    for (const auto& where : places) {
        if (all.find(where) == std::string::npos)
            all += (all.empty() ? "" : ", ") + where;
    }
    in.out.put("listen", "postgres", "[" + all + "]");
    in.put("listen",
           "listen",
           "backlog",
           scalar(in.global_whole("listen_backlog")),
           in.global("listen_backlog"));
    if (const auto* mode = in.global("unix_socket_mode"); mode && mode->value != "0777") {
        if (mode->value.empty() || mode->value.size() > 4 ||
            mode->value.find_first_not_of("01234567") != std::string::npos)
            in.error(mode->at, "unix_socket_mode is octal, such as 0770");
        else
            in.out.put("listen", "unix_socket_mode", toml_string(mode->value));
    }
    translate_client_tls(in);
}

void translate_pgbouncer_timeouts(translation& in)
{
    for (const auto& [from, to] : {std::pair{"query_timeout", "statement_timeout"},
                                   {"transaction_timeout", "transaction_timeout"},
                                   {"idle_transaction_timeout", "idle_transaction_timeout"}}) {
        in.put("tenants.default",
               "tenants.NAME",
               to,
               scalar(in.global_milliseconds(from)),
               in.global(from));
    }
}

void translate_rest(translation& in)
{
    std::set<std::string> seen;
    for (const auto& entry : in.from().entries) {
        if (entry.section == "databases" || entry.section == "users")
            continue;
        if (entry.section != "pgbouncer") {
            in.note(entry,
                    entry.section == "peers"
                        ? "one process serves all clients with gateway.workers threads; "
                          "peers are not needed"
                        : "[" + entry.section + "] is not a section of PgBouncer");
            continue;
        }
        const auto name = lower(entry.key);
        if (const auto* last = in.global(name); last != &entry)
            continue;
        const auto* known = find_pgbouncer_setting(name);
        if (!known)
            in.note(entry, "is no setting of PgBouncer that this version knows; it is left out");
        else if (known->becomes != fate::written && entry.value != known->fallback)
            in.note(entry,
                    (known->becomes == fate::missing ? "has no counterpart; " : "is not needed; ") +
                        std::string(known->advice));
    }
}

import_result import_pgbouncer(const std::string& file)
{
    translation in(file, read_ini(file));
    if (!in.from().errors.empty())
        return in.finish();
    in.out.add_comment("Written by `sluice import " +
                       std::filesystem::path(file).filename().string() + "`.");
    translate_process(in);
    translate_listeners(in);
    translate_databases(in);
    translate_users(in);
    translate_pgbouncer_timeouts(in);
    translate_rest(in);
    return in.finish();
}

}  // namespace sluice::gateway::importing
