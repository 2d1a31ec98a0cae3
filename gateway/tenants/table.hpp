// gateway/tenants/table.hpp: all tenants that have a table of their own, or clients.
//
// A tenant that [tenants] does not list gets the limits of [tenants.default] and counters of its
// own. It comes to be with its first client and is forgotten some time after its last.
//
// Layer: gateway. Thread-safe; touched at login, at reload and by whoever shows it.
// Bounds: max_unlisted; past it newcomers share the tenant "default".
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "gateway/config/config.hpp"
#include "pool/tenant.hpp"

namespace sluice::gateway {

pool::tenant_limits limits_of(const tenant& settings);

// One client, counted until this is destroyed.
class tenant_ticket {
public:
    tenant_ticket() = default;
    explicit tenant_ticket(std::shared_ptr<pool::tenant> of) noexcept : of_(std::move(of)) {}
    tenant_ticket(tenant_ticket&&) noexcept = default;
    tenant_ticket& operator=(tenant_ticket&& other) noexcept
    {
        of_.swap(other.of_);
        return *this;
    }
    ~tenant_ticket()
    {
        if (of_)
            of_->leave_client();
    }

    pool::tenant* tenant() const noexcept { return of_.get(); }
    const std::shared_ptr<pool::tenant>& shared() const noexcept { return of_; }

private:
    std::shared_ptr<pool::tenant> of_;
};

class tenant_table {
public:
    static constexpr std::size_t max_unlisted = 20'000;
    static constexpr std::chrono::minutes forget_after{10};

    explicit tenant_table(const tenants_config& settings);

    std::shared_ptr<pool::tenant> find(std::string_view name);
    // New limits for everybody, at once. `key` and `separator` are for logins from now on; they
    // are read from the configuration, not here.
    void apply(const tenants_config& settings);
    // Where its limits are written: "[tenants.acme]" or "[tenants.default]".
    std::string section_of(std::string_view name) const;
    // Forgets who has had no client for long; now and then, from any thread.
    void sweep(std::chrono::steady_clock::time_point now);

    std::size_t size() const;
    // In the order of their names; not to be called back into the table.
    void for_each(const std::function<void(const std::shared_ptr<pool::tenant>&)>& visit) const;

private:
    using shared_limits = std::shared_ptr<const pool::tenant_limits>;
    struct entry {
        std::shared_ptr<pool::tenant> tenant;
        bool listed = false;
        std::chrono::steady_clock::time_point used;
    };

    const shared_limits& limits_for(const std::string& name) const;
    void read(const tenants_config& settings);

    mutable std::mutex mutex_;
    shared_limits default_;
    std::map<std::string, shared_limits, std::less<>> listed_;
    std::map<std::string, entry, std::less<>> entries_;
    std::size_t unlisted_ = 0;
};

}  // namespace sluice::gateway
