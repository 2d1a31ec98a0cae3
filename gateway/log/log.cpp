// gateway/log/log.cpp: structured log lines, as text or as JSON, that never block the caller.
#include "gateway/log/log.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>

#include <memory>
#include <utility>

#include "gateway/log/file_sink.hpp"
#include "gateway/log/line.hpp"

namespace sluice::gateway::log {
namespace {

// A line is made in one thread and framed in another: the logger it came by says in which format,
// so that lines that wait while the format is changed are whole.
struct output {
    std::atomic<log_format> format;
    std::shared_ptr<file_sink> sink;
    std::shared_ptr<spdlog::details::thread_pool> thread;
    std::shared_ptr<spdlog::async_logger> text;
    std::shared_ptr<spdlog::async_logger> json;
};

// The one log of the process; see the header for who may change it when.
output* current = nullptr;

spdlog::level::level_enum spdlog_level(log_level level) noexcept
{
    switch (level) {
        case log_level::trace:
            return spdlog::level::trace;
        case log_level::debug:
            return spdlog::level::debug;
        case log_level::info:
            return spdlog::level::info;
        case log_level::warn:
            return spdlog::level::warn;
        case log_level::error:
            return spdlog::level::err;
        case log_level::off:
            break;
    }
    return spdlog::level::off;
}

// The level as the configuration spells it; spdlog says "warning".
class level_name final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message,
                const std::tm&,
                spdlog::memory_buf_t& out) override
    {
        std::string_view name = "error";
        switch (message.level) {
            case spdlog::level::trace:
                name = "trace";
                break;
            case spdlog::level::debug:
                name = "debug";
                break;
            case spdlog::level::info:
                name = "info";
                break;
            case spdlog::level::warn:
                name = "warn";
                break;
            default:
                break;
        }
        out.append(name.data(), name.data() + name.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override
    {
        return std::make_unique<level_name>();
    }
};

std::unique_ptr<spdlog::formatter> make_formatter(log_format format)
{
    auto formatter =
        std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
    formatter->add_flag<level_name>('*');
    formatter->set_pattern(format == log_format::json
                               ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%*",%v})"
                               : "%Y-%m-%dT%H:%M:%S.%eZ %* %v");
    return formatter;
}

}  // namespace

namespace detail {

std::atomic<log_level> threshold{log_level::off};
std::atomic<std::int64_t> slow{0};  // ns

void write(log_level level, std::string_view message, fields values) noexcept
{
    if (!current || level >= log_level::off)
        return;
    try {
        line_buffer line;
        const bool json = current->format.load(std::memory_order_relaxed) == log_format::json;
        if (json)
            append_json_members(line, message, values);
        else
            append_text_line(line, message, values);
        auto& logger = json ? *current->json : *current->text;
        logger.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
    } catch (...) {
        // Out of memory: the line is lost, the gateway goes on.
    }
}

}  // namespace detail

std::string open(const log_config& settings)
{
    close();
    auto sink = std::make_shared<file_sink>(settings.file);
    if (!sink->failure().empty())
        return sink->failure();
    sink->set_formatters(make_formatter(log_format::text), make_formatter(log_format::json));
    auto thread = std::make_shared<spdlog::details::thread_pool>(settings.queue, 1);
    const auto make_logger = [&](const char* name) {
        auto logger = std::make_shared<spdlog::async_logger>(
            name, sink, thread, spdlog::async_overflow_policy::overrun_oldest);
        // Ours is the only filter. flush_on stays off: the sink buffers nothing.
        logger->set_level(spdlog::level::trace);
        return logger;
    };
    auto text = make_logger("text");
    auto json = make_logger(file_sink::json_logger);
    current = new output{
        settings.format, std::move(sink), std::move(thread), std::move(text), std::move(json)};
    set_level(settings.level);
    set_slow_statement(settings.slow_statement);
    return {};
}

void close() noexcept
{
    if (!current)
        return;
    const std::size_t lost = dropped();
    if (lost > 0)
        warn("log lines were dropped: the log could not be written fast enough", {{"lines", lost}});
    detail::threshold.store(log_level::off, std::memory_order_relaxed);
    // The thread pool writes what is queued before it ends, and needs the logger until then.
    current->thread.reset();
    delete std::exchange(current, nullptr);
}

void set_slow_statement(duration least) noexcept
{
    detail::slow = std::chrono::nanoseconds(least).count();
}

void set_level(log_level level) noexcept
{
    detail::threshold.store(level, std::memory_order_relaxed);
}

std::string change(const log_config& settings)
{
    if (!current)
        return {};
    if (auto why = current->sink->change_file(settings.file); !why.empty())
        return why;
    current->format.store(settings.format, std::memory_order_relaxed);
    set_level(settings.level);
    set_slow_statement(settings.slow_statement);
    return {};
}

void reopen() noexcept
{
    if (current)
        current->sink->request_reopen();
}

std::size_t dropped() noexcept
{
    return current && current->thread ? current->thread->overrun_counter() : 0;
}

}  // namespace sluice::gateway::log
