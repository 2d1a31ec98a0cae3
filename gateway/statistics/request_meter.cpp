// gateway/statistics/request_meter.cpp: what is counted when.
#include "gateway/statistics/request_meter.hpp"

#include <new>
#include <utility>

namespace sluice::gateway::statistics {
namespace {

std::uint64_t count_of(nanoseconds time) noexcept
{
    return static_cast<std::uint64_t>(std::max<nanoseconds::rep>(time.count(), 0));
}

}  // namespace

void request_meter::begin_now(time_point now) noexcept
{
    record_ = {};
    record_.arrived = record_.granted = now;
    owed_ = same_ = unsent_ = 0;
    runs_ = 0;
    enter(state::begun);
    if (slow_ || log::slow_statement().count() > 0)
        begin_slow();
}

void request_meter::begin_slow() noexcept
{
    if (!slow_)
        slow_.reset(new (std::nothrow) slow_statement);
    if (slow_)
        slow_->begin(to_);
}

// Gauges follow the state.
void request_meter::enter(state next) noexcept
{
    if (to_.traffic) {
        if (state_ == state::waiting)
            to_.traffic->waiting.add(-1);
        else if (state_ == state::running)
            to_.traffic->active.add(-1);
        if (next == state::waiting)
            to_.traffic->waiting.add(1);
        else if (next == state::running)
            to_.traffic->active.add(1);
    }
    state_ = next;
}

void request_meter::wait() noexcept
{
    if (state_ == state::begun || state_ == state::running)
        enter(state::waiting);
}

void request_meter::grant_now(time_point now) noexcept
{
    record_.granted = now;
    enter(state::running);
}

void request_meter::know(std::uint64_t digest, std::string_view text, sql::dialect d)
{
    look(text);
    if (!to_.database || digest == 0)
        return;
    bool fresh = false;
    to_.database->statements.find_or_add(digest, fresh);
    if (fresh && to_.texts)
        to_.texts->add(digest, text, d);
}

void request_meter::statement(std::uint64_t digest) noexcept
{
    ++record_.statements;
    ++unsent_;
    if (!to_.database || digest == 0)
        return;
    if (digest != record_.digest && same_ > 0)
        note_statements({}, false);
    record_.digest = digest;
    ++same_;
}

void request_meter::sent() noexcept
{
    constexpr std::uint32_t bits = 64;
    if (owed_ < bits && unsent_ > 0)
        runs_ |= std::uint64_t{1} << owed_;
    unsent_ = 0;
    ++owed_;
}

// Those of one digest. Of a request with several different ones only the last are timed.
void request_meter::note_statements(nanoseconds took, bool timed) noexcept
{
    bool fresh = false;
    auto* entry = to_.database->statements.find_or_add(record_.digest, fresh);
    const auto many = std::exchange(same_, 0);
    if (!entry)
        return;
    entry->calls.add(many);
    entry->rows.add(record_.rows);
    if (record_.error)
        entry->errors.add();
    if (!timed)
        return;
    entry->backend_time.add(count_of(took));
    entry->latency.record(took / many, many);
}

void request_meter::error(std::string_view code) noexcept
{
    record_.error = packed(code);
    if (!to_.traffic)
        return;
    to_.traffic->errors.add();
    to_.database->errors.add(record_.error);
}

void request_meter::refused(client_error code) noexcept
{
    if (to_.database)
        to_.database->refused[static_cast<std::size_t>(code)].add();
}

const request_record& request_meter::finished(time_point now, bool in_transaction) noexcept
{
    if (state_ == state::none)
        return record_;  // it was given up before
    const bool more = owed_ > 1;
    ran_ = ran_ || (owed_ > 0 ? runs_ & 1 : record_.statements > 0);
    runs_ >>= 1;
    owed_ -= owed_ > 0;
    record_.finished = now;
    if (!to_.traffic) {
        state_ = state::none;
        return record_;
    }
    if (state_ == state::begun || state_ == state::waiting)
        granted(now);  // answered without a backend
    traffic& to = *to_.traffic;
    const auto took = record_.on_backend();
    to.requests.add();
    to.statements.add(record_.statements);
    to.rows.add(record_.rows);
    to.backend_time.add(count_of(took));
    to.wait_time.add(count_of(record_.waited()));
    to.latency.record(record_.finished - record_.arrived);
    to.wait.record(record_.waited());
    if (!in_transaction_)
        transaction_began_ = record_.granted;
    in_transaction_ = in_transaction;
    if (!in_transaction && std::exchange(ran_, false)) {
        to.transactions.add();
        to.transaction_time.add(count_of(now - transaction_began_));
    }
    if (same_ > 0)
        note_statements(took, true);
    if (slow_ && record_.statements > 0)
        slow_->end(to_, record_, log::slow_statement());
    if (more) {
        // What it was asked for may have been counted with the one before already.
        record_.arrived = record_.granted = now;
        record_.digest = record_.rows = record_.error = 0;
        record_.statements = 0;
    } else {
        enter(state::none);
    }
    return record_;
}

void request_meter::gave_up(time_point now) noexcept
{
    if (to_.traffic && state_ == state::waiting) {
        const auto waited = now - record_.arrived;
        to_.traffic->wait_time.add(count_of(waited));
        to_.traffic->wait.record(waited);
    }
    leave();
}

void request_meter::taken_back() noexcept
{
    owed_ = same_ = unsent_ = 0;
    runs_ = 0;
    record_.statements = 0;
    record_.digest = 0;
    if (state_ == state::running)
        enter(state::begun);
}

void request_meter::leave() noexcept
{
    owed_ = same_ = unsent_ = 0;
    runs_ = 0;
    enter(state::none);
    in_transaction_ = ran_ = false;
    if (slow_)
        slow_->leave(to_);
}

}  // namespace sluice::gateway::statistics
