// gateway/config/diff.cpp: what differs between two configurations.
#include "gateway/config/diff.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "gateway/config/keys.hpp"

namespace sluice::gateway {
namespace {

constexpr const char* arrow = " \u2192 ";

std::string shown(std::string text)
{
    return text.empty() ? "(none)" : text;
}

std::string joined(const std::vector<std::string>& words)
{
    std::string all;
    for (const auto& word : words)
        all += (all.empty() ? "" : ", ") + word;
    return all;
}

std::string joined(const std::vector<endpoint>& places)
{
    std::vector<std::string> words;
    for (const auto& each : places)
        words.push_back(each.text());
    return joined(words);
}

std::string octal(unsigned mode)
{
    char text[16];
    std::snprintf(text, sizeof text, "0%o", mode);
    return text;
}

// Of the process: everything else of theirs is taken by a reload.
constexpr std::pair<std::string_view, std::string_view> at_start_only[] = {
    {"gateway", "workers"},
    {"gateway", "control_socket"},
    {"gateway.log", "queue"},
    {"listen", "mysql_version"},
    {"auth", "rsa_key_file"},
};

class collector {
public:
    void add(const std::string& path, std::string before, std::string after, bool restart = false)
    {
        if (before != after)
            found.push_back(
                {path + ": " + shown(std::move(before)) + arrow + shown(std::move(after)),
                 restart});
    }
    void said(const std::string& path, const char* what, bool restart = false)
    {
        found.push_back({path + ": " + what, restart});
    }
    template <class Secret>
    void hidden(const std::string& path, const Secret& before, const Secret& after)
    {
        if (!(before == after))
            said(path, "changed");
    }
    // Every key of a section that has a value of its own.
    void keys(const std::string& path,
              std::string_view section,
              const void* before,
              const void* after,
              bool all_restart = false,
              std::string_view skip = {})
    {
        for (const auto& each : keys_of(section)) {
            if (!each.load || each.name == skip)
                continue;
            const auto was = each.load(before);
            const auto is = each.load(after);
            if (was == is)
                continue;
            const bool stops = all_restart || needs_restart(section, each.name);
            const std::string name = path + "." + std::string(each.name);
            add(name, written(each, was), written(each, is), stops);
        }
    }
    // Calls `both(name, before, after)` for what is in both, and names what is in one.
    template <class Map, class Both>
    void named(const std::string& path, const Map& before, const Map& after, Both both)
    {
        for (const auto& [name, was] : before) {
            if (const auto is = after.find(name); is != after.end())
                both(path + "." + name, was, is->second);
            else
                said(path + "." + name, "removed");
        }
        for (const auto& [name, is] : after) {
            if (!before.contains(name))
                said(path + "." + name, "added");
        }
    }

    std::vector<config_change> found;
};

// The words of a connection, libpq's and the gateway's, without what must not be shown.
void compare_parameters(collector& out,
                        const std::string& path,
                        const postgres_config& before,
                        const postgres_config& after)
{
    std::vector<std::string> names;
    for (const auto* each : {&before, &after}) {
        for (const auto& [name, value] : each->parameters) {
            if (std::find(names.begin(), names.end(), name) == names.end())
                names.push_back(name);
        }
    }
    for (const auto& name : names) {
        const auto was = before.parameter(name);
        const auto is = after.parameter(name);
        if (name.find("password") != std::string::npos)
            out.hidden(path + "." + name, was, is);
        else
            out.add(path + "." + name, was, is);
    }
    out.hidden(path + ".password", before.password, after.password);
}

void compare_mysql(collector& out,
                   const std::string& path,
                   const mysql_config& before,
                   const mysql_config& after)
{
    out.add(path + ".host", before.host, after.host);
    out.add(path + ".port", std::to_string(before.port), std::to_string(after.port));
    out.add(path + ".socket", before.socket, after.socket);
    out.add(path + ".user", before.user, after.user);
    out.add(path + ".dbname", before.dbname, after.dbname);
    out.add(path + ".charset", before.charset, after.charset);
    out.hidden(path + ".password", before.password, after.password);
    out.keys(path + ".tls", "databases.NAME.tls", &before.tls, &after.tls);
}

const char* name_of(engine which) noexcept
{
    switch (which) {
        case engine::postgres:
            return "postgres";
        case engine::mysql:
            return "mysql";
        case engine::sqlite:
            break;
    }
    return "sqlite";
}

void compare_database(collector& out,
                      const std::string& path,
                      const database& before,
                      const database& after)
{
    if (before.engine != after.engine) {
        out.add(path + ".engine", name_of(before.engine), name_of(after.engine), true);
        return;
    }
    out.keys(path, "databases.NAME", &before, &after);
    if (before.engine == engine::postgres)
        compare_parameters(out, path, before.postgres, after.postgres);
    else if (before.engine == engine::mysql)
        compare_mysql(out, path, before.mysql, after.mysql);
    else
        out.add(path + ".file", before.sqlite.file, after.sqlite.file, true);
    const bool file = before.engine == engine::sqlite;
    if (file)
        out.keys(path, "databases.NAME (sqlite)", &before.sqlite, &after.sqlite, true);
    const auto size = [](const pool_config& of) {
        return of.find_size ? std::string("auto") : std::to_string(of.size);
    };
    out.add(path + ".pool.size", size(before.pool), size(after.pool), file);
    out.keys(path + ".pool", "databases.NAME.pool", &before.pool, &after.pool, file, "size");
}

void compare_user(collector& out, const std::string& path, const user& before, const user& after)
{
    out.keys(path, "users.NAME", &before, &after);
    out.hidden(path + ".password", before.passwords, after.passwords);
    out.hidden(path + ".backend_password", before.backend_password, after.backend_password);
    if (before.databases != after.databases) {
        const auto of = [](const user& who) {
            return who.databases.empty() ? std::string("(all)") : joined(who.databases);
        };
        out.add(path + ".databases", of(before), of(after));
    }
}

const char* method_of(auth_method method) noexcept
{
    switch (method) {
        case auth_method::scram_sha_256:
            return "scram-sha-256";
        case auth_method::md5:
            return "md5";
        case auth_method::trust:
            break;
    }
    return "trust";
}

void compare_listen(collector& out, const listen_config& before, const listen_config& after)
{
    out.keys("listen", "listen", &before, &after);
    out.add("listen.postgres", joined(before.postgres), joined(after.postgres));
    out.add("listen.mysql", joined(before.mysql), joined(after.mysql));
    const auto text = [](const std::optional<endpoint>& where) {
        return where ? where->text() : std::string();
    };
    out.add("listen.http", text(before.http), text(after.http), true);
    if (!(before.http_token == after.http_token))
        out.said("listen.http_token", "changed", true);
    out.add(
        "listen.unix_socket_mode", octal(before.unix_socket_mode), octal(after.unix_socket_mode));
    out.keys("listen.tls", "listen.tls", &before.tls, &after.tls);
}

}  // namespace

bool needs_restart(std::string_view section, std::string_view key) noexcept
{
    return std::find(std::begin(at_start_only), std::end(at_start_only), std::pair(section, key)) !=
           std::end(at_start_only);
}

std::vector<config_change> differences(const config& before, const config& after)
{
    collector out;
    out.keys("gateway", "gateway", &before.gateway, &after.gateway);
    out.keys("gateway.tcp_keepalive",
             "gateway.tcp_keepalive",
             &before.gateway.tcp_keepalive,
             &after.gateway.tcp_keepalive);
    out.keys("gateway.log", "gateway.log", &before.gateway.log, &after.gateway.log);
    compare_listen(out, before.listen, after.listen);
    out.keys("auth", "auth", &before.auth, &after.auth);
    out.add("auth.method", method_of(before.auth.method), method_of(after.auth.method));
    out.named("databases",
              before.databases,
              after.databases,
              [&](const std::string& path, const database& was, const database& is) {
                  compare_database(out, path, was, is);
              });
    out.named("users",
              before.users,
              after.users,
              [&](const std::string& path, const user& was, const user& is) {
                  compare_user(out, path, was, is);
              });
    out.keys("tenants", "tenants", &before.tenants, &after.tenants);
    out.named("tenants",
              before.tenants.named,
              after.tenants.named,
              [&](const std::string& path, const tenant& was, const tenant& is) {
                  out.keys(path, "tenants.NAME", &was, &is);
              });
    return std::move(out.found);
}

config effective(const config& before, config now)
{
    now.gateway.workers = before.gateway.workers;
    now.gateway.control_socket = before.gateway.control_socket;
    now.gateway.log.queue = before.gateway.log.queue;
    now.listen.mysql_version = before.listen.mysql_version;
    now.listen.http = before.listen.http;
    now.listen.http_token = before.listen.http_token;
    now.auth.rsa_key_file = before.auth.rsa_key_file;
    for (auto& [name, is] : now.databases) {
        const auto found = before.databases.find(name);
        if (found == before.databases.end())
            continue;
        const database& was = found->second;
        if (was.engine != is.engine) {
            is = was;
        } else if (is.engine == engine::sqlite) {
            is.sqlite = was.sqlite;
            is.pool = was.pool;
        }
    }
    return now;
}

bool connects_differently(const database& before, const database& after)
{
    collector out;
    if (before.engine != after.engine)
        return true;
    if (before.engine == engine::postgres)
        compare_parameters(out, "", before.postgres, after.postgres);
    else if (before.engine == engine::mysql)
        compare_mysql(out, "", before.mysql, after.mysql);
    return !out.found.empty();
}

}  // namespace sluice::gateway
