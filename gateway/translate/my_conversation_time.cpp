// gateway/translate/my_conversation_time.cpp: a MySQL client whose transaction is no more.
#include "gateway/my_errors.hpp"
#include "gateway/translate/my_conversation.hpp"

namespace sluice::gateway {

asio::awaitable<void> my_conversation::lose_transaction(time_limit)
{
    auto ending = end_transaction(false);
    (void)co_await std::move(ending);
}

// Whether this command is the one that fails for it. ROLLBACK does not: there is nothing left.
bool my_conversation::tells_lost(mysql::command what, bytes_view payload)
{
    using mysql::command;
    if (what == command::query) {
        sql::lexer words(mysql::text_of(payload), sql::dialect::mysql);
        const bool rolls_back = sql::is_word(words.next(), "rollback");
        auto next = words.next();
        if (sql::is_word(next, "work"))
            next = words.next();
        if (rolls_back && !sql::is_word(next, "to")) {
            untold_.reset();
            return false;
        }
    } else if (what != command::stmt_prepare && what != command::stmt_execute) {
        if (what == command::reset_connection)
            untold_.reset();
        return false;
    }
    const auto by = *std::exchange(untold_, std::nullopt);
    meter_.refused(error_of(by));
    fail(rule_for(error_of(by)).mysql_errno,
         rule_for(error_of(by)).mysql_sqlstate,
         limits_.message(by) + ". " + std::string(after_timeout_hint));
    return true;
}

}  // namespace sluice::gateway
