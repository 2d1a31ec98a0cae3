// proto/mysql/client_login.cpp: the login conversation with a server: its states and packets.
//
// The byte grammar is server_login_packets.cpp's, from the other side.
#include "proto/mysql/client_login.hpp"

namespace sluice::mysql {
namespace {

constexpr std::byte protocol_version{10};
constexpr std::uint32_t max_packet = 1u << 30;  // the most that servers allow
// MariaDB's, so that replicas of before MariaDB 10 took it for a MySQL 5.5.
constexpr std::string_view replication_prefix = "5.5.5-";

}  // namespace

client_login::client_login(client_login_options options) : options_(std::move(options)) {}

client_login::~client_login()
{
    wipe(options_.password);
}

client_login_action client_login::step(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    consumed = 0;
    for (;;) {
        switch (state_) {
            case state::greeting:
            case state::verdict:
            case state::sha2:
            case state::public_key:
                if (!take_packet(input.subspan(consumed), consumed, out))
                    return client_login_action::read_more;
                break;
            case state::tls:
                return client_login_action::start_tls;
            case state::authenticated:
                return client_login_action::authenticated;
            case state::failed:
                return client_login_action::failed;
        }
    }
}

bool client_login::take_packet(bytes_view input, std::size_t& consumed, byte_queue& out)
{
    const auto packet = peek_packet(input);
    if (packet.header.length > server_packet_max) {
        fail_with("a packet too large for a login: this is no MySQL server");
        return true;
    }
    // Seen from the first byte on: others that greet would be waited for in vain.
    if (state_ == state::greeting && !packet.payload.empty() && packet.payload[0] != err_byte &&
        packet.payload[0] != protocol_version) {
        fail_with("no MySQL greeting: this is no MySQL server");
        return true;
    }
    if (packet.missing > 0)
        return false;
    if (packet.header.sequence != sequence_ || packet.payload.empty()) {
        fail_with("the server's packets are out of order");
        return true;
    }
    ++sequence_;
    consumed += packet.wire_size();
    if (state_ == state::greeting)
        on_greeting(packet.payload, input.size() > packet.wire_size(), out);
    else
        on_verdict(packet.payload, out);
    return true;
}

void client_login::on_greeting(bytes_view payload, bool bytes_behind, byte_queue& out)
{
    if (payload[0] == err_byte) {
        fail_with_error(payload);
        return;
    }
    field_reader in(payload);
    in.take(1);
    server_version_ = in.cstring();
    connection_id_ = in.u32();
    nonce_ = in.text(8);
    in.take(1);
    std::uint32_t offered = in.u16();
    in.take(1);
    status_ = in.u16();
    offered |= std::uint32_t{in.u16()} << 16;
    const std::size_t nonce_length = in.u8();
    in.take(10);
    // "max(13, length - 8)": the nonce's rest and a zero.
    nonce_ += in.text(nonce_length > 21 ? nonce_length - 8 : 13);
    if (in.failed()) {
        fail_with("a greeting that is none of MySQL 4.1 or later");
        return;
    }
    nonce_.resize(nonce_size);
    if (offered & capability::plugin_auth) {
        const auto rest = as_text(in.rest());
        plugin_ = rest.substr(0, rest.find('\0'));
    }
    is_mariadb_ = server_version_.find("MariaDB") != server_version_.npos;
    if (is_mariadb_ && server_version_.starts_with(replication_prefix))
        server_version_.erase(0, replication_prefix.size());
    if (bytes_behind) {
        fail_with("the server spoke out of turn");
        return;
    }
    if (!take_capabilities(offered))
        return;
    if (capabilities_ & capability::ssl) {
        append_ssl_request(out);
        state_ = state::tls;
    } else {
        append_response(out);
    }
}

bool client_login::take_capabilities(std::uint32_t offered)
{
    constexpr auto needed = capability::protocol_41 | capability::secure_connection;
    if ((offered & needed) != needed) {
        fail_with("the server is older than MySQL 4.1");
        return false;
    }
    // LONG_PASSWORD is this side's word for "no MariaDB extensions", whatever the server says.
    auto wanted = (options_.capabilities | needed | capability::long_password) &
                  (offered | capability::long_password);
    wanted &= ~(capability::ssl | capability::connect_with_db | capability::connect_attrs |
                capability::compress | capability::zstd | capability::query_attributes |
                capability::optional_metadata);
    if (!options_.database.empty())
        wanted |= capability::connect_with_db;
    if (!options_.attributes.empty())
        wanted |= offered & capability::connect_attrs;
    if (options_.tls != server_tls::off)
        wanted |= offered & capability::ssl;
    if (options_.tls == server_tls::require && !(wanted & capability::ssl)) {
        fail_with("the server offers no TLS, which the configuration requires");
        return false;
    }
    capabilities_ = wanted;
    return true;
}

void client_login::append_flags(packet_writer& packet) const
{
    packet.u32(capabilities_);
    packet.u32(max_packet);
    packet.u8(static_cast<std::uint8_t>(options_.collation));
    packet.zeros(23);  // the last four: MariaDB's extended capabilities, none
}

void client_login::append_ssl_request(byte_queue& out)
{
    packet_writer packet(out, sequence_);
    append_flags(packet);
}

void client_login::tls_started(byte_queue& out)
{
    if (state_ != state::tls)
        return;
    tls_active_ = true;
    append_response(out);
}

void client_login::append_response(byte_queue& out)
{
    // A plugin that cannot answer here gets its turn when the server asks for it.
    if (plugin_ != sha2_plugin)
        plugin_ = native_plugin;
    state_ = state::verdict;
    std::string answer;
    if (!make_answer(answer))
        return;
    packet_writer packet(out, sequence_);
    append_flags(packet);
    packet.cstring(options_.user);
    // One byte says the length, with and without PLUGIN_AUTH_LENENC.
    packet.u8(static_cast<std::uint8_t>(answer.size()));
    packet.text(answer);
    if (capabilities_ & capability::connect_with_db)
        packet.cstring(options_.database);
    if (capabilities_ & capability::plugin_auth)
        packet.cstring(plugin_);
    if (capabilities_ & capability::connect_attrs)
        append_attributes(packet);
}

void client_login::append_attributes(packet_writer& packet) const
{
    std::size_t size = 0;
    for (const auto& [name, value] : options_.attributes)
        size += lenenc_size(name.size()) + name.size() + lenenc_size(value.size()) + value.size();
    packet.lenenc(size);
    for (const auto& [name, value] : options_.attributes) {
        packet.lenenc_string(name);
        packet.lenenc_string(value);
    }
}

void client_login::on_ok(bytes_view payload)
{
    const auto ok = parse_ok(payload, capabilities_);
    if (!ok) {
        fail_with("the server sent a malformed OK");
        return;
    }
    status_ = ok->status;
    auto changes = ok->changes;
    while (const auto change = changes.next()) {
        if (change->type != session_track::system_variable)
            continue;
        variable_list list(change->data);
        while (const auto one = list.next())
            variables_.emplace_back(one->name, one->value);
    }
    wipe(options_.password);
    state_ = state::authenticated;
}

void client_login::fail_with(std::string message)
{
    wipe(options_.password);
    failure_.message = std::move(message);
    state_ = state::failed;
}

void client_login::fail_with_error(bytes_view payload)
{
    const auto error = parse_err(payload);
    if (!error) {
        fail_with("the server refused with a malformed error");
        return;
    }
    failure_.number = error->number;
    failure_.sqlstate = error->sqlstate;
    fail_with(std::string(error->text));
}

}  // namespace sluice::mysql
