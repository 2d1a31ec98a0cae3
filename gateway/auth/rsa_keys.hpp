// gateway/auth/rsa_keys.hpp: the RSA key that MySQL clients encrypt passwords with when their
// connection is not encrypted itself.
//
// Layer: gateway. Thread-safe.
#pragma once

#include <mutex>
#include <string>

#include "proto/mysql/passwords.hpp"

namespace sluice::gateway {

class rsa_keys {
public:
    // The key of a PEM file. Not empty: what is wrong with it.
    std::string load(const std::string& file);
    // Makes one, which takes up to a second: not on a loop. Not empty: what went wrong.
    std::string generate();

    // Null: there is none (yet), and nobody is offered to use it.
    mysql::rsa_key get() const
    {
        const std::scoped_lock lock(mutex_);
        return key_;
    }

private:
    void set(mysql::rsa_key key);

    mutable std::mutex mutex_;
    mysql::rsa_key key_;
};

}  // namespace sluice::gateway
