// tests/fuzz/fuzz_mysql_client_login.cpp: any bytes as a server that the gateway logs in to.
#include <algorithm>
#include <cstdlib>

#include "proto/mysql/client_login.hpp"

namespace {

using namespace sluice;
using mysql::client_login_action;

void check(bool holds)
{
    if (!holds)
        std::abort();
}

// Whatever is sent is whole packets, and the password is in it only where that is safe.
void check_sent(bytes_view sent, bool secure)
{
    check(secure || as_text(sent).find("pass-of-alice") == std::string_view::npos);
    while (!sent.empty()) {
        const auto packet = mysql::peek_packet(sent);
        check(packet.missing == 0);
        sent = sent.subspan(packet.wire_size());
    }
}

}  // namespace

// input := options:u8 piece:u8 stream. The stream arrives `piece` bytes at a time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2)
        return 0;
    mysql::client_login_options options;
    options.user = "alice";
    options.password = data[0] & 1 ? "" : "pass-of-alice";
    options.database = data[0] & 2 ? "" : "shop";
    options.tls = data[0] & 4 ? mysql::server_tls::prefer : mysql::server_tls::off;
    options.unix_socket = data[0] & 8;
    options.ask_server_key = data[0] & 16;
    options.attributes = {{"program_name", "sluice"}};
    mysql::client_login login(options);
    const std::size_t piece = data[1] == 0 ? size : data[1];
    bytes_view rest = std::as_bytes(std::span(data + 2, size - 2));
    std::string arrived;
    byte_queue out;
    for (;;) {
        std::size_t consumed = 0;
        const std::vector<char> block(arrived.begin(), arrived.end());
        const auto action =
            login.step(as_bytes(std::string_view(block.data(), block.size())), consumed, out);
        check(consumed <= arrived.size());
        arrived.erase(0, consumed);
        if (action == client_login_action::start_tls) {
            login.tls_started(out);
            continue;
        }
        if (action == client_login_action::failed) {
            check(login.failure().message.find("pass-of-alice") == std::string::npos ||
                  as_text(std::as_bytes(std::span(data, size))).find("pass-of-alice") !=
                      std::string_view::npos);
            break;
        }
        if (action == client_login_action::authenticated || rest.empty())
            break;
        // Nobody may make the gateway hold more than one packet of the largest kind.
        check(arrived.size() <= mysql::server_packet_max + mysql::header_size);
        const auto next = rest.first(std::min(piece, rest.size()));
        arrived += as_text(next);
        rest = rest.subspan(next.size());
    }
    check_sent(out.readable(), login.tls_active() || options.unix_socket);
    return 0;
}
