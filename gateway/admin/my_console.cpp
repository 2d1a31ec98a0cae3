// gateway/admin/my_console.cpp: the console over MySQL's protocol: COM_QUERY, and prepared
// statements for drivers that know nothing else.
//
// Numbers are BIGINT, everything else is text. Statements take no parameters.
#include <map>

#include "gateway/admin/console_lane.hpp"
#include "gateway/context.hpp"
#include "gateway/my_errors.hpp"
#include "proto/mysql/messages.hpp"
#include "proto/mysql/requests.hpp"
#include "proto/sql/split.hpp"

namespace sluice::gateway::admin {
namespace {

constexpr std::size_t statements_most = 1000;
constexpr std::size_t text_most = 480;  // of an error: clients show no more

class my_console final : public console_lane {
public:
    my_console(context& shared, client_channel& channel)
        : console_lane(shared, channel), capabilities_(channel.identity().mysql->capabilities)
    {
    }

    void start() override
    {
        sequence_ = channel_.identity().mysql->sequence;
        channel_.forget_parameters();
        ok();
        channel_.flush();
    }

protected:
    bool take_message() override
    {
        if (more_) {
            next_statement();
            return true;
        }
        const auto found = mysql::next_message(in_.readable(), message_most);
        if (!found) {
            append_my_error(channel_.out(), 1, client_error::malformed_message);
            close("malformed packet");
            return false;
        }
        if (found->missing > 0)
            return false;
        const auto size = found->found.packets.size();
        sequence_ = found->found.next_sequence;
        const auto payload = found->found.payload();
        if (found->found.sequence != 0 || payload.empty()) {
            append_my_error(channel_.out(), sequence_, client_error::malformed_message);
            close("packets out of order");
            return false;
        }
        on_command(in_.readable().first(size), payload, in_.readable().subspan(size));
        if (closed_)
            return false;
        in_.consume(size);
        return true;
    }

    void begin_answer(const answer& made) override
    {
        if (made.columns.empty())
            return;
        auto& out = channel_.out();
        mysql::append_column_count(out, sequence_, made.columns.size());
        append_columns(made.columns);
    }

    void append_row(const answer& made, const row& one) override
    {
        mysql::packet_writer packet(channel_.out(), sequence_);
        if (binary_) {
            packet.u8(0);
            std::vector<std::uint8_t> nulls((made.columns.size() + 9) / 8);
            for (std::size_t i = 0; i < one.size(); ++i) {
                if (std::holds_alternative<std::monostate>(one[i]))
                    nulls[(i + 2) / 8] |= static_cast<std::uint8_t>(1u << ((i + 2) % 8));
            }
            for (const auto each : nulls)
                packet.u8(each);
        }
        for (const auto& value : one) {
            if (const auto* text = std::get_if<std::string>(&value))
                packet.lenenc_string(*text);
            else if (const auto* number = std::get_if<std::int64_t>(&value); number && binary_)
                packet.u64(static_cast<std::uint64_t>(*number));
            else if (number)
                packet.lenenc_string(std::to_string(*number));
            else if (!binary_)
                packet.null();
        }
    }

    void end_answer(answer made) override
    {
        more_ = has_more();
        if (made.columns.empty())
            ok();
        else
            mysql::append_end_of_rows(channel_.out(), sequence_, end(), capabilities_);
    }

    void suspend(answer, std::size_t) override {}

    void refuse(const problem& why) override
    {
        more_ = false;
        auto text = why.message;
        if (!why.hint.empty())
            text += ". " + why.hint;
        text.resize(std::min(text.size(), text_most));
        mysql::append_err(channel_.out(), sequence_, {why.mysql_errno, why.mysql_sqlstate, text});
    }

    void say_goodbye(client_error why) override { append_my_error(channel_.out(), 1, why); }

private:
    std::uint16_t status() const noexcept
    {
        auto made = mysql::status::autocommit;
        if (in_transaction_)
            made = static_cast<std::uint16_t>(made | mysql::status::in_transaction);
        if (more_)
            made = static_cast<std::uint16_t>(made | mysql::status::more_results);
        return made;
    }

    mysql::ok_message end() const
    {
        mysql::ok_message made;
        made.status = status();
        return made;
    }

    void ok() { mysql::append_ok(channel_.out(), sequence_, end(), capabilities_); }

    void append_columns(const std::vector<column>& columns)
    {
        auto& out = channel_.out();
        for (const auto& each : columns) {
            mysql::column one;
            one.schema = channel_.identity().database;
            one.name = each.name;
            one.length = each.number ? 20 : 1024;
            if (each.number) {
                one.type = mysql::column_type::longlong;
                one.collation = mysql::collation::binary;
            }
            mysql::append_column(out, sequence_, one);
        }
        mysql::append_end_of_columns(out, sequence_, {0, status()}, capabilities_);
    }

    bool has_more() const
    {
        std::string_view rest = std::string_view(query_).substr(position_);
        return !sql::next_statement(rest, sql::dialect::mysql).empty();
    }

    // --- several statements in one text
    void next_statement()
    {
        std::string_view rest = std::string_view(query_).substr(position_);
        const auto one = sql::next_statement(rest, sql::dialect::mysql);
        position_ = query_.size() - rest.size();
        more_ = false;
        binary_ = false;
        run(parse_command(one, facts()), {});
    }

    void run(const command& what, bytes_view behind)
    {
        if (what.what == verb::use)
            return use(what.object, behind);
        if (what.what == verb::empty)
            return refuse({"42000", 1065, "42000", "Query was empty", {}});
        if (what.what == verb::begin || what.what == verb::end)
            in_transaction_ = what.what == verb::begin;
        execute(what);
    }

    void use(const std::string& name, bytes_view behind)
    {
        if (name == channel_.identity().database) {
            more_ = has_more();
            return ok();
        }
        if (has_more())
            return refuse({"0A000",
                           1235,
                           "42000",
                           "USE of another database has to be the last statement of its text",
                           {}});
        // True: somebody has answered, the lane of that database (then this one is closed) or a
        // refusal.
        if (!channel_.change_database(name, sequence_, behind))
            refuse({"3D000", 1049, "42000", "Unknown database '" + name + "'", {}});
    }

    void on_command(bytes_view packet, bytes_view payload, bytes_view behind)
    {
        using mysql::command;
        const auto what = static_cast<command>(payload[0]);
        switch (what) {
            case command::quit:
                return close("client said goodbye");
            case command::ping:
                return ok();
            case command::reset_connection:
                in_transaction_ = false;
                statements_.clear();
                last_prepared_ = 0;
                return ok();
            case command::init_db:
                query_.clear();
                position_ = 0;
                return use(std::string(mysql::text_of(payload)), behind);
            case command::query:
                query_ = mysql::text_of(payload);
                position_ = 0;
                return first_statement(behind);
            case command::stmt_prepare:
                return prepare(mysql::text_of(payload));
            case command::stmt_execute:
                return execute_statement(payload);
            case command::stmt_close:
                if (const auto id = mysql::statement_of(payload))
                    statements_.erase(*id);
                return;
            case command::stmt_send_long_data:
                return;
            case command::stmt_reset:
                return ok();
            case command::set_option:
            case command::field_list:
                return mysql::append_end_of_rows(channel_.out(), sequence_, end(), capabilities_);
            case command::change_user:
                // With all that came behind it, which lies behind it here too.
                return channel_.change_user({packet.data(), packet.size() + behind.size()});
            case command::statistics:
                mysql::packet_writer(channel_.out(), sequence_)
                    .text("Threads: " + std::to_string(shared_.clients.load()) +
                          "  (Sluice admin console)");
                return;
            case command::process_kill: {
                const auto id = mysql::decode_process_kill(payload);
                admin::command kill;
                kill.what = verb::kill_client;
                kill.client = id ? *id : 0;
                return execute(kill);
            }
            default:
                refuse({"0A000",
                        1047,
                        "08S01",
                        "the console does not know " + std::string(mysql::name_of(what)),
                        {}});
        }
    }

    void first_statement(bytes_view behind)
    {
        std::string_view rest = query_;
        const auto one = sql::next_statement(rest, sql::dialect::mysql);
        position_ = query_.size() - rest.size();
        binary_ = false;
        if (has_more() && !(capabilities_ & mysql::capability::multi_statements))
            return refuse({"42601",
                           1064,
                           "42000",
                           "several statements in one text, which the client did not ask for",
                           {}});
        run(parse_command(one, facts()), behind);
    }

    void prepare(std::string_view text)
    {
        std::string_view rest = text;
        const auto one = sql::next_statement(rest, sql::dialect::mysql);
        last_prepared_ = 0;
        auto made = parse_command(one, facts());
        if (made.what == verb::invalid)
            return refuse(made.wrong);
        if (statements_.size() >= statements_most)
            return refuse({"42000", 1461, "42000", "too many prepared statements", {}});
        const auto columns = made.columns();
        mysql::prepare_ok reply;
        reply.statement = last_prepared_ = ++statements_made_;
        reply.columns = static_cast<std::uint16_t>(columns.size());
        mysql::append_prepare_ok(channel_.out(), sequence_, reply);
        if (!columns.empty())
            append_columns(columns);
        statements_.emplace(reply.statement, std::move(made));
    }

    void execute_statement(bytes_view payload)
    {
        auto id = mysql::statement_of(payload);
        // MariaDB's drivers execute what they are still preparing.
        const auto found = statements_.find(!id ? 0 : *id == 0xffffffff ? last_prepared_ : *id);
        if (found == statements_.end())
            return refuse({"HY000", 1243, "HY000", "Unknown prepared statement handler", {}});
        query_.clear();
        position_ = 0;
        binary_ = true;
        run(found->second, {});
    }

    const std::uint32_t capabilities_;
    std::uint8_t sequence_ = 0;
    bool in_transaction_ = false;
    bool binary_ = false;
    bool more_ = false;  // statements of the same text follow
    std::string query_;
    std::size_t position_ = 0;
    std::map<std::uint32_t, command> statements_;
    std::uint32_t statements_made_ = 0;
    std::uint32_t last_prepared_ = 0;  // 0: the last PREPARE failed
};

}  // namespace

std::unique_ptr<lane> make_my_console(context& shared, client_channel& channel)
{
    return std::make_unique<my_console>(shared, channel);
}

}  // namespace sluice::gateway::admin
