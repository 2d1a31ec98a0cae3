// gateway/config/mysql.cpp: [databases.NAME] with engine = "mysql".
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/config/keys.hpp"
#include "gateway/config/near.hpp"
#include "gateway/config/sections.hpp"

namespace sluice::gateway {
namespace {

// Of a url, with the names that MySQL's own programs have for them.
constexpr std::array<std::string_view, 6> url_options = {
    "charset", "socket", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"};
constexpr std::array<std::string_view, 5> ssl_modes = {
    "DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"};
constexpr std::string_view url_form =
    "valid: \"mysql://user@host:port/dbname?option=value\", with %XX for special characters";

std::optional<std::string> without_escapes(std::string_view text)
{
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        unsigned code = 0;
        if (i + 2 >= text.size())
            return std::nullopt;
        const char* last = text.data() + i + 3;
        const auto [end, ec] = std::from_chars(text.data() + i + 1, last, code, 16);
        if (ec != std::errc{} || end != last || code == 0)
            return std::nullopt;
        plain += static_cast<char>(code);
        i += 2;
    }
    return plain;
}

// Takes what stands before `mark` off the front of `rest`; all of it if there is none.
std::string_view cut(std::string_view& rest, char mark)
{
    const auto at = rest.find(mark);
    const auto head = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return head;
}

bool read_port(std::string_view text, std::uint16_t& into)
{
    const char* last = text.data() + text.size();
    const auto [end, ec] = std::from_chars(text.data(), last, into);
    return ec == std::errc{} && end == last && into > 0;
}

class url_reader {
public:
    url_reader(const member& entry, mysql_config& into, problems& found)
        : entry_(entry), into_(into), found_(found)
    {
    }

    void read(std::string_view url)
    {
        const auto colon = url.find("://");
        const auto scheme = url.substr(0, colon);
        if (colon == std::string_view::npos || (scheme != "mysql" && scheme != "mariadb")) {
            wrong("it does not begin with mysql://");
            return;
        }
        std::string_view rest = url.substr(colon + 3);
        std::string_view options;
        if (const auto at = rest.find('?'); at != std::string_view::npos) {
            options = rest.substr(at + 1);
            rest = rest.substr(0, at);
        }
        std::string_view authority = cut(rest, '/');
        into_.dbname = plain(rest, "the database's name");
        if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
            std::string_view who = authority.substr(0, at);
            authority = authority.substr(at + 1);
            into_.user = plain(cut(who, ':'), "the user's name");
            if (!who.empty())
                into_.password = secret(plain(who, "the password"));
        }
        read_host(authority);
        while (!options.empty())
            read_option(cut(options, '&'));
    }

private:
    // Never quotes the url: a password may be in it.
    void wrong(const std::string& why)
    {
        found_.error(entry_.value.at, "url: " + why + "; " + std::string(url_form));
    }

    std::string plain(std::string_view text, const char* what)
    {
        auto made = without_escapes(text);
        if (!made)
            wrong(std::string("a % in ") + what + " is not followed by two hexadecimal digits");
        return made.value_or(std::string());
    }

    void read_host(std::string_view authority)
    {
        std::string_view host = authority;
        std::string_view port;
        bool has_port = false;
        if (authority.starts_with('[')) {
            const auto end = authority.find(']');
            if (end == std::string_view::npos) {
                wrong("the address has no closing bracket");
                return;
            }
            host = authority.substr(1, end - 1);
            port = authority.substr(end + 1);
            has_port = port.starts_with(':');
            port = has_port ? port.substr(1) : port;
            if (!has_port && !port.empty())
                wrong("there is something between the address and its port");
        } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
            host = authority.substr(0, colon);
            port = authority.substr(colon + 1);
            has_port = true;
        }
        into_.host = plain(host, "the host");
        if (has_port && !read_port(port, into_.port))
            found_.error(entry_.value.at, "url: a port is an integer from 1 to 65535");
    }

    void read_option(std::string_view option)
    {
        const std::string name(cut(option, '='));
        const std::string value = plain(option, "an option");
        if (name == "charset")
            into_.charset = value;
        else if (name == "socket")
            into_.socket = resolve_path(entry_.value.at, value);
        else if (name == "ssl-ca")
            into_.tls.ca_file = resolve_path(entry_.value.at, value);
        else if (name == "ssl-cert")
            into_.tls.cert_file = resolve_path(entry_.value.at, value);
        else if (name == "ssl-key")
            into_.tls.key_file = resolve_path(entry_.value.at, value);
        else if (name == "ssl-mode")
            read_mode(value);
        else
            found_.error(entry_.value.at,
                         "url: unknown option; valid: charset, socket, ssl-mode, ssl-ca, "
                         "ssl-cert, ssl-key" +
                             did_you_mean(name, url_options));
    }

    void read_mode(std::string value)
    {
        for (auto& c : value)
            c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        const auto at = std::find(ssl_modes.begin(), ssl_modes.end(), value);
        if (at != ssl_modes.end())
            into_.tls.mode = static_cast<mysql_tls_mode>(at - ssl_modes.begin());
        else
            found_.error(entry_.value.at,
                         "url: ssl-mode is not valid; valid: DISABLED, PREFERRED, REQUIRED, "
                         "VERIFY_CA, VERIFY_IDENTITY");
    }

    const member& entry_;
    mysql_config& into_;
    problems& found_;
};

void read_parts(const node& table, mysql_config& into, problems& found)
{
    const std::pair<std::string_view, std::string*> texts[] = {
        {"host", &into.host}, {"user", &into.user}, {"dbname", &into.dbname}};
    for (const auto& [name, place] : texts) {
        if (const auto* entry = table.find(name))
            *place = text_of(*entry, found);
    }
    static constexpr key port{"port", key_type::integer, 1, 65535, {}, "3306", "", nullptr};
    if (const auto* entry = table.find("port")) {
        if (const auto made = read_scalar(port, entry->value, found))
            into.port = static_cast<std::uint16_t>(std::get<std::int64_t>(*made));
    }
    static constexpr key path{"socket", key_type::path, 0, 0, {}, "", "", nullptr};
    if (const auto* entry = table.find("socket")) {
        if (const auto made = read_scalar(path, entry->value, found))
            into.socket = std::get<std::string>(*made);
        if (const auto* port_entry = table.find("port"))
            found.error(port_entry->key_at, "port and socket are both set; keep one");
        if (const auto* host = table.find("host"))
            found.error(host->key_at, "host and socket are both set; keep one");
    }
}

void read_tls(const database& of, const node& table, mysql_tls_config& into, problems& found)
{
    const std::string where = "databases." + of.name + ".tls";
    read_keys(where, keys_of("databases.NAME.tls"), table, &into, found);
    if (of.mysql.socket.empty() || into.mode <= mysql_tls_mode::preferred)
        return;
    found.error(table.at,
                where + ": a Unix socket has no TLS; set host instead of socket, or leave tls out");
}

void check_tls(const node& table, const database& of, problems& found)
{
    const auto& tls = of.mysql.tls;
    const std::pair<const char*, const std::string*> files[] = {
        {"ca_file", &tls.ca_file}, {"cert_file", &tls.cert_file}, {"key_file", &tls.key_file}};
    for (const auto& [name, file] : files) {
        if (!file->empty() && !readable(*file))
            found.error(table.at, std::string("tls.") + name + ": cannot read " + *file);
    }
    if (tls.cert_file.empty() != tls.key_file.empty())
        found.error(table.at, "tls.cert_file and tls.key_file belong together; set both or none");
}

// A handshake names a character set by the number of a collation of it.
constexpr std::pair<std::string_view, std::uint16_t> collations[] = {
    {"armscii8", 32}, {"ascii", 11},   {"big5", 1},     {"binary", 63},  {"cp1250", 26},
    {"cp1251", 51},   {"cp1256", 57},  {"cp1257", 59},  {"cp850", 4},    {"cp852", 40},
    {"cp866", 36},    {"cp932", 95},   {"dec8", 3},     {"eucjpms", 97}, {"euckr", 19},
    {"gb2312", 24},   {"gbk", 28},     {"geostd8", 92}, {"greek", 25},   {"hebrew", 16},
    {"hp8", 6},       {"keybcs2", 37}, {"koi8r", 7},    {"koi8u", 22},   {"latin1", 8},
    {"latin2", 9},    {"latin5", 30},  {"latin7", 41},  {"macce", 38},   {"macroman", 39},
    {"sjis", 13},     {"swe7", 10},    {"tis620", 18},  {"ujis", 12},    {"utf8", 33},
    {"utf8mb3", 33},  {"utf8mb4", 45}};

void read_charset(const position& at, mysql_config& into, problems& found)
{
    std::vector<std::string_view> names;
    for (const auto& [name, number] : collations) {
        names.push_back(name);
        if (name == into.charset) {
            into.collation = number;
            return;
        }
    }
    found.error(at,
                "charset is not one that connections can use; valid: utf8mb4, latin1, ascii, "
                "binary and others that MySQL lists with SHOW CHARACTER SET" +
                    did_you_mean(into.charset, names));
}

}  // namespace

void read_mysql(const node& table, database& into, problems& found)
{
    auto& mysql = into.mysql;
    const auto* url = table.find("url");
    for (const auto* part : {"host", "port", "user", "dbname", "socket"}) {
        if (const auto* entry = table.find(part); entry && url)
            found.error(entry->key_at, entry->key + " and url are both set; say it in the url");
    }
    if (url) {
        const std::string text = text_of(*url, found);
        url_reader(*url, mysql, found).read(text);
    } else {
        read_parts(table, mysql, found);
    }
    if (mysql.host.empty() && mysql.socket.empty())
        found.error(table.at, "[databases." + into.name + "] needs url, host or socket");
    if (mysql.user.empty())
        found.error(table.at,
                    "[databases." + into.name + "] needs user: who the gateway logs in as");
    secret separate = read_secret(table, "password", found);
    if (!separate.empty() && !mysql.password.empty())
        found.error(url->key_at, "the url holds a password and password is set too; keep one");
    if (!separate.empty())
        mysql.password = std::move(separate);
    const auto* charset = table.find("charset");
    if (charset)
        mysql.charset = text_of(*charset, found);
    read_charset(charset ? charset->value.at : table.at, mysql, found);
    if (const auto* tls = table.find("tls");
        tls && is_table("databases." + into.name + ".tls", tls->value, found))
        read_tls(into, tls->value, mysql.tls, found);
    check_tls(table, into, found);

    if (into.name == "*" && !mysql.dbname.empty())
        found.error(table.at,
                    "[databases.\"*\"] serves every name under that name; leave dbname out");
    else if (into.name != "*" && mysql.dbname.empty())
        mysql.dbname = into.name;
}

}  // namespace sluice::gateway
