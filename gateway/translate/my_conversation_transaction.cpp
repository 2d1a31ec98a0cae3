// gateway/translate/my_conversation_transaction.cpp: MySQL's transactions: autocommit, implicit
// commits, savepoints. An error undoes its statement and nothing more.
#include <algorithm>

#include <asio/use_awaitable.hpp>

#include "gateway/translate/my_conversation.hpp"

namespace sluice::gateway {
namespace {

using verb = my_transaction::verb;

sqlite::isolation engine_isolation(sql::isolation_level level) noexcept
{
    switch (level) {
        case sql::isolation_level::repeatable_read:
            return sqlite::isolation::repeatable_read;
        case sql::isolation_level::serializable:
            return sqlite::isolation::serializable;
        case sql::isolation_level::read_uncommitted:
        case sql::isolation_level::read_committed:
            break;
    }
    return sqlite::isolation::read_committed;
}

}  // namespace

// Takes nothing yet: the engine learns of it with the first statement.
void my_conversation::begin(const my_transaction& words)
{
    open_ = true;
    begun_ = false;
    savepoints_.clear();
    pending_ = {};
    pending_.level = engine_isolation(next_isolation_.value_or(state_.isolation()));
    if (words.snapshot && pending_.level == sqlite::isolation::read_committed)
        pending_.level = sqlite::isolation::repeatable_read;
    pending_.read_only = words.read_only.value_or(next_read_only_.value_or(state_.read_only()));
    next_isolation_.reset();
    next_read_only_.reset();
}

// False: it cannot be begun, and the client knows.
asio::awaitable<bool> my_conversation::enter_transaction(bool opens)
{
    if (!open_ && opens && !state_.autocommit())
        begin({});
    if (!open_ || begun_)
        co_return true;
    auto beginning = session_.begin(pending_, asio::use_awaitable);
    const auto done = co_await std::move(beginning);
    if (over())
        co_return false;
    if (done.error) {
        fail(my_error_of(*done.error, {}, state_));
        co_return false;
    }
    begun_ = true;
    co_return true;
}

// Of whatever is open. False: the commit failed, and the client knows.
asio::awaitable<bool> my_conversation::end_transaction(bool commit)
{
    const bool known = begun_;
    open_ = begun_ = false;
    savepoints_.clear();
    if (!known)
        co_return true;
    auto ending =
        call_engine(commit ? sqlite::session::verb::commit : sqlite::session::verb::rollback, {});
    const auto done = co_await std::move(ending);
    if (over())
        co_return false;
    // The engine has closed its suspended results.
    for (auto& [id, each] : statements_) {
        if (each.cursor)
            each.cursor->suspended = 0;
        each.cursor.reset();
    }
    if (!done.error || !commit)
        co_return true;
    fail(my_error_of(*done.error, {}, state_));
    co_return false;
}

asio::awaitable<bool> my_conversation::change_savepoint(const my_transaction& words)
{
    const auto at = std::find(savepoints_.rbegin(), savepoints_.rend(), words.name);
    if (words.what != verb::savepoint && at == savepoints_.rend()) {
        fail(1305, "42000", "SAVEPOINT " + words.name + " does not exist");
        co_return false;
    }
    if (words.what == verb::savepoint && !open_ && state_.autocommit())
        co_return true;  // the statement's own transaction ends with it
    auto entering = enter_transaction(true);
    const bool entered = co_await std::move(entering);
    if (over() || !entered)
        co_return false;
    using engine_verb = sqlite::session::verb;
    const auto kept = static_cast<std::size_t>(savepoints_.rend() - at);
    // A name that is used again replaces the older savepoint.
    const auto what = words.what == verb::savepoint ? engine_verb::savepoint
                      : words.what == verb::release ? engine_verb::release
                                                    : engine_verb::rollback_to;
    auto calling = call_engine(what, words.name);
    const auto done = co_await std::move(calling);
    if (over())
        co_return false;
    if (done.error) {
        fail(my_error_of(*done.error, {}, state_));
        co_return false;
    }
    if (words.what == verb::savepoint)
        savepoints_.push_back(words.name);
    else
        savepoints_.resize(words.what == verb::release ? kept - 1 : kept);
    co_return true;
}

asio::awaitable<void> my_conversation::run_transaction(my_sqlite_statement_ptr statement)
{
    const auto& words = statement->transaction;
    bool done = true;
    if (words.what == verb::begin) {
        auto ending = end_transaction(true);
        done = co_await std::move(ending);
        if (!over() && done)
            begin(words);
    } else if (words.what == verb::commit || words.what == verb::rollback) {
        const bool again = words.chain && open_;
        const auto options = pending_;
        auto ending = end_transaction(words.what == verb::commit);
        done = co_await std::move(ending);
        if (!over() && done && again) {
            begin({});
            pending_ = options;
        }
    } else {
        auto changing = change_savepoint(words);
        done = co_await std::move(changing);
    }
    if (over() || !done)
        co_return;
    state_.row_count = 0;
    ok();
    if (words.leave)
        close_now("COMMIT RELEASE");
}

}  // namespace sluice::gateway
