// gateway/relay/my_lane_time.cpp: a client whose time is up: its statement is killed, its
// transaction rolled back.
//
//   running  killed; the error in its reply is the gateway's. Only when the kill can hit nothing
//   any
//            more may the client go on (and others have the connection).
//   idle     rolled back, and the lease ends. The client's next statement fails (but for ROLLBACK);
//            those behind it begin anew, as after a deadlock.
#include <algorithm>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/my_errors.hpp"
#include "gateway/relay/my_lane.hpp"

namespace sluice::gateway {
namespace {

using mysql::command;
using mysql::header_size;

// A kill may come too early.
constexpr std::chrono::seconds cancel_again{1};

// ROLLBACK, but not to a savepoint.
bool rolls_back(std::string_view text)
{
    sql::lexer words(text, sql::dialect::mysql);
    if (!sql::is_word(words.next(), "rollback"))
        return false;
    auto next = words.next();
    if (sql::is_word(next, "work"))
        next = words.next();
    return !sql::is_word(next, "to");
}

}  // namespace

void my_lane::sweep(steady_clock::time_point now)
{
    if (closed_ || !link_ || rolling_back_)
        return;
    if (timed_out_) {
        if (now - cancelled_at_ >= database_->settings().cancel_timeout)
            link_->abort("a statement did not obey KILL QUERY within pool.cancel_timeout");
        else if (running_ && !link_->cancelling() && now - cancelled_at_ >= cancel_again)
            link_->cancel({});
        return;
    }
    const auto* head = link_->tracker().head();
    client_stamps stamps;
    stamps.running = running_ && head && head->owner;
    stamps.in_transaction = link_->in_transaction();
    stamps.since = link_->busy_since();
    stamps.transaction = link_->transaction_since();
    if (!stamps.running && (running_ || waiting_ != wait::none || head))
        return;  // something of the gateway's own
    const auto which = overdue(stamps, limits_, now);
    if (!which)
        return;
    if (stamps.running) {
        time_out(*which, now);
        return;
    }
    log::info("transaction rolled back",
              {{"client", channel_.identity().id}, {"why", limits_.message(*which)}});
    if (body_left_ > 0 || body_continues_) {
        fatal(error_of(*which), limits_.message(*which), "time is up in the middle of a command");
        return;
    }
    lost_ = *which;
    lose_transaction();
}

void my_lane::time_out(time_limit which, steady_clock::time_point now)
{
    timed_out_ = which;
    cancelled_at_ = now;
    const auto hint = which == time_limit::statement ? std::string_view{} : after_timeout_hint;
    byte_queue packet;
    append_my_error(packet, 0, error_of(which), limits_.message(which), hint);
    auto done = [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired())
            on_cancel_done();
    };
    link_->cancel_for_time(std::string(as_text(packet.readable().subspan(header_size))),
                           std::move(done));
}

void my_lane::on_cancel_done()
{
    if (timed_out_ && link_ && !running_ && link_->tracker().empty())
        on_replies_done();
}

// The reply of what was killed has ended, or what the gateway sent behind it. False: not yet over.
bool my_lane::settle_time_out()
{
    if (timed_out_) {
        hold(wait::reply);
        if (link_->cancelling())
            return false;
        const auto which = *std::exchange(timed_out_, std::nullopt);
        rolling_back_ = true;
        const bool waits = link_->end_time_out();
        if (which == time_limit::transaction && link_->in_transaction()) {
            // It may have ended just in time, or like SLEEP() as if nothing were.
            if (!failed_)
                lost_ = which;
            link_->roll_back();
            return false;
        }
        if (waits)
            return false;
    }
    rolling_back_ = false;
    return true;
}

void my_lane::lose_transaction()
{
    rolling_back_ = true;
    hold(wait::reply);
    link_->roll_back();
}

// Whether this command is the one that is answered with what ended the transaction.
bool my_lane::tells_lost(command what, mysql::packet_header header, bytes_view rest)
{
    switch (what) {
        case command::query: {
            constexpr std::size_t looked_at = 64;
            const auto there = std::min<std::size_t>(header.length, rest.size() - header_size);
            const auto text =
                as_text(rest.subspan(header_size + 1, there - 1)).substr(0, looked_at);
            if (!rolls_back(text))
                return true;
            break;
        }
        case command::stmt_prepare:
        case command::stmt_execute:
            return true;
        case command::reset_connection:
        case command::change_user:
            break;
        default:
            return false;
    }
    lost_.reset();  // the client ends it itself
    return false;
}

std::size_t my_lane::answer_lost(mysql::packet_header header, bytes_view rest)
{
    const auto which = *std::exchange(lost_, std::nullopt);
    note_error(error_of(which));
    append_my_error(channel_.out(),
                    static_cast<std::uint8_t>(header.sequence + 1),
                    error_of(which),
                    limits_.message(which),
                    after_timeout_hint);
    return drop(header, rest);
}

}  // namespace sluice::gateway
