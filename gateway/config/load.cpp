// gateway/config/load.cpp: a configuration file in, a checked config or everything wrong with it
// out.
#include "gateway/config/load.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "gateway/config/document.hpp"
#include "gateway/config/keys.hpp"
#include "gateway/config/sections.hpp"

namespace sluice::gateway {
namespace {

void read_gateway(const node& table, gateway_config& into, problems& found)
{
    read_keys("gateway", keys_of("gateway"), table, &into, found);
    if (const auto* log = table.find("log"); log && is_table("gateway.log", log->value, found))
        read_keys("gateway.log", keys_of("gateway.log"), log->value, &into.log, found);
    const auto* keepalive = table.find("tcp_keepalive");
    if (keepalive && is_table("gateway.tcp_keepalive", keepalive->value, found))
        read_keys("gateway.tcp_keepalive",
                  keys_of("gateway.tcp_keepalive"),
                  keepalive->value,
                  &into.tcp_keepalive,
                  found);
}

}  // namespace

bool readable(const std::string& file) noexcept
{
    return ::access(file.c_str(), R_OK) == 0;
}

std::string text_of(const member& entry, problems& found)
{
    if (entry.value.kind == node_kind::text && entry.value.text.find('\0') == std::string::npos)
        return entry.value.text;
    found.error(entry.value.at, entry.key + " is text in quotes");
    return {};
}

std::string read_small_file(const node& name, std::string_view key, problems& found)
{
    if (name.kind != node_kind::text) {
        found.error(name.at, std::string(key) + " is a file name in quotes");
        return {};
    }
    const std::string file = resolve_path(name.at, name.text);
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::string text;
    for (char c = 0; text.size() <= mebibyte && in.get(c);)
        text.push_back(c);
    if (text.empty() || text.size() > mebibyte)
        found.error(name.at,
                    std::string(key) + ": cannot read " + file + ": " +
                        (errno != 0     ? std::strerror(errno)
                         : text.empty() ? "it is empty"
                                        : "it is larger than 1 MiB"));
    if (text.ends_with('\n'))
        text.pop_back();
    if (text.ends_with('\r'))
        text.pop_back();
    return text;
}

secret read_secret(const node& table, const std::string& key, problems& found)
{
    const auto* direct = table.find(key);
    const auto* in_file = table.find(key + "_file");
    if (direct && in_file)
        found.error(in_file->key_at, key + " and " + key + "_file are both set; keep one");
    if (direct)
        return secret(text_of(*direct, found));
    if (in_file)
        return secret(read_small_file(in_file->value, key + "_file", found));
    return {};
}

load_result load_config(const std::string& file)
{
    load_result made;
    problems found;
    const node root = read_document(file, found);
    made.settings.file = file;
    // A file that cannot be read at all has one error, not also all that it does not say.
    if (!root.members.empty() || found.errors().empty()) {
        read_keys("", keys_of(""), root, nullptr, found);
        const auto section = [&](std::string_view name, auto&& read) {
            if (const auto* entry = root.find(name); entry && is_table(name, entry->value, found))
                read(entry->value);
        };
        auto& settings = made.settings;
        section("gateway", [&](const node& t) { read_gateway(t, settings.gateway, found); });
        section("listen", [&](const node& t) { read_listen(t, settings, found); });
        section("auth", [&](const node& t) { read_auth(t, settings, found); });
        section("databases", [&](const node& t) { read_databases(t, settings, found); });
        section("users", [&](const node& t) { read_users(t, settings, found); });
        section("tenants", [&](const node& t) { read_tenants(t, settings, found); });
        check_whole(root, settings, found);
    }
    made.errors = found.errors();
    made.warnings = found.warnings();
    return made;
}

}  // namespace sluice::gateway
