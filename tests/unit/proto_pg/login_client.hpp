// tests/unit/proto_pg/login_client.hpp: a client's packets, and a login machine to send them to.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proto/pg/frame.hpp"
#include "proto/pg/login.hpp"
#include "proto/pg/message_writer.hpp"

namespace sluice::test {

inline std::string startup_packet_of(
    const std::vector<std::pair<std::string, std::string>>& parameters,
    std::uint32_t version = pg::protocol_3_0)
{
    byte_queue packet;
    packet.append_be(std::uint32_t{0});
    packet.append_be(version);
    for (const auto& [name, value] : parameters) {
        packet.append_cstring(name);
        packet.append_cstring(value);
    }
    packet.append_byte('\0');
    store_be(packet.mutable_data(), static_cast<std::uint32_t>(packet.size()));
    return std::string(as_text(packet.readable()));
}

inline std::string password_packet(std::string_view body)
{
    byte_queue packet;
    pg::message_writer(packet, 'p').bytes(as_bytes(body));
    return std::string(as_text(packet.readable()));
}

inline std::string sasl_initial(std::string_view mechanism, std::string_view data)
{
    byte_queue packet;
    {
        pg::message_writer message(packet, 'p');
        message.cstring(mechanism);
        message.u32(static_cast<std::uint32_t>(data.size()));
        message.bytes(as_bytes(data));
    }
    return std::string(as_text(packet.readable()));
}

// Views into `sent`, which begins with an ErrorResponse; empty if it does not.
inline pg::error_fields error_of(std::string_view sent)
{
    const auto found = pg::next_frame(as_bytes(sent), 100000);
    if (!found || found->missing > 0 || found->message.type != 'E')
        return {};
    const auto fields = pg::parse_error_fields(found->message.body);
    return fields ? *fields : pg::error_fields{};
}

class talk {
public:
    explicit talk(pg::login_options options) : login(options) {}

    pg::login_action say(std::string_view bytes)
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

    // One byte a read, until the machine wants something else than bytes.
    pg::login_action dribble(std::string_view bytes)
    {
        auto action = pg::login_action::read_more;
        for (std::size_t i = 0; i < bytes.size() && action == pg::login_action::read_more; ++i)
            action = say(bytes.substr(i, 1));
        return action;
    }

    // What the gateway sent since the last call.
    std::string sent()
    {
        std::string taken(as_text(out.readable()));
        out.clear();
        transcript_ += taken;
        return taken;
    }

    std::string everything_sent()
    {
        (void)sent();
        return transcript_;
    }

    // The data of the AuthenticationSASLContinue that was sent last.
    std::string sasl_challenge()
    {
        const auto bytes = sent();
        const auto at = bytes.rfind("r=");
        return at == std::string::npos ? std::string() : bytes.substr(at);
    }

    pg::login_machine login;
    std::string in;
    byte_queue out;

private:
    std::string transcript_;
};

}  // namespace sluice::test
