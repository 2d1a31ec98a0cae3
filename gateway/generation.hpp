// gateway/generation.hpp: one loaded configuration with all that is derived from it: verifiers,
// certificates. A reload makes the next one and puts it in place of the last.
//
// Layer: gateway. Immutable once it is in effect: any thread. A login keeps the one that it began
// with, so that no mixture of two is ever used; a logged-in client keeps none (or each reload would
// leave a copy behind for as long as somebody from its time is there).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/auth/user_store.hpp"
#include "gateway/config/config.hpp"
#include "gateway/my_backends.hpp"
#include "gateway/tls.hpp"

namespace sluice::gateway {

struct generation {
    // `secret`: of user_store, the same for the whole run.
    generation(const config& loaded, const std::string& secret)
        : settings(loaded), users(loaded.users, loaded.auth.method, secret)
    {
    }

    // Reads certificates and derives verifiers; blocks. Not empty: what is wrong.
    [[nodiscard]] std::string prepare();

    const config settings;
    std::uint64_t number = 1;  // greater in each that is put in the place of another
    user_store users;
    my_backends mysql_backends;
    ssl_ctx_ptr tls;  // null: no TLS for clients
};

using config_snapshot = std::shared_ptr<const config>;

// The generation in effect. Thread-safe; asked at logins and by what runs seldom, never on the
// request path.
class live_generation {
public:
    explicit live_generation(std::shared_ptr<const generation> first) : now_(std::move(first)) {}

    std::shared_ptr<const generation> get() const
    {
        const std::scoped_lock lock(mutex_);
        return now_;
    }
    void replace(std::shared_ptr<const generation> next)
    {
        const std::scoped_lock lock(mutex_);
        now_.swap(next);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const generation> now_;
};

}  // namespace sluice::gateway
