// gateway/translate/conversation_extended.cpp: Parse, Bind, Describe, Execute, Close, Sync.
//
// Everything between two Syncs is one transaction unless BEGIN says otherwise; a single Execute
// needs none of its own. Describe of a portal is answered with the message behind it: if that is
// its Execute, the first row can say what the text cannot.
#include "gateway/translate/conversation.hpp"

#include <asio/use_awaitable.hpp>

#include "gateway/translate/result_types.hpp"
#include "proto/pg/declared_type.hpp"
#include "proto/pg/replies.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway {
namespace {

reply_error make_error(std::string_view sqlstate, std::string message)
{
    reply_error out;
    out.sqlstate = sqlstate;
    out.message = std::move(message);
    return out;
}

pg::column_description text_column(std::string_view name)
{
    pg::column_description column;
    column.name = name;
    column.type = pg::oid::text;
    return column;
}

}  // namespace

asio::awaitable<void> conversation::parse(pg::parse_request request)
{
    query_ = request.text;
    const std::string name(request.statement);
    reply_error problem;
    if (!name.empty() && statements_.contains(name))
        problem = make_error("42P05", "prepared statement \"" + name + "\" already exists");
    else if (statements_.size() >= names_max)
        problem = make_error(
            "53400",
            "a session keeps at most " + std::to_string(names_max) + " prepared statements");
    std::string_view rest = request.text;
    const auto one = sql::next_statement(rest);
    if (problem.sqlstate.empty() && !sql::next_statement(rest).empty())
        problem = make_error("42601", "cannot insert multiple commands into a prepared statement");
    const auto offset = one.empty() ? 0 : static_cast<std::size_t>(one.data() - query_.data());
    statement_ptr statement;
    if (problem.sqlstate.empty()) {
        statement = read(one, offset);
        meter_.look(request.text);
        meter_.know(statement->digest, statement->text, sql::dialect::postgres);
        if (block_ == block::failed && statement->who != answered_by::nobody &&
            !statement->allowed_when_failed())
            problem = aborted();
        else if (statement->who == answered_by::refusal)
            problem = make_error(statement->refused_sqlstate, statement->refused_because);
    }
    if (!problem.sqlstate.empty()) {
        auto failing = fail(std::move(problem));
        co_await std::move(failing);
        co_return;
    }
    std::vector<pg::type_oid> types;
    for (std::size_t i = 0; i < request.types.size(); ++i)
        types.push_back(request.types[i]);
    auto preparing = prepare(std::move(statement), request.text, std::move(types));
    auto prepared = co_await std::move(preparing);
    query_ = {};
    if (over() || !prepared)
        co_return;
    const auto known =
        options_.texts && block_ == block::none ? options_.texts->find(one) : nullptr;
    if (known && prepared->info && known->statement == prepared->statement) {
        known->asked.clear();
        for (std::size_t i = 0; i < request.types.size(); ++i)
            known->asked.push_back(request.types[i]);
        known->prepared = prepared;
    }
    statements_[name] = std::move(prepared);
    pg::append_parse_complete(channel_->out());
}

// Null: `problem`.
portal_ptr conversation::make_portal(pg::bind_request request, reply_error& problem)
{
    const auto at = statements_.find(request.statement);
    const std::string name(request.portal);
    if (at == statements_.end()) {
        const auto which = std::string(request.statement);
        problem = make_error("26000",
                             which.empty() ? "unnamed prepared statement does not exist"
                                           : "prepared statement \"" + which + "\" does not exist");
    } else if (!name.empty() && portals_.contains(name)) {
        problem = make_error("42P03", "cursor \"" + name + "\" already exists");
    } else if (portals_.size() >= names_max) {
        problem = make_error("53400",
                             "a session keeps at most " + std::to_string(names_max) + " portals");
    } else if (request.parameters.left() != at->second->parameters.size()) {
        problem = make_error("08P01",
                             "bind message supplies " + std::to_string(request.parameters.left()) +
                                 " parameters, but prepared statement \"" +
                                 std::string(request.statement) + "\" requires " +
                                 std::to_string(at->second->parameters.size()));
    } else if (block_ == block::failed && at->second->statement->who != answered_by::nobody &&
               !at->second->statement->allowed_when_failed()) {
        problem = aborted();
    }
    portal_ptr made;
    if (problem.sqlstate.empty()) {
        made = std::make_shared<portal>();
        made->prepared = at->second;
        for (std::size_t i = 0; i < request.result_formats.size(); ++i)
            made->formats.push_back(static_cast<std::uint16_t>(request.result_formats[i]));
        if (made->formats.size() == 1)
            made->formats = {request.result_formats[0]};
        const auto count = request.parameters.left();
        for (std::size_t i = 0; i < count && problem.sqlstate.empty(); ++i) {
            const auto sent = request.parameters.next();
            auto& value = made->parameters.emplace_back();
            if (!sent)
                continue;
            const auto type = made->prepared->parameters[i];
            const auto format = static_cast<pg::value_format>(request.parameter_formats[i]);
            const auto done = pg::read_value(*sent, type, format, value);
            if (done == pg::conversion::ok)
                continue;
            problem = make_error(pg::sqlstate_of(done, format),
                                 "parameter $" + std::to_string(i + 1) + " is no valid " +
                                     std::string(pg::type_name(type)));
            if (format == pg::value_format::text)
                problem.message += ": \"" + std::string(as_text(*sent).substr(0, 60)) + "\"";
            if (done == pg::conversion::unsupported)
                problem.message = "parameter $" + std::to_string(i + 1) + " has type " +
                                  std::to_string(type) +
                                  ", whose binary form is not supported for SQLite databases";
        }
    }
    return problem.sqlstate.empty() ? made : nullptr;
}

asio::awaitable<void> conversation::bind(pg::bind_request request)
{
    reply_error problem;
    auto made = make_portal(request, problem);
    const std::string name(request.portal);
    if (!made) {
        auto failing = fail(std::move(problem));
        co_await std::move(failing);
        co_return;
    }
    if (name.empty()) {
        auto closing = close_portal({});
        co_await std::move(closing);
        if (over())
            co_return;
    }
    portals_[name] = std::move(made);
    pg::append_bind_complete(channel_->out());
}

asio::awaitable<void> conversation::named_request(char type, pg::named_request request)
{
    const std::string name(request.name);
    if (type == 'C') {
        if (request.what == pg::target::statement) {
            statements_.erase(name);
        } else {
            auto closing = close_portal(name);
            co_await std::move(closing);
        }
        if (!over())
            pg::append_close_complete(channel_->out());
        co_return;
    }
    reply_error unknown;
    if (request.what == pg::target::statement) {
        const auto at = statements_.find(name);
        if (at != statements_.end()) {
            auto describing = describe_statement(at->second);
            co_await std::move(describing);
            co_return;
        }
        unknown = make_error("26000", "prepared statement \"" + name + "\" does not exist");
    } else {
        const auto at = portals_.find(name);
        if (at != portals_.end()) {
            described_ = at->second;
            co_return;
        }
        unknown = make_error("34000", "portal \"" + name + "\" does not exist");
    }
    auto failing = fail(std::move(unknown));
    co_await std::move(failing);
}

asio::awaitable<void> conversation::describe_statement(prepared_ptr prepared)
{
    auto& out = channel_->out();
    pg::append_parameter_description(out, prepared->parameters);
    portal shown;
    shown.prepared = prepared;
    describe_portal(shown, false);
    co_return;
}

// Without a row: what the text and the declarations say, else text. `fixed`: rows of this portal
// must be of these types from now on.
void conversation::describe_portal(portal& which, bool fixed)
{
    auto& out = channel_->out();
    const auto& statement = *which.prepared->statement;
    if (statement.who == answered_by::settings) {
        if (statement.settings.verb == sql::settings_verb::show) {
            const auto name = settings_.name_in_display(statement.settings.name);
            const pg::column_description columns[] = {text_column(name)};
            pg::append_row_description(out, columns);
            return;
        }
        if (statement.settings.verb == sql::settings_verb::show_all) {
            const pg::column_description columns[] = {
                text_column("name"), text_column("setting"), text_column("description")};
            pg::append_row_description(out, columns);
            return;
        }
    }
    const bool of_another = statement.who == answered_by::execute ||
                            (statement.who == answered_by::cursor &&
                             statement.cursor.what == cursor_words::verb::fetch);
    const auto shown = of_another && which.prepared->inner ? which.prepared->inner : which.prepared;
    const auto& info = shown->info;
    const auto& hints = shown->statement->hints;
    if (!info || !info->returns_rows()) {
        pg::append_no_data(out);
        return;
    }
    auto types = result_types(*info, hints);
    std::vector<pg::column_description> columns;
    for (std::size_t i = 0; i < types.size(); ++i) {
        if (types[i] == pg::oid::unspecified)
            types[i] = pg::oid::text;
        pg::column_description column;
        column.name = result_name(*info, hints, i);
        column.type = types[i];
        column.size = pg::type_size(types[i]);
        column.modifier = pg::modifier_of_declaration(info->columns[i].declared_type, types[i]);
        if (which.formats.size() == 1)
            column.format = which.formats[0];
        else if (i < which.formats.size())
            column.format = which.formats[i];
        columns.push_back(column);
    }
    pg::append_row_description(out, columns);
    if (fixed) {
        if (!which.encoder)
            which.encoder = make_encoder(which.prepared->statement, which.formats);
        which.encoder->announced(std::move(types));
    }
}

// Something else than the Execute of the described portal follows.
void conversation::settle_described_portal()
{
    const auto which = std::exchange(described_, nullptr);
    if (!over() && !which->started)
        describe_portal(*which, true);
    else if (!over())
        describe_portal(*which, false);
}

void conversation::encode_portal(portal& which, bool describe)
{
    const auto& prepared = *which.prepared;
    which.encoder = make_encoder(prepared.statement, which.formats);
    if (describe || !prepared.info)
        return;
    // Described as a statement, or not at all: the types are those of Describe.
    which.encoder->announced(announced_types(*prepared.info, prepared.statement->hints));
}

asio::awaitable<void> conversation::execute_portal(portal_ptr which, std::int64_t max_rows)
{
    const auto statement = which->prepared->statement;
    const bool describe = described_ == which;
    if (described_ && !describe)
        settle_described_portal();
    described_ = nullptr;
    if (statement->who != answered_by::nobody && refused_in_failed(*statement)) {
        auto refusing = refuse_in_failed(*statement);
        co_await std::move(refusing);
        co_return;
    }
    if (statement->who != answered_by::engine) {
        // Rows of another statement are described with the first of them.
        const bool rows_describe = describe && source_of_rows(*statement);
        if (describe && !rows_describe)
            describe_portal(*which, false);
        if (which->done && statement->who == answered_by::settings) {
            pg::append_command_complete(channel_->out(), statement->tag);
            co_return;
        }
        // A following statement of the same pipeline must not survive this one's failure.
        auto running = run_local(statement, rows_describe, which.get());
        which->done = co_await std::move(running);
        co_return;
    }
    if (which->done) {
        if (statement->counts == tag_count::rows)
            complete(*statement, 0, 0);
        else {
            auto failing = fail(make_error("55000", "portal cannot be run"));
            co_await std::move(failing);
        }
        co_return;
    }
    if (!which->encoder)
        encode_portal(*which, describe);
    if (describe && which->prepared->info && !which->prepared->info->returns_rows())
        pg::append_no_data(channel_->out());
    query_ = {};
    // The last Execute before Sync, with nothing before it to be undone with, is its own
    // transaction already.
    if (block_ == block::none && !statement->reads_only && !next_is('S'))
        block_ = block::implicit;
    auto entering = enter_transaction(*statement);
    const bool entered = co_await std::move(entering);
    if (!entered || over())
        co_return;
    auto pumping = pump(*which, max_rows);
    co_await std::move(pumping);
}

asio::awaitable<void> conversation::close_portal(std::string name)
{
    const auto at = portals_.find(name);
    if (at == portals_.end())
        co_return;
    const auto which = at->second;
    portals_.erase(at);
    if (which->suspended != 0) {
        auto closing = session_.close(which->suspended, asio::use_awaitable);
        (void)co_await std::move(closing);
    }
}

asio::awaitable<void> conversation::close_portals()
{
    while (!portals_.empty() && !over()) {
        auto closing = close_portal(portals_.begin()->first);
        co_await std::move(closing);
    }
}

asio::awaitable<void> conversation::sync()
{
    if (block_ == block::implicit) {
        auto ending = end_block(!failed_now_ && !skip_until_sync_);
        co_await std::move(ending);
    }
    // Portals end with their transaction.
    if (!over() && block_ == block::none) {
        auto closing = close_portals();
        co_await std::move(closing);
    }
    if (!over())
        end_sync();
}

void conversation::end_sync()
{
    skip_until_sync_ = false;
    if (block_ == block::none)
        settings_.end_transaction(true);
    ready();
    channel_->flush();
}

}  // namespace sluice::gateway
