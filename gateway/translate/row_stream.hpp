// gateway/translate/row_stream.hpp: rows on their way from a worker thread to a client's socket, as
// its protocol's bytes.
//
//   worker thread: row -> chunk ... chunk full -> deliver() -> posted to the loop -> socket
//
// Layer: gateway. Rows come on a worker thread while an operation runs; everything else happens on
// the loop while none does, except note_unsent() and the counters, which are atomic.
// Bounds: `in_flight_max` bytes that the client has not taken, and one row more; then it pauses.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "drivers/sqlite/requests.hpp"
#include "proto/core/byte_queue.hpp"
#include "pool/tenant.hpp"
#include "proto/pg/values.hpp"

namespace sluice::gateway {

inline constexpr std::size_t chunk_size = 32 * 1024;
inline constexpr std::size_t in_flight_max = 1024 * 1024;
// What every client may have, however much its tenant has in flight.
inline constexpr std::size_t in_flight_least = 64 * 1024;

class row_stream : public sqlite::row_sink {
public:
    // Called on the worker thread; hands the bytes to the loop, which calls note_arrived().
    using deliver_function = std::function<void(byte_queue chunk)>;

    ~row_stream() override { count(-static_cast<std::int64_t>(posted_.load())); }

    // Whose max_buffer holds; before the first row. What waits in the socket is counted there.
    void set_tenant(std::shared_ptr<pool::tenant> tenant) { tenant_ = std::move(tenant); }

    void deliver_to(deliver_function deliver) { deliver_ = std::move(deliver); }

    void note_arrived(std::size_t bytes, std::size_t unsent) noexcept
    {
        posted_ -= bytes;
        count(-static_cast<std::int64_t>(bytes));
        unsent_ = unsent;
    }
    void note_unsent(std::size_t unsent) noexcept { unsent_ = unsent; }

    void on_columns(const sqlite::statement_info& info) override { info_ = &info; }
    sqlite::sql_error failure() override { return failure_; }

    // While held nothing is delivered, so that a protocol's rewind() can take it back.
    void hold(bool on) override { held_ = on; }

protected:
    bool nothing_sent() const noexcept { return chunk_.empty() && posted_ == 0; }
    void forget_result()
    {
        info_ = nullptr;
        failure_ = {};
        held_ = false;
        unsent_ = 0;
    }

    // After each row.
    verdict pass_on()
    {
        if (chunk_.size() < chunk_size)
            return verdict::go_on;
        if (held_)
            return verdict::pause;
        const std::size_t size = chunk_.size();
        posted_ += size;
        count(static_cast<std::int64_t>(size));
        deliver_(std::exchange(chunk_, byte_queue()));
        const std::size_t mine = posted_ + unsent_;
        const bool over = tenant_ && mine >= in_flight_least && tenant_->over_buffer();
        return over || mine >= in_flight_max ? verdict::pause : verdict::go_on;
    }

    // Why the row cannot be sent: says which value of which column does not fit `type_name`.
    void refuse_value(const sqlite::row_view& row,
                      int column,
                      std::string_view type_name,
                      pg::conversion why);

    const sqlite::statement_info* info_ = nullptr;  // of the operation in progress
    byte_queue chunk_;
    sqlite::sql_error failure_;
    bool held_ = false;

private:
    void count(std::int64_t change) noexcept
    {
        if (tenant_ && change != 0)
            tenant_->add_buffered(change);
    }

    std::shared_ptr<pool::tenant> tenant_;  // may be null
    deliver_function deliver_;
    std::atomic<std::size_t> posted_{0};
    std::atomic<std::size_t> unsent_{0};
};

// The value as an encoder takes it; lives as long as the row.
pg::stored_value stored_in(const sqlite::row_view& row, int column);

}  // namespace sluice::gateway
