// gateway/translate/my_conversation_load.cpp: PREPARE, EXECUTE and DEALLOCATE as statements; LOAD
// DATA LOCAL, which asks the client for its file and inserts it line by line, all or nothing.
#include <asio/use_awaitable.hpp>

#include <charconv>

#include "gateway/translate/my_conversation.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t text_statements_max = 1000;
constexpr const char* load_savepoint = "load data";

sqlite::value value_of(const my_value& from)
{
    if (from.what == my_value::kind::null)
        return {};
    if (from.what != my_value::kind::number)
        return from.text;
    std::int64_t whole = 0;
    const auto* end = from.text.data() + from.text.size();
    const auto read = std::from_chars(from.text.data(), end, whole);
    if (read.ec == std::errc() && read.ptr == end)
        return whole;
    double real = 0;
    const auto again = std::from_chars(from.text.data(), end, real);
    if (again.ec == std::errc() && again.ptr == end)
        return real;
    return from.text;
}

}  // namespace

asio::awaitable<void> my_conversation::run_prepare(my_sqlite_statement_ptr statement,
                                                   mysql::row_format format)
{
    using verb = my_prepare::verb;
    const auto& words = *statement->command->prepare;
    if (words.what == verb::deallocate) {
        if (text_statements_.erase(words.name) > 0)
            ok();
        else
            unknown_text_statement(words.name, "DEALLOCATE PREPARE");
        co_return;
    }
    if (words.what == verb::prepare) {
        std::string text = words.text;
        if (!words.variable.empty()) {
            const auto held = state_.user_variable(words.variable.substr(1));
            text = held ? held->text : "";
        }
        text_statements_.erase(words.name);
        auto compiling = compile(text);
        auto made = co_await std::move(compiling);
        if (over() || !made)
            co_return;
        if (text_statements_.size() >= text_statements_max) {
            fail(1461,
                 "42000",
                 "Can't create more than " + std::to_string(text_statements_max) +
                     " prepared statements in one session");
            co_return;
        }
        text_statements_.emplace(words.name, std::move(*made));
        ok(0, 0, "Statement prepared");
        co_return;
    }
    const auto at = text_statements_.find(words.name);
    if (at == text_statements_.end()) {
        unknown_text_statement(words.name, "EXECUTE");
        co_return;
    }
    if (words.arguments.size() != at->second.parameters) {
        fail(1210, "HY000", "Incorrect arguments to EXECUTE");
        co_return;
    }
    std::vector<sqlite::value> parameters;
    for (const auto& name : words.arguments) {
        const auto held = state_.user_variable(name.substr(1));
        parameters.push_back(held ? value_of(*held) : sqlite::value{});
    }
    auto running = run(refreshed(at->second.statement), std::move(parameters), format);
    co_await std::move(running);
}

void my_conversation::unknown_text_statement(const std::string& name, std::string_view given)
{
    fail(1243,
         "HY000",
         "Unknown prepared statement handler (" + name + ") given to " + std::string(given));
}

// Asks for the file; what the client sends is load_data()'s.
asio::awaitable<void> my_conversation::start_load(my_sqlite_statement_ptr statement)
{
    const auto& how = *statement->command->load;
    if (!(capabilities_ & mysql::capability::local_files)) {
        fail(1148, "42000", "LOAD DATA LOCAL is switched off in the client (local_infile)");
        co_return;
    }
    if (open_ ? pending_.read_only : state_.read_only()) {
        fail(1792, "25006", "Cannot execute statement in a READ ONLY transaction.");
        co_return;
    }
    std::string columns;
    for (const auto& column : how.columns)
        columns += (columns.empty() ? "" : ", ") + column;
    auto shape = std::make_shared<const std::string>(
        "SELECT " + (columns.empty() ? std::string("*") : columns) + " FROM " + how.table);
    auto describing = session_.describe(std::move(shape), asio::use_awaitable);
    auto done = co_await std::move(describing);
    if (over())
        co_return;
    if (done.error) {
        fail(my_error_of(*done.error, statement->text, state_));
        co_return;
    }
    auto entering = enter_transaction(true);
    const bool entered = co_await std::move(entering);
    if (over() || !entered)
        co_return;
    loading one;
    one.statement = statement;
    one.columns = done.statement->columns.size();
    one.skip = how.ignored_lines;
    one.own = !begun_;
    if (one.own) {
        auto beginning = session_.begin({}, asio::use_awaitable);
        done = co_await std::move(beginning);
    } else {
        auto marking = call_engine(sqlite::session::verb::savepoint, load_savepoint);
        done = co_await std::move(marking);
    }
    if (over())
        co_return;
    if (done.error) {
        fail(my_error_of(*done.error, statement->text, state_));
        co_return;
    }
    std::string insert = std::string("INSERT OR ") + (how.replace ? "REPLACE" : "IGNORE") +
                         " INTO " + how.table + (columns.empty() ? "" : " (" + columns + ")") +
                         " VALUES (";
    for (std::size_t i = 0; i < one.columns; ++i)
        insert += (i > 0 ? ", ?" : "?") + std::to_string(i + 1);
    one.insert = std::make_shared<const std::string>(insert + ")");
    byte_queue asked;
    asked.append("\xfb");
    asked.append(how.file);
    mysql::append_message(channel_->out(), asked.readable(), sequence_);
    channel_->flush();
    loading_ = std::move(one);
}

// A packet of the file; an empty one is its end.
asio::awaitable<void> my_conversation::load_data(bytes_view payload)
{
    const bool last = payload.empty();
    auto& one = *loading_;
    if (!one.error) {
        one.data.append(payload);
        byte_queue data;
        data.swap(one.data);
        std::string_view rest = as_text(data.readable());
        while (!one.error && !over()) {
            const auto fields = next_loaded_record(rest, *one.statement->command->load, last);
            if (!fields)
                break;
            if (one.skip > 0) {
                --one.skip;
                continue;
            }
            auto inserting = load_record(*fields);
            co_await std::move(inserting);
        }
        if (over())
            co_return;
        if (!one.error && !last)
            one.data.append(rest);
        if (!one.error && one.data.size() > options_.max_message)
            one.error = my_error{1153, "08S01", "A line is longer than max_message allows"};
    }
    if (last) {
        auto ending = end_load();
        co_await std::move(ending);
    }
}

asio::awaitable<void> my_conversation::load_record(const my_fields& fields)
{
    auto& one = *loading_;
    ++one.records;
    if (fields.size() != one.columns) {
        const bool few = fields.size() < one.columns;
        state_.warnings.push_back(
            {"Warning",
             static_cast<std::uint16_t>(few ? 1261 : 1262),
             "Row " + std::to_string(one.records) +
                 (few ? " doesn't contain data for all columns"
                      : " was truncated; it contained more data than there were input columns")});
        if (state_.warnings.size() > 64)  // max_error_count of MySQL
            state_.warnings.pop_back();
    }
    sqlite::request what;
    for (std::size_t i = 0; i < one.columns; ++i) {
        auto& value = what.parameters.emplace_back();
        if (i >= fields.size() || !fields[i])
            continue;
        if (pg::is_plain_utf8(*fields[i])) {
            value = *fields[i];
        } else {
            const auto bytes = as_bytes(*fields[i]);
            value = sqlite::blob_value(bytes.begin(), bytes.end());
        }
    }
    what.sql = one.insert;
    what.timeout = state_.statement_timeout();
    auto executing = session_.execute(std::move(what), asio::use_awaitable);
    const auto done = co_await std::move(executing);
    if (over())
        co_return;
    if (done.error)
        one.error = my_error_of(*done.error, one.statement->text, state_);
    one.changes += static_cast<std::uint64_t>(done.changes);
    if (done.last_insert_rowid > 0 && one.first_id == 0)
        one.first_id = static_cast<std::uint64_t>(done.last_insert_rowid);
}

asio::awaitable<void> my_conversation::end_load()
{
    using verb = sqlite::session::verb;
    loading one = std::move(*loading_);
    loading_.reset();
    sqlite::outcome done;
    if (one.own) {
        auto ending = call_engine(one.error ? verb::rollback : verb::commit, {});
        done = co_await std::move(ending);
    } else {
        if (one.error) {
            auto undoing = call_engine(verb::rollback_to, load_savepoint);
            (void)co_await std::move(undoing);
        }
        auto releasing = call_engine(verb::release, load_savepoint);
        done = co_await std::move(releasing);
    }
    if (over())
        co_return;
    if (!one.error && done.error)
        one.error = my_error_of(*done.error, one.statement->text, state_);
    if (one.error) {
        fail(*one.error);
        co_return;
    }
    const auto skipped = one.records - std::min(one.records, one.changes);
    state_.row_count = static_cast<std::int64_t>(one.changes);
    if (one.first_id > 0)
        state_.last_insert_id = one.first_id;
    ok(one.changes,
       one.first_id,
       "Records: " + std::to_string(one.records) + "  Deleted: 0  Skipped: " +
           std::to_string(skipped) + "  Warnings: " + std::to_string(state_.warnings.size()));
}

}  // namespace sluice::gateway
