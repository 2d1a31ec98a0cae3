// gateway/log/file_sink.hpp: where the logging thread writes: a file or standard error.
//
// One write() a line, so nothing has to be flushed and a line is never torn. Threads: sink_it_ runs
// on the logging thread alone; request_reopen() anywhere. A write that fails is given up: there is
// no place left to complain to.
#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/details/null_mutex.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace sluice::gateway::log {

class file_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    // "": standard error.
    explicit file_sink(std::string path);
    ~file_sink() override;

    // Why the file cannot be written, empty when it can.
    const std::string& failure() const noexcept { return failure_; }
    // Lines of the logger of this name are framed as JSON, all others as text.
    static constexpr const char* json_logger = "json";
    void set_formatters(std::unique_ptr<spdlog::formatter> text,
                        std::unique_ptr<spdlog::formatter> json)
    {
        set_formatter(std::move(text));
        json_ = std::move(json);
    }

    // Writes to `path` from the next line on; "": standard error. Any thread. Not empty: it cannot
    // be opened, and the old file stays in use.
    std::string change_file(const std::string& path);
    void request_reopen() noexcept { reopen_.store(true, std::memory_order_relaxed); }

private:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}
    static int open_file(const std::string& path);
    void take_change();
    void replace(int fresh) noexcept;

    std::unique_ptr<spdlog::formatter> json_;
    std::string path_;
    std::string failure_;
    int fd_ = -1;
    std::atomic<bool> reopen_{false};
    std::atomic<bool> changed_{false};
    std::mutex mutex_;  // of what follows
    std::string next_path_;
    int next_fd_ = -1;
};

}  // namespace sluice::gateway::log
