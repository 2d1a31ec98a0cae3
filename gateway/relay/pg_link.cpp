// gateway/relay/pg_link.cpp: a link's life: leases, the gateway's own queries, repair.
#include "gateway/relay/pg_link.hpp"

#include "gateway/context.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "proto/pg/frame.hpp"

namespace sluice::gateway {

using pg::owed;
using pg::owed_kind;

pg_link::pg_link(context& shared, pool::shared_pool& pool, pg::opened opened, link_options options)
    : link(shared, pool, opened.fd, opened.ssl), opened_(std::move(opened)), options_(options)
{
    for (const auto& [name, value] : opened_.parameters)
        reported_.set(name, value);
}

pg_link::~pg_link()
{
    leave_poller();
    pg::close(shared_.blocking, std::move(opened_));
}

void pg_link::begin_lease(link_client& client)
{
    client_ = &client;
    paused_ = false;
    held_.clear();
}

void pg_link::end_lease()
{
    client_ = nullptr;
    request_.clear();
    end_time_out();
    if (paused_)
        resume_reading();
    recovering_ = true;
    step_recovery();
}

void pg_link::abandon(bool mid_message, bool unsynced)
{
    bool asked = false;  // something of the client's still runs
    tracker_.for_each([&](const owed& entry) { asked = asked || entry.owner; });
    tracker_.disown(client_);
    range_owner_ = message_owner_ = nullptr;
    client_ = nullptr;
    end_time_out();
    request_.clear();
    if (mid_message) {
        // The server waits for the rest of a message that will not come.
        give_up("the client left in the middle of a message");
        return;
    }
    recovering_ = true;
    start_deadline(options_.cancel_timeout, "the backend did not end its client's statement");
    if (paused_)
        resume_reading();
    if (tracker_.copying_in()) {
        const std::string_view reason("the client is gone");
        byte_queue& out = stream_.unsent();
        out.append_byte('f');
        out.append_be<std::uint32_t>(
            static_cast<std::uint32_t>(pg::length_size + reason.size() + 1));
        out.append_cstring(reason);
        expect(owed_kind::copy_end);
    }
    if (unsynced || tracker_.skipping())
        append_sync();
    flush();
    if (dead_)
        return;
    if (asked && !tracker_.idle())
        cancel({});
    step_recovery();
}

void pg_link::append_sync()
{
    stream_.unsent().append_byte('S');
    stream_.unsent().append_be<std::uint32_t>(pg::length_min);
    expect(owed_kind::sync);
}

bool pg_link::expect(owed_kind kind, std::uint64_t tag)
{
    owed entry;
    entry.owner = static_cast<void*>(client_);
    entry.tag = tag;
    entry.kind = kind;
    if (sharing() && (kind == owed_kind::query || kind == owed_kind::sync))
        entry.tag = shared_tag;
    note_begin();
    return tracker_.sent(entry);
}

void pg_link::expect_held(owed_kind kind, std::uint64_t tag)
{
    owed entry;
    entry.owner = static_cast<void*>(client_);
    entry.tag = tag;
    entry.kind = kind;
    entry.fake = entry.held = true;
    if (tracker_.sent(entry))
        answer_fakes();
}

bool pg_link::ensure_prepared(const statement& wanted)
{
    if (prepared_.use(wanted.id))
        return true;
    note_begin();
    owed entry;
    entry.kind = owed_kind::parse;
    entry.tag = wanted.id;
    if (!tracker_.sent(entry))
        return false;  // skipped up to the next Sync, as the Bind behind it will be
    byte_queue& out = stream_.unsent();
    out.append_byte('P');
    out.append_be<std::uint32_t>(static_cast<std::uint32_t>(
        pg::length_size + wanted.backend_name.size() + 1 + wanted.definition.size()));
    out.append_cstring(wanted.backend_name);
    out.append(wanted.definition);
    note_prepared(wanted.id);
    return false;
}

void pg_link::note_prepared(std::uint64_t id)
{
    prepared_.add(id);
    if (prepared_.size() > options_.max_prepared)
        evict_prepared();
}

void pg_link::evict_prepared()
{
    const auto oldest = prepared_.oldest();
    owed entry;
    entry.kind = owed_kind::close;
    entry.tag = oldest;
    if (!tracker_.sent(entry))
        return;
    const std::string name = "sluice_" + std::to_string(oldest);
    byte_queue& out = stream_.unsent();
    out.append_byte('C');
    out.append_be<std::uint32_t>(static_cast<std::uint32_t>(pg::length_size + 1 + name.size() + 1));
    out.append_byte('S');
    out.append_cstring(name);
    prepared_.remove(oldest);
}

pg_link::apply_outcome pg_link::apply(const session_settings& wanted)
{
    if (applied_.fingerprint() == wanted.fingerprint())
        return apply_outcome::nothing;
    const auto plan = plan_settings(wanted, applied_, reported_);
    wanted_ = wanted;
    if (plan.sql.empty()) {
        applied_ = wanted;
        return apply_outcome::nothing;
    }
    run_internal(internal::apply, plan.sql);
    return plan.safe ? apply_outcome::sent : apply_outcome::wait;
}

void pg_link::read_settings(const std::vector<std::string>& names)
{
    row_.clear();
    run_internal(internal::read, read_settings_sql(names));
    flush();
}

void pg_link::forget_statements()
{
    prepared_.clear();
    run_internal(internal::deallocate, "DEALLOCATE ALL");
}

void pg_link::note_setting(std::string_view name, std::string_view value)
{
    applied_.set(name, value);
}

void pg_link::run_internal(internal what, std::string_view sql)
{
    note_begin();
    owed entry;
    entry.kind = owed_kind::query;
    entry.tag = static_cast<std::uint64_t>(what);
    tracker_.sent(entry);
    append_query(sql);
}

void pg_link::append_query(std::string_view sql)
{
    byte_queue& out = stream_.unsent();
    out.append_byte('Q');
    out.append_be<std::uint32_t>(static_cast<std::uint32_t>(pg::length_size + sql.size() + 1));
    out.append_cstring(sql);
}

pg_link::internal pg_link::running() const noexcept
{
    const owed* head = tracker_.head_entry();
    if (!head || head->owner || head->kind != owed_kind::query || head->tag == shared_tag)
        return internal::none;
    return static_cast<internal>(head->tag);
}

void pg_link::internal_done(internal what)
{
    const std::string error = std::exchange(internal_error_, {});
    switch (what) {
        case internal::apply:
            if (error.empty()) {
                applied_ = wanted_;
                // The server's spelling is the one to compare with from now on.
                for (const auto& [name, value] : wanted_.entries()) {
                    if (const auto* canonical = reported_.find(name))
                        applied_.set(name, *canonical);
                }
            }
            if (client_)
                client_->on_settings_applied(error);
            else if (!error.empty())
                lost("the settings of its clients cannot be restored: " + error);
            break;
        case internal::read:
            if (client_)
                client_->on_settings_read(row_);
            break;
        case internal::discard:
            if (!error.empty()) {
                give_up("DISCARD ALL failed: " + error);
                return;
            }
            dirty_ = settings_unknown_ = false;
            prepared_.clear();
            applied_.clear();
            break;
        case internal::reset:
            if (!error.empty()) {
                give_up("RESET ALL failed: " + error);
                return;
            }
            settings_unknown_ = false;
            applied_.clear();
            break;
        case internal::deallocate:
        case internal::open:
            break;
        case internal::rollback:
            if (!error.empty())
                give_up("ROLLBACK failed: " + error);
            break;
        case internal::probe:
            deadline_.reset();
            shard_->give_back(*this);
            break;
        case internal::none:
            break;
    }
}

void pg_link::describe_session(statistics::server_info& into) const
{
    into.prepared = prepared_.size();
    into.requests = sharing() ? multiplex_->requests.size() : nothing_owed() ? 0 : 1;
    if (client_ && !sharing())
        into.client = client_->client_id();
    if (sharing())
        into.state = statistics::server_state::shared;
}

void pg_link::probe()
{
    start_deadline(options_.probe_timeout, "no answer to a probe");
    run_internal(internal::probe, "");
    flush();
}

asio::awaitable<std::error_code> pg_link::send_cancel()
{
    return pg::cancel(shared_.blocking, opened_.ticket);
}

// One step at a time, each when nothing is owed and no cancel can hit any more.
void pg_link::step_recovery()
{
    if (dead_ || cancelling() || !tracker_.idle())
        return;
    if (!deadline_ && (status() != 'I' || dirty_ || settings_unknown_))
        start_deadline(options_.cancel_timeout, "the backend could not be cleaned");
    if (status() != 'I') {
        run_internal(internal::rollback, "ROLLBACK");
        flush();
        return;
    }
    if (dirty_) {
        run_internal(internal::discard, "DISCARD ALL");
        flush();
        return;
    }
    if (std::exchange(stale_statements_, false)) {
        forget_statements();
        flush();
        return;
    }
    if (settings_unknown_) {
        run_internal(internal::reset, "RESET ALL; RESET ROLE");
        flush();
        return;
    }
    recovered();
}

void pg_link::on_lost(const std::string& cause)
{
    // What came before the bad news is the client's: an error behind half a row is not readable.
    if (!retract_head())
        deliver(range_);
    const bool mid_message = message_left_ > 0 && message_owner_ != nullptr;
    if (sharing()) {
        lose_shared(cause, mid_message);
        return;
    }
    link_client* client = std::exchange(client_, nullptr);
    if (client)
        client->on_link_lost(cause, mid_message);
}

void pg_link::on_drained()
{
    if (client_)
        client_->on_link_drained();
}

}  // namespace sluice::gateway
