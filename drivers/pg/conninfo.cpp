// drivers/pg/conninfo.cpp: what connection strings say, without passwords.
#include "drivers/pg/conninfo.hpp"

#include <algorithm>

namespace sluice::pg {
namespace {

// libpq quotes the piece that it could not parse, which may be part of a password.
std::string without_quoted(std::string_view text)
{
    std::string out;
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
            out += quoted ? "\"..." : "\"";
        } else if (!quoted) {
            out += c;
        }
    }
    return out;
}

std::string value_in(const PQconninfoOption* options, std::string_view keyword)
{
    for (const auto* option = options; option && option->keyword; ++option) {
        if (option->keyword == keyword)
            return option->val ? option->val : "";
    }
    return {};
}

conninfo_ptr parse(const std::string& url, std::string& why)
{
    char* text = nullptr;
    conninfo_ptr options(PQconninfoParse(url.c_str(), &text));
    const text_ptr owner(text);
    if (!options)
        why = text ? text : "out of memory";
    return options;
}

std::vector<std::string> split(const std::string& list)
{
    std::vector<std::string> parts;
    std::size_t from = 0;
    while (true) {
        const auto comma = list.find(',', from);
        parts.push_back(list.substr(from, comma - from));
        if (comma == std::string::npos)
            return parts;
        from = comma + 1;
    }
}

std::string join(const std::vector<std::string>& parts)
{
    std::string list;
    for (std::size_t i = 0; i < parts.size(); ++i)
        list += (i ? "," : "") + parts[i];
    return list;
}

std::string override_of(const connect_options& options, std::string_view keyword)
{
    std::string found;
    for (const auto& [key, value] : options.overrides) {
        if (key == keyword && !value.empty())
            found = value;
    }
    return found;
}

std::string words_for(std::string_view host, std::string_view address, std::string_view port)
{
    const std::string at_port = port.empty() ? "5432" : std::string(port);
    if (host.starts_with('/') || host.starts_with('@'))
        return "server on socket \"" + std::string(host) + "/.s.PGSQL." + at_port + "\"";
    std::string words = "server at \"" + std::string(host) + "\"";
    if (!address.empty() && address != host)
        words += " (" + std::string(address) + ")";
    return words + ", port " + at_port;
}

std::string_view text_or_empty(const char* text)
{
    return text ? std::string_view(text) : std::string_view();
}

}  // namespace

std::string conninfo_problem(const connect_options& options)
{
    std::string why;
    const auto parsed = parse(options.url, why);
    if (!parsed)
        return "not a connection string that libpq understands: " + without_quoted(one_line(why));
    // An unescaped character in a password ends up in one of these two, and libpq's messages
    // would show it.
    if (value_in(parsed.get(), "host").find('@', 1) != std::string::npos)
        return "the host contains '@'; in a url, write '@' in a user or password as %40";
    const auto port = value_in(parsed.get(), "port");
    if (!std::all_of(
            port.begin(), port.end(), [](char c) { return (c >= '0' && c <= '9') || c == ','; }))
        return "the port is not a number; in a url, write '/' as %2F, '?' as %3F and ':' as %3A in "
               "a user or password";
    return {};
}

std::string describe_target(const connect_options& options)
{
    std::string why;
    const auto parsed = parse(options.url, why);
    const auto pick = [&](std::string_view keyword) {
        const auto over = override_of(options, keyword);
        return over.empty() ? value_in(parsed.get(), keyword) : over;
    };
    auto host = pick("host");
    if (host.empty())
        host = pick("hostaddr");
    if (host.empty())
        return "the default server";
    return words_for(host, {}, pick("port"));
}

std::string describe_server(const PGconn& conn)
{
    return words_for(text_or_empty(PQhost(&conn)),
                     text_or_empty(PQhostaddr(&conn)),
                     text_or_empty(PQport(&conn)));
}

std::string one_line(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (c != '\n' && c != '\r' && c != '\t')
            out += c;
        else if (c == '\n' && !out.empty())
            out += "; ";
        else if (c == '\t')
            out += ' ';
    }
    while (!out.empty() && (out.back() == ' ' || out.back() == ';'))
        out.pop_back();
    return out;
}

std::string effective_value(PGconn& conn, std::string_view keyword)
{
    const conninfo_ptr options(PQconninfo(&conn));
    return value_in(options.get(), keyword);
}

std::size_t host_count(PGconn& conn)
{
    const auto hosts = effective_value(conn, "host");
    return split(hosts.empty() ? effective_value(conn, "hostaddr") : hosts).size();
}

bool drop_current_host(PGconn& conn, connect_options& options)
{
    const std::string_view host = text_or_empty(PQhost(&conn));
    const std::string_view port = text_or_empty(PQport(&conn));
    const char* const keywords[] = {"host", "hostaddr", "port"};
    std::vector<std::string> lists[3];
    std::size_t count = 1;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto value = effective_value(conn, keywords[i]);
        if (!value.empty())
            lists[i] = split(value);
        count = std::max(count, lists[i].size());
    }
    if (count == 1)
        return false;
    const auto at = [&](std::size_t list, std::size_t index) -> std::string_view {
        const auto& parts = lists[list];
        return parts.size() == count ? std::string_view(parts[index])
               : parts.empty()       ? std::string_view()
                                     : std::string_view(parts[0]);
    };
    for (std::size_t i = 0; i < count; ++i) {
        const auto name = at(0, i).empty() ? at(1, i) : at(0, i);
        if (name != host || (!at(2, i).empty() && at(2, i) != port))
            continue;
        for (std::size_t list = 0; list < 3; ++list) {
            if (lists[list].size() != count)
                continue;
            lists[list].erase(lists[list].begin() + static_cast<std::ptrdiff_t>(i));
            options.overrides.emplace_back(keywords[list], join(lists[list]));
        }
        return true;
    }
    return false;
}

}  // namespace sluice::pg
