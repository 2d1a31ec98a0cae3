// gateway/cancel_registry.hpp: which client a CancelRequest means.
//
// Layer: gateway. Thread-safe; touched at login, logout and cancel only.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace sluice::gateway {

struct client_address {
    std::size_t worker = 0;
    std::uint64_t client = 0;
};

class cancel_registry {
public:
    void add(std::uint32_t pid, std::uint32_t key, client_address who)
    {
        const std::scoped_lock lock(mutex_);
        clients_[joined(pid, key)] = who;
    }
    void remove(std::uint32_t pid, std::uint32_t key)
    {
        const std::scoped_lock lock(mutex_);
        clients_.erase(joined(pid, key));
    }
    std::optional<client_address> find(std::uint32_t pid, std::uint32_t key) const
    {
        const std::scoped_lock lock(mutex_);
        const auto found = clients_.find(joined(pid, key));
        return found == clients_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    static std::uint64_t joined(std::uint32_t pid, std::uint32_t key) noexcept
    {
        return std::uint64_t{pid} << 32 | key;
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, client_address> clients_;
};

}  // namespace sluice::gateway
