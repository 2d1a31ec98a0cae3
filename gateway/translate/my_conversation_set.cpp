// gateway/translate/my_conversation_set.cpp: SET and its lists.
#include "gateway/translate/my_conversation.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

using kind = my_value::kind;

bool is_served_charset(std::string_view name) noexcept
{
    for (const std::string_view known :
         {"utf8mb4", "utf8", "utf8mb3", "binary", "ascii", "latin1", "default"})
        if (name == known)
            return true;
    return false;
}

}  // namespace

// A value that is one token and needs no engine. A bare word is a text: SET x = utf8mb4.
std::optional<my_value> my_conversation::plain_value(const my_setting& one) const
{
    auto lex = sql::mysql_lexer(one.expression, state_);
    const auto token = lex.next();
    const auto next = lex.next();
    if (next.kind != sql::token_kind::end)
        return std::nullopt;
    switch (token.kind) {
        case sql::token_kind::number:
            if (token.text.find_first_not_of("0123456789") != std::string_view::npos)
                return std::nullopt;
            return my_value{kind::number, std::string(token.text)};
        case sql::token_kind::string:
            return my_value{kind::text,
                            sql::mysql_string_value(token.text, !state_.no_backslash_escapes)};
        case sql::token_kind::word:
        case sql::token_kind::quoted_word:
            if (sql::is_word(token, "null"))
                return my_value{};
            if (one.what == my_setting::kind::user && token.kind == sql::token_kind::word &&
                (sql::is_word(token, "true") || sql::is_word(token, "false")))
                return my_value{kind::number, sql::is_word(token, "true") ? "1" : "0"};
            if (one.what == my_setting::kind::user)
                return std::nullopt;
            return my_value{kind::text, sql::mysql_name_value(token)};
        default:
            return std::nullopt;
    }
}

void my_conversation::set_transaction(const my_setting& one)
{
    if (one.session || one.global) {
        if (one.isolation) {
            my_value level{kind::text, std::string(sql::to_text(*one.isolation))};
            (void)state_.set_system("transaction_isolation", std::move(level));
        }
        if (one.read_only)
            (void)state_.set_system("transaction_read_only",
                                    my_value{kind::boolean, *one.read_only ? "ON" : "OFF"});
        return;
    }
    if (one.isolation)
        next_isolation_ = one.isolation;
    if (one.read_only)
        next_read_only_ = one.read_only;
}

asio::awaitable<std::optional<my_error>> my_conversation::set_system(const my_setting& one)
{
    auto lex = sql::mysql_lexer(one.expression, state_);
    std::optional<my_value> value;
    if (!sql::is_word(lex.next(), "default")) {
        value = plain_value(one);
        if (!value) {
            const auto made = sql::mysql_to_sqlite("SELECT " + one.expression, state_);
            if (made.statements.empty())
                co_return my_error{
                    made.unknown_variable ? std::uint16_t{1193} : std::uint16_t{1235},
                    made.unknown_variable ? "HY000" : "42000",
                    made.unknown_variable ? "Unknown system variable '" + made.problem + "'"
                                          : made.problem};
            std::vector<my_value> found;
            auto evaluating = evaluate(made.statements.front().text, found);
            const auto done = co_await std::move(evaluating);
            if (over())
                co_return std::nullopt;
            if (done.error)
                co_return my_error_of(*done.error, {}, state_);
            value = found.empty() ? my_value{} : std::move(found[0]);
        }
    }
    if (one.what == my_setting::kind::user)
        co_return state_.set_user(one.name, value.value_or(my_value{}));
    const bool before = state_.autocommit();
    if (auto failed = state_.set_system(one.name, std::move(value)))
        co_return failed;
    // Back to autocommit: what is open is committed.
    if (!before && state_.autocommit() && open_) {
        auto ending = end_transaction(true);
        (void)co_await std::move(ending);
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<my_error>> my_conversation::set_one(const my_setting& one)
{
    if (one.what == my_setting::kind::transaction) {
        if (open_ && !one.session && !one.global)
            co_return my_error{1568,
                               "25001",
                               "Transaction characteristics can't be changed while a transaction "
                               "is in progress"};
        set_transaction(one);
        co_return std::nullopt;
    }
    if (one.what == my_setting::kind::names) {
        if (!is_served_charset(one.name))
            co_return my_error{1115,
                               "42000",
                               "Unknown character set: '" + one.name +
                                   "'; SQLite databases are served in utf8mb4"};
        const my_value set{kind::text, one.name == "default" ? "utf8mb4" : one.name};
        for (const std::string_view name :
             {"character_set_client", "character_set_connection", "character_set_results"})
            (void)state_.set_system(name, set);
        if (!one.expression.empty())
            (void)state_.set_system("collation_connection", my_value{kind::text, one.expression});
        co_return std::nullopt;
    }
    auto setting = set_system(one);
    auto failed = co_await std::move(setting);
    co_return failed;
}

asio::awaitable<void> my_conversation::run_set(my_sqlite_statement_ptr statement)
{
    for (const auto& one : statement->settings) {
        auto setting = set_one(one);
        auto failed = co_await std::move(setting);
        if (over() || failed_now_)
            co_return;
        if (failed) {
            fail(std::move(*failed));
            co_return;
        }
    }
    state_.row_count = 0;
    ok();
}

}  // namespace sluice::gateway
