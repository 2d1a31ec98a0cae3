// gateway/relay/relay_lane.cpp: waiting for a backend, and why there is none.
#include "gateway/relay/relay_lane.hpp"

#include <asio/post.hpp>

#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "gateway/tenants/refusals.hpp"
#include "gateway/worker.hpp"
#include "proto/core/errc.hpp"

namespace sluice::gateway {

relay_lane::relay_lane(context& shared, client_channel& channel, relay_database& database)
    : shared_(shared),
      channel_(channel),
      shard_(database.pool().at(channel.worker())),
      message_max_(shared.settings()->gateway.max_message),
      clock_(shared.workers[channel.worker()]->sockets()),
      of_(database),
      sweeps_(shared.workers[channel.worker()]->deadlines())
{
    meter_.count_in(channel.counted_in());
    enroll(database.pool().line().account_of(channel.tenant()));
    limits_.set_database(database.limits(), database.entry());
    limits_.set_tenant(channel.tenant(), shared.tenants);
    sweeps_.note(limits_.smallest());
}

relay_lane::~relay_lane()
{
    unwatch_time();
    in_.clear();
    count_held();
}

void relay_lane::count_held() noexcept
{
    const auto now = static_cast<std::int64_t>(in_.size());
    if (now == counted_)
        return;
    limits_.tenant()->add_buffered(now - std::exchange(counted_, now));
}

bool relay_lane::lease()
{
    waiting_ = wait::backend;
    leasing_ = true;
    backend* idle = shard_.acquire(*this);
    leasing_ = false;
    if (!idle) {
        if (waiting_ == wait::backend) {
            meter_.wait();
            channel_.set_reading(false);
        }
        return false;
    }
    meter_.granted(now());
    return begin_lease(*idle);
}

void relay_lane::on_backend(backend& granted)
{
    // It may come from another worker, between two turns.
    meter_.granted(steady_clock::now());
    if (begin_lease(granted))
        on_lease_ready();
}

void relay_lane::describe(statistics::client_info& into) const
{
    using statistics::client_state;
    const auto& request = meter_.record();
    into.pool = of_.pool().name();
    into.state = client_state::idle;
    if (request.arrived != statistics::time_point{}) {
        into.request = request.arrived;
        into.since = meter_.open() ? request.arrived : request.finished;
    }
    describe_session(into);
    if (waiting_ == wait::backend) {
        into.state = client_state::waiting;
        into.waits_for = queued() ? waits_for() : statistics::pool_full;
    } else if (meter_.open()) {
        into.state = client_state::active;
        into.since = request.granted;
    }
}

// While it is in line.
std::string_view relay_lane::waits_for() const
{
    if (shared_.operations.paused(channel_.identity().database))
        return "database paused";
    if (of_.pool().connects_fail())
        return "server unreachable";
    return of_.pool().open() < of_.pool().limits().size ? statistics::connecting
                                                        : statistics::pool_full;
}

void relay_lane::hold(wait what)
{
    waiting_ = what;
    channel_.set_reading(false);
}

void relay_lane::block()
{
    blocked_ = true;
    channel_.set_reading(false);
}

void relay_lane::unblock()
{
    blocked_ = false;
    resume();
}

void relay_lane::resume()
{
    if (closed_ || waiting_ != wait::none || blocked_)
        return;
    if (!in_.empty()) {
        byte_queue pending;
        pending.swap(in_);
        const auto used = process(pending.readable());
        pending.consume(used);
        if (!pending.empty()) {
            // Nothing was read meanwhile: reading is off, or this is the only place that adds.
            pending.append(in_.readable());
            in_.swap(pending);
        }
        count_held();
    }
    if (!closed_ && waiting_ == wait::none && !blocked_)
        channel_.set_reading(true);
}

void relay_lane::resume_later()
{
    asio::post(channel_.io(), [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired())
            resume();
    });
}

void relay_lane::on_data(bytes_view bytes)
{
    if (closed_)
        return;
    if (waiting_ != wait::none || blocked_) {
        in_.append(bytes);
        count_held();
        return;
    }
    if (!in_.empty()) {
        in_.append(bytes);
        resume();
        return;
    }
    const auto used = process(bytes);
    if (!closed_ && used < bytes.size()) {
        in_.append(bytes.subspan(used));
        count_held();
    }
}

void relay_lane::on_refused(std::error_code code, const std::string& cause)
{
    waiting_ = wait::none;
    meter_.gave_up(steady_clock::now());
    const auto& limits = of_.settings();
    const std::string where = "database \"" + channel_.identity().database + "\"";
    const auto ms = [](std::chrono::milliseconds time) {
        return std::to_string(time.count()) + " ms";
    };
    if (const auto requests = of_.without_backend().count(steady_clock::now()))
        log::warn("no backend for a request",
                  {{"pool", of_.pool().name()},
                   {"requests", requests},
                   {"why", code.message()},
                   {"cause", cause},
                   {"size", limits.size},
                   {"open", of_.pool().open()},
                   {"waiting", of_.pool().waiting()}});
    if (code == errc::connect_failed) {
        refuse_next(client_error::backend_unreachable,
                    where + " cannot be reached: " + cause,
                    "Sluice tried for pool.connect_timeout (" + ms(limits.connect_timeout) + ").");
    } else if (auto by_tenant =
                   explain_tenant_refusal(code,
                                          *channel_.tenant(),
                                          shared_.tenants.section_of(channel_.tenant()->name()))) {
        refuse_next(by_tenant->code, std::move(by_tenant->message), std::move(by_tenant->hint));
    } else if (code == errc::pool_queue_full) {
        refuse_next(client_error::queue_full,
                    "too many requests wait for a connection to " + where +
                        " (pool.max_queued = " + std::to_string(limits.max_queued) + ")",
                    "Raise pool.size or pool.max_queued, or send fewer requests at once.");
    } else if (code == errc::pool_timeout && of_.pool().paused()) {
        refuse_next(client_error::queue_timeout,
                    where + " is paused, and pool.queue_timeout (" + ms(limits.queue_timeout) +
                        ") has passed",
                    "An administrator has paused it; RESUME in the console ends that.");
    } else if (code == errc::pool_timeout) {
        refuse_next(client_error::queue_timeout,
                    "no connection to " + where + " became free within pool.queue_timeout (" +
                        ms(limits.queue_timeout) + ")",
                    "All " + std::to_string(limits.size) +
                        " connections (pool.size) are in use; look for long transactions.");
    } else {
        refuse_next(client_error::shutting_down, where + " is being closed", "");
    }
}

void relay_lane::refuse_next(client_error code, std::string message, std::string hint)
{
    if (starting_) {
        log::warn("client refused", {{"client", channel_.identity().id}, {"why", message}});
        fatal(code, message, "refused");
        return;
    }
    refusal_ = std::make_unique<refusal>();
    refusal_->code = code;
    refusal_->message = std::move(message);
    refusal_->hint = std::move(hint);
    if (!leasing_)
        resume();
}

}  // namespace sluice::gateway
