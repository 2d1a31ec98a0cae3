// gateway/config/sections.cpp: [listen], [auth], [users], [tenants], and what only the whole tells.
#include "gateway/config/sections.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <utility>

#include "gateway/config/keys.hpp"
#include "gateway/config/near.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t unix_path_max = 107;  // sockaddr_un::sun_path and its zero

std::optional<endpoint> parse_endpoint(const node& value)
{
    if (value.kind != node_kind::text)
        return std::nullopt;
    const std::string& text = value.text;
    endpoint made;
    if (text.starts_with("unix:")) {
        if (text.size() == 5)
            return std::nullopt;
        made.unix_path = resolve_path(value.at, text.substr(5));
        return made.unix_path.size() <= unix_path_max ? std::optional(made) : std::nullopt;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string::npos)
        return std::nullopt;
    made.host = text.substr(0, colon);
    const char* last = text.data() + text.size();
    const auto [end, ec] = std::from_chars(text.data() + colon + 1, last, made.port);
    if (ec != std::errc{} || end != last || made.host.empty())
        return std::nullopt;
    if (made.host.front() == '[' && made.host.back() == ']')
        made.host = made.host.substr(1, made.host.size() - 2);
    else if (made.host.find(':') != std::string::npos)
        return std::nullopt;
    if (made.host == "*")
        made.host.clear();
    return made;
}

void read_endpoints(const member& entry, std::vector<endpoint>& into, problems& found)
{
    std::vector<const node*> values;
    if (entry.value.kind == node_kind::array) {
        for (const auto& item : entry.value.items)
            values.push_back(&item);
    } else {
        values.push_back(&entry.value);
    }
    for (const node* value : values) {
        const auto made = parse_endpoint(*value);
        if (!made)
            found.error(value->at,
                        "listen." + entry.key + ": \"" + value->written +
                            "\" is not an address; valid: \"host:port\", \"[v6]:port\", "
                            "\"*:port\" or \"unix:/path\" of at most 107 characters");
        else if (std::find(into.begin(), into.end(), *made) != into.end() && made->port != 0)
            found.error(value->at, "listen." + entry.key + ": " + made->text() + " is there twice");
        else
            into.push_back(*made);
    }
}

void read_tls(const node& table, tls_config& into, problems& found)
{
    read_keys("listen.tls", keys_of("listen.tls"), table, &into, found);
    for (const auto* name : {"cert_file", "key_file", "ca_file"}) {
        const auto* entry = table.find(name);
        if (entry && entry->value.kind == node_kind::text &&
            !readable(resolve_path(entry->value.at, entry->value.text)))
            found.error(entry->value.at,
                        std::string("listen.tls.") + name + ": cannot read " +
                            resolve_path(entry->value.at, entry->value.text));
    }
    if (into.mode == tls_mode::off) {
        if (table.find("cert_file"))
            found.warning(table.at, "listen.tls has no effect with mode = \"off\"");
        return;
    }
    for (const auto* name : {"cert_file", "key_file"}) {
        if (!table.find(name))
            found.error(table.at, std::string("listen.tls needs ") + name);
    }
    if (into.mode == tls_mode::verify && !table.find("ca_file"))
        found.error(table.at, "listen.tls.mode = \"verify\" needs ca_file");
}

// "0770" or 0o770.
void read_socket_mode(const node& value, unsigned& mode, problems& found)
{
    unsigned made = 0;
    const char* last = value.text.data() + value.text.size();
    const auto [end, ec] = std::from_chars(value.text.data(), last, made, 8);
    const bool is_text = value.kind == node_kind::text && ec == std::errc{} && end == last;
    if (value.kind == node_kind::integer && value.integer >= 0 && value.integer <= 0777)
        mode = static_cast<unsigned>(value.integer);
    else if (is_text && made <= 0777)
        mode = made;
    else
        found.error(value.at, "unix_socket_mode is octal, such as \"0770\" or 0o770");
}

void read_passwords(const node& table, user& into, problems& found)
{
    const auto* direct = table.find("password");
    if (direct && direct->value.kind == node_kind::array) {
        for (const auto& item : direct->value.items) {
            if (item.kind == node_kind::text)
                into.passwords.emplace_back(item.text);
            else
                found.error(item.at, "password is text in quotes, or a list of texts");
        }
    } else if (direct) {
        into.passwords.emplace_back(text_of(*direct, found));
    }
    if (const auto* file = table.find("password_file")) {
        std::istringstream lines(read_small_file(file->value, "password_file", found));
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty())
                into.passwords.emplace_back(line);
        }
    }
}

const position& place_of(const node& root, std::string_view section)
{
    const auto* entry = root.find(section);
    return entry ? entry->key_at : root.at;
}

void check_user(const member& entry, const config& settings, problems& found)
{
    const auto* mine = settings.find_user(entry.key);
    if (!mine)
        return;
    if (mine->passwords.empty() && settings.auth.method != auth_method::trust)
        found.error(entry.key_at,
                    "user \"" + entry.key + "\" has no password; set password (sluice password " +
                        entry.key + " makes one) or password_file");
    const auto* listed = entry.value.find("databases");
    if (!listed)
        return;
    std::vector<std::string_view> names;
    for (const auto& [name, ignored] : settings.databases)
        names.push_back(name);
    for (const auto& item : listed->value.items) {
        if (item.kind == node_kind::text && !settings.find_database(item.text))
            found.error(item.at,
                        "user \"" + entry.key + "\": there is no [databases." + item.written + "]" +
                            did_you_mean(item.written, names));
    }
}

void check_default_database(const member& entry, const config& settings, problems& found)
{
    const auto* mine = settings.find_user(entry.key);
    const auto* named = entry.value.find("default_database");
    if (!mine || !named || mine->default_database.empty())
        return;
    std::vector<std::string_view> names;
    for (const auto& [name, ignored] : settings.databases)
        names.push_back(name);
    if (!settings.find_database(mine->default_database))
        found.error(named->value.at,
                    "user \"" + entry.key + "\": there is no [databases." + named->value.written +
                        "]" + did_you_mean(named->value.written, names));
    else if (!mine->may_use(mine->default_database))
        found.error(named->value.at,
                    "user \"" + entry.key +
                        "\": default_database is not in its list of databases; add it there");
}

void check_trust(const node& root, const config& settings, problems& found)
{
    if (settings.auth.method != auth_method::trust)
        return;
    for (const auto* listed : {&settings.listen.postgres, &settings.listen.mysql}) {
        for (const auto& where : *listed) {
            if (!where.is_loopback())
                found.error(place_of(root, "auth"),
                            "auth.method = \"trust\" while listening on " + where.text() +
                                "; trust is for loopback addresses and Unix sockets only; valid "
                                "here: \"password\"");
        }
    }
}

// A database that no client can come to is a slip, not a danger.
void check_reachable(const node& databases, const config& settings, problems& found)
{
    for (const auto& entry : databases.members) {
        const auto made = settings.databases.find(entry.key);
        if (made == settings.databases.end() || !entry.value.find("engine"))
            continue;
        if (made->second.engine == engine::mysql && settings.listen.mysql.empty())
            found.warning(
                entry.key_at,
                "[databases." + entry.key + "] is for MySQL clients, and listen.mysql is not set");
        if (made->second.engine == engine::postgres && settings.listen.postgres.empty())
            found.warning(entry.key_at,
                          "[databases." + entry.key +
                              "] is for PostgreSQL clients, and listen.postgres is not set");
    }
}

// Never open by default.
void check_http(const member& entry,
                const listen_config& listen,
                std::size_t addresses,
                problems& found)
{
    constexpr std::size_t token_min = 16;
    if (addresses > 1)
        found.error(entry.value.at, "listen.http takes one address");
    if (!listen.http)
        return;
    if (listen.http->is_unix())
        found.error(entry.value.at, "listen.http takes host:port, no Unix socket");
    else if (listen.http_token.empty() && !listen.http->is_loopback())
        found.error(entry.value.at,
                    "listen.http: " + listen.http->text() +
                        " can be reached from elsewhere, so listen.http_token or "
                        "listen.http_token_file has to be set; or listen on 127.0.0.1");
    else if (!listen.http_token.empty() && listen.http_token.reveal().size() < token_min)
        found.error(entry.key_at,
                    "listen.http_token is too short: " + std::to_string(token_min) +
                        " characters at least (openssl rand -hex 24)");
}

}  // namespace

void read_listen(const node& table, config& into, problems& found)
{
    auto& listen = into.listen;
    read_keys("listen", keys_of("listen"), table, &listen, found);
    if (const auto* entry = table.find("postgres"))
        read_endpoints(*entry, listen.postgres, found);
    if (const auto* entry = table.find("mysql"))
        read_endpoints(*entry, listen.mysql, found);
    if (const auto* entry = table.find("http")) {
        std::vector<endpoint> made;
        read_endpoints(*entry, made, found);
        if (!made.empty())
            listen.http = made.front();
        listen.http_token = read_secret(table, "http_token", found);
        check_http(*entry, listen, made.size(), found);
    } else if (const auto* token = table.find("http_token")) {
        found.warning(token->key_at, "listen.http_token has no effect without listen.http");
    }
    if (const auto* entry = table.find("tls"); entry && is_table("listen.tls", entry->value, found))
        read_tls(entry->value, listen.tls, found);
    if (const auto* entry = table.find("unix_socket_mode"))
        read_socket_mode(entry->value, listen.unix_socket_mode, found);
}

void read_auth(const node& table, config& into, problems& found)
{
    static constexpr std::string_view methods[] = {"password", "scram-sha-256", "md5", "trust"};
    static constexpr auth_method meanings[] = {auth_method::scram_sha_256,
                                               auth_method::scram_sha_256,
                                               auth_method::md5,
                                               auth_method::trust};
    static constexpr key method{"method", key_type::choice, 0, 0, methods, "password", "", nullptr};
    read_keys("auth", keys_of("auth"), table, &into.auth, found);
    if (const auto* entry = table.find("rsa_key_file");
        entry && !into.auth.rsa_key_file.empty() && !readable(into.auth.rsa_key_file))
        found.error(entry->value.at,
                    "auth.rsa_key_file: cannot read " + into.auth.rsa_key_file +
                        "; leave it out to have a key made at every start");
    if (const auto* entry = table.find("method")) {
        if (const auto made = read_scalar(method, entry->value, found))
            into.auth.method = meanings[std::get<std::int64_t>(*made)];
    }
}

void read_users(const node& table, config& into, problems& found)
{
    for (const auto& [name, at, value] : table.members) {
        const std::string where = "users." + name;
        if (!is_table(where, value, found))
            continue;
        user made;
        made.name = name;
        read_keys(where, keys_of("users.NAME"), value, &made, found);
        read_passwords(value, made, found);
        made.backend_password = read_secret(value, "backend_password", found);
        if (!made.backend_password.empty() && made.backend_user.empty())
            found.error(at, "user \"" + name + "\" has backend_password but no backend_user");
        if (const auto* listed = value.find("databases")) {
            if (listed->value.kind != node_kind::array || listed->value.items.empty())
                found.error(listed->value.at, "databases is a list of names; leave it out for all");
            for (const auto& item : listed->value.items) {
                if (item.kind == node_kind::text)
                    made.databases.push_back(item.text);
                else
                    found.error(item.at, "databases is a list of names in quotes");
            }
        }
        into.users.emplace(name, std::move(made));
    }
}

void read_tenants(const node& table, config& into, problems& found)
{
    node own;
    own.kind = node_kind::table;
    for (const auto& entry : table.members) {
        if (entry.value.kind != node_kind::table) {
            own.members.push_back(entry);
            continue;
        }
        tenant made;
        made.name = entry.key;
        read_keys("tenants." + entry.key, keys_of("tenants.NAME"), entry.value, &made, found);
        into.tenants.named.emplace(entry.key, std::move(made));
    }
    read_keys("tenants", keys_of("tenants"), own, &into.tenants, found);
}

void check_whole(const node& root, const config& settings, problems& found)
{
    const auto* listen = root.find("listen");
    const auto says = [&](std::string_view protocol) {
        const auto* named = listen ? listen->value.find(protocol) : nullptr;
        return named && (named->value.kind != node_kind::array || !named->value.items.empty());
    };
    if (!says("postgres") && !says("mysql"))
        found.error(place_of(root, "listen"),
                    "nothing to listen on; set listen.postgres = [\"127.0.0.1:6432\"] or "
                    "listen.mysql = [\"127.0.0.1:6033\"]");
    const auto* databases = root.find("databases");
    if (!databases || databases->value.members.empty())
        found.error(place_of(root, "databases"), "no databases; add a [databases.NAME]");
    else
        check_reachable(databases->value, settings, found);
    const auto* users = root.find("users");
    if (settings.auth.method != auth_method::trust && (!users || users->value.members.empty()))
        found.error(place_of(root, "users"),
                    "no users, so nobody could log in; add a [users.NAME] with a password");
    if (users) {
        for (const auto& entry : users->value.members) {
            check_user(entry, settings, found);
            check_default_database(entry, settings, found);
        }
    }
    check_trust(root, settings, found);
}

}  // namespace sluice::gateway
