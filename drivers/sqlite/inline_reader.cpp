// drivers/sqlite/inline_reader.cpp: cheap reads inside the event loop, under a budget.
#include "drivers/sqlite/inline_reader.hpp"

#include <asio/post.hpp>
#include <sqlite3.h>

#include <algorithm>

#include "drivers/sqlite/core.hpp"

namespace sluice::sqlite {
namespace {

constexpr std::chrono::microseconds time_budget{500};
constexpr int no_budget = 1 << 30;
constexpr std::chrono::seconds costly_for{10};
constexpr std::chrono::seconds slow_for{1};

// Sinks are held so that they can forget.
class holding {
public:
    explicit holding(row_sink* sink) noexcept : sink_(sink)
    {
        if (sink_)
            sink_->hold(true);
    }
    ~holding()
    {
        if (!sink_)
            return;
        if (!kept_)
            sink_->rewind();
        sink_->hold(false);
    }
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;
    void keep() noexcept { kept_ = true; }

private:
    row_sink* sink_;
    bool kept_ = false;
};

bool reads(std::string_view sql) noexcept
{
    while (!sql.empty() && (sql[0] == ' ' || sql[0] == '\n' || sql[0] == '\t' || sql[0] == '\r'))
        sql.remove_prefix(1);
    for (const char* word : {"select", "values", "with"}) {
        const std::string_view verb(word);
        if (sql.size() > verb.size() &&
            sqlite3_strnicmp(sql.data(), word, static_cast<int>(verb.size())) == 0)
            return true;
    }
    return false;
}

}  // namespace

inline_reader::inline_reader(asio::any_io_executor loop)
    : loop_(loop), box_(std::make_shared<mailbox>(std::move(loop)))
{
}

void inline_reader::close() noexcept
{
    const std::scoped_lock held(mutex_);
    closed_ = true;
    handle_.reset();
    snapshot_ = false;
}

bool inline_reader::ready(engine& on)
{
    if (closed_)
        return false;
    if (handle_)
        return true;
    sql_error why;
    handle_ = handle::open(on.with(), handle::role::inline_reader, why);
    if (handle_)
        handle_->guarded.watching = true;
    return handle_ != nullptr;
}

// Later than everything that was acknowledged, and nothing in it that a power cut may take back.
bool inline_reader::take_snapshot(engine& on)
{
    if (snapshot_ && published_ == on.published())
        return true;
    end_snapshot();
    const auto published = on.published();
    if (!handle_->begin_read())
        return false;
    if (!on.all_durable()) {
        handle_->end_read();
        return false;
    }
    snapshot_ = true;
    published_ = published;
    if (!std::exchange(end_posted_, true)) {
        asio::post(loop_, [self = shared_from_this()] {
            const std::scoped_lock held(self->mutex_);
            self->end_posted_ = false;
            self->end_snapshot();
        });
    }
    return true;
}

void inline_reader::end_snapshot() noexcept
{
    if (std::exchange(snapshot_, false) && handle_)
        handle_->end_read();
}

bool inline_reader::ordinary_tables()
{
    sqlite3_stmt* raw = nullptr;
    const bool before = std::exchange(handle_->guarded.ours, true);
    int code =
        sqlite3_prepare_v3(handle_->db(),
                           "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage",
                           -1,
                           0,
                           &raw,
                           nullptr);
    ordinary_ = {"sqlite_schema", "sqlite_master"};
    while (code == SQLITE_OK && sqlite3_step(raw) == SQLITE_ROW) {
        if (const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0)))
            ordinary_.emplace(name);
    }
    code = sqlite3_finalize(raw);
    handle_->guarded.ours = before;
    return code == SQLITE_OK;
}

// Null: it does not compile; a worker says why.
std::unique_ptr<prepared> inline_reader::compile(const sql_text& sql)
{
    auto& guarded = handle_->guarded;
    guarded.costly = false;
    guarded.tables.clear();
    handle_->steps_left = no_budget;  // compiling reads the schema
    handle_->budget_ends = clock::time_point::max();
    const auto compiled = handle_->compiled;
    sql_error why;
    auto statement = handle_->take(sql, why);
    if (!statement || handle_->compiled == compiled)
        return statement;
    const auto unknown = [&] {
        return std::any_of(guarded.tables.begin(), guarded.tables.end(), [&](const auto& name) {
            return !ordinary_.contains(name);
        });
    };
    const bool strange = unknown() && (!ordinary_tables() || unknown());
    statement->cheap = statement->info->read_only && !guarded.costly && !strange;
    return statement;
}

std::optional<outcome> inline_reader::describe(engine& on, session_state& s, const sql_text& sql)
{
    const std::scoped_lock held(mutex_);
    if (!ready(on) || !take_snapshot(on))
        return std::nullopt;
    handle_->asking = &s.asking;
    handle_->drop_if_stale(*sql);
    auto statement = compile(sql);
    handle_->asking = nullptr;
    if (!statement)
        return std::nullopt;
    handle_->explain(*statement);
    outcome out;
    out.statement = statement->info;
    out.transaction = s.transaction.status;
    handle_->give_back(std::move(statement));
    return out;
}

std::optional<outcome> inline_reader::execute(engine& on, session_state& s, request& what)
{
    if (what.max_rows > 0 || (what.sink && !what.sink->can_rewind()) || !reads(*what.sql) ||
        on.slow().marked(*what.sql))
        return std::nullopt;
    const std::scoped_lock held(mutex_);
    if (!ready(on) || !take_snapshot(on))
        return std::nullopt;
    handle_->asking = &s.asking;
    auto statement = compile(what.sql);
    std::optional<outcome> made(std::in_place);
    if (!statement || !statement->cheap) {
        if (statement)
            on.slow().mark(*what.sql, costly_for);
        made.reset();
    } else {
        holding sink(what.sink.get());
        if (step(*statement, what, on.with().inline_steps, *made))
            sink.keep();
        else
            made.reset();
        if (handle_->steps_left <= 0)
            on.slow().mark(*what.sql, costly_for);
        else if (waits_for_disk())
            on.slow().mark(*what.sql, slow_for);
    }
    handle_->give_back(std::move(statement));
    handle_->asking = nullptr;
    auto settings = std::exchange(s.asking.settings, {});
    if (!made)
        return made;
    made->transaction = s.transaction.status;
    made->settings = std::move(settings);
    on.count_inline();
    return made;
}

// One late run may be the scheduler's doing; many are the disk's, and that is for threads.
bool inline_reader::waits_for_disk() noexcept
{
    constexpr int strike = 8;
    constexpr int strikes_max = 4 * strike;
    if (clock::now() >= handle_->budget_ends)
        late_ += strike;
    else if (late_ > 0)
        --late_;
    if (late_ <= strikes_max)
        return false;
    late_ = strikes_max / 2;
    return true;
}

// False: not to its end.
bool inline_reader::step(prepared& statement, request& what, int steps, outcome& out)
{
    sql_error why;
    if (!bind_parameters(statement, what.parameters, why))
        return false;
    auto* raw = statement.raw;
    sqlite3_stmt_status(raw, SQLITE_STMTSTATUS_VM_STEP, 1);  // it counts on from the last run
    handle_->steps_left = steps;
    handle_->budget_ends = clock::now() + time_budget;
    bool started = false;
    for (;;) {
        const int code = sqlite3_step(raw);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            return false;
        if (!started) {
            started = true;
            if (info_is_stale(statement))
                read_info(handle_->db(), statement);
            out.statement = statement.info;
            if (what.sink && statement.info->returns_rows())
                what.sink->on_columns(*statement.info);
        }
        if (code == SQLITE_DONE)
            return true;
        ++out.rows;
        if (!what.sink)
            continue;
        const row_view row(raw, *statement.info);
        const auto verdict = what.sink->on_row(row);
        if (verdict == row_sink::verdict::pause) {
            handle_->steps_left = 0;
            return false;
        }
        if (verdict == row_sink::verdict::stop) {
            out.error = what.sink->failure();
            return true;
        }
    }
}

}  // namespace sluice::sqlite
