// proto/mysql/server_login_packets.cpp: the greeting, and what a client says of itself.
//
//   greeting    := 10:u8 version:cstring id:u32 nonce:byte[8] 0 caps_low:u16 collation:u8
//   status:u16
//                  caps_high:u16 21:u8 0[10] nonce:byte[12] 0 plugin:cstring
//   SSLRequest  := caps:u32 max_packet:u32 collation:u8 0[23]
//   response    := SSLRequest user:cstring answer [database:cstring] [plugin:cstring] [attributes]
//   answer      := lenenc_string | length:u8 byte[length]                    (PLUGIN_AUTH_LENENC or
//   not) change_user := 0x11 user:cstring length:u8 answer database:cstring
//                  [collation:u16 [plugin:cstring [attributes]]]
//   attributes  := size:lenenc (name:lenenc_string value:lenenc_string)*
//
// MySQL 8 "Connection Phase Packets", COM_CHANGE_USER; MariaDB "Connecting".
#include <array>

#include "proto/mysql/server_login.hpp"

namespace sluice::mysql {
namespace {

constexpr std::size_t ssl_request_size = 32;
constexpr std::uint8_t protocol_version = 10;

constexpr err_message bad_handshake{error_number::handshake, "08S01", "Bad handshake"};
constexpr err_message malformed_packet{
    error_number::malformed_packet, "HY000", "Malformed communication packet."};
constexpr err_message old_client{1251,
                                 "08004",
                                 "Client does not support authentication protocol requested by "
                                 "server; consider upgrading MySQL client"};
constexpr err_message tls_required{3159,
                                   "HY000",
                                   "Connections using insecure transport are prohibited while "
                                   "--require_secure_transport=ON."};
constexpr err_message no_randomness{
    error_number::unknown, "HY000", "could not generate a random challenge"};

// The last field of some clients comes without its zero.
std::string_view last_cstring(field_reader& in) noexcept
{
    const auto rest = as_text(in.rest());
    return rest.find('\0') == rest.npos ? in.text_to_end() : in.cstring();
}

}  // namespace

// Bytes that clients may hold in C strings: no zero; and no '$', as MySQL's servers do.
bool server_login::fresh_nonce(byte_queue& out)
{
    std::array<std::byte, nonce_size> random{};
    if (!options_.random(random)) {
        fail_with(no_randomness, "no randomness", out);
        return false;
    }
    nonce_.clear();
    for (const auto byte : random) {
        const auto c = static_cast<char>(byte & std::byte{0x7f});
        nonce_ += c == '\0' || c == '$' ? static_cast<char>(c + 1) : c;
    }
    return true;
}

void server_login::greet(byte_queue& out)
{
    if (!fresh_nonce(out))
        return;
    const auto offered = options_.capabilities | login_capabilities |
                         (options_.tls == client_tls::off ? 0 : capability::ssl);
    const bool sha2 = options_.plugin == auth_plugin::caching_sha2_password;
    packet_writer packet(out, sequence_);
    packet.u8(protocol_version);
    packet.cstring(options_.server_version);
    packet.u32(options_.connection_id);
    packet.text(std::string_view(nonce_).substr(0, 8));
    packet.u8(0);
    packet.u16(static_cast<std::uint16_t>(offered));
    packet.u8(static_cast<std::uint8_t>(options_.collation));
    packet.u16(options_.status);
    packet.u16(static_cast<std::uint16_t>(offered >> 16));
    packet.u8(nonce_size + 1);
    packet.zeros(10);
    packet.cstring(std::string_view(nonce_).substr(8));
    packet.cstring(sha2 ? sha2_plugin : native_plugin);
    capabilities_ = offered;
    state_ = state::response;
}

void server_login::on_response(bytes_view payload, bool bytes_behind, byte_queue& out)
{
    field_reader in(payload);
    const auto announced = in.u32();
    max_packet_ = in.u32();
    collation_ = in.u8();
    in.take(23);
    if (in.failed() || !(announced & capability::protocol_41)) {
        fail_with(bad_handshake, "a handshake response of before MySQL 4.1, or none", out);
        return;
    }
    if ((announced & capability::ssl) && !tls_active_) {
        // Whatever comes behind is TLS and still in the socket, or was slipped in by somebody.
        if (options_.tls == client_tls::off || payload.size() != ssl_request_size || bytes_behind)
            fail_with(bad_handshake, "a malformed SSLRequest", out);
        else
            state_ = state::tls;
        return;
    }
    if (options_.tls == client_tls::require && !secure()) {
        fail_with(tls_required, "the client does not use TLS", out);
        return;
    }
    if (!(announced & capability::secure_connection)) {
        fail_with(old_client, "a client with passwords of before MySQL 4.1", out);
        return;
    }
    user_ = in.cstring();
    answer_ = announced & capability::plugin_auth_lenenc ? in.lenenc_string() : in.text(in.u8());
    if (announced & capability::connect_with_db)
        database_ = in.cstring();
    capabilities_ &= announced;
    finish_names(in, bad_handshake, out);
}

void server_login::on_change_user(bytes_view payload, byte_queue& out)
{
    field_reader in(payload);
    const auto code = in.u8();
    user_ = in.cstring();
    answer_ = in.text(in.u8());
    database_ = in.cstring();
    if (code != static_cast<std::uint8_t>(command::change_user)) {
        fail_with(malformed_packet, "not a COM_CHANGE_USER", out);
        return;
    }
    if (!in.rest().empty())
        collation_ = in.u16();
    finish_names(in, malformed_packet, out);
}

// Plugin and attributes, which stand last in both packets. What later versions put behind them
// (MySQL's zstd level) is none of ours.
void server_login::finish_names(field_reader& in, const err_message& malformed, byte_queue& out)
{
    plugin_ = native_plugin;
    if ((capabilities_ & capability::plugin_auth) && !in.rest().empty())
        plugin_ = last_cstring(in);
    bool fits = true;
    if ((capabilities_ & capability::connect_attrs) && !in.rest().empty())
        fits = keep_attributes(in.lenenc_bytes());
    fits = fits && !in.failed() && user_.size() <= user_name_max &&
           database_.size() <= database_name_max;
    if (!fits) {
        fail_with(malformed, "a malformed login packet", out);
        return;
    }
    used_password_ = !answer_.empty();
    state_ = state::credentials;
}

bool server_login::keep_attributes(bytes_view list)
{
    field_reader in(list);
    while (!in.rest().empty() && attributes_.size() < connection_attributes_max) {
        const auto name = in.lenenc_string();
        const auto value = in.lenenc_string();
        attributes_.emplace_back(name, value);
    }
    return !in.finish();
}

}  // namespace sluice::mysql
