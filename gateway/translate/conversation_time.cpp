// gateway/translate/conversation_time.cpp: a PostgreSQL client whose transaction is no more.
#include "gateway/translate/conversation.hpp"

namespace sluice::gateway {

bool conversation::may_lose_transaction() const noexcept
{
    return block_ == block::open && !copy_;
}

asio::awaitable<void> conversation::lose_transaction(time_limit)
{
    block_ = block::failed;
    savepoints_.clear();
    if (std::exchange(begun_, false)) {
        auto rolling = call_engine(sqlite::session::verb::rollback, {});
        (void)co_await std::move(rolling);
    }
    for (auto& [name, each] : portals_)
        each->suspended = 0;
}

// COMMIT, too, if its client does not know that there is nothing to commit.
bool conversation::refused_in_failed(const client_statement& statement) const noexcept
{
    if (block_ != block::failed)
        return false;
    const bool commits = statement.who == answered_by::transaction &&
                         statement.transaction.verb == sql::transaction_verb::commit;
    return !statement.allowed_when_failed() || (untold_ && commits);
}

// What a failed transaction's statement is answered with.
reply_error conversation::aborted()
{
    reply_error out;
    if (const auto by = std::exchange(untold_, std::nullopt)) {
        meter_.refused(error_of(*by));
        out.sqlstate = rule_for(error_of(*by)).sqlstate;
        out.message = limits_.message(*by);
        out.hint = after_timeout_hint;
        return out;
    }
    out.sqlstate = "25P02";
    out.message = "current transaction is aborted, commands ignored until end of transaction block";
    return out;
}

asio::awaitable<void> conversation::refuse_in_failed(const client_statement& statement)
{
    auto failing = fail(aborted());
    co_await std::move(failing);
    if (over() || !statement.allowed_when_failed())
        co_return;
    // A COMMIT that fails ends the transaction.
    auto ending = end_block(false);
    (void)co_await std::move(ending);
}

}  // namespace sluice::gateway
