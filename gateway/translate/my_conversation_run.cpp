// gateway/translate/my_conversation_run.cpp: running statements on the engine, results to the
// client.
#include <asio/use_awaitable.hpp>

#include "gateway/translate/my_catalog.hpp"
#include "gateway/translate/my_conversation.hpp"

namespace sluice::gateway {
namespace {

// The first row's values.
class value_sink final : public sqlite::row_sink {
public:
    verdict on_row(const sqlite::row_view& row) override
    {
        if (!values.empty())
            return verdict::go_on;
        for (int i = 0; i < row.count(); ++i) {
            auto& out = values.emplace_back();
            switch (row.type(i)) {
                case sqlite::value_type::null:
                    break;
                case sqlite::value_type::integer:
                    out = {my_value::kind::number, std::to_string(row.integer(i))};
                    break;
                case sqlite::value_type::real:
                    out = {my_value::kind::number, std::string(row.text(i))};
                    break;
                case sqlite::value_type::text:
                case sqlite::value_type::blob:
                    out = {my_value::kind::text, std::string(row.text(i))};
                    break;
            }
        }
        return verdict::go_on;
    }
    std::vector<my_value> values;
};

}  // namespace

void add_lifted(const my_sqlite_statement& statement, std::vector<sqlite::value>& parameters)
{
    for (const auto& [bytes, blob] : statement.sqlite.lifted) {
        const auto view = as_bytes(bytes);
        if (blob || !pg::is_plain_utf8(bytes))
            parameters.emplace_back(sqlite::blob_value(view.begin(), view.end()));
        else
            parameters.emplace_back(bytes);
    }
}

std::shared_ptr<my_rows> my_conversation::make_rows(const my_sqlite_statement& statement,
                                                    mysql::row_format format,
                                                    bool cursor)
{
    my_rows::wire how;
    how.format = format;
    how.capabilities = capabilities_;
    how.status = status();
    if (cursor)
        how.status |= mysql::status::cursor_exists;
    how.database = state_.database;
    auto rows = std::make_shared<my_rows>(statement.hints, std::move(how));
    connect(rows);
    return rows;
}

asio::awaitable<sqlite::outcome> my_conversation::evaluate(std::string sql,
                                                           std::vector<my_value>& out)
{
    auto sink = std::make_shared<value_sink>();
    sqlite::request what;
    what.sql = std::make_shared<const std::string>(std::move(sql));
    what.sink = sink;
    what.timeout = state_.statement_timeout();
    auto executing = session_.execute(std::move(what), asio::use_awaitable);
    auto done = co_await std::move(executing);
    out = std::move(sink->values);
    co_return done;
}

asio::awaitable<bool> my_conversation::table_exists(const std::string& table)
{
    std::vector<my_value> found;
    auto asking = evaluate(
        "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND "
        "lower(name) = lower(" +
            quoted(table) + ")",
        found);
    (void)co_await std::move(asking);
    co_return !found.empty() && found[0].text != "0";
}

// Several of SQLite's statements for one of the client's: all or nothing.
asio::awaitable<bool> my_conversation::run_definition(my_sqlite_statement_ptr statement)
{
    auto beginning = session_.begin({}, asio::use_awaitable);
    auto done = co_await std::move(beginning);
    for (std::size_t i = 0; i < statement->sql.size() && !done.error && !over(); ++i) {
        sqlite::request what;
        what.sql = statement->sql[i];
        what.timeout = state_.statement_timeout();
        what.read_only = state_.read_only();
        arm_limits();
        auto executing = session_.execute(std::move(what), asio::use_awaitable);
        done = co_await std::move(executing);
    }
    auto ending = call_engine(
        done.error ? sqlite::session::verb::rollback : sqlite::session::verb::commit, {});
    auto ended = co_await std::move(ending);
    if (!done.error)
        done = std::move(ended);
    if (over())
        co_return false;
    if (done.error) {
        explain_limit(*done.error);
        fail(my_error_of(*done.error, statement->text, state_));
        co_return false;
    }
    state_.row_count = 0;
    ok();
    co_return true;
}

asio::awaitable<void> my_conversation::run_engine(my_sqlite_statement_ptr statement,
                                                  std::vector<sqlite::value> parameters,
                                                  mysql::row_format format)
{
    if (!statement->table.empty()) {
        auto looking = table_exists(statement->table);
        const bool there = co_await std::move(looking);
        if (over())
            co_return;
        if (!there) {
            fail(1146,
                 "42S02",
                 "Table '" + state_.database + "." + statement->table + "' doesn't exist");
            co_return;
        }
    }
    bool good = true;
    if (statement->definition) {
        auto ending = end_transaction(true);
        good = co_await std::move(ending);
    } else {
        auto entering = enter_transaction(statement->opens_transaction);
        good = co_await std::move(entering);
    }
    if (over() || !good)
        co_return;
    if (statement->sql.size() > 1) {
        auto defining = run_definition(statement);
        co_await std::move(defining);
        co_return;
    }
    my_run one;
    one.sql = statement->sql.front();
    one.parameters = std::move(parameters);
    add_lifted(*statement, one.parameters);
    one.rows = make_rows(*statement, format);
    one.count_rows =
        statement->updates || statement->replaces || statement->sqlite.updates_duplicates;
    auto pumping = pump(one, statement->text, 0);
    const auto how = co_await std::move(pumping);
    if (over() || how != ran::done)
        co_return;
    complete(*statement, one);
}

// Runs or goes on until the end, `max_rows` (0: all) or an error, which is told.
asio::awaitable<my_conversation::ran> my_conversation::pump(my_run& run,
                                                            std::string_view text,
                                                            std::int64_t max_rows)
{
    std::int64_t left = max_rows;
    run.rows->sequence = sequence_;
    for (;;) {
        sqlite::outcome done;
        if (run.suspended != 0) {
            auto resuming = session_.resume(run.suspended, left, asio::use_awaitable);
            done = co_await std::move(resuming);
        } else {
            sqlite::request what;
            what.sql = run.sql;
            what.parameters = run.parameters;
            what.sink = run.rows;
            what.max_rows = left;
            what.timeout = state_.statement_timeout();
            what.count_rows = run.count_rows;
            what.read_only = open_ ? pending_.read_only : state_.read_only();
            arm_limits();
            if (auto at_once = session_.execute_now(what)) {
                done = std::move(*at_once);
            } else {
                auto executing = session_.execute(std::move(what), asio::use_awaitable);
                done = co_await std::move(executing);
            }
        }
        if (over())
            co_return ran::failed;
        run.suspended = done.portal;
        if (done.statement)
            run.info = done.statement;
        send_rest(run.rows->take_rest(done.error ? nullptr : run.info.get()));
        sequence_ = run.rows->sequence;
        if (done.error) {
            run.suspended = 0;
            const bool time_is_up = explain_limit(*done.error) == time_limit::transaction;
            if (begun_ && (time_is_up || done.transaction != sqlite::transaction_status::open)) {
                // The engine has rolled back: so has the client's transaction.
                open_ = begun_ = false;
                savepoints_.clear();
                auto rolling = call_engine(sqlite::session::verb::rollback, {});
                (void)co_await std::move(rolling);
                if (over())
                    co_return ran::failed;
            }
            fail(my_error_of(*done.error, text, state_));
            co_return ran::failed;
        }
        run.count += static_cast<std::uint64_t>(done.rows);
        left -= done.rows;
        run.changes = static_cast<std::uint64_t>(done.changes);
        run.updated = static_cast<std::uint64_t>(done.updated);
        run.unchanged = static_cast<std::uint64_t>(done.unchanged);
        run.removed = static_cast<std::uint64_t>(done.removed);
        run.insert_id = done.last_insert_rowid;
        run.rows->note_unsent(channel_->unsent());
        if (done.suspended == sqlite::suspension::none)
            co_return ran::done;
        if (done.suspended == sqlite::suspension::row_limit)
            co_return ran::suspended;
        auto waiting = wait_for_client();
        co_await std::move(waiting);
        if (over())
            co_return ran::failed;
        run.rows->note_unsent(channel_->unsent());
        if (cancelled_) {
            auto closing = session_.close(run.suspended, asio::use_awaitable);
            (void)co_await std::move(closing);
            run.suspended = 0;
            fail(1317, "70100", "Query execution was interrupted");
            co_return ran::failed;
        }
    }
}

// The result's last packet.
void my_conversation::complete(const my_sqlite_statement& statement, const my_run& run)
{
    meter_.rows(run.count + run.changes);
    if (run.info && run.info->returns_rows()) {
        if (!statement.diagnostics) {
            state_.found_rows = run.count;
            state_.row_count = -1;
        }
        mysql::ok_message end;
        end.status = status();
        end.warnings =
            static_cast<std::uint16_t>(statement.diagnostics ? 0 : state_.warnings.size());
        mysql::append_end_of_rows(channel_->out(), sequence_, end, capabilities_);
        return;
    }
    // The first of the rows that were made, as in MySQL.
    std::int64_t first = 0;
    if (statement.inserts && run.changes > 0 && run.insert_id > 0) {
        first = run.insert_id;
        if (statement.plain_insert && run.changes > 1 &&
            first > static_cast<std::int64_t>(run.changes))
            first -= static_cast<std::int64_t>(run.changes) - 1;
        else if (statement.plain_insert && first == static_cast<std::int64_t>(run.changes))
            first = 1;
    }
    if (first > 0)
        state_.last_insert_id = static_cast<std::uint64_t>(first);
    const auto affected = affected_rows(statement, run);
    state_.row_count = static_cast<std::int64_t>(affected);
    std::string info;
    if (statement.updates)
        info = "Rows matched: " + std::to_string(run.changes) +
               "  Changed: " + std::to_string(run.changes - run.unchanged) +
               "  Warnings: " + std::to_string(state_.warnings.size());
    ok(affected, static_cast<std::uint64_t>(std::max<std::int64_t>(first, 0)), info);
}

// MySQL, mysql_affected_rows(): a row that ON DUPLICATE KEY UPDATE changed counts twice; one that
// an update leaves as it was counts for nothing, and once for who asks for the rows that were
// found; REPLACE counts what it removes, too.
std::uint64_t my_conversation::affected_rows(const my_sqlite_statement& statement,
                                             const my_run& run) const noexcept
{
    if (statement.definition)
        return 0;
    if (statement.replaces)
        return run.changes + run.removed;
    const bool found = (capabilities_ & mysql::capability::found_rows) != 0;
    const auto touched = found ? run.changes : run.changes - run.unchanged;
    return statement.updates ? touched : touched + run.updated;
}

}  // namespace sluice::gateway
