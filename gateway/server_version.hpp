// gateway/server_version.hpp: the version that MySQL clients are told in the greeting, before it is
// known which database they want.
//
// Drivers choose what to send by it (MariaDB by the word "MariaDB"), so it should be that of the
// servers behind: [listen] mysql_version, else what the last backend opened said, else a MySQL 8.
//
// Layer: gateway. Thread-safe.
#pragma once

#include <mutex>
#include <string>

namespace sluice::gateway {

inline constexpr const char* mysql_version_default = "8.0.36-Sluice";

class server_version {
public:
    explicit server_version(std::string fixed) : fixed_(!fixed.empty()), text_(std::move(fixed)) {}

    std::string text() const
    {
        const std::scoped_lock lock(mutex_);
        return text_.empty() ? mysql_version_default : text_;
    }
    bool known() const
    {
        const std::scoped_lock lock(mutex_);
        return !text_.empty();
    }
    // What a backend's greeting said.
    void learn(const std::string& version)
    {
        const std::scoped_lock lock(mutex_);
        if (!fixed_)
            text_ = version;
    }

private:
    const bool fixed_;
    mutable std::mutex mutex_;
    std::string text_;
};

}  // namespace sluice::gateway
