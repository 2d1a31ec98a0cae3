// gateway/relay/pg_lane.cpp: leases, waiting, and what ends a request.
#include "gateway/relay/pg_lane.hpp"

#include <algorithm>
#include <array>

#include "gateway/context.hpp"
#include "gateway/pg_errors.hpp"
#include "gateway/worker.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {
pg_lane::pg_lane(context& shared, client_channel& channel, std::shared_ptr<pg_database> database)
    : relay_lane(shared, channel, *database),
      database_(std::move(database)),
      sharing_(database_->sharing(channel.worker())),
      memory_(shared.workers[channel.worker()]->statements())
{
}

pg_lane::~pg_lane() = default;

void pg_lane::start()
{
    startup_settings(channel_.identity().parameters, startup_);
    channel_.forget_parameters();
    settings_ = startup_;
    if (!session_mode()) {
        if (const auto welcome = database_->welcome()) {
            greet(*welcome);
            return;
        }
    }
    if (lease())
        on_lease_ready();
}

// What a client hears after authentication. A value that it asked for is its own from the start.
void pg_lane::greet(const server_parameters& parameters)
{
    starting_ = false;
    byte_queue& out = channel_.out();
    for (const auto& [name, value] : parameters) {
        const std::string* own = settings_.find(lower_case(name));
        pg::append_parameter_status(out, name, own ? *own : value);
    }
    const auto& who = channel_.identity();
    std::array<std::byte, 4> key;
    store_be(key.data(), who.cancel_key);
    pg::append_backend_key_data(out, who.pid, key);
    pg::append_ready_for_query(out, pg::transaction_status::idle);
    channel_.flush();
    channel_.set_reading(true);
}

bool pg_lane::begin_lease(backend& granted)
{
    waiting_ = wait::none;
    link_ = &static_cast<pg_link&>(granted);
    link_->begin_lease(*this);
    watch_time();
    fresh_ = !starting_;
    if (starting_ && !session_mode())
        return true;
    const auto outcome = link_->apply(settings_);
    settings_changed_ = outcome != pg_link::apply_outcome::nothing;
    if (outcome == pg_link::apply_outcome::nothing)
        return true;
    // At the start of a session a setting that the server refuses is a refused login.
    if (outcome == pg_link::apply_outcome::sent && !starting_)
        return true;
    hold(wait::settings);
    link_->flush();
    return false;
}

void pg_lane::on_lease_ready()
{
    if (!starting_) {
        resume();
        return;
    }
    if (session_mode()) {
        channel_.set_pid(static_cast<std::uint32_t>(link_->backend_pid()));
        server_parameters now = link_->parameters();
        for (auto& [name, value] : now) {
            if (const auto* current = link_->reported().find(lower_case(name)))
                value = *current;
        }
        greet(now);
        return;
    }
    database_->set_welcome(link_->parameters());
    greet(link_->parameters());
    end_lease();
}

void pg_lane::on_settings_applied(const std::string& error)
{
    if (!error.empty()) {
        fatal(client_error::backend_lost,
              starting_ ? error
                        : "the session's settings cannot be restored on another backend: " + error,
              "settings refused");
        return;
    }
    if (!starting_ || session_mode())
        settings_ = link_->applied();
    if (waiting_ != wait::settings)
        return;
    waiting_ = wait::none;
    settings_changed_ = false;
    on_lease_ready();
}

void pg_lane::end_lease()
{
    pg_link* link = std::exchange(link_, nullptr);
    unwatch_time();
    replayed_ = fresh_ = false;
    returned_ = 0;
    link->end_lease();
}

void pg_lane::on_reply(bytes_view bytes)
{
    channel_.send(bytes);
    if (channel_.unsent() == 0)
        return;
    meter_.stalled(now());
    if (shared_link_)
        shared_link_->client_stalls();
    else if (link_)
        link_->pause_reading();
}

void pg_lane::on_own_reply(bytes_view bytes)
{
    channel_.out().append(bytes);
}

void pg_lane::on_drained()
{
    meter_.took(now());
    if (shared_link_)
        shared_link_->resume_reading();
    else if (link_)
        link_->resume_reading();
}

void pg_lane::on_link_drained()
{
    unblock();
}

void pg_lane::on_replies_done(char status)
{
    meter_.settled(now(), channel_.unsent() > 0);
    if (replaying_) {
        run_again();
        return;
    }
    if (link_->held().empty())
        parsing_.clear();
    if (timed_out_ || rolling_back_) {
        if (!settle_time_out(status))
            return;
        resume_later();
    }
    if (waiting_ != wait::none || open_sequence_ || body_left_ > 0)
        return;
    settle_pins(status);
    if (std::exchange(discarded_, false) && !restore_startup_settings())
        return;
    if (session_mode()) {
        if (draining_ && status == 'I')
            request_drain();
        return;
    }
    if (status != 'I') {
        if (database_->mode() == pool_mode::statement)
            fatal(client_error::transaction_forbidden,
                  no_transactions(),
                  "transaction in statement mode");
        return;
    }
    if (!touched_.empty() || touched_all_) {
        read_touched_settings();
        return;
    }
    if (!reset_.empty())
        restore_reset_settings();
    if (!pinned())
        end_lease();
    if (draining_) {
        request_drain();
        return;
    }
    resume();
}

void pg_lane::on_link_lost(const std::string& cause, bool mid_message)
{
    pg_link* link = std::exchange(link_, nullptr);
    unwatch_time();
    timed_out_.reset();
    rolling_back_ = false;
    const bool keep = !session_mode() && !pinned() && !mid_message && !starting_;
    const std::string message = "the connection to the database was lost: " + cause;
    meter_.leave();
    touched_.clear();
    touched_all_ = replaying_ = replayed_ = blocked_ = was_in_transaction_ = failed_ = false;
    unpins_.clear();
    reset_.clear();
    raw_ = {};
    if (!keep) {
        if (mid_message)
            channel_.close("backend lost in the middle of a message");
        else
            fatal(client_error::backend_lost, message, "backend lost");
        closed_ = true;
        return;
    }
    if (send_again(*link))
        return;
    forget_parsed(*link);
    // Each sequence has one error, and one ReadyForQuery for its Sync; the first may have failed.
    bool told = link->error_told();
    const bool next_hears = told && link->status() != 'I';
    const auto owed = link->tracker().ready_owed(static_cast<link_client*>(this));
    for (std::size_t i = 0; i < owed; ++i) {
        if (!std::exchange(told, false))
            append_error(client_error::backend_lost,
                         false,
                         message,
                         "Whether the statement took effect is not known.");
        pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
    }
    if (open_sequence_) {
        if (!told)
            append_error(client_error::backend_lost, false, message);
        until_sync_ = true;
    }
    if (next_hears || (!open_sequence_ && owed == 0 && waiting_ == wait::none)) {
        // An open transaction: its next request hears of it.
        refusal_ = std::make_unique<refusal>();
        refusal_->code = client_error::backend_lost;
        refusal_->message = message;
    }
    open_sequence_ = false;
    body_dropped_ = body_left_ > 0;
    waiting_ = wait::none;
    channel_.flush();
    resume_later();
}

// True: the request runs again, on another backend and in front of what the client has sent since.
bool pg_lane::send_again(pg_link& lost)
{
    if (!lost.may_run_elsewhere() || open_sequence_ || returned_ > 0 ||
        lost.tracker().ready_owed(static_cast<link_client*>(this)) != 1)
        return false;
    const std::string request = lost.take_request();
    on_shared_returned(as_bytes(request));
    return true;
}

void pg_lane::on_client_gone()
{
    closed_ = true;
    unwatch_time();
    meter_.leave();
    if (queued())
        shard_.leave(*this);
    if (pg_link* shared = std::exchange(shared_link_, nullptr)) {
        shared->leave_shared(*this);
        return;
    }
    // Their replies are entered already: the server has to get them.
    append_forward();
    if (pg_link* link = std::exchange(link_, nullptr)) {
        if (session_mode() || pinned())
            link->set_dirty(true);
        // A SET that was sent, and whose outcome nobody has asked for yet.
        if (!touched_.empty() || touched_all_)
            link->set_unknown_settings();
        link->abandon(body_left_ > 0 && !body_dropped_, open_sequence_);
    }
}

void pg_lane::on_cancel(std::function<void()> done)
{
    if (waiting_ == wait::backend && queued() && !starting_) {
        shard_.leave(*this);
        waiting_ = wait::none;
        refuse_next(client_error::cancelled, "canceling statement due to user request", "");
    } else if (shared_link_) {
        if (shared_link_->cancel_shared(*this, done))
            return;
        shared_link_ = nullptr;
        waiting_ = wait::none;
        append_error(client_error::cancelled, false, "canceling statement due to user request");
        meter_.leave();
        pg::append_ready_for_query(channel_.out(), pg::transaction_status::idle);
        channel_.flush();
        resume();
    } else if (running_again_) {
        refuse_next(client_error::cancelled, "canceling statement due to user request", "");
    } else if (link_ && !link_->tracker().idle()) {
        link_->forget_request();
        link_->cancel(std::move(done));
        return;
    }
    if (done)
        done();
}

bool pg_lane::quiescent() const noexcept
{
    return waiting_ == wait::none && in_.empty() && body_left_ == 0 && !open_sequence_ &&
           (!link_ || (link_->tracker().idle() && link_->status() == 'I'));
}

std::string pg_lane::no_transactions() const
{
    return "transactions cannot be used on database \"" + channel_.identity().database +
           "\": its pool.mode is \"statement\"";
}

void pg_lane::request_drain()
{
    draining_ = true;
    if (!quiescent() || closed_)
        return;
    fatal(client_error::shutting_down,
          "terminating connection because the gateway is shutting down",
          "drained");
}

void pg_lane::append_error(client_error code,
                           bool fatal,
                           std::string_view message,
                           std::string_view hint)
{
    meter_.error(rule_for(code).sqlstate);
    meter_.refused(code);
    append_pg_error(channel_.out(), code, fatal, message, hint);
}

void pg_lane::fatal(client_error code, const std::string& message, std::string_view reason)
{
    append_error(code, true, message);
    closed_ = true;
    channel_.close(reason);
}

}  // namespace sluice::gateway
