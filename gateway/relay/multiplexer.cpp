// gateway/relay/multiplexer.cpp: choosing a shared connection, and looking after its head.
#include "gateway/relay/multiplexer.hpp"

#include <algorithm>

#include "gateway/relay/pg_link.hpp"

namespace sluice::gateway {

multiplexer::multiplexer(pool::shard& shard, latency_table& latencies)
    : shard_(shard),
      latencies_(latencies),
      // No headroom: what a server may have in reserve waits on the connections already.
      width_({.min = width_min, .max = ~std::size_t{0} >> 1, .headroom = 0}),
      timer_(shard.io())
{
}

void multiplexer::add(pg_link& link, steady_clock::time_point now)
{
    links_.push_back(&link);
    begin_batch(&link, now);
}

void multiplexer::begin_batch(pg_link* link, steady_clock::time_point now) noexcept
{
    current_ = link;
    batch_ = 1;
    ++batches_;
    turn_ = now;
}

bool multiplexer::fits_batch(server_time expected) const noexcept
{
    if (batches_ % try_every == 0)
        return batch_ < try_most;
    return batch_ < batch_most && current_->expected() + expected <= batch_time;
}

void multiplexer::remove(pg_link& link) noexcept
{
    std::erase(links_, &link);
    if (current_ == &link)
        current_ = nullptr;
}

pg_link* multiplexer::pick(const session_settings& settings,
                           server_time expected,
                           steady_clock::time_point now)
{
    // Who waits came earlier.
    if (links_.empty() || shard_.waiting() > 0)
        return nullptr;
    const bool others_wait = shard_.pool()->waiting() > 0;
    if (current_ && turn_ == now && fits_batch(expected) &&
        current_->takes_more(settings, now, others_wait)) {
        ++batch_;
        return current_;
    }
    const bool wide_enough = full(now);
    if (shard_.idle_count() > 0 && !wide_enough)
        return nullptr;
    pg_link* best = nullptr;
    for (pg_link* each : links_) {
        if (each->expected() + expected <= queued_wait &&
            (!best || each->expected() < best->expected()) &&
            each->takes_more(settings, now, others_wait))
            best = each;
    }
    // Busy: more connections, as long as the pool allows.
    if (!wide_enough && (!best || best->requests() > 1))
        shard_.grow();
    // They wait for a place there: see full().
    if (!best)
        watch();
    begin_batch(best, now);
    return best;
}

bool multiplexer::full(steady_clock::time_point now) const noexcept
{
    if (links_.size() < width_.limit())
        return false;
    std::size_t going = 0;
    for (const pg_link* each : links_)
        going += each->moves_on(now);
    return going >= width_.limit();
}

// Statements differ: what counts is how much longer they take than unhindered. As a time, for the
// gradient: 1 ms for what took as long.
void multiplexer::answered(std::size_t count,
                           server_time unhindered,
                           server_time took,
                           steady_clock::time_point now) noexcept
{
    const double slower = static_cast<double>(took.count()) /
                          static_cast<double>(std::max<server_time::rep>(1, unhindered.count()));
    const server_time normal(static_cast<server_time::rep>(1e6 * std::min(slower, 1e6)));
    for (; count > 0; --count)
        width_.sample(normal, links_.size(), now);
}

void multiplexer::closed()
{
    watch();
    if (shard_.waiting() > 0 && shard_.idle_count() > 0)
        shard_.post_fill();
}

void multiplexer::fill(pg_link& link)
{
    if (shard_.waiting() > 0 && link.requests() < refill_below)
        shard_.offer(link, batch_most);
}

void multiplexer::watch()
{
    if (watching_)
        return;
    watching_ = true;
    timer_.expires_after(head_most);
    timer_.async_wait([this](const asio::error_code& ec) {
        if (ec)
            return;
        watching_ = false;
        const auto now = steady_clock::now();
        bool more = false;
        // Taking requests back may end a link's sharing, which changes the list.
        const auto links = links_;
        for (pg_link* each : links)
            more = each->check_head(now) || more;
        if (more)
            watch();
        else if (shard_.waiting() > 0 && shard_.idle_count() > 0)
            shard_.post_fill();
    });
}

}  // namespace sluice::gateway
