// gateway/relay/my_link.cpp: a link's life: leases, the gateway's own commands, repair.
#include "gateway/relay/my_link.hpp"

#include "drivers/mysql/kill.hpp"
#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "proto/mysql/requests.hpp"

namespace sluice::gateway {
namespace {

using mysql::command;
using mysql::owed;

// Off again after COM_RESET_CONNECTION.
constexpr std::string_view tracking =
    "SET session_track_system_variables='*', session_track_schema=ON, "
    "session_track_state_change=ON, session_track_transaction_info='CHARACTERISTICS'";

asio::awaitable<std::error_code> kill(asio::io_context& loop,
                                      asio::thread_pool& blocking,
                                      std::shared_ptr<const mysql::connect_options> options,
                                      mysql::server_address server,
                                      std::uint32_t id)
{
    mysql::connect_options copy = *options;
    copy.only = server;
    const auto result = co_await mysql::kill_query(loop, blocking, std::move(copy), id);
    co_return result.error;
}

}  // namespace

my_link::my_link(context& shared,
                 pool::shared_pool& pool,
                 mysql::opened opened,
                 std::shared_ptr<const mysql::connect_options> opened_with,
                 session_settings begins_with,
                 my_link_options options)
    : link(shared, pool, opened.fd(), opened.ssl.get()),
      opened_(std::move(opened)),
      opened_with_(std::move(opened_with)),
      options_(options),
      tracker_(opened_.capabilities),
      begins_(std::move(begins_with)),
      applied_(begins_)
{
    tracker_.set_status(opened_.status);
}

my_link::~my_link()
{
    if (asking_for_)
        asking_for_->on_diagnostics(nullptr);
    part_from_last_client();
    leave_poller();
    mysql::close(std::move(opened_));
}

void my_link::depart()
{
    part_from_last_client();
    link::depart();
}

bool my_link::tell_last_client() noexcept
{
    my_link_client* const last = std::exchange(last_client_, nullptr);
    return last && last->on_link_taken();
}

// What its last client may ask for, and the connection is about to lose, is fetched. False: there
// is nothing.
bool my_link::fetch_for_last_client()
{
    my_link_client* const last = last_client_;
    if (!tell_last_client())
        return false;
    ask_diagnostics(*last);
    return true;
}

// The connection loses what its last client may ask for.
void my_link::part_from_last_client()
{
    my_link_client* const last = last_client_;
    if (tell_last_client())
        last->on_diagnostics(nullptr);
}

void my_link::forget_client(const my_link_client& gone) noexcept
{
    if (last_client_ == &gone)
        last_client_ = nullptr;
    if (asking_for_ == &gone)
        asking_for_ = nullptr;
}

void my_link::begin_lease(my_link_client& client, std::uint32_t capabilities)
{
    if (last_client_ != &client) {
        fetch_for_last_client();
        others_diagnostics_ = has_diagnostics_;
    }
    last_client_ = nullptr;
    client_ = &client;
    paused_ = false;
    abandoned_ = false;
    writer_.begin_lease(client, tracker_.capabilities(), capabilities);
}

void my_link::end_lease(bool remembered)
{
    my_link_client* const last = std::exchange(client_, nullptr);
    cancel_error_.clear();
    writer_.end_lease();
    if (remembered)
        last_client_ = last;
    if (paused_)
        resume_reading();
    begin_recovery();
    step_recovery();
}

void my_link::abandon(bool mid_message)
{
    bool asked = false;  // something of the client's still runs
    tracker_.for_each([&](const owed& entry) { asked = asked || entry.owner; });
    tracker_.disown(client_);
    client_ = nullptr;
    cancel_error_.clear();
    packet_is_clients_ = false;
    writer_.end_lease();
    if (mid_message || tracker_.uploading()) {
        // The server waits for bytes that will not come; an end of our own would make it take the
        // half of a file for the whole.
        give_up("the client left in the middle of a message");
        return;
    }
    abandoned_ = true;
    begin_recovery();
    start_deadline(options_.cancel_timeout, "the backend did not end its client's statement");
    if (paused_)
        resume_reading();
    flush();
    if (dead_)
        return;
    if (asked && !tracker_.empty())
        cancel({});
    step_recovery();
}

void my_link::expect(command what, std::uint8_t sequence)
{
    note_begin();
    owed entry;
    entry.owner = client_;
    entry.what = what;
    tracker_.sent(entry);
    writer_.begin_reply(sequence);
}

void my_link::expect_prepare(const my_statement& wanted)
{
    preparing_ = wanted.id;
    expect(command::stmt_prepare);
}

void my_link::expect_reset()
{
    expect(command::reset_connection);
}

void my_link::was_reset()
{
    session_settings now = begins_;
    for (const auto name : {schema_entry, multi_statements_entry}) {
        if (const auto* value = applied_.find(name))
            now.set(name, *value);
    }
    applied_ = std::move(now);
    prepared_.clear();
    dirty_ = has_diagnostics_ = others_diagnostics_ = false;
    unseen_ = unseen::nothing;
    restore_tracking();
}

void my_link::prepare(const my_statement& wanted)
{
    preparing_ = wanted.id;
    run_internal(internal::prepare, command::stmt_prepare, wanted.text);
    flush();
}

void my_link::replace_prepared(std::uint64_t id, std::uint32_t backend_id)
{
    if (const auto replaced = prepared_.add(id, backend_id))
        mysql::append_id_command(out(), command::stmt_close, *replaced);
    if (prepared_.size() <= options_.max_prepared)
        return;
    const auto oldest = prepared_.oldest();
    mysql::append_id_command(out(), command::stmt_close, oldest.backend_id);
    prepared_.remove(oldest.statement);
}

void my_link::forget_prepared(std::uint64_t id)
{
    prepared_.remove(id);
}

void my_link::reset_statement(std::uint32_t backend_id)
{
    owed entry;
    entry.tag = static_cast<std::uint64_t>(internal::ignored);
    entry.what = command::stmt_reset;
    tracker_.sent(entry);
    mysql::append_id_command(out(), command::stmt_reset, backend_id);
}

my_link::apply_outcome my_link::apply(const session_settings& wanted)
{
    if (applied_.fingerprint() == wanted.fingerprint())
        return apply_outcome::nothing;
    const auto plan = plan_my_settings(wanted, applied_);
    wanted_ = wanted;
    if (plan.empty()) {
        applied_ = wanted;
        return apply_outcome::nothing;
    }
    apply_error_.clear();
    applying_ = 0;
    if (!plan.schema.empty()) {
        run_internal(internal::apply, command::init_db, plan.schema);
        ++applying_;
    }
    if (!plan.sql.empty()) {
        run_internal(internal::apply, command::query, plan.sql);
        ++applying_;
    }
    if (plan.multi_statements) {
        const char option[2] = {*plan.multi_statements ? '\0' : '\1', '\0'};
        run_internal(internal::apply, command::set_option, {option, sizeof option});
        ++applying_;
    }
    return plan.safe ? apply_outcome::sent : apply_outcome::wait;
}

void my_link::applied(const std::string& error)
{
    if (apply_error_.empty())
        apply_error_ = error;
    if (--applying_ > 0)
        return;
    if (apply_error_.empty())
        applied_ = wanted_;
    else
        dirty_ = true;  // some of it may have been done
    if (client_)
        client_->on_settings_applied(apply_error_);
}

void my_link::read_settings(const std::vector<std::string>& names)
{
    row_.clear();
    std::string sql;
    for (const auto& name : names) {
        sql += sql.empty() ? "SELECT @@session." : ", @@session.";
        sql += name;
    }
    run_internal(internal::read, command::query, sql);
    flush();
}

void my_link::note_setting(std::string_view name, std::string_view value)
{
    applied_.set(name, value);
}

void my_link::forget_setting(std::string_view name)
{
    applied_.erase(name);
}

void my_link::restore_tracking()
{
    run_internal(internal::track, command::query, tracking);
    flush();
}

void my_link::set_last_insert_id(std::uint64_t id)
{
    run_internal(
        internal::ignored, command::query, "SET @@session.last_insert_id=" + std::to_string(id));
}

// Another worker's client gets the connection: what its last one may ask for is fetched here.
bool my_link::finish_first()
{
    if (!fetch_for_last_client())
        return false;
    start_deadline(options_.probe_timeout, "no answer to SHOW WARNINGS");
    begin_recovery();
    flush();
    return true;
}

// In front of what the next client sends.
void my_link::ask_diagnostics(my_link_client& whose)
{
    diagnostics_.clear();
    asking_for_ = &whose;
    run_internal(internal::diagnostics, command::query, "SHOW WARNINGS");
}

// Only a statement with a table clears what SHOW WARNINGS shows.
void my_link::clear_diagnostics()
{
    run_internal(internal::ignored, command::query, "SELECT 1 FROM (SELECT 1) t LIMIT 0");
    has_diagnostics_ = others_diagnostics_ = false;
}

void my_link::ask_status()
{
    run_internal(internal::ignored, command::ping, {});
    flush();
}

void my_link::describe_session(statistics::server_info& into) const
{
    into.prepared = prepared_.size();
    into.requests = tracker_.empty() ? 0 : 1;
    if (client_)
        into.client = client_->client_id();
}

void my_link::probe()
{
    start_deadline(options_.probe_timeout, "no answer to a probe");
    run_internal(internal::probe, command::ping, {});
    flush();
}

void my_link::run_internal(internal what, command code, std::string_view rest)
{
    note_begin();
    owed entry;
    entry.tag = static_cast<std::uint64_t>(what);
    entry.what = code;
    tracker_.sent(entry);
    if (rest.empty())
        mysql::append_command(out(), code);
    else
        mysql::append_text_command(out(), code, rest);
}

asio::awaitable<std::error_code> my_link::send_cancel()
{
    was_cancelled_ = true;
    return kill(
        shard_->io(), shared_.blocking, opened_with_, opened_.server, opened_.connection_id);
}

// One step at a time, each when nothing is owed and no cancel can hit any more.
void my_link::step_recovery()
{
    if (dead_ || cancelling() || !tracker_.empty())
        return;
    const bool uncertain = abandoned_ && tracker_.status_uncertain();
    dirty_ = dirty_ || unseen_ == unseen::anything;
    if (!was_cancelled_ && !dirty_ && !uncertain && !in_transaction() &&
        unseen_ == unseen::nothing) {
        abandoned_ = false;
        recovered();
        return;
    }
    if (!deadline_)
        start_deadline(options_.cancel_timeout, "the backend could not be cleaned");
    // Cleaning loses what the last client may ask for.
    if (fetch_for_last_client()) {
        flush();
        return;
    }
    if (std::exchange(was_cancelled_, false)) {
        // A kill that came between two statements hits the next: this one.
        run_internal(internal::ignored, command::query, "DO 0");
    } else if (dirty_) {
        run_internal(internal::reset, command::reset_connection, {});
    } else if (uncertain) {
        run_internal(internal::ignored, command::ping, {});
    } else if (in_transaction()) {
        run_internal(internal::rollback, command::query, "ROLLBACK");
    } else {
        // Servers without this function lose such locks with the connection.
        unseen_ = unseen::nothing;
        run_internal(internal::ignored, command::query, "DO RELEASE_ALL_LOCKS()");
    }
    flush();
}

void my_link::on_lost(const std::string& cause)
{
    part_from_last_client();
    if (my_link_client* const waiting = std::exchange(asking_for_, nullptr))
        waiting->on_diagnostics(nullptr);
    // What came before the bad news is the client's.
    if (client_)
        writer_.send();
    my_link_client* const client = std::exchange(client_, nullptr);
    const bool unfinished = !tracker_.empty() && writer_.begun();
    if (client)
        client->on_link_lost(cause, unfinished, packet_left_ > 0 && packet_is_clients_);
}

}  // namespace sluice::gateway
