// gateway/front.hpp: one client's login, in its protocol. Lives from the first byte until the
// client is logged in (again, when a MySQL client changes its user): an idle client has none.
//
//   session: greet(), then step() with what arrived until it says authenticated, then introduce()
//
// Layer: gateway. Thread: the client's worker. Everything that is not about the protocol (socket,
// phases, limits, time) is the session's.
// Bounds: those of the login machine behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "gateway/cancel_registry.hpp"
#include "gateway/lane.hpp"
#include "proto/core/byte_queue.hpp"

namespace sluice::gateway {

struct context;
struct generation;

enum class front_action {
    read_more,       // send what was appended, wait for bytes
    start_tls,       // send, shake hands, then tls_started()
    check_password,  // run password_check() on another thread, then password_checked()
    authenticated,   // introduce(), then a lane; what was appended goes out with its first bytes
    cancel,          // the client only wants another one's statement cancelled: cancelled()
    failed,          // send, then close; the reason is failure()
    gone,            // close
};

class front {
public:
    virtual ~front() = default;

    // What is said before the client says anything.
    virtual void greet(byte_queue& out) = 0;
    // Takes as much of `input` as it can; called again in the same state it says the same again.
    virtual front_action step(bytes_view input, std::size_t& consumed, byte_queue& out) = 0;
    // How much may be read before the next step: what a client sends behind its wish for TLS must
    // stay in the socket.
    virtual std::size_t read_max() const noexcept = 0;
    virtual void tls_started(SSL* ssl) = 0;

    // Compares the password, slowly; holds all that it needs, so that it may outlive the client.
    virtual std::function<bool()> password_check() = 0;
    virtual void password_checked(bool matches, byte_queue& out) = 0;

    virtual std::optional<client_address> cancelled() = 0;
    // What the client said whom it means; none: nothing that could be anybody's.
    struct cancel_words {
        std::uint32_t pid = 0;
        std::uint32_t key = 0;
    };
    virtual std::optional<cancel_words> cancel_request() const { return std::nullopt; }
    virtual void introduce(client_identity& who) = 0;

    virtual const std::string& user() const noexcept = 0;  // "": not said yet
    virtual std::string failure() const = 0;               // for the log
    // MySQL: of the next packet to the client.
    virtual std::uint8_t sequence() const noexcept = 0;
};

// `rules` outlive the front.
std::unique_ptr<front> make_pg_front(context& shared, const generation& rules);
// `who`: id, peer and connection id. With `who.mysql` this is a COM_CHANGE_USER, which comes first
// in what step() sees.
std::unique_ptr<front> make_my_front(context& shared,
                                     const generation& rules,
                                     const client_identity& who);

}  // namespace sluice::gateway
