// gateway/http/access.hpp: who may look at the gateway over HTTP, and who may change it.
//
//   look:  without listen.http_token whoever reaches the loopback address; else the token, as
//          "Authorization: Bearer ..." or in exchange for a cookie
//   change: an admin user ([users.NAME] admin = true) with a password, in exchange for a cookie,
//   and
//          with the session's own word in each request (another page cannot know it)
//
// Without a token the Host header must name a loopback address: a page elsewhere whose name was
// made to point here (DNS rebinding) is refused.
//
// Layer: gateway. Thread-safe. Bounds: sessions_max; the one unused longest goes.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace sluice::gateway {

class http_access {
public:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t sessions_max = 64;
    static constexpr std::chrono::hours session_time{12};

    // `token`: empty for none. `host`: of the address listened at.
    http_access(std::string token, std::string host);

    struct request {
        std::string_view authorization;
        std::string_view cookie;
        std::string_view host;
        std::string_view remote;  // address
    };
    struct visitor {
        bool may_look = false;
        std::string admin;  // user; empty: may not change anything
        std::string word;   // that requests to change something have to repeat
    };
    visitor who(const request& asking, clock::time_point now);

    bool is_token(std::string_view text) const noexcept;
    bool has_token() const noexcept { return !token_.empty(); }
    // The value of a fresh session's cookie. `admin`: empty for one that may only look.
    std::string begin(std::string admin, clock::time_point now);
    void end(std::string_view cookie);

private:
    struct session {
        std::string admin;
        std::string word;
        clock::time_point used;
    };
    bool host_is_ours(std::string_view host) const noexcept;

    const std::string token_;
    const std::string host_;
    std::mutex mutex_;
    std::map<std::string, session, std::less<>> sessions_;
};

// The value of cookie `name` in a Cookie header; empty: none.
std::string_view cookie_value(std::string_view header, std::string_view name) noexcept;

}  // namespace sluice::gateway
