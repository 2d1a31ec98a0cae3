// gateway/translate/conversation_local.cpp: statements that the gateway answers itself:
// transactions, settings, DISCARD and its kin, refusals.
#include "gateway/translate/conversation.hpp"

#include <algorithm>

#include "gateway/translate/result_types.hpp"
#include "proto/pg/replies.hpp"
#include "proto/sql/split.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::transaction_verb;

reply_error make_error(std::string_view sqlstate, std::string message)
{
    reply_error out;
    out.sqlstate = sqlstate;
    out.message = std::move(message);
    return out;
}

std::string savepoint_name(const sql::name_token& name)
{
    sql::token t;
    t.kind = name.quoted ? sql::token_kind::quoted_word : sql::token_kind::word;
    t.text = name.raw;
    return sql::name_value(t);
}

reply_error syntax_error(const client_statement& statement,
                         const sql::token& at,
                         std::string_view whole)
{
    auto out =
        make_error("42601",
                   at.text.empty() ? "syntax error at end of input"
                                   : "syntax error at or near \"" + std::string(at.text) + "\"");
    const char* begin = statement.text.data();
    if (at.text.data() >= begin && at.text.data() <= begin + statement.text.size()) {
        const auto inside = static_cast<std::size_t>(at.text.data() - begin);
        const auto offset = std::min(statement.offset + inside, whole.size());
        out.position = static_cast<std::uint32_t>(sql::character_position(whole, offset));
    }
    return out;
}

}  // namespace

asio::awaitable<bool> conversation::run_local(statement_ptr statement,
                                              bool show_columns,
                                              const portal* outer)
{
    bool done = false;
    switch (statement->who) {
        case answered_by::transaction: {
            auto running = run_transaction(statement);
            done = co_await std::move(running);
            break;
        }
        case answered_by::settings: {
            if (statement->settings.error) {
                auto failing = fail(syntax_error(*statement, *statement->settings.error, query_));
                co_await std::move(failing);
                break;
            }
            reply_error problem;
            const auto& words = statement->settings;
            if (words.verb == sql::settings_verb::show && !settings_.show(words.name)) {
                problem = make_error("42704",
                                     "unrecognized configuration parameter \"" + words.name + "\"");
            } else if (words.verb == sql::settings_verb::set ||
                       words.verb == sql::settings_verb::set_local ||
                       words.verb == sql::settings_verb::reset) {
                const bool local = words.verb == sql::settings_verb::set_local;
                if (auto failed =
                        settings_.set(words.name, words.value, local, block_ != block::none))
                    problem = make_error(failed->sqlstate, failed->message);
            }
            if (!problem.sqlstate.empty()) {
                auto failing = fail(std::move(problem));
                co_await std::move(failing);
                break;
            }
            done = run_settings(*statement, show_columns);
            break;
        }
        case answered_by::session: {
            auto running = run_session(*statement);
            done = co_await std::move(running);
            break;
        }
        case answered_by::prepare: {
            auto running = run_prepare(statement);
            done = co_await std::move(running);
            break;
        }
        case answered_by::execute: {
            auto running = run_execute(statement, show_columns, outer);
            done = co_await std::move(running);
            break;
        }
        case answered_by::cursor: {
            auto running = run_cursor(statement, show_columns, outer);
            done = co_await std::move(running);
            break;
        }
        case answered_by::copy: {
            auto running = run_copy(statement);
            done = co_await std::move(running);
            break;
        }
        case answered_by::refusal: {
            auto failing =
                fail(make_error(statement->refused_sqlstate, statement->refused_because));
            co_await std::move(failing);
            break;
        }
        case answered_by::nobody:
            pg::append_empty_query(channel_->out());
            done = true;
            break;
        case answered_by::engine:
            break;
    }
    co_return done;
}

sqlite::transaction_options conversation::new_block_options(
    const sql::transaction_words& words) const
{
    auto level = words.isolation;
    if (!level)
        level = sql::isolation_from_text(*settings_.show("default_transaction_isolation"));
    sqlite::transaction_options how;
    if (level == sql::isolation_level::repeatable_read)
        how.level = sqlite::isolation::repeatable_read;
    if (level == sql::isolation_level::serializable)
        how.level = sqlite::isolation::serializable;
    how.read_only =
        words.read_only.value_or(settings_.show("default_transaction_read_only") == "on");
    how.immediate = words.lock && *words.lock != sql::begin_lock::deferred;
    return how;
}

asio::awaitable<bool> conversation::run_transaction(statement_ptr statement)
{
    const auto& words = statement->transaction;
    auto& out = channel_->out();
    if (words.error) {
        auto failing = fail(syntax_error(*statement, *words.error, query_));
        co_await std::move(failing);
        co_return false;
    }
    const auto show_block = [this] { read_only_ = pending_.read_only; };
    switch (words.verb) {
        case transaction_verb::begin: {
            if (block_ == block::open) {
                notice("WARNING", "25001", "there is already a transaction in progress");
            } else {
                // An implicit block becomes the explicit one, with all that was done in it.
                if (!begun_)
                    pending_ = new_block_options(words);
                block_ = block::open;
                show_block();
                if (pending_.immediate) {
                    auto entering = enter_transaction(*statement);
                    const bool entered = co_await std::move(entering);
                    if (!entered)
                        co_return false;
                }
            }
            pg::append_command_complete(out, words.start ? "START TRANSACTION" : "BEGIN");
            co_return true;
        }
        case transaction_verb::commit:
        case transaction_verb::rollback: {
            const bool commit = words.verb == transaction_verb::commit && block_ != block::failed;
            if (block_ == block::none || block_ == block::implicit)
                notice("WARNING", "25P01", "there is no transaction in progress");
            const bool again = words.chain && block_ != block::none && block_ != block::implicit;
            const auto options = pending_;
            auto ending = end_block(commit);
            const bool ended = co_await std::move(ending);
            if (over() || !ended)
                co_return false;
            if (again) {
                block_ = block::open;
                pending_ = options;
                show_block();
            }
            pg::append_command_complete(channel_->out(), commit ? "COMMIT" : "ROLLBACK");
            co_return true;
        }
        case transaction_verb::savepoint:
        case transaction_verb::release:
        case transaction_verb::rollback_to: {
            const std::string_view verb = words.verb == transaction_verb::savepoint ? "SAVEPOINT"
                                          : words.verb == transaction_verb::release ? "RELEASE"
                                                                                    : "ROLLBACK TO";
            if (block_ == block::none || block_ == block::implicit) {
                auto failing = fail(make_error(
                    "25P01", std::string(verb) + " can only be used in transaction blocks"));
                co_await std::move(failing);
                co_return false;
            }
            const auto name = savepoint_name(words.name);
            const auto at = std::find(savepoints_.rbegin(), savepoints_.rend(), name);
            if (words.verb != transaction_verb::savepoint && at == savepoints_.rend()) {
                auto failing =
                    fail(make_error("3B001", "savepoint \"" + name + "\" does not exist"));
                co_await std::move(failing);
                co_return false;
            }
            if (words.verb == transaction_verb::savepoint) {
                auto entering = enter_transaction(*statement);
                const bool entered = co_await std::move(entering);
                if (!entered)
                    co_return false;
            }
            const auto what =
                words.verb == transaction_verb::savepoint ? sqlite::session::verb::savepoint
                : words.verb == transaction_verb::release ? sqlite::session::verb::release
                                                          : sqlite::session::verb::rollback_to;
            const auto kept = static_cast<std::size_t>(savepoints_.rend() - at);
            auto calling = engine_call(what, name);
            const bool called = co_await std::move(calling);
            if (over() || !called)
                co_return false;
            if (words.verb == transaction_verb::savepoint)
                savepoints_.push_back(name);
            else
                savepoints_.resize(words.verb == transaction_verb::release ? kept - 1 : kept);
            if (words.verb == transaction_verb::rollback_to)
                block_ = block::open;
            pg::append_command_complete(
                channel_->out(), words.verb == transaction_verb::rollback_to ? "ROLLBACK" : verb);
            co_return true;
        }
        case transaction_verb::set_transaction: {
            if (block_ != block::open) {
                notice(
                    "WARNING", "25P01", "SET TRANSACTION can only be used in transaction blocks");
            } else {
                auto wanted = new_block_options(words);
                if (!words.isolation)
                    wanted.level = pending_.level;
                if (begun_ && wanted.level != pending_.level) {
                    auto failing = fail(make_error(
                        "25001",
                        "SET TRANSACTION ISOLATION LEVEL must be called before any query"));
                    co_await std::move(failing);
                    co_return false;
                }
                pending_.level = wanted.level;
                if (words.read_only)
                    pending_.read_only = *words.read_only;
                show_block();
            }
            pg::append_command_complete(channel_->out(), "SET");
            co_return true;
        }
        case transaction_verb::set_session_characteristics:
            if (words.isolation)
                (void)settings_.set("default_transaction_isolation",
                                    std::string(sql::to_text(*words.isolation)),
                                    false,
                                    false);
            if (words.read_only)
                (void)settings_.set(
                    "default_transaction_read_only", *words.read_only ? "on" : "off", false, false);
            pg::append_command_complete(channel_->out(), "SET");
            co_return true;
        default: {
            auto failing =
                fail(make_error("0A000", "two-phase commit is not available for SQLite databases"));
            co_await std::move(failing);
            co_return false;
        }
    }
}

asio::awaitable<bool> conversation::run_session(const client_statement& statement)
{
    sql::lexer lex(statement.text);
    (void)lex.next();
    auto what = lex.next();
    if (sql::is_word(what, "prepare"))  // DEALLOCATE PREPARE name
        what = lex.next();
    const auto name = sql::name_value(what);
    const bool all = sql::is_word(what, "all");
    std::string tag = statement.tag;
    if (tag == "DISCARD") {
        if (all && block_ != block::none) {
            auto failing =
                fail(make_error("25001", "DISCARD ALL cannot run inside a transaction block"));
            co_await std::move(failing);
            co_return false;
        }
        if (all) {
            statements_.clear();
            auto closing = close_portals();
            co_await std::move(closing);
            settings_.reset_all(false);
            context_stale_ = true;
            tag = "DISCARD ALL";
        } else {
            tag = "DISCARD " + std::string(what.text);
            std::transform(tag.begin(), tag.end(), tag.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
        }
    } else if (tag == "DEALLOCATE") {
        if (all) {
            statements_.clear();
            tag = "DEALLOCATE ALL";
        } else if (statements_.erase(name) == 0) {
            auto failing =
                fail(make_error("26000", "prepared statement \"" + name + "\" does not exist"));
            co_await std::move(failing);
            co_return false;
        }
    }
    if (over())
        co_return false;
    pg::append_command_complete(channel_->out(), tag);
    co_return true;
}

}  // namespace sluice::gateway
