// gateway/translate/my_conversation.cpp: commands in, one after another; OK, errors and status out.
#include "gateway/translate/my_conversation.hpp"

#include <asio/use_awaitable.hpp>

#include "gateway/my_errors.hpp"
#include "gateway/translate/my_catalog.hpp"
#include "proto/core/errc.hpp"

namespace sluice::gateway {
namespace {

namespace status_flag = mysql::status;

my_state::facts facts_of(const client_identity& who, std::string version, std::size_t max_packet)
{
    my_state::facts out;
    out.user = who.user;
    out.host = who.unix_socket() ? "localhost" : who.peer.substr(0, who.peer.rfind(':'));
    out.database = who.database;
    out.version = std::move(version);
    out.connection = who.pid;
    out.max_packet = std::min<std::size_t>(max_packet, std::size_t{1} << 30);
    out.tls = who.mysql && who.mysql->tls;
    return out;
}

}  // namespace

my_conversation::my_conversation(client_channel& channel,
                                 sqlite::database& on,
                                 translate_options with,
                                 std::string version)
    : dialogue(channel, on, with),
      state_(facts_of(channel.identity(), std::move(version), with.max_message)),
      answered_(channel.io())
{
    if (const auto* facts = channel.identity().mysql.get()) {
        capabilities_ = facts->capabilities;
        sequence_ = facts->sequence;
    }
    multi_statements_ = (capabilities_ & mysql::capability::multi_statements) != 0;
    channel.forget_parameters();
}

sqlite::session_context my_conversation::context_of() const
{
    sqlite::session_context who;
    who.user = state_.who().user;
    who.database = state_.database;
    who.version = state_.who().version;
    who.process_id = static_cast<std::int32_t>(state_.who().connection);
    return who;
}

void my_conversation::start()
{
    session_.set_context(context_of());
    ok();
    channel_->flush();
}

void my_conversation::close_with_error(client_error why)
{
    meter_.error(std::to_string(rule_for(why).mysql_errno));
    meter_.refused(why);
    append_my_error(channel_->out(), sequence_, why);
    close_now(rule_for(why).message);
}

bool my_conversation::wants_turn() const noexcept
{
    const auto found = mysql::next_message(work_.readable(), options_.max_message);
    if (!found || found->missing > 0)
        return false;
    const auto what = mysql::command_of(found->found.payload());
    return what && (*what == mysql::command::query || *what == mysql::command::stmt_execute);
}

std::size_t my_conversation::refuse_next(const tenant_refusal& why)
{
    const auto found = mysql::next_message(work_.readable(), options_.max_message);
    meter_.error(std::to_string(rule_for(why.code).mysql_errno));
    append_my_error(channel_->out(), found->found.next_sequence, why.code, why.message, why.hint);
    return found->found.packets.size();
}

void my_conversation::malformed()
{
    close_with_error(client_error::malformed_message);
}

// A whole message at the front of work_?
bool my_conversation::more_messages()
{
    for (int attempt = 0; attempt < 2; ++attempt) {
        sequence_ = 1;
        const auto found = mysql::next_message(work_.readable(), options_.max_message);
        if (!found) {
            if (found.error() == errc::message_too_large)
                close_with_error(client_error::message_too_large);
            else
                malformed();
            return false;
        }
        if (found->missing == 0)
            return true;
        if (!refill())
            return false;
    }
    return false;
}

asio::awaitable<std::size_t> my_conversation::answer_next()
{
    const auto found = mysql::next_message(work_.readable(), options_.max_message);
    const auto& message = found->found;
    const auto size = message.packets.size();
    sequence_ = message.next_sequence;
    failed_now_ = false;
    more_results_ = false;
    auto payload = message.payload();
    if (!message.single()) {
        long_message_.clear();
        mysql::append_payload(long_message_, message);
        payload = long_message_.readable();
    }
    if (loading_) {
        auto loading_more = load_data(payload);
        co_await std::move(loading_more);
        long_message_.clear();
        co_return size;
    }
    const auto what = mysql::command_of(payload);
    if (!what || message.sequence != 0) {
        malformed();
        co_return size;
    }
    const bool runs = *what == mysql::command::query || *what == mysql::command::stmt_execute;
    if (runs)
        begin_request();
    auto commanding = command(*what, payload, size);
    co_await std::move(commanding);
    if (meter_.open() && !gone_)
        meter_.finished(now(), open_);
    long_message_.clear();
    co_return size;
}

asio::awaitable<void> my_conversation::command(mysql::command what,
                                               bytes_view payload,
                                               std::size_t packet)
{
    using mysql::command;
    std::optional<asio::awaitable<void>> answering;
    if (untold_ && tells_lost(what, payload))
        co_return;
    switch (what) {
        case command::quit:
            closing_ = true;
            channel_->close("client said goodbye");
            break;
        case command::ping:
            ok();
            break;
        case command::query:
            answering.emplace(query(mysql::text_of(payload), packet));
            break;
        case command::init_db:
            answering.emplace(use(std::string(mysql::text_of(payload)), packet));
            break;
        case command::field_list:
            answering.emplace(field_list(payload));
            break;
        case command::statistics:
            statistics();
            break;
        case command::process_info:
            answering.emplace(query("SHOW PROCESSLIST", packet));
            break;
        case command::process_kill: {
            const auto id = mysql::decode_process_kill(payload);
            if (!id)
                malformed();
            else
                answering.emplace(kill(*id, kill_scope::connection));
            break;
        }
        case command::change_user:
            change_user(packet);
            break;
        case command::set_option:
            set_option(payload);
            break;
        case command::reset_connection:
            answering.emplace(reset_connection());
            break;
        case command::stmt_prepare:
            answering.emplace(prepare(mysql::text_of(payload)));
            break;
        case command::stmt_execute:
            answering.emplace(execute(payload));
            break;
        case command::stmt_fetch:
            answering.emplace(fetch(payload));
            break;
        case command::stmt_reset:
            answering.emplace(reset_statement(payload));
            break;
        case command::stmt_send_long_data:
            long_data(payload);
            break;
        case command::stmt_close:
            if (const auto id = mysql::statement_of(payload))
                answering.emplace(close_statement(*id));
            else
                malformed();
            break;
        default:
            fail(1047, "08S01", "Unknown command: " + std::string(mysql::name_of(what)));
            break;
    }
    if (answering)
        co_await std::move(*answering);
}

std::uint16_t my_conversation::status() const noexcept
{
    std::uint16_t out = state_.autocommit() ? status_flag::autocommit : 0;
    if (open_)
        out |= status_flag::in_transaction;
    if (open_ && pending_.read_only)
        out |= status_flag::in_readonly_transaction;
    if (more_results_)
        out |= status_flag::more_results;
    if (state_.no_backslash_escapes)
        out |= status_flag::no_backslash_escapes;
    return out;
}

void my_conversation::ok(std::uint64_t affected, std::uint64_t insert_id, std::string_view info)
{
    mysql::ok_message message;
    message.affected_rows = affected;
    message.insert_id = insert_id;
    message.status = status();
    message.warnings = static_cast<std::uint16_t>(state_.warnings.size());
    message.info = info;
    mysql::append_ok(channel_->out(), sequence_, message, capabilities_);
}

void my_conversation::fail(std::uint16_t number, std::string_view sqlstate, std::string message)
{
    fail({number, std::string(sqlstate), std::move(message)});
}

void my_conversation::fail(my_error error)
{
    constexpr std::size_t message_max = 511;  // what clients have room for
    failed_now_ = true;
    if (over())
        return;
    if (error.message.size() > message_max) {
        std::size_t end = message_max;
        while (end > 0 && (static_cast<unsigned char>(error.message[end]) & 0xc0) == 0x80)
            --end;
        error.message.resize(end);
    }
    meter_.error(std::to_string(error.number));
    mysql::append_err(channel_->out(), sequence_, {error.number, error.sqlstate, error.message});
    state_.warnings.push_back({"Error", error.number, std::move(error.message)});
    state_.row_count = -1;
}

// What came behind the packet in progress, which has `packet` bytes.
byte_queue my_conversation::behind(std::size_t packet) const
{
    byte_queue out;
    out.append(work_.readable().subspan(packet));
    out.append(arrived_.readable());
    return out;
}

void my_conversation::change_user(std::size_t packet)
{
    byte_queue all;
    all.append(work_.readable().first(packet));
    const auto rest = behind(packet);
    all.append(rest.readable());
    // From here on this conversation has no client.
    channel_->change_user(all.readable());
}

void my_conversation::set_option(bytes_view payload)
{
    const auto option = mysql::decode_set_option(payload);
    if (!option)
        return malformed();
    if (*option > mysql::set_option::multi_statements_off)
        return fail(1047, "08S01", "Unknown option");
    multi_statements_ = *option == mysql::set_option::multi_statements_on;
    mysql::ok_message done;
    done.status = status();
    mysql::append_end_of_rows(channel_->out(), sequence_, done, capabilities_);
}

void my_conversation::statistics()
{
    mysql::packet_writer packet(channel_->out(), sequence_);
    packet.text("Sluice serves SQLite: Threads: 1  Questions: 1  Slow queries: 0  Opens: 1");
}

// Everything as after the login, but the database.
asio::awaitable<void> my_conversation::reset_connection()
{
    auto ending = end_transaction(false);
    co_await std::move(ending);
    for (auto& [id, each] : statements_) {
        if (over())
            co_return;
        auto closing = close_cursor(each);
        co_await std::move(closing);
    }
    if (over())
        co_return;
    statements_.clear();
    text_statements_.clear();
    state_.reset();
    next_isolation_.reset();
    next_read_only_.reset();
    ok();
}

// The columns of a table with their defaults; deprecated, but the mariadb program's completion
// asks.
asio::awaitable<void> my_conversation::field_list(bytes_view payload)
{
    const auto request = mysql::decode_field_list(payload);
    if (!request) {
        malformed();
        co_return;
    }
    const std::string table(request->table);
    auto looking = table_exists(table);
    const bool there = co_await std::move(looking);
    if (over())
        co_return;
    if (!there) {
        fail(1146, "42S02", "Table '" + state_.database + "." + table + "' doesn't exist");
        co_return;
    }
    std::string quoted_name = "`";
    for (const char c : table)
        quoted_name.append(c == '`' ? 2u : 1u, c);
    const auto sql =
        std::make_shared<const std::string>("SELECT * FROM " + quoted_name + "` LIMIT 0");
    auto describing = session_.describe(sql, asio::use_awaitable);
    const auto done = co_await std::move(describing);
    if (over())
        co_return;
    if (done.error) {
        fail(my_error_of(*done.error, {}, state_));
        co_return;
    }
    const my_hints none;
    const auto columns = my_columns(*done.statement, none);
    // Each definition is followed by its default: NULL.
    byte_queue plain;
    std::uint8_t ignored = 0;
    append_my_columns(plain, ignored, columns, *done.statement, none, state_.database);
    while (!plain.empty()) {
        const auto found = mysql::next_message(plain.readable(), options_.max_message);
        mysql::packet_writer packet(channel_->out(), sequence_);
        packet.bytes(found->found.payload());
        packet.null();
        plain.consume(found->found.packets.size());
    }
    mysql::ok_message end;
    end.status = status();
    mysql::append_end_of_rows(channel_->out(), sequence_, end, capabilities_);
}

}  // namespace sluice::gateway
