// gateway/statistics/slow_statement.hpp: what is written to the log of a request that took longer
// than gateway.log.slow_statement.
//
//   waited    for a backend
//   backend   from having one to the end of the reply, less
//   sending   for the client to take what it was sent, in between and behind
//
// The trace is that of the statement's own comment (proto/sql/trace_comment), else the one that the
// client named when it connected. The text has its constants taken out.
//
// Layer: gateway. Thread: the client's worker. Made when a client first needs it, so that others
// pay a pointer for it.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/statistics/registry.hpp"
#include "proto/sql/trace_comment.hpp"

namespace sluice::gateway::statistics {

struct request_record;

class slow_statement {
public:
    using time_point = std::chrono::steady_clock::time_point;

    // A new request; one that has ended and was not written yet is written.
    void begin(const place& where) noexcept;
    void look(std::string_view text) noexcept;
    // The client does not take bytes, or has taken all of them.
    void stall(time_point now) noexcept
    {
        if (stalled_ == time_point{})
            stalled_ = now;
    }
    void took(const place& where, time_point now) noexcept;
    // Its reply is complete, and on its way.
    void end(const place& where,
             const request_record& record,
             std::chrono::nanoseconds least) noexcept;
    // All replies so far were handed to the socket, which holds some of them back (or does not).
    void settle(const place& where, bool held_back, time_point now) noexcept;
    // No more will come of it.
    void leave(const place& where) noexcept;

private:
    struct ended {
        std::uint64_t digest = 0;
        std::uint64_t rows = 0;
        std::uint64_t error = 0;
        std::chrono::nanoseconds waited{0};
        std::chrono::nanoseconds backend{0};
        std::chrono::nanoseconds sending{0};
    };

    void end_stall(time_point now) noexcept;
    void write(const place& where) noexcept;

    std::optional<sql::trace_parent> trace_;
    std::optional<ended> ended_;
    std::chrono::nanoseconds sending_{0};  // since the request began
    time_point stalled_{};
};

}  // namespace sluice::gateway::statistics
