// gateway/log/file_sink.cpp: where the logging thread writes: a file or standard error.
#include "gateway/log/file_sink.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::gateway::log {

file_sink::file_sink(std::string path) : path_(std::move(path))
{
    fd_ = path_.empty() ? STDERR_FILENO : open_file(path_);
    if (fd_ < 0)
        failure_ = "cannot write the log file " + path_ + ": " + std::strerror(errno);
}

file_sink::~file_sink()
{
    replace(-1);
    if (next_fd_ > STDERR_FILENO)
        ::close(next_fd_);
}

void file_sink::replace(int fresh) noexcept
{
    if (fd_ >= 0 && fd_ != STDERR_FILENO)
        ::close(fd_);
    fd_ = fresh;
}

std::string file_sink::change_file(const std::string& path)
{
    const std::scoped_lock lock(mutex_);
    const int fresh = path.empty() ? STDERR_FILENO : open_file(path);
    if (fresh < 0)
        return "cannot write the log file " + path + ": " + std::strerror(errno);
    if (next_fd_ > STDERR_FILENO)
        ::close(next_fd_);
    next_fd_ = fresh;
    next_path_ = path;
    changed_.store(true, std::memory_order_relaxed);
    return {};
}

void file_sink::take_change()
{
    const std::scoped_lock lock(mutex_);
    if (const int fresh = std::exchange(next_fd_, -1); fresh >= 0) {
        replace(fresh);
        path_ = next_path_;
    }
}

int file_sink::open_file(const std::string& path)
{
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void file_sink::sink_it_(const spdlog::details::log_msg& message)
{
    if (changed_.exchange(false, std::memory_order_relaxed))
        take_change();
    if (reopen_.exchange(false, std::memory_order_relaxed) && !path_.empty()) {
        // The old file stays in use when the new one cannot be opened.
        if (const int fresh = open_file(path_); fresh >= 0)
            replace(fresh);
    }
    spdlog::memory_buf_t line;
    const bool json =
        std::string_view(message.logger_name.data(), message.logger_name.size()) == json_logger;
    (json && json_ ? *json_ : *formatter_).format(message, line);
    const char* at = line.data();
    std::size_t left = line.size();
    while (left > 0) {
        const auto n = ::write(fd_, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
        left -= static_cast<std::size_t>(n);
    }
}

}  // namespace sluice::gateway::log
