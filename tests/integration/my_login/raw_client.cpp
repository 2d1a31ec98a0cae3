// tests/integration/my_login/raw_client.cpp: packets by hand.
#include "integration/my_login/raw_client.hpp"

#include <stdexcept>

#include "proto/mysql/constants.hpp"
#include "proto/mysql/fields.hpp"
#include "proto/mysql/passwords.hpp"

namespace sluice::test {

using namespace mysql;

int packet::number() const
{
    return is_error() && payload.size() >= 3 ? static_cast<unsigned char>(payload[1]) |
                                                   static_cast<unsigned char>(payload[2]) << 8
                                             : 0;
}

std::string packet::sqlstate() const
{
    return is_error() && payload.size() >= 9 ? payload.substr(4, 5) : "";
}

std::string packet::message() const
{
    return is_error() && payload.size() >= 9 ? payload.substr(9) : "";
}

std::string le32(std::uint32_t value)
{
    std::string bytes;
    for (int i = 0; i < 4; ++i)
        bytes += static_cast<char>(value >> 8 * i);
    return bytes;
}

std::string header(std::uint32_t length, std::uint8_t sequence)
{
    return le32((length & 0xffffff) | std::uint32_t{sequence} << 24);
}

std::string framed(std::uint8_t sequence, std::string_view payload)
{
    return header(static_cast<std::uint32_t>(payload.size()), sequence) + std::string(payload);
}

std::optional<packet> raw_client::receive(std::chrono::milliseconds longest)
{
    for (;;) {
        if (in_.size() >= 4) {
            const auto word = load_le<std::uint32_t>(as_bytes(in_).data());
            const std::size_t size = 4 + (word & 0xffffff);
            if (in_.size() >= size) {
                packet got{static_cast<std::uint8_t>(word >> 24), in_.substr(4, size - 4)};
                in_.erase(0, size);
                return got;
            }
        }
        if (!wire_.receive_bytes(in_, longest))
            return {};
    }
}

std::string raw_client::until_closed(std::chrono::milliseconds longest)
{
    auto said = std::move(in_);
    in_.clear();
    return said + wire_.until_closed(longest);
}

const greeting& raw_client::greet()
{
    const auto first = receive();
    if (!first)
        throw std::runtime_error("no greeting");
    if (first->payload.empty() || first->payload[0] != 10)
        throw std::runtime_error("not a greeting: " + first->payload);
    field_reader in(as_bytes(first->payload));
    in.u8();
    greeting_.version = in.cstring();
    greeting_.id = in.u32();
    greeting_.nonce = in.text(8);
    in.take(1);
    greeting_.capabilities = in.u16();
    in.take(3);
    greeting_.capabilities |= std::uint32_t{in.u16()} << 16;
    in.take(11);
    greeting_.nonce += in.text(12);
    in.take(1);
    greeting_.plugin = in.cstring();
    if (in.failed())
        throw std::runtime_error("a greeting that ends too early");
    return greeting_;
}

std::string raw_client::response(const login_request& who) const
{
    std::uint32_t flags = capability::protocol_41 | capability::secure_connection |
                          capability::plugin_auth | capability::transactions | who.capabilities;
    if (!who.database.empty())
        flags |= capability::connect_with_db;
    std::string answer;
    const auto nonce = as_bytes(greeting_.nonce);
    if (!who.password.empty() && who.plugin == native_plugin)
        answer = as_text(native_answer(who.password, nonce));
    else if (!who.password.empty())
        answer = as_text(sha2_answer(who.password, nonce));
    std::string made = le32(flags) + le32(1 << 24) + '\x2d' + std::string(23, '\0');
    made += who.user + '\0';
    made += static_cast<char>(answer.size());
    made += answer;
    if (!who.database.empty())
        made += who.database + '\0';
    return made + who.plugin + '\0';
}

packet raw_client::log_in(const login_request& who)
{
    greet();
    if (!send(framed(1, response(who))))
        throw std::runtime_error("the gateway does not take the handshake response");
    for (;;) {
        const auto said = receive();
        if (!said)
            throw std::runtime_error("closed during the login");
        if (said->is_ok() || said->is_error())
            return *said;
        if (said->payload[0] == '\x01')
            continue;  // fast authentication succeeded: OK follows
        const auto end = said->payload.find('\0', 1);
        const auto plugin = said->payload.substr(1, end - 1);
        const auto nonce = said->payload.substr(end + 1, nonce_size);
        std::string answer;
        if (who.password.empty())
            answer.clear();
        else if (plugin == native_plugin)
            answer = as_text(native_answer(who.password, as_bytes(nonce)));
        else
            answer = as_text(sha2_answer(who.password, as_bytes(nonce)));
        send(framed(static_cast<std::uint8_t>(said->sequence + 1), answer));
    }
}

packet raw_client::command(char code, std::string_view argument)
{
    send(framed(0, code + std::string(argument)));
    auto said = receive();
    if (!said)
        throw std::runtime_error("closed instead of an answer");
    return *said;
}

}  // namespace sluice::test
