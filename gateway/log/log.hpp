// gateway/log/log.hpp: structured log lines, as text or as JSON, that never block the caller.
//
//   log::info("client connected", {{"client", id}, {"user", name}});
//
//   text  2026-01-31T12:00:00.000Z info client connected client=7 user=alice
//   json  {"time":"2026-01-31T12:00:00.000Z","level":"info","message":"client connected",...}
//
// Threads: any thread may log between open() and close(), which the main thread calls while no
// other logs. Outside of the two nothing is written. Lines are queued and written by a thread of
// their own; when the queue is full the oldest are dropped (dropped() counts them). A call below
// the level costs one relaxed load.
// Secrets: a gateway::secret is no field value, and there is no other way in for it.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "gateway/config/config.hpp"

namespace sluice::gateway::log {

// Borrows its text until the call returns.
struct field {
    using value_type = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    field(std::string_view name, bool yes) : key(name), value(yes) {}
    template <std::signed_integral T>
    field(std::string_view name, T number) : key(name), value(std::int64_t{number})
    {
    }
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) field(std::string_view name, T number)
        : key(name), value(std::uint64_t{number})
    {
    }
    field(std::string_view name, double number) : key(name), value(number) {}
    field(std::string_view name, std::string_view text) : key(name), value(text) {}
    field(std::string_view name, const std::string& text) : key(name), value(std::string_view(text))
    {
    }
    field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
    // The unit goes into the name: {"waited_ms", waited}.
    field(std::string_view name, duration time) : key(name), value(std::int64_t{time.count()}) {}
    field(std::string_view, const secret&) = delete;

    std::string_view key;  // a plain word
    value_type value;
};

using fields = std::initializer_list<field>;

namespace detail {
extern std::atomic<log_level> threshold;
extern std::atomic<std::int64_t> slow;
void write(log_level level, std::string_view message, fields values) noexcept;
}  // namespace detail

// Starts the writing thread. Returns why the file could not be opened, empty on success.
[[nodiscard]] std::string open(const log_config& settings);
// Writes what is queued and ends the thread. May be called without open().
void close() noexcept;
void set_level(log_level level) noexcept;
inline log_level level() noexcept
{
    return detail::threshold.load(std::memory_order_relaxed);
}
// After a reload: level, format and file, at once and between two lines. Returns why the new file
// cannot be opened, and then nothing has changed. The queue stays as it was. One thread at a time.
[[nodiscard]] std::string change(const log_config& settings);
// Requests that take longer are worth a line (statistics/slow_statement); 0: none.
void set_slow_statement(duration least) noexcept;
// Closes and opens the file again before the next line (log rotation). Safe in any thread.
void reopen() noexcept;
std::size_t dropped() noexcept;

inline bool enabled(log_level level) noexcept
{
    return level >= detail::threshold.load(std::memory_order_relaxed);
}

inline std::chrono::nanoseconds slow_statement() noexcept
{
    return std::chrono::nanoseconds(detail::slow.load(std::memory_order_relaxed));
}

inline void trace(std::string_view message, fields values = {}) noexcept
{
    if (enabled(log_level::trace))
        detail::write(log_level::trace, message, values);
}
inline void debug(std::string_view message, fields values = {}) noexcept
{
    if (enabled(log_level::debug))
        detail::write(log_level::debug, message, values);
}
inline void info(std::string_view message, fields values = {}) noexcept
{
    if (enabled(log_level::info))
        detail::write(log_level::info, message, values);
}
inline void warn(std::string_view message, fields values = {}) noexcept
{
    if (enabled(log_level::warn))
        detail::write(log_level::warn, message, values);
}
inline void error(std::string_view message, fields values = {}) noexcept
{
    if (enabled(log_level::error))
        detail::write(log_level::error, message, values);
}

}  // namespace sluice::gateway::log
