// gateway/statistics/slow_statement.cpp: the line that is written.
#include "gateway/statistics/slow_statement.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "gateway/lane.hpp"
#include "gateway/log/log.hpp"
#include "gateway/statistics/request_meter.hpp"

namespace sluice::gateway::statistics {
namespace {

std::chrono::milliseconds ms(nanoseconds time) noexcept
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(time, nanoseconds(0)));
}

}  // namespace

void slow_statement::begin(const place& where) noexcept
{
    if (ended_)
        write(where);
    trace_.reset();
    sending_ = {};
    stalled_ = {};
}

void slow_statement::look(std::string_view text) noexcept
{
    if (auto found = sql::trace_of(text))
        trace_ = *found;
}

void slow_statement::end_stall(time_point now) noexcept
{
    if (stalled_ == time_point{})
        return;
    const nanoseconds took = now - std::exchange(stalled_, time_point{});
    sending_ += took;
    if (ended_)
        ended_->sending += took;
}

void slow_statement::took(const place& where, time_point now) noexcept
{
    end_stall(now);
    if (ended_)
        write(where);
}

void slow_statement::end(const place& where,
                         const request_record& record,
                         nanoseconds least) noexcept
{
    if (ended_)
        write(where);
    if (stalled_ != time_point{}) {
        sending_ += record.finished - stalled_;
        stalled_ = record.finished;
    }
    ended now;
    now.sending = std::min(std::exchange(sending_, {}), record.on_backend());
    now.waited = record.waited();
    now.backend = record.on_backend() - now.sending;
    now.digest = record.digest;
    now.rows = record.rows;
    now.error = record.error;
    if (least.count() > 0 && record.finished - record.arrived >= least)
        ended_ = now;
}

void slow_statement::settle(const place& where, bool held_back, time_point now) noexcept
{
    if (!ended_)
        return;
    if (held_back)
        stall(now);
    else
        took(where, now);
}

void slow_statement::leave(const place& where) noexcept
{
    if (ended_)
        write(where);
}

void slow_statement::write(const place& where) noexcept
{
    const ended line = *std::exchange(ended_, std::nullopt);
    if (!where.who)
        return;
    const client_identity& who = *where.who;
    const auto& trace = trace_ ? trace_ : who.trace;
    try {
        const std::string text = where.texts ? where.texts->find(line.digest) : std::string();
        const std::string error = line.error ? unpacked(line.error) : std::string();
        log::info("slow statement",
                  {{"client", who.id},
                   {"user", who.user},
                   {"database", who.database},
                   {"trace", trace ? trace->trace_id() : std::string_view{}},
                   {"span", trace ? trace->parent_id() : std::string_view{}},
                   {"waited_ms", ms(line.waited)},
                   {"backend_ms", ms(line.backend)},
                   {"sending_ms", ms(line.sending)},
                   {"rows", line.rows},
                   {"error", error},
                   {"statement", text}});
    } catch (const std::bad_alloc&) {
        // The line is lost, the gateway goes on.
    }
}

}  // namespace sluice::gateway::statistics
