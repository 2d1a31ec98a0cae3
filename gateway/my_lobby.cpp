// gateway/my_lobby.cpp: MySQL clients before they have chosen a database.
#include "gateway/my_lobby.hpp"

#include <algorithm>
#include <cctype>

#include "gateway/context.hpp"
#include "gateway/my_errors.hpp"
#include "proto/mysql/messages.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    text.remove_prefix(first);
    const auto last = text.find_last_not_of("; \t\r\n\f\v");
    return text.substr(0, last + 1);
}

// Takes `word` and the blanks behind it off the front.
bool take_word(std::string_view& text, std::string_view word)
{
    if (text.size() < word.size())
        return false;
    const bool same = std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
        return a == std::tolower(static_cast<unsigned char>(b));
    });
    if (!same)
        return false;
    const auto rest = text.substr(word.size());
    if (!rest.empty() && blanks.find(rest.front()) == std::string_view::npos && rest[0] != '`')
        return false;
    text = trimmed(rest);
    return true;
}

std::string unquoted(std::string_view name)
{
    if (name.size() < 2 || name.front() != '`' || name.back() != '`')
        return std::string(name);
    std::string plain;
    for (std::size_t i = 1; i + 1 < name.size(); ++i) {
        plain += name[i];
        if (name[i] == '`' && name[i + 1] == '`')
            ++i;
    }
    return plain;
}

}  // namespace

void my_lobby::start()
{
    std::uint8_t sequence = channel_.identity().mysql->sequence;
    mysql::append_ok(channel_.out(), sequence, {}, channel_.identity().mysql->capabilities);
    channel_.flush();
}

void my_lobby::on_data(bytes_view bytes)
{
    in_.append(bytes);
    while (!gone_) {
        const auto input = in_.readable();
        const auto next = mysql::peek_packet(input);
        if (next.header.length > packet_max) {
            answer(client_error::message_too_large,
                   "no database was chosen: a packet of this size cannot be meant",
                   "Choose a database when you connect, or with USE.");
            channel_.close("too large a packet before a database was chosen");
            return;
        }
        if (next.missing > 0)
            return;
        const auto size = next.wire_size();
        if (next.header.sequence != 0 || next.payload.empty()) {
            answer(client_error::malformed_message, "packets out of order");
            channel_.close("packets out of order");
            return;
        }
        on_command(input.first(size), next.payload, input.subspan(size));
        if (!gone_)
            in_.consume(size);
    }
}

void my_lobby::on_command(bytes_view packet, bytes_view payload, bytes_view behind)
{
    const auto argument = as_text(payload.subspan(1));
    switch (static_cast<mysql::command>(payload[0])) {
        case mysql::command::quit:
            channel_.close("client said goodbye");
            gone_ = true;
            break;
        case mysql::command::init_db:
            enter(argument, behind);
            break;
        case mysql::command::query:
            on_query(argument, behind);
            break;
        case mysql::command::change_user:
            // With all that came behind it, which lies behind it here too.
            channel_.change_user({packet.data(), packet.size() + behind.size()});
            gone_ = true;
            break;
        case mysql::command::ping:
        case mysql::command::reset_connection:
            answer_ok();
            break;
        case mysql::command::set_option: {
            std::uint8_t sequence = 1;
            mysql::append_end_of_rows(
                channel_.out(), sequence, {}, channel_.identity().mysql->capabilities);
            channel_.flush();
            break;
        }
        case mysql::command::stmt_close:
        case mysql::command::stmt_send_long_data:
            break;  // never answered
        case mysql::command::statistics: {
            std::uint8_t sequence = 1;
            mysql::packet_writer(channel_.out(), sequence)
                .text("Uptime: 0  Threads: " + std::to_string(shared_.clients.load()) +
                      "  Questions: 0  Slow queries: 0  (Sluice: no database chosen)");
            channel_.flush();
            break;
        }
        case mysql::command::process_kill:
            on_kill(payload);
            break;
        default:
            answer(client_error::no_database, {});
    }
}

void my_lobby::on_query(std::string_view text, bytes_view behind)
{
    std::string_view rest = trimmed(text);
    if (take_word(rest, "use") && !rest.empty()) {
        enter(unquoted(rest), behind);
        return;
    }
    rest = trimmed(text);
    if (take_word(rest, "show") && (take_word(rest, "databases") || take_word(rest, "schemas")) &&
        rest.empty()) {
        list_databases();
        return;
    }
    answer(client_error::no_database, {});
}

void my_lobby::enter(std::string_view database, bytes_view behind)
{
    const std::string wanted(database);
    if (channel_.change_database(wanted, 1, behind))
        return;
    answer(client_error::unknown_database,
           "Unknown database '" + wanted + "'",
           "Databases are the [databases.NAME] tables of the gateway's configuration");
}

void my_lobby::on_kill(bytes_view payload)
{
    if (payload.size() != 5) {
        answer(client_error::malformed_message, {});
        return;
    }
    const auto id = load_le<std::uint32_t>(payload.data() + 1);
    channel_.kill(id, kill_scope::connection, [this, id](kill_outcome how) {
        if (how == kill_outcome::done)
            answer_ok();
        else if (how == kill_outcome::unknown_id)
            answer(client_error::unknown_connection, "Unknown thread id: " + std::to_string(id));
        else
            answer(client_error::kill_denied, "You are not owner of thread " + std::to_string(id));
    });
}

void my_lobby::answer_ok()
{
    std::uint8_t sequence = 1;
    mysql::append_ok(channel_.out(), sequence, {}, channel_.identity().mysql->capabilities);
    channel_.flush();
}

void my_lobby::answer(client_error code, std::string_view message, std::string_view hint)
{
    append_my_error(channel_.out(), 1, code, message, hint);
    channel_.flush();
}

void my_lobby::list_databases()
{
    const auto& who = channel_.identity();
    const auto capabilities = who.mysql->capabilities;
    const auto settings = shared_.settings();
    const user* allowed = settings->find_user(who.user);
    auto& out = channel_.out();
    std::uint8_t sequence = 1;
    mysql::append_column_count(out, sequence, 1);
    mysql::column named;
    named.name = "Database";
    named.length = 256;
    mysql::append_column(out, sequence, named);
    mysql::append_end_of_columns(out, sequence, {}, capabilities);
    for (const auto& [name, entry] : settings->databases) {
        if (name != "*" && entry.engine != engine::postgres && (!allowed || allowed->may_use(name)))
            mysql::packet_writer(out, sequence).lenenc_string(name);
    }
    mysql::append_end_of_rows(out, sequence, {}, capabilities);
    channel_.flush();
}

void my_lobby::on_cancel(std::function<void()> done)
{
    if (done)
        done();
}

void my_lobby::request_drain()
{
    answer(client_error::shutting_down, {});
    channel_.close("shutting down");
}

}  // namespace sluice::gateway
