// gateway/translate/dialogue.cpp: messages in, one after another; rows out as the client takes
// them.
#include "gateway/translate/dialogue.hpp"

#include <new>
#include <optional>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/statistics/snapshot.hpp"
#include "proto/core/errc.hpp"

namespace sluice::gateway {

dialogue::dialogue(client_channel& channel, sqlite::database& on, translate_options with)
    : channel_(&channel),
      io_(channel.io()),
      session_(on, sqlite::session_context{}, channel.io().get_executor()),
      options_(with),
      limits_(with.limits),
      worker_(channel.worker()),
      client_took_(channel.io()),
      client_id_(channel.identity().id),
      tenant_(channel.tenant())
{
    meter_.count_in(channel.counted_in());
    if (options_.places)
        turn_.enroll_with(options_.places->line().account_of(tenant_));
}

void dialogue::take(bytes_view bytes)
{
    if (over())
        return;
    arrived_.append(bytes);
    if (busy_) {
        const bool over =
            options_.tenant && arrived_.size() > in_flight_least && options_.tenant->over_buffer();
        if (reading_ && (over || arrived_.size() > requests_max)) {
            reading_ = false;
            channel_->set_reading(false);
        }
        count_held();
        return;
    }
    busy_ = true;
    try {
        if (run_at_once())
            return end_run();
    } catch (const std::bad_alloc&) {
        if (!over())
            close_with_error(client_error::out_of_memory);
        return end_run();
    }
    asio::co_spawn(io_, run(shared_from_this()), asio::detached);
}

// As run(), for as long as nobody has to be waited for. False: run() goes on.
bool dialogue::run_at_once()
{
    while (!over() && more_messages()) {
        if (!inside_ && options_.way_in && !walk_in())
            return false;
        if (options_.places && !turn_.inside() && wants_turn() && !ask_for_turn())
            return false;
        cancelled_ = false;
        note_begin();
        const auto taken = answer_at_once();
        if (taken == 0)
            return false;
        answered(taken);
    }
    return true;
}

void dialogue::drained()
{
    meter_.took(now());
    client_took_.cancel();
}

void dialogue::gone()
{
    gone_ = true;
    meter_.leave();
    channel_ = nullptr;
    session_.cancel();
    client_took_.cancel();
    if (!busy_) {
        end_turn();
        come_out();
    }
}

void dialogue::cancel()
{
    if (over() || !busy_)
        return;
    if (held_) {
        close_with_error(client_error::cancelled);
        client_took_.cancel();
        return;
    }
    if (turn_.waiting) {
        end_turn();
        turn_.on_refused(errc::cancelled, "");
        return;
    }
    cancelled_ = true;
    session_.cancel();
    client_took_.cancel();
}

bool dialogue::quiescent() const noexcept
{
    return !busy_ && arrived_.empty() && work_.empty() && between_transactions();
}

void dialogue::describe(statistics::client_info& into) const
{
    using statistics::client_state;
    into.pool = into.database;
    const auto& request = meter_.record();
    if (request.arrived != statistics::time_point{}) {
        into.request = request.arrived;
        into.since = meter_.open() ? request.arrived : request.finished;
    }
    if (held_ || turn_.waiting) {
        into.state = client_state::waiting;
        into.waits_for = held_ ? "database paused" : statistics::pool_full;
    } else if (meter_.open()) {
        into.state = client_state::active;
        into.since = request.granted;
    } else {
        into.state = between_transactions() ? client_state::idle : client_state::in_transaction;
    }
}

void dialogue::request_drain()
{
    draining_ = true;
    if ((quiescent() || held_) && !over()) {
        close_with_error(client_error::shutting_down);
        client_took_.cancel();
    }
}

void dialogue::close_now(std::string_view why)
{
    closing_ = true;
    channel_->flush();
    channel_->close(why);
}

// What arrived goes behind what is being worked on. False: there was nothing.
bool dialogue::refill()
{
    if (arrived_.empty())
        return false;
    if (work_.empty())
        work_.swap(arrived_);
    else
        work_.append(arrived_.readable());
    arrived_.clear();
    return true;
}

asio::awaitable<void> dialogue::run([[maybe_unused]] std::shared_ptr<dialogue> self)
{
    try {
        while (!over() && more_messages()) {
            if (!inside_ && options_.way_in) {
                auto entering = go_in();
                co_await std::move(entering);
                if (over())
                    break;
            }
            if (options_.places && !turn_.inside() && wants_turn()) {
                auto asking = take_turn();
                co_await std::move(asking);
                if (over())
                    break;
                if (turn_.refused) {
                    const auto why = explain_refusal();
                    meter_.refused(why.code);
                    work_.consume(refuse_next(why));
                    continue;
                }
            }
            cancelled_ = false;
            note_begin();
            auto answering = answer_next();
            const auto taken = co_await std::move(answering);
            answered(taken);
        }
    } catch (const std::bad_alloc&) {
        if (!over())
            close_with_error(client_error::out_of_memory);
    }
    end_run();
}

void dialogue::answered(std::size_t bytes)
{
    work_.consume(bytes);
    // A transaction that may write keeps its turn: everybody else waits for it anyway.
    if (turn_.inside() && (between_transactions() || !session_.may_write()))
        end_turn();
    if (inside_ && options_.way_in->closed() && between_transactions())
        come_out();
}

void dialogue::end_run()
{
    busy_ = false;
    if (gone_ || closing_)
        end_turn();
    if (gone_ || between_transactions())
        come_out();
    if (!over())
        after_run();
}

// False: the database is paused.
bool dialogue::walk_in() noexcept
{
    options_.way_in->enter(worker_);
    inside_ = true;
    if (!options_.way_in->closed())
        return true;
    come_out();
    return false;
}

// A paused database: no new transaction begins.
asio::awaitable<void> dialogue::go_in()
{
    auto& way = *options_.way_in;
    const auto now = std::chrono::steady_clock::now();
    const auto until = options_.pause_most.count() > 0 ? now + options_.pause_most
                                                       : asio::steady_timer::time_point::max();
    while (!over()) {
        if (walk_in())
            co_return;
        wait_in_meter();
        if (std::chrono::steady_clock::now() >= until) {
            meter_.gave_up(dialogue::now());
            close_with_error(client_error::database_paused);
            break;
        }
        held_ = true;
        client_took_.expires_at(until);
        way.wait(this, io_, [weak = weak_from_this()] {
            if (const auto self = weak.lock(); self && self->held_)
                self->client_took_.cancel();
        });
        asio::error_code woken;
        auto token = asio::redirect_error(asio::use_awaitable, woken);
        auto waiting = client_took_.async_wait(token);
        co_await std::move(waiting);
        way.forget(this);
        held_ = false;
    }
}

// False: it waits, take_turn() says for how long.
bool dialogue::ask_for_turn()
{
    turn_.refused = {};
    if (options_.places->enter(turn_, worker_))
        return true;
    turn_.waiting = true;
    wait_in_meter();
    return false;
}

// Until it may run a statement, or turn_ says why not.
asio::awaitable<void> dialogue::take_turn()
{
    if (!turn_.waiting && ask_for_turn())
        co_return;
    while (!over() && !turn_.inside() && !turn_.refused) {
        client_took_.expires_at(asio::steady_timer::time_point::max());
        asio::error_code woken;
        auto token = asio::redirect_error(asio::use_awaitable, woken);
        auto waiting = client_took_.async_wait(token);
        co_await std::move(waiting);
    }
    turn_.waiting = false;
    if (turn_.refused)
        meter_.gave_up(now());
    if (over())
        end_turn();
}

void dialogue::end_turn()
{
    if (options_.places && (turn_.inside() || turn_.queued()))
        options_.places->leave(turn_, worker_);
}

tenant_refusal dialogue::explain_refusal() const
{
    const auto section = options_.tenants->section_of(tenant_->name());
    if (auto by_tenant = explain_tenant_refusal(turn_.refused, *tenant_, section))
        return std::move(*by_tenant);
    const auto code = client_error_for(turn_.refused);
    const auto& rule = rule_for(code);
    return {code, std::string(rule.message), std::string(rule.hint)};
}

void dialogue::come_out() noexcept
{
    if (std::exchange(inside_, false))
        options_.way_in->leave(worker_);
}

// Bytes of its requests count for the tenant's max_buffer.
void dialogue::count_held() noexcept
{
    const auto now = static_cast<std::int64_t>(arrived_.size() + work_.size());
    if (now != counted_ && options_.tenant)
        options_.tenant->add_buffered(now - std::exchange(counted_, now));
}

void dialogue::after_run()
{
    watch_time();
    count_held();
    channel_->flush();
    meter_.settled(now(), channel_->unsent() > 0);
    if (!reading_) {
        reading_ = true;
        channel_->set_reading(true);
    }
    if (draining_ && quiescent())
        close_with_error(client_error::shutting_down);
}

// Chunks come from a worker thread; one for a client that has gone is dropped.
void dialogue::connect(const std::shared_ptr<row_stream>& rows)
{
    rows->set_tenant(options_.tenant);
    std::weak_ptr<row_stream> from = rows;
    std::weak_ptr<dialogue> weak = weak_from_this();
    rows->deliver_to([from, weak, &io = io_](byte_queue chunk) {
        auto carried = std::make_shared<byte_queue>(std::move(chunk));
        asio::post(io, [from, weak, carried] {
            const auto self = weak.lock();
            const auto stream = from.lock();
            if (self && stream)
                self->send_rows(std::move(*carried), *stream);
        });
    });
}

void dialogue::send_rows(byte_queue rows, row_stream& from)
{
    const auto size = rows.size();
    std::size_t unsent = 0;
    if (!over()) {
        channel_->send(rows.readable());
        unsent = channel_->unsent();
    }
    from.note_arrived(size, unsent);
}

// A system call for the rows and another one for what follows them would cost more than a point
// read itself. run() flushes when there is nothing left to answer.
void dialogue::send_rest(byte_queue rest)
{
    constexpr std::size_t worth_a_call = 16 * 1024;
    auto& out = channel_->out();
    if (rest.size() >= worth_a_call)
        return channel_->send(rest.readable());
    out.append(rest.readable());
    if (out.size() >= worth_a_call)
        channel_->flush();
}

// Until the client has taken what it was sent, or is gone, or cancels.
asio::awaitable<void> dialogue::wait_for_client()
{
    if (!over())
        channel_->flush();
    while (!over() && !cancelled_ && channel_->unsent() > 0) {
        meter_.stalled(now());
        client_took_.expires_at(asio::steady_timer::time_point::max());
        asio::error_code woken;
        auto token = asio::redirect_error(asio::use_awaitable, woken);
        auto waiting = client_took_.async_wait(token);
        co_await std::move(waiting);
    }
}

// Commit, rollback and savepoints.
asio::awaitable<sqlite::outcome> dialogue::call_engine(sqlite::session::verb what, std::string name)
{
    using verb = sqlite::session::verb;
    std::optional<asio::awaitable<sqlite::outcome>> calling;
    switch (what) {
        case verb::commit:
            calling.emplace(session_.commit(asio::use_awaitable));
            break;
        case verb::rollback:
            calling.emplace(session_.rollback(asio::use_awaitable));
            break;
        case verb::savepoint:
            calling.emplace(session_.savepoint(std::move(name), asio::use_awaitable));
            break;
        case verb::release:
            calling.emplace(session_.release(std::move(name), asio::use_awaitable));
            break;
        default:
            calling.emplace(session_.rollback_to(std::move(name), asio::use_awaitable));
            break;
    }
    auto done = co_await std::move(*calling);
    if (done.error)
        explain_limit(*done.error);
    co_return done;
}

}  // namespace sluice::gateway
