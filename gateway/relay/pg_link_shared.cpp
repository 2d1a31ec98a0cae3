// gateway/relay/pg_link_shared.cpp: a link that several clients share (statement multiplexing).
#include "gateway/relay/multiplexer.hpp"
#include "gateway/relay/pg_link.hpp"

namespace sluice::gateway {

using pg::owed_kind;

void pg_link::begin_sharing(multiplexer& by)
{
    if (!multiplex_)
        multiplex_ = std::make_unique<multiplex_state>();
    client_ = nullptr;
    multiplex_->by = &by;
    multiplex_->closed = false;
    multiplex_->opened = poller_now();
    by.add(*this, multiplex_->opened);
}

bool pg_link::takes_more(const session_settings& settings,
                         steady_clock::time_point now,
                         bool others_wait) const noexcept
{
    const multiplex_state& state = *multiplex_;
    if (!moves_on(now) || write_blocked() || state.requests.size() >= multiplexer::requests_max)
        return false;
    if (others_wait && now - state.opened >= multiplexer::yield_after)
        return false;
    return applied_.fingerprint() == settings.fingerprint();
}

bool pg_link::moves_on(steady_clock::time_point now) const noexcept
{
    const multiplex_state& state = *multiplex_;
    return !state.closed && !paused_ && now < book.expires &&
           now - state.busy_since < multiplexer::head_most;
}

void pg_link::end_request(bytes_view request,
                          std::uint64_t digest,
                          server_time expected,
                          pool::slot right)
{
    multiplex_state& state = *multiplex_;
    if (state.requests.empty())
        state.busy_since = poller_now();
    state.requests.push({client_, request.size(), digest, expected, std::move(right)});
    state.log.append(request);
    state.expected += expected;
    client_ = nullptr;
    if (state.requests.size() > 1)
        state.by->watch();
    if (!state.flush_asked) {
        state.flush_asked = true;
        flush_at_turn_end();
    }
}

void pg_link::on_turn_end()
{
    if (!multiplex_)
        return;
    multiplex_->flush_asked = false;
    if (!dead_)
        flush();
}

// A shared request's ReadyForQuery was passed on.
void pg_link::finish_request(char status)
{
    multiplex_state& state = *multiplex_;
    shared_request& ended = state.requests.front();
    link_client* const client = ended.client;
    // What it took is known when the batch has been read; somebody of its tenant may begin now.
    ended.right.release();
    state.log.consume(ended.size);
    state.expected -= ended.expected;
    state.finished.push_back(std::move(ended));
    state.requests.pop();
    replied_ = delivered_ = false;
    held_.clear();
    end_time_out();
    if (paused_)
        resume_reading();
    if (client)
        client->on_shared_done();
    if (status != 'I')
        lost("a statement that only reads opened a transaction");
}

// What a batch of replies says of the server's time: it is split by what was expected of each.
void pg_link::learn_times()
{
    multiplex_state& state = *multiplex_;
    const auto now = poller_now();
    const server_time took = now - state.busy_since;
    state.busy_since = now;
    auto& latencies = state.by->latencies();
    server_time all{1};
    server_time unhindered{0};
    bool known = true;
    for (const auto& each : state.finished) {
        all += each.expected;
        const auto own = latencies.unhindered(each.digest);
        unhindered += own;
        known = known && own >= server_time::zero();
    }
    const bool few = state.by->measuring();
    if (known)
        state.by->answered(state.finished.size(), unhindered, took, now);
    for (auto& each : state.finished) {
        const double share =
            static_cast<double>(each.expected.count() + 1) / static_cast<double>(all.count() + 1);
        const server_time own(
            static_cast<server_time::rep>(share * static_cast<double>(took.count())));
        latencies.learn(each.digest, own, few);
        if (each.right)
            each.right.charge(own);
        if (pool_.finds_its_size())
            pool_.sample(own, now);
    }
    state.finished.clear();
}

// True: the link is shared, and so far settled.
bool pg_link::settle_shared()
{
    if (!multiplex_ || !multiplex_->by)
        return false;
    multiplex_state& state = *multiplex_;
    if (!state.finished.empty())
        learn_times();
    if (dead_)
        return true;
    state.by->fill(*this);
    if (!tracker_.idle() || !state.requests.empty())
        return true;
    std::exchange(state.by, nullptr)->remove(*this);
    state.expected = server_time::zero();
    begin_recovery();
    step_recovery();
    return true;
}

// From request number `from` on they are run elsewhere: none of them was answered yet. What the
// server says to them here is swallowed, and nobody else goes behind them.
void pg_link::hand_back(std::size_t from)
{
    multiplex_state& state = *multiplex_;
    state.closed = true;
    if (state.by)
        state.by->closed();
    std::size_t offset = 0;
    for (std::size_t i = 0; i < state.requests.size(); ++i) {
        const auto size = state.requests[i].size;
        link_client* client = i < from ? nullptr : std::exchange(state.requests[i].client, nullptr);
        if (client) {
            forget_owner(*client);
            client->on_shared_returned(state.log.readable().subspan(offset, size));
        }
        offset += size;
    }
}

// An error that the request at the head owes to the connection, not to what it asked for: a plan
// that is stale, or a Parse that failed for the client before it. It runs again on one of its own.
bool pg_link::must_run_again(const pg::error_fields& error)
{
    const bool stale = pg::is_stale_plan(error);
    if (!stale && error.sqlstate != "26000")  // invalid_sql_statement_name
        return false;
    stale_statements_ = stale_statements_ || stale;
    hand_back(0);
    return true;
}

void pg_link::forget_owner(link_client& client)
{
    tracker_.disown(static_cast<void*>(&client));
    if (current_client() == nullptr)
        held_.clear();
    if (range_owner_ == static_cast<void*>(&client)) {
        range_owner_ = nullptr;
        range_ = {};
    }
    if (message_owner_ == static_cast<void*>(&client))
        message_owner_ = nullptr;
}

std::size_t pg_link::find_request(const link_client& client) const noexcept
{
    std::size_t i = 0;
    while (i < multiplex_->requests.size() && multiplex_->requests[i].client != &client)
        ++i;
    return i;
}

void pg_link::client_stalls()
{
    pause_reading();
    hand_back(1);
}

void pg_link::leave_shared(link_client& client)
{
    const auto i = find_request(client);
    if (i == multiplex_->requests.size())
        return;
    multiplex_->requests[i].client = nullptr;
    forget_owner(client);
    if (paused_)
        resume_reading();
    // If it runs on, it is cancelled: see check_head().
    multiplex_->by->watch();
}

bool pg_link::cancel_shared(link_client& client, std::function<void()> done)
{
    const auto i = find_request(client);
    if (i != 0) {
        multiplex_->requests[i].client = nullptr;
        forget_owner(client);
        return false;
    }
    hand_back(1);
    cancel(std::move(done));
    return true;
}

bool pg_link::check_head(steady_clock::time_point now)
{
    if (dead_ || !multiplex_ || !multiplex_->by || multiplex_->requests.empty())
        return false;
    if (now - multiplex_->busy_since < multiplexer::head_most)
        return true;
    hand_back(1);
    const bool for_nobody = !multiplex_->requests.front().client;
    if (for_nobody && !cancelling())
        cancel({});
    // What was taken back from behind it still runs here, for nobody: it must not take long either.
    return for_nobody || multiplex_->requests.size() > 1;
}

// The server is gone: what it has not begun to answer only reads, and runs elsewhere.
void pg_link::lose_shared(const std::string& cause, bool mid_message)
{
    multiplex_state& state = *multiplex_;
    std::exchange(state.by, nullptr)->remove(*this);
    link_client* begun = nullptr;
    // What ran out of time is not run again.
    if ((replied_ || !cancel_error_.empty()) && !state.requests.empty())
        begun = std::exchange(state.requests.front().client, nullptr);
    hand_back(0);
    while (!state.requests.empty()) {
        state.requests.front().right = {};
        state.requests.pop();
    }
    state.finished.clear();
    if (begun)
        begun->on_shared_lost(cause, mid_message);
}

}  // namespace sluice::gateway
