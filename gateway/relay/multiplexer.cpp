// gateway/relay/multiplexer.cpp: choosing a shared connection, and looking after its head.
#include "gateway/relay/multiplexer.hpp"

#include "gateway/relay/pg_link.hpp"

namespace sluice::gateway {

multiplexer::multiplexer(pool::shard& shard, latency_table& latencies)
    : shard_(shard), latencies_(latencies), timer_(shard.io())
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
    if (shard_.idle_count() > 0)
        return nullptr;
    pg_link* best = nullptr;
    for (pg_link* each : links_) {
        if (each->expected() + expected <= queued_wait &&
            (!best || each->expected() < best->expected()) &&
            each->takes_more(settings, now, others_wait))
            best = each;
    }
    // Busy: more connections, as long as the pool allows.
    if (!best || best->requests() > 1)
        shard_.grow();
    begin_batch(best, now);
    return best;
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
    });
}

}  // namespace sluice::gateway
