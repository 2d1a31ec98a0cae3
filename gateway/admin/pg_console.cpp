// gateway/admin/pg_console.cpp: the console over PostgreSQL's protocol: simple queries, and Parse,
// Bind, Describe, Execute for drivers that know nothing else.
//
// A prepared statement is its command, parsed; its columns are known before it runs. Numbers are
// int8, everything else is text, in either format. Statements take no parameters.
#include <map>

#include "gateway/admin/console_lane.hpp"
#include "gateway/context.hpp"
#include "gateway/pg_errors.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"
#include "proto/pg/oids.hpp"
#include "proto/pg/replies.hpp"
#include "proto/pg/requests.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway::admin {
namespace {

constexpr std::size_t statements_max = 1000;
constexpr std::size_t portals_max = 64;  // each may hold rows

class pg_console final : public console_lane {
public:
    using console_lane::console_lane;

    void start() override
    {
        auto& out = channel_.out();
        const auto& who = channel_.identity();
        std::string application;
        for (const auto& [name, value] : who.parameters) {
            if (name == "application_name")
                application = value;
        }
        channel_.forget_parameters();
        const std::pair<std::string_view, std::string_view> said[] = {
            {"server_version", "15.0 (Sluice)"},
            {"server_encoding", "UTF8"},
            {"client_encoding", "UTF8"},
            {"application_name", application},
            {"is_superuser", "off"},
            {"session_authorization", who.user},
            {"DateStyle", "ISO, MDY"},
            {"IntervalStyle", "postgres"},
            {"TimeZone", "UTC"},
            {"integer_datetimes", "on"},
            {"standard_conforming_strings", "on"},
        };
        for (const auto& [name, value] : said)
            pg::append_parameter_status(out, name, value);
        std::array<std::byte, 4> key{};
        store_be(key.data(), who.cancel_key);
        pg::append_backend_key_data(out, who.pid, key);
        ready();
        channel_.flush();
    }

protected:
    bool take_message() override
    {
        if (simple_) {
            next_statement();
            return true;
        }
        const auto found = pg::next_frame(in_.readable(), message_most);
        if (!found) {
            append_pg_error(channel_.out(), client_error::malformed_message, true);
            close("malformed message");
            return false;
        }
        if (found->missing > 0)
            return false;
        const char type = found->message.type;
        const auto size = found->message.wire_size();
        // What it says is owned before the bytes go.
        if (!skipping_ || type == 'S' || type == 'X')
            answer_message(type, found->message.body);
        if (!closed_)
            in_.consume(size);
        return !closed_;
    }

    void begin_answer(const answer& made) override
    {
        for (const auto& each : made.notices) {
            pg::error_fields fields;
            fields.severity = "NOTICE";
            fields.sqlstate = "00000";
            fields.message = each;
            pg::append_notice(channel_.out(), fields);
        }
        if (simple_ && !made.columns.empty())
            describe(made.columns, {});
    }

    void append_row(const answer& made, const row& one) override
    {
        static const std::vector<std::uint16_t> text_only;
        const auto& formats = running_ ? running_->formats : text_only;
        auto& out = channel_.out();
        pg::data_row message(out, static_cast<std::uint16_t>(made.columns.size()));
        for (std::size_t i = 0; i < made.columns.size(); ++i) {
            const auto& value = one[i];
            if (std::holds_alternative<std::monostate>(value)) {
                message.null();
                continue;
            }
            message.begin_field();
            if (const auto* text = std::get_if<std::string>(&value))
                out.append(*text);
            else if (made.columns[i].number && format_of(formats, i) == 1)
                out.append_be(static_cast<std::uint64_t>(std::get<std::int64_t>(value)));
            else
                out.append(std::to_string(std::get<std::int64_t>(value)));
            message.end_field();
        }
        message.end();
    }

    void end_answer(answer made) override
    {
        pg::append_command_complete(channel_.out(), made.tag);
        if (running_)
            running_->done = true;
        running_.reset();
    }

    void suspend(answer made, std::size_t next) override
    {
        pg::append_portal_suspended(channel_.out());
        running_->rest = std::move(made);
        running_->next = next;
        running_.reset();
    }

    void refuse(const problem& why) override { fail(why.sqlstate, why.message, why.hint); }

    void say_goodbye(client_error why) override { append_pg_error(channel_.out(), why, true); }

private:
    struct portal {
        std::shared_ptr<const command> what;
        std::vector<std::uint16_t> formats;
        answer rest;  // of rows that are not sent yet
        std::size_t next = 0;
        bool started = false;
        bool done = false;
    };

    static std::uint16_t format_of(const std::vector<std::uint16_t>& formats, std::size_t column)
    {
        if (formats.empty())
            return 0;
        return formats.size() == 1 ? formats[0] : column < formats.size() ? formats[column] : 0;
    }

    void ready()
    {
        pg::append_ready_for_query(
            channel_.out(),
            in_transaction_ ? pg::transaction_status::open : pg::transaction_status::idle);
    }

    void fail(std::string_view sqlstate, std::string_view message, std::string_view hint = {})
    {
        pg::error_fields fields;
        fields.sqlstate = sqlstate;
        fields.message = message;
        fields.hint = hint;
        pg::append_error(channel_.out(), fields);
        running_.reset();
        // The rest of a simple query is not run.
        if (simple_)
            position_ = query_.size();
        else
            skipping_ = true;
    }

    void describe(const std::vector<column>& columns, const std::vector<std::uint16_t>& formats)
    {
        std::vector<pg::column_description> made;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            pg::column_description one;
            one.name = columns[i].name;
            one.type = columns[i].number ? pg::oid::int8 : pg::oid::text;
            one.size = columns[i].number ? std::int16_t{8} : std::int16_t{-1};
            one.format = format_of(formats, i);
            made.push_back(one);
        }
        pg::append_row_description(channel_.out(), made);
    }

    void run(const command& what)
    {
        if (what.what == verb::begin || what.what == verb::end)
            in_transaction_ = what.what == verb::begin;
        execute(what);
    }

    // --- simple queries
    void next_statement()
    {
        std::string_view rest = std::string_view(query_).substr(position_);
        const auto one = sql::next_statement(rest, sql::dialect::postgres);
        position_ = query_.size() - rest.size();
        if (const auto what = parse_command(one, facts()); what.what != verb::empty) {
            anything_ = true;
            return run(what);
        }
        if (!anything_)
            pg::append_empty_query(channel_.out());
        simple_ = false;
        query_.clear();
        ready();
    }

    void answer_message(char type, bytes_view body)
    {
        switch (type) {
            case 'Q':
                if (const auto text = pg::decode_query(body)) {
                    query_ = *text;
                    position_ = 0;
                    anything_ = false;
                    simple_ = true;
                    return;
                }
                return malformed();
            case 'P':
                return parse(body);
            case 'B':
                return bind(body);
            case 'D':
            case 'C':
                return named(type, body);
            case 'E':
                return execute_portal(body);
            case 'S':
                skipping_ = false;
                if (!in_transaction_)
                    portals_.clear();
                ready();
                channel_.flush();
                return;
            case 'H':
                channel_.flush();
                return;
            case 'X':
                return close("client said goodbye");
            case 'd':
            case 'c':
            case 'f':
                return;
            case 'F':  // FunctionCall: has its ReadyForQuery without Sync
                fail("0A000", "the console has no functions");
                skipping_ = false;
                return ready();
            default:
                fail("0A000", "the console does not know this message");
        }
    }

    void malformed()
    {
        append_pg_error(channel_.out(), client_error::malformed_message, true);
        close("malformed message");
    }

    void parse(bytes_view body)
    {
        const auto request = pg::decode_parse(body);
        if (!request)
            return malformed();
        std::string_view rest = request->text;
        const auto one = sql::next_statement(rest, sql::dialect::postgres);
        if (!sql::next_statement(rest, sql::dialect::postgres).empty())
            return fail("42601", "cannot insert multiple commands into a prepared statement");
        if (statements_.size() >= statements_max)
            return fail("53400", "too many prepared statements");
        auto made = std::make_shared<command>(parse_command(one, facts()));
        if (made->what == verb::invalid)
            return fail(made->wrong.sqlstate, made->wrong.message, made->wrong.hint);
        statements_[std::string(request->statement)] = std::move(made);
        pg::append_parse_complete(channel_.out());
    }

    void bind(bytes_view body)
    {
        const auto request = pg::decode_bind(body);
        if (!request)
            return malformed();
        const auto found = statements_.find(std::string(request->statement));
        if (found == statements_.end())
            return fail(
                "26000",
                "prepared statement \"" + std::string(request->statement) + "\" does not exist");
        if (request->parameters.left() > 0)
            return fail("08P01", "the console's commands take no parameters");
        if (portals_.size() >= portals_max)
            return fail("53400", "too many portals");
        auto made = std::make_shared<portal>();
        made->what = found->second;
        const auto& formats = request->result_formats;
        const auto columns = made->what->columns().size();
        if (formats.size() > 1 && formats.size() != columns)
            return fail("08P01",
                        "bind message has " + std::to_string(formats.size()) +
                            " result formats but query has " + std::to_string(columns) +
                            " columns");
        if (formats.size() == 1)
            made->formats = {formats[0]};
        for (std::size_t i = 0; formats.size() > 1 && i < formats.size(); ++i)
            made->formats.push_back(formats[i]);
        portals_[std::string(request->portal)] = std::move(made);
        pg::append_bind_complete(channel_.out());
    }

    void named(char type, bytes_view body)
    {
        const auto request = pg::decode_named(body);
        if (!request)
            return malformed();
        const std::string name(request->name);
        const bool statement = request->what == pg::target::statement;
        if (type == 'C') {
            if (statement)
                statements_.erase(name);
            else
                portals_.erase(name);
            pg::append_close_complete(channel_.out());
            return;
        }
        const auto known = statements_.find(name);
        const auto bound = portals_.find(name);
        if (statement ? known == statements_.end() : bound == portals_.end())
            return fail(
                statement ? "26000" : "34000",
                (statement ? "prepared statement \"" : "portal \"") + name + "\" does not exist");
        if (statement)
            pg::append_parameter_description(channel_.out(), {});
        const auto columns = (statement ? known->second : bound->second->what)->columns();
        if (columns.empty())
            pg::append_no_data(channel_.out());
        else
            describe(columns, statement ? std::vector<std::uint16_t>{} : bound->second->formats);
    }

    void execute_portal(bytes_view body)
    {
        const auto request = pg::decode_execute(body);
        if (!request)
            return malformed();
        const auto found = portals_.find(std::string(request->portal));
        if (found == portals_.end())
            return fail("34000", "portal \"" + std::string(request->portal) + "\" does not exist");
        const auto which = found->second;
        most_ = request->max_rows > 0 ? static_cast<std::size_t>(request->max_rows) : 0;
        if (which->done || which->what->what == verb::empty) {
            if (which->what->what == verb::empty)
                pg::append_empty_query(channel_.out());
            else
                pg::append_command_complete(channel_.out(), "SHOW");
            return;
        }
        running_ = which;
        if (std::exchange(which->started, true))
            send(std::move(which->rest), which->next, most_);
        else
            run(*which->what);
    }

    std::size_t rows_wanted() const noexcept override { return simple_ ? 0 : most_; }

    bool in_transaction_ = false;
    bool simple_ = false;  // query_ is being answered
    bool anything_ = false;
    bool skipping_ = false;  // up to Sync
    std::string query_;
    std::size_t position_ = 0;  // of what is left of it
    std::size_t most_ = 0;      // rows of this Execute; 0: all
    std::map<std::string, std::shared_ptr<const command>> statements_;
    std::map<std::string, std::shared_ptr<portal>> portals_;
    std::shared_ptr<portal> running_;
};

}  // namespace

std::unique_ptr<lane> make_pg_console(context& shared, client_channel& channel)
{
    return std::make_unique<pg_console>(shared, channel);
}

}  // namespace sluice::gateway::admin
