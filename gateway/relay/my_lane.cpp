// gateway/relay/my_lane.cpp: leases, waiting, and what ends a command.
#include "gateway/relay/my_lane.hpp"

#include "gateway/context.hpp"
#include "gateway/my_errors.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t schema_size_max = 249;  // lengths of one byte

}  // namespace

my_lane::my_lane(context& shared, client_channel& channel, std::shared_ptr<my_database> database)
    : relay_lane(shared, channel, *database), database_(std::move(database))
{
}

my_lane::~my_lane()
{
    if (last_link_)
        last_link_->forget_client(*this);
    if (diagnostics_from_)
        diagnostics_from_->forget_client(*this);
}

// No backend is needed to welcome a client: what it is told does not depend on one.
void my_lane::start()
{
    const my_client& client = *channel_.identity().mysql;
    capabilities_ = client.capabilities;
    begins_ = my_session_start(client.collation,
                               client.schema.empty() ? database_->schema() : client.schema,
                               capabilities_ & mysql::capability::multi_statements);
    const auto inherited = std::exchange(settings_, begins_);
    for (const auto& [name, value] : inherited.entries()) {
        if (name != schema_entry)
            settings_.set(name, value);
    }
    channel_.forget_parameters();
    starting_ = false;
    auto sequence = client.sequence;
    mysql::ok_message welcome;
    welcome.status = status_;
    byte_queue changes;
    const std::string* schema = begins_.find(schema_entry);
    if ((capabilities_ & mysql::capability::session_track) && schema &&
        schema->size() < schema_size_max) {
        // As the server does, for those who listen.
        changes.append_byte(static_cast<char>(mysql::session_track::schema));
        changes.append_byte(static_cast<char>(schema->size() + 1));
        changes.append_byte(static_cast<char>(schema->size()));
        changes.append(*schema);
        welcome.changes = mysql::change_list(changes.readable());
        welcome.status |= mysql::status::session_state_changed;
    }
    mysql::append_ok(channel_.out(), sequence, welcome, capabilities_);
    channel_.flush();
    channel_.set_reading(true);
}

// USE took the client to another server: variables come along; statements that it prepared do not.
void my_lane::inherit(lane& before)
{
    if (const auto* old = dynamic_cast<const my_lane*>(&before)) {
        settings_ = old->settings_;
        status_ = old->status_;
        last_insert_id_ = old->last_insert_id_;
    }
}

bool my_lane::begin_lease(backend& granted)
{
    waiting_ = wait::none;
    link_ = &static_cast<my_link&>(granted);
    fresh_ = last_link_ != link_;
    if (fresh_) {
        insert_id_here_ = false;
        if (last_link_)
            last_link_->forget_client(*this);
    }
    last_link_ = nullptr;
    meter_.granted(now());
    link_->begin_lease(*this, capabilities_);
    watch_time();
    return true;
}

// True: the lane has a link with its client's settings. False: wait, or refusal_ says why not.
bool my_lane::ready()
{
    return leased() && settle_settings(settings_);
}

// The same, but for the settings.
bool my_lane::leased()
{
    meter_.begin(now());
    if (link_)
        return true;
    if (last_link_ && shard_.take(*last_link_, *this))
        return begin_lease(*last_link_);
    return lease();
}

bool my_lane::settle_settings(const session_settings& wanted)
{
    if (link_->apply(wanted) != my_link::apply_outcome::wait)
        return true;
    hold(wait::settings);
    link_->flush();
    return false;
}

void my_lane::on_settings_applied(const std::string& error)
{
    if (!error.empty()) {
        fatal(client_error::backend_lost,
              "the session's state cannot be restored on another backend: " + error,
              "settings refused");
        return;
    }
    // A statement to be prepared may have been sent behind the settings: its answer comes next.
    if (waiting_ != wait::settings || backend_prepares_)
        return;
    waiting_ = wait::none;
    resume();
}

void my_lane::end_lease()
{
    my_link* const link = std::exchange(link_, nullptr);
    last_link_ = link;
    unwatch_time();
    was_in_transaction_ = false;
    link->end_lease(true);
}

void my_lane::on_reply(bytes_view bytes)
{
    channel_.send(bytes);
    if (channel_.unsent() == 0)
        return;
    meter_.stalled(now());
    if (link_)
        link_->pause_reading();
}

void my_lane::on_drained()
{
    meter_.took(now());
    if (link_)
        link_->resume_reading();
}

bool my_lane::pinned() const noexcept
{
    return pins_.pinned() || in_use_ > 0 || one_shot_;
}

void my_lane::on_replies_done()
{
    if (waiting_ == wait::settings || closed_ || body_left_ > 0 || body_continues_)
        return;
    if (std::exchange(running_, false)) {
        unfinished_ = true;
        if (!failed_)
            pins_.settle(effects_);
        else if (!effects_.plain)
            link_->set_dirty(true);  // what it changed before it failed is not reported
        executing_ = nullptr;
        fresh_ = retried_ = false;
        if (link_->tracker().status_uncertain() &&
            (was_in_transaction_ || effects_.opens_transaction || !effects_.plain ||
             !(status_ & mysql::status::autocommit))) {
            link_->ask_status();
            return;
        }
    }
    if ((timed_out_ || rolling_back_) && !settle_time_out())
        return;
    status_ = link_->status();
    was_in_transaction_ = link_->in_transaction();
    if (std::exchange(unfinished_, false)) {
        meter_.finished(now(), was_in_transaction_);
        meter_.settled(now(), channel_.unsent() > 0);
    }
    if (was_in_transaction_ && database_->mode() == pool_mode::statement) {
        fatal(client_error::transaction_forbidden,
              no_transactions(),
              "transaction in statement mode");
        return;
    }
    const bool keep = session_mode() || was_in_transaction_ || pinned();
    if (waiting_ == wait::reply)
        waiting_ = wait::none;
    if (!keep && waiting_ == wait::none) {
        if (read_touched())
            return;
        end_lease();
    }
    if (draining_ && quiescent()) {
        request_drain();
        return;
    }
    resume();
}

void my_lane::on_link_lost(const std::string& cause, bool begun, bool mid_packet)
{
    my_link* const link = std::exchange(link_, nullptr);
    unwatch_time();
    timed_out_.reset();
    rolling_back_ = false;
    const bool keep = !session_mode() && !pinned() && !mid_packet;
    const std::string message = "the connection to the database was lost: " + cause;
    meter_.leave();
    const bool was_running = std::exchange(running_, false);
    const bool in_transaction = std::exchange(was_in_transaction_, false);
    const auto sequence =
        begun ? link->next_sequence() : static_cast<std::uint8_t>(last_sequence_ + 1);
    body_dropped_ = body_left_ > 0 || body_continues_;
    upload_dropped_ = uploading_;
    executing_ = nullptr;
    preparing_.reset();
    touched_.clear();
    ask_collation_ = restore_tracking_ = one_shot_ = blocked_ = false;
    backend_prepares_ = false;
    if (mid_packet) {
        closed_ = true;
        channel_.close("backend lost in the middle of a packet");
        return;
    }
    const bool again = was_running && keep && send_again(*link, begun);
    if ((was_running && !again) || !keep) {
        note_error(client_error::backend_lost);
        append_my_error(channel_.out(),
                        was_running ? sequence : std::uint8_t{1},
                        client_error::backend_lost,
                        message,
                        was_running ? "Whether the statement took effect is not known." : "");
    }
    if (!keep) {
        closed_ = true;
        channel_.close("backend lost");
        return;
    }
    retried_ = again;
    if (!was_running && in_transaction) {
        refusal_ = std::make_unique<refusal>();
        refusal_->code = client_error::backend_lost;
        refusal_->message = message;
        refusal_->hint = "The transaction was rolled back.";
    }
    waiting_ = wait::none;
    channel_.flush();
    resume_later();
}

void my_lane::on_client_gone()
{
    closed_ = true;
    unwatch_time();
    meter_.leave();
    if (queued())
        shard_.leave(*this);
    if (my_link* link = std::exchange(last_link_, nullptr))
        link->forget_client(*this);
    if (my_link* link = std::exchange(diagnostics_from_, nullptr))
        link->forget_client(*this);
    if (my_link* link = std::exchange(link_, nullptr)) {
        if (session_mode() || pinned() || running_ || ask_collation_ || !touched_.empty())
            link->set_dirty(true);
        link->abandon((body_left_ > 0 || body_continues_) && !body_dropped_);
    }
}

void my_lane::on_cancel(std::function<void()> done)
{
    if (waiting_ == wait::backend && queued()) {
        shard_.leave(*this);
        waiting_ = wait::none;
        refuse_next(client_error::cancelled, "Query execution was interrupted", "");
    } else if (link_ && running_) {
        link_->forget_request();
        link_->cancel(std::move(done));
        return;
    }
    if (done)
        done();
}

// What the gateway itself answers.
void my_lane::note_error(client_error code)
{
    meter_.error(std::to_string(rule_for(code).mysql_errno));
    meter_.refused(code);
}

bool my_lane::quiescent() const noexcept
{
    return waiting_ == wait::none && !running_ && in_.empty() && body_left_ == 0 &&
           !body_continues_ && !(link_ && link_->in_transaction());
}

std::string my_lane::no_transactions() const
{
    return "transactions cannot be used on database \"" + channel_.identity().database +
           "\": its pool.mode is \"statement\"";
}

void my_lane::request_drain()
{
    draining_ = true;
    if (!quiescent() || closed_)
        return;
    fatal(client_error::shutting_down, "Server shutdown in progress", "drained");
}

void my_lane::fatal(client_error code, const std::string& message, std::string_view reason)
{
    // In the midst of a reply its numbers go on.
    const auto sequence =
        link_ && running_ ? link_->next_sequence() : static_cast<std::uint8_t>(last_sequence_ + 1);
    note_error(code);
    append_my_error(channel_.out(), sequence, code, message);
    closed_ = true;
    channel_.close(reason);
}

}  // namespace sluice::gateway
