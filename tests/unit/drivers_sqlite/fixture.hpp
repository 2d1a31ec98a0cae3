// tests/unit/drivers_sqlite/fixture.hpp: a database in a temporary folder and clients that wait.
#pragma once

#include <gtest/gtest.h>

#include <asio/io_context.hpp>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "drivers/sqlite/engine.hpp"
#include "support/soon.hpp"

namespace sluice::sqlite {

using namespace std::chrono_literals;
using support::soon;

inline sql_text text_of(std::string sql)
{
    return std::make_shared<const std::string>(std::move(sql));
}

// Keeps every value as text; pauses after `pause_after` rows of each call when told to.
class rows_kept : public row_sink {
public:
    void on_columns(const statement_info& info) override { columns = info.columns; }
    verdict on_row(const row_view& row) override
    {
        std::vector<std::string> values;
        for (int i = 0; i < row.count(); ++i) {
            bytes += row.text(i).size();
            values.emplace_back(row.type(i) == value_type::null ? "NULL" : row.text(i));
        }
        if (keep)
            rows.push_back(std::move(values));
        ++count;
        if (stop_at > 0 && count == stop_at)
            return verdict::stop;
        return pause_every > 0 && count % pause_every == 0 ? verdict::pause : verdict::go_on;
    }
    sql_error failure() override
    {
        sql_error error;
        error.sqlstate = "22P02";
        error.message = "told to stop";
        return error;
    }

    std::vector<column_info> columns;
    std::vector<std::vector<std::string>> rows;
    std::size_t bytes = 0;
    std::int64_t count = 0;
    std::int64_t pause_every = 0;
    std::int64_t stop_at = 0;
    bool keep = true;
};

// Completions come on a loop of its own; calls start them and take() waits.
class client {
public:
    client(database& on, asio::io_context& loop, std::string user = "alice")
        : session_(on, context(std::move(user)), loop.get_executor())
    {
    }

    static session_context context(std::string user)
    {
        session_context who;
        who.user = std::move(user);
        who.database = "notes";
        who.process_id = 77;
        return who;
    }

    std::future<outcome> start(std::string sql,
                               std::vector<value> parameters = {},
                               std::shared_ptr<row_sink> sink = nullptr,
                               std::int64_t max_rows = 0,
                               std::optional<std::chrono::milliseconds> timeout = {})
    {
        request what;
        what.sql = text_of(std::move(sql));
        what.parameters = std::move(parameters);
        what.sink = std::move(sink);
        what.max_rows = max_rows;
        what.timeout = timeout;
        return waiting([&](auto token) { session_.execute(std::move(what), std::move(token)); });
    }
    outcome run(std::string sql,
                std::vector<value> parameters = {},
                std::shared_ptr<row_sink> sink = nullptr,
                std::int64_t max_rows = 0)
    {
        return take(start(std::move(sql), std::move(parameters), std::move(sink), max_rows));
    }
    // The first value of the first row, or the SQLSTATE.
    std::string ask(std::string sql, std::vector<value> parameters = {})
    {
        auto kept = std::make_shared<rows_kept>();
        const auto done = run(std::move(sql), std::move(parameters), kept);
        if (done.error)
            return done.error->sqlstate + ": " + done.error->message;
        return kept->rows.empty() || kept->rows[0].empty() ? "no row" : kept->rows[0][0];
    }
    std::string state_of(std::string sql, std::vector<value> parameters = {})
    {
        const auto done = run(std::move(sql), std::move(parameters));
        return done.error ? done.error->sqlstate : "00000";
    }

    outcome describe(std::string sql)
    {
        return take(waiting(
            [&](auto token) { session_.describe(text_of(std::move(sql)), std::move(token)); }));
    }
    outcome resume(portal_id portal, std::int64_t max_rows = 0)
    {
        return take(
            waiting([&](auto token) { session_.resume(portal, max_rows, std::move(token)); }));
    }
    outcome close(portal_id portal)
    {
        return take(waiting([&](auto token) { session_.close(portal, std::move(token)); }));
    }
    std::future<outcome> start_begin(transaction_options how = {})
    {
        return waiting([&](auto token) { session_.begin(how, std::move(token)); });
    }
    outcome begin(transaction_options how = {}) { return take(start_begin(how)); }
    outcome commit()
    {
        return take(waiting([&](auto token) { session_.commit(std::move(token)); }));
    }
    outcome rollback()
    {
        return take(waiting([&](auto token) { session_.rollback(std::move(token)); }));
    }
    outcome savepoint(std::string name)
    {
        return take(waiting([&](auto token) { session_.savepoint(name, std::move(token)); }));
    }
    outcome release(std::string name)
    {
        return take(waiting([&](auto token) { session_.release(name, std::move(token)); }));
    }
    outcome rollback_to(std::string name)
    {
        return take(waiting([&](auto token) { session_.rollback_to(name, std::move(token)); }));
    }

    session& raw() noexcept { return session_; }

    static outcome take(std::future<outcome> coming)
    {
        if (coming.wait_for(100s) != std::future_status::ready) {
            std::fprintf(stderr, "no completion within 100 s\n");
            std::abort();
        }
        return coming.get();
    }

private:
    template <class Start>
    std::future<outcome> waiting(Start start)
    {
        std::promise<outcome> promise;
        auto coming = promise.get_future();
        start([p = std::move(promise)](outcome done) mutable { p.set_value(std::move(done)); });
        return coming;
    }

    session session_;
};

class SqliteTest : public ::testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        with_.path = folder_ / "test.db";
        with_.readers = 2;
        // Nobody is refused because the machine is slow.
        with_.queue_timeout = 60s;
        with_.idle_transaction_timeout = 60s;
        loop_thread_ = std::thread([this] { loop_.run(); });
    }
    void TearDown() override
    {
        database_.reset();
        work_.reset();
        loop_thread_.join();
        std::filesystem::remove_all(folder_);
    }

    database& open()
    {
        sql_error why;
        database_ = database::open(with_, why);
        EXPECT_TRUE(database_) << why.sqlstate << ' ' << why.message;
        if (!database_)
            std::abort();
        return *database_;
    }
    client connect() { return client(*database_, loop_); }

    std::filesystem::path folder_;
    options with_;
    asio::io_context loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    std::thread loop_thread_;
    std::unique_ptr<database> database_;
};

inline std::string failure_of(const outcome& done)
{
    return done.error ? done.error->sqlstate + ": " + done.error->message : std::string();
}

#define EXPECT_GOOD(expression) EXPECT_EQ(failure_of(expression), "")

inline std::string state(const outcome& done)
{
    return done.error ? done.error->sqlstate : "00000";
}

}  // namespace sluice::sqlite
