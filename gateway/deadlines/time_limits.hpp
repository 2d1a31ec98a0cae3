// gateway/deadlines/time_limits.hpp: how long a client's statements and transactions may take:
// which limit holds, which one is over, and what the client is told.
//
//   statement         on the backend: from when it begins to run there; waiting for it is
//                     queue_timeout's
//   transaction       from its first statement to its end; a statement outside of one is one
//   idle_transaction  in an open transaction, with nothing running
//
// Layer: gateway/deadlines. Pure but for live_limits, which is thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/errors.hpp"
#include "pool/tenant.hpp"

namespace sluice::gateway {

class tenant_table;

enum class time_limit : std::uint8_t { statement, transaction, idle_transaction };
inline constexpr std::size_t time_limit_count = 3;

// Of one database; a reload changes them under its clients. 0: none.
class live_limits {
public:
    using milliseconds = std::chrono::milliseconds;

    live_limits() = default;
    live_limits(milliseconds statement, milliseconds transaction, milliseconds idle) noexcept
    {
        set(statement, transaction, idle);
    }
    void set(milliseconds statement, milliseconds transaction, milliseconds idle) noexcept
    {
        of_[0].store(statement.count(), std::memory_order_relaxed);
        of_[1].store(transaction.count(), std::memory_order_relaxed);
        of_[2].store(idle.count(), std::memory_order_relaxed);
    }
    milliseconds get(time_limit which) const noexcept
    {
        return milliseconds(of_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed));
    }

private:
    std::array<std::atomic<std::int64_t>, time_limit_count> of_{};
};

// Of a client: its database's and its tenant's, the smaller one that is not 0.
class client_limits_in_force {
public:
    struct limit {
        std::chrono::milliseconds value{0};  // 0: none
        bool tenants = false;
    };

    // `database`: the configuration's table, as in databases.NAME.
    void set_database(std::shared_ptr<const live_limits> limits, std::string name)
    {
        database_ = std::move(limits);
        database_name_ = std::move(name);
    }
    // `from` outlives this.
    void set_tenant(std::shared_ptr<pool::tenant> tenant, const tenant_table& from)
    {
        tenant_ = std::move(tenant);
        tenants_ = &from;
    }
    pool::tenant* tenant() const noexcept { return tenant_.get(); }

    bool known() const noexcept { return database_ != nullptr; }
    limit get(time_limit which) const noexcept;
    std::chrono::milliseconds smallest() const noexcept;  // 0: there is none
    // "... (databases.app.statement_timeout = 500 ms)"
    std::string message(time_limit which) const;

private:
    std::shared_ptr<const live_limits> database_;  // shared with all clients of it; may be null
    std::shared_ptr<pool::tenant> tenant_;         // may be null
    const tenant_table* tenants_ = nullptr;        // where it is from
    std::string database_name_;
};

client_error error_of(time_limit which) noexcept;
extern const std::string_view after_timeout_hint;  // when a transaction was rolled back

// What a client is doing, as its lane knows it.
struct client_stamps {
    using time_point = std::chrono::steady_clock::time_point;
    bool running = false;         // a statement, on the backend
    bool in_transaction = false;  // open, between statements too
    time_point since{};           // it runs, or nothing does
    time_point transaction{};     // the transaction's begin; running: the statement's, at least
};

// The limit that is over: the one that says most to whoever reads it.
std::optional<time_limit> overdue(const client_stamps& stamps,
                                  const client_limits_in_force& limits,
                                  std::chrono::steady_clock::time_point now) noexcept;

}  // namespace sluice::gateway
