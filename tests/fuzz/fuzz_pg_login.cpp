// tests/fuzz/fuzz_pg_login.cpp: any bytes as a client that logs in, in pieces of any size.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "proto/pg/frame.hpp"
#include "proto/pg/login.hpp"
#include "proto/pg/md5.hpp"

namespace {

using namespace sluice;
using pg::login_action;

void check(bool holds)
{
    if (!holds)
        std::abort();
}

bool constant_bytes(std::span<std::byte> bytes) noexcept
{
    for (auto& byte : bytes)
        byte = std::byte{7};
    return true;
}

const pg::credentials& alice()
{
    static const pg::credentials known = [] {
        pg::credentials made;
        made.scram.push_back(pg::make_scram_verifier("secret", "0123456789abcdef", 1));
        made.md5.push_back(pg::make_md5_verifier("secret", "alice"));
        return made;
    }();
    return known;
}

pg::login_options options_of(std::uint8_t choice)
{
    constexpr std::array methods{pg::auth_method::trust,
                                 pg::auth_method::scram_sha_256,
                                 pg::auth_method::md5,
                                 pg::auth_method::cleartext};
    constexpr std::array tls{pg::client_tls::off, pg::client_tls::prefer, pg::client_tls::require};
    return {methods[choice % 4], tls[choice / 4 % 3], constant_bytes};
}

// Whatever is sent is whole messages, but for the single bytes that answer SSLRequest.
void check_sent(bytes_view sent)
{
    while (!sent.empty()) {
        const auto first = static_cast<char>(sent.front());
        if ((first == 'N' || first == 'S') && (sent.size() < 5 || sent[1] != std::byte{0})) {
            sent = sent.subspan(1);
            continue;
        }
        const auto found = pg::next_frame(sent, 1 << 20);
        check(found && found->missing == 0);
        sent = sent.subspan(found->message.wire_size());
    }
}

// True when there is nothing more to say.
bool obey(login_action action, pg::login_machine& login, byte_queue& out)
{
    switch (action) {
        case login_action::read_more:
            return false;
        case login_action::start_tls:
            login.tls_started("certificate");
            return false;
        case login_action::need_credentials:
            check(!login.user().empty() && !login.database().empty());
            check(login.parameters().size() <= pg::startup_parameters_max);
            login.supply(alice(), out);
            return false;
        case login_action::check_password:
            login.password_checked(
                pg::password_matches(login.known(), login.user(), login.password()), out);
            return false;
        case login_action::failed:
            check(!login.failure().sqlstate.empty());
            return true;
        case login_action::cancel:
            check(login.cancel_key().size() >= 4);
            return true;
        case login_action::authenticated:
        case login_action::gone:
            return true;
    }
    return true;
}

}  // namespace

// input := options:u8 piece:u8 stream. The stream arrives `piece` bytes at a time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2)
        return 0;
    pg::login_machine login(options_of(data[0]));
    const std::size_t piece = data[1] == 0 ? size : data[1];
    bytes_view rest = std::as_bytes(std::span(data + 2, size - 2));
    std::string arrived;
    byte_queue out;
    for (;;) {
        std::size_t consumed = 0;
        const auto action = login.step(as_bytes(arrived), consumed, out);
        check(consumed <= arrived.size());
        arrived.erase(0, consumed);
        if (obey(action, login, out))
            break;
        if (action != login_action::read_more)
            continue;
        // Nobody may make the gateway hold more than one packet of the largest kind.
        check(arrived.size() <= pg::password_message_max + piece + pg::header_size);
        if (rest.empty())
            break;
        const auto next = rest.first(std::min(piece, rest.size()));
        arrived += as_text(next);
        rest = rest.subspan(next.size());
    }
    check_sent(out.readable());
    return 0;
}
