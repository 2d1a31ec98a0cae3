// tests/unit/proto_mysql_login/login_client.hpp: a client's packets, byte by byte as the protocol
// has them, and a server machine to send them to.
#pragma once

#include "unit/proto_mysql_login/both_ends.hpp"

namespace sluice::test {

inline std::string packet_of(std::uint8_t sequence, std::string_view payload)
{
    byte_queue out;
    mysql::append_message(out, as_bytes(payload), sequence);
    return std::string(as_text(out.readable()));
}

struct response_fields {
    std::uint32_t capabilities = mysql::offered_capabilities & ~mysql::capability::connect_with_db;
    std::string user = "alice";
    std::string answer = {};
    std::string database = {};
    std::string plugin = "mysql_native_password";
    std::string attributes = {"\0", 1};  // the length and all
};

inline std::string flags_of(std::uint32_t capabilities)
{
    byte_queue out;
    out.append_le(capabilities);
    out.append_le(std::uint32_t{1} << 24);
    out.append_byte('\x21');
    out.append(std::string(23, '\0'));
    return std::string(as_text(out.readable()));
}

inline std::string response_of(const response_fields& fields)
{
    std::string out = flags_of(fields.capabilities);
    out += fields.user + '\0';
    out += static_cast<char>(fields.answer.size());
    out += fields.answer;
    if (fields.capabilities & mysql::capability::connect_with_db)
        out += fields.database + '\0';
    if (fields.capabilities & mysql::capability::plugin_auth)
        out += fields.plugin + '\0';
    if (fields.capabilities & mysql::capability::connect_attrs)
        out += fields.attributes;
    return out;
}

inline std::string ssl_request()
{
    return flags_of(mysql::offered_capabilities | mysql::capability::ssl);
}

// COM_CHANGE_USER.
inline std::string change_user_of(const response_fields& fields)
{
    std::string out = "\x11" + fields.user + '\0';
    out += static_cast<char>(fields.answer.size());
    out += fields.answer;
    out += fields.database + '\0';
    out += std::string("\x2d\0", 2);
    if (fields.capabilities & mysql::capability::plugin_auth)
        out += fields.plugin + '\0';
    if (fields.capabilities & mysql::capability::connect_attrs)
        out += fields.attributes;
    return out;
}

// The nonce that constant_bytes gives.
inline const std::string& first_nonce()
{
    static const std::string nonce = "ABCDEFGHIJKLMNOPQRST";
    return nonce;
}

template <class Digest>
std::string text_of(const Digest& digest)
{
    return std::string(as_text(bytes_view(digest)));
}

class talk {
public:
    explicit talk(server_login_options options = {}) : login(scripted(std::move(options)))
    {
        say("");
        greeting = sent();
    }
    talk(server_login_options options, mysql::session_so_far before)
        : login(scripted(std::move(options)), std::move(before))
    {
    }

    server_login_action say(std::string_view bytes)
    {
        in += bytes;
        // A block of the exact size, so that ASan sees a read past the end.
        const std::vector<char> block(in.begin(), in.end());
        std::size_t consumed = 0;
        const auto action =
            login.step(as_bytes(std::string_view(block.data(), block.size())), consumed, out);
        in.erase(0, consumed);
        return action;
    }

    std::string sent()
    {
        std::string taken(as_text(out.readable()));
        out.clear();
        return taken;
    }

    // The number of the ERR that was sent last; 0: none.
    int error()
    {
        auto rest = sent();
        int number = 0;
        while (!rest.empty()) {
            const auto packet = mysql::peek_packet(as_bytes(rest));
            if (const auto found = mysql::parse_err(packet.payload); found)
                number = found->number;
            rest.erase(0, packet.wire_size());
        }
        return number;
    }

    std::string greeting;
    server_login login;
    std::string in;
    byte_queue out;

private:
    static server_login_options scripted(server_login_options options)
    {
        if (options.random == mysql::fill_random)
            options.random = constant_bytes;
        return options;
    }
};

}  // namespace sluice::test
