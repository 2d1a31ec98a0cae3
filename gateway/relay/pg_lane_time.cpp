// gateway/relay/pg_lane_time.cpp: a client whose time is up: its statement is cancelled, its
// transaction rolled back.
//
//   running  cancelled; the error in its reply is the gateway's. Only when the cancel can hit
//   nothing
//            any more may the client go on (and others have the connection).
//   idle     rolled back, and the lease ends. The client's next request fails, and those behind it
//            with 25P02 until it ends the transaction, as after any other error. PostgreSQL itself
//            would close the connection.
#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/pg_errors.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/client_messages.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {
namespace {

using pg::header_size;

// A cancel may come too early, or be caught by the statement.
constexpr std::chrono::seconds cancel_again{1};

constexpr std::byte close_complete[] = {
    std::byte{'3'}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}};

std::string_view until_zero(bytes_view bytes) noexcept
{
    const auto text = as_text(bytes);
    return text.substr(0, text.find('\0'));
}

}  // namespace

void pg_lane::sweep(steady_clock::time_point now)
{
    pg_link* const link = link_ ? link_ : shared_link_;
    if (closed_ || starting_ || !link)
        return;
    if (timed_out_) {
        if (now - cancelled_at_ >= database_->settings().cancel_timeout)
            link->abort("a statement did not obey its cancel within pool.cancel_timeout");
        else if (link_ && !link_->tracker().idle() && !link_->cancelling() &&
                 now - cancelled_at_ >= cancel_again)
            link_->cancel({});
        return;
    }
    client_stamps stamps;
    if (shared_link_) {
        if (!shared_link_->is_at_head(*this))
            return;
        stamps.running = true;
        stamps.since = stamps.transaction = shared_link_->head_since();
    } else {
        const auto& tracker = link_->tracker();
        stamps.running = tracker.head_owner() == static_cast<link_client*>(this);
        stamps.in_transaction = link_->status() != 'I' || tracker.skipping();
        stamps.since = link_->busy_since();
        stamps.transaction = link_->transaction_since();
        if (!stamps.running && (waiting_ != wait::none || !tracker.empty()))
            return;  // something of the gateway's own
    }
    const auto which = overdue(stamps, limits_, now);
    if (!which)
        return;
    if (stamps.running)
        time_out(*which, now);
    else
        end_overdue(*which);
}

std::string pg_lane::time_out_error(time_limit which) const
{
    byte_queue out;
    const auto hint = which == time_limit::statement ? std::string_view{} : after_timeout_hint;
    append_pg_error(out, error_of(which), false, limits_.message(which), hint);
    return std::string(as_text(out.readable()));
}

void pg_lane::time_out(time_limit which, steady_clock::time_point now)
{
    timed_out_ = which;
    cancelled_at_ = now;
    if (shared_link_) {
        shared_link_->time_out_shared(time_out_error(which));
        return;
    }
    auto done = [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired())
            on_cancel_done();
    };
    link_->cancel_for_time(
        time_out_error(which), body_left_ == 0 || body_dropped_, std::move(done));
}

void pg_lane::on_cancel_done()
{
    if (timed_out_ && link_ && waiting_ == wait::reply && link_->tracker().idle())
        on_replies_done(link_->status());
}

void pg_lane::on_time_out()
{
    const auto code = error_of(timed_out_.value_or(time_limit::statement));
    meter_.error(rule_for(code).sqlstate);
    meter_.refused(code);
}

// The reply of what was cancelled has ended, or the gateway's ROLLBACK. False: not yet over.
bool pg_lane::settle_time_out(char status)
{
    if (timed_out_) {
        if (link_->cancelling()) {
            hold(wait::reply);
            return false;
        }
        if (waiting_ == wait::reply)
            waiting_ = wait::none;
        link_->end_time_out();
        const auto which = *std::exchange(timed_out_, std::nullopt);
        if (which != time_limit::transaction || status == 'I')
            return true;
        lose_transaction(which, status == 'E');  // else it ended just in time
        return false;
    }
    rolling_back_ = false;
    waiting_ = wait::none;
    return true;
}

void pg_lane::lose_transaction(time_limit which, bool told)
{
    lost_ = lost_transaction{which, told};
    rolling_back_ = true;
    hold(wait::reply);
    link_->roll_back();
}

// Nothing runs, and the client is late with its next request.
void pg_lane::end_overdue(time_limit which)
{
    log::info("transaction rolled back",
              {{"client", channel_.identity().id}, {"why", limits_.message(which)}});
    if (!open_sequence_ && !link_->tracker().skipping() && (body_left_ == 0 || body_dropped_)) {
        lose_transaction(which, false);
        return;
    }
    // The server waits for the rest of something.
    fatal(error_of(which), limits_.message(which), "time is up in the middle of a request");
}

// Whether a request begins with COMMIT or ROLLBACK.
pg_lane::ending pg_lane::ending_of(char type, std::size_t total, bytes_view rest) const
{
    const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
    std::string_view text;
    if (type == 'Q') {
        text = until_zero(body);
    } else if (type == 'P' || type == 'B') {
        const auto first = until_zero(body);
        const auto behind = body.subspan(std::min(first.size() + 1, body.size()));
        text = until_zero(behind);
        if (type == 'B') {
            const auto* known = find_or_unnamed(text);
            text = known ? until_zero(as_bytes((*known)->definition)) : std::string_view{};
        }
    }
    switch (sql::classify_postgres(text).kind) {
        case sql::statement_kind::commit:
            return ending::commit;
        case sql::statement_kind::rollback:
            return ending::rollback;
        default:
            return ending::none;
    }
}

// Returns 0 when the message is to be handled as any other, or more of it is needed.
std::size_t pg_lane::on_message_of_lost(char type, std::size_t total, bytes_view rest)
{
    const auto ready = [this] {
        pg::append_ready_for_query(
            channel_.out(), lost_ ? pg::transaction_status::failed : pg::transaction_status::idle);
    };
    if (until_sync_) {
        if (type == 'S') {
            until_sync_ = false;
            ready();
        }
        return drop(total, rest);
    }
    switch (pg::kind_of(type)) {
        case pg::client_message::unanswered:
            return drop(total, rest);
        case pg::client_message::sync:
            ready();
            return drop(total, rest);
        case pg::client_message::request:
            break;
        default:
            unknown_type(type);
            return 0;
    }
    if (!enough(type, total, rest))
        return 0;
    if (type == 'C') {
        // Allowed at any time, and nothing is open any more.
        const auto body = rest.subspan(header_size, std::min(total, rest.size()) - header_size);
        if (!body.empty() && static_cast<char>(body[0]) == 'S' && !session_mode())
            statements_.erase(std::string(until_zero(body.subspan(1))));
        channel_.out().append(close_complete);
        return drop(total, rest);
    }
    const auto how = ending_of(type, total, rest);
    if (how == ending::rollback || (how == ending::commit && lost_->told))
        return end_lost(type, total, rest, how == ending::commit);
    if (!std::exchange(lost_->told, true)) {
        append_error(error_of(lost_->by), false, limits_.message(lost_->by), after_timeout_hint);
        if (how == ending::commit)
            lost_.reset();  // a COMMIT that fails ends the transaction
    } else {
        append_error(client_error::transaction_failed,
                     false,
                     "current transaction is aborted, commands ignored until end of transaction "
                     "block",
                     "A time limit ended it: " + limits_.message(lost_->by));
    }
    if (type == 'Q' || type == 'F')
        ready();
    else
        until_sync_ = true;
    return drop(total, rest);
}

// The server answers, so that every way to say it is answered as it should be: it gets a
// transaction for the client to end. What COMMIT ends has to have failed.
std::size_t pg_lane::end_lost(char type, std::size_t total, bytes_view rest, bool commit)
{
    if (!link_ && !lease()) {
        if (!refusal_)
            return 0;
        lost_.reset();
        return refuse(type, total, rest);
    }
    lost_.reset();
    fresh_ = false;
    append_forward();
    link_->open_transaction(commit);
    return on_leased_message(type, total, rest);
}

}  // namespace sluice::gateway
