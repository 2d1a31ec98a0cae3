// gateway/admin/console_lane.cpp: one message after another, rows as the client takes them.
#include "gateway/admin/console_lane.hpp"

#include <algorithm>

#include <asio/post.hpp>

#include "gateway/context.hpp"
#include "gateway/statistics/snapshot.hpp"

namespace sluice::gateway::admin {

console_lane::console_lane(context& shared, client_channel& channel)
    : shared_(shared),
      channel_(channel),
      console_(std::make_shared<console>(shared, channel.io(), channel.identity().user))
{
}

session_facts console_lane::facts() const
{
    const auto& who = channel_.identity();
    session_facts made;
    made.protocol = who.mysql ? client_protocol::mysql : client_protocol::postgres;
    made.user = who.user;
    made.database = who.database;
    made.id = who.pid;
    made.server_version = shared_.mysql_version.text();
    return made;
}

void console_lane::on_data(bytes_view bytes)
{
    if (closed_)
        return;
    in_.append(bytes);
    pump();
}

void console_lane::pump()
{
    if (pumping_)
        return;
    pumping_ = true;
    while (!closed_ && !busy_ && !waits_for_client_ && take_message()) {
        if (channel_.out().size() < unsent_most)
            continue;
        channel_.flush();
        waits_for_client_ = !closed_ && channel_.unsent() > unsent_most;
    }
    pumping_ = false;
    if (closed_)
        return;
    channel_.flush();
    channel_.set_reading(!busy_ && !waits_for_client_);
    if (draining_ && quiescent()) {
        say_goodbye(client_error::shutting_down);
        close("shutting down");
    }
}

void console_lane::execute(const command& what)
{
    busy_ = true;
    since_ = std::chrono::steady_clock::now();
    console_->run(what, [this](answer made) { on_answer(std::move(made)); });
}

void console_lane::on_answer(answer made)
{
    if (made.failure) {
        refuse(*made.failure);
        settle();
        return;
    }
    begin_answer(made);
    send(std::move(made), 0, rows_wanted());
}

void console_lane::send(answer made, std::size_t next, std::size_t most)
{
    busy_ = sending_ = true;
    answer_ = std::move(made);
    next_row_ = next;
    last_row_ = answer_.rows.size();
    if (most > 0)
        last_row_ = std::min(last_row_, next + most);
    send_rows();
}

void console_lane::send_rows()
{
    const auto end = std::min(last_row_, next_row_ + rows_at_once);
    for (; next_row_ < end; ++next_row_)
        append_row(answer_, answer_.rows[next_row_]);
    if (next_row_ < last_row_) {
        channel_.flush();
        waits_for_client_ = channel_.unsent() > unsent_most;
        if (waits_for_client_)
            return;
        asio::post(channel_.io(), [this, alive = std::weak_ptr<bool>(alive_)] {
            if (!alive.expired() && sending_ && !closed_)
                send_rows();
        });
        return;
    }
    sending_ = false;
    auto made = std::exchange(answer_, {});
    if (next_row_ < made.rows.size())
        suspend(std::move(made), next_row_);
    else
        end_answer(std::move(made));
    settle();
}

void console_lane::settle()
{
    busy_ = false;
    since_ = std::chrono::steady_clock::now();
    pump();
}

void console_lane::on_drained()
{
    if (!std::exchange(waits_for_client_, false))
        return;
    if (sending_)
        send_rows();
    else
        pump();
}

void console_lane::on_client_gone()
{
    closed_ = true;
    sending_ = false;
    console_->leave();
}

void console_lane::on_cancel(std::function<void()> done)
{
    console_->cancel();
    if (done)
        done();
}

void console_lane::describe(statistics::client_info& into) const
{
    using statistics::client_state;
    into.since = into.request = since_;
    into.waits_for = console_->waits_for();
    if (busy_)
        into.state = into.waits_for.empty() ? client_state::active : client_state::waiting;
}

void console_lane::request_drain()
{
    draining_ = true;
    // What waits here may be waiting for those who are asked to leave.
    console_->cancel();
    if (!closed_)
        pump();
}

void console_lane::close(std::string_view why)
{
    closed_ = true;
    channel_.close(why);
}

}  // namespace sluice::gateway::admin
