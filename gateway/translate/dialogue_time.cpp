// gateway/translate/dialogue_time.cpp: time limits of clients on SQLite.
//
// The engine itself ends a statement that runs for too long, and a transaction that holds the
// file's writer and does nothing. Here: which limit that was, and the transaction that takes too
// long altogether.
#include <algorithm>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/log/log.hpp"
#include "gateway/translate/dialogue.hpp"

namespace sluice::gateway {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

dialogue::~dialogue()
{
    end_turn();
    come_out();
    arrived_.clear();
    work_.clear();
    count_held();
    if (options_.sweeps)
        options_.sweeps->remove(*this);
}

// A message that comes outside of a transaction may begin one.
void dialogue::note_begin() noexcept
{
    if (limits_.get(time_limit::transaction).value.count() > 0 && between_transactions())
        transaction_since_ = steady_clock::now();
}

void dialogue::watch_time() noexcept
{
    if (!options_.sweeps)
        return;
    if (may_lose_transaction())
        options_.sweeps->add(*this);
    else
        options_.sweeps->remove(*this);
}

void dialogue::arm_limits() noexcept
{
    sqlite::session_limits limits;
    limits.run = limits_.get(time_limit::statement).value;
    running_under_ = time_limit::statement;
    const auto most = limits_.get(time_limit::transaction).value;
    if (most.count() > 0) {
        const auto used =
            std::chrono::duration_cast<milliseconds>(steady_clock::now() - transaction_since_);
        const auto left = std::max(most - used, milliseconds(1));
        if (limits.run.count() == 0 || left < limits.run) {
            limits.run = left;
            running_under_ = time_limit::transaction;
        }
    }
    if (limits_.known())
        limits.idle = limits_.get(time_limit::idle_transaction).value;
    session_.set_limits(limits);
}

std::optional<time_limit> dialogue::explain_limit(sqlite::sql_error& error)
{
    if (error.limit == sqlite::ended_by::none)
        return std::nullopt;
    const auto which =
        error.limit == sqlite::ended_by::run ? running_under_ : time_limit::idle_transaction;
    if (limits_.get(which).value.count() == 0)
        return which;
    meter_.refused(error_of(which));
    error.sqlstate = rule_for(error_of(which)).sqlstate;
    error.message = limits_.message(which);
    error.hint = which == time_limit::statement ? std::string_view{} : after_timeout_hint;
    return which;
}

void dialogue::sweep(steady_clock::time_point now)
{
    if (over() || busy_ || !may_lose_transaction())
        return;
    client_stamps stamps;
    stamps.in_transaction = true;
    stamps.since = now;  // idling is the engine's
    stamps.transaction = transaction_since_;
    if (!overdue(stamps, limits_, now))
        return;
    log::info(
        "transaction rolled back",
        {{"client", channel_->identity().id}, {"why", limits_.message(time_limit::transaction)}});
    busy_ = true;
    asio::co_spawn(io_, expire(shared_from_this()), asio::detached);
}

// And then whatever came meanwhile.
asio::awaitable<void> dialogue::expire(std::shared_ptr<dialogue> self)
{
    untold_ = time_limit::transaction;
    auto losing = lose_transaction(time_limit::transaction);
    co_await std::move(losing);
    auto going_on = run(self);
    co_await std::move(going_on);
}

}  // namespace sluice::gateway
